"""The accounts table: where every entity of a customer lives, and what waits beside them.

A customer is one item collection. Ids are ULIDs, so that sort keys sort by time.

Where things live is known without what they are: the model of what is asked for is loaded when it
is asked for, so that a function which stores one thing knows nothing of the others (decision 11).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.due import utc_text
from shared.store import (
    carts,
    holdings,
    kinds,  # noqa: F401 - says how each kind is stored
    outbox,
    people,
    schedule,
    visits,
)
from shared.store.items import AccountItem, Ref, Row
from shared.store.newest import AT_ONCE, everything, newest
from shared.store.reading import PAGE_LIMIT, Page, query, query_between

if TYPE_CHECKING:
    from shared.domain.charge import Charge
    from shared.domain.customer import Customer
    from shared.domain.invoice import Invoice
    from shared.domain.message import Message, Notice
    from shared.domain.pack import Entry, Pack
    from shared.domain.reservation import Seat
    from shared.store.listed import Commitment, DirectoryEntry, OpenInvoice, Outstanding
    from shared.store.marks import AuditMark, Numbering
    from shared.store.records import Submission
    from shared.store.timeline import TimelineEvent
    from shared.store.webhook_events import ChargeSeen, WebhookReceived

# Who customers are is known without what they own, and each kind of that without the others; here
# all are at hand.
digest = people.digest
normal_address = people.normal_address
customer_pk = people.customer_pk
visitor_pk = people.visitor_pk
head = people.head
cart = carts.cart
address = people.address
message = outbox.message
subscription = holdings.subscription
pack = holdings.pack
subscriptions_of = holdings.subscriptions_of
packs_of = holdings.packs_of
live_packs_of = holdings.live_packs_of
ended_packs_of = holdings.ended_packs_of
holdings_of = holdings.holdings_of
activity = schedule.activity
schedule_of = schedule.schedule_of
SCHEDULE_LIMIT = schedule.SCHEDULE_LIMIT
reservation = visits.reservation
reservations_of = visits.reservations_of
live_reservations_of = visits.live_reservations_of
past_reservations_of = visits.past_reservations_of

# --- where things live -----------------------------------------------------------------------


def ended_pack(customer_id: str, pack_id: str) -> Ref[Pack]:
    """One that is put away, and only there."""
    from shared.domain.pack import Pack

    return Ref(AccountItem, customer_pk(customer_id), f"ended-pack#{pack_id}", Pack, exact=True)


def entry(customer_id: str, pack_id: str, entry_id: str) -> Ref[Entry]:
    from shared.domain.pack import Entry

    return Ref(AccountItem, customer_pk(customer_id), f"entry#{pack_id}#{entry_id}", Entry)


def invoice(customer_id: str, invoice_id: str) -> Ref[Invoice]:
    """Wherever it lies: those that stay open lie under `asking#`, what credits alone paid under
    `used#`."""
    from shared.domain.invoice import Invoice

    return Ref(AccountItem, customer_pk(customer_id), f"invoice#{invoice_id}", Invoice)


def invoice_at(pk: str, sk: str) -> Ref[Invoice]:
    """One where the due index says that it lies."""
    from shared.domain.invoice import Invoice

    return Ref(AccountItem, pk, sk, Invoice, exact=True)


def charge(customer_id: str, source: str) -> Ref[Charge]:
    from shared.domain.charge import Charge

    return Ref(AccountItem, customer_pk(customer_id), f"charge#{source}", Charge)


def charge_of_ref(ref: str) -> Ref[Charge] | None:
    """The charge that a provider's metadata names; None for what is not one of ours."""
    customer_id, slash, source = ref.partition("/")
    return charge(customer_id, source) if slash and customer_id and source else None


def charge_seen(ref: str) -> Ref[ChargeSeen] | None:
    """The same, of which no more is read than whether an event is news."""
    from shared.store.webhook_events import ChargeSeen

    customer_id, slash, source = ref.partition("/")
    if not (slash and customer_id and source):
        return None
    return Ref(AccountItem, customer_pk(customer_id), f"charge#{source}", ChargeSeen)


def period_source(subscription_id: str, period: int) -> str:
    return f"{subscription_id}.{period:05d}"


def seat(activity_id: str, reservation_id: str) -> Ref[Seat]:
    """What staff see of a reservation lies with its activity."""
    from shared.domain.reservation import Seat

    return Ref(AccountItem, f"seats#{activity_id}", f"seat#{reservation_id}", Seat)


def outstanding(location_id: str, starts_at: datetime, reservation_id: str) -> Ref[Outstanding]:
    """By location and start, so that one query lists what began unpaid somewhere."""
    from shared.store.listed import Outstanding

    sk = f"{location_id}#{utc_text(starts_at)}#{reservation_id}"
    return Ref(AccountItem, "outstanding", sk, Outstanding)


def open_invoice(location_id: str, invoice_id: str) -> Ref[OpenInvoice]:
    """In the order of when they were made, as their ids are."""
    from shared.store.listed import OpenInvoice

    return Ref(AccountItem, "open-invoices", f"{location_id}#{invoice_id}", OpenInvoice)


def commitment(location_id: str, subscription_id: str) -> Ref[Commitment]:
    from shared.store.listed import Commitment

    return Ref(AccountItem, "commitments", f"{location_id}#{subscription_id}", Commitment)


def submission(customer_id: str, key: str) -> Ref[Submission]:
    from shared.store.records import Submission

    return Ref(AccountItem, customer_pk(customer_id), f"key#{digest(key)}", Submission)


def staff_submission(email: str, key: str) -> Ref[Submission]:
    """A staff member's press that is about no customer."""
    from shared.store.records import Submission

    return Ref(AccountItem, f"staff#{normal_address(email)}", f"key#{digest(key)}", Submission)


def timeline_event(customer_id: str, event_id: str) -> Ref[TimelineEvent]:
    from shared.store.timeline import TimelineEvent

    return Ref(AccountItem, customer_pk(customer_id), f"event#{event_id}", TimelineEvent)


def directory(customer: Customer) -> Ref[DirectoryEntry]:
    from shared.store.listed import DirectoryEntry

    name = normal_address(customer.email)
    return Ref(AccountItem, "directory", f"customer#{name}", DirectoryEntry)


def webhook(provider: str, event_id: str) -> Ref[WebhookReceived]:
    from shared.store.webhook_events import WebhookReceived

    return Ref(AccountItem, f"webhook#{provider}#{event_id}", "event", WebhookReceived)


def webhook_at(pk: str, sk: str) -> Ref[WebhookReceived]:
    from shared.store.webhook_events import WebhookReceived

    return Ref(AccountItem, pk, sk, WebhookReceived)


def audit_mark() -> Ref[AuditMark]:
    from shared.store.marks import AuditMark

    return Ref(AccountItem, "audit", "mark", AuditMark)


def numbering(location_id: str) -> Ref[Numbering]:
    from shared.store.marks import Numbering

    return Ref(AccountItem, f"numbering#{location_id}", "invoice", Numbering)


def notice(value: Notice) -> Ref[Notice]:
    """Open and done notices lie apart, so that the open ones are read without the rest."""
    return notice_at("done" if value.done_at else "open", value.id)


def notice_at(state: str, notice_id: str) -> Ref[Notice]:
    from shared.domain.message import Notice

    return Ref(AccountItem, "notices", f"{state}#{notice_id}", Notice)


# --- collections -----------------------------------------------------------------------------


def entries_of(customer_id: str, pack_id: str, *, after: str | None = None) -> Page[Entry]:
    from shared.domain.pack import Entry

    return query(
        AccountItem,
        customer_pk(customer_id),
        f"entry#{pack_id}#",
        Entry,
        limit=PAGE_LIMIT,
        after=after,
    )


def ledger_of(
    customer_id: str, pack_id: str | None, *, limit: int, after: str | None = None
) -> Page[Entry]:
    """A customer's entries, of one pack or of all: pack by pack, the oldest of each first."""
    from shared.domain.pack import Entry

    return query(
        AccountItem,
        customer_pk(customer_id),
        f"entry#{pack_id}#" if pack_id else "entry#",
        Entry,
        limit=limit,
        newest_first=False,
        after=after,
    )


def ledgers_between(
    customer_id: str, first: str, last: str, *, limit: int, after: str | None = None
) -> Page[Entry]:
    """The entries of every pack whose id is from `first` to `last`, both in: pack by pack, the
    oldest of each first."""
    from shared.domain.pack import Entry

    pk = customer_pk(customer_id)
    # "$" comes right after the "#" that ends a pack's id.
    begins, ends = f"entry#{first}#", f"entry#{last}$"
    return query_between(AccountItem, pk, begins, ends, Entry, limit=limit, after=after)


def invoices_of(
    customer_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None
) -> Page[Invoice]:
    """All but those that stay open, `asking_invoices_of`, and those that credits alone paid,
    `used_invoices_of`. Newest first; `after` is an id."""
    from shared.domain.invoice import Invoice

    return newest(customer_id, "invoice", Invoice, limit=limit, after=after)


def asking_invoices_of(
    customer_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None
) -> Page[Invoice]:
    """Invoices that stay open (`invoice.stays_open`), in the same order."""
    from shared.domain.invoice import Invoice

    return newest(customer_id, "asking", Invoice, limit=limit, after=after)


def used_invoices_of(
    customer_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None
) -> Page[Invoice]:
    """Invoices of places that credits alone paid (`invoice.by_credits_alone`), in the same
    order."""
    from shared.domain.invoice import Invoice

    return newest(customer_id, "used", Invoice, limit=limit, after=after)


def all_asking_invoices_of(customer_id: str) -> tuple[Row[Invoice], ...]:
    """All that stay open."""
    return everything(lambda after: asking_invoices_of(customer_id, limit=AT_ONCE, after=after))


def charges_of(customer_id: str, *, after: str | None = None) -> Page[Charge]:
    from shared.domain.charge import Charge

    return query(
        AccountItem,
        customer_pk(customer_id),
        "charge#",
        Charge,
        limit=PAGE_LIMIT,
        after=after,
    )


def messages_of(customer_id: str, *, after: str | None = None) -> Page[Message]:
    from shared.domain.message import Message

    return query(
        AccountItem,
        customer_pk(customer_id),
        "message#",
        Message,
        limit=PAGE_LIMIT,
        after=after,
    )


def timeline_of(customer_id: str, *, after: str | None = None) -> Page[TimelineEvent]:
    from shared.store.timeline import TimelineEvent

    return query(
        AccountItem,
        customer_pk(customer_id),
        "event#",
        TimelineEvent,
        limit=PAGE_LIMIT,
        after=after,
    )


def seats_of(activity_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None) -> Page[Seat]:
    from shared.domain.reservation import Seat

    return query(AccountItem, f"seats#{activity_id}", "seat#", Seat, limit=limit, after=after)


def outstanding_of(
    location_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None
) -> Page[Outstanding]:
    """What began unpaid at a location, the latest first."""
    from shared.store.listed import Outstanding

    return query(
        AccountItem, "outstanding", f"{location_id}#", Outstanding, limit=limit, after=after
    )


def commitments_of(
    location_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None
) -> Page[Commitment]:
    """The latest agreements for a minimum of payments at a location first."""
    from shared.store.listed import Commitment

    return query(
        AccountItem, "commitments", f"{location_id}#", Commitment, limit=limit, after=after
    )


def open_invoices_of(
    location_id: str, *, limit: int = PAGE_LIMIT, after: str | None = None
) -> Page[OpenInvoice]:
    """What invoices of a location ask for that no subscription collects, the latest first."""
    from shared.store.listed import OpenInvoice

    return query(
        AccountItem, "open-invoices", f"{location_id}#", OpenInvoice, limit=limit, after=after
    )


def open_notices(*, limit: int = PAGE_LIMIT, after: str | None = None) -> Page[Notice]:
    from shared.domain.message import Notice

    return query(AccountItem, "notices", "open#", Notice, limit=limit, after=after)


def customers_by_address(
    prefix: str, *, limit: int = PAGE_LIMIT, after: str | None = None
) -> Page[DirectoryEntry]:
    """Customers whose address begins with `prefix`, in its order."""
    from shared.store.listed import DirectoryEntry

    return query(
        AccountItem,
        "directory",
        f"customer#{normal_address(prefix)}",
        DirectoryEntry,
        limit=limit,
        newest_first=False,
        after=after,
    )
