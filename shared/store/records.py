"""What lies in the accounts table beside the domain's own models, and how every kind of item there
is stored: when it is due, what its state is, when it is forgotten."""

from datetime import timedelta

from pydantic import AwareDatetime

from shared.domain import charge as charges
from shared.domain import invoice as invoices
from shared.domain.charge import Charge
from shared.domain.due import Moment, Worker
from shared.domain.invoice import Invoice
from shared.domain.message import Notice
from shared.domain.money import Money
from shared.domain.pack import Entry
from shared.domain.record import Record
from shared.domain.reservation import Seat
from shared.store.engine import (
    Kind,
    register,
)

SUBMISSION_KEPT = timedelta(days=7)
WEBHOOK_KEPT = timedelta(days=90)


class Submission(Record):
    """An `Idempotency-Key` that was used: for what content, and where its answer stands ([KEY])."""

    content: str
    """A hash of what was submitted."""
    operation: str
    answer: str = ""
    """The charge's source, or another reference from which the same answer is given again."""
    attempt: str | None = None
    at: AwareDatetime


class WebhookReceived(Record):
    """A verified webhook, stored once under its event id ([VERIFY])."""

    provider: str
    event_id: str
    type: str
    charge_ref: str | None = None
    object_id: str | None = None
    setup_id: str | None = None
    kind: str
    received_at: AwareDatetime
    applied_at: AwareDatetime | None = None
    result: str = ""


class DirectoryEntry(Record):
    """A customer as staff find them."""

    customer_id: str
    email: str
    name: str
    location: str | None = None


class Numbering(Record):
    """The last invoice number given at a location ([NUMBER])."""

    last: int = 0


class AuditMark(Record):
    """Where the daily audit stopped: it goes on from here the next day. A round is from the first
    customer to the last, over as many days as that takes."""

    after: str | None = None
    round_began_at: AwareDatetime | None = None
    last_round_began_at: AwareDatetime | None = None


class Outstanding(Record):
    """What began unpaid ([BOOK]): `amount` is what a reservation still owes, tax included. It is
    there for as long as the reservation says so. `invoice_id` is the invoice that asks for it;
    `for_pack`: that is of a pack which was bought with the place."""

    location_id: str
    reservation_id: str
    activity_id: str
    customer_id: str
    customer_name: str
    what: str
    starts_at: AwareDatetime
    zone: str
    amount: Money
    invoice_id: str | None = None
    for_pack: bool = False


class Commitment(Record):
    """Where a subscription with a minimum of payments is ([COMMIT]). `done`: it is fulfilled, or
    over, and is listed no more."""

    customer_id: str
    subscription_id: str
    since: AwareDatetime
    done: bool = False


class OpenInvoice(Record):
    """An invoice that no subscription collects, while something is owed on it: what staff see of a
    location's, wherever the place behind it stands."""

    location_id: str
    invoice_id: str
    customer_id: str
    what: str
    created_at: AwareDatetime
    total: Money
    owed: Money
    reservation_id: str | None = None
    pack_id: str | None = None


def _kept(at: AwareDatetime, span: timedelta) -> AwareDatetime:
    return at + span


register(Entry, Kind("entry", state=lambda e: e.kind.value))
register(Invoice, Kind("invoice", moment=invoices.next_moment, state=lambda i: i.state.value))
register(
    Charge,
    Kind(
        "charge",
        moment=charges.next_moment,
        state=lambda c: c.outcome.value if c.outcome else None,
    ),
)
register(Notice, Kind("notice", state=lambda n: "done" if n.done_at else "open"))
register(Submission, Kind("submission", expires_at=lambda s: _kept(s.at, SUBMISSION_KEPT)))
register(
    WebhookReceived,
    Kind(
        "webhook",
        moment=lambda w: None if w.applied_at else Moment(at=w.received_at, worker=Worker.APPLY),
        expires_at=lambda w: _kept(w.received_at, WEBHOOK_KEPT) if w.applied_at else None,
    ),
)
register(DirectoryEntry, Kind("directory"))
register(Seat, Kind("seat", state=lambda s: s.state.value))
register(Outstanding, Kind("outstanding"))
register(OpenInvoice, Kind("open_invoice"))
register(Commitment, Kind("commitment", expires_at=lambda c: c.since if c.done else None))
register(Numbering, Kind("numbering"))
register(AuditMark, Kind("audit_mark"))
