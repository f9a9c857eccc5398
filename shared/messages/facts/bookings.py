"""What emails about reservations tell."""

from pydantic import AwareDatetime

from shared.domain.money import Money
from shared.domain.record import Record
from shared.messages.opening import Facts, Words


class HeldShown(Record):
    """Credits of one pack that hold places; 0 of an unlimited one."""

    pack_id: str
    name: Words
    credits: int


class ReservationShown(Record):
    """A customer's places in an activity. Until `cutoff_at` they can be cancelled with the credits
    coming back, or be moved; `past_cutoff` when that was over as the email was written. `due` is
    what is still to be paid, tax included; None is nothing. `invoice_id` asks for it, where there
    is one; then `buys` names the pack that it is for, if it is not for the places. `paid`: such an
    invoice was paid."""

    id: str
    name: Words
    location: Words = ""
    address: Words = ""
    led_by: Words = ""
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    participants: int
    cutoff_at: AwareDatetime
    past_cutoff: bool = False
    held: tuple[HeldShown, ...] = ()
    due: Money | None = None
    invoice_id: str | None = None
    buys: Words = ""
    paid: bool = False


class ReservationFacts(Facts):
    reservation: ReservationShown


class ReservationChangedFacts(ReservationFacts):
    """`from_start` is when it would have started before it was moved."""

    from_start: AwareDatetime


class ReservationCancelledFacts(ReservationFacts):
    """`credits_back`: what held it is free again; otherwise it stays used ([PLACES]).
    `nothing_to_pay`: its `due` was to be paid, and is no longer. `not_paid`: it is cancelled since
    the payment failed on whose condition it was booked. `made_up`: places that were paid with money
    and came back as credits."""

    by_merchant: bool = False
    credits_back: bool = True
    nothing_to_pay: bool = False
    not_paid: bool = False
    made_up: int = 0


class PlaceOfferedFacts(ReservationFacts):
    """`price` is of all its participants with tax, before credits; None costs nothing."""

    offered_until: AwareDatetime
    price: Money | None = None
