"""Standing weekly reservations: what can be sold, and booking each paid week ([WEEKLY]).

A week's pack waits for the `places` worker from the moment it is granted, in the transaction that
records the payment: so nothing is lost, whatever crashes in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain import activity as places
from shared.domain import spending, weekly
from shared.domain.activity import MAX_WAITING, Activity
from shared.domain.by import By
from shared.domain.reservation import waiting
from shared.operations import tell
from shared.operations.booking import hold_all
from shared.operations.planning import location_of
from shared.operations.racing import until_won
from shared.operations.tell import NoWeekPlace
from shared.store import accounts, bookings
from shared.store.bookings import Besides, Credits
from shared.store.items import Row
from shared.store.reading import read
from shared.store.schedule import activities_at

if TYPE_CHECKING:
    from shared.domain.customer import Customer
    from shared.domain.message import Message, Notice
    from shared.domain.pack import Pack
    from shared.domain.spending import Spending
    from shared.domain.weekly import WeekPlace
    from shared.operations.context import Context

# --- booking a week --------------------------------------------------------------------------


class Placed(StrEnum):
    NOTHING_DUE = "nothing_due"
    BOOKED = "booked"
    WAITING = "waiting"
    """It is full: the customer is on its waiting list, and staff are told."""
    LOOKS_AGAIN = "looks_again"
    """It is not on the schedule, or its waiting list is full."""
    NO_PLACE = "no_place"
    """Its time has come without it: staff are told, and the credit stays."""
    USED_OTHERWISE = "used_otherwise"
    """The week's credits are not there any more, or are frozen."""


def book_week(context: Context, customer_id: str, pack_id: str) -> Placed:
    """Book the place that a week's pack is for, with that pack's credits and no others, and tell
    the customer. Raises `Unavailable` when too many are booking at once; the clock comes back."""
    return until_won(lambda: _book_week_once(context, customer_id, pack_id))


def _book_week_once(context: Context, customer_id: str, pack_id: str) -> Placed:
    ref, head_ref = accounts.pack(customer_id, pack_id), accounts.head(customer_id)
    found = read(ref, head_ref)
    row, customer = found.get(ref), found.get(head_ref)
    now = context.now()
    if row is None or customer is None or row.value.ended_at is not None:
        return Placed.NOTHING_DUE
    place = row.value.place
    if place is None or place.look_at is None or place.look_at > now:
        return Placed.NOTHING_DUE
    if now >= place.starts_at:
        return _give_up(context, row, customer.value, place)
    if (row.value.left or 0) < place.standing.participants:
        _decide(row, weekly.decided(place))
        return Placed.USED_OTHERWISE
    fitting = _fitting(context, row.value, place)
    if not fitting:
        return _look_again(row, place, now)
    activity, plan = fitting[0]
    full = activity.value.free < place.standing.participants
    if full and _waits(activity.value, customer_id):
        return _already_waits(context, row, customer.value, place)
    if full and len(activity.value.waiting) >= MAX_WAITING:
        return _look_again(row, place, now)
    _write(context, row, customer, place, activity, plan, full=full)
    return Placed.WAITING if full else Placed.BOOKED


def _fitting(
    context: Context, pack: Pack, place: WeekPlace
) -> Sequence[tuple[Row[Activity], Spending]]:
    """The activities of this week that this pack pays for, the best first."""
    standing = place.standing
    rows = {one.value.id: one for one in activities_at(standing.location_id, place.starts_at)}
    chosen = weekly.matching((row.value for row in rows.values()), standing, place.starts_at)
    location = location_of(context, standing.location_id)
    plans = [
        (
            rows[one.id],
            spending.plan(
                [pack], one, standing.participants, location, context.business, context.now()
            ),
        )
        for one in chosen
    ]
    return [(row, plan) for row, plan in plans if plan.covered == standing.participants]


def _waits(activity: Activity, customer_id: str) -> bool:
    return any(one.customer_id == customer_id for one in activity.waiting)


def _write(
    context: Context,
    row: Row[Pack],
    customer: Row[Customer],
    place: WeekPlace,
    activity: Row[Activity],
    plan: Spending,
    *,
    full: bool,
) -> None:
    """The normal booking, and the pack's week is decided with it."""
    pack = row.value
    reservation = spending.reserved(
        activity.value,
        plan,
        customer.value,
        reservation_id=context.new_id(),
        participants=place.standing.participants,
        now=context.now(),
        waits=full,
    ).model_copy(update={"subscription_id": pack.subscription_id})
    notices: list[Notice] = []
    messages: list[Message] = []
    if full:
        taken = places.join(activity.value, waiting(reservation))
        credits_ = Credits(packs=((row, pack),))
        notices.append(tell.no_week_place(context, customer.value, pack, NoWeekPlace.FULL))
    else:
        taken = places.take(activity.value, reservation.participants)
        credits_, messages = hold_all(context, [row], reservation, customer, by=By.CLOCK.value)
        messages.append(tell.reservation_confirmed(context, customer.value, reservation))
    bookings.book(
        activity=activity,
        taken=taken,
        customer=customer,
        changed=customer.value.model_copy(update={"has_reservations": True, "has_weekly": True}),
        reservation=reservation,
        credits_=_with_week_decided(credits_, place),
        besides=Besides(messages=messages, customer_id=pack.customer_id, notices=notices),
    )


def _with_week_decided(credits_: Credits, place: WeekPlace) -> Credits:
    done = {"place": weekly.decided(place)}
    return Credits(
        packs=tuple((row, pack.model_copy(update=done)) for row, pack in credits_.packs),
        entries=credits_.entries,
    )


def _decide(row: Row[Pack], place: WeekPlace, *notices: Notice) -> None:
    changed = row.value.model_copy(update={"place": place})
    bookings.decide_week(pack=row, changed=changed, notices=notices)


def _look_again(row: Row[Pack], place: WeekPlace, now: datetime) -> Placed:
    _decide(row, weekly.look_again(place, now))
    return Placed.LOOKS_AGAIN


def _already_waits(
    context: Context, row: Row[Pack], customer: Customer, place: WeekPlace
) -> Placed:
    notice = tell.no_week_place(context, customer, row.value, NoWeekPlace.FULL)
    _decide(row, weekly.decided(place), notice)
    return Placed.WAITING


def _give_up(context: Context, row: Row[Pack], customer: Customer, place: WeekPlace) -> Placed:
    """The week's time has come: its credits stay for something else in the week. Staff know already
    of a pack that is frozen ([REVERSE])."""
    if not row.value.left or row.value.frozen_at is not None:
        _decide(row, weekly.decided(place))
        return Placed.USED_OTHERWISE
    notice = tell.no_week_place(context, customer, row.value, NoWeekPlace.NOT_FOUND)
    _decide(row, weekly.decided(place), notice)
    return Placed.NO_PLACE
