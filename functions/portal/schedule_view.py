"""What the schedule shows ([BOOK] [PLACES] [WEEKLY]). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlencode

from pydantic import Field, StringConstraints

from functions.portal.pages.schedule_models import (
    ActivityView,
    DayToBook,
    FilterChoice,
    Mine,
    SchedulePage,
    ScheduleView,
)
from shared.domain.activity import Activity
from shared.domain.activity_state import ActivityState
from shared.domain.business import Business, Location
from shared.domain.calendar import local_date, start_of_day
from shared.domain.errors import Missing
from shared.domain.reservation import Reservation
from shared.domain.voucher import charge_of, taxed
from shared.domain.weekly import Standing, holds
from shared.web.answer import Query
from shared.web.pages.names import staff_name

if TYPE_CHECKING:
    from shared.domain.subscription import Subscription


FIRST_DAY = date(2000, 1, 1)


LAST_DAY = date(2199, 12, 31)


DAYS = {ScheduleView.DAY: 1, ScheduleView.WEEK: 7}


Filter = Annotated[str, StringConstraints(max_length=100)]


class ScheduleQuery(Query):
    """`from` is the first local day, by default today; `service` and `staff` are ids."""

    begins: Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)] | None = Field(
        default=None, alias="from"
    )
    view: ScheduleView = ScheduleView.WEEK
    service: Filter = ""
    staff: Filter = ""


def location_at(business: Business, location_id: str) -> Location:
    location = business.location(location_id)
    if location is None:
        raise Missing("There is no such activity.")
    return location


def service_name(business: Business, service_id: str) -> str:
    service = business.service(service_id)
    return service.name if service else ""


def weekly_ones(
    activities: Iterable[Activity],
    reservations: Iterable[Reservation],
    standing: Sequence[Standing],
) -> frozenset[str]:
    """Activities that are the customer's every week: booked so, or to be booked when they are
    paid ([WEEKLY])."""
    booked = {one.activity_id for one in reservations if one.live and one.subscription_id}
    coming = {one.id for one in activities if any(holds(mine, one) for mine in standing)}
    return frozenset(booked | coming)


def mine_by_activity(reservations: Iterable[Reservation]) -> Mapping[str, tuple[Mine, ...]]:
    """What a customer booked or waits for, by activity."""
    found: dict[str, tuple[Mine, ...]] = {}
    for one in reservations:
        if one.live:
            mine = Mine(reservation_id=one.id, state=one.state)
            found[one.activity_id] = (*found.get(one.activity_id, ()), mine)
    return found


def activity_view(
    activity: Activity,
    business: Business,
    now: datetime,
    mine: tuple[Mine, ...] = (),
    *,
    weekly: bool = False,
) -> ActivityView:
    location = location_at(business, activity.location_id)
    price = charge_of(activity, location, business, 0)
    return ActivityView(
        id=activity.id,
        name=activity.name,
        service_id=activity.service_id,
        service=service_name(business, activity.service_id),
        staff_member=staff_name(business, activity.staff_member),
        location=location.name,
        zone=activity.zone,
        starts_at=activity.starts_at,
        ends_at=activity.ends_at,
        cutoff_at=activity.cutoff_at,
        places=activity.places,
        free=activity.free,
        waiting=len(activity.waiting),
        price=price,
        total=price + price.share(taxed(activity.service_id, location, business).rate),
        prepay_online=activity.prepay_online,
        cancelled=activity.state is ActivityState.CANCELLED,
        bookable=activity.open_at(now),
        mine=mine,
        weekly=weekly,
    )


def window(query: ScheduleQuery, location: Location, now: datetime) -> tuple[date, date]:
    """The first local day that is shown, and the day after the last."""
    first = query.begins or local_date(now, location.zone)
    return first, first + timedelta(days=DAYS[query.view])


def instants(days: tuple[date, date], zone: str) -> tuple[datetime, datetime]:
    return start_of_day(days[0], zone), start_of_day(days[1], zone)


def _address(query: ScheduleQuery, begins: date | None, view: ScheduleView) -> str:
    asked = {
        "from": begins.isoformat() if begins else "",
        "view": view.value,
        "service": query.service,
        "staff": query.staff,
    }
    return f"/schedule?{urlencode({name: value for name, value in asked.items() if value})}"


def _filters(
    named: Iterable[tuple[str, str]], there: set[str], chosen: str
) -> tuple[FilterChoice, ...]:
    """All, and each that the days shown have; the chosen one even if they have none of it."""
    choices = [
        FilterChoice(value=value, name=name, selected=value == chosen)
        for value, name in named
        if value in there or value == chosen
    ]
    return (FilterChoice(value="", name="All", selected=not chosen), *choices) if choices else ()


def schedule_page(
    activities: Sequence[Activity],
    reservations: Sequence[Reservation],
    query: ScheduleQuery,
    business: Business,
    location: Location,
    now: datetime,
    *,
    cut: bool,
    standing: Sequence[Standing] = (),
) -> SchedulePage:
    """The days from `from` on; those that are cancelled are left out ([PLACES])."""
    first, end = window(query, location, now)
    open_ones = [one for one in activities if one.state is ActivityState.SCHEDULED]
    shown = [
        one
        for one in open_ones
        if query.service in ("", one.service_id) and query.staff in ("", one.staff_member or "")
    ]
    mine = mine_by_activity(reservations)
    weekly = weekly_ones(shown, reservations, standing)
    by_day: dict[date, list[ActivityView]] = {}
    for one in shown:
        view = activity_view(one, business, now, mine.get(one.id, ()), weekly=one.id in weekly)
        by_day.setdefault(local_date(one.starts_at, location.zone), []).append(view)
    today = local_date(now, location.zone)
    span = end - first
    return SchedulePage(
        view=query.view,
        begins=first,
        ends=end - timedelta(days=1),
        location=location.name,
        zone=location.zone,
        service=query.service,
        staff=query.staff,
        services=_filters(
            ((one.id, one.name) for one in business.services),
            {one.service_id for one in open_ones},
            query.service,
        ),
        staff_members=_filters(
            ((one.id, one.name) for one in business.staff_people),
            {one.staff_member for one in open_ones if one.staff_member},
            query.staff,
        ),
        days=tuple(
            DayToBook(date=day, today=day == today, activities=tuple(by_day.get(day, ())))
            for day in (first + timedelta(days=n) for n in range(span.days))
        ),
        earlier=_address(query, first - span, query.view) if first - span >= FIRST_DAY else None,
        later=_address(query, end, query.view) if end <= LAST_DAY else None,
        now_here=_address(query, None, query.view),
        day_here=_address(query, query.begins, ScheduleView.DAY),
        week_here=_address(query, query.begins, ScheduleView.WEEK),
        cut=cut,
    )


def standing_held(subscriptions: "Iterable[Subscription]") -> tuple[Standing, ...]:
    """A customer's weekly places that go on."""
    return tuple(
        one.terms.standing
        for one in subscriptions
        if one.terms.standing is not None and not one.over
    )
