"""Stripe, as `PaymentProvider`: cards on its hosted page, and payments with the saved ones.

The rules of collecting are in `stripe_charging`, of cards in `stripe_cards`, of lists and look-ups
in `stripe_ledger`, of webhooks in `stripe_events`; `stripe_http` reaches Stripe, and
`stripe_declines` says what its codes mean. Why so: docs/decisions/0008-payment-providers.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.charge import SAME_KEY_FOR
from shared.domain.provider_charge import ProviderCharge
from shared.providers import stripe_events
from shared.providers.errors import ProviderUnavailable
from shared.providers.events import WebhookEvent
from shared.providers.hosted import STRIPE_URL, stripe_origins
from shared.providers.limits import Pace, no_pace
from shared.providers.port import (
    CardFrame,
    CardSeen,
    CardSetup,
    ChargeRequest,
    ChargeResult,
    RefundOutcome,
    SetupProblem,
    SetupReport,
)
from shared.providers.stripe_cards import Cards
from shared.providers.stripe_charging import Charging, log_unknown_code, read_intent
from shared.providers.stripe_http import (
    KEY_REFUSED,
    NoAnswer,
    Refused,
    StripeApi,
    asked,
    refusal,
)
from shared.providers.stripe_ledger import Ledger
from shared.providers.stripe_objects import (
    PROVIDER,
    REFUND_KEY,
    AccountSeen,
    CountrySeen,
    RefundSeen,
    read_as,
    stripe_amount,
)
from shared.providers.transport import Transport, over_http

if TYPE_CHECKING:
    from shared.domain.money import Money

LIVE_KEYS = ("sk_live_", "rk_live_")
TEST_KEYS = ("sk_test_", "rk_test_")

REFUND_MADE = frozenset({"succeeded", "pending"})
"""That of a bank debit is on its way for days."""


class StripeProvider:
    """`PaymentProvider` for the account of `key`.

    `method_types` are the methods of payment that the hosted page offers. `pace` is called before
    every HTTP call, and `pause` waits for so many seconds before one is repeated; `unknown_code` is
    told of codes of declines that Stripe has not published.
    """

    name = PROVIDER
    card_frame: CardFrame | None = None
    keys_hold_for = SAME_KEY_FOR
    one_object_per_charge = True

    def __init__(
        self,
        key: str,
        webhook_secrets: Sequence[str],
        now: Callable[[], datetime],
        method_types: Sequence[str] = ("card",),
        base_url: str = STRIPE_URL,
        transport: Transport | None = None,
        *,
        pace: Pace = no_pace,
        pause: Callable[[float], None] = time.sleep,
        unknown_code: Callable[[str], None] = log_unknown_code,
    ) -> None:
        if not webhook_secrets or not all(webhook_secrets):
            raise ValueError("a provider needs webhook secrets, and none of them may be empty")
        self._key = key
        self._webhook_secrets = tuple(webhook_secrets)
        self._now = now
        self._api = StripeApi(key, base_url, transport or over_http(base_url), pace, pause)
        self._cards = Cards(self._api, method_types)
        self._charging = Charging(self._api, unknown_code)
        self._ledger = Ledger(self._api, self._charging)
        self.hosted_origins: tuple[str, ...] = stripe_origins(base_url)

    def start_card_setup(
        self,
        *,
        reference: str,
        email: str,
        provider_customer: str | None,
        return_url: str,
        idempotency_key: str,
    ) -> CardSetup:
        return self._cards.start(
            reference=reference,
            email=email,
            customer=provider_customer,
            return_url=return_url,
            key=idempotency_key,
        )

    def fetch_card_setup(self, setup_id: str) -> CardSetup | None:
        return self._cards.fetch_setup(setup_id)

    def fetch_card(self, card_token: str) -> CardSeen | None:
        return self._cards.fetch(card_token)

    def remove_card(self, *, provider_customer: str, card_token: str) -> None:
        self._cards.remove(provider_customer, card_token)

    def charge(self, request: ChargeRequest) -> ChargeResult:
        return self._charging.charge(request)

    def look_up(
        self,
        *,
        charge_ref: str,
        attempt_id: str,
        provider_charge_id: str | None,
        provider_customer: str,
    ) -> ChargeResult | None:
        """As the port promises. An attempt that waits for the customer and has no page for them
        yet gets one."""
        return self._ledger.look_up(charge_ref, attempt_id, provider_charge_id, provider_customer)

    def find_charge_ref(self, provider_charge_id: str) -> str | None:
        return self._ledger.charge_ref(provider_charge_id)

    def list_charges(
        self, *, provider_customer: str, since: datetime | None
    ) -> Sequence[ProviderCharge]:
        return self._ledger.charges(provider_customer, since)

    def cancel_charge(self, *, provider_charge_id: str, idempotency_key: str) -> ChargeResult:
        """As the port promises. What can't be given up any more says what it is."""
        try:
            found = self._api.call(
                lambda stripe: stripe.v1.payment_intents.cancel(
                    provider_charge_id, {}, {"idempotency_key": idempotency_key}
                )
            )
            return self._charging.result(read_intent(found))
        except NoAnswer as nothing:
            raise ProviderUnavailable(str(nothing)) from None
        except Refused as refused:
            if refused.error.code != "payment_intent_unexpected_state":
                raise refusal(refused) from None
        try:
            intent = self._charging.fetch(provider_charge_id)
        except (NoAnswer, Refused) as trouble:
            raise ProviderUnavailable(str(trouble)) from None
        if intent is None:
            raise ProviderUnavailable("a payment that is there and is not")
        return self._charging.result(intent)

    def refund(
        self, *, provider_charge_id: str, amount: Money, idempotency_key: str
    ) -> RefundOutcome:
        """As the port promises. The key is in the refund's metadata and looked for first, so it
        also holds when Stripe has forgotten it. A wrong key of the merchant's leaves it open:
        it is tried again when that is right."""
        try:
            made = self._ledger.refund_with(provider_charge_id, idempotency_key)
            made = made or self._refund(provider_charge_id, amount, idempotency_key)
        except (NoAnswer, ProviderUnavailable):
            return RefundOutcome.UNKNOWN
        except Refused as refused:
            definite = refused.status in (400, 402, 404) and not refused.is_about_the_key
            return RefundOutcome.REFUSED if definite else RefundOutcome.UNKNOWN
        if made.status in REFUND_MADE:
            return RefundOutcome.SUCCEEDED
        gone = made.status in ("failed", "canceled")
        return RefundOutcome.REFUSED if gone else RefundOutcome.UNKNOWN

    def _refund(self, intent_id: str, amount: Money, key: str) -> RefundSeen:
        found = self._api.call(
            lambda stripe: stripe.v1.refunds.create(
                {
                    "payment_intent": intent_id,
                    "amount": stripe_amount(amount),
                    "metadata": {REFUND_KEY: key},
                },
                {"idempotency_key": key},
            )
        )
        return read_as(RefundSeen, found)

    def check_setup(self, currencies: Sequence[str], /) -> SetupReport:
        """As the port promises; one or two calls."""
        live = True if self._key.startswith(LIVE_KEYS) else None
        live = False if self._key.startswith(TEST_KEYS) else live
        if live is None:
            sentence = "A secret key begins with sk_live_ or sk_test_; this one does not."
            return SetupReport(problems=((SetupProblem.WRONG_MODE, sentence),))
        try:
            found = asked(self._api, lambda stripe: stripe.v1.accounts.retrieve_current())
        except Refused as refused:
            if refused.status not in KEY_REFUSED:
                raise ProviderUnavailable(str(refused)) from None
            sentence = "Stripe does not accept this key: it was revoked, or is mistyped."
            return SetupReport(live=live, problems=((SetupProblem.KEY_REFUSED, sentence),))
        account = read_as(AccountSeen, found)
        problems = [*self._account_problems(account), *self._currency_problems(account, currencies)]
        return SetupReport(live=live, account=account.name, problems=tuple(problems))

    def _account_problems(self, account: AccountSeen) -> list[tuple[SetupProblem, str]]:
        if account.charges_enabled:
            return []
        sentence = "Stripe does not let this account take payments; its dashboard says what to do."
        return [(SetupProblem.ACCOUNT_CANT_CHARGE, sentence)]

    def _currency_problems(
        self, account: AccountSeen, currencies: Sequence[str]
    ) -> list[tuple[SetupProblem, str]]:
        """By what Stripe says of the account's country. Nothing is said where it says nothing."""
        country = account.country
        if country is None:
            return []
        try:
            found = asked(self._api, lambda stripe: stripe.v1.country_specs.retrieve(country))
        except Refused:
            return []
        taken = {one.upper() for one in read_as(CountrySeen, found).supported_payment_currencies}
        return [
            (SetupProblem.CURRENCY_NOT_TAKEN, f"This account can't be paid in {one}.")
            for one in sorted(set(currencies) - taken)
        ]

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        return stripe_events.read(headers, body, self._webhook_secrets, self._now())
