"""The schedule, booking from it, and reservations ([BOOK] [PLACES] [LEDGER] [KEY] [OWN])."""

from typing import Any

from functions.portal import booking_view, hosted, reservation_routes, weekly_view
from functions.portal.booking_app import app
from functions.portal.booking_view import ActivityQuery, ScheduleQuery
from functions.portal.ids import Id, path_id
from functions.portal.pages.booking_models import ActivityToBook, ReservationPage, SchedulePage
from functions.portal.side_by_side import side_by_side
from shared.domain.activity import MAX_PARTICIPANTS, Activity
from shared.domain.errors import Missing, PunchcardError
from shared.domain.reservation import Reservation, ReservationState
from shared.domain.spending import Spending
from shared.domain.weekly import Standing
from shared.operations import booking
from shared.operations.booking import Wish
from shared.operations.visit import Claims, Ref
from shared.store import accounts
from shared.store.accounts import SCHEDULE_LIMIT
from shared.store.engine import Row
from shared.web.answer import Answer, Input
from shared.web.request import Request, Who

ALSO = (reservation_routes,)
"""A module whose routes this function serves too: importing it adds the routes."""

RESERVATIONS_MATCHED = 300
"""How many of a customer's latest reservations the schedule is compared with."""


def _mine(customer_id: str) -> list[Reservation]:
    """One round trip."""
    page = accounts.reservations_of(customer_id, limit=RESERVATIONS_MATCHED)
    return [row.value for row in page.rows]


def _weekly(customer_id: str) -> tuple[Standing, ...]:
    """One round trip."""
    rows = accounts.subscriptions_of(customer_id).rows
    return weekly_view.standing_held([row.value for row in rows])


@app.get(
    "/schedule",
    page="schedule",
    answer=SchedulePage,
    query=ScheduleQuery,
    summary="What can be booked at the chosen location, by day or week.",
)
def schedule(request: Request) -> Answer:
    """Two round trips: who is here, and then, side by side, the days and the customer's own
    reservations and weekly places. Who never had any has none to be read."""
    query: ScheduleQuery = request.query
    location, now = request.location, request.now
    begins, ends = booking_view.instants(booking_view.window(query, location, now), location.zone)

    def days() -> tuple[Row[Activity], ...]:
        return accounts.schedule_of(location.id, begins, ends)

    customer = request.customer.value if request.customer else None
    standing: tuple[Standing, ...] = ()
    if customer is not None and customer.has_weekly:
        customer_id = customer.id
        rows, (mine, standing) = side_by_side(
            days, lambda: side_by_side(lambda: _mine(customer_id), lambda: _weekly(customer_id))
        )
    elif customer is not None and customer.has_reservations:
        customer_id = customer.id
        rows, mine = side_by_side(days, lambda: _mine(customer_id))
    else:
        rows, mine = days(), []
    return Answer(
        booking_view.schedule_page(
            [row.value for row in rows],
            mine,
            query,
            request.catalogue,
            location,
            now,
            cut=len(rows) >= SCHEDULE_LIMIT,
            standing=standing,
        )
    )


def _activity_page(request: Request, activity_id: str, participants: int) -> ActivityToBook:
    """With what booking it would use: two round trips."""
    ref = accounts.activity(activity_id)
    row = request.load(ref).get(ref)
    if row is None:
        raise Missing("There is no such activity.")
    activity, context = row.value, hosted.context(request)
    booking_view.location_at(request.catalogue, activity.location_id)
    customer = request.customer.value if request.customer else None
    plan: Spending | None = None
    mine: list[Reservation] = []
    if customer is not None:
        customer_id = customer.id
        packs, mine = side_by_side(
            lambda: booking.packs_in_hand(customer_id), lambda: _mine(customer_id)
        )
        plan = booking.plan_for(context, activity, packs, participants)
    return booking_view.activity_page(
        activity,
        plan,
        mine,
        request.catalogue,
        customer,
        participants,
        request.now,
        provider_ready=hosted.is_ready(request),
        idempotency_key=request.wiring.new_id(),
        weekly=weekly_view.weekly_offers(
            activity,
            request.catalogue,
            request.location,
            customer,
            request.now,
            provider_ready=hosted.is_ready(request),
        ),
    )


@app.get(
    "/schedule/{activity}",
    page="activity",
    answer=ActivityToBook,
    query=ActivityQuery,
    summary="One activity, and what booking it would use.",
)
def activity(request: Request) -> Answer:
    query: ActivityQuery = request.query
    return Answer(_activity_page(request, path_id(request, "activity"), query.participants))


# --- booking ---------------------------------------------------------------------------------


class Book(Input):
    """`wait`: join the waiting list where there are not enough places. `pay_later`: what no credit
    pays is paid at the start. `pack`: use only this pack's credits; else those that are spent
    first."""

    activity: Id
    participants: int = 1
    wait: bool = False
    pay_later: bool = False
    pack: Id | None = None


def _participants(typed: object) -> int:
    """As many as were typed, where that is a number that may be booked; else one."""
    text = str(typed)
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 1
    return number if 1 <= number <= MAX_PARTICIPANTS else 1


def _activity_again(request: Request, _: PunchcardError) -> Answer | None:
    """The activity's page with what is wrong, as it now is, and a new key."""
    try:
        page = _activity_page(
            request,
            str(request.typed.get("activity", "")),
            _participants(request.typed.get("participants", 1)),
        )
    except Missing:
        return None
    return Answer(page, page="activity")


@app.post(
    "/reservations",
    answer=ReservationPage,
    body=Book,
    who=Who.CUSTOMER,
    idempotency_key=True,
    on_error=_activity_again,
    status=201,
    summary="Book places in an activity, or join its waiting list.",
)
def book(request: Request) -> Answer:
    """Three round trips: what is there, the packs, and the one transaction."""
    body: Book = request.body
    reservation_id = request.wiring.new_id()

    def wish_of(customer_id: str) -> Wish:
        return Wish(
            customer_id=customer_id,
            activity_id=body.activity,
            participants=body.participants,
            wait=body.wait,
            pay_later=body.pay_later,
            pack_id=body.pack,
        )

    def refs(claims: Claims) -> list[Ref[Any]]:
        if claims.customer_id is None:
            return []
        wish = wish_of(claims.customer_id)
        return list(wish.refs(wish.press(request.idempotency_key, reservation_id)))

    found = request.load(refs)
    customer = request.signed_in
    wish = wish_of(customer.value.id)
    press = wish.press(request.idempotency_key, reservation_id)
    made = booking.book(hosted.context(request), wish, press, customer, found)
    waits = made.state in (ReservationState.WAITING, ReservationState.OFFERED)
    return Answer(
        reservation_routes.page_of(request, made),
        status=201,
        location=f"/reservations/{made.id}",
        done="place_waiting" if waits else "place_booked",
    )


handler = app.handler
