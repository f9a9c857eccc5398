"""What a line of a cart may ask for: quantity, price, frequency, start and end.

The same check runs when it is added, when its quantity changes, and again at checkout ([CART]
[PWYW] [TRIAL] [COMMIT]). A `today` is the location's local day.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from shared.domain.business import Location
from shared.domain.calendar import PERIODS_MAX, Frequency, period_start
from shared.domain.cart import MAX_LINES, CartLine
from shared.domain.errors import Invalid
from shared.domain.next_payment import NextPayment
from shared.domain.product import MAX_PRICE_MINOR, Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.record import Record
from shared.domain.shopping import (
    MAX_PACKS,
    MAX_QUANTITY,
    START_AT_MOST,
    anchor_of,
    has_trial,
    one_only,
    unit_price,
)
from shared.domain.weekly import Standing

if TYPE_CHECKING:
    from shared.domain.customer import Customer


class Wanted(Record):
    """What somebody asks to put into a cart, before it is checked. `price_minor` is the price of
    one that the customer chose, for a pay-what-you-want product."""

    product_id: str
    quantity: int = 1
    price_minor: int | None = None
    frequency: str | None = None
    starts_on: date | None = None
    until: date | None = None
    standing: Standing | None = None
    next_payment: str | None = None
    """How the next ones of a package that recurs are paid; None leaves it at the debit."""


def earliest_until(product: Product, anchor: date, frequency: Frequency) -> date:
    """The first `until` that a commitment of M payments allows: the start of its Mth period,
    which is the last one that has to be paid ([COMMIT]). Without one, the anchor."""
    periods = min(max(product.minimum_payments, 1) - 1, PERIODS_MAX)
    return period_start(anchor, frequency, periods)


def _quantity_fault(product: Product, quantity: int) -> str | None:
    if one_only(product) and quantity != 1:
        return "This can be bought one at a time."
    if not 1 <= quantity <= MAX_QUANTITY:
        return f"Choose a quantity from 1 to {MAX_QUANTITY}."
    return None


def _price_fault(product: Product, location: Location, price_minor: int | None) -> str | None:
    if price_minor is None:
        return None
    if not product.pay_what_you_want:
        return "This has a fixed price; leave the price out."
    if price_minor < product.minimum_in(location.currency).minor:
        return "This is less than the smallest amount for it."
    if price_minor > MAX_PRICE_MINOR:
        return "This is more than can be paid here."
    return None


def _standing_fault(product: Product, location: Location, standing: Standing | None) -> str | None:
    """Whether a weekly place names its weekday and time, and they are the product's ([WEEKLY])."""
    if not product.standing:
        return None if standing is None else "Only weekly places have this."
    if standing is None:
        return "Choose the day and time you want every week."
    if standing.location_id != location.id:
        return "This is at another location."
    if standing.service_id != product.service or standing.participants != product.credits:
        return "This is not what it is for; choose another day and time."
    return None


def _subscription_faults(
    product: Product, wanted: Wanted, today: date, customer: "Customer | None"
) -> dict[str, str]:
    faults: dict[str, str] = {}
    allowed = product.allowed_frequencies
    frequency = Frequency(wanted.frequency) if wanted.frequency in set(Frequency) else None
    if wanted.frequency is None:
        frequency = product.frequency
    if frequency is None or frequency not in allowed:
        faults["frequency"] = "Choose one of: " + ", ".join(one.value for one in allowed) + "."
    starts_on = wanted.starts_on or today
    if starts_on < today:
        faults["starts_on"] = "Choose today or a later day."
    elif starts_on > today + START_AT_MOST:
        faults["starts_on"] = "Choose a day within one year from today."
    if wanted.until is None or faults or frequency is None:
        return faults
    if wanted.until < starts_on:
        faults["until"] = "Choose a day that is not before the start."
    elif product.minimum_payments:
        anchor = anchor_of(product, starts_on, trial=has_trial(product, customer))
        earliest = earliest_until(product, anchor, frequency)
        if wanted.until < earliest:
            faults["until"] = (
                f"This is an agreement for at least {product.minimum_payments} payments; "
                f"the earliest day is {earliest.isoformat()}."
            )
    return faults


def line_faults(
    product: Product, location: Location, wanted: Wanted, today: date, customer: "Customer | None"
) -> dict[str, str]:
    """Each wrong field of `wanted` with a plain sentence; empty when all is well. `today` is the
    local day ([CART] [PWYW] [COMMIT])."""
    faults: dict[str, str] = {}
    quantity_fault = _quantity_fault(product, wanted.quantity)
    if quantity_fault:
        faults["quantity"] = quantity_fault
    price_fault = _price_fault(product, location, wanted.price_minor)
    if price_fault:
        faults["price"] = price_fault
    standing_fault = _standing_fault(product, location, wanted.standing)
    if standing_fault:
        faults["activity"] = standing_fault
    if wanted.next_payment is not None:
        if product.recurs_when is None:
            faults["next_payment"] = "Only packages that recur have this."
        elif wanted.next_payment not in set(NextPayment):
            allowed = ", ".join(one.value for one in NextPayment)
            faults["next_payment"] = f"Choose one of: {allowed}."
    if product.kind is ProductKind.SUBSCRIPTION:
        return faults | _subscription_faults(product, wanted, today, customer)
    for field in ("frequency", "starts_on", "until"):
        if getattr(wanted, field) is not None:
            faults[field] = "Only subscriptions have this."
    return faults


def check_line(
    product: Product,
    location: Location,
    wanted: Wanted,
    *,
    today: date,
    customer: "Customer | None",
    line_id: str,
) -> CartLine:
    """The cart line for `wanted`. `Invalid` names each wrong field and why.

    A start today is kept as "when it is paid", so that a cart of yesterday still starts on the
    day it is bought.
    """
    faults = line_faults(product, location, wanted, today, customer)
    if faults:
        raise Invalid("Please check what is marked.", fields=faults)
    subscribes = product.kind is ProductKind.SUBSCRIPTION
    frequency = Frequency(wanted.frequency) if wanted.frequency else product.frequency
    return CartLine(
        id=line_id,
        product_id=product.id,
        quantity=wanted.quantity,
        price_minor=wanted.price_minor,
        seen_minor=unit_price(product, location, wanted.price_minor).minor,
        frequency=frequency if subscribes else None,
        starts_on=wanted.starts_on if wanted.starts_on != today else None,
        until=wanted.until,
        next_payment=(
            NextPayment(wanted.next_payment or NextPayment.DEBIT) if product.recurs_when else None
        ),
        seen_trial=has_trial(product, customer),
        standing=wanted.standing,
    )


def wanted_again(line: CartLine) -> Wanted:
    """What a line in a cart once asked for, to be checked again."""
    return Wanted(
        product_id=line.product_id,
        quantity=line.quantity,
        price_minor=line.price_minor,
        frequency=line.frequency,
        starts_on=line.starts_on,
        until=line.until,
        standing=line.standing,
        next_payment=line.next_payment,
    )


# --- lines of a cart -------------------------------------------------------------------------


def _same_choice(one: CartLine, other: CartLine) -> bool:
    def choice(line: CartLine) -> tuple[object, ...]:
        return (
            line.product_id,
            line.price_minor,
            line.frequency,
            line.starts_on,
            line.until,
            line.standing,
            line.next_payment,
            line.next_pack,
        )

    return choice(one) == choice(other)


def packs_in(lines: Iterable[CartLine], catalogue: Catalogue) -> int:
    """How many packages and subscriptions `lines` buy, quantities counted."""
    return sum(
        line.quantity
        for line in lines
        if (product := catalogue.product(line.product_id)) is not None and product.is_pack
    )


def check_limits(lines: Sequence[CartLine], catalogue: Catalogue) -> None:
    """Refuse what a cart can't hold: `Invalid`, code `cart_full`, or the field `quantity`."""
    if len(lines) > MAX_LINES:
        raise Invalid(
            f"A cart holds at most {MAX_LINES} different things. Check out first, "
            "or take something out.",
            code="cart_full",
        )
    if any(line.quantity > MAX_QUANTITY for line in lines):
        sentence = f"A cart holds at most {MAX_QUANTITY} of one thing."
        raise Invalid(sentence, fields={"quantity": sentence})
    if packs_in(lines, catalogue) > MAX_PACKS:
        sentence = f"A cart holds at most {MAX_PACKS} packages and subscriptions."
        raise Invalid(sentence, fields={"quantity": sentence})


def add_to(
    lines: tuple[CartLine, ...], added: CartLine, catalogue: Catalogue
) -> tuple[CartLine, ...]:
    """`lines` with `added`, which joins a line of the same product and choices: quantities add
    up, and what can only be bought once stays one. `Invalid` past a cart's limits ([CART])."""
    known = next((line for line in lines if _same_choice(line, added)), None)
    if known is None:
        joined = (*lines, added)
    else:
        product = catalogue.product(added.product_id)
        once = product is not None and one_only(product)
        again = known.model_copy(
            update={
                "quantity": known.quantity if once else known.quantity + added.quantity,
                "seen_minor": added.seen_minor,
                "seen_trial": added.seen_trial,
            }
        )
        joined = tuple(again if line is known else line for line in lines)
    check_limits(joined, catalogue)
    return joined
