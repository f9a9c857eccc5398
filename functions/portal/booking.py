"""Booking what the schedule has, and reservations ([BOOK] [PLACES] [LEDGER] [KEY] [OWN])."""

from http import HTTPStatus
from typing import Any

from functions.portal import booking_view, hosted, reservation_routes, schedule_view, weekly_view
from functions.portal.book_form import Book, buying_of
from functions.portal.booking_app import app
from functions.portal.booking_view import ActivityQuery
from functions.portal.declines import said_of
from functions.portal.ids import path_id
from functions.portal.matched import reservations_matched
from functions.portal.pack_choices import chosen, packs_to_use
from functions.portal.pages.activity_models import ActivityToBook, PackToUse, PlaceChoice
from functions.portal.pages.reservation_models import ReservationPage
from functions.portal.pay_form import settled
from functions.portal.place_choices import place_choices
from functions.portal.reservation_view import MoneyBehind
from shared.domain.errors import Conflict, Declined, Missing, PunchcardError
from shared.domain.participants import MAX_PARTICIPANTS
from shared.domain.reservation import Reservation, ReservationState
from shared.domain.spending import Spending
from shared.operations import booking, buying_place
from shared.operations.booking import Wish
from shared.operations.buying_place import Bought
from shared.operations.submissions import Press
from shared.operations.visit import Claims, Ref
from shared.store import accounts
from shared.web.answer import Answer
from shared.web.request import Request, Who
from shared.web.side_by_side import side_by_side

ALSO = (reservation_routes,)
"""A module whose routes this function serves too: importing it adds the routes."""


def _activity_page(
    request: Request,
    activity_id: str,
    participants: int,
    card: str = "",
    pack_id: str | None = None,
) -> ActivityToBook:
    """With what booking it would use: two round trips. With `pack_id` only that pack's credits:
    `Missing` or `Conflict` when it can't be used."""
    ref = accounts.activity(activity_id)
    row = request.load(ref).get(ref)
    if row is None:
        raise Missing("There is no such activity.")
    activity, context = row.value, hosted.context(request)
    schedule_view.location_at(request.catalogue, activity.location_id)
    customer = request.customer.value if request.customer else None
    plan: Spending | None = None
    choices: tuple[PlaceChoice, ...] = ()
    mine: list[Reservation] = []
    in_hand: tuple[PackToUse, ...] = ()
    offer: Reservation | None = None
    if customer is not None:
        customer_id = customer.id
        packs, mine = side_by_side(
            lambda: booking.packs_in_hand(customer_id, pack_id),
            lambda: reservations_matched(customer_id),
        )
        offer = booking_view.offer_of(activity, mine, request.now)
        participants = offer.participants if offer else participants
        in_hand = packs_to_use(context, activity, packs, participants)
        used = chosen(context, activity, packs, participants, pack_id)
        plan = booking.plan_for(context, activity, used, participants)
        if activity.open_at(request.now) and (offer or participants <= activity.free):
            choices = place_choices(context, activity, packs, plan, participants, customer)
    return booking_view.activity_page(
        activity,
        plan,
        mine,
        request.catalogue,
        customer,
        participants,
        request.now,
        provider_ready=hosted.is_ready(request),
        set_up=hosted.set_up(request) if choices else None,
        idempotency_key=request.wiring.new_id(),
        choices=choices,
        chosen_card=card,
        in_hand=in_hand,
        pack_id=pack_id or "",
        offer=offer,
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
    activity_id = path_id(request, "activity")
    page = _activity_page(request, activity_id, query.participants, query.card, query.pack)
    return Answer(page, leads_to=hosted.origins(request))


# --- booking ---------------------------------------------------------------------------------


def _participants(typed: object) -> int:
    """As many as were typed, where that is a number that may be booked; else one."""
    text = str(typed)
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else 1
    return number if 1 <= number <= MAX_PARTICIPANTS else 1


def _activity_again(request: Request, error: PunchcardError) -> Answer | None:
    """The activity's page with what is wrong, as it now is, and a new key; without the pack that
    was named when that can't be used."""
    if isinstance(error, Declined):
        request.problems = {"card": said_of(error)}
    typed = request.typed
    activity_id, card = str(typed.get("activity", "")), str(typed.get("card", ""))
    participants = _participants(typed.get("participants", 1))
    pack_id = str(typed.get("pack", "")) or None
    try:
        try:
            page = _activity_page(request, activity_id, participants, card, pack_id)
        except Conflict:
            page = _activity_page(request, activity_id, participants, card)
    except Missing:
        return None
    return Answer(page, page="activity", leads_to=hosted.origins(request))


@app.post(
    "/reservations",
    answer=ReservationPage,
    body=Book,
    who=Who.CUSTOMER,
    idempotency_key=True,
    on_error=_activity_again,
    status=201,
    summary="Book places in an activity, with credits or money, or join its waiting list.",
)
def book(request: Request) -> Answer:
    """Three round trips: what is there, the packs, and the one transaction. Paying adds the call of
    the provider, what it settles (a reading and a transaction), and the reading of what came of it.
    """
    body: Book = request.body
    reservation_id = body.offer or request.wiring.new_id()
    buying = buying_of(body)

    def wish_of(customer_id: str) -> Wish:
        return Wish(
            customer_id=customer_id,
            activity_id=body.activity,
            participants=body.participants,
            wait=body.wait,
            pay_later=body.later,
            pack_id=body.pack,
            expected_total_minor=None if buying or body.wait else body.chosen[1],
            offer=body.offer,
        )

    def press_of(wish: Wish) -> Press:
        key = request.idempotency_key
        return (
            buying.press(wish, key, reservation_id) if buying else wish.press(key, reservation_id)
        )

    def refs(claims: Claims) -> list[Ref[Any]]:
        if claims.customer_id is None:
            return []
        wish = wish_of(claims.customer_id)
        return list(wish.refs(press_of(wish)))

    found = request.load(refs)
    customer = request.signed_in
    wish, context = wish_of(customer.value.id), hosted.context(request)
    if buying is not None:
        bought = buying_place.buy_place(context, wish, buying, press_of(wish), customer, found)
        return _bought(request, bought)
    made = booking.book(context, wish, press_of(wish), customer, found)
    waits = made.state in (ReservationState.WAITING, ReservationState.OFFERED)
    return Answer(
        reservation_routes.page_of(request, made),
        status=201,
        location=f"/reservations/{made.id}",
        done="place_waiting" if waits else "place_booked",
    )


def _bought(request: Request, bought: Bought) -> Answer:
    """Booked and paid, or to be paid later; or on the way to the bank. Raises `Declined`: then the
    places are free again."""
    answered, made = bought.answered, bought.reservation
    done, status, location = "place_booked", 201, f"/reservations/{made.id}"
    if answered is not None:
        done, status, bank = settled(request, answered)
        if status == HTTPStatus.OK:
            done, status = "place_paid", HTTPStatus.CREATED
        location = bank or location
    money = MoneyBehind(bought.invoice, answered.charge if answered else None)
    return Answer(
        reservation_routes.page_of(request, made, money),
        status=status,
        location=location,
        done=None if location != f"/reservations/{made.id}" else done,
    )


handler = app.handler
