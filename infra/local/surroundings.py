"""What the process is given while a world is open: its environment, secrets and wiring."""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from infra.local.aws import Answer
from infra.local.chance import Chance
from infra.local.sandbox import Sandbox
from infra.local.sandbox_webhooks import Deliver
from infra.local.template import REGION
from shared import wiring
from shared.providers.sandbox import SandboxProvider
from shared.providers.transport import Transport

CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Enough for botocore to sign what never leaves the process."""

ENVIRONMENT_DEFAULTS: Mapping[str, str] = dict.fromkeys(
    ("ACCOUNTS_TABLE", "CATALOGUE_TABLE", "ACCESS_TABLE", "EVENT_BUS", "PUBLIC_URL",
     "SENDER_ADDRESS"), "",
)  # fmt: skip
"""For templates of tests that leave a table out."""


class ParameterStore:
    """Serves `ssm`: the one parameter that holds the providers' secrets, made for this world."""

    def __init__(self, name: str, sandbox_url: str, chance: Chance | None = None) -> None:
        self._name = name
        self.sandbox_url = sandbox_url
        new_secret = chance.new_secret if chance else secrets.token_hex
        self.sandbox_key = f"sk_{new_secret()}"
        self.webhook_secrets = (new_secret(),)

    def call(self, operation: str, body: bytes) -> Answer:
        """Answer a call of the Parameter Store's API."""
        if operation != "GetParameter":
            raise NotImplementedError(f"ssm:{operation} is not served on this machine")
        if json.loads(body)["Name"] != self._name:
            return Answer(400, b'{"__type": "ParameterNotFound", "message": "There is none."}')
        value: dict[str, Any] = {
            "sandbox": {
                "url": self.sandbox_url,
                "key": self.sandbox_key,
                "webhook_secrets": list(self.webhook_secrets),
            }
        }
        found = {"Name": self._name, "Type": "SecureString", "Value": json.dumps(value)}
        return Answer(200, json.dumps({"Parameter": found}).encode())


def open_sandbox(
    store: ParameterStore,
    now: Callable[[], datetime],
    deliver: Deliver,
    public_url: str,
    chance: Chance | None = None,
) -> Sandbox:
    """The provider that `store` has the secrets of."""
    return Sandbox(
        now=now,
        deliver=deliver,
        key=store.sandbox_key,
        webhook_secrets=store.webhook_secrets,
        public_url=public_url,
        seed=chance.seed if chance else None,
    )


def install_wiring(
    variables: Mapping[str, str],
    now: Callable[[], datetime],
    store: ParameterStore,
    to_sandbox: Transport | None,
    chance: Chance | None = None,
) -> wiring.Wiring:
    """The wiring that functions find from now on. With `to_sandbox` the adapter goes that way;
    without, the wiring builds its adapter itself, as in a deployment."""
    environment = wiring.Environment.read({**ENVIRONMENT_DEFAULTS, **variables})
    installed = wiring.Wiring(environment=environment, now=now)
    if chance is not None:
        installed.ids = chance.ids
        installed.new_secret = chance.new_secret
        installed.new_code = chance.new_code
    if to_sandbox is not None:
        installed.provider_overrides["sandbox"] = SandboxProvider(
            base_url=store.sandbox_url,
            key=store.sandbox_key,
            webhook_secrets=store.webhook_secrets,
            now=now,
            transport=to_sandbox,
        )
    wiring.install(installed)
    return installed
