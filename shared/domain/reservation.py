"""A reservation: a customer's place or places in an activity ([BOOK], [PLACES]).

It keeps what it needs of the activity, so that pages and workers read one item.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from pydantic import AwareDatetime

from shared.domain.activity import Activity, Waiting
from shared.domain.due import Moment, Worker
from shared.domain.money import Money, total
from shared.domain.record import Record


class ReservationState(StrEnum):
    """- `WAITING`: on the waiting list. `OFFERED`: a freed place is held for a while.
    - `BOOKED`: has its places. `REDEEMED`: took place, or was not cancelled in time.
    - `CANCELLED`: before the cutoff, or by the merchant. `CANCELLED_LATE`: after it.
    - `LAPSED`: waited in vain, or let an offer run out."""

    WAITING = "waiting"
    OFFERED = "offered"
    BOOKED = "booked"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"
    CANCELLED_LATE = "cancelled_late"
    LAPSED = "lapsed"


LIVE = frozenset({ReservationState.WAITING, ReservationState.OFFERED, ReservationState.BOOKED})


class Held(Record):
    """Credits of one pack that hold places. `credits` is 0 for an unlimited pack; `worth` is what
    they pay of the charge, `each` of each participant's ([VOUCHER])."""

    pack_id: str
    pack_name: str
    participants: int
    credits: int
    worth: Money
    each: tuple[Money, ...] = ()


class Taxed(Record):
    """How places are taxed, frozen at booking ([TAX], [MONEY]), and where their revenue goes."""

    rate: Decimal = Decimal(0)
    name: str = "Tax"
    account_code: str = ""


class Reservation(Record):
    """`charge` is the whole price before credits and tax, frozen at booking, `prices` that of each
    participant; `due` is what credits do not pay of it. `outstanding` once it has begun unpaid.

    `invoice_id` is the invoice that asks for money behind it: for the place itself, or for the
    pack that was bought with it. `invoiced` is what that invoice still asks, None once it is paid.
    """

    id: str
    customer_id: str
    customer_name: str = ""
    """As it was when it was booked, for the staff's list."""
    activity_id: str
    location_id: str
    zone: str
    service_id: str
    name: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    cutoff_at: AwareDatetime
    staff_member: str | None = None
    participants: int
    state: ReservationState
    held: tuple[Held, ...] = ()
    charge: Money
    prices: tuple[Money, ...] = ()
    taxed: Taxed = Taxed()
    booked_at: AwareDatetime
    offered_until: AwareDatetime | None = None
    """Until when a freed place is held; kept while it is being paid for, should that fail."""
    ended_at: AwareDatetime | None = None
    """When it was cancelled, redeemed or lapsed."""
    checked_in_at: AwareDatetime | None = None
    outstanding: bool = False
    invoice_id: str | None = None
    subscription_id: str | None = None
    """The subscription whose standing weekly place it is ([WEEKLY])."""
    invoiced: Money | None = None
    visit_invoice_id: str | None = None
    """The invoice that shows the charge and the credits that paid all of it ([VOUCHER])."""
    waived: bool = False
    """Whether staff have let go what was outstanding."""
    moved_from: str | None = None
    """The activity it was first booked for, when it was moved."""

    @property
    def live(self) -> bool:
        return self.state in LIVE

    @property
    def due(self) -> Money:
        """What credits do not pay, before tax."""
        return self.charge - total([one.worth for one in self.held], self.charge.currency)

    @property
    def owes(self) -> Money:
        """What is still to be paid, tax included: what its invoice asks, else what is due."""
        if self.invoiced is not None and not self.waived:
            return self.invoiced
        if self.invoice_id is not None or self.waived:
            return Money.zero(self.charge.currency)
        return estimated(self)


class Seat(Record):
    """Who has places in an activity, or waits for some: what staff see of a reservation."""

    reservation_id: str
    customer_id: str
    customer_name: str
    participants: int
    state: ReservationState
    checked_in_at: AwareDatetime | None = None


def seat_of(reservation: Reservation) -> Seat:
    return Seat(
        reservation_id=reservation.id,
        customer_id=reservation.customer_id,
        customer_name=reservation.customer_name,
        participants=reservation.participants,
        state=reservation.state,
        checked_in_at=reservation.checked_in_at,
    )


def reserve(
    activity: Activity,
    *,
    reservation_id: str,
    customer_id: str,
    customer_name: str,
    participants: int,
    state: ReservationState,
    charge: Money,
    held: tuple[Held, ...],
    now: datetime,
    prices: tuple[Money, ...] = (),
    taxed: Taxed | None = None,
) -> Reservation:
    """A new reservation of an activity."""
    return Reservation(
        id=reservation_id,
        customer_id=customer_id,
        customer_name=customer_name,
        activity_id=activity.id,
        location_id=activity.location_id,
        zone=activity.zone,
        service_id=activity.service_id,
        name=activity.name,
        starts_at=activity.starts_at,
        ends_at=activity.ends_at,
        cutoff_at=activity.cutoff_at,
        staff_member=activity.staff_member,
        participants=participants,
        state=state,
        held=held,
        charge=charge,
        prices=prices,
        taxed=taxed or Taxed(),
        booked_at=now,
    )


def waiting(reservation: Reservation) -> Waiting:
    """What stands on the activity's list of who waits for a place."""
    return Waiting(
        customer_id=reservation.customer_id,
        reservation_id=reservation.id,
        participants=reservation.participants,
        since=reservation.booked_at,
    )


# --- what it costs ---------------------------------------------------------------------------


def _shares(reservation: Reservation) -> Iterator[tuple[Money, Held | None, Money]]:
    """Each participant's price, the credits that pay of it, and how much. One that was booked
    before prices were kept apart is one share."""
    nothing = Money.zero(reservation.charge.currency)
    apart = len(reservation.prices) == reservation.participants and all(
        len(one.each) == one.participants for one in reservation.held
    )
    if not apart:
        held = reservation.held[0] if reservation.held else None
        yield reservation.charge, held, reservation.charge - reservation.due
        return
    paid = [(one, each) for one in reservation.held for each in one.each]
    for at, price in enumerate(reservation.prices):
        held, worth = paid[at] if at < len(paid) else (None, nothing)
        yield price, held, worth


class PlacePart(NamedTuple):
    """Equal places of a reservation, or what a pack pays of them (`paid_with`), which is negative:
    as an invoice's line says it. `tax` is on top of `amount`."""

    paid_with: Held | None
    quantity: int
    unit: Money
    amount: Money
    tax: Money


def parts_of(reservation: Reservation) -> Iterator[PlacePart]:
    """What its places come to, credits counted ([VOUCHER])."""
    rate = reservation.taxed.rate
    for (price, held, worth), group in groupby(_shares(reservation)):
        count = len(list(group))
        yield PlacePart(None, count, price, price * count, (price * count).share(rate))
        if held is not None:
            paid = worth * count
            yield PlacePart(held, count, -worth, -paid, -paid.share(rate))


def estimated(reservation: Reservation) -> Money:
    """What its invoice will come to, tax included."""
    parts = parts_of(reservation)
    return total([part.amount + part.tax for part in parts], reservation.charge.currency)


def is_past(reservation: Reservation) -> bool:
    """Whether it is over and nobody waits for money for it: it is one of the past ones."""
    unpaid = reservation.outstanding and bool(reservation.owes)
    return not reservation.live and not unpaid


def touched_at(reservation: Reservation) -> datetime:
    """When something last happened to it that is told of it: booked, checked in, over."""
    happened = [reservation.booked_at, reservation.checked_in_at, reservation.ended_at]
    return max(at for at in happened if at is not None)


def next_moment(reservation: Reservation) -> Moment | None:
    """A booked one is looked at when it starts, while something of it is unpaid, and when it ends:
    what is not cancelled is redeemed then. Who waits is looked after with the activity."""
    if reservation.state is not ReservationState.BOOKED:
        return None
    unpaid = bool(reservation.owes) and not reservation.outstanding
    at = reservation.starts_at if unpaid else reservation.ends_at
    return Moment(at=at, worker=Worker.PLACES)
