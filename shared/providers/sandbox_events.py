"""The sandbox's webhooks: the signature on the raw bytes, and what an event is about ([VERIFY])."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.providers import signatures
from shared.providers.envelope import Envelope, a_text, an_object, opened, unreadable
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
    """As the port promises. A body that is signed but cannot be read is an event `OTHER`."""
    header = next((v for k, v in headers.items() if k.lower() == SIGNATURE_HEADER), None)
    signed_at = signatures.verify(header, body, secrets, now)
    envelope = opened(body, signed_at)
    return unreadable(body, signed_at) if envelope is None else _event(envelope)


def _event(envelope: Envelope) -> WebhookEvent:
    about = an_object(envelope.content.get("object"))
    object_id = a_text(about.get("id"))
    kind = EventKind.OTHER if object_id is None else _kind(envelope.type)
    return WebhookEvent(
        event_id=envelope.event_id,
        type=envelope.type,
        kind=kind,
        created_at=envelope.created_at,
        object_id=object_id,
        charge_ref=a_text(an_object(about.get("metadata")).get("charge_ref")),
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
