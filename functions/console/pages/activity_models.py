"""Answers of the console about activities and the seats in them."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from functions.console.pages.models import PlaceChoice
from shared.domain.activity_state import ActivityState
from shared.domain.reservation import ReservationState
from shared.web.answer import View


class Span(StrEnum):
    """How much of a schedule is shown."""

    DAY = "day"
    WEEK = "week"


class ActivityRow(View):
    """One activity. `taken` counts places that are offered to somebody for a while too."""

    id: str
    name: str
    service_id: str
    service: str
    staff_member: str = ""
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    zone: str
    places: int
    taken: int
    free: int
    waiting: int
    prepay_online: bool = False
    state: ActivityState


class ScheduleDay(View):
    day: date
    activities: tuple[ActivityRow, ...] = ()


class ConsoleSchedule(View):
    """`GET /console/schedule`: the activities of a location by local day. `previous` and `next`
    are the first days of what lies before and after. `whole` False: there are more than were
    read. `may_change`: this person creates and cancels activities."""

    view: Span
    first: date
    previous: date
    next: date
    today: date
    location_id: str
    location: str
    zone: str
    days: tuple[ScheduleDay, ...] = ()
    whole: bool = True
    locations: tuple[PlaceChoice, ...] = ()
    services: tuple[PlaceChoice, ...] = ()
    staff_people: tuple[PlaceChoice, ...] = ()
    cutoff_minutes: int = 0
    may_change: bool = False
    idempotency_key: str = ""


class ActivitiesCreated(View):
    """What was created; `series_id` where it repeats."""

    series_id: str | None = None
    activities: tuple[ActivityRow, ...]


class SeatView(View):
    """A reservation of an activity. Somebody who waits has an `offered_until` while a place is
    held for them."""

    reservation_id: str
    customer_id: str
    customer_name: str = ""
    participants: int
    state: ReservationState
    checked_in_at: AwareDatetime | None = None
    offered_until: AwareDatetime | None = None


class ActivityPage(View):
    """`GET /console/activities/{activity}`: `roster` has places, `waiting` waits in this order,
    `gone` cancelled or waited in vain. `to_cancel` are reservations of a cancelled activity that
    are still to be cancelled. `whole` False: there are more seats than were read."""

    activity: ActivityRow
    location: str = ""
    cutoff_at: AwareDatetime
    roster: tuple[SeatView, ...] = ()
    waiting: tuple[SeatView, ...] = ()
    gone: tuple[SeatView, ...] = ()
    whole: bool = True
    made_at: AwareDatetime | None = None
    made_by: str = ""
    cancelled_at: AwareDatetime | None = None
    cancelled_by: str = ""
    may_change: bool = False
    may_cancel: bool = False
    may_check_in: bool = False
    to_cancel: int = 0


class ActivityCancelled(View):
    """`cancelled` reservations this time; `left` are still to be cancelled by asking again."""

    activity: ActivityRow
    cancelled: int
    left: int
