"""What the pages of schedule and reservations show. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from pydantic import Field, StringConstraints

from functions.portal.ids import Id
from functions.portal.pages.activity_models import (
    ActivityToBook,
    HeldView,
    PackOffer,
    PackToUse,
    PlaceChoice,
    PlanView,
    WeeklyOffer,
    WhyNotBook,
)
from functions.portal.pages.schedule_models import (
    ActivityView,
    DayToBook,
    FilterChoice,
    Mine,
    SchedulePage,
    ScheduleView,
)
from shared.domain.activity import Activity, ActivityState
from shared.domain.calendar import local_date, start_of_day
from shared.domain.customer import MAX_CARDS, Customer
from shared.domain.errors import Missing
from shared.domain.product import MAX_PARTICIPANTS, Catalogue, Location, Product, ProductKind
from shared.domain.reservation import Held, Reservation, ReservationState
from shared.domain.shopping import listed, tax_rate_of
from shared.domain.spending import Spending
from shared.domain.voucher import charge_of, taxed
from shared.domain.weekly import Standing, holds
from shared.operations.booking import estimate
from shared.operations.buying_place import sold_with_places
from shared.web.answer import Query
from shared.web.pages.cards import card_views
from shared.web.pages.names import staff_name

FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2199, 12, 31)
DAYS = {ScheduleView.DAY: 1, ScheduleView.WEEK: 7}
PACKS_OFFERED = 5
"""Packs of the shop that a page names at most."""

Filter = Annotated[str, StringConstraints(max_length=100)]


class ScheduleQuery(Query):
    """`from` is the first local day, by default today; `service` and `staff` are ids."""

    begins: Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)] | None = Field(
        default=None, alias="from"
    )
    view: ScheduleView = ScheduleView.WEEK
    service: Filter = ""
    staff: Filter = ""


class ActivityQuery(Query):
    """`card` is the one to begin with, such as one that was just added. `pack`: what booking with
    that pack alone would use."""

    card: Filter = ""
    pack: Id | None = None
    participants: Annotated[int, Field(ge=1, le=MAX_PARTICIPANTS)] = 1


# --- activities ------------------------------------------------------------------------------


def location_at(catalogue: Catalogue, location_id: str) -> Location:
    location = catalogue.location(location_id)
    if location is None:
        raise Missing("There is no such activity.")
    return location


def service_name(catalogue: Catalogue, service_id: str) -> str:
    service = catalogue.service(service_id)
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
    catalogue: Catalogue,
    now: datetime,
    mine: tuple[Mine, ...] = (),
    *,
    weekly: bool = False,
) -> ActivityView:
    location = location_at(catalogue, activity.location_id)
    price = charge_of(activity, location, catalogue, 0)
    return ActivityView(
        id=activity.id,
        name=activity.name,
        service_id=activity.service_id,
        service=service_name(catalogue, activity.service_id),
        staff_member=staff_name(catalogue, activity.staff_member),
        location=location.name,
        zone=activity.zone,
        starts_at=activity.starts_at,
        ends_at=activity.ends_at,
        cutoff_at=activity.cutoff_at,
        places=activity.places,
        free=activity.free,
        waiting=len(activity.waiting),
        price=price,
        total=price + price.share(taxed(activity.service_id, location, catalogue).rate),
        prepay_online=activity.prepay_online,
        cancelled=activity.state is ActivityState.CANCELLED,
        bookable=activity.open_at(now),
        mine=mine,
        weekly=weekly,
    )


# --- the schedule ----------------------------------------------------------------------------


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
    catalogue: Catalogue,
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
        view = activity_view(one, catalogue, now, mine.get(one.id, ()), weekly=one.id in weekly)
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
            ((one.id, one.name) for one in catalogue.services),
            {one.service_id for one in open_ones},
            query.service,
        ),
        staff_members=_filters(
            ((one.id, one.name) for one in catalogue.staff_people),
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


# --- one activity ----------------------------------------------------------------------------


def held_view(held: Held) -> HeldView:
    return HeldView(
        pack_id=held.pack_id,
        name=held.pack_name,
        participants=held.participants,
        credits=held.credits,
        worth=held.worth,
    )


def plan_view(activity: Activity, plan: Spending, participants: int, now: datetime) -> PlanView:
    return PlanView(
        held=tuple(held_view(one) for one in plan.held),
        charge=plan.charge,
        due=plan.due,
        total=estimate(activity, plan, participants, now),
        on_hold=plan.on_hold,
    )


def _would_pay(product: Product, activity: Activity, catalogue: Catalogue) -> bool:
    """Whether credits of a pack that is bought now would be for this activity; until when they
    would be valid is said in the shop."""
    return (
        (catalogue.settings.any_service or product.service in (None, activity.service_id))
        and product.credits != 0
        and not product.standing
        and (product.staff_members is None or activity.staff_member in product.staff_members)
    )


def packs_for(
    activity: Activity,
    catalogue: Catalogue,
    customer: Customer,
    *,
    provider_ready: bool,
    only_in_shop: bool = False,
) -> tuple[PackOffer, ...]:
    """Packs on sale at the activity's location whose credits would pay for it; `only_in_shop` are
    those that can't be bought with a place."""
    location = location_at(catalogue, activity.location_id)
    found = []
    for product in listed(
        catalogue,
        location,
        customer,
        provider_ready=provider_ready,
        kinds=frozenset({ProductKind.PACKAGE, ProductKind.SUBSCRIPTION}),
    ):
        price = product.price_in(location.currency)
        if only_in_shop and sold_with_places(product):
            continue
        if price is not None and _would_pay(product, activity, catalogue):
            tax = price.share(tax_rate_of(product, location, catalogue.settings))
            offer = PackOffer(
                product_id=product.id, name=product.name, price=price, total=price + tax
            )
            found.append(offer)
    return tuple(found[:PACKS_OFFERED])


def _why_not(
    activity: Activity,
    plan: Spending | None,
    mine: tuple[Mine, ...],
    now: datetime,
    *,
    wait: bool,
    buys_offer: bool,
    provider_ready: bool,
) -> WhyNotBook | None:
    if activity.state is ActivityState.CANCELLED:
        return WhyNotBook.CANCELLED
    if now >= activity.starts_at:
        return WhyNotBook.BEGUN
    if plan is None:
        return WhyNotBook.SIGNED_OUT
    waits = (ReservationState.WAITING, ReservationState.OFFERED)
    if not buys_offer and any(one.state in waits for one in mine):
        return WhyNotBook.WAITING_ALREADY
    prepaid = plan.due and activity.prepay_online and not wait
    return WhyNotBook.PREPAY if prepaid and not provider_ready else None


def offer_of(
    activity: Activity, reservations: Iterable[Reservation], now: datetime
) -> Reservation | None:
    """The customer's reservation to which a place of this activity is offered and still held."""
    for one in reservations:
        waiting = activity.waits(one.id)
        if waiting is not None and waiting.offered_until and waiting.offered_until > now:
            return one
    return None


def activity_page(
    activity: Activity,
    plan: Spending | None,
    reservations: Sequence[Reservation],
    catalogue: Catalogue,
    customer: Customer | None,
    participants: int,
    now: datetime,
    *,
    provider_ready: bool,
    set_up: Collection[str] | None = None,
    idempotency_key: str,
    choices: tuple[PlaceChoice, ...] = (),
    chosen_card: str = "",
    weekly: tuple[WeeklyOffer, ...] = (),
    in_hand: tuple[PackToUse, ...] = (),
    pack_id: str = "",
    offer: Reservation | None = None,
) -> ActivityToBook:
    """`plan` is None for who is not signed in. `chosen_card` is preselected while it is on file,
    else the default one. `offer` is the customer's reservation to which a freed place is offered:
    what credits do not pay of that is bought here."""
    mine = mine_by_activity(reservations).get(activity.id, ())
    wait = offer is None and participants > activity.free
    buys_offer = offer is not None and bool(choices) and provider_ready
    card = customer.card_for(chosen_card) if customer and choices else None
    return ActivityToBook(
        activity=activity_view(
            activity, catalogue, now, mine, weekly=activity.id in weekly_ones([], reservations, ())
        ),
        schedule_here=f"/schedule?from={local_date(activity.starts_at, activity.zone)}",
        participants=participants,
        max_participants=MAX_PARTICIPANTS,
        plan=plan_view(activity, plan, participants, now) if plan else None,
        wait=wait,
        why_not=_why_not(
            activity,
            plan,
            mine,
            now,
            wait=wait,
            buys_offer=buys_offer,
            provider_ready=provider_ready,
        ),
        offer=offer.id if offer else None,
        offered_until=offer.offered_until if offer else None,
        choices=choices,
        pay_now=bool(choices) and provider_ready,
        pay_later=bool(choices) and not activity.prepay_online and offer is None,
        cards=card_views(customer, now, set_up) if customer and choices else (),
        card=card.id if card else None,
        can_add_card=(
            customer is not None
            and bool(choices)
            and provider_ready
            and len(customer.cards) < MAX_CARDS
        ),
        packs=(
            packs_for(
                activity, catalogue, customer, provider_ready=provider_ready, only_in_shop=True
            )
            if customer is not None and choices
            else ()
        ),
        in_hand=() if wait else in_hand,
        pack="" if wait else pack_id,
        weekly=weekly,
        idempotency_key=idempotency_key,
    )
