"""Reservations: what there is, giving back, moving, taking an offer ([PLACES] [KEY] [OWN])."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from functions.portal import booking_view, hosted, reservation_view, schedule_view
from functions.portal.booking_app import app
from functions.portal.ids import Id, path_id
from functions.portal.listing import ONE_PAGE, ListQuery, merged
from functions.portal.owned import listed, load
from functions.portal.pages.activity_models import PackOffer, PlanView
from functions.portal.pages.reservation_models import MovePage, ReservationPage, ReservationsPage
from functions.portal.pay_form import press_for
from functions.portal.reservation_view import MoneyBehind
from shared.domain.activity import Activity
from shared.domain.errors import Missing, PunchcardError
from shared.domain.invoice import InvoiceState, charge_source
from shared.domain.reservation import Reservation, ReservationState
from shared.operations import booking, giving_back, moving, planning
from shared.operations.submissions import Press, once
from shared.operations.visit import Found, Ref
from shared.store import accounts
from shared.store.records import Submission
from shared.web.answer import Answer, Input
from shared.web.request import Request, Who
from shared.web.side_by_side import side_by_side

MOVE_DAYS = 14
"""How far ahead other activities are offered to move to."""


@app.get(
    "/reservations",
    page="reservations",
    answer=ReservationsPage,
    query=ListQuery,
    who=Who.CUSTOMER,
    summary="Reservations: those to come, then the past ones.",
)
def reservations(request: Request) -> Answer:
    query: ListQuery = request.query
    customer_id = request.signed_in.value.id
    live, past = side_by_side(
        lambda: accounts.live_reservations_of(customer_id),
        lambda: accounts.past_reservations_of(customer_id, limit=ONE_PAGE, after=query.after),
    )
    coming, others = reservation_view.coming_and_others([row.value for row in live], request.now)
    return Answer(
        reservation_view.reservations_page(
            coming if query.after is None else (),
            merged(others, query.after, listed(past)),
            request.catalogue,
            request.now,
        )
    )


def _reservation(request: Request, *more: Callable[[str], Ref[Any]]) -> tuple[Reservation, Found]:
    """The reservation in the path, fresh. `Missing` for what is not this customer's ([OWN])."""
    reservation_id = path_id(request, "reservation")

    def refs(customer_id: str) -> list[Ref[Any]]:
        own = accounts.reservation(customer_id, reservation_id)
        return [own, *(ref(customer_id) for ref in more)]

    found = load(request, refs)
    row = found.get(accounts.reservation(request.signed_in.value.id, reservation_id))
    if row is None:
        raise Missing("There is no such reservation.")
    return row.value, found


def _money(request: Request, reservation: Reservation) -> MoneyBehind:
    """Its invoice with the charge that collects it: one round trip where there is one. A place
    that is offered is asked for by none: one that could not be paid is void."""
    if reservation.invoice_id is None or reservation.state is ReservationState.OFFERED:
        return MoneyBehind()
    customer_id, invoice_id = reservation.customer_id, reservation.invoice_id
    invoice_ref = accounts.invoice(customer_id, invoice_id)
    charge_ref = accounts.charge(customer_id, charge_source(invoice_id))
    found = request.load(invoice_ref, charge_ref)
    invoice, charge = found.get(invoice_ref), found.get(charge_ref)
    if invoice is not None and invoice.value.times_reversed:
        charge_ref = accounts.charge(customer_id, invoice.value.charged_under)
        charge = request.load(charge_ref).get(charge_ref)
    return MoneyBehind(invoice.value if invoice else None, charge.value if charge else None)


def page_of(
    request: Request, reservation: Reservation, money: MoneyBehind | None = None
) -> ReservationPage:
    """Its page; `money` where it was read already. While a place is offered, two more round trips
    say what accepting would use."""
    offered: tuple[Activity, PlanView] | None = None
    packs: tuple[PackOffer, ...] = ()
    customer = request.signed_in.value
    if reservation.state is ReservationState.OFFERED:
        ref = accounts.activity(reservation.activity_id)
        row = request.load(ref).get(ref)
        if row is not None:
            in_hand = planning.packs_in_hand(customer.id)
            plan = planning.plan_for(
                hosted.context(request), row.value, in_hand, reservation.participants
            )
            shown = booking_view.plan_view(row.value, plan, reservation.participants, request.now)
            offered = (row.value, shown)
            if plan.due:
                packs = booking_view.packs_for(
                    row.value,
                    request.catalogue,
                    customer,
                    provider_ready=hosted.is_ready(request),
                )
    return reservation_view.reservation_page(
        reservation,
        request.catalogue,
        request.now,
        money=money or _money(request, reservation),
        offered=offered,
        packs=packs,
        cancel_key=request.wiring.new_id(),
        accept_key=request.wiring.new_id(),
    )


def _again(request: Request, error: PunchcardError) -> Answer | None:
    """Its page with what went wrong, and new keys."""
    if isinstance(error, Missing):
        return None
    found, _ = _reservation(request)
    return Answer(page_of(request, found), page="reservation")


@app.get(
    "/reservations/{reservation}",
    page="reservation",
    answer=ReservationPage,
    who=Who.CUSTOMER,
    summary="One reservation: what holds it, what is due, and until when it can be cancelled.",
)
def reservation(request: Request) -> Answer:
    found, _ = _reservation(request)
    return Answer(page_of(request, found))


def _pressed(
    request: Request,
    press_of: Callable[[str], Press],
    change: Callable[[str, Press], Reservation],
) -> Reservation:
    """The reservation after `change`, which an earlier press of the same may have made."""
    _, found = _reservation(request, lambda customer_id: press_of(customer_id).ref)
    customer_id = request.signed_in.value.id
    press = press_of(customer_id)
    made: list[Reservation] = []

    def do(_: tuple[str, Submission]) -> None:
        made.append(change(customer_id, press))

    once(press, found.get(press.ref), request.now, do)
    return made[-1] if made else _reservation(request)[0]


def _led(request: Request, after: Reservation, done: str) -> Answer:
    return Answer(page_of(request, after), location=f"/reservations/{after.id}", done=done)


# --- giving it back --------------------------------------------------------------------------


@app.post(
    "/reservations/{reservation}/cancel",
    answer=ReservationPage,
    who=Who.CUSTOMER,
    idempotency_key=True,
    on_error=_again,
    summary="Cancel a reservation, or leave the waiting list.",
)
def cancel(request: Request) -> Answer:
    reservation_id = path_id(request, "reservation")
    after = _pressed(
        request,
        press_for(request, "cancel_reservation", reservation_id),
        lambda customer_id, press: giving_back.cancel(
            hosted.context(request), customer_id, reservation_id, press=press
        ),
    )
    if after.state is ReservationState.CANCELLED_LATE:
        return _led(request, after, "reservation_cancelled_late")
    page = page_of(request, after)
    void = page.invoice is not None and page.invoice.state is InvoiceState.VOID
    money = void or (page.invoice is not None and not after.held)
    done = "reservation_given_up" if money else "reservation_cancelled"
    return Answer(page, location=f"/reservations/{after.id}", done=done)


# --- a place that is offered -----------------------------------------------------------------


class Accept(Input):
    """`pay_later`: what no credit pays is paid at the start."""

    pay_later: bool = False


@app.post(
    "/reservations/{reservation}/accept",
    answer=ReservationPage,
    body=Accept,
    who=Who.CUSTOMER,
    idempotency_key=True,
    on_error=_again,
    summary="Take a place that was freed and is offered.",
)
def accept(request: Request) -> Answer:
    body: Accept = request.body
    reservation_id = path_id(request, "reservation")
    after = _pressed(
        request,
        press_for(request, "accept", reservation_id, str(body.pay_later)),
        lambda customer_id, press: booking.accept(
            hosted.context(request),
            customer_id,
            reservation_id,
            pay_later=body.pay_later,
            press=press,
        ),
    )
    return _led(request, after, "place_booked")


# --- moving it -------------------------------------------------------------------------------


def _move_page(request: Request) -> MovePage:
    found, _ = _reservation(request)
    why_not, now, catalogue = (
        reservation_view.why_not_move(found, request.now),
        request.now,
        request.catalogue,
    )
    fitting = []
    if why_not is None:
        refs = [accounts.pack(found.customer_id, one.pack_id) for one in found.held]
        until = now + timedelta(days=MOVE_DAYS)
        read, rows = side_by_side(
            lambda: request.load(*refs),
            lambda: accounts.schedule_of(found.location_id, now, until),
        )
        packs = [row.value for row in map(read.get, refs) if row is not None]
        fitting = [
            row.value
            for row in rows
            if moving.can_move_to(hosted.context(request), found, packs, row.value)
        ]
    return MovePage(
        reservation=reservation_view.reservation_view(found, catalogue, now),
        activities=tuple(schedule_view.activity_view(one, catalogue, now) for one in fitting),
        days_ahead=MOVE_DAYS,
        why_not=why_not,
        idempotency_key=request.wiring.new_id(),
    )


@app.get(
    "/reservations/{reservation}/move",
    page="move",
    answer=MovePage,
    who=Who.CUSTOMER,
    summary="Where a reservation can be moved to; nothing happens yet.",
)
def ask_to_move(request: Request) -> Answer:
    return Answer(_move_page(request))


class Move(Input):
    activity: Id


def _move_again(request: Request, error: PunchcardError) -> Answer | None:
    if isinstance(error, Missing) and "activity" not in request.typed:
        return None
    try:
        return Answer(_move_page(request), page="move")
    except Missing:
        return None


@app.post(
    "/reservations/{reservation}/move",
    answer=ReservationPage,
    body=Move,
    who=Who.CUSTOMER,
    idempotency_key=True,
    on_error=_move_again,
    summary="Move a reservation to another activity of its service; its credits go along.",
)
def move(request: Request) -> Answer:
    body: Move = request.body
    reservation_id = path_id(request, "reservation")
    after = _pressed(
        request,
        press_for(request, "move", reservation_id, body.activity),
        lambda customer_id, press: moving.move(
            hosted.context(request), customer_id, reservation_id, body.activity, press
        ),
    )
    return _led(request, after, "reservation_moved")
