"""What webhooks of our providers have in common: a JSON object with an id, a type and a moment."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from shared.providers.events import EventKind, WebhookEvent


class Envelope(NamedTuple):
    """A signed event, before it is known what it is about. `created_at` is when it was signed
    where it does not say."""

    event_id: str
    type: str
    created_at: datetime
    content: Mapping[str, Any]


def opened(body: bytes, signed_at: datetime) -> Envelope | None:
    """The envelope of a body that is signed; None for one that cannot be read."""
    try:
        content = an_object(json.loads(body))
    except (ValueError, RecursionError):
        return None
    event_id, type_ = a_text(content.get("id")), content.get("type")
    if event_id is None or not isinstance(type_, str):
        return None
    return Envelope(event_id, type_, _moment(content.get("created"), signed_at), content)


def unreadable(body: bytes, signed_at: datetime) -> WebhookEvent:
    """What stands for a body that cannot be read, under an id made from its content: refused, it
    would be sent again for days."""
    return WebhookEvent(
        event_id=f"unreadable_{hashlib.sha256(body).hexdigest()}",
        type="unreadable",
        kind=EventKind.OTHER,
        created_at=signed_at,
    )


def an_object(value: Any) -> Mapping[str, Any]:
    """A part that is an object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def a_text(value: Any) -> str | None:
    """A part that is a text; None for anything else, and for an empty one."""
    return value if isinstance(value, str) and value else None


def _moment(value: Any, signed_at: datetime) -> datetime:
    if not isinstance(value, int) or isinstance(value, bool):
        return signed_at
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return signed_at
