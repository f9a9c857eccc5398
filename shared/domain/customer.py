"""A customer: who buys. The head of the customer's collection."""

from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.card import Card
from shared.domain.collected_by import CollectedBy
from shared.domain.money import Money
from shared.domain.record import Record

MAX_CARDS = 10
REMOVED_REMEMBERED = 50


class Attention(StrEnum):
    """What a past-due subscription waits for: the customer's card or confirmation, or the merchant,
    whose payments the provider does not take."""

    CARD = "card"
    AUTHENTICATION = "authentication"
    MERCHANT = "merchant"


class PastDue(Record):
    """A failing charge as every page shows it ([PASTDUE]); `next_try_at` is None after the last,
    and while its subscription is `paused`. Collected by recording, no card is tried, and it is to
    be paid before `pay_by`. `zone` is its location's."""

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


class Customer(Record):
    """`cards` are in the order they were added; `default_card` is the id of one of them while
    there are any. `can_purchase_packages` is None while the merchant's default holds."""

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
    """What each provider calls this customer, by its name: whom a new card there is added to."""
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

    def card_kept_as(self, provider: str, token: str) -> Card | None:
        """The card that a provider calls `token`."""
        found = (one for one in self.cards if (one.provider, one.token) == (provider, token))
        return next(found, None)

    def card_for(self, card_id: str | None) -> Card | None:
        """The named card while it is on file, else the default one ([CARDS])."""
        return self.card(card_id) or self.card(self.default_card)

    def at_provider(self, card: Card | None) -> str | None:
        """Whom the card's provider charges when it is asked to charge `card`: each card is charged
        where, and to whom, it was saved ([MANY]). None without a card that can be charged."""
        if card is None:
            return None
        return card.provider_customer or self.provider_customers.get(card.provider)

    def with_card(self, card: Card, provider_customer: str) -> "Customer":
        """`card` put on file, which the provider keeps for its `provider_customer`. That may be
        another than the one on file there, when two first cards were added at once: every card
        goes on being charged to its own. It becomes the default while something is past due, and
        when there is none ([CARDS])."""
        on_file = tuple(
            one.model_copy(update={"provider_customer": self.at_provider(one)})
            if one.provider == card.provider
            else one
            for one in self.cards
        )
        added = card.model_copy(update={"provider_customer": provider_customer})
        is_default = self.card(self.default_card) is None or bool(self.past_due)
        return self.model_copy(
            update={
                "cards": (*on_file, added),
                "default_card": card.id if is_default else self.default_card,
                "provider_customers": {
                    **self.provider_customers,
                    card.provider: provider_customer,
                },
            }
        )
