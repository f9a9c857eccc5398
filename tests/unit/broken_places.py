"""A pack that was bought with a place and not paid yet, and how its books break ([BOOK])."""

from collections.abc import Callable
from datetime import timedelta

from shared.domain.bought_place import begin_unpaid
from shared.domain.by import By
from shared.domain.charge import Purpose
from shared.domain.invariants import Rule
from shared.domain.invoice import Invoice, InvoiceState, Payment, PaymentKind, close
from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.domain.pack import Pack
from shared.domain.reservation import Held, Reservation, ReservationState, reserve
from shared.domain.spending import hold
from tests.unit.books_samples import (
    NOW,
    PRICE,
    Told,
    changed,
    charge_of,
    invoice_of,
    tried,
)
from tests.unit.broken_books import Case
from tests.unit.places_samples import activity_of, pack_of

HELD = Held(pack_id="p7", pack_name="Ten", participants=1, credits=1, worth=PRICE)


def with_unpaid_pack(told: Told) -> None:
    """Ada has booked a class for tomorrow by buying a pack of ten that she pays later."""
    bought = pack_of("p7", bought_at=NOW, usable_from=NOW, invoice_id="i7", service_id="daycare")
    unpaid, grant = begin_unpaid(bought, 1, entry_id="e7")
    reservation = reserve(
        activity_of(starts_at=NOW + timedelta(days=1)),
        reservation_id="r7",
        customer_id="ada",
        customer_name="Ada",
        participants=1,
        state=ReservationState.BOOKED,
        charge=PRICE,
        held=(HELD,),
        now=NOW,
    ).model_copy(update={"invoice_id": "i7", "invoiced": PRICE})
    pack, entry = hold(unpaid, HELD, reservation, entry_id="e8", now=NOW)
    told.books.packs.append(pack)
    told.books.entries += [grant, entry]
    told.books.reservations.append(reservation)
    told.books.invoices.append(invoice_of("i7", pack_id="p7", reservation_id="r7"))


def pack_of_it(told: Told) -> Pack:
    return next(one for one in told.books.packs if one.id == "p7")


def invoice_of_it(told: Told) -> Invoice:
    return next(one for one in told.books.invoices if one.id == "i7")


def reservation_of_it(told: Told) -> Reservation:
    return next(one for one in told.books.reservations if one.id == "r7")


def paid_in_part(told: Told) -> None:
    """Half of it came in cash."""
    half = Money(minor=PRICE.minor // 2, currency="USD")
    payment = Payment(kind=PaymentKind.CASH, at=NOW, amount=half)
    changed(told.books.invoices, invoice_of_it(told), payments=(payment,))
    changed(told.books.reservations, reservation_of_it(told), invoiced=PRICE - half)


def _void(told: Told) -> None:
    changed(told.books.invoices, invoice_of_it(told), state=InvoiceState.VOID)
    changed(told.books.reservations, reservation_of_it(told), invoiced=None)


def _paid_and_still_waiting(told: Told) -> None:
    cash = Payment(kind=PaymentKind.CASH, at=NOW, amount=PRICE)
    before = invoice_of_it(told)
    told.books.invoices[told.books.invoices.index(before)] = close(before, cash, NOW)
    changed(told.books.reservations, reservation_of_it(told), invoiced=None)


def _more_than_its_place(told: Told) -> None:
    changed(told.books.packs, pack_of_it(told), left=9)
    grant = next(one for one in told.books.entries if one.id == "e7")
    changed(told.books.entries, grant, delta=10)


def _asked_for_too_much(told: Told) -> None:
    paid_in_part(told)
    changed(told.books.reservations, reservation_of_it(told), invoiced=PRICE)


def _under_way(told: Told) -> None:
    charge = charge_of("i7.00000", "i7", purpose=Purpose.INVOICE)
    told.books.charges.append(tried(charge, Outcome.ATTEMPTING, NOW, By.CUSTOMER))


def _void_while_it_is_paid(told: Told) -> None:
    _under_way(told)
    _void(told)
    changed(told.books.packs, pack_of_it(told), unpaid=False)


def _let_go(told: Told) -> None:
    changed(told.books.reservations, reservation_of_it(told), waived=True)


def _case(rule: Rule, what: str, item: str, spoil: Callable[[Told], object]) -> Case:
    def with_it(told: Told) -> None:
        with_unpaid_pack(told)
        spoil(told)

    return Case(rule, what, item, with_it)


PLACE_CASES = [
    _case(Rule.UNPAID_IS_ASKED_FOR, "its invoice is void", "p7", _void),
    _case(Rule.UNPAID_IS_ASKED_FOR, "paid, and still waiting", "p7", _paid_and_still_waiting),
    _case(
        Rule.UNPAID_IS_ASKED_FOR,
        "its invoice is of another pack",
        "p7",
        lambda t: changed(t.books.invoices, invoice_of_it(t), pack_id="p1"),
    ),
    _case(Rule.UNPAID_IS_ASKED_FOR, "all of it is there", "p7", _more_than_its_place),
    _case(
        Rule.ASKED_IS_OWED,
        "asked for, and it does not say so",
        "r7",
        lambda t: changed(t.books.reservations, reservation_of_it(t), invoiced=None),
    ),
    _case(Rule.ASKED_IS_OWED, "more than is still owed", "r7", _asked_for_too_much),
    _case(Rule.ASKED_IS_OWED, "let go, and asked for", "r7", _let_go),
    _case(
        Rule.ASKED_IS_OWED,
        "by an invoice that is not there",
        "r7",
        lambda t: changed(t.books.reservations, reservation_of_it(t), invoice_id="i8"),
    ),
    _case(Rule.PAYMENT_IS_WANTED, "of a void invoice", "i7.00000", _void_while_it_is_paid),
]
"""One broken thing after the other, and the rule that has to name it."""

UNBROKEN: dict[str, Callable[[Told], object]] = {
    "not paid yet": lambda _: None,
    "paid in part": paid_in_part,
    "a card is being asked": _under_way,
}
"""What is as it should be."""
