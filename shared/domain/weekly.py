"""A standing weekly reservation: the same weekday and time, week after week ([WEEKLY]).

It is sold by the week as a subscription. What was chosen is its weekday and local time; each week
that is paid has its pack, which carries where the week's place is to be booked and until when the
clock looks for it. Pure.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field

from shared.domain.activity_state import ActivityState
from shared.domain.calendar import DAYS_OF_WEEK, at_local
from shared.domain.record import Record

if TYPE_CHECKING:
    from shared.domain.activity import Activity

LOOK_AGAIN_AFTER = timedelta(days=1)
"""How long the clock waits before it looks again for a week's activity that is not there."""

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Standing(Record):
    """A weekday and time: `weekday` (0 is Monday) and `clock` are local to `zone`. `staff_member`
    None means whoever leads it. `name` is the activity's when it was chosen."""

    location_id: str
    zone: str
    service_id: str
    name: str
    weekday: Annotated[int, Field(ge=0, le=6)]
    clock: time
    staff_member: str | None = None
    participants: Annotated[int, Field(ge=1)] = 1

    @property
    def words(self) -> str:
        """For lines of invoices: `Tuesdays at 18:00`."""
        return f"{DAY_NAMES[self.weekday]}s at {self.clock:%H:%M}"


class WeekPlace(Record):
    """The place of one paid week: when (UTC) its activity starts, and when the clock next looks
    for it. `look_at` None: it is booked, or nothing more is done by itself."""

    standing: Standing
    starts_at: AwareDatetime
    look_at: AwareDatetime | None


def standing_of(activity: "Activity", participants: int, *, same_staff: bool) -> Standing:
    """The weekday and time of an activity. With `same_staff` only whoever leads it will do."""
    local = activity.starts_at.astimezone(ZoneInfo(activity.zone))
    return Standing(
        location_id=activity.location_id,
        zone=activity.zone,
        service_id=activity.service_id,
        name=activity.name,
        weekday=local.weekday(),
        clock=local.time(),
        staff_member=activity.staff_member if same_staff else None,
        participants=participants,
    )


def start_in(standing: Standing, first_day: date) -> datetime:
    """When (UTC) it comes in the week that begins on the local `first_day`: exactly once,
    at the same local time in summer and winter."""
    ahead = (standing.weekday - first_day.weekday()) % DAYS_OF_WEEK
    return at_local(first_day + timedelta(days=ahead), standing.clock, standing.zone).astimezone(
        UTC
    )


def first_day(standing: Standing, wanted: date, now: datetime) -> date:
    """The first day of the first week: the local day `wanted`, or the day after it where that
    day's has begun by `now`. So the first place is the next one after the purchase."""
    return wanted if start_in(standing, wanted) > now else wanted + timedelta(days=1)


def place_of_week(standing: Standing, starts_on: date, now: datetime) -> WeekPlace:
    """The place of the week from `starts_on`, which was paid at `now`: looked for at once."""
    return WeekPlace(standing=standing, starts_at=start_in(standing, starts_on), look_at=now)


def matching(
    activities: Iterable["Activity"], standing: Standing, starts_at: datetime
) -> tuple["Activity", ...]:
    """Which activities are the ones that were chosen, at `starts_at`: first those with enough
    places, then those of the name that was chosen."""
    found = [
        one
        for one in activities
        if one.state is ActivityState.SCHEDULED
        and one.starts_at == starts_at
        and one.location_id == standing.location_id
        and one.service_id == standing.service_id
        and standing.staff_member in (None, one.staff_member)
    ]
    return tuple(
        sorted(
            found,
            key=lambda one: (one.free < standing.participants, one.name != standing.name, one.id),
        )
    )


def holds(standing: Standing, activity: "Activity") -> bool:
    """Whether an activity is at this weekday and time, in whatever week."""
    local = activity.starts_at.astimezone(ZoneInfo(standing.zone))
    at = start_in(standing, local.date())
    return at == activity.starts_at and bool(matching([activity], standing, at))


class WhyNotSold(StrEnum):
    """Why a weekday and time can't be sold from the week that was chosen."""

    NOT_SCHEDULED = "not_scheduled"
    FULL = "full"

    @property
    def sentence(self) -> str:
        match self:
            case WhyNotSold.NOT_SCHEDULED:
                return (
                    "Nothing is on the schedule at this time in the first week; choose another "
                    "time or start."
                )
            case WhyNotSold.FULL:
                return "There is no place at this time in the first week; choose a later start."


def why_not(
    activities: Iterable["Activity"],
    standing: Standing,
    starts_at: datetime,
    staff_members: tuple[str, ...] | None,
) -> WhyNotSold | None:
    """Why it can't be sold with `starts_at` as its first activity; None when it can. The
    product's credits are for these `staff_members` ([STAFF])."""
    found = [
        one
        for one in matching(activities, standing, starts_at)
        if staff_members is None or one.staff_member in staff_members
    ]
    if not found:
        return WhyNotSold.NOT_SCHEDULED
    return None if found[0].free >= standing.participants else WhyNotSold.FULL


def look_again(place: WeekPlace, now: datetime) -> WeekPlace:
    """The activity is not there yet: in a day, at the latest when it would begin."""
    at = min(now + LOOK_AGAIN_AFTER, place.starts_at)
    return place.model_copy(update={"look_at": at})


def decided(place: WeekPlace) -> WeekPlace:
    """Nothing more is done by itself for this week."""
    return place.model_copy(update={"look_at": None})
