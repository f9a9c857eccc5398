"""Webhooks: verified, stored once, acknowledged, then applied ([VERIFY]).

An event only says where to look. What it is about is fetched again from the provider, and settled
by the same operation as the direct answer; so late, repeated and shuffled events change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain.charge import Charge, Outcome, RefundState
from shared.domain.errors import Missing, Unavailable
from shared.operations import cards, reversing
from shared.operations.reconcile import Reconciled, reconcile, refund_came_back
from shared.operations.reversing import Reversed
from shared.providers.errors import ProviderUnavailable, RequestRefused
from shared.providers.events import EventKind
from shared.providers.port import PaymentProvider
from shared.store import accounts, transactions
from shared.store.engine import Lost, Ref, Row, read
from shared.store.webhook_events import WebhookReceived

if TYPE_CHECKING:
    from shared.operations.context import Context


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


@dataclass(frozen=True)
class Receipt:
    stored: Stored
    ref: Ref[WebhookReceived]
    event: WebhookReceived


def receive(
    now: datetime, provider: PaymentProvider, headers: Mapping[str, str], body: bytes
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
        transactions.store_webhook(event)
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
            ref = accounts.charge_of_ref(event.charge_ref or "")
            row = read(ref).get(ref) if ref is not None else None
            return Applied.APPLIED if row is not None and _known(row.value, event) else None
        case EventKind.CARD_SETUP | EventKind.CARD | EventKind.REVERSAL | EventKind.REFUND:
            return None


def _known(charge: Charge, event: WebhookReceived) -> bool:
    """Whether what the event can tell of a charge is recorded: nothing is left to look up."""
    return (
        charge.settled_at is not None
        and charge.refund is RefundState.NONE
        and charge.attempt_at(event.object_id) is not None
    )


def apply(context: Context, ref: Ref[WebhookReceived]) -> Applied:
    """Do what a stored event is about, and mark it done. Twice is harmless: settling is."""
    row = read(ref).get(ref)
    if row is None or row.value.applied_at is not None:
        return Applied.NOTHING_DUE
    result = _apply(context, row.value)
    _mark(row, result, context)
    return result


def _mark(row: Row[WebhookReceived], result: Applied, context: Context) -> None:
    done = row.value.model_copy(update={"applied_at": context.now(), "result": result.value})
    try:
        transactions.mark_webhook_applied(row, done)
    except Lost:
        return


def _apply(context: Context, event: WebhookReceived) -> Applied:
    match EventKind(event.kind):
        case EventKind.OTHER:
            return Applied.IGNORED
        case EventKind.CARD_SETUP:
            if event.setup_id is None:
                return Applied.UNKNOWN_OBJECT
            try:
                cards.finish(context, event.provider, event.setup_id, customer_id=None)
            except Missing:
                return Applied.UNKNOWN_OBJECT
            return Applied.APPLIED
        case EventKind.CARD:
            seen = cards.refresh(context, event.provider, event.object_id or "")
            return Applied.APPLIED if seen else Applied.UNKNOWN_OBJECT
        case EventKind.CHARGE:
            return _apply_charge(context, event)
        case EventKind.REVERSAL:
            return _apply_reversal(context, event)
        case EventKind.REFUND:
            return _apply_refund(context, event)


def _apply_charge(context: Context, event: WebhookReceived) -> Applied:
    ref = accounts.charge_of_ref(event.charge_ref or "")
    row = read(ref).get(ref) if ref is not None else None
    if row is None:
        return Applied.UNKNOWN_OBJECT
    if not _known(row.value, event):
        _settle(context, row.value, event)
    return Applied.APPLIED


def _apply_reversal(context: Context, event: WebhookReceived) -> Applied:
    """A payment was taken back, or came again. It may be the first that is heard of its success:
    then that is recorded before. An event that does not say what the payment was for has its
    provider asked."""
    ref = accounts.charge_of_ref(event.charge_ref or _asked_for(context, event) or "")
    row = read(ref).get(ref) if ref is not None else None
    if row is None or event.object_id is None:
        return Applied.UNKNOWN_OBJECT
    charge = row.value
    attempt = charge.attempt_at(event.object_id)
    if attempt is None or attempt.outcome is not Outcome.SUCCEEDED:
        _settle(context, charge, event)
    result = reversing.look(context, charge.customer_id, charge.source, event.object_id)
    if result is Reversed.UNANSWERED:
        raise Unavailable("What was taken back could not be looked at.")
    return Applied.APPLIED


def _apply_refund(context: Context, event: WebhookReceived) -> Applied:
    ref = accounts.charge_of_ref(event.charge_ref or _asked_for(context, event) or "")
    row = read(ref).get(ref) if ref is not None else None
    if row is None:
        return Applied.UNKNOWN_OBJECT
    try:
        refund_came_back(context, row.value.customer_id, row.value.source)
    except (ProviderUnavailable, RequestRefused, Lost) as trouble:
        raise Unavailable("The refund could not be looked at.") from trouble
    return Applied.APPLIED


def _asked_for(context: Context, event: WebhookReceived) -> str | None:
    """What the payment was for that the event is about, as its provider has it. Raises
    `Unavailable` without an answer: the event stays due."""
    if event.object_id is None:
        return None
    try:
        return context.provider(event.provider).find_charge_ref(event.object_id)
    except ProviderUnavailable as silence:
        raise Unavailable("What the event is about could not be looked at.") from silence


def _settle(context: Context, charge: Charge, event: WebhookReceived) -> None:
    """What the provider says of the event's object is recorded. Raises `Unavailable` when that
    could not be done and nothing else may ever ask again: the event stays due."""
    result = reconcile(
        context,
        charge.customer_id,
        charge.source,
        asked_by_webhook=True,
        object_id=event.object_id,
        provider=event.provider,
    )
    if result in (Reconciled.UNANSWERED, Reconciled.LOST):
        raise Unavailable("What the event is about could not be looked at.")
