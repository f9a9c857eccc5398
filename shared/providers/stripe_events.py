"""Stripe's webhooks: the signature on the raw bytes, and what an event is about ([VERIFY]).

The scheme is `signatures`', with the header `Stripe-Signature`. The `stripe` package is not needed.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.providers import signatures
from shared.providers.events import EventKind, WebhookEvent

SIGNATURE_HEADER = "stripe-signature"

CHARGE_REF = "charge_ref"
"""What we write into a payment's metadata: the charge that it is for."""

_OF_A_PAYMENT = frozenset(
    {
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.processing",
        "payment_intent.requires_action",
        "payment_intent.canceled",
    }
)
_OF_A_CHARGE = frozenset({"charge.refunded"})
"""Of which the object tells the payment."""

_OF_A_REFUND = frozenset({"refund.failed"})

_OF_A_DISPUTE = frozenset(
    {
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
    }
)
_OF_A_SETUP = frozenset({"checkout.session.completed"})
_OF_A_CARD = frozenset({"payment_method.automatically_updated", "payment_method.updated"})

HEARD = _OF_A_PAYMENT | _OF_A_CHARGE | _OF_A_REFUND | _OF_A_DISPUTE | _OF_A_SETUP | _OF_A_CARD
"""What a webhook endpoint has to be subscribed to; everything else is stored and acknowledged."""


def read(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
) -> WebhookEvent:
    """As the port promises. A body that is signed but cannot be read is an event `OTHER` under an
    id made from its content: refused, it would be sent again for days. So is what belongs to
    another account (Connect)."""
    header = next((v for k, v in headers.items() if k.lower() == SIGNATURE_HEADER), None)
    signed_at = signatures.verify(header, body, secrets, now)
    found = _json_object(body)
    event_id, type_ = found.get("id"), found.get("type")
    if not isinstance(event_id, str) or not event_id or not isinstance(type_, str):
        digest = hashlib.sha256(body).hexdigest()
        return WebhookEvent(
            event_id=f"unreadable_{digest}",
            type="unreadable",
            kind=EventKind.OTHER,
            created_at=signed_at,
        )
    about = _object(_object(found.get("data")).get("object"))
    kind, object_id = _place(type_, about)
    if object_id is None or found.get("account") is not None:
        kind = EventKind.OTHER
    return WebhookEvent(
        event_id=event_id,
        type=type_,
        kind=kind,
        created_at=_moment(found.get("created"), signed_at),
        object_id=object_id,
        charge_ref=_text(_object(about.get("metadata")).get(CHARGE_REF)),
        setup_id=object_id if kind is EventKind.CARD_SETUP else None,
    )


def _place(type_: str, about: Mapping[str, Any]) -> tuple[EventKind, str | None]:
    """What the event is about, and the id under which that is fetched again."""
    own, payment = _text(about.get("id")), _text(about.get("payment_intent"))
    if type_ in _OF_A_PAYMENT:
        return EventKind.CHARGE, own
    if type_ in _OF_A_CHARGE:
        return EventKind.CHARGE, payment
    if type_ in _OF_A_REFUND:
        return EventKind.REFUND, payment
    if type_ in _OF_A_DISPUTE:
        return EventKind.REVERSAL, payment
    if type_ in _OF_A_SETUP and about.get("mode") == "setup":
        return EventKind.CARD_SETUP, own
    if type_ in _OF_A_CARD:
        return EventKind.CARD, own
    return EventKind.OTHER, own


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        return _object(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(value: Any, signed_at: datetime) -> datetime:
    if not isinstance(value, int) or isinstance(value, bool):
        return signed_at
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return signed_at
