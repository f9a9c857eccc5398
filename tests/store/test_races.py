"""Everything that can happen at the same moment, on Amazon's own engine: one of it counts."""

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.by import By
from shared.domain.charge import RefundState
from shared.domain.errors import Conflict
from shared.domain.message import MessageKind
from shared.domain.outcome import Outcome
from shared.domain.subscription import SubscriptionState
from shared.operations import cancel, past_due, staff
from shared.operations.answered import Checked
from shared.operations.books import open_books
from shared.operations.checkout import check_out, refs
from shared.operations.collect import Renewed, renew, retry
from shared.operations.number import number
from shared.operations.receiving import Stored, receive
from shared.operations.reconcile import reconcile
from shared.operations.settle import settle
from shared.operations.sweep import Swept, sweep
from shared.operations.webhooks import apply
from shared.providers.port import ChargeResult
from shared.store import accounts
from shared.store.reading import read
from shared.store.staff import Role, StaffMember
from tests.shop_floor import (
    FAILS_LATER,
    WORKS,
    asked_of,
    buy,
    card_of,
    card_on_file,
    charge_of_period,
    charged_at,
    charges_of,
    context_of,
    customer_with_card,
    entries_of,
    fill_cart,
    go_to,
    head,
    invoices_of,
    messages_of,
    moment,
    packs_of,
    press_pay,
    subscribed,
    subscription_of,
)
from tests.store.at_once import at_once
from tests.store.conftest import Shop

pytestmark = pytest.mark.xdist_group("dynamodb-local")

BEFORE_RENEWAL = "2026-02-28 04:58"
RENEWAL = "2026-02-28 04:59"


def stand_at(world: LocalWorld, when: str) -> None:
    """Move the clock without running anything: what is due is left to the test."""
    world.clock.move_to(moment(when))


def cancel_now(world: LocalWorld, customer_id: str) -> None:
    what = subscription_of(customer_id).id
    cancel.cancel(context_of(world), customer_id, what, cancel.When.NOW, by=By.CUSTOMER)


def try_another_card(world: LocalWorld, customer_id: str) -> None:
    past_due.try_past_due(context_of(world), customer_id, card_of(customer_id).id)


def pay_by_hand(world: LocalWorld, customer_id: str) -> None:
    """The customer presses "pay now", perhaps on a page that is a moment old."""
    what = subscription_of(customer_id).id
    with suppress(Conflict):
        past_due.pay_subscription(context_of(world), customer_id, what, card_id=None)


# --- checkouts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", ["one key", "different keys"])
@pytest.mark.parametrize("presses", [2, 20])
def test_simultaneous_checkouts_of_one_cart_charge_once(
    shop: Shop, presses: int, keys: str
) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    cart = fill_cart(world, ada, "ten", "month", "mat")
    key = "key-of-one-form" if keys == "one key" else None
    pressed = [press_pay(world, ada, cart, key=key) for _ in range(presses)]
    answers = at_once([partial(one.carry_out, context_of(world)) for one in pressed])
    assert {one.state for one in answers} <= {Checked.PAID, Checked.PROCESSING}
    world.run_due()
    assert len(asked_of(world, ada)) == 1
    assert len(packs_of(ada)) == 2
    assert len(invoices_of(ada)) == 1
    again = [one.carry_out(context_of(world)).state for one in pressed]
    assert set(again) == {Checked.PAID}


def test_a_press_that_read_the_charge_before_and_the_cart_after_the_other_paid_answers_the_same(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    press = press_pay(world, ada, fill_cart(world, ada, "mat"))
    first = press.carry_out(context_of(world))
    # Items that are read together need not be of one moment.
    cart, *_ = refs(ada, press.location.id, press.submitted)
    torn = read(cart)
    for key in (press.submitted.key, "key-of-another-window"):
        again = check_out(
            context_of(world),
            customer=head(ada),
            location=press.location,
            submitted=press.submitted._replace(key=key),
            found=torn,
        )
        assert (again.state, again.charge.id) == (Checked.PAID, first.charge.id)
    assert len(asked_of(world, ada)) == 1


def test_the_last_credit_taken_twice_by_one_press_answers_both_the_same(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    buy(world, ada, "ten")
    (pack,) = packs_of(ada)
    owner = StaffMember(email="owner@example.com", name="Olga", role=Role.OWNER)
    change = staff.CreditChange(ada, pack.id, -10, "Came with the whole family")
    press = change.press(owner.email, "one-form", world.wiring.new_id())
    found = read(*change.refs(press))
    first = staff.change_credits(context_of(world), owner, change, press, found)
    # The second read the pack when the first had written, and the record of the press before.
    torn = read(*change.refs(press)[:2])
    again = staff.change_credits(context_of(world), owner, change, press, torn)
    assert again == first
    assert sorted(entry.delta for entry in entries_of(pack)) == [-10, 10]
    other = change.press(owner.email, "another-form", world.wiring.new_id())
    with pytest.raises(Conflict, match="0 credits"):
        staff.change_credits(context_of(world), owner, change, other, torn)


def test_a_trial_in_the_carts_of_both_locations_is_given_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    pressed = [
        press_pay(world, ada, fill_cart(world, ada, "trial", location=place))
        for place in ("ny", "be")
    ]

    def press(one: Any) -> str:
        try:
            return str(one.carry_out(context_of(world)).state)
        except Exception as changed:  # noqa: BLE001 - whichever came second says what changed
            return type(changed).__name__

    assert Counter(at_once([partial(press, one) for one in pressed])) == {
        "paid": 1,
        "CartChanged": 1,
    }
    assert subscription_of(ada).state is SubscriptionState.TRIALING


# --- renewals ------------------------------------------------------------------------------------


def test_twenty_workers_renew_one_subscription_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    subscription = subscription_of(ada).id
    stand_at(world, RENEWAL)
    results = at_once([lambda: renew(context_of(world), ada, subscription)] * 20)
    assert Counter(results)[Renewed.COLLECTED] == 1
    assert set(results) <= {Renewed.COLLECTED, Renewed.LOST, Renewed.NOTHING_DUE}
    world.run_due()
    assert len(asked_of(world, ada)) == 2
    assert len(packs_of(ada)) == 2
    assert len(messages_of(ada, MessageKind.RENEWAL_RECEIPT)) == 1


def test_twenty_workers_use_one_slot_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-02-28 12:00")
    subscription = subscription_of(ada).id
    stand_at(world, "2026-03-01 04:59")
    results = at_once([lambda: retry(context_of(world), ada, subscription)] * 20)
    assert Counter(results)[Renewed.NOT_PAID] == 1
    assert len(asked_of(world, ada)) == 3
    collection = subscription_of(ada).collection
    assert collection is not None
    assert collection.slots_used == 2


def test_twenty_sweeps_at_once_lease_each_item_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    people = [subscribed(world, "month", email=f"{n}@example.com") for n in range(15)]
    go_to(world, BEFORE_RENEWAL)
    stand_at(world, RENEWAL)
    put: list[str] = []

    class Bus:
        """Counts, and lets the world's own bus have the events."""

        def put_events(self, Entries: list[dict[str, str]]) -> Any:  # noqa: N803 - as boto3 says
            put.extend(item for one in Entries for item in one["Detail"].split('"sk"')[1:])
            return world.wiring.events.put_events(Entries=Entries)

    def once() -> Swept:
        return sweep(
            now=world.now(),
            new_id=world.wiring.new_id,
            events=Bus(),
            bus=world.wiring.environment.event_bus,
            shards=1,
            limit=200,
        )

    swept = at_once([once] * 20)
    assert sum(one.leased.get("renewals", 0) for one in swept) == len(people)
    assert len(put) == len(people)
    world.run_due()
    for one in people:
        assert charged_at(world, one) == ["2026-01-31 15:00", RENEWAL]


def test_a_cancellation_against_a_renewal_leaves_nothing_charged_and_lost(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    people = [subscribed(world, "month", email=f"{n}@example.com") for n in range(12)]
    go_to(world, BEFORE_RENEWAL)
    stand_at(world, RENEWAL)
    for one in people:
        subscription = subscription_of(one).id
        at_once(
            [
                partial(renew, context_of(world), one, subscription),
                partial(cancel_now, world, one),
            ]
        )
    go_to(world, "2026-06-01 12:00")
    for one in people:
        assert subscription_of(one).state is SubscriptionState.CANCELLED
        renewals = [seen for seen in asked_of(world, one)[1:] if not seen.refunds]
        assert len(renewals) <= 1
        assert len(packs_of(one)) == 1 + len(renewals), "what was kept was granted"


def test_a_cancellation_against_its_undoing_and_the_charge_that_is_due(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    people = [subscribed(world, "month", email=f"{n}@example.com") for n in range(8)]
    go_to(world, BEFORE_RENEWAL)
    for one in people:
        what = subscription_of(one).id
        cancel.cancel(context_of(world), one, what, cancel.When.PERIOD_END, by=By.CUSTOMER)
    stand_at(world, RENEWAL)

    def undo(who: str, what: str) -> str:
        try:
            cancel.undo(context_of(world), who, what, by=By.CUSTOMER)
        except Conflict:
            return "too late"
        return "undone"

    for one in people:
        what = subscription_of(one).id
        _, undone = at_once(
            [partial(renew, context_of(world), one, what), partial(undo, one, what)]
        )
        world.advance(timedelta(minutes=6))
        kept = subscription_of(one).state is SubscriptionState.ACTIVE
        assert kept == (undone == "undone")
        assert len(charged_at(world, one)) == 1 + kept


def test_a_new_card_against_the_slot_that_is_due_pays_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    people = [
        subscribed(world, "month", number=FAILS_LATER, email=f"{n}@example.com") for n in range(8)
    ]
    go_to(world, "2026-02-28 12:00")
    for one in people:
        world.sandbox.let_card_behave_as(card_of(one).token, WORKS)
        card_on_file(world, one, WORKS, default=False)
    stand_at(world, "2026-03-01 04:59")
    for one in people:
        what = subscription_of(one).id
        at_once(
            [
                partial(retry, context_of(world), one, what),
                partial(try_another_card, world, one),
                partial(pay_by_hand, world, one),
            ]
        )
    world.run_due()
    for one in people:
        assert len(charged_at(world, one)) == 2
        assert subscription_of(one).state is SubscriptionState.ACTIVE


# --- outcomes ------------------------------------------------------------------------------------


def test_answer_webhook_and_check_settle_once_whoever_comes_first(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    people = [customer_with_card(world, email=f"{n}@example.com") for n in range(5)]
    for one in people:
        world.sandbox.webhooks(hold=True)
        world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
        buy(world, one, "ten", "month")
        (charge,) = charges_of(one)
        (seen,) = asked_of(world, one)
        answer = ChargeResult(outcome=Outcome.SUCCEEDED, provider_charge_id=seen.id)
        books = open_books(one, charge.source)
        assert books is not None and charge.last is not None
        direct = partial(settle, context_of(world), books, charge.last.id, answer)
        check = partial(reconcile, context_of(world), one, charge.source, asked_by_webhook=True)
        at_once([direct, check, direct, check, check, direct])
        assert len(packs_of(one)) == 2
        (settled,) = charges_of(one)
        assert settled.refund is RefundState.NONE
        assert len(messages_of(one, MessageKind.ORDER_RECEIPT)) == 1
    world.sandbox.webhooks(repeat=3, shuffle=True)
    world.sandbox.release_webhooks()
    world.advance(timedelta(minutes=3))
    assert all(len(packs_of(one)) == 2 for one in people)


def test_one_webhook_delivered_ten_times_at_once_is_stored_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    posted: list[tuple[dict[str, str], bytes]] = []
    world.sandbox.hooks._deliver = lambda _, __, headers, body: posted.append((headers, body))
    buy(world, ada, "ten")
    (event,) = posted
    provider = world.wiring.provider("sandbox")
    receipts = at_once([lambda: receive(world.now(), provider, *event)] * 10)
    assert Counter(one.stored for one in receipts) == {Stored.NEW: 1, Stored.DUPLICATE: 9}
    at_once([lambda: apply(context_of(world), receipts[0].ref)] * 10)
    world.run_due()
    assert len(packs_of(ada)) == 1


def test_a_late_success_that_several_report_is_refunded_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    go_to(world, RENEWAL)
    cancel.cancel(context_of(world), ada, subscription_of(ada).id, cancel.When.NOW, by=By.CUSTOMER)
    source = charge_of_period(ada, 1).source
    check = partial(reconcile, context_of(world), ada, source, asked_by_webhook=True)
    at_once([check] * 8)
    at_once([check] * 8)
    world.run_due()
    (_, late) = asked_of(world, ada)
    assert late.refunds == (late.amount,)
    assert len(messages_of(ada, MessageKind.REFUND)) == 1


# --- numbers -------------------------------------------------------------------------------------


def test_eight_numberers_at_once_leave_no_gap_and_repeat_nothing(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    people = [customer_with_card(world, email=f"{n}@example.com") for n in range(24)]
    refs = []
    for one in people:
        press_pay(world, one, fill_cart(world, one, "mat")).carry_out(context_of(world))
        (invoice,) = invoices_of(one)
        refs.append(accounts.invoice(one, invoice.id))
    # Every one of them is in three batches.
    batches = [refs[at * 3 : at * 3 + 9] + refs[: max(0, at * 3 + 9 - 24)] for at in range(8)]
    given = at_once([partial(number, batch) for batch in batches])
    assert sum(given) == 24
    numbers = sorted(invoices_of(one)[0].number or "" for one in people)
    assert numbers == [f"NY-{at:06d}" for at in range(1, 25)]
    world.run_due()
