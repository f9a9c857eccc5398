"""The customer's own reservations, with which the schedule is compared."""

from shared.domain.reservation import Reservation
from shared.store import visits


def reservations_matched(customer_id: str) -> list[Reservation]:
    """All but the past ones: mostly one round trip."""
    return [row.value for row in visits.live_reservations_of(customer_id)]
