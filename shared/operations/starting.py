"""Staff start a subscription for a customer ([CONSOLE], [PAY]): on a card, or collected by what
they record.

It is an order like one of the shop, for one subscription: what is due today is charged to the
customer's card, or was paid in cash or by transfer, in one transaction with all that it brings. A
decline starts nothing. Collected by recording, and not paid today, its first period is due at once.
"""

from datetime import date, datetime
from typing import NamedTuple

from shared.domain.business import Location
from shared.domain.by import By
from shared.domain.calendar import local_date
from shared.domain.card import Card
from shared.domain.cart_lines import Wanted, check_line
from shared.domain.charge import Charge, Purpose, begin_attempt
from shared.domain.collected_by import CollectedBy
from shared.domain.customer import Customer
from shared.domain.errors import Invalid
from shared.domain.invoice import Payment, PaymentKind
from shared.domain.money import Money, total
from shared.domain.order import Due, OrderLine, invoice_lines
from shared.domain.pricing import price_line
from shared.domain.product import Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.shopping import has_trial
from shared.operations.answered import Answered, answer_of
from shared.operations.asking import ask
from shared.operations.books import Books
from shared.operations.context import Context
from shared.operations.settle import settle
from shared.operations.settle_checkout import complete_checkout
from shared.operations.staff import require_change, their_customer
from shared.operations.submissions import Press, once
from shared.store import accounts, transactions
from shared.store.items import Row
from shared.store.reading import Found, read
from shared.store.records import Submission
from shared.store.staff import StaffMember

ONE_LINE = "line"


class Start(NamedTuple):
    """What staff agreed with a customer. `first_payment` (cash or a transfer) has come for what is
    due today; None: it is charged to the card, or due."""

    product_id: str
    location_id: str
    collected_by: CollectedBy
    frequency: str | None = None
    starts_on: date | None = None
    until: date | None = None
    first_payment: PaymentKind | None = None

    def press(self, customer_id: str, staff_email: str, key: str, source: str) -> Press:
        """The press of the button; keys are each staff member's own ([KEY])."""
        days = [one.isoformat() if one else None for one in (self.starts_on, self.until)]
        return Press(
            customer_id=customer_id,
            key=f"staff:{staff_email}:{key}",
            operation="staff_start",
            content=(
                self.product_id,
                self.location_id,
                self.collected_by.value,
                self.frequency,
                *days,
                self.first_payment.value if self.first_payment else None,
            ),
            answer=source,
        )


def startable(catalogue: Catalogue, location: Location) -> tuple[Product, ...]:
    """What staff can start there: subscriptions that are sold, also those that the shop hides. A
    standing weekly place is booked from the schedule ([WEEKLY])."""
    return tuple(
        one
        for one in catalogue.products
        if one.kind is ProductKind.SUBSCRIPTION
        and one.enabled
        and not one.standing
        and one.price_in(location.currency) is not None
        and (one.locations is None or location.id in one.locations)
    )


def start(
    context: Context, staff: StaffMember, start: Start, press: Press, found: Found
) -> Answered:
    """Start it, once. `Invalid` names what can't be; what the answer says of a card is as of a
    checkout: declined, nothing was started. `found` has the head and the press."""
    head_ref = accounts.head(press.customer_id)
    their_customer(staff, found.get(head_ref))
    require_change(staff)
    begun: list[Books] = []

    def do(record: tuple[str, Submission]) -> None:
        customer = their_customer(staff, read(head_ref).get(head_ref))
        books = _begin(context, staff, start, customer, record)
        if books is not None:
            begun.append(books)

    earlier = once(press, found.get(press.ref), context.now(), do)
    if begun:
        attempt = begun[-1].charge.value.last
        assert attempt is not None
        _, settled = settle(context, begun[-1], attempt.id, ask(context, begun[-1].charge.value))
        return answer_of(settled, attempt.id)
    source = press.answer if earlier is None else earlier.value.answer
    ref = accounts.charge(press.customer_id, source)
    row = read(ref).get(ref)
    assert row is not None, "a charge is never removed"
    return answer_of(row.value, None)


def _begin(
    context: Context,
    staff: StaffMember,
    start: Start,
    customer: Row[Customer],
    record: tuple[str, Submission],
) -> Books | None:
    """Everything in one transaction when no card is asked now, and then None; else the intent."""
    location = _location(context.catalogue, staff, start.location_id)
    line = _order_line(context, start, location, customer.value)
    charge = _charge(context, staff, location, customer.value, line, record[1].answer)
    card = _card(customer.value, line)
    if charge.amount and start.first_payment is None:
        assert card is not None, "without a card nothing is charged today"
        return _intent(context, charge, customer, card, record)
    payment = _payment(staff, start, charge, context.now())
    complete_checkout(
        context,
        None,
        charge.model_copy(update={"settled_at": context.now(), "recorded": payment is not None}),
        None,
        customer=customer,
        submission=record,
        payment=payment,
    )
    return None


def _location(catalogue: Catalogue, staff: StaffMember, location_id: str) -> Location:
    location = catalogue.location(location_id)
    if location is None or not staff.works_at(location.id):
        sentence = "Choose a location where you work."
        raise Invalid(sentence, fields={"location": sentence})
    return location


def _order_line(
    context: Context, start: Start, location: Location, customer: Customer
) -> OrderLine:
    """The order's line, with the price of today. `Invalid` names each wrong field."""
    catalogue, now = context.catalogue, context.now()
    product = next(
        (one for one in startable(catalogue, location) if one.id == start.product_id), None
    )
    if product is None:
        sentence = "Choose a subscription that is sold there."
        raise Invalid(sentence, fields={"product": sentence})
    wanted = Wanted(
        product_id=product.id,
        frequency=start.frequency,
        starts_on=start.starts_on,
        until=start.until,
    )
    today = local_date(now, location.zone)
    cart_line = check_line(
        product, location, wanted, today=today, customer=customer, line_id=ONE_LINE
    )
    trial = has_trial(product, customer)
    line = price_line(cart_line, product, location, catalogue, now, trial=trial).order
    line = line.model_copy(update={"collected_by": start.collected_by})
    if start.collected_by is CollectedBy.CARD and _card(customer, line) is None:
        sentence = "There is no card on file."
        raise Invalid(sentence, fields={"collected_by": sentence})
    if start.first_payment is not None:
        if not _due_today(line, location):
            sentence = "Nothing is to be paid today."
            raise Invalid(sentence, fields={"first_payment": sentence})
        return line
    if start.collected_by is CollectedBy.RECORDING and _due_today(line, location):
        # Not paid yet: it is due when its first day starts, which is today.
        return line.model_copy(update={"due": Due.LATER, "line": None})
    return line


def _due_today(line: OrderLine, location: Location) -> Money:
    """What is to be paid at once, tax included."""
    lines = invoice_lines((line,))
    return total([one.amount + one.tax for one in lines], location.currency)


def _card(customer: Customer, line: OrderLine) -> Card | None:
    card = customer.card_for(None) if line.collected_by is CollectedBy.CARD else None
    return card if customer.at_provider(card) is not None else None


def _charge(
    context: Context,
    staff: StaffMember,
    location: Location,
    customer: Customer,
    line: OrderLine,
    source: str,
) -> Charge:
    return Charge(
        id=context.new_id(),
        source=source,
        purpose=Purpose.CHECKOUT,
        customer_id=customer.id,
        location_id=location.id,
        amount=_due_today(line, location),
        description=f"{context.business.settings.merchant_name}: {line.name}",
        invoice_id=context.new_id(),
        created_at=context.now(),
        order=(line,),
        tax_name=location.tax_name,
        started_by=staff.email,
    )


def _payment(staff: StaffMember, start: Start, charge: Charge, now: datetime) -> Payment | None:
    if start.first_payment is None:
        return None
    return Payment(
        kind=start.first_payment,
        at=now,
        amount=charge.amount,
        charge_id=charge.id,
        by=staff.email,
    )


def _intent(
    context: Context,
    charge: Charge,
    customer: Row[Customer],
    card: Card,
    record: tuple[str, Submission],
) -> Books:
    provider_customer = customer.value.at_provider(card)
    assert provider_customer is not None
    opened = begin_attempt(
        charge,
        card=card,
        provider_customer=provider_customer,
        by=By.STAFF,
        now=context.now(),
    )
    transactions.open_order(opened=opened, submission=record)
    return Books(
        charge=Row(accounts.charge(opened.customer_id, opened.source), opened, 1),
        customer=customer,
    )
