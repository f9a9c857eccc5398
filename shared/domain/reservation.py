"""A reservation: a customer's place or places in an activity ([BOOK], [PLACES]).

It keeps what it needs of the activity, so that pages and workers read one item.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domain.activity import Activity
from shared.domain.due import Moment, Worker
from shared.domain.money import Money, total


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


class Held(BaseModel):
    """Credits of one pack that hold places. `credits` is 0 for an unlimited pack; `worth` is what
    they pay of the charge ([VOUCHER])."""

    model_config = ConfigDict(frozen=True)

    pack_id: str
    pack_name: str
    participants: int
    credits: int
    worth: Money


class Reservation(BaseModel):
    """`charge` is the whole price before credits and tax, frozen at booking; `due` is what credits
    and payments have not covered. `outstanding` once it has begun unpaid."""

    model_config = ConfigDict(frozen=True)

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
    booked_at: AwareDatetime
    offered_until: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    """When it was cancelled, redeemed or lapsed."""
    checked_in_at: AwareDatetime | None = None
    outstanding: bool = False
    invoice_id: str | None = None
    """The invoice of what was due, once staff made one."""
    subscription_id: str | None = None
    """The subscription whose standing weekly place it is ([WEEKLY])."""
    moved_from: str | None = None
    """The activity it was first booked for, when it was moved."""

    @property
    def live(self) -> bool:
        return self.state in LIVE

    @property
    def due(self) -> Money:
        """What credits do not pay."""
        return self.charge - total([one.worth for one in self.held], self.charge.currency)

    @property
    def covered(self) -> int:
        """Participants whose places credits hold."""
        return sum(one.participants for one in self.held)


class Seat(BaseModel):
    """Who has places in an activity, or waits for some: what staff see of a reservation."""

    model_config = ConfigDict(frozen=True)

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
        booked_at=now,
    )


def next_moment(reservation: Reservation) -> Moment | None:
    """A booked one is looked at when it starts, while something of it is unpaid, and when it ends:
    what is not cancelled is redeemed then. Who waits is looked after with the activity."""
    if reservation.state is not ReservationState.BOOKED:
        return None
    unpaid = bool(reservation.due) and not reservation.outstanding
    at = reservation.starts_at if unpaid else reservation.ends_at
    return Moment(at=at, worker=Worker.PLACES)
