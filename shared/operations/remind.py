"""Renewal reminders and the end of a trial, announced in time ([REMIND])."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain.subscription import SubscriptionState, reminder_at
from shared.operations import tell
from shared.store import accounts, transactions
from shared.store.items import Lost
from shared.store.reading import read

if TYPE_CHECKING:
    from shared.operations.context import Context


class Reminded(StrEnum):
    NOTHING_DUE = "nothing_due"
    TOLD = "told"
    TOO_LATE = "too_late"
    LOST = "lost"


def remind(context: Context, customer_id: str, subscription_id: str) -> Reminded:
    """Write the reminder that is due, once per period. Sending checks again that the subscription
    still renews. One whose charge has already come is left out."""
    ref, head_ref = accounts.subscription(customer_id, subscription_id), accounts.head(customer_id)
    found = read(ref, head_ref)
    row, customer = found.get(ref), found.get(head_ref)
    if row is None or customer is None:
        return Reminded.NOTHING_DUE
    value, now = row.value, context.now()
    at = reminder_at(value)
    if value.over or value.collection is not None or value.state is SubscriptionState.PAUSED:
        return Reminded.NOTHING_DUE
    if at is None or at > now:
        return Reminded.NOTHING_DUE
    charged_at = value.charged_at(value.next_period)
    too_late = charged_at is not None and now >= charged_at
    told = value.model_copy(update={"reminded_for": value.next_period})
    try:
        transactions.change_subscription(
            subscription=row,
            changed=told,
            messages=[] if too_late else [tell.renewal_ahead(context, customer.value, value)],
        )
    except Lost:
        return Reminded.LOST
    return Reminded.TOO_LATE if too_late else Reminded.TOLD
