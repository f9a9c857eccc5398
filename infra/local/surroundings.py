"""What the process is given while a world is open: its environment and wiring."""

from collections.abc import Callable, Mapping
from datetime import datetime

from infra.local.chance import Chance
from infra.local.template import REGION
from shared import wiring
from shared.providers.port import PaymentProvider

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


def install_wiring(
    variables: Mapping[str, str],
    now: Callable[[], datetime],
    providers: Mapping[str, PaymentProvider],
    chance: Chance | None = None,
) -> wiring.Wiring:
    """The wiring that functions find from now on. Providers that are not among `providers` it
    makes itself, as in a deployment."""
    environment = wiring.Environment.read({**ENVIRONMENT_DEFAULTS, **variables})
    installed = wiring.Wiring(environment=environment, now=now)
    if chance is not None:
        installed.ids = chance.ids
        installed.new_secret = chance.new_secret
        installed.new_code = chance.new_code
    installed.provider_overrides.update(providers)
    wiring.install(installed)
    return installed
