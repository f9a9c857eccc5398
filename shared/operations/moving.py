"""A reservation moves to another activity, its credits with it ([PLACES])."""

from datetime import datetime

from shared.domain import activity as places
from shared.domain import spending
from shared.domain.activity import Activity
from shared.domain.charge import By
from shared.domain.errors import Conflict, Missing
from shared.domain.reservation import Reservation, ReservationState
from shared.operations import tell
from shared.operations.context import Context
from shared.operations.holding import held_packs, offer_freed, read_all
from shared.operations.racing import until_won
from shared.operations.submissions import Press
from shared.store import accounts, bookings
from shared.store.bookings import Besides, Credits
from shared.store.engine import read


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
                tell.reservation_changed(context, customer, moved, from_start=value.starts_at),
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


def _moved_credits(
    context: Context, value: Reservation, target: Activity
) -> tuple[Credits, Reservation]:
    """The same packs hold the place in another activity: released here and held there."""
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
        }
    )
    changed, entries = [], []
    now, settings = context.now(), context.catalogue.settings
    by_pack = {one.pack_id: one for one in value.held}
    for row in held_packs(value):
        freed, released = spending.release(
            row.value,
            value,
            entry_id=context.new_id(),
            now=now,
            reason="Moved",
            by=By.CUSTOMER.value,
        )
        if not spending.usable_for(freed, target, settings, now):
            raise Conflict(
                f"{row.value.name} can't be used for that activity.", code="pack_not_usable"
            )
        held, entry = spending.hold(
            freed,
            by_pack[row.value.id],
            moved,
            entry_id=context.new_id(),
            now=now,
            by=By.CUSTOMER.value,
        )
        changed.append((row, held))
        entries += [*released, entry]
    return Credits(packs=tuple(changed), entries=tuple(entries)), moved
