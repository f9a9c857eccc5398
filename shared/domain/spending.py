"""Credits that hold places: which packs are used, and every entry that this makes ([LEDGER]).

Pure. A credit that is held has left the pack (`left` is what can still be spent); redeeming it
changes nothing more, releasing it puts it back. Unlimited packs have entries of 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from shared.domain.calendar import expiry_of, local_date
from shared.domain.errors import Conflict
from shared.domain.money import Money, total
from shared.domain.pack import Booked, Entry, EntryKind, Pack, PackStatus, used
from shared.domain.reservation import Held, Reservation, ReservationState, Taxed, reserve
from shared.domain.valid_from import ValidFrom
from shared.domain.voucher import charge_of, credits_for, taxed, worth

if TYPE_CHECKING:
    from shared.domain.activity import Activity
    from shared.domain.business import Business, Location
    from shared.domain.customer import Customer
    from shared.domain.settings import Settings

MAX_BOOKED = 100
"""Reservations that one pack holds at a time."""


class WhyNotUsable(StrEnum):
    """Why a pack can't pay for an activity; the values are the codes of the refusals ([BOOK])."""

    EXPIRED = "pack_expired"
    FROZEN = "pack_frozen"
    UNPAID = "pack_unpaid"
    USED_UP = "pack_used_up"
    SERVICE = "pack_wrong_service"
    LOCATION = "pack_wrong_location"
    STAFF = "pack_wrong_staff_member"
    NOT_YET = "pack_not_yet_usable"
    FULL = "pack_holds_too_many"
    EXPIRES_BEFORE = "pack_expires_before"
    STRANDS = "would_strand"


def why_not_usable(
    pack: Pack, activity: Activity, settings: Settings, now: datetime
) -> WhyNotUsable | None:
    """Why credits of `pack` can't pay for `activity`: its service, place and staff member, and an
    activity that starts while it is valid ([BOOK], [STAFF], [VOUCHER]). None when they can."""
    found = _WHY_NOT_BY_STATUS[pack.status(now)]
    if found is not None:
        return found
    if not (settings.any_service or pack.service_id in (None, activity.service_id)):
        return WhyNotUsable.SERVICE
    if not (settings.any_location or pack.location_id == activity.location_id):
        return WhyNotUsable.LOCATION
    if pack.staff_members is not None and activity.staff_member not in pack.staff_members:
        return WhyNotUsable.STAFF
    if activity.starts_at < pack.usable_from:
        return WhyNotUsable.NOT_YET
    if len(pack.booked) >= MAX_BOOKED:
        return WhyNotUsable.FULL
    expires_at = expiry_with(pack, activity.starts_at, now)
    if expires_at is not None and activity.starts_at >= expires_at:
        return WhyNotUsable.EXPIRES_BEFORE
    return WhyNotUsable.STRANDS if strands(pack, activity.starts_at, now) else None


_WHY_NOT_BY_STATUS: Mapping[PackStatus, WhyNotUsable | None] = {
    PackStatus.EXPIRED: WhyNotUsable.EXPIRED,
    PackStatus.FROZEN: WhyNotUsable.FROZEN,
    PackStatus.UNPAID: WhyNotUsable.UNPAID,
    PackStatus.USED_UP: WhyNotUsable.USED_UP,
    PackStatus.UPCOMING: None,
    PackStatus.ACTIVE: None,
}


def usable_for(pack: Pack, activity: Activity, settings: Settings, now: datetime) -> bool:
    """Whether credits of `pack` may pay for `activity`."""
    return why_not_usable(pack, activity, settings, now) is None


def _window(pack: Pack, first_day: date) -> datetime | None:
    return expiry_of(first_day, pack.zone, days=pack.validity_days, months=pack.validity_months)


def _expiry(pack: Pack, starts: Iterable[datetime], now: datetime) -> datetime | None:
    """When a pack expires while it holds activities that start then; where staff have moved it,
    it stays ([PACK])."""
    if pack.expiry_moves:
        return pack.expires_at
    match pack.valid_from:
        case ValidFrom.PAYMENT:
            return pack.expires_at
        case ValidFrom.BOOKING:
            if pack.expires_at is not None:
                return pack.expires_at
            return _window(pack, local_date(now, pack.zone))
        case ValidFrom.FIRST_ACTIVITY:
            if pack.begun_with is not None:
                return pack.expires_at
            first = min(starts, default=None)
            return None if first is None else _window(pack, local_date(first, pack.zone))


def expiry_with(pack: Pack, starts_at: datetime, now: datetime) -> datetime | None:
    """When a pack expires if it is booked for `starts_at` as well."""
    return _expiry(pack, [starts_at, *(one.starts_at for one in pack.booked)], now)


def strands(pack: Pack, starts_at: datetime, now: datetime) -> bool:
    """Whether booking `starts_at` as well would bring the expiry before an activity that is booked
    already ([PACK])."""
    expires_at = expiry_with(pack, starts_at, now)
    return expires_at is not None and any(one.starts_at >= expires_at for one in pack.booked)


def in_order(packs: Iterable[Pack]) -> list[Pack]:
    """Unlimited packs first, then the soonest to expire, then the oldest ([LEDGER])."""
    return sorted(
        packs,
        key=lambda pack: (
            not pack.unlimited,
            pack.expires_at is None,
            pack.expires_at or pack.bought_at,
            pack.bought_at,
            pack.id,
        ),
    )


class Spending(NamedTuple):
    """What is held of each pack for a reservation; `charge` is the whole price of it. `on_hold`
    names the packs that would pay for the rest if they were not frozen ([REVERSE])."""

    held: tuple[Held, ...]
    charge: Money
    prices: tuple[Money, ...]
    taxed: Taxed
    on_hold: tuple[str, ...] = ()

    @property
    def due(self) -> Money:
        return self.charge - total([one.worth for one in self.held], self.charge.currency)

    @property
    def covered(self) -> int:
        return sum(one.participants for one in self.held)


def plan(
    packs: Sequence[Pack],
    activity: Activity,
    participants: int,
    location: Location,
    business: Business,
    now: datetime,
    *,
    last: Pack | None = None,
) -> Spending:
    """Which credits pay for which participants; what no credit covers is left to be paid. `last`
    is a pack that is used after all others: one that is bought for this."""
    charges = [charge_of(activity, location, business, at) for at in range(participants)]
    held: list[Held] = []
    covered = 0
    usable = [one for one in packs if usable_for(one, activity, business.settings, now)]
    bought = [last] if last and usable_for(last, activity, business.settings, now) else []
    for pack in [*in_order(usable), *bought]:
        each = 0 if pack.unlimited else credits_for(pack, activity)
        room = participants - covered if not each else (pack.left or 0) // each
        count = min(room, participants - covered)
        if count <= 0:
            continue
        paid = [
            worth(pack, activity, location, business, at) for at in range(covered, covered + count)
        ]
        held.append(
            Held(
                pack_id=pack.id,
                pack_name=pack.name,
                participants=count,
                credits=each * count,
                worth=total(paid, location.currency),
                each=tuple(paid),
            )
        )
        covered += count
    spending = Spending(
        held=tuple(held),
        charge=total(charges, location.currency),
        prices=tuple(charges),
        taxed=taxed(activity.service_id, location, business),
    )
    if not spending.due:
        return spending
    frozen = [one.name for one in packs if _only_frozen(one, activity, business.settings, now)]
    return spending._replace(on_hold=tuple(dict.fromkeys(frozen)))


def _only_frozen(pack: Pack, activity: Activity, settings: Settings, now: datetime) -> bool:
    thawed = pack.model_copy(update={"frozen_at": None})
    return pack.frozen_at is not None and usable_for(thawed, activity, settings, now)


def reserved(
    activity: Activity,
    plan: Spending,
    customer: Customer | None,
    *,
    reservation_id: str,
    participants: int,
    now: datetime,
    waits: bool = False,
) -> Reservation:
    """A reservation at what it costs now, held by what `plan` found; one that `waits` holds
    nothing yet. Without a customer it is one to reckon with, and nobody's."""
    return reserve(
        activity,
        reservation_id=reservation_id,
        customer_id=customer.id if customer else "",
        customer_name=(customer.name or customer.email) if customer else "",
        participants=participants,
        state=ReservationState.WAITING if waits else ReservationState.BOOKED,
        charge=plan.charge,
        prices=plan.prices,
        taxed=plan.taxed,
        held=() if waits else plan.held,
        now=now,
    )


# --- entries ---------------------------------------------------------------------------------


def _entry(
    pack: Pack,
    kind: EntryKind,
    delta: int,
    *,
    entry_id: str,
    at: datetime,
    reservation: Reservation,
    reason: str,
    by: str = "",
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
        reservation_id=reservation.id,
        activity_id=reservation.activity_id,
        activity_name=reservation.name,
        activity_at=reservation.starts_at,
        activity_zone=reservation.zone,
        by=by,
    )


def hold(
    pack: Pack, held: Held, reservation: Reservation, *, entry_id: str, now: datetime, by: str = ""
) -> tuple[Pack, Entry]:
    """Credits leave the pack and hold a place. `Conflict` when there are not enough, or when the
    booking would strand another."""
    if pack.left is not None and pack.left < held.credits:
        raise Conflict("There are not enough credits.", code="not_enough_credits", left=pack.left)
    if strands(pack, reservation.starts_at, now):
        raise Conflict("This pack would expire before what is booked.", code="would_strand")
    booked = Booked(
        reservation_id=reservation.id,
        starts_at=reservation.starts_at,
        ends_at=reservation.ends_at,
        credits=held.credits,
    )
    changed = pack.model_copy(
        update={
            "left": None if pack.left is None else pack.left - held.credits,
            "expires_at": expiry_with(pack, reservation.starts_at, now),
            "booked": (*pack.booked, booked),
        }
    )
    return changed, _entry(
        changed,
        EntryKind.HOLD,
        -held.credits,
        entry_id=entry_id,
        at=now,
        reservation=reservation,
        reason=reservation.name,
        by=by,
    )


def release(
    pack: Pack, reservation: Reservation, *, entry_id: str, now: datetime, reason: str, by: str = ""
) -> tuple[Pack, tuple[Entry, ...]]:
    """Held credits come back to their pack, with its expiry. Into one that has ended they come
    back expired."""
    booked = _booked(pack, reservation)
    rest = _others(pack, booked)
    changed = pack.model_copy(
        update={
            "left": None if pack.left is None else pack.left + booked.credits,
            "booked": rest,
            "expires_at": _expiry_of(pack, rest, now),
        }
    )
    back = _entry(
        changed,
        EntryKind.RELEASE,
        booked.credits,
        entry_id=entry_id,
        at=now,
        reservation=reservation,
        reason=reason,
        by=by,
    )
    if pack.ended_at is None:
        return changed, (back,)
    over = changed.model_copy(update={"left": pack.left})
    expired = _entry(
        over,
        EntryKind.EXPIRE,
        -booked.credits,
        entry_id=f"{entry_id}-x",
        at=now,
        reservation=reservation,
        reason="Expired",
    )
    return over, (back, expired)


def redeem(
    pack: Pack, reservation: Reservation, *, entry_id: str, now: datetime, by: str = ""
) -> tuple[Pack, Entry]:
    """Held credits are used up: nothing more leaves the pack. The earliest of its activities that
    have begun fixes the expiry of a pack that is valid from its first ([PACK])."""
    booked = _booked(pack, reservation)
    begun = pack.begun_with
    if pack.valid_from is ValidFrom.FIRST_ACTIVITY and begun is None:
        began = [one.starts_at for one in pack.booked if one.starts_at <= now]
        begun = min([booked.starts_at, *began])
    rest = {"booked": _others(pack, booked), "begun_with": begun}
    changed = used(pack.model_copy(update=rest), booked.ends_at or booked.starts_at)
    reason = reservation.name
    return changed, _used_up(changed, reservation, entry_id=entry_id, now=now, reason=reason, by=by)


def forfeit(
    pack: Pack, reservation: Reservation, *, entry_id: str, now: datetime, by: str = ""
) -> tuple[Pack, Entry]:
    """Held credits are used up by a cancellation after the cutoff ([PLACES]). What is cancelled is
    nobody's first activity: the expiry follows from the others ([PACK]). Nor is it anybody's last:
    what it held was used up when it was cancelled ([RECUR])."""
    rest = _others(pack, _booked(pack, reservation))
    left = {"booked": rest, "expires_at": _expiry_of(pack, rest, now)}
    changed = used(pack.model_copy(update=left), now)
    return changed, _used_up(
        changed, reservation, entry_id=entry_id, now=now, reason="Cancelled too late", by=by
    )


def _used_up(
    pack: Pack, reservation: Reservation, *, entry_id: str, now: datetime, reason: str, by: str
) -> Entry:
    return _entry(
        pack,
        EntryKind.REDEEM,
        0,
        entry_id=entry_id,
        at=now,
        reservation=reservation,
        reason=reason,
        by=by,
    )


def _others(pack: Pack, booked: Booked) -> tuple[Booked, ...]:
    return tuple(one for one in pack.booked if one is not booked)


def _expiry_of(pack: Pack, rest: Iterable[Booked], now: datetime) -> datetime | None:
    """When a pack expires that holds only these."""
    if pack.valid_from is ValidFrom.FIRST_ACTIVITY:
        return _expiry(pack, [one.starts_at for one in rest], now)
    return pack.expires_at


def _booked(pack: Pack, reservation: Reservation) -> Booked:
    found = next((one for one in pack.booked if one.reservation_id == reservation.id), None)
    if found is None:
        raise ValueError(f"{pack.id} holds nothing for {reservation.id}")
    return found
