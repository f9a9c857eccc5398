"""What a cart costs: computed the same way for the cart's page, the review and the charge.

One exclusive tax rate per location; tax is rounded half-up on each line ([TAX] [MONEY]). What
starts later or after a trial is charged then, not now ([CHECKOUT] [TRIAL]).
"""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import AwareDatetime

from shared.domain.business import Location
from shared.domain.calendar import charge_moment, local_date, start_of_day
from shared.domain.cart import Cart, CartLine
from shared.domain.cart_lines import line_faults, wanted_again
from shared.domain.invoice import InvoiceLine
from shared.domain.money import Money, total
from shared.domain.next_payment import NextPayment
from shared.domain.order import Due, OrderLine
from shared.domain.period_cost import period_line
from shared.domain.product import Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.record import Record
from shared.domain.shopping import (
    Hidden,
    anchor_of,
    every,
    has_trial,
    offered,
    recurs,
    tax_rate_of,
    unit_price,
)
from shared.domain.terms import Terms, terms_of
from shared.domain.weekly import WhyNotSold, first_day

if TYPE_CHECKING:
    from shared.domain.customer import Customer
    from shared.domain.recurring import NextPack


class ChangeKind(StrEnum):
    """How a line differs from what the customer saw ([CART])."""

    PRICE = "price"
    NOT_OFFERED = "not_offered"
    START_PASSED = "start_passed"
    """The chosen first day is over: it would start today."""
    TRIAL_USED = "trial_used"
    """The trial that was shown is not given again: it is charged at its start."""
    CHOICE_REFUSED = "choice_refused"
    """The product no longer allows what was chosen."""
    TIME_GONE = "time_gone"
    """A weekly place is not on the schedule, or full, in its first week ([WEEKLY])."""


BLOCKING = frozenset({ChangeKind.NOT_OFFERED, ChangeKind.CHOICE_REFUSED, ChangeKind.TIME_GONE})
"""Changes with which a line can't be bought: it has to be taken out or chosen again."""


class Change(Record):
    """One difference, with a sentence for the customer. A line with a `BLOCKING` one is left out
    of the price."""

    line_id: str
    kind: ChangeKind
    name: str
    sentence: str
    before: Money | None = None
    after: Money | None = None
    hidden: Hidden | None = None


class PricedLine(Record):
    """A line with its product and price. `amount` and `tax` are of one payment: of what is due
    now, or of the first charge to come. `order` is its frozen form, for the charge.

    `first_charge_at` (UTC) is when a line that is not due now is first charged; `anchor` is a
    subscription's.
    """

    line: CartLine
    product: Product
    unit: Money
    amount: Money
    tax: Money
    due: Due
    order: OrderLine
    starts_on: date | None = None
    anchor: date | None = None
    first_charge_at: AwareDatetime | None = None

    @property
    def total(self) -> Money:
        return self.amount + self.tax


class LaterCharge(Record):
    """What a cart brings besides what is due now: `amount` includes tax, `at` is UTC."""

    line_id: str
    name: str
    at: AwareDatetime
    amount: Money
    after_trial: bool


class PricedCart(Record):
    """`lines` are those that can be bought; `changes` say what differs from what was seen."""

    cart: Cart
    location: Location
    lines: tuple[PricedLine, ...]
    changes: tuple[Change, ...]

    @property
    def blocked(self) -> bool:
        """Whether a line has to be taken out before the cart can be bought."""
        return any(change.kind in BLOCKING for change in self.changes)

    def changes_of(self, line_id: str) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.line_id == line_id)

    @property
    def subtotal(self) -> Money:
        """Of what is due now, before tax."""
        return total([one.amount for one in self._now], self.location.currency)

    @property
    def tax(self) -> Money:
        """On what is due now."""
        return total([one.tax for one in self._now], self.location.currency)

    @property
    def total(self) -> Money:
        """What is charged now."""
        return self.subtotal + self.tax

    @property
    def _now(self) -> tuple[PricedLine, ...]:
        return tuple(one for one in self.lines if one.due is Due.NOW)

    @property
    def later(self) -> tuple[LaterCharge, ...]:
        """What is charged later: the first charge of each subscription that does not start now."""
        return tuple(
            LaterCharge(
                line_id=one.line.id,
                name=one.product.name,
                at=one.first_charge_at,
                amount=one.total,
                after_trial=one.due is Due.AFTER_TRIAL,
            )
            for one in self.lines
            if one.first_charge_at is not None
        )

    @property
    def needs_card(self) -> bool:
        """A subscription, and automatic debit, need a card on file, also when nothing is due now
        ([CHECKOUT] [RECUR])."""
        return bool(self.total) or any(
            one.product.kind is ProductKind.SUBSCRIPTION
            or one.order.next_payment is NextPayment.DEBIT
            for one in self.lines
        )

    @property
    def order(self) -> tuple[OrderLine, ...]:
        """The frozen content, from which settling makes invoice, packs and subscriptions."""
        return tuple(one.order for one in self.lines)

    @property
    def seen(self) -> str:
        """Names exactly what this page shows: cart, prices, tax, what is due and when. A form
        sends it back; another value at the checkout means that something changed."""
        parts = [self.cart.token]
        parts += [
            f"{one.line.id} {one.due.value} {one.amount.minor} {one.tax.minor} "
            f"{one.anchor} {one.first_charge_at}"
            for one in self.lines
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _subscribe(
    line: CartLine,
    product: Product,
    unit: Money,
    location: Location,
    catalogue: Catalogue,
    now: datetime,
    *,
    trial: bool,
) -> tuple[OrderLine, date, datetime | None]:
    """The order's line without its invoice line, the anchor, and when it is first charged if not
    now. A start that has passed means today."""
    frequency = line.frequency or product.frequency
    if frequency is None:
        raise ValueError(f"{product.id} has no frequency")
    today = local_date(now, location.zone)
    starts_on = first_day_of(line, today, now)
    anchor = anchor_of(product, starts_on, trial=trial)
    due = Due.NOW
    first_charge_at: datetime | None = None
    if trial:
        due = Due.AFTER_TRIAL
        first_charge_at = charge_moment(anchor, frequency, 0, location.zone)
    elif starts_on > today:
        due = Due.LATER
        first_charge_at = start_of_day(anchor, location.zone)
    order = OrderLine(
        product_id=product.id,
        kind=product.kind,
        name=product.name,
        due=due,
        terms=terms_of(product, unit).model_copy(update={"standing": line.standing}),
        frequency=frequency,
        starts_on=starts_on,
        until=line.until,
        trial_days=product.trial_days if trial else None,
        reminds=catalogue.reminds(frequency),
    )
    return order, anchor, first_charge_at


def first_day_of(line: CartLine, today: date, now: datetime) -> date:
    """The first day of a subscription that is bought now: what was chosen or today, and for a
    weekly place not a day on which it has begun ([WEEKLY])."""
    wanted = max(line.starts_on or today, today)
    return wanted if line.standing is None else first_day(line.standing, wanted, now)


def _detail(order: OrderLine) -> str:
    if order.frequency is None:
        return f"Comes again {recurs(order.recurs_when)}" if order.recurs_when else ""
    standing = order.terms.standing if order.terms else None
    charged = f"Charged {every(order.frequency)}"
    return charged if standing is None else f"{charged}, {standing.words}"


def price_line(
    line: CartLine,
    product: Product,
    location: Location,
    catalogue: Catalogue,
    now: datetime,
    *,
    trial: bool,
) -> PricedLine:
    """The price of one line at `now`, and its frozen form; with `trial` it begins with its free
    trial ([TRIAL])."""
    unit = unit_price(product, location, line.price_minor)
    amount = unit * line.quantity
    tax = amount.share(tax_rate_of(product, location, catalogue.settings))
    anchor: date | None = None
    first_charge_at: datetime | None = None
    if product.kind is ProductKind.SUBSCRIPTION:
        order, anchor, first_charge_at = _subscribe(
            line, product, unit, location, catalogue, now, trial=trial
        )
    else:
        order = OrderLine(
            product_id=product.id,
            kind=product.kind,
            name=product.name,
            quantity=line.quantity,
            terms=terms_of(product, unit) if product.is_pack else None,
            recurs_when=product.recurs_when,
            next_payment=line.next_payment or (NextPayment.DEBIT if product.recurs_when else None),
        )
    if order.due is Due.NOW:
        invoice_line = InvoiceLine(
            product_id=product.id,
            name=product.name,
            detail=_detail(order),
            quantity=line.quantity,
            unit=unit,
            amount=amount,
            tax=tax,
            account_code=product.account_code,
        )
        order = order.model_copy(update={"line": invoice_line})
    return PricedLine(
        line=line,
        product=product,
        unit=unit,
        amount=amount,
        tax=tax,
        due=order.due,
        order=order,
        starts_on=order.starts_on,
        anchor=anchor,
        first_charge_at=first_charge_at,
    )


def _price_next_pack(
    line: CartLine,
    next_pack: "NextPack",
    terms: Terms,
    product: Product,
    location: Location,
    catalogue: Catalogue,
) -> PricedLine:
    """The next pack of a subscription, on the terms that were agreed ([RECUR] [PRICE])."""
    cost = period_line(terms, location, catalogue, f"Pack {next_pack.period + 1}")
    return PricedLine(
        line=line,
        product=product,
        unit=cost.unit,
        amount=cost.amount,
        tax=cost.tax,
        due=Due.NOW,
        order=OrderLine(
            product_id=terms.product_id,
            kind=ProductKind.PACKAGE,
            name=terms.name,
            line=cost,
            terms=terms,
            next_pack=next_pack,
        ),
    )


def _refused(
    line: CartLine,
    product: Product | None,
    location: Location,
    customer: "Customer | None",
    catalogue: Catalogue,
    today: date,
    why_not_sold: WhyNotSold | None,
    *,
    provider_ready: bool,
) -> Change | None:
    """Why a line can't be bought as it is any more; None when it can."""
    if product is None:
        return Change(
            line_id=line.id,
            kind=ChangeKind.NOT_OFFERED,
            name="A product",
            sentence="This is not sold any more.",
            hidden=Hidden.DISABLED,
        )
    hidden = offered(product, location, customer, catalogue.settings, provider_ready=provider_ready)
    if hidden is not None:
        return Change(
            line_id=line.id,
            kind=ChangeKind.NOT_OFFERED,
            name=product.name,
            sentence=hidden.sentence,
            hidden=hidden,
        )
    wanted = wanted_again(line)
    if line.starts_on is not None and line.starts_on < today:
        wanted = wanted.model_copy(update={"starts_on": None})
    faults = line_faults(product, location, wanted, today, customer)
    if faults:
        kind, sentence = ChangeKind.CHOICE_REFUSED, " ".join(faults.values())
    elif why_not_sold is not None:
        kind, sentence = ChangeKind.TIME_GONE, why_not_sold.sentence
    else:
        return None
    return Change(line_id=line.id, kind=kind, name=product.name, sentence=sentence)


def _differences(priced: PricedLine, today: date) -> list[Change]:
    line, product = priced.line, priced.product
    found: list[Change] = []
    if line.seen_minor != priced.unit.minor:
        found.append(
            Change(
                line_id=line.id,
                kind=ChangeKind.PRICE,
                name=product.name,
                sentence="Its price has changed.",
                before=Money(minor=line.seen_minor, currency=priced.unit.currency),
                after=priced.unit,
            )
        )
    if line.starts_on is not None and line.starts_on < today:
        found.append(
            Change(
                line_id=line.id,
                kind=ChangeKind.START_PASSED,
                name=product.name,
                sentence="The day it was to start on has passed; it would start today.",
            )
        )
    if line.seen_trial and priced.due is not Due.AFTER_TRIAL:
        found.append(
            Change(
                line_id=line.id,
                kind=ChangeKind.TRIAL_USED,
                name=product.name,
                sentence="You have had its free trial before, so it is charged from its start.",
            )
        )
    return found


def price_cart(
    cart: Cart,
    catalogue: Catalogue,
    location: Location,
    customer: "Customer | None",
    now: datetime,
    *,
    provider_ready: bool,
    not_sold: Mapping[str, WhyNotSold] | None = None,
) -> PricedCart:
    """Price each line of `cart` at `now` for `customer` (None: an unknown visitor), and say what
    differs from what was seen. The free trial of a product is given once ([TRIAL]). `not_sold`
    are the lines of weekly places whose time is not to be had ([WEEKLY])."""
    today = local_date(now, location.zone)
    lines: list[PricedLine] = []
    changes: list[Change] = []
    trials: set[str] = set()
    for line in cart.lines:
        product = catalogue.product(line.product_id)
        if line.next_pack is not None and line.terms is not None and product is not None:
            lines.append(
                _price_next_pack(line, line.next_pack, line.terms, product, location, catalogue)
            )
            continue
        refused = _refused(
            line,
            product,
            location,
            customer,
            catalogue,
            today,
            (not_sold or {}).get(line.id),
            provider_ready=provider_ready,
        )
        if refused is not None or product is None:
            changes += [refused] if refused else []
            continue
        trial = has_trial(product, customer) and product.id not in trials
        if trial:
            trials.add(product.id)
        priced = price_line(line, product, location, catalogue, now, trial=trial)
        lines.append(priced)
        changes += _differences(priced, today)
    return PricedCart(cart=cart, location=location, lines=tuple(lines), changes=tuple(changes))
