"""Staff start a subscription for a customer, on a card or collected by what they record
([CONSOLE], [PAY], [COMMIT])."""

import json
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.collected_by import CollectedBy
from shared.domain.dunning import RetryPolicy, Then
from shared.domain.ending import EndReason
from shared.domain.invoice import InvoiceState, PaymentKind
from shared.domain.message import MessageKind, NoticeKind
from shared.domain.subscription import SubscriptionState
from shared.store.staff import Role
from tests.billing.conftest import Shop, shop
from tests.console.office import Desk, code_of, customer, events_of, staff, told
from tests.shop_floor import (
    FAILS_LATER,
    asked_of,
    card_of,
    charged_at,
    customer_with_card,
    go_to,
    head,
    invoices_of,
    messages_of,
    new_card,
    newcomer,
    notices,
    packs_of,
    subscription_of,
    text,
    told_at,
)

__all__ = ["shop"]

BOUGHT = "2026-01-31 15:00"


def start(world: LocalWorld, ada: str, desk: Desk | None = None, **fields: Any) -> Response:
    """A manager starts it."""
    sent = {
        "product": "month",
        "location": "ny",
        "collected_by": "recording",
        "idempotency_key": "one-press-of-it",
        **fields,
    }
    path = f"/console/customers/{ada}/subscriptions"
    answer = (desk or staff(world, Role.MANAGER)).post(path, **sent)
    world.run_due()
    return answer


def record(world: LocalWorld, ada: str, **fields: Any) -> Response:
    path = f"/console/customers/{ada}/invoices/{invoices_of(ada)[-1].id}/payments"
    sent = {"kind": "cash", "amount": "53.04", "idempotency_key": "a-payment-of-it", **fields}
    answer = staff(world, Role.CLERK).post(path, **sent)
    world.run_due()
    return answer


# --- on a card -----------------------------------------------------------------------------------


def test_on_a_card_its_first_period_is_charged_at_once(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    answer = start(world, ada, collected_by="card")
    assert (answer.status, json.loads(answer.body)["state"]) == (201, "paid")
    assert charged_at(world, ada) == [BOUGHT]
    stands = subscription_of(ada)
    assert (stands.state, stands.next_period, stands.payments_made) == (
        SubscriptionState.ACTIVE,
        1,
        1,
    )
    assert [pack.left for pack in packs_of(ada)] == [8]
    assert len(messages_of(ada, MessageKind.SUBSCRIPTION_PURCHASED, MessageKind.INVOICE)) == 2
    (event,) = events_of(ada, "start")
    assert (event.by, event.subscription_id) == ("manager@happypaws.example", stands.id)
    (line,) = [one for one in told(staff(world), ada) if one["what"].startswith("Subscribed")]
    assert line["by"] == "manager@happypaws.example"
    go_to(world, "2026-02-28 15:00")
    assert charged_at(world, ada)[1:] == ["2026-02-28 04:59"]


def test_a_decline_starts_nothing(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    world.sandbox.let_card_behave_as(card_of(ada).token, FAILS_LATER)
    answer = start(world, ada, collected_by="card")
    assert (answer.status, code_of(answer)) == (402, "card_declined")
    assert customer(world, ada).data("/subscriptions")["subscriptions"] == []
    assert invoices_of(ada) == []
    assert packs_of(ada) == []


def test_without_an_answer_it_is_found_out(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    answer = start(world, ada, collected_by="card")
    assert json.loads(answer.body)["state"] == "processing"
    go_to(world, "2026-01-31 15:30")
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    assert len(asked_of(world, ada)) == 1


def test_the_same_press_starts_it_once(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    first = start(world, ada, collected_by="card")
    again = start(world, ada, collected_by="card")
    assert json.loads(first.body) == json.loads(again.body)
    assert len(charged_at(world, ada)) == 1
    other = start(world, ada, collected_by="card", product="open")
    assert (other.status, code_of(other)) == (409, "idempotency_key_reused")


def test_a_later_start_is_charged_when_it_comes(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    assert start(world, ada, collected_by="card", starts_on="2026-02-10").status == 201
    assert charged_at(world, ada) == []
    go_to(world, "2026-02-10 15:00")
    assert charged_at(world, ada) == ["2026-02-10 05:00"]


def test_a_trial_is_given_once(shop: Shop) -> None:
    world = shop("2026-03-10 15:00")
    ada = newcomer(world)
    assert start(world, ada, product="trial").status == 201
    assert subscription_of(ada).state is SubscriptionState.TRIALING
    assert head(ada).value.trials_used == ("trial",)
    assert invoices_of(ada) == []


# --- collected by recording ----------------------------------------------------------------------


def test_paid_in_cash_it_begins_and_the_next_period_is_asked_for_and_no_card(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    assert start(world, ada, first_payment="cash").status == 201
    stands = subscription_of(ada)
    assert (stands.state, stands.collected_by) == (
        SubscriptionState.ACTIVE,
        CollectedBy.RECORDING,
    )
    (payment,) = invoices_of(ada)[0].payments
    assert (payment.kind, payment.amount.minor) == (PaymentKind.CASH, 5_304)
    assert payment.by == "manager@happypaws.example"
    assert [pack.left for pack in packs_of(ada)] == [8]
    go_to(world, "2026-02-28 15:00")
    assert asked_of(world, ada) == []
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    owed = invoices_of(ada)[-1]
    assert (owed.state, owed.status.value, owed.owed.minor) == (
        InvoiceState.OPEN,
        "unpaid",
        5_304,
    )
    assert told_at(ada, MessageKind.PAYMENT_DUE) == ["2026-02-28 04:59"]
    assert messages_of(ada, MessageKind.CARD_UPDATE, MessageKind.CHARGE_FAILED) == []
    assert record(world, ada).status == 201
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    assert [pack.left for pack in packs_of(ada)] == [0, 8]


def test_its_slots_pass_without_a_try_and_then_the_policy_ends_it(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    start(world, ada, first_payment="transfer")
    go_to(world, "2026-03-05 04:58")
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    new_card(world, ada)
    world.run_due()
    assert asked_of(world, ada) == [], "a new card is not asked either"
    go_to(world, "2026-03-05 04:59")
    over = subscription_of(ada)
    assert (over.state, over.end_reason) == (
        SubscriptionState.CANCELLED,
        EndReason.PAYMENT_FAILED,
    )
    assert invoices_of(ada)[-1].state is InvoiceState.VOID
    (notice,) = notices(NoticeKind.SUBSCRIPTION_FAILED_PAYMENT)
    assert "it was not paid in time" in notice.detail
    mails = [one.text for one in world.mailbox.sent("ada@example.com") if "not paid" in one.subject]
    assert len(mails) == 1
    assert "charge your card" not in mails[0]
    lines = [one["what"] for one in told(staff(world), ada)]
    assert not [one for one in lines if "Not tried" in one or "no card on file" in one]


def test_texts_say_that_a_payment_is_due_and_not_that_a_card_failed(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = newcomer(world)
    start(world, ada, first_payment="cash")
    portal = customer(world, ada)
    own = f"/subscriptions/{subscription_of(ada).id}"
    before = portal.page(own)
    assert "In cash or by transfer" in before
    assert "No card on file" not in before
    go_to(world, "2026-02-28 15:00")
    portal = customer(world, ada)
    for path in (own, "/packs"):
        page = portal.page(path)
        assert "A payment of $53.04 for Month is due" in page
        assert "Payment due" in page
        assert "could not collect" not in page
    shown = staff(world).page(f"/console/customers/{ada}")
    assert "Collected by recording; to be paid before" in shown
    due = portal.data(own)
    assert due["failing"]["next_try_at"] is None
    assert due["failing"]["pay_by"] == "2026-03-05T04:59:00Z"
    mails = [one for one in world.mailbox.sent("ada@example.com") if "is due" in one.subject]
    assert "in cash or by transfer before 11:59" in mails[0].text
    record(world, ada)


def test_not_paid_today_its_first_period_is_due_at_once(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = newcomer(world)
    assert start(world, ada).status == 201
    assert packs_of(ada) == []
    (due,) = invoices_of(ada)
    assert (due.period, due.state) == (0, InvoiceState.OPEN)
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    record(world, ada)
    stands = subscription_of(ada)
    assert (stands.state, stands.next_period, stands.payments_made) == (
        SubscriptionState.ACTIVE,
        1,
        1,
    )
    assert [pack.left for pack in packs_of(ada)] == [8]


def test_left_open_by_the_policy_it_waits_for_its_payment(shop: Shop) -> None:
    world = shop(BOUGHT, retry=RetryPolicy(then=Then.LEAVE_OPEN))
    ada = newcomer(world)
    start(world, ada, first_payment="cash")
    go_to(world, "2026-03-20 15:00")
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    assert record(world, ada).status == 201
    assert subscription_of(ada).state is SubscriptionState.ACTIVE


def test_the_customer_may_pay_what_is_due_by_card(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    start(world, ada, first_payment="cash")
    go_to(world, "2026-02-28 15:00")
    portal = customer(world, ada)
    page = portal.data(f"/invoices/{invoices_of(ada)[-1].id}")
    path = f"/invoices/{invoices_of(ada)[-1].id}/pay"
    answer = portal.post(path, idempotency_key=page["pay"]["idempotency_key"])
    assert answer.status == 200, answer.body
    world.run_due()
    assert len(charged_at(world, ada)) == 1
    assert subscription_of(ada).state is SubscriptionState.ACTIVE


# --- what can't be -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"product": "ten"}, "product"),
        ({"product": "no-such"}, "product"),
        ({"location": "nowhere"}, "location"),
        ({"collected_by": "card"}, "collected_by"),
        ({"collected_by": "debit"}, "collected_by"),
        ({"frequency": "daily"}, "frequency"),
        ({"starts_on": "2026-01-30"}, "starts_on"),
        ({"starts_on": "2027-06-01"}, "starts_on"),
        ({"until": "2026-01-30"}, "until"),
        ({"until": "2026-12-30", "product": "committed"}, "until"),
        ({"starts_on": "2026-02-10", "first_payment": "cash"}, "first_payment"),
        ({"product": "gift", "first_payment": "cash"}, "first_payment"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_started(
    shop: Shop, fields: dict[str, str], field: str
) -> None:
    world = shop(BOUGHT)
    ada = newcomer(world)
    answer = start(world, ada, None, **fields)
    assert answer.status == 422, answer.body
    assert set(json.loads(answer.body)["fields"]) == {field}
    assert customer(world, ada).data("/subscriptions")["subscriptions"] == []


def test_clerks_may_not_and_other_locations_see_nobody(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    refused = start(world, ada, staff(world, Role.CLERK))
    assert (refused.status, code_of(refused)) == (403, "role_not_allowed")
    start(world, ada, first_payment="cash", idempotency_key="the-first-of-them")
    berlin = staff(world, Role.MANAGER, email="be@happypaws.example", locations=("be",))
    assert start(world, "nobody", berlin).status == 404
    elsewhere = start(world, ada, berlin)
    assert elsewhere.status in (404, 422), "New York is not theirs"


def test_the_page_offers_what_is_sold_there(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = newcomer(world)
    olga = staff(world)
    page = olga.data(f"/console/customers/{ada}/subscriptions?location=be")
    assert page["location_id"] == "be"
    assert {one["price"]["currency"] for one in page["products"]} == {"EUR"}
    assert "ten" not in {one["id"] for one in page["products"]}
    html = olga.page(f"/console/customers/{ada}/subscriptions")
    assert "Start the subscription" in html
    assert "there is none on file" in html


# --- commitments ---------------------------------------------------------------------------------


def test_a_commitment_of_twelve_with_cash_for_three_of_the_payments(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    assert start(world, ada, collected_by="card", product="committed").status == 201
    own = f"/subscriptions/{subscription_of(ada).id}"
    months = ("02-28", "03-31", "04-30", "05-31", "06-30")
    for at, month in enumerate(months):
        if at in (1, 2, 4):
            path = f"/console/customers/{ada}/subscriptions/{subscription_of(ada).id}/payments"
            sent = {"kind": "cash", "amount": "53.04", "idempotency_key": f"month-number-{at}"}
            assert staff(world, Role.CLERK).post(path, **sent).status == 201
        go_to(world, f"2026-{month} 15:00")
    assert len(charged_at(world, ada)) == 3, "three of the six were paid in cash"
    portal = customer(world, ada)
    page = portal.data(own)
    assert page["commitment"] == {"minimum_payments": 12, "made": 6, "remaining": 6}
    (listed,) = staff(world).data("/console/outstanding?location=ny")["commitments"]
    assert (listed["made"], listed["remaining"], listed["customer_id"]) == (6, 6, ada)
    assert "6 of 12 payments made, 6 to go" in staff(world).page("/console/outstanding")
    assert staff(world).data("/console/outstanding?location=be")["commitments"] == []
    for when in ("now", "period_end"):
        refused = portal.post(f"{own}/cancel", when=when, idempotency_key=f"a-press-{when}")
        assert (refused.status, code_of(refused)) == (403, "cancel_not_allowed")
    asked = portal.post(f"{own}/cancel", when="request", idempotency_key="a-press-request")
    assert asked.status == 200
    go_to(world, "2027-01-30 15:00")
    assert subscription_of(ada).payments_made == 12
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    assert staff(world).data("/console/outstanding?location=ny")["commitments"] == []
    # Period 12 ends with 30 January: the charge of that night is forestalled.
    go_to(world, "2027-01-31 05:00")
    over = subscription_of(ada)
    assert (over.state, over.payments_made) == (SubscriptionState.CANCELLED, 12)
    assert len(charged_at(world, ada)) == 9
    assert text(over.ended_at) == "2027-01-31 04:59"


def test_a_commitment_that_is_over_is_listed_no_more(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    start(world, ada, collected_by="card", product="committed")
    assert len(staff(world).data("/console/outstanding?location=ny")["commitments"]) == 1
    path = f"/console/customers/{ada}/subscriptions/{subscription_of(ada).id}/cancel"
    staff(world).post(path, when="now")
    assert staff(world).data("/console/outstanding?location=ny")["commitments"] == []
