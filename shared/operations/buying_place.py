"""A place that is paid for as it is booked: by buying a pack there, or for itself ([BOOK]).

Of a pack that is bought so, what holds the place is granted at once, the rest when it is paid or
staff activate it. Booking is one transaction with the invoice and, when it is paid at once, the
intent of its charge; a decline gives all of it back in the transaction that records it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.domain import activity as places
from shared.domain import bought_place, spending
from shared.domain import invoice as invoices
from shared.domain.by import By
from shared.domain.charge import Charge, begin_attempt
from shared.domain.errors import Conflict, Invalid, Missing
from shared.domain.invoice import Invoice, InvoiceLine, InvoiceState, Payment, PaymentKind
from shared.domain.reservation import Reservation, ReservationState
from shared.domain.shopping import offered
from shared.operations import tell
from shared.operations.answered import Answered, answer_of
from shared.operations.asking import ask
from shared.operations.booking import (
    PriceChanged,
    Wish,
    hold_all,
    read_again,
    refuse_twice,
)
from shared.operations.books import Books, open_books
from shared.operations.invoices import new_charge
from shared.operations.place_invoices import of_place
from shared.operations.planning import location_of, packs_in_hand
from shared.operations.quoting import Quote, quote, sold_with_places
from shared.operations.racing import until_won
from shared.operations.settle import settle
from shared.operations.submissions import Press, once
from shared.store import accounts, bookings
from shared.store.bookings import Besides
from shared.store.items import Row
from shared.store.reading import Found, read
from shared.store.writing import unsaved, written

if TYPE_CHECKING:
    from shared.domain.activity import Activity
    from shared.domain.business import Location
    from shared.domain.customer import Customer
    from shared.domain.pack import Entry, Pack
    from shared.domain.product import Product
    from shared.domain.spending import Spending
    from shared.operations.context import Context
    from shared.store.records import Submission


class Buying(NamedTuple):
    """How a place is paid for. `product_id` is the pack to buy; None pays for the place itself.
    `expected_total_minor` is what the page said is to be paid, tax included."""

    product_id: str | None
    pay_now: bool
    expected_total_minor: int
    card_id: str | None = None

    def press(self, wish: Wish, key: str, reservation_id: str) -> Press:
        """The press of the button that books `wish` and pays so ([KEY])."""
        plain = wish.press(key, reservation_id)
        how = (self.product_id, self.pay_now, self.card_id, self.expected_total_minor, wish.offer)
        return plain._replace(operation="buy_place", content=(*plain.content, *how))


class Bought(NamedTuple):
    """The reservation as it now stands with the invoice that asks for it; `answered` says what
    became of a payment, None when there was none to make."""

    reservation: Reservation
    invoice: Invoice
    answered: Answered | None


class _Begun(NamedTuple):
    """What the booking wrote."""

    reservation: Reservation
    invoice: Invoice
    books: Books | None


def _product(context: Context, product_id: str, customer: Customer, location: Location) -> Product:
    product = context.catalogue.product(product_id)
    if product is None or not sold_with_places(product):
        raise Missing("There is no such pack.")
    hidden = offered(
        product,
        location,
        customer,
        context.business.settings,
        provider_ready=bool(context.preferred_provider),
    )
    if hidden is not None:
        raise Conflict(hidden.sentence, code="not_offered")
    return product


# --- booking and paying ----------------------------------------------------------------------


def buy_place(
    context: Context,
    wish: Wish,
    buying: Buying,
    press: Press,
    customer: Row[Customer],
    found: Found,
) -> Bought:
    """Book places and pay for them, or buy a pack whose credits do ([BOOK]). With `wish.offer` they
    are those that were freed and are offered to that reservation ([PLACES]).

    With `pay_now` a decline gives the places back; while the outcome is open they are held. An
    offer that has not run out by then goes on.
    Without, the invoice stays open, and what holds the place waits to be paid: refused where it has
    to be paid beforehand. The same press answers the same. Raises `Missing`, `Invalid`
    (`participants`, `card`), `PriceChanged`, and `Conflict` with a code that says why not.
    """
    places.check_participants(wish.participants)
    made: list[_Begun] = []
    seen = [(customer, found)]

    def do(record: tuple[str, Submission]) -> None:
        head, now_found = seen.pop() if seen else read_again(wish, press)
        made.append(_begin(context, wish, buying, press.answer, head, now_found, record))

    earlier = until_won(lambda: once(press, found.get(press.ref), context.now(), do))
    if earlier is not None:
        return _as_before(wish.customer_id, earlier.value.answer, paid_now=buying.pay_now)
    begun = made[-1]
    if begun.books is None:
        return Bought(begun.reservation, begun.invoice, None)
    attempt = begun.books.charge.value.last
    assert attempt is not None
    _, settled = settle(context, begun.books, attempt.id, ask(context, begun.books.charge.value))
    return _as_stands(begun, answer_of(settled, attempt.id))


def _as_stands(begun: _Begun, answered: Answered) -> Bought:
    ref = accounts.reservation(begun.reservation.customer_id, begun.reservation.id)
    invoice_ref = accounts.invoice(begun.invoice.customer_id, begun.invoice.id)
    found = read(ref, invoice_ref)
    row, invoice = found.get(ref), found.get(invoice_ref)
    assert row is not None and invoice is not None, "neither is ever removed"
    return Bought(row.value, invoice.value, answered)


def _as_before(customer_id: str, reservation_id: str, *, paid_now: bool) -> Bought:
    """What an earlier press of the same came to."""
    ref = accounts.reservation(customer_id, reservation_id)
    row = read(ref).get(ref)
    if row is None:
        raise Missing("There is no such reservation.")
    invoice_ref = accounts.invoice(customer_id, row.value.invoice_id or "none")
    invoice = read(invoice_ref).get(invoice_ref)
    assert invoice is not None, "a place that was bought has an invoice"
    books = open_books(customer_id, invoices.charge_source(invoice.value.id)) if paid_now else None
    if books is None:
        return Bought(row.value, invoice.value, None)
    charge = books.charge.value
    return Bought(row.value, invoice.value, answer_of(charge, charge.attempts[0].id))


def _begin(
    context: Context,
    wish: Wish,
    buying: Buying,
    reservation_id: str,
    customer: Row[Customer],
    found: Found,
    record: tuple[str, Submission],
) -> _Begun:
    row = found.get(accounts.activity(wish.activity_id))
    if row is None:
        raise Missing("There is no such activity.")
    activity = row.value
    places.check_open(activity, context.now())
    if activity.prepay_online and not buying.pay_now:
        raise Conflict("This has to be paid when it is booked.", code="prepay_online")
    offered_to = _offered(wish, found)
    if offered_to is None:
        refuse_twice(activity, wish)
        taken = places.take(activity, wish.participants)
    else:
        taken = places.accept(activity, offered_to.value.id, context.now())
    packs = packs_in_hand(wish.customer_id)
    basket = _fill(context, wish, buying, activity, packs, customer.value, reservation_id)
    if basket.invoice.total.minor != buying.expected_total_minor:
        raise PriceChanged(basket.invoice.total.minor)
    charge = _charge(context, buying, basket.invoice, customer.value)
    reservation = basket.reservation
    if offered_to is not None:
        reservation = _on_offer(offered_to.value, reservation, paid_now=charge is not None)
    credits_, messages = hold_all(context, [*packs, *basket.new_packs], reservation, customer)
    if charge is None:
        messages.append(tell.reservation_confirmed(context, customer.value, reservation))
    changed = customer.value.model_copy(update={"has_reservations": True})
    credits_ = credits_._replace(entries=(*basket.entries, *credits_.entries))
    besides = Besides(
        messages=messages,
        customer_id=wish.customer_id,
        submission=record,
        invoice=(None, basket.invoice),
        charge=(None, charge) if charge else None,
    )
    if offered_to is None:
        bookings.book(
            activity=row,
            taken=taken,
            customer=customer,
            changed=changed,
            reservation=reservation,
            credits_=credits_,
            besides=besides,
        )
    else:
        changed = customer.value
        bookings.change_reservation(
            reservation=offered_to,
            changed=reservation,
            credits_=credits_,
            activities=[(row, taken)],
            besides=besides,
        )
    if charge is None:
        return _Begun(reservation, basket.invoice, None)
    books = Books(
        charge=Row(accounts.charge(wish.customer_id, charge.source), charge, 1),
        customer=Row(customer.ref, changed, customer.version + (changed != customer.value)),
        invoice=written(accounts.invoice(wish.customer_id, basket.invoice.id), basket.invoice, 1),
    )
    return _Begun(reservation, basket.invoice, books)


def _offered(wish: Wish, found: Found) -> Row[Reservation] | None:
    """The reservation whose offer is taken. `Missing` for what is not theirs or of another activity
    ([OWN]); `Invalid` for another number of participants."""
    if wish.offer is None:
        return None
    row = found.get(accounts.reservation(wish.customer_id, wish.offer))
    if row is None or row.value.activity_id != wish.activity_id:
        raise Missing("There is no such reservation.")
    if row.value.state is not ReservationState.OFFERED:
        raise Conflict("This place is not offered any more.", code="offer_gone")
    if wish.participants != row.value.participants:
        said = f"The offer is for {row.value.participants}."
        raise Invalid("That is not what was offered.", fields={"participants": said})
    return row


def _on_offer(offered: Reservation, bought: Reservation, *, paid_now: bool) -> Reservation:
    """The reservation that waited, with what was bought for it. The offer is kept in mind while it
    is being paid."""
    kept = {
        "booked_at": offered.booked_at,
        "subscription_id": offered.subscription_id,
        "offered_until": offered.offered_until if paid_now else None,
    }
    return bought.model_copy(update=kept)


class _Basket(NamedTuple):
    """What a booking brings: the reservation with its invoice, and the pack that is bought."""

    reservation: Reservation
    invoice: Invoice
    new_packs: tuple[Row[Pack], ...] = ()
    entries: tuple[Entry, ...] = ()


def _fill(
    context: Context,
    wish: Wish,
    buying: Buying,
    activity: Activity,
    packs: Sequence[Row[Pack]],
    customer: Customer,
    reservation_id: str,
) -> _Basket:
    location = location_of(context, activity.location_id)

    def reserved(plan: Spending) -> Reservation:
        return spending.reserved(
            activity,
            plan,
            customer,
            reservation_id=reservation_id,
            participants=wish.participants,
            now=context.now(),
        )

    in_hand = [row.value for row in packs]
    plan = spending.plan(
        in_hand, activity, wish.participants, location, context.business, context.now()
    )
    if not plan.due:
        raise Conflict("Credits you have pay for it: book with those.", code="credits_in_hand")
    if buying.product_id is None:
        reservation = reserved(plan)
        invoice = of_place(context, reservation, context.new_id())
        asked = {"invoice_id": invoice.id, "invoiced": invoice.owed}
        return _Basket(reservation.model_copy(update=asked), invoice)
    product = _product(context, buying.product_id, customer, location)
    quoted = quote(context, activity, packs, product, customer.id, wish.participants)
    if quoted is None:
        raise Conflict("This pack would not pay for all of it.", code="pack_does_not_cover")
    return _with_pack(context, product, quoted, reserved(quoted.plan))


def _with_pack(
    context: Context, product: Product, quoted: Quote, reservation: Reservation
) -> _Basket:
    """The pack that is bought with the place. One that costs nothing is the customer's at once."""
    pack, entry, now = quoted.granted.pack, quoted.granted.entry, context.now()
    assert pack.invoice_id is not None
    line = InvoiceLine(
        product_id=product.id,
        name=product.name,
        unit=quoted.price,
        amount=quoted.price,
        tax=quoted.tax,
        account_code=product.account_code,
    )
    invoice = Invoice(
        id=pack.invoice_id,
        customer_id=pack.customer_id,
        location_id=pack.location_id,
        state=InvoiceState.OPEN,
        created_at=now,
        lines=(line,),
        tax_name=location_of(context, pack.location_id).tax_name,
        reservation_id=reservation.id,
        pack_id=pack.id,
    )
    asked: dict[str, Any] = {"invoice_id": invoice.id, "invoiced": invoice.owed}
    if not invoice.owed:
        nothing = Payment(kind=PaymentKind.NOTHING_DUE, at=now, amount=invoice.owed)
        invoice, asked["invoiced"] = invoices.close(invoice, nothing, now), None
    else:
        needed = sum(one.credits for one in reservation.held if one.pack_id == pack.id)
        pack, entry = bought_place.begin_unpaid(pack, needed, entry_id=entry.id)
    new = unsaved(accounts.pack(pack.customer_id, pack.id), pack)
    booked = reservation.model_copy(update=asked)
    return _Basket(booked, invoice, (new,), (entry,))


def _charge(
    context: Context, buying: Buying, invoice: Invoice, customer: Customer
) -> Charge | None:
    """The charge with its first attempt; None when it is paid later, or costs nothing."""
    if not buying.pay_now or not invoice.owed:
        return None
    if buying.card_id is not None and customer.card(buying.card_id) is None:
        raise Invalid("Choose one of your cards.", fields={"card": "This card is not on file."})
    card = customer.card_for(buying.card_id)
    provider_customer = customer.at_provider(card)
    if card is None or provider_customer is None:
        raise Invalid("Add a card first.", fields={"card": "There is no card on file."})
    return begin_attempt(
        new_charge(context, invoice, holds_place=True),
        card=card,
        provider_customer=provider_customer,
        by=By.CUSTOMER,
        now=context.now(),
    )
