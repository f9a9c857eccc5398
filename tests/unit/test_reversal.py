"""What becomes of a payment that a bank takes back, and of what it bought ([REVERSE], [COMMIT])."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.charge import Charge
from shared.domain.invoice import InvoiceState, Payment, PaymentKind, PaymentStatus
from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.domain.pack import Entry, EntryKind, Pack
from shared.domain.reversal import (
    counted_as,
    frozen_as,
    money_kept,
    record_reversal,
    settled_by,
    taken_back,
    uses_of,
    with_payment,
)
from tests.unit.books_samples import NOW, PRICE, Told, charge_of, good_books, late_success, tried
from tests.unit.broken_books import surplus
from tests.unit.reversal_samples import FEBRUARY, bank_holds, of_invoice
from tests.unit.subscription_samples import utc

NOTHING = Money.zero("USD")
PART = Money(minor=1_900, currency="USD")


def paid_charge() -> Charge:
    return good_books().charge(FEBRUARY)


def payment(kind: PaymentKind, minor: int) -> Payment:
    return Payment(kind=kind, at=NOW, amount=Money(minor=minor, currency="USD"))


# --- the charge ----------------------------------------------------------------------------------


def test_what_is_known_is_not_recorded_again() -> None:
    charge = paid_charge()
    attempt_id = charge.attempts[-1].id
    assert record_reversal(charge, attempt_id, NOTHING, NOW) is None
    after = record_reversal(charge, attempt_id, PRICE, NOW)
    assert after is not None
    assert record_reversal(after, attempt_id, PRICE, NOW + timedelta(days=1)) is None
    again = record_reversal(after, attempt_id, NOTHING, NOW)
    assert again is not None
    assert again == charge


def test_a_charge_stays_settled_whatever_a_bank_takes_back() -> None:
    charge = paid_charge()
    after = record_reversal(charge, charge.attempts[-1].id, PRICE, NOW)
    assert after is not None
    assert (after.settled_at, after.outcome) == (charge.settled_at, Outcome.SUCCEEDED)
    assert after.blocked
    assert (money_kept(charge), money_kept(after)) == (PRICE, NOTHING)
    assert taken_back(after.attempts[-1]) == PRICE


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.SUCCEEDED])
def test_of_a_try_that_brought_no_money_nothing_is_taken_back(outcome: Outcome) -> None:
    charge = tried(charge_of("cart.7", "i7"), outcome, NOW)
    assert record_reversal(charge, charge.attempts[0].id, PRICE, NOW) is None
    assert record_reversal(charge, "another", PRICE, NOW) is None


def test_the_money_that_pays_the_invoice_is_told_from_what_is_owed_back() -> None:
    told = good_books()
    twice = surplus(told)
    paid = settled_by(twice)
    assert paid is not None
    assert paid.id == f"{FEBRUARY}-2"
    unwanted = record_reversal(twice, f"{FEBRUARY}-1", PRICE, NOW)
    assert unwanted is not None
    assert money_kept(unwanted) == PRICE
    assert settled_by(late_success("cart.9")) is None


# --- the invoice ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moves", "state", "status", "owed"),
    [
        ([], InvoiceState.CLOSED, PaymentStatus.PAID, 0),
        ([(PaymentKind.REVERSAL, -4_900)], InvoiceState.OPEN, PaymentStatus.REVERSED, 4_900),
        ([(PaymentKind.REVERSAL, -1_900)], InvoiceState.OPEN, PaymentStatus.REVERSED, 1_900),
        (
            [(PaymentKind.REVERSAL, -4_900), (PaymentKind.REINSTATED, 4_900)],
            InvoiceState.CLOSED,
            PaymentStatus.PAID,
            0,
        ),
        (
            [(PaymentKind.REVERSAL, -4_900), (PaymentKind.CASH, 1_000)],
            InvoiceState.OPEN,
            PaymentStatus.REVERSED,
            3_900,
        ),
        (
            [(PaymentKind.REVERSAL, -4_900), (PaymentKind.CASH, 4_900)],
            InvoiceState.CLOSED,
            PaymentStatus.PAID,
            0,
        ),
    ],
)
def test_an_invoice_is_open_while_charged_and_paid_differ_and_keeps_its_number(
    moves: list[tuple[PaymentKind, int]], state: InvoiceState, status: PaymentStatus, owed: int
) -> None:
    invoice = of_invoice(good_books(), "i1")
    for kind, minor in moves:
        invoice = with_payment(invoice, payment(kind, minor), NOW)
    assert (invoice.state, invoice.status, invoice.owed.minor) == (state, status, owed)
    assert invoice.number == "NY-i1"


def test_what_is_paid_twice_in_the_end_is_open_and_holds_nothing_back() -> None:
    invoice = of_invoice(good_books(), "i1")
    for kind, minor in (
        (PaymentKind.REVERSAL, -4_900),
        (PaymentKind.CASH, 4_900),
        (PaymentKind.REINSTATED, 4_900),
    ):
        invoice = with_payment(invoice, payment(kind, minor), NOW)
    assert (invoice.state, invoice.owed.minor) == (InvoiceState.OPEN, -4_900)
    assert not invoice.reversed


# --- packs and subscriptions ---------------------------------------------------------------------


def pack_of(told: Told, pack_id: str) -> Pack:
    return next(one for one in told.books.packs if one.id == pack_id)


def test_freezing_changes_nothing_but_that_it_is_frozen() -> None:
    told = good_books()
    before = pack_of(told, "p1")
    bank_holds(told, 4_900)
    frozen = pack_of(told, "p1")
    assert frozen == before.model_copy(update={"frozen_at": NOW})
    bank_holds(told, 0)
    assert pack_of(told, "p1") == before


def test_a_pack_that_is_frozen_keeps_the_moment_since_when() -> None:
    told = good_books()
    bank_holds(told, 4_900)
    frozen = pack_of(told, "p1")
    later = frozen_as(of_invoice(told, "i1"), frozen, NOW + timedelta(days=1))
    assert later.frozen_at == NOW


def test_of_a_pack_that_has_ended_there_is_nothing_to_freeze() -> None:
    told = good_books()
    ended = pack_of(told, "p1").model_copy(update={"ended_at": NOW})
    bank_holds(told, 4_900)
    assert frozen_as(of_invoice(told, "i1"), ended, NOW) == ended


def test_packs_of_other_invoices_stay_usable() -> None:
    told = good_books()
    bank_holds(told, 4_900)
    assert [one.id for one in told.books.packs if one.frozen_at] == ["p1"]


def test_reversed_payments_do_not_count_and_count_again_when_paid() -> None:
    told = good_books()
    before = told.subscription("c-00").payments_made
    bank_holds(told, 4_900)
    assert told.subscription("c-00").payments_made == before - 1
    # A second part of the same payment is not a second payment.
    bank_holds(told, 2_000)
    assert told.subscription("c-00").payments_made == before - 1
    invoice = of_invoice(told, "i1")
    cash = with_payment(invoice, payment(PaymentKind.CASH, 2_000), NOW)
    again = counted_as(invoice, cash, told.books.packs, told.subscription("c-00"))
    assert again.payments_made == before


def test_an_invoice_is_a_payment_of_the_subscriptions_whose_packs_it_brought() -> None:
    told = good_books()
    begun = told.subscription("c-00")
    invoice = of_invoice(told, "i0")
    taken = with_payment(invoice, payment(PaymentKind.REVERSAL, -1), NOW)
    after = counted_as(invoice, taken, told.books.packs, begun)
    assert after.payments_made == begun.payments_made - 1
    # An order that began one which is charged later, or after a trial, brought no pack of it.
    others = [one for one in told.books.packs if one.subscription_id is None]
    assert counted_as(invoice, taken, others, begun) == begun


# --- what was used -------------------------------------------------------------------------------


def line(kind: EntryKind, delta: int, reservation: str | None = None, **more: Any) -> Entry:
    values: dict[str, Any] = {
        "id": f"e-{kind.value}-{reservation}-{delta}",
        "pack_id": "p1",
        "customer_id": "ada",
        "left": 0,
        "at": NOW,
        "reservation_id": reservation,
        "activity_name": (reservation or "").capitalize(),
        **more,
    }
    return Entry(kind=kind, delta=delta, **values)


def test_each_credit_is_unused_held_used_or_gone_by_the_ledger() -> None:
    pack = pack_of(good_books(), "p1").model_copy(update={"granted": 10, "left": 3})
    march = utc("2026-03-04 15:00")
    uses = uses_of(
        pack,
        [
            line(EntryKind.GRANT, 10),
            line(EntryKind.HOLD, -2, "yoga", activity_at=march, activity_zone="Europe/Berlin"),
            line(EntryKind.REDEEM, 0, "yoga", activity_at=march, activity_zone="Europe/Berlin"),
            line(EntryKind.HOLD, -1, "swim"),
            line(EntryKind.HOLD, -1, "run"),
            line(EntryKind.RELEASE, 1, "run"),
            line(EntryKind.DEDUCT, -3),
            line(EntryKind.EXPIRE, -1),
            line(EntryKind.HOLD, -5, "other", pack_id="p2"),
        ],
    )
    assert [(one.name, one.credits) for one in uses.used] == [("Yoga", 2)]
    assert [(one.at, one.zone) for one in uses.used] == [(march, "Europe/Berlin")]
    assert [(one.name, one.credits) for one in uses.held] == [("Swim", 1)]
    assert (uses.deducted, uses.expired) == (3, 1)


def test_what_was_moved_is_held_once_where_it_is_now() -> None:
    pack = pack_of(good_books(), "p1")
    uses = uses_of(
        pack,
        [
            line(EntryKind.HOLD, -1, "r", id="1", activity_name="Monday"),
            line(EntryKind.RELEASE, 1, "r", id="2", activity_name="Monday"),
            line(EntryKind.HOLD, -1, "r", id="3", activity_name="Friday"),
        ],
    )
    assert [(one.name, one.credits, one.over) for one in uses.uses] == [("Friday", 1, False)]


def test_of_an_unlimited_pack_the_reservations_are_told() -> None:
    pack = pack_of(good_books(), "p1").model_copy(update={"granted": None, "left": None})
    uses = uses_of(
        pack,
        [
            line(EntryKind.HOLD, 0, "yoga"),
            line(EntryKind.REDEEM, 0, "yoga"),
            line(EntryKind.HOLD, 0, "swim"),
            line(EntryKind.RELEASE, 0, "swim"),
        ],
    )
    assert [(one.name, one.over) for one in uses.uses] == [("Yoga", True)]
