"""What a provider reports by webhook, in our words."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from pydantic import AwareDatetime

from shared.domain.record import Record


class InvalidSignature(Exception):
    """A webhook whose signature or time stamp does not hold ([VERIFY]). Nothing is stored."""


class EventKind(StrEnum):
    """What a webhook event is about. `OTHER` is stored and acknowledged, nothing more."""

    CHARGE = "charge"
    REVERSAL = "reversal"
    """A payment that had succeeded was taken back by a bank, or given again ([REVERSE])."""
    REFUND = "refund"
    """A refund that was under way did not arrive: the merchant has the money again."""
    CARD_SETUP = "card_setup"
    CARD = "card"
    """A card on file is not what it was: the network has updated it. `object_id` is its token."""
    OTHER = "other"


class WebhookEvent(Record):
    """A verified event. It only says where to look: the object is fetched again before use."""

    event_id: str
    type: str
    kind: EventKind
    created_at: AwareDatetime
    object_id: str | None = None
    charge_ref: str | None = None
    setup_id: str | None = None


class ReadsWebhooks(Protocol):
    """Who reads a provider's webhooks: its adapter, or as much of it as that takes."""

    @property
    def name(self) -> str:
        """The provider's."""

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """Check the signature on the raw bytes and read the event; `InvalidSignature` else.
        Header names are lower case. A provider that sends none verifies none."""
