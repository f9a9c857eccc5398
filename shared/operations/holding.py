"""Places and the credits that hold them: read together, changed together ([LEDGER], [PLACES])."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domain import activity as places
from shared.domain import spending
from shared.domain.errors import Missing
from shared.domain.reservation import Reservation, ReservationState
from shared.operations import tell
from shared.store import accounts
from shared.store.bookings import Besides, Credits
from shared.store.items import Row
from shared.store.reading import read
from shared.store.timeline import TimelineEvent

if TYPE_CHECKING:
    from shared.domain.activity import Activity
    from shared.domain.customer import Customer
    from shared.domain.message import Message
    from shared.domain.pack import Entry, Pack
    from shared.operations.context import Context


def seat_event(context: Context, by: str, what: str, reservation: Reservation) -> TimelineEvent:
    """That a staff member did something to a reservation ([ACCESS])."""
    return TimelineEvent(
        id=context.new_id(),
        at=context.now(),
        by=by,
        what=what,
        about=reservation.name,
        reservation_id=reservation.id,
        after=reservation.state.value,
    )


def read_all(
    customer_id: str, reservation_id: str
) -> tuple[Row[Reservation], Row[Activity], Row[Customer]]:
    """A reservation with its activity and its customer: two round trips."""
    ref, head_ref = accounts.reservation(customer_id, reservation_id), accounts.head(customer_id)
    found = read(ref, head_ref)
    row, head = found.get(ref), found.get(head_ref)
    if row is None or head is None:
        raise Missing("There is no such reservation.")
    activity_ref = accounts.activity(row.value.activity_id)
    activity = read(activity_ref).get(activity_ref)
    if activity is None:
        raise Missing("There is no such activity.")
    return row, activity, head


def held_packs(reservation: Reservation) -> list[Row[Pack]]:
    refs = [accounts.pack(reservation.customer_id, one.pack_id) for one in reservation.held]
    found = read(*refs)
    rows = [found.get(ref) for ref in refs]
    return [row for row in rows if row is not None]


def release_all(context: Context, reservation: Reservation, by: str) -> Credits:
    """Everything that packs hold for a reservation comes back to them."""
    changed: list[tuple[Row[Pack], Pack]] = []
    entries: list[Entry] = []
    for row in held_packs(reservation):
        pack, made = spending.release(
            row.value,
            reservation,
            entry_id=context.new_id(),
            now=context.now(),
            reason="Cancelled",
            by=by,
        )
        changed.append((row, pack))
        entries += made
    return Credits(packs=tuple(changed), entries=tuple(entries))


def redeem_all(context: Context, reservation: Reservation, by: str) -> Credits:
    """Everything that packs hold for a reservation is used up."""
    return _used_up(context, reservation, by, spending.redeem)


def forfeit_all(context: Context, reservation: Reservation, by: str) -> Credits:
    """Everything that packs hold for a reservation that is cancelled too late is used up."""
    return _used_up(context, reservation, by, spending.forfeit)


def _used_up(
    context: Context, reservation: Reservation, by: str, use: Callable[..., tuple[Pack, Entry]]
) -> Credits:
    changed, entries = [], []
    for row in held_packs(reservation):
        pack, entry = use(
            row.value, reservation, entry_id=context.new_id(), now=context.now(), by=by
        )
        changed.append((row, pack))
        entries.append(entry)
    return Credits(packs=tuple(changed), entries=tuple(entries))


def offer_freed(context: Context, activity: Activity) -> tuple[Activity, Besides]:
    """The activity with its free places offered to those who wait, and what they are told. One
    round trip when somebody is offered a place."""
    held_for = timedelta(minutes=context.business.settings.offer_minutes)
    changed, offered = places.offer(activity, context.now(), held_for)
    if not offered:
        return changed, Besides()
    refs = [accounts.reservation(one.customer_id, one.reservation_id) for one in offered]
    heads = [accounts.head(one.customer_id) for one in offered]
    found = read(*refs, *heads)
    others: list[tuple[Row[Reservation], Reservation]] = []
    messages: list[Message] = []
    for one, ref, head_ref in zip(offered, refs, heads, strict=True):
        row, head = found.get(ref), found.get(head_ref)
        if row is None or head is None:
            continue
        told = row.value.model_copy(
            update={"state": ReservationState.OFFERED, "offered_until": one.offered_until}
        )
        others.append((row, told))
        messages.append(tell.place_offered(context, head.value, told))
    return changed, Besides(messages=messages, others=others)
