"""Webhooks are applied, once they were verified and stored (`receiving`, [VERIFY]).

An event only says where to look. What it is about is fetched again from the provider, and settled
by the same operation as the direct answer; so late, repeated and shuffled events change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.errors import Missing, Unavailable
from shared.domain.outcome import Outcome
from shared.operations import cards
from shared.operations.receiving import Applied, known
from shared.providers.errors import ProviderUnavailable, RequestRefused
from shared.providers.events import EventKind
from shared.store import accounts, webhook_events
from shared.store.items import Lost, Ref, Row
from shared.store.reading import read

if TYPE_CHECKING:
    from shared.domain.charge import Charge
    from shared.operations.context import Context
    from shared.store.webhook_events import WebhookReceived


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
        webhook_events.mark_webhook_applied(row, done)
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
    if not known(row.value, event):
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
    from shared.operations import reversing

    result = reversing.look(context, charge.customer_id, charge.source, event.object_id)
    if result is reversing.Reversed.UNANSWERED:
        raise Unavailable("What was taken back could not be looked at.")
    return Applied.APPLIED


def _apply_refund(context: Context, event: WebhookReceived) -> Applied:
    ref = accounts.charge_of_ref(event.charge_ref or _asked_for(context, event) or "")
    row = read(ref).get(ref) if ref is not None else None
    if row is None:
        return Applied.UNKNOWN_OBJECT
    from shared.operations.reconcile import refund_came_back

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
    from shared.operations.reconcile import Reconciled, reconcile

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
