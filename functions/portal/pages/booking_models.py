"""Answers of the schedule and of reservations ([BOOK], [PLACES])."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.money import Money
from shared.domain.reservation import ReservationState
from shared.web.answer import View
from shared.web.pages.parts import WeeklyTime


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
    credit pays; `bookable` until it starts; `cutoff_at` until when it can be cancelled."""

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
    """Which credits pay for which participants. `due` is what they leave to be paid, before tax;
    `on_hold` names the packs that would pay for it, were they not frozen ([REVERSE])."""

    held: tuple[HeldView, ...] = ()
    charge: Money
    due: Money
    on_hold: tuple[str, ...] = ()


class PackOffer(View):
    """A pack in the shop whose credits would pay."""

    product_id: str
    name: str
    price: Money


class WeeklyOffer(View):
    """A weekly subscription to the activity's weekday and time ([WEEKLY]). `price` is of one week,
    before tax; `starts_on` is set when its first week does not begin today."""

    product_id: str
    name: str
    price: Money
    time: WeeklyTime
    starts_on: date | None = None
    minimum_payments: int = 0


class WhyNotBook(StrEnum):
    SIGNED_OUT = "signed_out"
    CANCELLED = "cancelled"
    BEGUN = "begun"
    WAITING_ALREADY = "waiting_already"
    PREPAY = "prepay"
    """No credit in hand pays, and it has to be paid beforehand."""


class ActivityToBook(View):
    """`GET /schedule/{activity}`: what booking it for `participants` would use. With `wait` there
    are not enough places: the button joins the waiting list. `packs` would pay for it."""

    activity: ActivityView
    schedule_here: str = "/schedule"
    """The address of the schedule from its day on."""
    participants: int = 1
    max_participants: int
    plan: PlanView | None = None
    wait: bool = False
    why_not: WhyNotBook | None = None
    packs: tuple[PackOffer, ...] = ()
    weekly: tuple[WeeklyOffer, ...] = ()
    idempotency_key: str


class ReservationView(View):
    """A reservation in one row. `due` is what no credit pays, before tax."""

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
    outstanding: bool = False
    offered_until: AwareDatetime | None = None
    booked_at: AwareDatetime
    subscription_id: str | None = None
    """The subscription whose weekly place it is ([WEEKLY])."""
    ended_at: AwareDatetime | None = None


class ReservationsPage(View):
    """`GET /reservations`: those to come by their start, then the past ones, the latest first."""

    reservations: tuple[ReservationView, ...] = ()
    next: str | None = None


class ReservationPage(View):
    """`GET /reservations/{reservation}`. `cancel_loses` says that cancelling now comes too late to
    get credits back; `offer` is what accepting would use, while a place is offered. The keys are
    for the forms of this page, each used once."""

    reservation: ReservationView
    held: tuple[HeldView, ...] = ()
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
