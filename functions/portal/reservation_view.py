"""What the pages of reservations show, and what is paid or still to be paid of one. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from functions.portal.booking_view import held_view
from functions.portal.listing import Listed, page_of
from functions.portal.pages.activity_models import PackOffer, PlanView
from functions.portal.pages.reservation_models import (
    PlacePayment,
    ReservationPage,
    ReservationsPage,
    ReservationView,
    WhyNotMove,
)
from functions.portal.schedule_view import service_name
from shared.domain.activity import Activity
from shared.domain.charge import Charge
from shared.domain.invoice import Invoice, InvoiceState
from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.domain.place_lines import invoice_lines
from shared.domain.product import Catalogue
from shared.domain.reservation import Reservation, ReservationState
from shared.web.pages.invoices import invoice_summary
from shared.web.pages.lines import line_view, totals_of
from shared.web.pages.names import place_name, staff_name

TAKEN = frozenset(
    {ReservationState.BOOKED, ReservationState.REDEEMED, ReservationState.CANCELLED_LATE}
)
"""States in which a place is to be paid for: nothing is due for what was not taken."""


def is_upcoming(reservation: Reservation, now: datetime) -> bool:
    return reservation.live and now < reservation.ends_at


def reservation_view(
    reservation: Reservation, catalogue: Catalogue, now: datetime
) -> ReservationView:
    taken = reservation.state in TAKEN
    nothing = Money.zero(reservation.charge.currency)
    return ReservationView(
        id=reservation.id,
        activity_id=reservation.activity_id,
        name=reservation.name,
        service=service_name(catalogue, reservation.service_id),
        staff_member=staff_name(catalogue, reservation.staff_member),
        location=place_name(catalogue, reservation.location_id),
        zone=reservation.zone,
        starts_at=reservation.starts_at,
        ends_at=reservation.ends_at,
        cutoff_at=reservation.cutoff_at,
        participants=reservation.participants,
        state=reservation.state,
        upcoming=is_upcoming(reservation, now),
        charge=reservation.charge,
        due=reservation.due if taken else nothing,
        owes=reservation.owes if taken else nothing,
        outstanding=reservation.outstanding,
        invoice_id=reservation.invoice_id,
        offered_until=reservation.offered_until,
        subscription_id=reservation.subscription_id,
        booked_at=reservation.booked_at,
        ended_at=reservation.ended_at,
    )


def coming_and_others(
    reservations: Iterable[Reservation], now: datetime
) -> tuple[list[Reservation], list[Reservation]]:
    """Those to come, by their start; and those that are not."""
    others: list[Reservation] = []
    coming: list[Reservation] = []
    for one in reservations:
        (coming if is_upcoming(one, now) else others).append(one)
    return sorted(coming, key=lambda one: (one.starts_at, one.id)), others


def reservations_page(
    coming: Sequence[Reservation],
    others: Listed[Reservation],
    catalogue: Catalogue,
    now: datetime,
) -> ReservationsPage:
    """Those to come, then a page of the others: those booked last, by their start."""
    shown, following = page_of(others.items, others.ended_at, "/reservations")
    latest = sorted(shown, key=lambda one: (one.starts_at, one.id), reverse=True)
    return ReservationsPage(
        reservations=tuple(reservation_view(one, catalogue, now) for one in (*coming, *latest)),
        next=following,
    )


# --- what was paid for it --------------------------------------------------------------------


class MoneyBehind(NamedTuple):
    """The invoice that asks for a reservation, and the charge that collects it, if any."""

    invoice: Invoice | None = None
    charge: Charge | None = None


NO_MONEY = MoneyBehind()


def payment_of(reservation: Reservation, money: MoneyBehind) -> PlacePayment:
    """Where the money for a reservation stands ([BOOK])."""
    invoice = money.invoice
    if reservation.waived:
        return PlacePayment.WAIVED
    if reservation.state not in TAKEN:
        back = reservation.state is ReservationState.CANCELLED and credits_back(reservation, money)
        return PlacePayment.CREDITS_BACK if back else PlacePayment.NOTHING
    if invoice is not None and invoice.state is InvoiceState.OPEN and invoice.owed.minor > 0:
        return _of_open(money.charge)
    if invoice is not None and invoice.state is InvoiceState.CLOSED and invoice.total:
        return PlacePayment.PAID
    if not reservation.owes:
        return PlacePayment.NOTHING
    return PlacePayment.OUTSTANDING if reservation.outstanding else PlacePayment.AT_START


def _of_open(charge: Charge | None) -> PlacePayment:
    if charge is not None and charge.undecided:
        return PlacePayment.UNDER_WAY
    if charge is not None and charge.outcome is Outcome.AUTHENTICATION_REQUIRED:
        return PlacePayment.TO_BE_CONFIRMED
    return PlacePayment.TO_PAY


def credits_back(reservation: Reservation, money: MoneyBehind) -> int:
    """How many places came back as credits, since they were paid with money alone ([PLACES])."""
    invoice = money.invoice
    if invoice is None or invoice.pack_id is not None or invoice.state is not InvoiceState.CLOSED:
        return 0
    return reservation.participants - sum(one.participants for one in reservation.held)


# --- one of them -----------------------------------------------------------------------------


def reservation_page(
    reservation: Reservation,
    catalogue: Catalogue,
    now: datetime,
    *,
    money: MoneyBehind = NO_MONEY,
    offered: tuple[Activity, PlanView] | None = None,
    packs: tuple[PackOffer, ...] = (),
    cancel_key: str,
    accept_key: str,
) -> ReservationPage:
    """`offered` is the activity with what accepting its place would use."""
    booked = reservation.state is ReservationState.BOOKED
    before = reservation.live and now < reservation.starts_at
    payment = payment_of(reservation, money)
    last = money.charge.last if money.charge else None
    lines = invoice_lines(reservation) if reservation.state in TAKEN else ()
    return ReservationPage(
        reservation=reservation_view(reservation, catalogue, now),
        held=tuple(held_view(one) for one in reservation.held),
        lines=tuple(line_view(one) for one in lines),
        totals=(
            totals_of(lines, reservation.charge.currency, reservation.taxed.name) if lines else None
        ),
        payment=payment,
        invoice=invoice_summary(money.invoice, catalogue) if money.invoice else None,
        buys_pack=money.invoice.pack_id if money.invoice else None,
        visit_invoice_id=reservation.visit_invoice_id,
        confirm_url=(
            last.confirm_url if last and payment is PlacePayment.TO_BE_CONFIRMED else None
        ),
        credits_back=(
            credits_back(reservation, money) if payment is PlacePayment.CREDITS_BACK else 0
        ),
        can_cancel=before,
        cancel_loses=before and booked and now >= reservation.cutoff_at,
        can_move=why_not_move(reservation, now) is None,
        offer=offered[1] if offered else None,
        prepay_online=offered[0].prepay_online if offered else False,
        packs=packs,
        cancel_key=cancel_key,
        accept_key=accept_key,
    )


def why_not_move(reservation: Reservation, now: datetime) -> WhyNotMove | None:
    if reservation.state is not ReservationState.BOOKED:
        return WhyNotMove.NOT_BOOKED
    return WhyNotMove.PAST_CUTOFF if now >= reservation.cutoff_at else None
