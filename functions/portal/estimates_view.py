"""Estimates: invoices to be, for what is booked and not yet charged ([HISTORY]). Pure."""

from collections.abc import Iterable

from functions.portal.pages.invoice_models import EstimateView
from shared.domain.business import Business
from shared.domain.place_lines import invoice_lines
from shared.domain.reservation import Reservation, ReservationState
from shared.web.pages.lines import line_view, totals_of
from shared.web.pages.names import place_name


def _not_yet_charged(reservation: Reservation) -> bool:
    """Whether an invoice of its places is still to come: with what credits or money pay of them
    when it takes place, or when staff ask for what began unpaid."""
    if reservation.invoice_id is not None or reservation.waived or not reservation.charge:
        return False
    return reservation.state is ReservationState.BOOKED or reservation.outstanding


def estimates(reservations: Iterable[Reservation], business: Business) -> tuple[EstimateView, ...]:
    """The next to begin first."""
    found = sorted(filter(_not_yet_charged, reservations), key=lambda one: (one.starts_at, one.id))
    return tuple(_estimate(one, business) for one in found)


def _estimate(reservation: Reservation, business: Business) -> EstimateView:
    lines = invoice_lines(reservation)
    return EstimateView(
        reservation_id=reservation.id,
        name=reservation.name,
        starts_at=reservation.starts_at,
        zone=reservation.zone,
        location=place_name(business, reservation.location_id),
        lines=tuple(line_view(one) for one in lines),
        totals=totals_of(lines, reservation.charge.currency, reservation.taxed.name),
        outstanding=reservation.outstanding,
    )
