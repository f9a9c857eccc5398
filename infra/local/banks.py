"""The payment providers of one machine: they stand outside our system and are reached as real ones
are, each under an address of its own below `/_local` ([SANDBOX], [MANY])."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.local.aws import Answer
from infra.local.chance import Chance
from infra.local.sandbox import Sandbox
from infra.local.sandbox import in_process as to_sandbox
from infra.local.webhook_queue import Deliver
from shared.providers.transport import Transport

ROOT = "/_local"
SANDBOX = "sandbox"

Handle = Callable[[str, str, Mapping[str, str], bytes], tuple[int, dict[str, str], bytes]]
"""`(method, path below its address, headers, body)` to `(status, headers, body)`."""


@dataclass(frozen=True)
class Bank:
    """One provider: what answers its address, how it is called without sockets, and what a
    merchant's secrets say of it."""

    name: str
    handle: Handle
    in_process: Transport
    settings: Mapping[str, Any]


class Banks:
    """All of them. `sandbox` is the one that new cards go to, unless the parameters of the world
    name another."""

    def __init__(
        self,
        now: Callable[[], datetime],
        deliver: Deliver,
        public_url: str,
        chance: Chance | None,
    ) -> None:
        self._new_secret = chance.new_secret if chance else secrets.token_hex
        seed = chance.seed if chance else None
        key, webhook_secrets = f"sk_{self._new_secret()}", (self._new_secret(),)
        self.sandbox = Sandbox(
            now=now,
            deliver=deliver,
            key=key,
            webhook_secrets=webhook_secrets,
            public_url=public_url,
            seed=seed,
        )
        settings = {
            "url": public_url + address(SANDBOX),
            "key": key,
            "webhook_secrets": list(webhook_secrets),
        }
        sandbox = Bank(SANDBOX, self.sandbox.handle, to_sandbox(self.sandbox), settings)
        self.by_name: Mapping[str, Bank] = {one.name: one for one in (sandbox,)}

    def secrets(self) -> dict[str, Any]:
        """The content of the parameter that holds the providers' secrets."""
        return {name: dict(one.settings) for name, one in self.by_name.items()}


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
