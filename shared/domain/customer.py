"""A customer: who buys. The head of the customer's collection."""

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domain.charge import Card
from shared.domain.money import Money
from shared.domain.subscription import CollectedBy

MAX_CARDS = 10
REMOVED_REMEMBERED = 50


class Attention(StrEnum):
    """What a past-due subscription waits for from the customer."""

    CARD = "card"
    AUTHENTICATION = "authentication"


class PastDue(BaseModel):
    """A failing charge as every page shows it ([PASTDUE]); `next_try_at` is None after the last,
    and while its subscription is `paused`. Collected by recording, no card is tried, and it is to
    be paid before `pay_by`. `zone` is its location's."""

    model_config = ConfigDict(frozen=True)

    subscription_id: str
    name: str
    owed: Money
    zone: str = "UTC"
    next_try_at: AwareDatetime | None
    paused: bool = False
    collected_by: CollectedBy = CollectedBy.CARD
    pay_by: AwareDatetime | None = None
    needs: Attention = Attention.CARD
    confirm_url: str | None = None


class Customer(BaseModel):
    """`cards` are in the order they were added; `default_card` is the id of one of them while
    there are any. `can_purchase_packages` is None while the merchant's default holds."""

    model_config = ConfigDict(frozen=True)

    id: str
    email: str
    name: str = ""
    locale: str = ""
    created_at: AwareDatetime
    cards: tuple[Card, ...] = ()
    default_card: str | None = None
    removed_cards: tuple[str, ...] = ()
    """The tokens of cards that were taken off file, the latest `REMOVED_REMEMBERED`."""
    provider_customers: dict[str, str] = {}
    can_purchase_packages: bool | None = None
    has_reservations: bool = False
    has_weekly: bool = False
    """Whether a standing weekly place was ever booked for them ([WEEKLY])."""
    trials_used: tuple[str, ...] = ()
    access: tuple[str, ...] = ()
    """The products of kind `access` that were paid for."""
    location: str | None = None
    cart_counts: dict[str, int] = {}
    past_due: tuple[PastDue, ...] = ()
    store_credit: dict[str, int] = {}
    mail_blocked: bool = False

    def card(self, card_id: str | None) -> Card | None:
        return next((card for card in self.cards if card.id == card_id), None)

    def card_for(self, card_id: str | None) -> Card | None:
        """The named card while it is on file, else the default one ([CARDS])."""
        return self.card(card_id) or self.card(self.default_card)
