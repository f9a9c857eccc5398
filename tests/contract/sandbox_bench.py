"""The sandbox on a bench: a clock that is moved, webhooks that are collected, a customer who
fills in forms."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from infra.local.sandbox import Sandbox, in_process
from infra.local.sandbox_cards import LOST_CARD, WORKS
from infra.local.sandbox_faults import Fault, Operation
from infra.local.sandbox_webhooks import Webhooks
from shared.providers.port import CardSetup, PaymentProvider
from shared.providers.sandbox import SandboxProvider
from tests.contract.bench import CardKind, Delivery, Trouble, save_on_page

KEY = "sandbox-key"
SECRETS = ("present", "next")
PUBLIC_URL = "http://127.0.0.1:8000"
MOUNT = "/_local/sandbox"
SEED = 20_260_131

NUMBERS = {
    CardKind.WORKS: "4242 4242 4242 4242",
    CardKind.DECLINES: "4000 0000 0000 0341",
    CardKind.DECLINES_FINALLY: WORKS,
    CardKind.NEEDS_AUTHENTICATION: "4000-0025-0000-3155",
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


class SandboxBench:
    """The contract's bench, and what tests of the sandbox itself need besides."""

    charge_event = "charge.succeeded"

    def __init__(self) -> None:
        self.now = Clock()
        self.posted: list[tuple[datetime, str, dict[str, str], bytes]] = []
        self._ahead: list[tuple[int, Trouble]] = []
        self.sandbox = Sandbox(
            now=self.now,
            deliver=self._deliver,
            key=KEY,
            webhook_secrets=SECRETS,
            public_url=PUBLIC_URL,
            mount=MOUNT,
            seed=SEED,
        )
        self.provider: PaymentProvider = SandboxProvider(
            base_url=PUBLIC_URL + MOUNT,
            key=KEY,
            webhook_secrets=SECRETS,
            now=self.now,
            transport=self._send,
        )

    def _deliver(self, delay: int, path: str, headers: dict[str, str], body: bytes) -> None:
        self.posted.append((self.now() + timedelta(seconds=delay), path, headers, body))

    def advance(self, seconds: int) -> None:
        self.now.at += timedelta(seconds=seconds)

    def get(self, path: str) -> tuple[int, dict[str, str], str]:
        """What a browser gets at a full address or below the mount."""
        status, headers, body = self.sandbox.handle("GET", _below_mount(path), {}, b"")
        return status, headers, body.decode()

    def submit(self, path: str, **form: str) -> tuple[int, dict[str, str], str]:
        """What a browser gets for a form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(form).encode()
        status, headers, page = self.sandbox.handle("POST", _below_mount(path), headers, body)
        return status, headers, page.decode()

    def enter_card(self, setup: CardSetup, kind: CardKind) -> str:
        assert setup.url is not None
        status, headers, _ = self.submit(
            setup.url, number=NUMBERS[kind], expiry="08 / 29", cvc="123"
        )
        assert status == 303
        assert f"setup={setup.setup_id}" in headers["Location"]
        if kind is CardKind.DECLINES_FINALLY:
            finished = self.provider.fetch_card_setup(setup.setup_id)
            assert finished is not None
            assert finished.card is not None
            self.sandbox.let_card_behave_as(finished.card.token, LOST_CARD)
        return headers["Location"]

    def renew(self, card_token: str, *, last4: str, exp_month: int, exp_year: int) -> None:
        self.sandbox.renew_card(card_token, last4, exp_month, exp_year)

    def revoke_key(self) -> None:
        self.sandbox.misbehave(Operation.ANY, Fault.KEY_REFUSED, times=1_000)

    def restore_key(self) -> None:
        self.sandbox.behave()

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
        for calls, trouble in self._ahead:
            if calls == 0:
                self.sandbox.misbehave(Operation.ANY, FAULTS[trouble])
        self._ahead = [(calls - 1, trouble) for calls, trouble in self._ahead if calls]
        return in_process(self.sandbox)(method, path, headers, body)

    def answer_late(self, seconds: int) -> None:
        self.sandbox.misbehave(Operation.CHARGE, Fault.LATE, seconds=seconds)

    def reverse(self, provider_charge_id: str, minor: int | None = None) -> None:
        self.sandbox.reverse_charge(provider_charge_id, minor)

    def reinstate(self, provider_charge_id: str) -> None:
        self.sandbox.reinstate_charge(provider_charge_id)

    def succeeded(self, charge_ref: str) -> int:
        return sum(
            charge.charge_ref == charge_ref and charge.state == "succeeded"
            for charge in self.sandbox.charges()
        )

    def refunded(self, charge_ref: str) -> int:
        return sum(sum(c.refunds) for c in self.sandbox.charges() if c.charge_ref == charge_ref)

    def deliveries(self) -> list[Delivery]:
        arrived = [delivery for delivery in self.posted if delivery[0] <= self.now()]
        self.posted = [delivery for delivery in self.posted if delivery[0] > self.now()]
        assert {path for _, path, _, _ in arrived} <= {"/webhooks/sandbox"}
        return [
            ({name.lower(): value for name, value in headers.items()}, body)
            for _, _, headers, body in arrived
        ]

    def sign(self, body: bytes, at: datetime, *secrets: str) -> dict[str, str]:
        signer = Webhooks(self.now, self._deliver, secrets or SECRETS[:1], random.Random(SEED))
        return {"sandbox-signature": signer.signature(body, at)}

    def event_body(self, type_: str) -> bytes:
        about = {"id": "ch_1", "object": "charge", "metadata": {"charge_ref": "charge-1"}}
        moment = int(self.now().timestamp())
        event = {"id": "evt_1", "type": type_, "created": moment, "object": about}
        return json.dumps(event).encode()


def _below_mount(address: str) -> str:
    return address.removeprefix(PUBLIC_URL).removeprefix(MOUNT)
