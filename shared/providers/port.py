"""What we ask of a payment provider, in our words.

One provider is one module beside this one. A declined charge is an outcome, not an
exception; an answer that did not come, or that leaves open whether money moved, is
`Outcome.UNKNOWN` and never a failure ([ONCE]).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from shared.domain.card import Card
    from shared.domain.money import Money
    from shared.domain.outcome import Outcome
    from shared.domain.provider_charge import ProviderCharge
    from shared.providers.events import WebhookEvent


class ChargeRequest(NamedTuple):
    """One attempt. Repeating it with the same `attempt_id` must not charge twice.

    `attempt_id` is the idempotency key; `charge_ref` is what we put in the provider's metadata
    so that webhooks and look-ups find our charge again.

    - `customer_present`: the customer started it and is there to confirm it.
    - `continues`: what the provider calls the try before this one, which was a definite no. A
      provider with `one_object_per_charge` goes on with it.
    - `unanswered`: earlier attempts for the same charge of which the provider never spoke. One
      without idempotency keys makes sure that nothing comes of them before it begins this one.
    """

    charge_ref: str
    attempt_id: str
    amount: Money
    provider_customer: str
    card_token: str
    description: str
    return_url: str
    customer_present: bool = False
    continues: str | None = None
    unanswered: tuple[str, ...] = ()


class ChargeResult(NamedTuple):
    """What the provider said of an attempt.

    `confirm_url` is set when the outcome is `AUTHENTICATION_REQUIRED`: where the customer
    confirms. `decline_code` is the provider's own word, for staff.
    """

    outcome: Outcome
    provider_charge_id: str | None = None
    attempt_id: str | None = None
    """Whose outcome it is, where the provider says: a look-up may speak of another attempt of the
    same charge than was asked for."""
    decline_code: str | None = None
    confirm_url: str | None = None
    repeatable: bool = False
    """Of an unknown outcome: the request was never sent, or may never have arrived and repeating
    it with the same key is the way to find out. Otherwise only asking is."""
    refunded: bool = False
    """Of a success: the whole amount has gone back since."""
    reversed: Money | None = None
    """Of a success: what a bank has taken back of it since, and not given again ([REVERSE])."""


class RefundOutcome(StrEnum):
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class CardSetup(NamedTuple):
    """Saving a card on the provider's hosted page: where to send the customer, then what came."""

    setup_id: str
    reference: str
    url: str | None = None
    complete: bool = False
    provider_customer: str | None = None
    card: Card | None = None
    failure: str | None = None


class CardSeen(NamedTuple):
    """A card as the provider has it now. `reference` is what its setup was started with."""

    reference: str
    card: Card


class SetupProblem(StrEnum):
    """Why a provider can't take payments, or not all, as it is set up."""

    KEY_REFUSED = "key_refused"
    WRONG_MODE = "wrong_mode"
    ACCOUNT_CANT_CHARGE = "account_cant_charge"
    CURRENCY_NOT_TAKEN = "currency_not_taken"


class SetupReport(NamedTuple):
    """What a provider says of the merchant's account there. `live` is False while only test cards
    work, None where it doesn't say. `problems` go with a sentence each, for staff."""

    live: bool | None = None
    account: str = ""
    problems: tuple[tuple[SetupProblem, str], ...] = ()


class CardFrame(Protocol):
    """A card field that stands, as a frame of the provider's, in a page of ours. The frame hands
    a token for the card to the page, which posts it to us."""

    url: str
    """The address of the frame; messages come from its origin alone."""

    def save(
        self,
        *,
        reference: str,
        email: str,
        provider_customer: str | None,
        token: str,
        exp_month: int,
        exp_year: int,
        idempotency_key: str,
    ) -> CardSetup:
        """Put the card behind `token` on file at the provider. A card that the bank does not take
        is a setup with `failure`; `ProviderUnavailable` when no usable answer came."""


class PaymentProvider(Protocol):
    """Every call has a timeout. Calls that move no money raise `ProviderUnavailable` when the
    provider gives no usable answer; `charge` and `refund` answer `UNKNOWN` instead."""

    name: str
    hosted_origins: tuple[str, ...]
    """Where its hosted pages are: a form of ours may lead there, and browsers have to be told."""
    card_frame: CardFrame | None
    """None where cards are entered on a page of the provider's."""
    keys_hold_for: timedelta
    """How long after it began an attempt may be repeated with its id; zero where the provider
    has no idempotency keys, and an attempt that was perhaps sent is never repeated."""
    one_object_per_charge: bool
    """Whether all attempts for one charge have one `provider_charge_id` there."""

    def start_card_setup(
        self,
        *,
        reference: str,
        email: str,
        provider_customer: str | None,
        return_url: str,
        idempotency_key: str,
    ) -> CardSetup:
        """Open the provider's hosted card page. `reference` comes back with the card. The
        customer is sent back to `return_url` with `setup={setup_id}` added to its query. Only
        where there is no `card_frame`; else `RequestRefused`."""

    def fetch_card_setup(self, setup_id: str) -> CardSetup | None:
        """The setup as it stands now, or None when the provider does not know it."""

    def fetch_card(self, card_token: str) -> CardSeen | None:
        """A card on file as it stands now, or None when the provider has it no more."""

    def remove_card(self, *, provider_customer: str, card_token: str) -> None:
        """Forget a card. One that is already gone is a success."""

    def charge(self, request: ChargeRequest) -> ChargeResult:
        """Try to collect. Safe to repeat with the same `attempt_id` while `keys_hold_for`. What
        the provider won't take for reasons of its own is `REFUSED`, never an error."""

    def look_up(
        self,
        *,
        charge_ref: str,
        attempt_id: str,
        provider_charge_id: str | None,
        provider_customer: str,
    ) -> ChargeResult | None:
        """What became of an attempt: by the stored id, else by listing the customer's charges
        for `charge_ref`. None means "not found", which is not final for 24 hours."""

    def find_charge_ref(self, provider_charge_id: str) -> str | None:
        """What a charge of the provider's is for, in our words: for events that don't say. None
        for one that it does not have, or that was not asked for by us."""

    def list_charges(
        self, *, provider_customer: str, since: datetime | None
    ) -> Sequence[ProviderCharge] | None:
        """What it has of a customer that was asked for in our name since `since` (None: ever), for
        the audit. None when this provider can't list."""

    def cancel_charge(self, *, provider_charge_id: str, idempotency_key: str) -> ChargeResult:
        """Give up a charge that waits for authentication. The result says what it came to:
        it may have succeeded just before."""

    def refund(
        self, *, provider_charge_id: str, amount: Money, idempotency_key: str
    ) -> RefundOutcome:
        """Give money back."""

    def check_setup(self, currencies: Sequence[str], /) -> SetupReport:
        """How the merchant's account stands there, and whether it takes `currencies`."""

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """Check the signature on the raw bytes and read the event; `InvalidSignature` else.
        Header names are lower case. The current time is the provider's `now`. A provider that
        sends none verifies none."""
