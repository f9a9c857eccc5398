"""What providers post: verified, stored once, applied whenever and however often it comes."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest

from infra.local.http_api import Response
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.charge import RefundState
from shared.domain.due import Worker
from shared.domain.message import MessageKind, NoticeKind
from shared.domain.outcome import Outcome
from shared.domain.subscription import SubscriptionState
from shared.operations.answered import Checked
from shared.store import accounts
from shared.store.items import document
from shared.store.reading import read
from shared.store.webhook_events import WebhookReceived
from tests.billing.conftest import Shop
from tests.shop_floor import (
    FAILS_LATER,
    asked_of,
    buy,
    charge_of_period,
    charged_at,
    charges_of,
    customer_with_card,
    go_to,
    head,
    messages_of,
    new_card,
    newcomer,
    notices,
    packs_of,
    subscribed,
    subscription_of,
)

PATH = "/webhooks/sandbox"


def event_of(event_id: str, type_: str, about: dict[str, Any], created: int = 0) -> bytes:
    content = {"id": event_id, "type": type_, "created": created, "object": about}
    return json.dumps(content).encode()


def post(world: LocalWorld, body: bytes, *, signature: str | None = None) -> Response:
    """Posted as the provider would, signed now unless another signature is given."""
    if signature is None:
        signature = world.sandbox.hooks.signature(body, world.now())
    headers = {"content-type": "application/json", "sandbox-signature": signature}
    return world.request("POST", PATH, headers, body)


def stored(event_id: str) -> WebhookReceived | None:
    ref = accounts.webhook("sandbox", event_id)
    row = read(ref).get(ref)
    return None if row is None else row.value


def everything(world: LocalWorld) -> list[str]:
    """Every key of the accounts table."""
    table = world.wiring.environment.accounts_table
    items = boto3.client("dynamodb").scan(TableName=table)["Items"]
    return sorted(f"{item['pk']['S']}/{item['sk']['S']}" for item in items)


# --- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [timedelta(seconds=301), timedelta(days=1), -timedelta(hours=1)])
def test_a_replayed_or_future_dated_webhook_is_refused_and_nothing_is_stored(
    shop: Shop, late: timedelta
) -> None:
    world = shop("2026-01-31 15:00")
    before = everything(world)
    body = event_of("evt_1", "charge.succeeded", {"id": "ch_1"})
    signature = world.sandbox.hooks.signature(body, world.now() - late)
    answer = post(world, body, signature=signature)
    assert answer.status == 400
    assert everything(world) == before


def test_a_forged_webhook_is_refused_and_nothing_is_stored(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    before = everything(world)
    body = event_of("evt_1", "charge.succeeded", {"id": "ch_1"})
    right = world.sandbox.hooks.signature(body, world.now())
    stamp = right.partition(",")[0]
    forged = [
        "",
        "nonsense",
        stamp,
        f"{stamp},v1=",
        f"{stamp},v1={'0' * 64}",
        right.replace("v1=", "v0="),
        right.replace(stamp, "t=99999999999999999999"),
    ]
    for signature in forged:
        assert post(world, body, signature=signature).status == 400, signature
    assert post(world, body + b" ", signature=right).status == 400, "another body"
    assert everything(world) == before
    # The same body with its right signature is taken.
    assert post(world, body, signature=right).status == 200


def test_one_right_signature_among_several_is_enough(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    body = event_of("evt_1", "something.else", {"id": "x"})
    stamp, _, right = world.sandbox.hooks.signature(body, world.now()).partition(",")
    assert post(world, body, signature=f"{stamp},v1={'0' * 64},{right}").status == 200


# --- strange, and acknowledged -------------------------------------------------------------------


def test_an_unknown_type_is_stored_and_acknowledged_and_changes_nothing(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    assert post(world, event_of("evt_odd", "moon.rose", {"id": "m"})).status == 200
    kept = stored("evt_odd")
    assert kept is not None
    assert (kept.type, kept.result) == ("moon.rose", "ignored")
    assert len(packs_of(ada)) == 1


@pytest.mark.parametrize(
    "about",
    [
        {"id": "ch_foreign"},
        {"id": "ch_foreign", "metadata": {"charge_ref": "nobody/nothing.00001"}},
        {"id": "ch_foreign", "metadata": {"charge_ref": "no slash"}},
        {"id": "ch_foreign", "metadata": {"charge_ref": ["a", "list"]}},
        {"id": "ch_foreign", "metadata": "text"},
    ],
)
def test_an_event_of_a_foreign_object_changes_nothing(shop: Shop, about: dict[str, Any]) -> None:
    world = shop("2026-01-31 15:00")
    assert post(world, event_of("evt_far", "charge.succeeded", about)).status == 200
    kept = stored("evt_far")
    assert kept is not None
    assert kept.applied_at is not None


def test_an_event_that_lies_about_our_charge_is_checked_at_the_provider(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-02-28 12:00")
    charge = charge_of_period(ada, 1)
    about = {"id": "ch_invented", "status": "succeeded", "metadata": {"charge_ref": charge.ref}}
    assert post(world, event_of("evt_lie", "charge.succeeded", about)).status == 200
    assert charge_of_period(ada, 1).outcome is Outcome.DECLINED
    assert len(packs_of(ada)) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"id": 7}', b"\xff\xfe"])
def test_a_signed_body_that_cant_be_read_is_acknowledged(shop: Shop, body: bytes) -> None:
    world = shop("2026-01-31 15:00")
    assert post(world, body).status == 200
    assert world.errors == []


def test_money_taken_in_our_name_by_none_of_our_tries_is_shown_to_staff(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    buy(world, ada, "ten")
    (charge,) = charges_of(ada)
    (ours,) = asked_of(world, ada)
    # Somebody repeats the charge by hand at the provider, with all that it carries.
    again = world.sandbox._books.create_charge(
        customer=ours.customer,
        card=ours.card,
        amount=ours.amount,
        currency=ours.currency,
        description="",
        return_url="",
        metadata={"charge_ref": charge.ref, "attempt_id": "by-hand"},
    )
    world.sandbox.behave()
    world.run_due()
    (notice,) = notices(NoticeKind.UNEXPECTED_CHARGE)
    assert again.id in notice.detail
    assert len(packs_of(ada)) == 1
    # It is the merchant's to pay back; for the comparison of the books it was.
    del world.sandbox._books._charges[again.id]
    world.sandbox._books._charges_of[ours.customer].remove(again.id)


# --- often, late and out of order ----------------------------------------------------------------


def test_every_event_three_times_and_shuffled_changes_nothing(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    world.sandbox.webhooks(repeat=3, shuffle=True)
    ada = subscribed(world, "month")
    go_to(world, "2026-02-20 12:00")
    new_card(world, ada, FAILS_LATER)
    go_to(world, "2026-03-02 12:00")
    bad = next(one for one in head(ada).value.cards if one.last4 == "4242")
    world.sandbox.let_card_behave_as(bad.token, FAILS_LATER)
    go_to(world, "2026-05-05 12:00")
    assert len(charged_at(world, ada)) == len(packs_of(ada))
    receipts = messages_of(ada, MessageKind.RENEWAL_RECEIPT, MessageKind.INVOICE)
    assert len({one.key for one in receipts}) == len(receipts)
    assert subscription_of(ada).state is SubscriptionState.CANCELLED


def test_events_released_days_later_find_everything_done(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    world.sandbox.webhooks(hold=True)
    ada = subscribed(world, "month")
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    go_to(world, "2026-03-10 12:00")
    before = len(messages_of(ada))
    world.sandbox.webhooks(repeat=3, shuffle=True)
    assert world.sandbox.release_webhooks() == 2
    go_to(world, "2026-03-11 12:00")
    assert len(messages_of(ada)) == before
    assert len(packs_of(ada)) == 2


def test_a_webhook_tells_of_a_success_before_anybody_would_have_asked(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    world.sandbox.misbehave(Operation.CHARGE, Fault.ERROR_AFTER)
    assert buy(world, ada, "ten").state is Checked.PROCESSING
    # `buy` has let the webhook come in: no minute has gone by.
    assert len(packs_of(ada)) == 1


def taken_for_lost(world: LocalWorld, until: str) -> None:
    """The provider's books don't show a charge that did happen, until we take it for lost; then
    its webhook comes while it answers nothing at all."""
    provider = world.wiring.provider("sandbox")
    whole = provider.look_up
    provider.look_up = lambda **_: None  # type: ignore[method-assign]
    go_to(world, until)
    provider.look_up = whole  # type: ignore[method-assign]
    world.sandbox.misbehave(Operation.LOOK_UP, Fault.TIMEOUT_BEFORE, times=4)
    world.sandbox.release_webhooks()
    world.run_due()


def test_the_only_word_of_a_success_waits_until_it_can_be_looked_at(shop: Shop) -> None:
    world = shop("2026-01-31 15:00", errors=True)
    ada = customer_with_card(world)
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.ERROR_AFTER)
    buy(world, ada, "ten")
    taken_for_lost(world, "2026-02-02 12:00")
    (charge,) = charges_of(ada)
    assert (charge.outcome, charge.refund) == (Outcome.DECLINED, RefundState.NONE)
    world.advance(timedelta(hours=2))
    # The customer was told that it failed: the money goes back.
    (seen,) = asked_of(world, ada)
    assert seen.refunds == (seen.amount,)
    assert packs_of(ada) == []


def test_the_only_word_of_a_period_s_success_pays_it(shop: Shop) -> None:
    world = shop("2026-01-31 15:00", errors=True)
    ada = subscribed(world, "month")
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.ERROR_AFTER)
    taken_for_lost(world, "2026-03-01 12:00")
    assert charge_of_period(ada, 1).outcome is Outcome.DECLINED
    world.advance(timedelta(hours=2))
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    assert head(ada).value.past_due == ()
    assert len(packs_of(ada)) == 2
    go_to(world, "2026-03-10 12:00")
    assert len(asked_of(world, ada)) == 2


# --- cards ---------------------------------------------------------------------------------------


def test_a_card_saved_by_somebody_who_never_came_back_is_put_on_file_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = newcomer(world)
    world.sandbox.webhooks(repeat=3, shuffle=True)
    new_card(world, ada)
    world.advance(timedelta(minutes=2))
    assert len(head(ada).value.cards) == 1


def test_an_event_that_tells_nothing_new_is_stored_as_done(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    world.sandbox.webhooks(hold=True)
    buy(world, ada, "ten")
    handed_over = len(world.bus.seen)
    world.sandbox.release_webhooks()
    world.run_due()
    told = [one["detail-type"] for one in world.bus.seen[handed_over:]]
    assert Worker.APPLY.value not in told
    table = world.wiring.environment.accounts_table
    items = world.client("dynamodb").scan(TableName=table)["Items"]
    events = [json.loads(document(one)) for one in items if one["kind"]["S"] == "webhook"]
    of_charge = [one for one in events if one["kind"] == "charge"]
    assert [one["result"] for one in of_charge] == ["applied"] * len(of_charge)
    assert of_charge
