"""Everything of one customer that one staff member may see ([OWN])."""

from dataclasses import dataclass, replace
from datetime import datetime

from functions.console.recent import Begun, finish
from shared.domain.charge import Charge
from shared.domain.customer import Customer
from shared.domain.invoice import Invoice
from shared.domain.message import Message
from shared.domain.pack import Entry, Pack
from shared.domain.reservation import Reservation
from shared.domain.subscription import Subscription
from shared.operations.staff import sees_customer
from shared.store.collection import Collection, collection_of
from shared.store.staff import StaffMember
from shared.store.timeline import TimelineEvent

MAX_READINGS = 15
"""Readings of one customer's collection, of about a thousand items each. One is enough for many
years of a monthly subscription."""


@dataclass(frozen=True)
class Books:
    """`whole` is False when the collection was too long to be read to its end. `since`: everything
    that happened after it is in here, and not all of what happened before; None: all is."""

    customer: Customer
    subscriptions: tuple[Subscription, ...]
    packs: tuple[Pack, ...]
    entries: tuple[Entry, ...]
    invoices: tuple[Invoice, ...]
    charges: tuple[Charge, ...]
    messages: tuple[Message, ...]
    events: tuple[TimelineEvent, ...]
    reservations: tuple[Reservation, ...] = ()
    whole: bool = True
    since: datetime | None = None


def newest_books(begun: Begun, staff: StaffMember) -> Books | None:
    """The newest of a customer's books, which is as much work however long they are; None as
    `read_books`, which it is for who may not see all locations: of what is elsewhere only the whole
    tells ([OWN])."""
    recent = finish(begun) if staff.locations is None else None
    if recent is None:
        return read_books(begun.customer_id, staff)
    books = books_for(recent.found, staff)
    return books and replace(books, since=recent.since)


def read_books(customer_id: str, staff: StaffMember) -> Books | None:
    """A customer's books; None when there is no such customer, or none for this person to see."""
    found = collection_of(customer_id)
    for _ in range(MAX_READINGS - 1):
        if found.next is None:
            break
        found = found.with_more(collection_of(customer_id, after=found.next))
    return books_for(found, staff)


def books_for(found: Collection, staff: StaffMember) -> Books | None:
    """What belongs to this person's locations, or to none."""
    customers = found.of(Customer)
    if not customers:
        return None
    customer = customers[0]
    subscriptions = found.of(Subscription)
    # Packs that ended, and invoices that stay open, lie apart: here all are by when they were made.
    packs = tuple(sorted(found.of(Pack), key=lambda one: one.id, reverse=True))
    invoices = tuple(sorted(found.of(Invoice), key=lambda one: one.id, reverse=True))
    charges = found.of(Charge)
    reservations = found.of(Reservation)
    placed: list[Subscription | Pack | Invoice | Charge | Reservation] = [
        *subscriptions,
        *packs,
        *invoices,
        *charges,
        *reservations,
    ]
    if not sees_customer(staff, customer) and not any(
        staff.works_at(one.location_id) for one in placed
    ):
        return None
    hidden = tuple(one.id for one in placed if not staff.works_at(one.location_id))

    def is_hidden(*ids: str | None) -> bool:
        return bool(hidden) and any(one is not None and one in hidden for one in ids)

    def tells_of_hidden(message: Message) -> bool:
        """A message's key ends with the id of what it tells of, or with one derived from it."""
        told = message.key.partition(":")[2]
        return bool(hidden) and (told.startswith(hidden) or is_hidden(message.only_while))

    late = tuple(one for one in customer.past_due if not is_hidden(one.subscription_id))
    return Books(
        customer=customer.model_copy(update={"past_due": late}),
        subscriptions=tuple(one for one in subscriptions if not is_hidden(one.id)),
        packs=tuple(one for one in packs if not is_hidden(one.id)),
        entries=tuple(one for one in found.of(Entry) if not is_hidden(one.pack_id)),
        invoices=tuple(one for one in invoices if not is_hidden(one.id)),
        charges=tuple(one for one in charges if not is_hidden(one.id)),
        reservations=tuple(one for one in reservations if not is_hidden(one.id)),
        messages=tuple(
            one for item in found.of(Message) for one in item.each if not tells_of_hidden(one)
        ),
        events=tuple(
            one
            for one in found.of(TimelineEvent)
            if not is_hidden(one.subscription_id, one.pack_id, one.reservation_id)
        ),
        whole=found.next is None,
    )
