"""A customer's own reservations, which the schedule and its activities are compared with."""

from shared.domain.reservation import Reservation
from shared.store import visits

RESERVATIONS_MATCHED = 300
"""How many of a customer's latest reservations are compared."""


def reservations_matched(customer_id: str) -> list[Reservation]:
    """One round trip."""
    page = visits.reservations_of(customer_id, limit=RESERVATIONS_MATCHED)
    return [row.value for row in page.rows]
