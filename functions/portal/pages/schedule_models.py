"""Answers of the schedule ([BOOK])."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.money import Money
from shared.domain.reservation import ReservationState
from shared.web.answer import View


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
