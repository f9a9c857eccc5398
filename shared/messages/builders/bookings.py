"""The emails of reservations ([MAILS]): confirmed, changed, cancelled, and a place that is offered.

As the other builders: give them the reservation **as it is after the change**, and write what they
return in the same transaction ([OUTBOX]). Times are the location's, the locale the customer's.
"""

from datetime import datetime

from shared.domain.message import Message, MessageKind
from shared.domain.reservation import Reservation, ReservationState, estimated
from shared.messages.builders.telling import Telling
from shared.messages.facts.bookings import (
    HeldShown,
    PlaceOfferedFacts,
    ReservationCancelledFacts,
    ReservationChangedFacts,
    ReservationFacts,
    ReservationShown,
)


def reservation_confirmed(telling: Telling, *, reservation: Reservation) -> Message:
    """Sent when places are booked, at once or by accepting an offer ([BOOK]): what, when, which
    credits hold it, what is to be paid at the start, and until when it can be cancelled. Once per
    reservation."""
    facts = ReservationFacts(
        greeting=telling.customer.name,
        zone=reservation.zone,
        reservation=reservation_shown(telling, reservation),
    )
    return telling.message(MessageKind.RESERVATION_CONFIRMED, reservation.id, facts)


def reservation_changed(
    telling: Telling, *, reservation: Reservation, from_start: datetime, move_id: str
) -> Message:
    """Sent when a reservation was moved to another activity, which would have started at
    `from_start` (UTC) before ([PLACES]). Once per `move_id`: it may move there and back, and there
    again."""
    facts = ReservationChangedFacts(
        greeting=telling.customer.name,
        zone=reservation.zone,
        reservation=reservation_shown(telling, reservation),
        from_start=from_start,
    )
    told = f"{reservation.id}:{reservation.activity_id}:{move_id}"
    return telling.message(MessageKind.RESERVATION_CHANGED, told, facts)


def reservation_cancelled(
    telling: Telling,
    *,
    reservation: Reservation,
    before: Reservation | None = None,
    by_merchant: bool,
    not_paid: bool = False,
) -> Message:
    """Sent when places were given up, by the customer or by the merchant, or since they were
    `not_paid`; and whether the credits came back or stay used: its state tells ([PLACES]). What
    was to be paid, and is no longer, is told from how it stood `before`. Once per reservation."""
    before = before or reservation
    back = reservation.state is not ReservationState.CANCELLED_LATE
    asked_no_more = back and reservation.invoiced is None and not before.outstanding
    no_longer = before.owes if asked_no_more else None
    shown = reservation_shown(telling, before if no_longer else reservation)
    if shown.buys and no_longer:
        # The pack that was bought with it is gone: nothing came back to that.
        shown = shown.model_copy(update={"held": shown.held[:-1]})
    facts = ReservationCancelledFacts(
        greeting=telling.customer.name,
        zone=reservation.zone,
        reservation=shown,
        by_merchant=by_merchant,
        credits_back=back,
        nothing_to_pay=bool(no_longer),
        not_paid=not_paid,
        made_up=_made_up(before) if back else 0,
    )
    return telling.message(MessageKind.RESERVATION_CANCELLED, reservation.id, facts)


def _made_up(reservation: Reservation) -> int:
    """How many of its places had been paid with money alone."""
    if reservation.invoice_id is None or reservation.invoiced is not None or not reservation.due:
        return 0
    return reservation.participants - sum(one.participants for one in reservation.held)


def place_offered(telling: Telling, *, reservation: Reservation) -> Message:
    """Sent when freed places are held for somebody who waits: until when, and where to accept
    ([PLACES]). Once per offer."""
    if reservation.offered_until is None:
        raise ValueError(f"nothing is offered to {reservation.id}")
    facts = PlaceOfferedFacts(
        greeting=telling.customer.name,
        zone=reservation.zone,
        # Nothing is due before it is accepted: which credits pay is decided then.
        reservation=reservation_shown(telling, reservation).model_copy(update={"due": None}),
        offered_until=reservation.offered_until,
        price=estimated(reservation) or None,
    )
    told = f"{reservation.id}:{reservation.offered_until.isoformat()}"
    return telling.message(MessageKind.PLACE_OFFERED, told, facts)


def reservation_shown(telling: Telling, reservation: Reservation) -> ReservationShown:
    """A reservation in an email's words. A location or a staff member that the catalogue no longer
    has is left out: a wrong name would send somebody to the wrong door."""
    place = telling.business.location(reservation.location_id)
    leader = telling.business.staff_person(reservation.staff_member)
    return ReservationShown(
        id=reservation.id,
        name=reservation.name,
        location="" if place is None else place.name,
        address="" if place is None else place.address,
        led_by="" if leader is None else leader.name,
        starts_at=reservation.starts_at,
        ends_at=reservation.ends_at,
        participants=reservation.participants,
        cutoff_at=reservation.cutoff_at,
        past_cutoff=telling.now >= reservation.cutoff_at,
        held=tuple(
            HeldShown(pack_id=one.pack_id, name=one.pack_name, credits=one.credits)
            for one in reservation.held
        ),
        due=reservation.owes or None,
        invoice_id=reservation.invoice_id if reservation.owes else None,
        buys=_pack_to_pay(reservation),
        paid=reservation.invoice_id is not None and reservation.invoiced is None,
    )


def _pack_to_pay(reservation: Reservation) -> str:
    """The pack that was bought with it and is not paid: the last of those that hold its places."""
    asks_for_pack = reservation.invoiced is not None and not reservation.due and reservation.held
    return reservation.held[-1].pack_name if asks_for_pack else ""
