"""Booking places with credits, waiting for them, giving them back ([BOOK], [PLACES], [LEDGER]).

Every change is one transaction on the activity, the packs and the reservation as they were read.
A lost race reads again and decides again, a bounded number of times.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from shared.domain import activity as places
from shared.domain import spending
from shared.domain.activity import Activity, Waiting
from shared.domain.customer import Customer
from shared.domain.errors import Conflict, Missing, Unavailable
from shared.domain.ledger import announce_low
from shared.domain.message import Message
from shared.domain.pack import Entry, Pack
from shared.domain.product import Location
from shared.domain.reservation import Reservation, ReservationState, reserve
from shared.domain.spending import Spending
from shared.operations import tell
from shared.operations.context import Context
from shared.operations.submissions import Press, once
from shared.store import accounts, bookings
from shared.store.accounts import Submission, TimelineEvent
from shared.store.bookings import Besides, Credits
from shared.store.engine import Found, Lost, Ref, Row, read

BOOK_TRIES = 12
"""Races on one activity that a booking may lose before it gives up: a popular class fills fast."""

PACKS_LIMIT = 200

T = TypeVar("T")


class Booked(StrEnum):
    """What became of a wish for places."""

    BOOKED = "booked"
    WAITING = "waiting"
    """The activity is full: on the waiting list."""


@dataclass(frozen=True)
class Wish:
    """Places in an activity. With `wait` a full one puts the customer on its waiting list;
    `pay_later` accepts that what no credit covers is to be paid."""

    customer_id: str
    activity_id: str
    participants: int = 1
    wait: bool = False
    pay_later: bool = False

    def press(self, key: str, reservation_id: str) -> Press:
        return Press(
            customer_id=self.customer_id,
            key=key,
            operation="book",
            content=(self.activity_id, self.participants, self.wait, self.pay_later),
            answer=reservation_id,
        )

    def refs(self, press: Press) -> tuple[Ref[Any], ...]:
        """What `book` has to have read, beside the customer."""
        return accounts.activity(self.activity_id), press.ref


class NoCredits(Conflict):
    """What is in hand does not pay for all of it ([BOOK]). `data` says what is left to pay, in
    minor units, as `due_minor`."""

    code = "no_credits"


def location_of(context: Context, location_id: str) -> Location:
    location = context.catalogue.location(location_id)
    if location is None:
        raise Missing("There is no such activity.")
    return location


def packs_in_hand(customer_id: str) -> tuple[Row[Pack], ...]:
    """A customer's packs: one round trip."""
    return accounts.packs_of(customer_id, limit=PACKS_LIMIT).rows


def plan_for(
    context: Context, activity: Activity, packs: Sequence[Row[Pack]], participants: int
) -> Spending:
    """Which credits would pay for which participants."""
    return spending.plan(
        [row.value for row in packs],
        activity,
        participants,
        location_of(context, activity.location_id),
        context.catalogue,
        context.now(),
    )


def _until_won(do: Callable[[], T]) -> T:
    """`do` until it loses no race; `Unavailable` after `BOOK_TRIES`."""
    for _ in range(BOOK_TRIES):
        try:
            return do()
        except Lost:
            continue
    raise Unavailable("Too many people are booking this right now. Please try again.")


# --- booking ---------------------------------------------------------------------------------


def book(
    context: Context, wish: Wish, press: Press, customer: Row[Customer], found: Found
) -> Reservation:
    """Book places, or join the waiting list of a full activity ([PLACES]).

    Credits in hand hold the places. What they do not cover is refused where it has to be paid
    beforehand, and is due at the start elsewhere. Raises `Missing`, `Invalid` (`participants`) and
    `Conflict` with a code that says why not; then nothing was changed.
    """
    places.check_participants(wish.participants)
    made: list[Reservation] = []
    seen = [(customer, found)]

    def do(record: tuple[str, Submission]) -> None:
        head, now_found = seen.pop() if seen else _again(wish, press)
        made.append(_book_once(context, wish, press.answer, head, now_found, record))

    earlier = _until_won(lambda: once(press, found.get(press.ref), context.now(), do))
    if earlier is None:
        return made[-1]
    ref = accounts.reservation(wish.customer_id, earlier.value.answer)
    row = read(ref).get(ref)
    if row is None:
        raise Missing("There is no such reservation.")
    return row.value


def _again(wish: Wish, press: Press) -> tuple[Row[Customer], Found]:
    head_ref = accounts.head(wish.customer_id)
    found = read(head_ref, *wish.refs(press))
    head = found.get(head_ref)
    if head is None:
        raise Missing("There is no such customer.")
    return head, found


def _book_once(
    context: Context,
    wish: Wish,
    reservation_id: str,
    customer: Row[Customer],
    found: Found,
    record: tuple[str, Submission],
) -> Reservation:
    row = found.get(accounts.activity(wish.activity_id))
    if row is None:
        raise Missing("There is no such activity.")
    activity, now = row.value, context.now()
    places.check_open(activity, now)
    packs = packs_in_hand(wish.customer_id)
    _refuse_twice(activity, wish)
    plan = plan_for(context, activity, packs, wish.participants)
    full = wish.participants > activity.free
    if full and not wish.wait:
        places.take(activity, wish.participants)
    if plan.due and not full and (activity.prepay_online or not wish.pay_later):
        raise NoCredits("No credits you have pay for all of it.", due_minor=plan.due.minor)
    reservation = reserve(
        activity,
        reservation_id=reservation_id,
        customer_id=wish.customer_id,
        customer_name=customer.value.name or customer.value.email,
        participants=wish.participants,
        state=ReservationState.WAITING if full else ReservationState.BOOKED,
        charge=plan.charge,
        held=() if full else plan.held,
        now=now,
    )
    taken = (
        places.join(activity, _waiting(reservation))
        if full
        else places.take(activity, wish.participants)
    )
    credits_, messages = (
        (Credits(), []) if full else hold_all(context, packs, reservation, customer)
    )
    if not full:
        messages.append(tell.reservation_confirmed(context, customer.value, reservation))
    bookings.book(
        activity=row,
        taken=taken,
        customer=customer,
        changed=customer.value.model_copy(update={"has_reservations": True}),
        reservation=reservation,
        credits_=credits_,
        besides=Besides(messages=messages, customer_id=wish.customer_id, submission=record),
    )
    return reservation


def _waiting(reservation: Reservation) -> Waiting:
    return Waiting(
        customer_id=reservation.customer_id,
        reservation_id=reservation.id,
        participants=reservation.participants,
        since=reservation.booked_at,
    )


def _refuse_twice(activity: Activity, wish: Wish) -> None:
    """Whoever is on its waiting list already is not put there again."""
    if any(one.customer_id == wish.customer_id for one in activity.waiting):
        raise Conflict("You are on the waiting list already.", code="already_waiting")


def hold_all(
    context: Context, packs: Sequence[Row[Pack]], reservation: Reservation, customer: Row[Customer]
) -> tuple[Credits, list[Message]]:
    """The packs with what they hold for a reservation, and the emails about credits that fell to
    the number their product names ([PACKMAIL])."""
    by_id = {row.value.id: row for row in packs}
    changed: list[tuple[Row[Pack], Pack]] = []
    entries, messages = [], []
    for held in reservation.held:
        row = by_id[held.pack_id]
        pack, entry = spending.hold(
            row.value, held, reservation, entry_id=context.new_id(), now=context.now()
        )
        low = announce_low(row.value, pack)
        if low is not None:
            messages.append(tell.credits_low(context, customer.value, low))
        changed.append((row, low or pack))
        entries.append(entry)
    return Credits(packs=tuple(changed), entries=tuple(entries)), messages


# --- giving back -----------------------------------------------------------------------------


def cancel(
    context: Context,
    customer_id: str,
    reservation_id: str,
    *,
    by_staff: str | None = None,
    press: Press | None = None,
    of_activity: str | None = None,
) -> Reservation:
    """Cancel a reservation, or leave the waiting list. Before the cutoff the credits come back to
    their packs; after it they stay used ([PLACES]). Staff always give them back, and it is written
    down who they were. Places that are freed are offered to whoever waits. Again answers the same;
    `Conflict` once it has begun. With `of_activity` one that was moved elsewhere is `Missing`."""
    return _until_won(
        lambda: _cancel_once(context, customer_id, reservation_id, by_staff, press, of_activity)
    )


def _cancel_once(
    context: Context,
    customer_id: str,
    reservation_id: str,
    by_staff: str | None,
    press: Press | None,
    of_activity: str | None,
) -> Reservation:
    row, activity, customer = _read_all(customer_id, reservation_id)
    value, now = row.value, context.now()
    if of_activity is not None and value.activity_id != of_activity:
        raise Missing("There is no such reservation.")
    if not value.live:
        if value.state is ReservationState.REDEEMED:
            raise Conflict("It has taken place.", code="reservation_over")
        return value
    if now >= value.starts_at and by_staff is None:
        raise Conflict("It has begun.", code="activity_begun")
    booked = value.state is ReservationState.BOOKED
    late = booked and by_staff is None and now >= value.cutoff_at
    state = ReservationState.CANCELLED_LATE if late else ReservationState.CANCELLED
    changed = value.model_copy(update={"state": state, "ended_at": now, "offered_until": None})
    credits_ = Credits()
    if booked:
        settle = redeem_all if late else release_all
        credits_ = settle(context, value, by_staff or "")
    left = activity.value
    freed = places.give_back(left, value.participants) if booked else places.leave(left, value.id)
    freed, besides = offer_freed(context, freed)
    messages = [*besides.messages]
    if booked or by_staff is not None:
        messages.append(
            tell.reservation_cancelled(context, customer, changed, by_merchant=by_staff is not None)
        )
    bookings.change_reservation(
        reservation=row,
        changed=changed,
        credits_=credits_,
        activities=[(activity, freed)],
        besides=Besides(
            messages=messages,
            customer_id=customer_id,
            submission=press.record(now) if press else None,
            others=besides.others,
            events=[seat_event(context, by_staff, "seat:cancelled", changed)] if by_staff else (),
        ),
    )
    return changed


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


def _read_all(
    customer_id: str, reservation_id: str
) -> tuple[Row[Reservation], Row[Activity], Customer]:
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
    return row, activity, head.value


def _held_packs(reservation: Reservation) -> list[Row[Pack]]:
    refs = [accounts.pack(reservation.customer_id, one.pack_id) for one in reservation.held]
    found = read(*refs)
    rows = [found.get(ref) for ref in refs]
    return [row for row in rows if row is not None]


def release_all(context: Context, reservation: Reservation, by: str) -> Credits:
    """Everything that packs hold for a reservation comes back to them."""
    changed: list[tuple[Row[Pack], Pack]] = []
    entries: list[Entry] = []
    for row in _held_packs(reservation):
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
    changed, entries = [], []
    for row in _held_packs(reservation):
        pack, entry = spending.redeem(
            row.value, reservation, entry_id=context.new_id(), now=context.now(), by=by
        )
        changed.append((row, pack))
        entries.append(entry)
    return Credits(packs=tuple(changed), entries=tuple(entries))


def offer_freed(context: Context, activity: Activity) -> tuple[Activity, Besides]:
    """The activity with its free places offered to those who wait, and what they are told. One
    round trip when somebody is offered a place."""
    held_for = timedelta(minutes=context.catalogue.settings.offer_minutes)
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


# --- a place that is offered -----------------------------------------------------------------


def accept(
    context: Context, customer_id: str, reservation_id: str, *, pay_later: bool, press: Press
) -> Reservation:
    """Take the place that was offered, with credits in hand. Again answers the same. `Conflict`
    (`offer_gone`) when the offer ran out, `NoCredits` when it has to be paid first."""
    return _until_won(lambda: _accept_once(context, customer_id, reservation_id, pay_later, press))


def _accept_once(
    context: Context, customer_id: str, reservation_id: str, pay_later: bool, press: Press
) -> Reservation:
    row, activity, customer = _read_all(customer_id, reservation_id)
    value, now = row.value, context.now()
    if value.state is ReservationState.BOOKED:
        return value
    taken = places.accept(activity.value, value.id, now)
    places.check_open(taken, now)
    packs = packs_in_hand(customer_id)
    plan = plan_for(context, taken, packs, value.participants)
    if plan.due and (taken.prepay_online or not pay_later):
        raise NoCredits("No credits you have pay for all of it.", due_minor=plan.due.minor)
    booked = value.model_copy(
        update={
            "state": ReservationState.BOOKED,
            "held": plan.held,
            "charge": plan.charge,
            "offered_until": None,
        }
    )
    head_ref = accounts.head(customer_id)
    head = read(head_ref).get(head_ref)
    assert head is not None
    credits_, messages = hold_all(context, packs, booked, head)
    bookings.change_reservation(
        reservation=row,
        changed=booked,
        credits_=credits_,
        activities=[(activity, taken)],
        besides=Besides(
            messages=[*messages, tell.reservation_confirmed(context, customer, booked)],
            customer_id=customer_id,
            submission=press.record(now),
        ),
    )
    return booked


# --- moving ----------------------------------------------------------------------------------


def move(
    context: Context, customer_id: str, reservation_id: str, activity_id: str, press: Press
) -> Reservation:
    """Move a booked reservation to another activity of the same service: the credits go along
    ([PLACES]). Not after the cutoff, not to a full one, not outside of what its packs are valid
    for; then `Conflict`, and nothing is changed. Again answers the same."""
    return _until_won(lambda: _move_once(context, customer_id, reservation_id, activity_id, press))


def _move_once(
    context: Context, customer_id: str, reservation_id: str, activity_id: str, press: Press
) -> Reservation:
    row, old, customer = _read_all(customer_id, reservation_id)
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
    for row in _held_packs(value):
        freed, released = spending.release(
            row.value, value, entry_id=context.new_id(), now=now, reason="Moved"
        )
        if not spending.usable_for(freed, target, settings, now):
            raise Conflict(
                f"{row.value.name} can't be used for that activity.", code="pack_not_usable"
            )
        held, entry = spending.hold(
            freed, by_pack[row.value.id], moved, entry_id=context.new_id(), now=now
        )
        changed.append((row, held))
        entries += [*released, entry]
    return Credits(packs=tuple(changed), entries=tuple(entries)), moved
