"""Cash and transfers that staff record ([PAY])."""

import json
from datetime import date
from typing import Any

from infra.local.http_api import Response
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.invoice import InvoiceState, PaymentKind
from shared.domain.message import MessageKind
from shared.domain.subscription import SubscriptionState
from shared.store.staff import Role
from tests.billing.conftest import Shop
from tests.console.office import (
    Desk,
    activity_at,
    book,
    code_of,
    customer,
    events_of,
    staff,
    told,
)
from tests.shop_floor import (
    FAILS_LATER,
    NEEDS_AUTHENTICATION,
    WORKS,
    Wanted,
    asked_of,
    buy,
    card_of,
    charge_of_period,
    charged_at,
    customer_with_card,
    go_to,
    head,
    invoices_of,
    messages_of,
    moment,
    packs_of,
    subscribed,
    subscription_of,
    text,
)

BOUGHT = "2026-01-31 15:00"
OWED = "53.04"
"""49.00 and 8.25% tax."""


def record(
    world: LocalWorld, ada: str, desk: Desk | None = None, *, invoice: str = "", **fields: Any
) -> Response:
    """A clerk records a payment of the customer's latest invoice."""
    invoice = invoice or invoices_of(ada)[-1].id
    return _post(world, f"/console/customers/{ada}/invoices/{invoice}/payments", desk, fields)


def ahead(world: LocalWorld, ada: str, desk: Desk | None = None, **fields: Any) -> Response:
    """A clerk records a payment of the next period."""
    own = subscription_of(ada).id
    return _post(world, f"/console/customers/{ada}/subscriptions/{own}/payments", desk, fields)


def _post(world: LocalWorld, path: str, desk: Desk | None, fields: dict[str, Any]) -> Response:
    sent = {"kind": "cash", "amount": OWED, "idempotency_key": "one-press-of-it", **fields}
    answer = (desk or staff(world, Role.CLERK)).post(path, **sent)
    world.run_due()
    return answer


def failing(shop: Shop, number: str = FAILS_LATER) -> tuple[LocalWorld, str]:
    """Ada's renewal of 27 February has failed once."""
    world = shop(BOUGHT)
    ada = subscribed(world, "month", number=number)
    go_to(world, "2026-02-28 15:00")
    return world, ada


# --- an invoice that is open ---------------------------------------------------------------------


def test_cash_settles_a_failing_period_as_a_card_would(shop: Shop) -> None:
    world, ada = failing(shop)
    answer = record(world, ada, note="Paid at the desk")
    assert answer.status == 201, answer.body
    shown = json.loads(answer.body)["invoice"]
    assert (shown["state"], shown["status"], shown["owed"]["minor"]) == ("closed", "paid", 0)
    (payment,) = invoices_of(ada)[-1].payments
    assert (payment.kind, payment.amount.minor) == (PaymentKind.CASH, 5_304)
    assert (payment.by, payment.note) == ("clerk@happypaws.example", "Paid at the desk")
    stands = subscription_of(ada)
    assert (stands.state, stands.next_period, stands.payments_made) == (
        SubscriptionState.ACTIVE,
        2,
        2,
    )
    assert head(ada).value.past_due == ()
    # [GRANT]: settled on 28 February, so that is its first day.
    assert [pack.left for pack in packs_of(ada)] == [0, 8]
    assert text(packs_of(ada)[-1].usable_from) == "2026-02-28 05:00"
    assert len(messages_of(ada, MessageKind.RENEWAL_RECEIPT)) == 1
    assert len(messages_of(ada, MessageKind.INVOICE)) == 2
    assert len(charge_of_period(ada, 1).attempts) == 1, "no card was asked again"
    go_to(world, "2026-03-20 15:00")
    assert len(asked_of(world, ada)) == 2
    lines = [one for one in told(staff(world), ada) if "paid in cash" in one["what"]]
    assert [(one["by"], one["detail"][:17]) for one in lines] == [
        ("clerk@happypaws.example", "Paid at the desk ")
    ]
    (event,) = events_of(ada, "payment:cash")
    assert event.by == "clerk@happypaws.example"


def test_after_it_the_next_period_is_charged_to_the_card_again(shop: Shop) -> None:
    world, ada = failing(shop)
    record(world, ada, kind="transfer", received_on="2026-02-28")
    world.sandbox.let_card_behave_as(card_of(ada).token, WORKS)
    go_to(world, "2026-03-31 15:00")
    assert charged_at(world, ada)[1:] == ["2026-03-31 03:59"]
    assert invoices_of(ada)[1].payments[0].kind is PaymentKind.TRANSFER


def test_the_invoice_page_names_how_it_was_paid(shop: Shop) -> None:
    world, ada = failing(shop)
    record(world, ada, kind="transfer")
    page = customer(world, ada).page(f"/invoices/{invoices_of(ada)[-1].id}")
    assert "transfer" in page.casefold()
    assert "Still owed" not in page


def test_the_same_press_records_once_and_another_finds_nothing_owed(shop: Shop) -> None:
    world, ada = failing(shop)
    first, again = record(world, ada), record(world, ada)
    assert (first.status, again.status) == (201, 201)
    assert json.loads(first.body)["invoice"]["id"] == json.loads(again.body)["invoice"]["id"]
    other = record(world, ada, idempotency_key="another-press")
    assert (other.status, code_of(other)) == (409, "nothing_owed")
    reused = record(world, ada, kind="transfer")
    assert (reused.status, code_of(reused)) == (409, "idempotency_key_reused")
    assert len(invoices_of(ada)[-1].payments) == 1


def test_what_is_wrong_is_named_and_nothing_changes(shop: Shop) -> None:
    world, ada = failing(shop)
    for fields, field in (
        ({"amount": "53.05"}, "amount"),
        ({"amount": "20"}, "amount"),
        ({"amount": "-53.04"}, "amount"),
        ({"amount": "53.040"}, "amount"),
        ({"amount": "all of it"}, "amount"),
        ({"kind": "cheque"}, "kind"),
        ({"received_on": "2026-03-01"}, "received_on"),
        ({"received_on": "yesterday"}, "received_on"),
        ({"note": "x" * 201}, "note"),
    ):
        answer = record(world, ada, None, **fields)
        assert answer.status == 422, fields
        assert set(json.loads(answer.body)["fields"]) == {field}, fields
    assert invoices_of(ada)[-1].state is InvoiceState.OPEN
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    assert record(world, ada).status == 201, "the key of a refused press is not used up"


def test_while_a_cards_outcome_is_open_nothing_is_recorded(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    go_to(world, "2026-02-28 04:58")
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    world.sandbox.misbehave(Operation.ANY, Fault.TIMEOUT_BEFORE, times=1000)
    go_to(world, "2026-02-28 05:30")
    refused = record(world, ada)
    assert (refused.status, code_of(refused)) == (409, "payment_under_way")
    world.sandbox.behave()
    go_to(world, "2026-03-01 15:00")
    assert invoices_of(ada)[-1].payments[0].kind is PaymentKind.CARD


def test_while_the_customer_is_to_confirm_nothing_is_recorded(shop: Shop) -> None:
    world, ada = failing(shop, NEEDS_AUTHENTICATION)
    refused = record(world, ada)
    assert (refused.status, code_of(refused)) == (409, "payment_under_way")


def test_others_invoices_and_other_locations_are_not_found(shop: Shop) -> None:
    world, ada = failing(shop)
    berlin = staff(world, Role.MANAGER, locations=("be",))
    assert record(world, ada, berlin).status == 404
    assert ahead(world, ada, berlin).status == 404
    ben = customer_with_card(world, email="ben@example.com")
    path = f"/console/customers/{ben}/invoices/{invoices_of(ada)[-1].id}/payments"
    assert _post(world, path, None, {}).status == 404
    assert invoices_of(ada)[-1].state is InvoiceState.OPEN


def test_in_a_pause_cash_is_taken_and_the_pause_stands(shop: Shop) -> None:
    world, ada = failing(shop)
    path = f"/console/customers/{ada}/subscriptions/{subscription_of(ada).id}/pause"
    staff(world).post(path)
    assert record(world, ada).status == 201
    assert subscription_of(ada).state is SubscriptionState.PAUSED
    refused = ahead(world, ada, idempotency_key="a-press-ahead")
    assert (refused.status, code_of(refused)) == (409, "paused")


# --- paid ahead ----------------------------------------------------------------------------------


def test_a_period_is_paid_ahead_and_the_clock_charges_the_one_after_it(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    go_to(world, "2026-02-10 15:00")
    answer = ahead(world, ada, received_on="2026-02-09")
    assert answer.status == 201, answer.body
    (payment,) = invoices_of(ada)[-1].payments
    assert text(payment.at) == "2026-02-09 05:00"
    assert subscription_of(ada).next_period == 2
    now, coming = packs_of(ada)
    assert (now.left, text(coming.usable_from)) == (8, "2026-02-28 05:00")
    go_to(world, "2026-02-28 15:00")
    assert charged_at(world, ada) == ["2026-01-31 15:00"]
    assert [pack.left for pack in packs_of(ada)] == [0, 8]
    go_to(world, "2026-03-31 15:00")
    assert charged_at(world, ada)[1:] == ["2026-03-31 03:59"]
    assert messages_of(ada, MessageKind.RENEWAL_REMINDER)[0].period == 2


def test_a_year_at_most_is_paid_ahead(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    for number in range(12):
        answer = ahead(world, ada, idempotency_key=f"press-number-{number}")
        assert answer.status == 201, (number, answer.body)
    refused = ahead(world, ada, idempotency_key="one-press-too-many")
    assert (refused.status, code_of(refused)) == (409, "too_far_ahead")
    assert subscription_of(ada).next_period == 13
    go_to(world, "2027-02-28 15:00")
    assert len(charged_at(world, ada)) == 2


def test_what_is_due_is_not_paid_ahead(shop: Shop) -> None:
    world, ada = failing(shop)
    refused = ahead(world, ada)
    assert (refused.status, code_of(refused)) == (409, "period_is_due")


def test_what_ends_is_not_paid_ahead(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month", until=date(2026, 2, 20))
    refused = ahead(world, ada)
    assert (refused.status, code_of(refused)) == (409, "nothing_owed")
    path = f"/console/customers/{ada}/subscriptions/{subscription_of(ada).id}/cancel"
    staff(world).post(path, when="now")
    refused = ahead(world, ada)
    assert (refused.status, code_of(refused)) == (409, "already_ended")


def test_a_later_start_is_paid_ahead_and_not_charged_when_it_comes(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    buy(world, ada, Wanted("month", starts_on=moment("2026-02-10 12:00").date()))
    assert ahead(world, ada).status == 201
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    go_to(world, "2026-02-12 15:00")
    assert charged_at(world, ada) == []
    assert [text(pack.usable_from) for pack in packs_of(ada)] == ["2026-02-10 05:00"]


# --- any other invoice ---------------------------------------------------------------------------


def test_cash_pays_for_a_place_that_began_unpaid(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    one = book(world, ada, activity_at(world), pay_later=True)
    go_to(world, "2026-02-03 18:00")
    desk = staff(world)
    (listed,) = desk.data("/console/outstanding?location=ny")["outstanding"]
    path = f"/console/outstanding/{ada}/{one.id}/invoice"
    assert desk.post(path, idempotency_key="ask-for-it-now").status == 201
    owed = invoices_of(ada)[-1]
    assert owed.owed.minor == listed["amount"]["minor"]
    wrong = record(world, ada, None, amount="20.01")
    assert wrong.status == 422, wrong.body
    assert set(json.loads(wrong.body)["fields"]) == {"amount"}
    amount = f"{owed.owed.minor / 100:.2f}"
    assert record(world, ada, amount=amount).status == 201
    paid = invoices_of(ada)[-1]
    assert (paid.state, paid.payments[0].kind) == (InvoiceState.CLOSED, PaymentKind.CASH)
    assert staff(world).data("/console/outstanding?location=ny")["outstanding"] == []
    assert asked_of(world, ada) == []
    again = record(world, ada, amount=amount, idempotency_key="another-press")
    assert (again.status, code_of(again)) == (409, "nothing_owed")
