"""A provider's event comes in: verified, stored once, acknowledged ([VERIFY]).

It stands apart from what is then done about it (`webhooks`), which moves money.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from shared.providers.events import EventKind, ReadsWebhooks
from shared.store import accounts, webhook_events
from shared.store.items import Lost, Ref
from shared.store.reading import read
from shared.store.webhook_events import ChargeSeen, WebhookReceived

if TYPE_CHECKING:
    from shared.domain.charge import Charge

NO_REFUND = "none"
"""`RefundState.NONE`, as it is stored."""


class Stored(StrEnum):
    NEW = "new"
    DUPLICATE = "duplicate"


class Applied(StrEnum):
    NOTHING_DUE = "nothing_due"
    APPLIED = "applied"
    IGNORED = "ignored"
    """A type that we don't use: stored and acknowledged, nothing more."""
    UNKNOWN_OBJECT = "unknown_object"
    """It names nothing of ours."""


class Receipt(NamedTuple):
    stored: Stored
    ref: Ref[WebhookReceived]
    event: WebhookReceived


def receive(
    now: datetime, provider: ReadsWebhooks, headers: Mapping[str, str], body: bytes
) -> Receipt:
    """Check the signature on the raw bytes and store the event once, done already when there is
    nothing in it that we don't know. Raises `InvalidSignature` before anything is stored."""
    found = provider.read_webhook(headers, body)
    event = WebhookReceived(
        provider=provider.name,
        event_id=found.event_id,
        type=found.type,
        charge_ref=found.charge_ref,
        object_id=found.object_id,
        setup_id=found.setup_id,
        kind=found.kind.value,
        received_at=now,
    )
    result = _nothing_new(event)
    if result is not None:
        event = event.model_copy(update={"applied_at": now, "result": result.value})
    ref = accounts.webhook(provider.name, found.event_id)
    try:
        webhook_events.store_webhook(event)
    except Lost:
        return Receipt(Stored.DUPLICATE, ref, event)
    return Receipt(Stored.NEW, ref, event)


def _nothing_new(event: WebhookReceived) -> Applied | None:
    """What applying an event would come to that has nothing to tell: most payments are settled by
    the provider's own answer before its event comes. None for one that is to be looked at."""
    match EventKind(event.kind):
        case EventKind.OTHER:
            return Applied.IGNORED
        case EventKind.CHARGE:
            ref = accounts.charge_seen(event.charge_ref or "")
            row = read(ref).get(ref) if ref is not None else None
            return Applied.APPLIED if row is not None and known(row.value, event) else None
        case EventKind.CARD_SETUP | EventKind.CARD | EventKind.REVERSAL | EventKind.REFUND:
            return None


def known(charge: Charge | ChargeSeen, event: WebhookReceived) -> bool:
    """Whether what the event can tell of a charge is recorded: nothing is left to look up."""
    return (
        charge.settled_at is not None
        and charge.refund == NO_REFUND
        and event.object_id is not None
        and any(one.provider_charge_id == event.object_id for one in charge.attempts)
    )
