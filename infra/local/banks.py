"""The payment providers of one machine: they stand outside our system and are reached as real ones
are, each under an address of its own below `/_local` ([SANDBOX], [MANY])."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from infra.local import sandbox
from infra.local.aws import Answer
from infra.local.chance import Chance
from infra.local.webhook_queue import Deliver
from shared.providers.transport import Transport

if TYPE_CHECKING:
    from infra.local.cardpointe import CardPointe
    from infra.local.sandbox import Sandbox
    from infra.local.stripe_standin import Stripe

ROOT = "/_local"
SANDBOX = "sandbox"
STRIPE = "stripe"
CARDPOINTE = "cardpointe"
NAMES = (SANDBOX, STRIPE, CARDPOINTE)

Handle = Callable[[str, str, Mapping[str, str], bytes], tuple[int, dict[str, str], bytes]]
"""`(method, path below its address, headers, body)` to `(status, headers, body)`."""


@dataclass(frozen=True)
class Bank:
    """One provider: what answers its address, and how it is called without sockets."""

    name: str
    handle: Handle
    in_process: Transport


class Banks:
    """All of them. Each comes to be when it is first asked for: what stands in for Stripe knows the
    whole of Stripe's own package, and most worlds never pay there."""

    def __init__(
        self,
        now: Callable[[], datetime],
        deliver: Deliver,
        public_url: str,
        chance: Chance | None,
    ) -> None:
        self._now, self._deliver, self._public_url = now, deliver, public_url
        self._seed = chance.seed if chance else None
        new_secret = chance.new_secret if chance else secrets.token_hex
        self.settings: Mapping[str, Mapping[str, Any]] = {
            SANDBOX: {
                "url": public_url + address(SANDBOX),
                "key": f"sk_{new_secret()}",
                "webhook_secrets": [new_secret()],
            },
            STRIPE: {
                "base_url": public_url + address(STRIPE),
                "key": f"sk_test_{new_secret()}",
                "webhook_secrets": [f"whsec_{new_secret()}"],
                # No limit here: nobody waits for a turn by a clock that may stand still.
                "calls_per_second": 0,
                "calls_per_endpoint_per_second": 0,
            },
            CARDPOINTE: {
                "site": public_url + address(CARDPOINTE),
                "username": "punchcard",
                "password": new_secret(),
                "merchant_id": "496160873888",
            },
        }
        """What the merchant's secrets say of each."""

    def bank(self, name: str) -> Bank | None:
        """The provider called `name`; None where there is none."""
        match name:
            case "sandbox":
                return Bank(name, self.sandbox.handle, sandbox.in_process(self.sandbox))
            case "stripe":
                from infra.local import stripe_standin

                return Bank(name, self.stripe.handle, stripe_standin.in_process(self.stripe))
            case "cardpointe":
                from infra.local import cardpointe

                return Bank(name, self.cardpointe.handle, cardpointe.in_process(self.cardpointe))
            case _:
                return None

    @cached_property
    def sandbox(self) -> "Sandbox":
        return sandbox.Sandbox(
            now=self._now,
            deliver=self._deliver,
            key=self.settings[SANDBOX]["key"],
            webhook_secrets=self.settings[SANDBOX]["webhook_secrets"],
            public_url=self._public_url,
            mount=address(SANDBOX),
            seed=self._seed,
        )

    @cached_property
    def stripe(self) -> "Stripe":
        """What stands in for Stripe."""
        from infra.local.stripe_standin import Stripe

        return Stripe(
            now=self._now,
            deliver=self._deliver,
            key=self.settings[STRIPE]["key"],
            webhook_secrets=self.settings[STRIPE]["webhook_secrets"],
            public_url=self._public_url,
            mount=address(STRIPE),
            seed=self._seed,
        )

    @cached_property
    def cardpointe(self) -> "CardPointe":
        """What stands in for CardPointe."""
        from infra.local.cardpointe import CardPointe

        settings = self.settings[CARDPOINTE]
        return CardPointe(
            now=self._now,
            username=settings["username"],
            password=settings["password"],
            merchant_id=settings["merchant_id"],
            mount=address(CARDPOINTE),
            seed=self._seed,
        )


def address(name: str) -> str:
    """The path below which a provider is reached."""
    return f"{ROOT}/{name}"


class ParameterStore:
    """Serves `ssm`: the one parameter that holds the providers' secrets. `content` may be changed,
    as when a merchant rotates a key; while it is `gone` nobody can read it."""

    def __init__(self, name: str, content: Mapping[str, Any]) -> None:
        self._name = name
        self.content = dict(content)
        self.gone = False
        self.asked = 0
        """How often it was asked for."""

    def call(self, operation: str, body: bytes) -> Answer:
        """Answer a call of the Parameter Store's API."""
        if operation != "GetParameter":
            raise NotImplementedError(f"ssm:{operation} is not served on this machine")
        self.asked += 1
        if self.gone or json.loads(body)["Name"] != self._name:
            return Answer(400, b'{"__type": "ParameterNotFound", "message": "There is none."}')
        found = {"Name": self._name, "Type": "SecureString", "Value": json.dumps(self.content)}
        return Answer(200, json.dumps({"Parameter": found}).encode())
