"""What providers have reported: one item per event, stored once and marked when it is applied."""

from pydantic import AwareDatetime

from shared.domain.record import Record
from shared.store import accounts
from shared.store.items import Row
from shared.store.writing import commit_alone, create, replace


class WebhookReceived(Record):
    """A verified webhook, stored once under its event id ([VERIFY])."""

    provider: str
    event_id: str
    type: str
    charge_ref: str | None = None
    object_id: str | None = None
    setup_id: str | None = None
    kind: str
    received_at: AwareDatetime
    applied_at: AwareDatetime | None = None
    result: str = ""


class TrySeen(Record):
    """Of a try, what the provider calls it."""

    provider_charge_id: str | None = None


class ChargeSeen(Record):
    """As much of a charge as tells whether an event about it is news: few events are."""

    attempts: tuple[TrySeen, ...] = ()
    refund: str = "none"
    settled_at: AwareDatetime | None = None


def store_webhook(received: WebhookReceived) -> None:
    """`Lost` when this event id is already stored."""
    commit_alone(create(accounts.webhook(received.provider, received.event_id), received))


def mark_webhook_applied(row: Row[WebhookReceived], applied: WebhookReceived) -> None:
    commit_alone(replace(row, applied))
