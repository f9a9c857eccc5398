"""The pages about activities, made of what was read."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from functions.console.pages.activity_models import (
    ActivityPage,
    ActivityRow,
    ConsoleSchedule,
    ScheduleDay,
    SeatView,
    Span,
)
from functions.console.pages.models import PlaceChoice
from shared.domain.activity import Activity
from shared.domain.activity_state import ActivityState
from shared.domain.business import Location
from shared.domain.calendar import local_date
from shared.domain.product import Catalogue
from shared.domain.reservation import Reservation, ReservationState, Seat, seat_of
from shared.operations.activities import check_in_span, live_seats
from shared.operations.staff import may_change
from shared.store.staff import StaffMember

DAYS = {Span.DAY: 1, Span.WEEK: 7}

HAS_PLACES = frozenset({ReservationState.BOOKED, ReservationState.REDEEMED})
WAITS = frozenset({ReservationState.WAITING, ReservationState.OFFERED})


def activity_row(activity: Activity, catalogue: Catalogue) -> ActivityRow:
    service = catalogue.service(activity.service_id)
    person = catalogue.staff_person(activity.staff_member)
    return ActivityRow(
        id=activity.id,
        name=activity.name,
        service_id=activity.service_id,
        service=service.name if service else activity.service_id,
        staff_member=person.name if person else activity.staff_member or "",
        starts_at=activity.starts_at,
        ends_at=activity.ends_at,
        zone=activity.zone,
        places=activity.places,
        taken=activity.taken,
        free=activity.free,
        waiting=sum(one.offered_until is None for one in activity.waiting),
        prepay_online=activity.prepay_online,
        state=activity.state,
    )


def choices_of(locations: Iterable[Location]) -> tuple[PlaceChoice, ...]:
    return tuple(PlaceChoice(id=one.id, name=one.name) for one in locations)


def schedule_page(
    activities: Sequence[Activity],
    catalogue: Catalogue,
    staff: StaffMember,
    location: Location,
    *,
    view: Span,
    first: date,
    now: datetime,
    whole: bool,
    idempotency_key: str,
) -> ConsoleSchedule:
    """`DAYS[view]` days of a location from `first` on, each with what starts on it."""
    span = timedelta(days=DAYS[view])
    days = [first + timedelta(days=offset) for offset in range(DAYS[view])]
    by_day: dict[date, list[ActivityRow]] = {day: [] for day in days}
    for one in activities:
        by_day.setdefault(local_date(one.starts_at, location.zone), []).append(
            activity_row(one, catalogue)
        )
    return ConsoleSchedule(
        view=view,
        first=first,
        previous=first - span,
        next=first + span,
        today=local_date(now, location.zone),
        location_id=location.id,
        location=location.name,
        zone=location.zone,
        days=tuple(ScheduleDay(day=day, activities=tuple(by_day[day])) for day in days),
        whole=whole,
        locations=choices_of(one for one in catalogue.locations if staff.works_at(one.id)),
        services=tuple(PlaceChoice(id=one.id, name=one.name) for one in catalogue.services),
        staff_people=tuple(PlaceChoice(id=one.id, name=one.name) for one in catalogue.staff_people),
        cutoff_minutes=catalogue.settings.cutoff_minutes,
        may_change=may_change(staff),
        idempotency_key=idempotency_key,
    )


def seat_view(seat: Seat, offered_until: datetime | None = None) -> SeatView:
    return SeatView(
        reservation_id=seat.reservation_id,
        customer_id=seat.customer_id,
        customer_name=seat.customer_name,
        participants=seat.participants,
        state=seat.state,
        checked_in_at=seat.checked_in_at,
        offered_until=offered_until,
    )


def reservation_view(reservation: Reservation) -> SeatView:
    return seat_view(seat_of(reservation), reservation.offered_until)


def activity_page(
    activity: Activity,
    seats: Sequence[Seat],
    catalogue: Catalogue,
    staff: StaffMember,
    *,
    now: datetime,
    whole: bool,
) -> ActivityPage:
    """Who comes by name, who waits in their order, who left."""
    location = catalogue.location(activity.location_id)
    opens, closes = check_in_span(activity)
    scheduled = activity.state is ActivityState.SCHEDULED
    offers = {one.reservation_id: one.offered_until for one in activity.waiting}
    places = list(offers)
    by_name = sorted(seats, key=lambda one: (one.customer_name.casefold(), one.reservation_id))
    waiting = sorted(
        (one for one in seats if one.state in WAITS),
        key=lambda one: places.index(one.reservation_id) if one.reservation_id in offers else -1,
    )
    return ActivityPage(
        activity=activity_row(activity, catalogue),
        location=location.name if location else activity.location_id,
        cutoff_at=activity.cutoff_at,
        roster=tuple(seat_view(one) for one in by_name if one.state in HAS_PLACES),
        waiting=tuple(seat_view(one, offers.get(one.reservation_id)) for one in waiting),
        gone=tuple(seat_view(one) for one in by_name if one.state not in HAS_PLACES | WAITS),
        whole=whole,
        made_at=activity.made_at,
        made_by=activity.made_by,
        cancelled_at=activity.cancelled_at,
        cancelled_by=activity.cancelled_by,
        may_change=may_change(staff),
        may_cancel=may_change(staff) and scheduled and now < activity.ends_at,
        may_check_in=scheduled and opens <= now < closes,
        to_cancel=0 if scheduled else len(live_seats(seats)),
    )
