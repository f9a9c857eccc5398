"""A pack that is bought with a place ([BOOK]): what holds the place is granted at once, the rest
when it is paid or staff activate it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.calendar import expiry_of, local_date
from shared.domain.pack import Entry, EntryKind, Pack
from shared.domain.valid_from import ValidFrom

if TYPE_CHECKING:
    from shared.domain.reservation import Reservation

AWAITS_PAYMENT = "Bought with a place, not paid yet"


def begin_unpaid(pack: Pack, credits_held: int, *, entry_id: str) -> tuple[Pack, Entry]:
    """`pack`, which is as it would be if it were paid, as it is bought: only what holds the place
    is granted. A validity that begins with the payment does not begin yet ([PACK])."""
    advanced = 0 if pack.granted is None else credits_held
    begun = pack.model_copy(
        update={
            "unpaid": True,
            "advanced": advanced,
            "left": None if pack.granted is None else advanced,
            "expires_at": None if pack.valid_from is ValidFrom.PAYMENT else pack.expires_at,
        }
    )
    return begun, _line(begun, EntryKind.GRANT, advanced, entry_id, pack.bought_at, AWAITS_PAYMENT)


def activate(
    pack: Pack, *, entry_id: str, now: datetime, reason: str, by: str = ""
) -> tuple[Pack, Entry]:
    """The rest of its credits become usable. A validity that begins with the payment begins today,
    and so does one that would be over already."""
    today = local_date(now, pack.zone)
    rest = 0 if pack.granted is None else pack.granted - pack.advanced
    over = pack.expires_at is not None and pack.expires_at <= now
    anew = over or pack.valid_from is ValidFrom.PAYMENT
    changed = pack.model_copy(
        update={
            "unpaid": False,
            "left": None if pack.left is None else pack.left + rest,
            "expires_at": expiry_of(
                today, pack.zone, days=pack.validity_days, months=pack.validity_months
            )
            if anew
            else pack.expires_at,
        }
    )
    return changed, _line(changed, EntryKind.GRANT, rest, entry_id, now, reason, by)


def revoke(pack: Pack, *, entry_id: str, now: datetime, by: str = "") -> tuple[Pack, Entry]:
    """Its place was given back and nothing was paid: the pack is over, with nothing left."""
    gone = 0 if pack.left is None else pack.left
    over = pack.model_copy(
        update={"left": None if pack.left is None else 0, "ended_at": now, "unpaid": False}
    )
    return over, _line(over, EntryKind.REVOKE, -gone, entry_id, now, "Not paid", by)


def make_up(reservation: Reservation, units: int, *, pack_id: str, entry_id: str, hourly: bool,
            now: datetime) -> tuple[Pack, Entry]:  # fmt: skip
    """What a place was paid with in money comes back as credits of its service, when it is given
    back in time: `units` of them, without an expiry ([PLACES])."""
    pack = Pack(
        id=pack_id,
        customer_id=reservation.customer_id,
        location_id=reservation.location_id,
        zone=reservation.zone,
        product_id="",
        name=f"{reservation.name}, given back",
        service_id=reservation.service_id,
        granted=units,
        left=units,
        bought_at=now,
        usable_from=now,
        invoice_id=reservation.invoice_id,
        hourly=hourly,
    )
    line = _line(
        pack, EntryKind.GRANT, units, entry_id, now, "For a paid place that was given back"
    )
    return pack, line.model_copy(update={"reservation_id": reservation.id})


def _line(
    pack: Pack, kind: EntryKind, delta: int, entry_id: str, at: datetime, reason: str, by: str = ""
) -> Entry:
    return Entry(
        id=entry_id,
        pack_id=pack.id,
        customer_id=pack.customer_id,
        kind=kind,
        delta=delta,
        left=pack.left,
        at=at,
        reason=reason,
        invoice_id=pack.invoice_id,
        by=by,
    )
