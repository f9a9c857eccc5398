"""Every change of places and the credits that hold them, by name, with its conditions in sight.

Each function is one transaction, as in `transactions`: `Lost` means that something else was first.
The activity is always in it, as it was read: so it never has more participants than places.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from shared.domain.invoice import Invoice, InvoiceState
from shared.domain.reservation import Reservation, ReservationState, seat_of
from shared.store import accounts
from shared.store.items import Ref, Row
from shared.store.listed import OpenInvoice, Outstanding
from shared.store.writing import Write, commit, create, discard, overwrite, put, replace, unchanged

if TYPE_CHECKING:
    from shared.domain.activity import Activity
    from shared.domain.charge import Charge
    from shared.domain.customer import Customer
    from shared.domain.message import Message, Notice
    from shared.domain.pack import Entry, Pack
    from shared.store.records import Submission
    from shared.store.timeline import TimelineEvent


class Credits(NamedTuple):
    """Packs as they become, beside what was read, those that come to be, and the lines of their
    ledgers."""

    packs: tuple[tuple[Row[Pack], Pack], ...] = ()
    entries: tuple[Entry, ...] = ()
    made: tuple[Pack, ...] = ()


class Besides(NamedTuple):
    """What is written with a change: messages, what happened, and the press that asked for it."""

    messages: Sequence[Message] = ()
    customer_id: str | None = None
    """Whose timeline and submission it is."""
    events: Sequence[TimelineEvent] = ()
    submission: tuple[str, Submission] | None = None
    """The key with its record."""
    others: Sequence[tuple[Row[Reservation], Reservation]] = ()
    """Reservations of others that follow from it: a place is offered to them, or no more."""
    invoice: tuple[Row[Invoice] | None, Invoice] | None = None
    charge: tuple[Row[Charge] | None, Charge] | None = None
    """What asks for money with it: as it was read, or new, and as it becomes."""
    notices: Sequence[Notice] = ()


def credit_writes(credits_: Credits) -> list[Write]:
    return [
        *(create(accounts.pack(one.customer_id, one.id), one) for one in credits_.made),
        *(replace(row, pack) for row, pack in credits_.packs),
        *(create(accounts.entry(one.customer_id, one.pack_id, one.id), one)
          for one in credits_.entries),
    ]  # fmt: skip


def beside_writes(besides: Besides) -> list[Write]:
    writes: list[Write] = [
        create(accounts.message(one.customer_id, one.to, one.key), one) for one in besides.messages
    ]
    writes += [create(accounts.notice(one), one) for one in besides.notices]
    if besides.invoice is not None:
        writes += invoice_writes(*besides.invoice)
    if besides.charge is not None:
        asked, charge = besides.charge
        writes.append(put(accounts.charge(charge.customer_id, charge.source), asked, charge))
    for row, changed in besides.others:
        writes += [replace(row, changed), _seat(changed)]
    if besides.customer_id is None:
        return writes
    if besides.submission is not None:
        key, record = besides.submission
        writes.append(create(accounts.submission(besides.customer_id, key), record))
    return writes + [
        create(accounts.timeline_event(besides.customer_id, one.id), one) for one in besides.events
    ]


def _seat(reservation: Reservation) -> Write:
    """One writer at a time: the reservation is in the same transaction."""
    return overwrite(accounts.seat(reservation.activity_id, reservation.id), seat_of(reservation))


def _activity(activity: Row[Activity], changed: Activity) -> Write:
    return unchanged(activity) if changed == activity.value else replace(activity, changed)


def _owed(reservation: Reservation) -> Outstanding | None:
    """What staff are to see of a reservation among what began unpaid ([BOOK])."""
    gone = reservation.state is ReservationState.CANCELLED
    if not reservation.outstanding or gone or not reservation.owes:
        return None
    return Outstanding(
        location_id=reservation.location_id,
        reservation_id=reservation.id,
        activity_id=reservation.activity_id,
        customer_id=reservation.customer_id,
        customer_name=reservation.customer_name,
        what=reservation.name,
        starts_at=reservation.starts_at,
        zone=reservation.zone,
        amount=reservation.owes,
        invoice_id=reservation.invoice_id,
        for_pack=reservation.invoice_id is not None and not reservation.due,
    )


def invoice_writes(row: Row[Invoice] | None, invoice: Invoice) -> list[Write]:
    """An invoice, and the list of the open ones beside it: the invoice is in the same transaction,
    so there is one writer at a time."""
    before, after = None if row is None else _asked(row.value), _asked(invoice)
    writes: list[Write] = [put(accounts.invoice(invoice.customer_id, invoice.id), row, invoice)]
    at = accounts.open_invoice(invoice.location_id, invoice.id)
    if after is None and before is not None:
        writes.append(discard(at))
    if after is not None and after != before:
        writes.append(overwrite(at, after))
    return writes


def _asked(invoice: Invoice) -> OpenInvoice | None:
    """What staff see of an invoice among those that are open; a period's is collected by its
    subscription, and shown with that."""
    owed = invoice.owed
    open_ = invoice.state is InvoiceState.OPEN and owed.minor > 0
    if not open_ or invoice.subscription_id is not None:
        return None
    return OpenInvoice(
        location_id=invoice.location_id,
        invoice_id=invoice.id,
        customer_id=invoice.customer_id,
        what=invoice.lines[0].name,
        created_at=invoice.created_at,
        total=invoice.total,
        owed=owed,
        reservation_id=invoice.reservation_id,
        pack_id=invoice.pack_id,
    )


def outstanding_writes(old: Reservation, new: Reservation) -> list[Write]:
    """The list of what began unpaid, beside a reservation that joins or leaves it. The reservation
    is in the same transaction, so there is one writer at a time."""
    before, after = _owed(old), _owed(new)
    writes: list[Write] = []
    if before is not None and (after is None or _listed_at(before) != _listed_at(after)):
        writes.append(discard(_listed_at(before)))
    if after is not None and after != before:
        writes.append(overwrite(_listed_at(after), after))
    return writes


def _listed_at(owed: Outstanding) -> Ref[Outstanding]:
    return accounts.outstanding(owed.location_id, owed.starts_at, owed.reservation_id)


def create_activities(
    activities: Iterable[Activity],
    asked: tuple[Ref[Submission], Submission] | None = None,
) -> None:
    """New activities, none of which exists yet, and the press that `asked` for them."""
    writes = [create(accounts.activity(one.id), one) for one in activities]
    commit([*writes, *([create(*asked)] if asked else [])])


def change_activity(activity: Row[Activity], changed: Activity, besides: Besides) -> None:
    """An activity changes, and with it the reservations of those who are offered its places."""
    commit([_activity(activity, changed), *beside_writes(besides)])


def book(
    *,
    activity: Row[Activity],
    taken: Activity,
    customer: Row[Customer],
    changed: Customer,
    reservation: Reservation,
    credits_: Credits,
    besides: Besides,
) -> None:
    """A customer books, or joins the waiting list: the activity and every pack are as they were
    read, and there is no such reservation yet ([LEDGER], [PLACES])."""
    head = [] if changed == customer.value else [replace(customer, changed)]
    commit(
        [
            _activity(activity, taken),
            create(accounts.reservation(reservation.customer_id, reservation.id), reservation),
            _seat(reservation),
            *head,
            *credit_writes(credits_),
            *beside_writes(besides),
        ]
    )


def decide_week(*, pack: Row[Pack], changed: Pack, notices: Sequence[Notice]) -> None:
    """What becomes of the standing place of a week, where nothing is booked: the pack is as it was
    read ([WEEKLY])."""
    commit([replace(pack, changed), *beside_writes(Besides(notices=notices))])


def change_reservation(
    *,
    reservation: Row[Reservation],
    changed: Reservation,
    credits_: Credits,
    activities: Sequence[tuple[Row[Activity], Activity]],
    besides: Besides,
) -> None:
    """A reservation is cancelled, moved, accepted, redeemed or left unpaid; with it its credits,
    the activities whose places it gives back or takes, and the list of what began unpaid."""
    old, new = reservation.value, changed
    seats = [_seat(new)]
    if old.activity_id != new.activity_id:
        gone = old.model_copy(update={"state": new.state, "participants": 0})
        seats.append(_seat(gone))
    commit(
        [
            replace(reservation, changed),
            *seats,
            *outstanding_writes(old, new),
            *(_activity(row, value) for row, value in activities),
            *credit_writes(credits_),
            *beside_writes(besides),
        ]
    )
