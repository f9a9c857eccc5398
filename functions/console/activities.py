"""The schedule as staff see it, and the seats of each activity ([PLACES], [ACCESS], [OWN]).

Everybody who works at a location may look and check in there; owners and managers also create and
cancel. What belongs to another location is 404.
"""

from datetime import date, time, timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from functions.console.activity_view import (
    DAYS,
    activity_page,
    activity_row,
    reservation_view,
    schedule_page,
)
from functions.console.lists import signed_in_at_all
from functions.console.pages.activity_models import (
    ActivitiesCreated,
    ActivityCancelled,
    ActivityPage,
    ConsoleSchedule,
    SeatView,
    Span,
)
from shared.domain.activity import MAX_HOURS, MAX_PLACES
from shared.domain.business import Location
from shared.domain.calendar import local_date, start_of_day
from shared.domain.errors import Missing, PunchcardError
from shared.log import logger
from shared.operations import activities
from shared.operations.activities import NewActivity
from shared.operations.context import Context
from shared.store import accounts
from shared.web.answer import Answer, Input, Query
from shared.web.app import App
from shared.web.request import Request, Who

EARLIEST = date(2000, 1, 1)
LATEST = date(2100, 1, 1)
MIN_MINUTES = 5
MAX_CUTOFF_MINUTES = 43_200

SomeDay = Annotated[date, Field(ge=EARLIEST, le=LATEST)]
Name = Annotated[str, StringConstraints(max_length=100)]
Id = Annotated[str, Field(max_length=100)]
Weekday = Annotated[int, Field(ge=0, le=6)]


class ScheduleQuery(Query):
    """From which local day on, how much of it, and where; today, a week and the first location
    where this person works when left out."""

    from_: SomeDay | None = Field(default=None, alias="from")
    view: Span = Span.WEEK
    location: Id | None = None


class CreateActivities(Input):
    """One activity, or, with `weekdays` (0 is Monday) and `until`, all those from `date` to
    `until` that fall on them. `time` is the local time of the start, as 18:30; `cutoff_minutes`
    before the start is the last moment to cancel or move, without it as the merchant's settings
    say; an empty `name` is the service's."""

    location: Id
    service: Id
    name: Name = ""
    date: SomeDay
    time: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    minutes: Annotated[int, Field(ge=MIN_MINUTES, le=MAX_HOURS * 60)]
    places: Annotated[int, Field(ge=0, le=MAX_PLACES)]
    staff_member: Id | None = None
    cutoff_minutes: Annotated[int, Field(ge=0, le=MAX_CUTOFF_MINUTES)] | None = None
    prepay_online: bool = False
    weekdays: Annotated[tuple[Weekday, ...], Field(max_length=7)] = ()
    until: SomeDay | None = None

    def wanted(self) -> NewActivity:
        return NewActivity(
            location_id=self.location,
            service_id=self.service,
            day=self.date,
            clock=time.fromisoformat(self.time),
            minutes=self.minutes,
            places=self.places,
            name=self.name,
            staff_member=self.staff_member,
            cutoff_minutes=self.cutoff_minutes,
            prepay_online=self.prepay_online,
            weekdays=tuple(sorted(set(self.weekdays))),
            until=self.until,
        )


def mount_activities(app: App) -> None:
    """Adds schedule and activities to the console's app."""
    app.get(
        "/console/schedule",
        page="console_schedule",
        answer=ConsoleSchedule,
        query=ScheduleQuery,
        who=Who.STAFF,
        summary="The activities of a location, by day or week, with places taken and free.",
    )(schedule)
    app.post(
        "/console/activities",
        answer=ActivitiesCreated,
        body=CreateActivities,
        who=Who.STAFF,
        idempotency_key=True,
        on_error=_schedule_again,
        status=201,
        summary="Create an activity, or a repeating one with all its occurrences.",
    )(create)
    app.get(
        "/console/activities/{activity}",
        page="console_activity",
        answer=ActivityPage,
        who=Who.STAFF,
        summary="An activity: who comes, who waits, who left.",
    )(activity)
    app.post(
        "/console/activities/{activity}/cancel",
        answer=ActivityCancelled,
        who=Who.STAFF,
        on_error=_activity_again,
        summary="Cancel an activity and its reservations; again goes on where it stopped.",
    )(cancel)
    app.post(
        "/console/activities/{activity}/seats/{reservation}/check-in",
        answer=SeatView,
        who=Who.STAFF,
        on_error=_activity_again,
        summary="Check somebody in: the credits are redeemed now; again changes nothing.",
    )(check_in)
    app.post(
        "/console/activities/{activity}/seats/{reservation}/cancel",
        answer=SeatView,
        who=Who.STAFF,
        on_error=_activity_again,
        summary="Cancel somebody's reservation, with its credits given back.",
    )(cancel_seat)


def _context(request: Request) -> Context:
    context: Context = request.wiring.context(request.catalogue)
    return context


def _theirs(request: Request, location_id: str | None) -> Location:
    """The location that was asked for, else the first where this person works ([OWN])."""
    for one in request.catalogue.locations:
        if request.staff.works_at(one.id) and location_id in (None, one.id):
            return one
    raise Missing("There is no such location.")


# --- the schedule ----------------------------------------------------------------------------


def schedule(request: Request) -> Answer:
    signed_in_at_all(request)
    query: ScheduleQuery = request.query
    request.load()
    location = _theirs(request, query.location)
    return Answer(_schedule(request, location, query.view, query.from_))


def _schedule(
    request: Request, location: Location, view: Span, first: date | None
) -> ConsoleSchedule:
    first = first or local_date(request.now, location.zone)
    begins = start_of_day(first, location.zone)
    ends = start_of_day(first + timedelta(days=DAYS[view]), location.zone)
    rows = accounts.schedule_of(location.id, begins, ends)
    found = [row.value for row in rows if begins <= row.value.starts_at < ends]
    return schedule_page(
        found,
        request.catalogue,
        request.staff,
        location,
        view=view,
        first=first,
        now=request.now,
        whole=len(rows) < accounts.SCHEDULE_LIMIT,
        idempotency_key=request.wiring.new_id(),
    )


def _schedule_again(request: Request, error: PunchcardError) -> Answer | None:
    """The schedule with the form as it was; none for what is not theirs."""
    if isinstance(error, Missing) or error.code == "cross_site":
        return None
    request.load()
    wished = str(request.typed.get("location", ""))
    known = [one.id for one in request.catalogue.locations if request.staff.works_at(one.id)]
    location = _theirs(request, wished if wished in known else None)
    return Answer(_schedule(request, location, Span.WEEK, None), page="console_schedule")


def create(request: Request) -> Answer:
    body: CreateActivities = request.body
    request.load()
    made = activities.create(
        _context(request), request.staff, body.wanted(), request.idempotency_key
    )
    logger.info("activities", extra={"first": made[0].id, "count": len(made)})
    first = local_date(made[0].starts_at, made[0].zone)
    return Answer(
        ActivitiesCreated(
            series_id=made[0].series_id,
            activities=tuple(activity_row(one, request.catalogue) for one in made),
        ),
        status=201,
        location=f"/console/schedule?location={made[0].location_id}&from={first.isoformat()}",
        done="activity_created" if len(made) == 1 else "activities_created",
    )


# --- one activity ----------------------------------------------------------------------------


def activity(request: Request) -> Answer:
    return Answer(_activity(request))


def _activity(request: Request) -> ActivityPage:
    activity_id = request.params["activity"]
    ref = accounts.activity(activity_id)
    # Read with who is here, in one round trip: `request.staff` alone would take one of its own.
    found = request.load(ref).get(ref)
    row = activities.their_activity(request.staff, found)
    seats, whole = activities.seats_in(activity_id)
    return activity_page(
        row.value, seats, request.catalogue, request.staff, now=request.now, whole=whole
    )


def _activity_again(request: Request, error: PunchcardError) -> Answer | None:
    """The activity with what went wrong; none for what this person may not see."""
    if isinstance(error, Missing) or error.code == "cross_site":
        return None
    try:
        return Answer(_activity(request), page="console_activity")
    except Missing:
        return None


def _path(request: Request) -> str:
    return f"/console/activities/{request.params['activity']}"


def cancel(request: Request) -> Answer:
    request.load()
    done = activities.cancel(_context(request), request.staff, request.params["activity"])
    logger.info(
        "activity cancelled",
        extra={"activity": done.activity.id, "cancelled": done.cancelled, "left": done.left},
    )
    return Answer(
        ActivityCancelled(
            activity=activity_row(done.activity, request.catalogue),
            cancelled=done.cancelled,
            left=done.left,
        ),
        location=_path(request),
        done="activity_cancelling" if done.left else "activity_cancelled",
    )


def check_in(request: Request) -> Answer:
    request.load()
    value = activities.check_in(
        _context(request),
        request.staff,
        request.params["activity"],
        request.params["reservation"],
    )
    logger.info("checked in", extra={"reservation": value.id})
    return Answer(reservation_view(value), location=_path(request), done="checked_in")


def cancel_seat(request: Request) -> Answer:
    request.load()
    value = activities.cancel_seat(
        _context(request),
        request.staff,
        request.params["activity"],
        request.params["reservation"],
    )
    logger.info("reservation cancelled", extra={"reservation": value.id})
    return Answer(reservation_view(value), location=_path(request), done="seat_cancelled")
