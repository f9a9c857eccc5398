"""An activity: a bookable session of a service, its places, and who waits for one ([PLACES]).

Every change is pure. `taken` counts the places of those who are booked and of those to whom a
freed place is offered for a while, so that an activity never has more participants than places.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import AwareDatetime, Field

from shared.domain.activity_state import ActivityState
from shared.domain.calendar import at_local
from shared.domain.due import Moment, Worker
from shared.domain.errors import Conflict, Invalid
from shared.domain.participants import MAX_PARTICIPANTS
from shared.domain.record import Record

MAX_PLACES = 1000
MAX_WAITING = 40
"""On one list: at the start all of them are told in one transaction, of at most 100 items."""

MAX_OCCURRENCES = 366
"""Activities that one repeating entry makes: a year of days."""

MAX_OFFERS_AT_ONCE = 20
"""Offers of one transaction: reservation, seat and email of each. The rest follow at once."""

MAX_LAPSES_BESIDE_OFFERS = 10
MAX_HOURS = 72
SERIES_DAYS_MAX = 366


class Waiting(Record):
    """Somebody on the waiting list. While `offered_until` is set, freed places are held for them
    until then, and counted as taken."""

    customer_id: str
    reservation_id: str
    participants: int
    since: AwareDatetime
    offered_until: AwareDatetime | None = None


class Activity(Record):
    """`cutoff_minutes` before its start a reservation can still be cancelled or moved. With
    `prepay_online` nobody books without a credit or a payment ([BOOK])."""

    id: str
    location_id: str
    zone: str
    service_id: str
    name: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    staff_member: str | None = None
    """The id of who leads it."""
    places: Annotated[int, Field(ge=0, le=MAX_PLACES)]
    taken: Annotated[int, Field(ge=0)] = 0
    waiting: tuple[Waiting, ...] = ()
    cutoff_minutes: Annotated[int, Field(ge=0)] = 0
    prepay_online: bool = False
    state: ActivityState = ActivityState.SCHEDULED
    series_id: str | None = None
    made_at: AwareDatetime | None = None
    made_by: str = ""
    cancelled_at: AwareDatetime | None = None
    cancelled_by: str = ""
    """Which staff members did it, by their addresses ([ACCESS])."""

    @property
    def free(self) -> int:
        return max(0, self.places - self.taken)

    @property
    def cutoff_at(self) -> datetime:
        """Until when a reservation can be cancelled or moved."""
        return self.starts_at - timedelta(minutes=self.cutoff_minutes)

    @property
    def hours(self) -> int:
        """Its length in hours, a part of one counted whole."""
        return -(-int((self.ends_at - self.starts_at).total_seconds()) // 3600)

    def open_at(self, now: datetime) -> bool:
        """Whether it can be booked at all."""
        return self.state is ActivityState.SCHEDULED and now < self.starts_at

    def waits(self, reservation_id: str) -> Waiting | None:
        return next((one for one in self.waiting if one.reservation_id == reservation_id), None)


def new_id(location_id: str, starts_at: datetime, unique: str) -> str:
    """An activity's id says where and when it is, so that it is found by its id alone."""
    return f"{location_id}.{starts_at.astimezone(UTC):%Y%m%dT%H%M}.{unique}"


def check_open(activity: Activity, now: datetime) -> None:
    """Raise `Conflict` for one that is cancelled or has begun."""
    if activity.state is ActivityState.CANCELLED:
        raise Conflict("This activity is cancelled.", code="activity_cancelled")
    if now >= activity.starts_at:
        raise Conflict("This activity has begun.", code="activity_begun")


def check_participants(participants: int) -> None:
    if not 1 <= participants <= MAX_PARTICIPANTS:
        said = f"Between 1 and {MAX_PARTICIPANTS}."
        raise Invalid("That number of participants can't be booked.", fields={"participants": said})


def take(activity: Activity, participants: int) -> Activity:
    """The activity with so many places more taken. `Conflict` (`full`) when there are fewer."""
    if participants > activity.free:
        raise Conflict(
            "There are not enough free places.", code="activity_full", free=activity.free
        )
    return activity.model_copy(update={"taken": activity.taken + participants})


def join(activity: Activity, waiting: Waiting) -> Activity:
    """The activity with somebody more on its waiting list, at the end."""
    if len(activity.waiting) >= MAX_WAITING:
        raise Conflict("The waiting list is full.", code="waiting_list_full")
    return activity.model_copy(update={"waiting": (*activity.waiting, waiting)})


def leave(activity: Activity, reservation_id: str) -> Activity:
    """The activity without somebody who waited; a place that was offered to them is free."""
    gone = activity.waits(reservation_id)
    if gone is None:
        return activity
    offered = gone.participants if gone.offered_until is not None else 0
    rest = tuple(one for one in activity.waiting if one is not gone)
    return activity.model_copy(update={"waiting": rest, "taken": activity.taken - offered})


def give_back(activity: Activity, participants: int) -> Activity:
    """The activity with so many places fewer taken."""
    return activity.model_copy(update={"taken": max(0, activity.taken - participants)})


def offer(
    activity: Activity, now: datetime, held_for: timedelta
) -> tuple[Activity, tuple[Waiting, ...]]:
    """Offer free places to those who wait, in their order: who needs more places than are free is
    passed over and keeps their turn. Also those to whom a place was offered just now.

    An offer holds for `held_for`, and not beyond the start. Nothing is offered of an activity that
    is cancelled or has begun.
    """
    if not activity.open_at(now):
        return activity, ()
    offered: list[Waiting] = []
    waiting: list[Waiting] = []
    free = activity.free
    for one in activity.waiting:
        fits = one.offered_until is None and one.participants <= free
        if fits and len(offered) < MAX_OFFERS_AT_ONCE:
            free -= one.participants
            until = min(now + held_for, activity.starts_at)
            held = one.model_copy(update={"offered_until": until})
            offered.append(held)
            waiting.append(held)
        else:
            waiting.append(one)
    taken = activity.taken + sum(one.participants for one in offered)
    changed = activity.model_copy(update={"waiting": tuple(waiting), "taken": taken})
    return changed, tuple(offered)


def lapse(activity: Activity, now: datetime) -> tuple[Activity, tuple[Waiting, ...]]:
    """The activity without those whose offer ran out by `now`; also who they are."""
    gone = tuple(one for one in activity.waiting if one.offered_until and one.offered_until <= now)
    for one in gone:
        activity = leave(activity, one.reservation_id)
    return activity, gone


def accept(activity: Activity, reservation_id: str, now: datetime) -> Activity:
    """Whoever was offered a place takes it: the place stays taken, the list is shorter.
    `Conflict` (`offer_gone`) when there is no offer, or it ran out."""
    one = activity.waits(reservation_id)
    if one is None or one.offered_until is None or one.offered_until <= now:
        raise Conflict("This place is not offered any more.", code="offer_gone")
    rest = tuple(other for other in activity.waiting if other is not one)
    return activity.model_copy(update={"waiting": rest})


def offer_again(activity: Activity, one: Waiting) -> Activity:
    """Whoever took an offered place could not pay for it: it is offered to them as before, ahead
    of all others, for as long as the offer holds. The places were taken all the while."""
    return activity.model_copy(update={"waiting": (one, *activity.waiting)})


def next_moment(activity: Activity) -> Moment | None:
    """When the next offer runs out, or its waiting list ends with its start; at once, while there
    are free places that nobody was offered yet."""
    if activity.state is ActivityState.CANCELLED or not activity.waiting:
        return None
    offers = [one.offered_until for one in activity.waiting if one.offered_until is not None]
    overlooked = [
        one.since
        for one in activity.waiting
        if one.offered_until is None and one.participants <= activity.free
    ]
    return Moment(at=min([*offers, *overlooked, activity.starts_at]), worker=Worker.PLACES)


# --- repeating -------------------------------------------------------------------------------


def occurrences(
    first: date, until: date | None, weekdays: frozenset[int], clock: time, minutes: int, zone: str
) -> Iterator[tuple[datetime, datetime]]:
    """The starts and ends of a repeating activity: on these weekdays (0 is Monday), at the same
    local time, from `first` to `until` inclusive. Raises `Invalid` without an end, for one before
    the beginning, too far away, or with too many."""
    if until is None:
        raise Invalid("A repeating activity needs an end.", fields={"until": "Give the last day."})
    if until < first:
        raise Invalid("The end is before the beginning.", fields={"until": "Not before it starts."})
    if (until - first).days > SERIES_DAYS_MAX:
        raise Invalid("The end is too far away.", fields={"until": "At most a year."})
    if not weekdays:
        raise Invalid("It repeats on no day.", fields={"weekdays": "Choose at least one."})
    for offset in range((until - first).days + 1):
        day = first + timedelta(days=offset)
        if day.weekday() in weekdays:
            starts = at_local(day, clock, zone)
            yield starts, starts + timedelta(minutes=minutes)
