"""The emails when a subscription ends, or will ([CANCEL], [RETRY], [UNTIL])."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.message import Message, MessageKind
from shared.domain.told_of_end import KIND_OF_END
from shared.messages.builders.agreement import agreement_of
from shared.messages.builders.pack import pack_shown
from shared.messages.builders.telling import Telling
from shared.messages.facts.endings import CancellationFacts, CancelledFacts

if TYPE_CHECKING:
    from shared.domain.ending import EndReason
    from shared.domain.money import Money
    from shared.domain.pack import Pack
    from shared.domain.subscription import Subscription


def cancelled(
    telling: Telling,
    *,
    subscription: Subscription,
    reason: EndReason,
    pack: Pack | None = None,
    waived: Money | None = None,
    refused: bool = False,
) -> Message:
    """Sent when a subscription ended, for whatever reason ([CANCEL], [RETRY], [UNTIL]). `pack` is
    its last one, of which the email says what becomes; `waived` is what was owed and is not any
    more; `refused` says that the last try failed by no fault of the card. Once per subscription."""
    facts = CancelledFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.business),
        reason=reason,
        refused=refused,
        ended_at=subscription.ended_at or telling.now,
        waived=waived,
        pack=None if pack is None else pack_shown(pack, telling.business),
    )
    return telling.message(KIND_OF_END[reason], subscription.id, facts)


def cancellation_scheduled(telling: Telling, *, subscription: Subscription) -> Message:
    """Sent when the customer asked for the end of the period: the last day, and until when it can
    be undone ([CANCEL]). Once per request: undone and asked again is told again."""
    asked_at = subscription.cancel_requested_at or telling.now
    facts = CancellationFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.business),
        last_day=subscription.ends(subscription.next_period - 1),
        undo_before=subscription.charged_at(subscription.next_period),
    )
    told = f"{subscription.id}:{asked_at.isoformat()}"
    return telling.message(MessageKind.CANCELLATION_SCHEDULED, told, facts)
