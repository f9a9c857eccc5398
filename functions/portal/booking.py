"""Booking what the schedule has, and reservations ([BOOK] [PLACES] [LEDGER] [KEY] [OWN])."""

from http import HTTPStatus
from typing import Any

from functions.portal import hosted, reservation_routes
from functions.portal.book_form import Book, buying_of
from functions.portal.booking_app import app
from functions.portal.declines import said_of
from functions.portal.pages.reservation_models import ReservationPage
from functions.portal.pay_form import settled
from functions.portal.reservation_view import MoneyBehind
from shared.domain.errors import Conflict, Declined, Missing, PunchcardError
from shared.domain.participants import MAX_PARTICIPANTS
from shared.domain.reservation import ReservationState
from shared.operations import booking, buying_place
from shared.operations.booking import Wish
from shared.operations.buying_place import Bought
from shared.operations.submissions import Press
from shared.operations.visit import Claims, Ref
from shared.web.answer import Answer
from shared.web.request import Request, Who

ALSO = (reservation_routes,)
"""A module whose routes this function serves too: importing it adds the routes."""


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
    from functions.portal.activity_page import activity_page

    typed = request.typed
    activity_id, card = str(typed.get("activity", "")), str(typed.get("card", ""))
    participants = _participants(typed.get("participants", 1))
    pack_id = str(typed.get("pack", "")) or None
    try:
        try:
            page = activity_page(request, activity_id, participants, card, pack_id)
        except Conflict:
            page = activity_page(request, activity_id, participants, card)
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
