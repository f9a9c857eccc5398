"""How every kind of item of the accounts table is stored: when it is due, what its state is, when
it is forgotten, and when something last happened to it, where a customer's story tells of it.

Kinds are known by the names of their models, which are loaded by whoever reads or makes one.
"""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from shared.domain.due import Moment, Worker
from shared.store.items import Apart, Kind, register_name

SUBMISSION_KEPT = timedelta(days=7)
WEBHOOK_KEPT = timedelta(days=90)
OPENING_MESSAGE_KEPT = timedelta(days=30)
"""How long sign-in emails are kept: they belong to an address, not to a customer."""


def _said_by_its_module(name: str) -> Callable[[Any], Any]:
    """What the function `name` says of an entity, which lies beside its model."""
    return lambda entity: getattr(sys.modules[type(entity).__module__], name)(entity)


_next_moment = _said_by_its_module("next_moment")
_touched_at = _said_by_its_module("touched_at")


def _state(entity: Any) -> str:
    state: str = entity.state.value
    return state


def _webhook_moment(webhook: Any) -> Moment | None:
    return None if webhook.applied_at else Moment(at=webhook.received_at, worker=Worker.APPLY)


def _webhook_expires(webhook: Any) -> datetime | None:
    return webhook.received_at + WEBHOOK_KEPT if webhook.applied_at else None


def _message_expires(message: Any) -> datetime | None:
    return message.created_at + OPENING_MESSAGE_KEPT if message.customer_id is None else None


_put_away = _said_by_its_module("put_away")
_is_past = _said_by_its_module("is_past")
_by_credits_alone = _said_by_its_module("by_credits_alone")
_stays_open = _said_by_its_module("stays_open")


def _where_of_pack(pack: Any) -> str:
    return "ended-pack" if _put_away(pack) else "pack"


def _where_of_reservation(reservation: Any) -> str:
    return "ended-visit" if _is_past(reservation) else "visit"


def _where_of_invoice(invoice: Any) -> str:
    if _by_credits_alone(invoice):
        return "used"
    return "asking" if _stays_open(invoice) else "invoice"


register_name("shared.domain.customer.Customer", Kind("customer"))
register_name("shared.domain.cart.Cart", Kind("cart", expires_at=_said_by_its_module("expires_at")))
register_name(
    "shared.domain.message.Message",
    Kind(
        "message",
        moment=_next_moment,
        state=lambda m: "pending" if m.pending else m.state.value,
        expires_at=_message_expires,
        touched_at=_touched_at,
    ),
)
register_name(
    "shared.domain.subscription.Subscription",
    Kind("subscription", moment=_next_moment, state=_state),
)
register_name(
    "shared.domain.pack.Pack",
    Kind("pack", moment=_next_moment, apart=Apart(("pack", "ended-pack"), _where_of_pack)),
)
register_name(
    "shared.domain.pack.Entry",
    Kind("entry", state=lambda e: e.kind.value, touched_at=lambda e: e.at),
)
register_name(
    "shared.domain.invoice.Invoice",
    Kind(
        "invoice",
        moment=_next_moment,
        state=_state,
        apart=Apart(("invoice", "asking", "used"), _where_of_invoice),
        touched_at=_touched_at,
    ),
)
register_name(
    "shared.domain.charge.Charge",
    Kind(
        "charge",
        moment=_next_moment,
        state=lambda c: c.outcome.value if c.outcome else None,
        touched_at=_touched_at,
        made_at=_said_by_its_module("found_since"),
    ),
)
register_name(
    "shared.domain.message.Notice", Kind("notice", state=lambda n: "done" if n.done_at else "open")
)
register_name(
    "shared.store.records.Submission",
    Kind("submission", expires_at=lambda s: s.at + SUBMISSION_KEPT),
)
register_name(
    "shared.store.webhook_events.WebhookReceived",
    Kind("webhook", moment=_webhook_moment, expires_at=_webhook_expires),
)
register_name("shared.store.listed.DirectoryEntry", Kind("directory"))
register_name(
    "shared.domain.activity.Activity", Kind("activity", moment=_next_moment, state=_state)
)
register_name(
    "shared.domain.reservation.Reservation",
    Kind(
        "reservation",
        moment=_next_moment,
        state=_state,
        apart=Apart(("visit", "ended-visit"), _where_of_reservation),
        touched_at=_touched_at,
    ),
)
register_name("shared.domain.reservation.Seat", Kind("seat", state=_state))
register_name("shared.store.listed.Outstanding", Kind("outstanding"))
register_name("shared.store.listed.OpenInvoice", Kind("open_invoice"))
register_name(
    "shared.store.listed.Commitment",
    Kind("commitment", expires_at=lambda c: c.since if c.done else None),
)
register_name("shared.store.marks.Numbering", Kind("numbering"))
register_name("shared.store.marks.AuditMark", Kind("audit_mark"))
register_name("shared.store.timeline.TimelineEvent", Kind("event"))
