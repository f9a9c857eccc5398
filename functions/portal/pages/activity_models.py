"""One activity, and what booking it would use ([BOOK])."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from functions.portal.pages.schedule_models import ActivityView
from shared.domain.money import Money
from shared.web.answer import View
from shared.web.pages.cards import CardView
from shared.web.pages.weekly import WeeklyTime


class HeldView(View):
    """Credits of a pack that hold places, or would. `credits` is 0 for an unlimited pack."""

    pack_id: str
    name: str
    participants: int
    credits: int
    worth: Money


class PlanView(View):
    """Which credits pay for which participants. `due` is what they leave to be paid, before tax,
    `total` the same with it; `on_hold` names the packs that would pay for it, were they not frozen
    ([REVERSE])."""

    held: tuple[HeldView, ...] = ()
    charge: Money
    due: Money
    total: Money
    on_hold: tuple[str, ...] = ()


class PlaceChoice(View):
    """One way to pay for places with money: a pack that is bought with them (`product_id`), or the
    places themselves. `total` is what is to be paid, tax included. `used` of a pack's `credits`
    (None: unlimited) hold the places, and the others are for later."""

    product_id: str | None = None
    name: str
    price: Money
    tax: Money
    total: Money
    credits: int | None = None
    used: int = 0

    @property
    def value(self) -> str:
        """What a page's form sends for it: see `choice` of `POST /reservations`."""
        return f"{self.product_id or ''}.{self.total.minor}"


class PackToUse(View):
    """A pack in hand that alone could pay for all of it. `left` None: unlimited."""

    pack_id: str
    name: str
    left: int | None
    expires_at: AwareDatetime | None = None
    zone: str


class PackOffer(View):
    """A pack in the shop whose credits would pay. `price` is before tax, `total` with it."""

    product_id: str
    name: str
    price: Money
    total: Money


class WeeklyOffer(View):
    """A weekly subscription to the activity's weekday and time ([WEEKLY]). `price` is of one week,
    before tax, `total` with it; `starts_on` is set when its first week does not begin today."""

    product_id: str
    name: str
    price: Money
    total: Money
    time: WeeklyTime
    starts_on: date | None = None
    minimum_payments: int = 0


class WhyNotBook(StrEnum):
    SIGNED_OUT = "signed_out"
    CANCELLED = "cancelled"
    BEGUN = "begun"
    WAITING_ALREADY = "waiting_already"
    PREPAY = "prepay"
    """No credit in hand pays, it has to be paid beforehand, and nothing can be paid online."""


class ActivityToBook(View):
    """`GET /schedule/{activity}`: what booking it for `participants` would use. With `wait` there
    are not enough places: the button joins the waiting list.

    `choices` are what can be bought with money where credits do not pay for all of it, the places
    themselves first: now with one of `cards`, or later where `pay_later` says so. `packs` would pay
    for it too, and are bought in the shop. `in_hand` are packs to choose from, where several could
    pay; with `pack` only that one is used."""

    activity: ActivityView
    schedule_here: str = "/schedule"
    """The address of the schedule from its day on."""
    participants: int = 1
    max_participants: int
    plan: PlanView | None = None
    wait: bool = False
    why_not: WhyNotBook | None = None
    choices: tuple[PlaceChoice, ...] = ()
    offer: str | None = None
    """The reservation to which a freed place is offered, `offered_until` then: it is bought here,
    or accepted on its own page."""
    offered_until: AwareDatetime | None = None
    pay_now: bool = False
    pay_later: bool = False
    cards: tuple[CardView, ...] = ()
    card: str | None = None
    can_add_card: bool = False
    packs: tuple[PackOffer, ...] = ()
    in_hand: tuple[PackToUse, ...] = ()
    pack: str = ""
    weekly: tuple[WeeklyOffer, ...] = ()
    idempotency_key: str
