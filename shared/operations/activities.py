"""What staff do with activities and the seats in them ([PLACES], [ACCESS], [OWN]).

Staff see the activities of locations where they work; others are `Missing`. Everybody may look and
check in; owners and managers also create and cancel. Who did it and when is kept with the activity,
and in the customer's timeline for a seat.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from shared.domain import activity as places
from shared.domain.activity import Activity
from shared.domain.activity_state import ActivityState
from shared.domain.calendar import at_local, local_date, start_of_day
from shared.domain.errors import Conflict, Forbidden, Invalid, Missing
from shared.domain.reservation import LIVE, Reservation, ReservationState, Seat
from shared.operations import giving_back, holding, place_invoices
from shared.operations.staff import may_change
from shared.operations.submissions import Press
from shared.store import accounts, bookings
from shared.store.bookings import Besides, Credits
from shared.store.items import Lost, Ref, Row
from shared.store.reading import MAX_BATCH_GET, read

if TYPE_CHECKING:
    from shared.domain.business import Location
    from shared.operations.context import Context
    from shared.store.records import Submission
    from shared.store.staff import StaffMember

ACTIVITY_TRIES = 8
CREATED_AT_ONCE = MAX_BATCH_GET - 1
"""Activities of one transaction, beside the record of the press."""

SEATS_READ = 250
SEATS_READINGS = 8
"""Seats of one activity: as many as places, and those who left."""

CANCELLED_AT_ONCE = 60
"""Reservations that one press cancels: each is a transaction, and a request has 25 seconds."""

CHECK_IN_BEFORE = timedelta(hours=2)
DAYS_TO_CHECK_IN = 1
"""Days after the one on which it ends."""


def require_change(staff: StaffMember) -> None:
    """Raise `Forbidden` for who may only look and check in."""
    if not may_change(staff):
        raise Forbidden("Only an owner or a manager may do this.", code="role_not_allowed")


def their_activity(staff: StaffMember, row: Row[Activity] | None) -> Row[Activity]:
    """`Missing` for what is not there or belongs to another location ([OWN])."""
    if row is None or not staff.works_at(row.value.location_id):
        raise Missing("There is no such activity.")
    return row


def _read_theirs(staff: StaffMember, activity_id: str) -> Row[Activity]:
    ref = accounts.activity(activity_id)
    return their_activity(staff, read(ref).get(ref))


# --- creating --------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewActivity:
    """What staff entered. `day` and `clock` are local to the location. `cutoff_minutes` None is
    the merchant's setting, an empty `name` the service's. It repeats when there are `weekdays`
    (0 is Monday) or an `until`, the last day on which it may be."""

    location_id: str
    service_id: str
    day: date
    clock: time
    minutes: int
    places: int
    name: str = ""
    staff_member: str | None = None
    cutoff_minutes: int | None = None
    prepay_online: bool = False
    weekdays: tuple[int, ...] = ()
    until: date | None = None

    @property
    def repeats(self) -> bool:
        return bool(self.weekdays) or self.until is not None

    def press(self, staff: StaffMember, key: str) -> Press:
        """The press of the button; keys are each staff member's own ([KEY])."""
        told = [str(one) for one in astuple(self)]
        return Press(
            customer_id="",
            key=key,
            operation="create_activities",
            content=tuple(told),
            answer=hashlib.sha256(f"{staff.email}:{key}".encode()).hexdigest()[:16],
        )


def create(context: Context, staff: StaffMember, wanted: NewActivity, key: str) -> list[Activity]:
    """Create an activity, or all occurrences of a repeating one: what they are, in their order.

    Up to `CREATED_AT_ONCE` are one transaction, which the record of the press is part of. A longer
    series takes several; their ids follow from the key and their number, so the same press again
    creates exactly what is still missing, and answers the same. The same key with other content is
    a `Conflict`. Raises `Missing` for another's location, `Invalid` that names the field.
    """
    location = _location(context, staff, wanted.location_id)
    require_change(staff)
    press = wanted.press(staff, key)
    ref = accounts.staff_submission(staff.email, key)
    earlier = read(ref).get(ref)
    spans = _spans(wanted, location)
    if earlier is None:
        _check(context, wanted)
        _check_ahead(wanted, spans[0][0], location, context.now())
    else:
        _check_same(earlier, press.digest)
    made = _activities(context, staff, wanted, location, press.answer, spans)
    record = None if earlier is not None else (ref, press.record(context.now())[1])
    for first in range(0, len(made), CREATED_AT_ONCE):
        _create_missing(made[first : first + CREATED_AT_ONCE], record if first == 0 else None)
    return made


def _create_missing(
    some: Sequence[Activity], asked: tuple[Ref[Submission], Submission] | None
) -> None:
    """Create those of `some` that another press of the same has not created, with the record of
    this one unless there is one."""
    wanting = list(some)
    for _ in range(ACTIVITY_TRIES):
        if not wanting and asked is None:
            return
        try:
            bookings.create_activities(wanting, asked)
        except Lost:
            if asked is not None and (earlier := read(asked[0]).get(asked[0])) is not None:
                _check_same(earlier, asked[1].content)
                asked = None
            found = read(*(accounts.activity(one.id) for one in some))
            wanting = [one for one in some if found.get(accounts.activity(one.id)) is None]
        else:
            return
    raise Conflict("This changed while you were at it.", code="changed_meanwhile")


def _check_same(earlier: Row[Submission], content: str) -> None:
    if earlier.value.content != content:
        raise Conflict(
            "This Idempotency-Key was used for something else.", code="idempotency_key_reused"
        )


def _location(context: Context, staff: StaffMember, location_id: str) -> Location:
    location = context.business.location(location_id)
    if location is None:
        sentence = "There is no such location."
        raise Invalid(sentence, fields={"location": sentence})
    if not staff.works_at(location_id):
        raise Missing("There is no such location.")
    return location


def _check(context: Context, wanted: NewActivity) -> None:
    """What the catalogue has to know. Whoever repeats an earlier press need not ask it again."""
    problems: dict[str, str] = {}
    if context.business.service(wanted.service_id) is None:
        problems["service"] = "There is no such service."
    person = wanted.staff_member
    if person is not None and context.business.staff_person(person) is None:
        problems["staff_member"] = "There is no such staff member."
    if problems:
        raise Invalid("Please check what you entered.", fields=problems)


def _check_ahead(
    wanted: NewActivity, starts_at: datetime, location: Location, now: datetime
) -> None:
    if starts_at > now:
        return
    field = "date" if wanted.day < local_date(now, location.zone) else "time"
    raise Invalid("This is in the past.", fields={field: "This is in the past."})


def _spans(wanted: NewActivity, location: Location) -> list[tuple[datetime, datetime]]:
    """When it starts and ends, each time. Raises `Invalid`."""
    if not wanted.repeats:
        starts = at_local(wanted.day, wanted.clock, location.zone)
        return [(starts, starts + timedelta(minutes=wanted.minutes))]
    found = list(
        places.occurrences(
            wanted.day,
            wanted.until,
            frozenset(wanted.weekdays),
            wanted.clock,
            wanted.minutes,
            location.zone,
        )
    )
    if not found:
        sentence = "None of these weekdays comes before the end."
        raise Invalid(sentence, fields={"weekdays": sentence})
    if len(found) > places.MAX_OCCURRENCES:
        sentence = f"At most {places.MAX_OCCURRENCES} times."
        raise Invalid("These are too many.", fields={"until": sentence})
    return found


def _activities(
    context: Context,
    staff: StaffMember,
    wanted: NewActivity,
    location: Location,
    series: str,
    spans: Sequence[tuple[datetime, datetime]],
) -> list[Activity]:
    business = context.business
    service = business.service(wanted.service_id)
    cutoff = wanted.cutoff_minutes
    return [
        Activity(
            id=places.new_id(location.id, starts_at, f"{series}-{number:03d}"),
            location_id=location.id,
            zone=location.zone,
            service_id=wanted.service_id,
            name=wanted.name or (service.name if service else wanted.service_id),
            starts_at=starts_at,
            ends_at=ends_at,
            staff_member=wanted.staff_member,
            places=wanted.places,
            cutoff_minutes=business.settings.cutoff_minutes if cutoff is None else cutoff,
            prepay_online=wanted.prepay_online,
            series_id=series if wanted.repeats else None,
            made_at=context.now(),
            made_by=staff.email,
        )
        for number, (starts_at, ends_at) in enumerate(spans)
    ]


# --- seats -----------------------------------------------------------------------------------


def seats_in(activity_id: str) -> tuple[tuple[Seat, ...], bool]:
    """Who has places or waits, and who left; without those who were moved to another activity.
    Also whether that is all of them: at most `SEATS_READ` * `SEATS_READINGS` are read."""
    found: list[Seat] = []
    after: str | None = None
    for _ in range(SEATS_READINGS):
        page = accounts.seats_of(activity_id, limit=SEATS_READ, after=after)
        found += [row.value for row in page.rows if row.value.participants]
        after = page.next
        if after is None:
            break
    return tuple(found), after is None


def live_seats(seats: Sequence[Seat]) -> list[Seat]:
    """Those who are booked, wait, or are offered a place."""
    return [one for one in seats if one.state in LIVE]


def _their_reservation(
    staff: StaffMember, activity_id: str, reservation_id: str
) -> tuple[Activity, Row[Reservation]]:
    """A reservation of an activity of theirs: two round trips. `Missing` for any other."""
    activity_ref = accounts.activity(activity_id)
    seat_ref = accounts.seat(activity_id, reservation_id)
    found = read(activity_ref, seat_ref)
    activity = their_activity(staff, found.get(activity_ref)).value
    seat = found.get(seat_ref)
    if seat is not None:
        ref = accounts.reservation(seat.value.customer_id, reservation_id)
        row = read(ref).get(ref)
        if row is not None and row.value.activity_id == activity_id:
            return activity, row
    raise Missing("There is no such reservation.")


def check_in_span(activity: Activity) -> tuple[datetime, datetime]:
    """From when until when who comes can be checked in."""
    last_day = local_date(activity.ends_at, activity.zone) + timedelta(days=DAYS_TO_CHECK_IN)
    until = start_of_day(last_day + timedelta(days=1), activity.zone)
    return activity.starts_at - CHECK_IN_BEFORE, until


def check_in(
    context: Context, staff: StaffMember, activity_id: str, reservation_id: str
) -> Reservation:
    """Whoever came is checked in: the credits are redeemed now ([PLACES]), and what none pays is
    outstanding. Again answers the same. `Conflict` too early, too late, and for what is not
    booked."""
    for _ in range(ACTIVITY_TRIES):
        activity, row = _their_reservation(staff, activity_id, reservation_id)
        if row.value.checked_in_at is not None:
            return row.value
        _check_can_check_in(activity, row.value, context.now())
        try:
            return _check_in(context, staff, row)
        except Lost:
            continue
    raise Conflict("This changed while you were at it.", code="changed_meanwhile")


def _check_can_check_in(activity: Activity, value: Reservation, now: datetime) -> None:
    if value.state not in (ReservationState.BOOKED, ReservationState.REDEEMED):
        raise Conflict("Only who has a place can be checked in.", code="not_booked")
    if activity.state is ActivityState.CANCELLED:
        raise Conflict("This activity is cancelled.", code="activity_cancelled")
    opens, closes = check_in_span(activity)
    if now < opens:
        raise Conflict(
            "Check-in begins two hours before the start.", code="check_in_too_early", opens=opens
        )
    if now >= closes:
        raise Conflict("It is too late to check in.", code="check_in_too_late")


def _check_in(context: Context, staff: StaffMember, row: Row[Reservation]) -> Reservation:
    value, now = row.value, context.now()
    redeemed_before = value.state is ReservationState.REDEEMED
    changed = value.model_copy(
        update={
            "state": ReservationState.REDEEMED,
            "checked_in_at": now,
            "ended_at": value.ended_at or now,
            "outstanding": value.outstanding or bool(value.owes),
        }
    )
    credits_ = Credits() if redeemed_before else holding.redeem_all(context, value, staff.email)
    changed, invoice = place_invoices.of_visit(context, changed)
    bookings.change_reservation(
        reservation=row,
        changed=changed,
        credits_=credits_,
        activities=[],
        besides=Besides(
            customer_id=value.customer_id,
            events=[holding.seat_event(context, staff.email, "seat:checked_in", changed)],
            invoice=(None, invoice) if invoice else None,
        ),
    )
    return changed


def cancel_seat(
    context: Context, staff: StaffMember, activity_id: str, reservation_id: str
) -> Reservation:
    """Cancel somebody's reservation, or take them off the waiting list: all credits come back,
    whatever the cutoff says ([PLACES]). Again answers the same."""
    _, row = _their_reservation(staff, activity_id, reservation_id)
    require_change(staff)
    return giving_back.cancel(
        context,
        row.value.customer_id,
        reservation_id,
        by_staff=staff.email,
        of_activity=activity_id,
    )


# --- cancelling a whole activity -------------------------------------------------------------


@dataclass(frozen=True)
class Cancelled:
    """`cancelled` reservations this time; `left` are still to be cancelled by pressing again."""

    activity: Activity
    cancelled: int
    left: int


def cancel(
    context: Context, staff: StaffMember, activity_id: str, *, at_once: int = CANCELLED_AT_ONCE
) -> Cancelled:
    """The merchant cancels an activity: nobody books it any more from that moment on; then every
    reservation is cancelled, with its credits given back and an email ([PLACES]).

    At most `at_once` of them in one call. Called again, also after it was interrupted,
    it goes on; when nothing is left it changes nothing. `Conflict` for one that is over.
    """
    activity = _close(context, staff, activity_id)
    seats, whole = seats_in(activity_id)
    live = live_seats(seats)
    cancelled = 0
    for seat in live[:at_once]:
        cancelled += _cancel_for_good(context, staff, activity_id, seat)
    left = len(live[at_once:]) + (0 if whole else 1)
    return Cancelled(activity, cancelled, left)


def _cancel_for_good(context: Context, staff: StaffMember, activity_id: str, seat: Seat) -> int:
    """1 when it was cancelled, 0 when it was moved or redeemed meanwhile."""
    try:
        giving_back.cancel(
            context,
            seat.customer_id,
            seat.reservation_id,
            by_staff=staff.email,
            of_activity=activity_id,
        )
    except (Missing, Conflict):
        return 0
    return 1


def _close(context: Context, staff: StaffMember, activity_id: str) -> Activity:
    for _ in range(ACTIVITY_TRIES):
        row = _read_theirs(staff, activity_id)
        require_change(staff)
        if row.value.state is ActivityState.CANCELLED:
            return row.value
        now = context.now()
        if now >= row.value.ends_at:
            raise Conflict("This activity is over.", code="activity_over")
        closed = row.value.model_copy(
            update={
                "state": ActivityState.CANCELLED,
                "cancelled_at": now,
                "cancelled_by": staff.email,
            }
        )
        try:
            bookings.change_activity(row, closed, Besides())
        except Lost:
            continue
        return closed
    raise Conflict("Too many people are booking this. Please try again.", code="changed_meanwhile")
