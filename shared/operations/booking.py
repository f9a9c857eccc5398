"""Booking places with credits, waiting for them, giving them back ([BOOK], [PLACES], [LEDGER]).

Every change is one transaction on the activity, the packs and the reservation as they were read.
A lost race reads again and decides again, a bounded number of times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from shared.domain import activity as places
from shared.domain import spending
from shared.domain.by import By
from shared.domain.errors import Conflict, Invalid, Missing
from shared.domain.ledger import announce_low
from shared.domain.reservation import Reservation, ReservationState, estimated, waiting
from shared.domain.spending import Spending, WhyNotUsable
from shared.operations import tell
from shared.operations.holding import read_all
from shared.operations.planning import (
    WHY_NOT_THIS_PACK,
    only_named,
    packs_in_hand,
    plan_for,
)
from shared.operations.racing import until_won
from shared.operations.submissions import Press, once
from shared.store import accounts, bookings
from shared.store.bookings import Besides, Credits
from shared.store.reading import Found, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.domain.activity import Activity
    from shared.domain.customer import Customer
    from shared.domain.message import Message
    from shared.domain.pack import Pack
    from shared.operations.context import Context
    from shared.store.items import Ref, Row
    from shared.store.records import Submission


class Wish(NamedTuple):
    """Places in an activity. With `wait` a full one puts the customer on its waiting list;
    `pay_later` accepts that what no credit covers is to be paid. With `pack_id` only that pack's
    credits are used. `expected_total_minor` is what the page said is to be paid, tax included.
    `offer` is the reservation to which a freed place is offered, when that one is to be bought."""

    customer_id: str
    activity_id: str
    participants: int = 1
    wait: bool = False
    pay_later: bool = False
    pack_id: str | None = None
    expected_total_minor: int | None = None
    offer: str | None = None

    def press(self, key: str, reservation_id: str) -> Press:
        return Press(
            customer_id=self.customer_id,
            key=key,
            operation="book",
            content=(
                self.activity_id,
                self.participants,
                self.wait,
                self.pay_later,
                *((self.pack_id,) if self.pack_id else ()),
                *((self.expected_total_minor,) if self.expected_total_minor is not None else ()),
            ),
            answer=reservation_id,
        )

    def refs(self, press: Press) -> tuple[Ref[Any], ...]:
        """What `book` has to have read, beside the customer."""
        offered = [accounts.reservation(self.customer_id, self.offer)] if self.offer else []
        return accounts.activity(self.activity_id), press.ref, *offered


class NoCredits(Conflict):
    """What is in hand does not pay for all of it ([BOOK]). `facts` say what is left to pay, in
    minor units, as `due_minor`."""

    code = "no_credits"


WORTH_SAYING = frozenset(
    {
        WhyNotUsable.UNPAID,
        WhyNotUsable.STAFF,
        WhyNotUsable.NOT_YET,
        WhyNotUsable.EXPIRES_BEFORE,
        WhyNotUsable.STRANDS,
    }
)
"""Why a pack does not pay, where its owner may have thought that it would."""


def no_credits(
    context: Context, activity: Activity, packs: Sequence[Row[Pack]], plan: Spending
) -> NoCredits:
    """The refusal. It names what is on hold and would have paid ([REVERSE]), and says of other
    packs why they don't; `facts` have the reasons by pack, as codes."""
    detail = "No credits you have pay for all of it."
    if plan.on_hold:
        detail += f" On hold, because their payment was taken back: {', '.join(plan.on_hold)}."
    reasons: dict[str, str] = {}
    for pack in (row.value for row in packs):
        why = spending.why_not_usable(pack, activity, context.business.settings, context.now())
        if why in WORTH_SAYING:
            reasons[pack.id] = why.value
            said = WHY_NOT_THIS_PACK[why]
            detail += f" {pack.name}: {said[0].lower()}{said[1:]}"
    return NoCredits(detail, due_minor=plan.due.minor, packs=reasons)


class PriceChanged(Conflict):
    """It costs something else than was shown; `total_minor` says what."""

    code = "price_changed"

    def __init__(self, total_minor: int) -> None:
        super().__init__("The price has changed since you looked.", total_minor=total_minor)


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
        head, now_found = seen.pop() if seen else read_again(wish, press)
        made.append(_book_once(context, wish, press.answer, head, now_found, record))

    earlier = until_won(lambda: once(press, found.get(press.ref), context.now(), do))
    if earlier is None:
        return made[-1]
    ref = accounts.reservation(wish.customer_id, earlier.value.answer)
    row = read(ref).get(ref)
    if row is None:
        raise Missing("There is no such reservation.")
    return row.value


def read_again(wish: Wish, press: Press) -> tuple[Row[Customer], Found]:
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
    in_hand = packs_in_hand(wish.customer_id, wish.pack_id)
    packs = only_named(context, activity, in_hand, wish.pack_id)
    refuse_twice(activity, wish)
    plan = plan_for(context, activity, packs, wish.participants)
    full = wish.participants > activity.free
    if full and wish.wait and wish.pack_id is not None:
        raise Invalid(
            "On the waiting list no pack is chosen yet.",
            fields={"pack": "Leave this out: what you have when a place is free will pay."},
        )
    if full and not wish.wait:
        places.take(activity, wish.participants)
    if plan.due and not full and (activity.prepay_online or not wish.pay_later):
        raise no_credits(context, activity, packs, plan)
    reservation = spending.reserved(
        activity,
        plan,
        customer.value,
        reservation_id=reservation_id,
        participants=wish.participants,
        now=now,
        waits=full,
    )
    if not full and wish.expected_total_minor not in (None, estimated(reservation).minor):
        raise PriceChanged(estimated(reservation).minor)
    taken = (
        places.join(activity, waiting(reservation))
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


def refuse_twice(activity: Activity, wish: Wish) -> None:
    """Whoever is on its waiting list already is not put there again."""
    if any(one.customer_id == wish.customer_id for one in activity.waiting):
        raise Conflict("You are on the waiting list already.", code="already_waiting")


def hold_all(
    context: Context,
    packs: Sequence[Row[Pack]],
    reservation: Reservation,
    customer: Row[Customer],
    by: str = By.CUSTOMER.value,
) -> tuple[Credits, list[Message]]:
    """The packs with what they hold for a reservation, and the emails about credits that fell to
    the number their product names ([PACKMAIL]). `by` is who books it."""
    by_id = {row.value.id: row for row in packs}
    changed: list[tuple[Row[Pack], Pack]] = []
    entries, messages = [], []
    for held in reservation.held:
        row = by_id[held.pack_id]
        pack, entry = spending.hold(
            row.value, held, reservation, entry_id=context.new_id(), now=context.now(), by=by
        )
        low = announce_low(row.value, pack)
        if low is not None:
            messages.append(tell.credits_low(context, customer.value, low))
        changed.append((row, low or pack))
        entries.append(entry)
    return Credits(packs=tuple(changed), entries=tuple(entries)), messages


# --- a place that is offered -----------------------------------------------------------------


def accept(
    context: Context, customer_id: str, reservation_id: str, *, pay_later: bool, press: Press
) -> Reservation:
    """Take the place that was offered, with credits in hand. Again answers the same. `Conflict`
    (`offer_gone`) when the offer ran out, `NoCredits` when it has to be paid first."""
    return until_won(lambda: _accept_once(context, customer_id, reservation_id, pay_later, press))


def _accept_once(
    context: Context, customer_id: str, reservation_id: str, pay_later: bool, press: Press
) -> Reservation:
    row, activity, customer = read_all(customer_id, reservation_id)
    value, now = row.value, context.now()
    if value.state is ReservationState.BOOKED:
        return value
    taken = places.accept(activity.value, value.id, now)
    places.check_open(taken, now)
    packs = packs_in_hand(customer_id)
    plan = plan_for(context, taken, packs, value.participants)
    if plan.due and (taken.prepay_online or not pay_later):
        raise no_credits(context, taken, packs, plan)
    booked = value.model_copy(
        update={
            "state": ReservationState.BOOKED,
            "held": plan.held,
            "charge": plan.charge,
            "prices": plan.prices,
            "taxed": plan.taxed,
            "offered_until": None,
            # One that was to be paid before, and was not.
            "invoice_id": None,
        }
    )
    credits_, messages = hold_all(context, packs, booked, customer)
    bookings.change_reservation(
        reservation=row,
        changed=booked,
        credits_=credits_,
        activities=[(activity, taken)],
        besides=Besides(
            messages=[*messages, tell.reservation_confirmed(context, customer.value, booked)],
            customer_id=customer_id,
            submission=press.record(now),
        ),
    )
    return booked
