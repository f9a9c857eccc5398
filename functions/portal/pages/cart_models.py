"""Answers of the cart ([CART])."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.calendar import Frequency
from shared.domain.money import Money
from shared.domain.next_payment import NextPayment
from shared.domain.product_kind import ProductKind
from shared.domain.recurs_when import RecursWhen
from shared.web.answer import View
from shared.web.pages.lines import Totals
from shared.web.pages.weekly import WeeklyTime


class LineNotice(StrEnum):
    """What changed about a line since the customer last saw it."""

    PRICE_CHANGED = "price_changed"
    NOT_FOR_SALE = "not_for_sale"
    START_PASSED = "start_passed"
    """Its start day has passed; it starts today."""
    TRIAL_USED = "trial_used"
    TIME_GONE = "time_gone"
    """A weekly place is not on the schedule, or full, in its first week."""


class CartLineView(View):
    """`unit`, `amount` and `tax` as they are now; `was` is the unit price shown when it was added,
    if another. `starts_on` None: today. `recurs_when` and `next_payment` are of a package that
    comes again by itself; `next_of` names the subscription whose next pack this is: taking it out
    ends that one ([RECUR])."""

    id: str
    product_id: str
    kind: ProductKind
    name: str
    quantity: int
    max_quantity: int = 1
    unit: Money
    amount: Money
    tax: Money
    pay_what_you_want: bool = False
    credits: int | None = None
    unlimited: bool = False
    credit_unit: str = "credit"
    frequency: Frequency | None = None
    starts_on: date | None = None
    until: date | None = None
    recurs_when: RecursWhen | None = None
    next_payment: NextPayment | None = None
    next_of: str | None = None
    minimum_payments: int = 0
    """Of a next pack: while they are not made it can't be taken out ([COMMIT])."""
    trial_days: int | None = None
    weekly: WeeklyTime | None = None
    notice: LineNotice | None = None
    was: Money | None = None


class LaterReason(StrEnum):
    TRIAL = "trial"
    LATER_START = "later_start"


class DueLater(View):
    """A line that is charged later, not at checkout: `amount` in all, tax included."""

    line_id: str
    name: str
    why: LaterReason
    starts_on: date
    at: AwareDatetime
    amount: Money
    zone: str


class WhyNotCheckOut(StrEnum):
    EMPTY = "empty"
    BEING_PAID = "being_paid"
    NOT_FOR_SALE = "not_for_sale"
    """A line has to be removed first."""
    NO_PROVIDER = "no_provider"


class CartPage(View):
    """`GET /cart`, for one location. `cart` names exactly what is seen (id and version); None while
    there is no cart. `totals` covers all lines, `due_now` what checkout charges."""

    location_id: str
    location: str
    cart: str | None = None
    lines: tuple[CartLineView, ...] = ()
    added: str = ""
    """The name of what was just put in, to say so."""
    totals: Totals
    due_now: Money
    due_later: tuple[DueLater, ...] = ()
    can_check_out: bool = False
    why_not: WhyNotCheckOut | None = None
