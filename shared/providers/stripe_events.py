"""Stripe's webhooks: the signature on the raw bytes, and what an event is about ([VERIFY]).

The scheme is `signatures`', with the header `Stripe-Signature`. The `stripe` package is not needed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.providers import signatures
from shared.providers.envelope import Envelope, a_text, an_object, opened, unreadable
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
    """As the port promises. A body that is signed but cannot be read is an event `OTHER`; so is
    what belongs to another account (Connect)."""
    header = next((v for k, v in headers.items() if k.lower() == SIGNATURE_HEADER), None)
    signed_at = signatures.verify(header, body, secrets, now)
    envelope = opened(body, signed_at)
    return unreadable(body, signed_at) if envelope is None else _event(envelope)


def _event(envelope: Envelope) -> WebhookEvent:
    about = an_object(an_object(envelope.content.get("data")).get("object"))
    kind, object_id = _place(envelope.type, about)
    if object_id is None or envelope.content.get("account") is not None:
        kind = EventKind.OTHER
    return WebhookEvent(
        event_id=envelope.event_id,
        type=envelope.type,
        kind=kind,
        created_at=envelope.created_at,
        object_id=object_id,
        charge_ref=a_text(an_object(about.get("metadata")).get(CHARGE_REF)),
        setup_id=object_id if kind is EventKind.CARD_SETUP else None,
    )


def _place(type_: str, about: Mapping[str, Any]) -> tuple[EventKind, str | None]:
    """What the event is about, and the id under which that is fetched again."""
    own, payment = a_text(about.get("id")), a_text(about.get("payment_intent"))
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
