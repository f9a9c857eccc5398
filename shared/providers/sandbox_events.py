"""The sandbox's webhooks: the signature on the raw bytes, and what an event is about ([VERIFY])."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.providers import signatures
from shared.providers.events import EventKind, WebhookEvent

SIGNATURE_HEADER = "sandbox-signature"

_CHARGE_EVENTS = frozenset(
    {"charge.succeeded", "charge.failed", "charge.requires_action", "charge.refunded"}
)
_REVERSAL_EVENTS = frozenset({"charge.reversed", "charge.reinstated"})
_CARD_SETUP_EVENTS = frozenset({"card_setup.completed"})
_CARD_EVENTS = frozenset({"card.renewed"})


def read(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime
) -> WebhookEvent:
    """As the port promises. A body that is signed but cannot be read is an event `OTHER`
    under an id made from its content: refused, it would be sent again for ever."""
    header = next((v for k, v in headers.items() if k.lower() == SIGNATURE_HEADER), None)
    return _event(body, signatures.verify(header, body, secrets, now))


def _event(body: bytes, signed_at: datetime) -> WebhookEvent:
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
    about = found.get("object")
    object_id = _text(about.get("id")) if isinstance(about, dict) else None
    metadata = about.get("metadata") if isinstance(about, dict) else None
    charge_ref = _text(metadata.get("charge_ref")) if isinstance(metadata, dict) else None
    kind = EventKind.OTHER if object_id is None else _kind(type_)
    return WebhookEvent(
        event_id=event_id,
        type=type_,
        kind=kind,
        created_at=_created(found.get("created"), signed_at),
        object_id=object_id,
        charge_ref=charge_ref,
        setup_id=object_id if kind is EventKind.CARD_SETUP else None,
    )


def _kind(type_: str) -> EventKind:
    if type_ in _CHARGE_EVENTS:
        return EventKind.CHARGE
    if type_ in _REVERSAL_EVENTS:
        return EventKind.REVERSAL
    if type_ in _CARD_SETUP_EVENTS:
        return EventKind.CARD_SETUP
    if type_ in _CARD_EVENTS:
        return EventKind.CARD
    return EventKind.OTHER


def _created(value: Any, signed_at: datetime) -> datetime:
    if not isinstance(value, int) or isinstance(value, bool):
        return signed_at
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return signed_at


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
