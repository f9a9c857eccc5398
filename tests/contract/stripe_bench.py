"""Stripe on a bench: our adapter and what stands in for Stripe, a clock that is moved, webhooks
that are collected, a customer who fills in forms."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from infra.local.sandbox_faults import Fault, Operation
from infra.local.stripe_cards import ALWAYS_AUTHENTICATE, FAILS_LATER, LOST_CARD, WORKS
from infra.local.stripe_standin import Stripe, in_process
from infra.local.stripe_webhooks import stripe_signature
from shared.providers.port import CardSetup, PaymentProvider
from shared.providers.stripe import StripeProvider
from shared.providers.stripe_events import HEARD
from shared.providers.stripe_http import TRIES_PER_CALL
from tests.contract.bench import CardKind, Delivery, Trouble, save_on_page

KEY = "sk_test_bench"
SECRETS = ("present", "next")
PUBLIC_URL = "http://127.0.0.1:8000"
MOUNT = "/_local/stripe"
SEED = 20_260_131

NUMBERS = {
    CardKind.WORKS: WORKS,
    CardKind.DECLINES: FAILS_LATER,
    CardKind.DECLINES_FINALLY: WORKS,
    CardKind.NEEDS_AUTHENTICATION: ALWAYS_AUTHENTICATE,
}

FAULTS = {
    Trouble.LOST_REQUEST: Fault.TIMEOUT_BEFORE,
    Trouble.LOST_ANSWER: Fault.TIMEOUT_AFTER,
    Trouble.SERVER_ERROR: Fault.ERROR_BEFORE,
    Trouble.SERVER_ERROR_AFTERWARDS: Fault.ERROR_AFTER,
    Trouble.RATE_LIMIT: Fault.RATE_LIMIT,
}


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    at: datetime = field(default_factory=lambda: datetime(2026, 1, 31, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at


class StripeBench:
    """The contract's bench, and what tests of the adapter need besides."""

    charge_event = "payment_intent.succeeded"

    def __init__(self) -> None:
        self.now = Clock()
        self.posted: list[tuple[datetime, str, dict[str, str], bytes]] = []
        self.sent: list[tuple[str, str, Mapping[str, str], bytes]] = []
        """Every HTTP call of the adapter."""
        self.paused: list[float] = []
        self.unknown_codes: list[str] = []
        self._ahead: list[tuple[int, Trouble]] = []
        self.stripe = Stripe(
            self.now,
            self._deliver,
            KEY,
            SECRETS,
            PUBLIC_URL,
            MOUNT,
            seed=SEED,
            enabled_events=HEARD,
        )
        self.provider: PaymentProvider = self.adapter()

    def adapter(self, key: str = KEY, method_types: tuple[str, ...] = ("card",)) -> StripeProvider:
        return StripeProvider(
            key=key,
            webhook_secrets=SECRETS,
            now=self.now,
            method_types=method_types,
            base_url=PUBLIC_URL + MOUNT,
            transport=self._send,
            pause=self.paused.append,
            unknown_code=self.unknown_codes.append,
        )

    def _deliver(self, delay: int, path: str, headers: dict[str, str], body: bytes) -> None:
        self.posted.append((self.now() + timedelta(seconds=delay), path, headers, body))

    def advance(self, seconds: int) -> None:
        self.now.at += timedelta(seconds=seconds)

    def submit(self, address: str, **form: str) -> tuple[int, dict[str, str], str]:
        """What a browser gets for a form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(form).encode()
        path = address.removeprefix(PUBLIC_URL).removeprefix(MOUNT)
        status, headers, page = self.stripe.handle("POST", path, headers, body)
        return status, headers, page.decode()

    def enter_card(self, setup: CardSetup, kind: CardKind) -> str:
        assert setup.url is not None
        status, headers, page = self.submit(
            setup.url, number=NUMBERS[kind], expiry="08 / 29", cvc="123"
        )
        if kind is CardKind.NEEDS_AUTHENTICATION:
            status, headers, page = self.submit(headers["Location"], answer="confirm")
        assert status == 303, page
        assert f"setup={setup.setup_id}" in headers["Location"]
        if kind is CardKind.DECLINES_FINALLY:
            finished = self.provider.fetch_card_setup(setup.setup_id)
            assert finished is not None
            assert finished.card is not None
            self.stripe.let_card_behave_as(finished.card.token, LOST_CARD)
        return headers["Location"]

    def renew(self, card_token: str, *, last4: str, exp_month: int, exp_year: int) -> None:
        self.stripe.renew_card(card_token, last4, exp_month, exp_year)

    def revoke_key(self) -> None:
        self.stripe.revoke(KEY)

    def restore_key(self) -> None:
        self.stripe.revoke(KEY, revoked=False)

    def save_card(
        self, kind: CardKind, *, reference: str, provider_customer: str | None
    ) -> CardSetup:
        return save_on_page(self, kind, reference=reference, provider_customer=provider_customer)

    def let_settle(self) -> None:
        """A part can be given back at once."""

    def confirm(self, confirm_url: str) -> None:
        self.submit(confirm_url, answer="confirm")

    def refuse(self, confirm_url: str) -> None:
        self.submit(confirm_url, answer="decline")

    def trouble(self, trouble: Trouble, *, after: int = 0) -> None:
        self._ahead.append((after, trouble))

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        self.sent.append((method, path, headers, body))
        for calls, trouble in self._ahead:
            if calls == 0:
                times = TRIES_PER_CALL if trouble is Trouble.RATE_LIMIT else 1
                self.stripe.misbehave(Operation.ANY, FAULTS[trouble], times=times)
        self._ahead = [(calls - 1, trouble) for calls, trouble in self._ahead if calls]
        return in_process(self.stripe)(method, path, headers, body)

    def answer_late(self, seconds: int) -> None:
        self.stripe.misbehave(Operation.CHARGE, Fault.LATE, seconds=seconds)

    def reverse(self, provider_charge_id: str, minor: int | None = None) -> None:
        self.stripe.reverse_charge(provider_charge_id, minor)

    def reinstate(self, provider_charge_id: str) -> None:
        self.stripe.reinstate_charge(provider_charge_id)

    def succeeded(self, charge_ref: str) -> int:
        return sum(
            charge.charge_ref == charge_ref and charge.state == "succeeded"
            for charge in self.stripe.charges()
        )

    def refunded(self, charge_ref: str) -> int:
        return sum(sum(c.refunds) for c in self.stripe.charges() if c.charge_ref == charge_ref)

    def deliveries(self) -> list[Delivery]:
        arrived = [delivery for delivery in self.posted if delivery[0] <= self.now()]
        self.posted = [delivery for delivery in self.posted if delivery[0] > self.now()]
        assert {path for _, path, _, _ in arrived} <= {"/webhooks/stripe"}
        return [
            ({name.lower(): value for name, value in headers.items()}, body)
            for _, _, headers, body in arrived
        ]

    def sign(self, body: bytes, at: datetime, *secrets: str) -> dict[str, str]:
        return {"stripe-signature": stripe_signature(body, at, secrets or SECRETS[:1])}

    def event_body(self, type_: str) -> bytes:
        about = {"id": "pi_1", "object": "payment_intent", "metadata": {"charge_ref": "charge-1"}}
        moment = int(self.now().timestamp())
        event = {"id": "evt_1", "type": type_, "created": moment, "data": {"object": about}}
        return json.dumps(event).encode()
