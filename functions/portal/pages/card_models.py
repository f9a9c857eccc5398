"""Answers about cards ([CARDS])."""

from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.money import Money
from shared.web.answer import View
from shared.web.pages.cards import CardView


class WhyCardStays(StrEnum):
    """Why a card can't be removed ([CARDS])."""

    LAST_NEEDED = "last_needed"
    CHARGE_UNKNOWN = "charge_unknown"


class UsedBy(View):
    subscription_id: str
    name: str


class CardOnFile(View):
    card: CardView
    used_by: tuple[UsedBy, ...] = ()
    """The subscriptions that are charged to it."""
    removable: bool
    why_not: WhyCardStays | None = None


class CardsPage(View):
    """`GET /cards`. `can_add` is false at the limit, or without a payment provider."""

    cards: tuple[CardOnFile, ...] = ()
    can_add: bool = True
    max_cards: int


class CardPage(View):
    """Where a card is added: the provider's own page. It comes back with `setup_id`."""

    setup_id: str
    url: str


class Owed(View):
    name: str
    owed: Money
    next_try_at: AwareDatetime | None = None
    zone: str


class CardEnterPage(View):
    """`GET /cards/enter`: a card field of the provider's, as a frame in our page. The frame hands
    the page a token, which is posted with the expiry. `owed` is what a new card is asked to pay at
    once, for whoever came by an emailed link."""

    provider: str
    frame_url: str
    next: str
    years: tuple[int, ...]
    """Those that a card may expire in."""
    owed: tuple[Owed, ...] = ()


class CardUpdateState(StrEnum):
    OPEN = "open"
    SETTLED = "settled"
    """Nothing is owed any more."""
    STALE = "stale"
    """Expired, used or unknown."""


class CardUpdatePage(View):
    """`GET /card-update/{token}`: leads only to updating a card ([CARDS], [SCAN])."""

    state: CardUpdateState
    owed: tuple[Owed, ...] = ()
    card: CardView | None = None
    """The one that failed."""
