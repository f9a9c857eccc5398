"""Reservations of customers, newest first by when they were made."""

from shared.domain import reservation as reservations
from shared.domain.reservation import Reservation
from shared.store.engine import PAGE_LIMIT, AccountItem, Kind, Page, Ref, query, register
from shared.store.people import customer_pk

register(
    Reservation,
    Kind("reservation", moment=reservations.next_moment, state=lambda r: r.state.value),
)


def reservation(customer_id: str, reservation_id: str) -> Ref[Reservation]:
    """Under `visit#`, so that packs and subscriptions lie side by side for `holdings_of`."""
    return Ref(AccountItem, customer_pk(customer_id), f"visit#{reservation_id}", Reservation)


def reservations_of(
    customer_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None
) -> Page[Reservation]:
    """Newest first by when they were made."""
    return query(
        AccountItem,
        customer_pk(customer_id),
        "visit#",
        Reservation,
        limit=limit,
        after=after,
    )
