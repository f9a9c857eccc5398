"""What the clock does for activities and reservations ([PLACES], [BOOK]): offers that run out,
waiting lists that end with the start, what begins unpaid, what is redeemed at its end."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain import activity as places
from shared.domain import reservation as reservations
from shared.domain.activity_state import ActivityState
from shared.domain.by import By
from shared.domain.reservation import Reservation, ReservationState
from shared.operations import place_invoices
from shared.operations.giving_back import cancel
from shared.operations.holding import offer_freed, redeem_all
from shared.store import accounts, bookings
from shared.store.bookings import Besides, Credits
from shared.store.items import Lost, Row
from shared.store.reading import read

if TYPE_CHECKING:
    from shared.domain.activity import Activity, Waiting
    from shared.operations.context import Context


class TookPlace(StrEnum):
    NOTHING_DUE = "nothing_due"
    OFFERS_MOVED_ON = "offers_moved_on"
    LIST_ENDED = "list_ended"
    OUTSTANDING = "outstanding"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"
    """The merchant had cancelled the activity."""
    LOST = "lost"


def look_after_activity(context: Context, activity_id: str) -> TookPlace:
    """Offers that ran out go to the next who waits; with the start the list is over."""
    ref = accounts.activity(activity_id)
    row = read(ref).get(ref)
    now = context.now()
    moment = places.next_moment(row.value) if row else None
    if row is None or moment is None or moment.at > now:
        return TookPlace.NOTHING_DUE
    over = now >= row.value.starts_at
    if over:
        gone, changed, offered = row.value.waiting, _without_list(row.value), Besides()
    else:
        changed, gone = places.lapse(row.value, now)
        offered = Besides()
        if len(gone) <= places.MAX_LAPSES_BESIDE_OFFERS:
            changed, offered = offer_freed(context, changed)
    besides = Besides(messages=offered.messages, others=[*offered.others, *_lapsed(context, gone)])
    try:
        bookings.change_activity(row, changed, besides)
    except Lost:
        return TookPlace.LOST
    return TookPlace.LIST_ENDED if over else TookPlace.OFFERS_MOVED_ON


def _without_list(activity: Activity) -> Activity:
    for one in activity.waiting:
        activity = places.leave(activity, one.reservation_id)
    return activity


def _lapsed(
    context: Context, gone: tuple[Waiting, ...]
) -> list[tuple[Row[Reservation], Reservation]]:
    """The reservations of those whose turn is over: one round trip when there are any."""
    if not gone:
        return []
    found = read(*(accounts.reservation(one.customer_id, one.reservation_id) for one in gone))
    lapsed = {"state": ReservationState.LAPSED, "ended_at": context.now(), "offered_until": None}
    rows = [found.get(accounts.reservation(one.customer_id, one.reservation_id)) for one in gone]
    return [
        (row, row.value.model_copy(update=lapsed))
        for row in rows
        if row is not None and row.value.live
    ]


def look_after_reservation(context: Context, customer_id: str, reservation_id: str) -> TookPlace:
    """At its start what no credit pays becomes outstanding; at its end what was not cancelled is
    redeemed, a no-show too. Of an activity that the merchant cancelled it is cancelled as well,
    should that not have come to its end."""
    ref = accounts.reservation(customer_id, reservation_id)
    row = read(ref).get(ref)
    moment = reservations.next_moment(row.value) if row else None
    if row is None or moment is None or moment.at > context.now():
        return TookPlace.NOTHING_DUE
    value = row.value
    activity_ref = accounts.activity(value.activity_id)
    activity = read(activity_ref).get(activity_ref)
    if activity is not None and activity.value.state is ActivityState.CANCELLED:
        by = activity.value.cancelled_by or By.CLOCK.value
        cancel(context, customer_id, reservation_id, by_staff=by, of_activity=value.activity_id)
        return TookPlace.CANCELLED
    credits_, besides = Credits(), Besides()
    if context.now() < value.ends_at:
        changed, result = value.model_copy(update={"outstanding": True}), TookPlace.OUTSTANDING
    else:
        unpaid = value.outstanding or bool(value.owes)
        update = {
            "state": ReservationState.REDEEMED,
            "ended_at": context.now(),
            "outstanding": unpaid,
        }
        result = TookPlace.REDEEMED
        changed, invoice = place_invoices.of_visit(context, value.model_copy(update=update))
        besides = Besides(invoice=(None, invoice) if invoice else None)
        credits_ = redeem_all(context, value, By.CLOCK.value)
    try:
        bookings.change_reservation(
            reservation=row, changed=changed, credits_=credits_, activities=[], besides=besides
        )
    except Lost:
        return TookPlace.LOST
    return result
