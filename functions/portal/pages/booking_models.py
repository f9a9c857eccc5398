"""Answers of the schedule and of reservations ([BOOK], [PLACES])."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.money import Money
from shared.domain.reservation import ReservationState
from shared.web.answer import View
from shared.web.pages.cards import CardView
from shared.web.pages.invoices import InvoiceSummary
from shared.web.pages.lines import LineView, Totals
from shared.web.pages.weekly import WeeklyTime


class ScheduleView(StrEnum):
    """How much of the schedule is shown at once."""

    DAY = "day"
    WEEK = "week"


class FilterChoice(View):
    """A service or staff member to narrow the schedule down to; `value` "" is all."""

    value: str
    name: str
    selected: bool = False


class Mine(View):
    """What the customer already has of an activity."""

    reservation_id: str
    state: ReservationState


class ActivityView(View):
    """An activity of the schedule. `price` is what one participant is charged before tax, where no
    credit pays, `total` the same with it; `bookable` until it starts; `cutoff_at` until when it can
    be cancelled."""

    id: str
    name: str
    service_id: str
    service: str = ""
    staff_member: str = ""
    location: str
    zone: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    cutoff_at: AwareDatetime
    places: int
    free: int
    waiting: int = 0
    price: Money
    total: Money
    prepay_online: bool = False
    cancelled: bool = False
    bookable: bool = True
    mine: tuple[Mine, ...] = ()
    weekly: bool = False
    """Whether it is the customer's every week ([WEEKLY])."""


class DayToBook(View):
    """One local day. `today` is the location's."""

    date: date
    today: bool = False
    activities: tuple[ActivityView, ...] = ()


class SchedulePage(View):
    """`GET /schedule`. `earlier` and `later` are the addresses of the days before and after;
    `cut` says that there is more than was read."""

    view: ScheduleView
    begins: date
    ends: date
    location: str
    zone: str
    service: str = ""
    staff: str = ""
    services: tuple[FilterChoice, ...] = ()
    staff_members: tuple[FilterChoice, ...] = ()
    days: tuple[DayToBook, ...] = ()
    earlier: str | None = None
    later: str | None = None
    now_here: str
    day_here: str
    week_here: str
    """The addresses of today, and of the two views from the same day."""
    cut: bool = False


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


class ReservationView(View):
    """A reservation in one row. `due` is what no credit pays, before tax. `owes` is what is still
    to be paid, tax included: for the places, or for the pack that was bought with them."""

    id: str
    activity_id: str
    name: str
    service: str = ""
    staff_member: str = ""
    location: str
    zone: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    cutoff_at: AwareDatetime
    participants: int
    state: ReservationState
    upcoming: bool
    charge: Money
    due: Money
    owes: Money
    outstanding: bool = False
    invoice_id: str | None = None
    offered_until: AwareDatetime | None = None
    booked_at: AwareDatetime
    subscription_id: str | None = None
    """The subscription whose weekly place it is ([WEEKLY])."""
    ended_at: AwareDatetime | None = None


class ReservationsPage(View):
    """`GET /reservations`: those to come by their start, then the past ones, the latest first."""

    reservations: tuple[ReservationView, ...] = ()
    next: str | None = None


class PlacePayment(StrEnum):
    """Where the money for a reservation stands ([BOOK])."""

    NOTHING = "nothing"
    """Credits pay for all of it, it is free, or it was given back."""
    PAID = "paid"
    UNDER_WAY = "under_way"
    """A payment was begun, and nobody has said yet what became of it."""
    TO_BE_CONFIRMED = "to_be_confirmed"
    TO_PAY = "to_pay"
    """Its invoice is open: that can be paid online."""
    AT_START = "at_start"
    OUTSTANDING = "outstanding"
    """It began unpaid, and there is no invoice yet."""
    WAIVED = "waived"
    CREDITS_BACK = "credits_back"
    """It was paid with money and given back in time: credits came back ([PLACES])."""


class ReservationPage(View):
    """`GET /reservations/{reservation}`. `cancel_loses` says that cancelling now comes too late to
    get credits back; `offer` is what accepting would use, while a place is offered. The keys are
    for the forms of this page, each used once.

    `lines` and `totals` are what its places come to, credits counted ([VOUCHER]); `invoice` asks
    for money, for the places or for the pack `buys_pack` that was bought with them;
    `visit_invoice_id` shows the credits that paid for all of it."""

    reservation: ReservationView
    held: tuple[HeldView, ...] = ()
    lines: tuple[LineView, ...] = ()
    totals: Totals | None = None
    payment: PlacePayment = PlacePayment.NOTHING
    invoice: InvoiceSummary | None = None
    buys_pack: str | None = None
    visit_invoice_id: str | None = None
    confirm_url: str | None = None
    credits_back: int = 0
    can_cancel: bool = False
    cancel_loses: bool = False
    can_move: bool = False
    offer: PlanView | None = None
    prepay_online: bool = False
    packs: tuple[PackOffer, ...] = ()
    cancel_key: str
    accept_key: str


class WhyNotMove(StrEnum):
    NOT_BOOKED = "not_booked"
    PAST_CUTOFF = "past_cutoff"


class MovePage(View):
    """`GET /reservations/{reservation}/move`: activities of the same service that it can go to."""

    reservation: ReservationView
    activities: tuple[ActivityView, ...] = ()
    days_ahead: int
    why_not: WhyNotMove | None = None
    idempotency_key: str
