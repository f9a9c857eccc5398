"""A reservation moves to another activity, its credits with it ([PLACES])."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain import activity as places
from shared.domain import spending
from shared.domain.by import By
from shared.domain.errors import Conflict, Missing
from shared.domain.reservation import Reservation, ReservationState
from shared.operations import tell
from shared.operations.holding import held_packs, offer_freed, read_all
from shared.operations.planning import location_of
from shared.operations.racing import until_won
from shared.store import accounts, bookings
from shared.store.bookings import Besides, Credits
from shared.store.items import Row
from shared.store.reading import read

if TYPE_CHECKING:
    from shared.domain.activity import Activity
    from shared.domain.pack import Entry, Pack
    from shared.domain.spending import Spending
    from shared.operations.context import Context
    from shared.operations.submissions import Press


def move(
    context: Context, customer_id: str, reservation_id: str, activity_id: str, press: Press
) -> Reservation:
    """Move a booked reservation to another activity of the same service: the credits go along
    ([PLACES]). Not after the cutoff, not to a full one, not outside of what its packs are valid
    for; then `Conflict`, and nothing is changed. Again answers the same."""
    return until_won(lambda: _move_once(context, customer_id, reservation_id, activity_id, press))


def _move_once(
    context: Context, customer_id: str, reservation_id: str, activity_id: str, press: Press
) -> Reservation:
    row, old, customer = read_all(customer_id, reservation_id)
    value, now = row.value, context.now()
    if value.activity_id == activity_id:
        return value
    _check_movable(value, now)
    target_ref = accounts.activity(activity_id)
    target = read(target_ref).get(target_ref)
    if target is None or target.value.service_id != value.service_id:
        raise Missing("There is no such activity of this service.")
    places.check_open(target.value, now)
    taken = places.take(target.value, value.participants)
    credits_, moved = _moved_credits(context, value, target.value)
    moved = moved.model_copy(update={"moved_from": value.moved_from or value.activity_id})
    freed, besides = offer_freed(context, places.give_back(old.value, value.participants))
    bookings.change_reservation(
        reservation=row,
        changed=moved,
        credits_=credits_,
        activities=[(old, freed), (target, taken)],
        besides=Besides(
            messages=[
                *besides.messages,
                tell.reservation_changed(
                    context, customer.value, moved, from_start=value.starts_at
                ),
            ],
            customer_id=customer_id,
            submission=press.record(now),
            others=besides.others,
        ),
    )
    return moved


def _check_movable(value: Reservation, now: datetime) -> None:
    if value.state is not ReservationState.BOOKED:
        raise Conflict("Only a booked place can be moved.", code="reservation_over")
    if now >= value.cutoff_at:
        raise Conflict("It is too late to move this.", code="past_cutoff")


def can_move_to(
    context: Context, value: Reservation, packs: Sequence[Pack], target: Activity
) -> bool:
    """Whether `move` would now bring it to `target`; `packs` are those that hold it."""
    now = context.now()
    other = target.id != value.activity_id and target.service_id == value.service_id
    if not other or not target.open_at(now) or target.free < value.participants:
        return False
    freed = [spending.release(one, value, entry_id="", now=now, reason="Moved")[0] for one in packs]
    try:
        _check_movable(value, now)
        _plan(context, value, target, freed)
    except Conflict:
        return False
    return True


def _moved_credits(
    context: Context, value: Reservation, target: Activity
) -> tuple[Credits, Reservation]:
    """The same packs hold the place in another activity: released here and held there, for what it
    costs there."""
    now = context.now()
    freed: dict[str, tuple[Row[Pack], Pack]] = {}
    entries: list[Entry] = []
    for row in held_packs(value):
        pack, released = spending.release(
            row.value,
            value,
            entry_id=context.new_id(),
            now=now,
            reason="Moved",
            by=By.CUSTOMER.value,
        )
        freed[pack.id] = row, pack
        entries += released
    plan = _plan(context, value, target, [pack for _, pack in freed.values()])
    moved = value.model_copy(
        update={
            "activity_id": target.id,
            "location_id": target.location_id,
            "zone": target.zone,
            "name": target.name,
            "starts_at": target.starts_at,
            "ends_at": target.ends_at,
            "cutoff_at": target.cutoff_at,
            "staff_member": target.staff_member,
            "held": plan.held,
            "charge": plan.charge,
            "prices": plan.prices,
            "taxed": plan.taxed,
        }
    )
    for held in plan.held:
        row, pack = freed[held.pack_id]
        pack, entry = spending.hold(
            pack, held, moved, entry_id=context.new_id(), now=now, by=By.CUSTOMER.value
        )
        freed[held.pack_id] = row, pack
        entries.append(entry)
    return Credits(packs=tuple(freed.values()), entries=tuple(entries)), moved


def _plan(
    context: Context, value: Reservation, target: Activity, packs: Sequence[Pack]
) -> Spending:
    """How the same packs pay for the other activity. `Conflict` where they do not pay for as many
    as they did, or something else would be to pay than was asked for."""
    plan = spending.plan(
        # What holds a place may go on holding one, also of a pack that is not paid yet.
        [pack.model_copy(update={"unpaid": False}) for pack in packs],
        target,
        value.participants,
        location_of(context, target.location_id),
        context.business,
        context.now(),
    )
    if plan.covered < sum(one.participants for one in value.held):
        names = " and ".join(one.pack_name for one in value.held)
        raise Conflict(f"{names} can't be used for that activity.", code="pack_not_usable")
    asked = value.invoice_id is not None and bool(value.due)
    if plan.due != value.due and (asked or target.prepay_online):
        raise Conflict("That one costs something else.", code="price_differs")
    return plan
