"""The one place that builds adapters from the environment, and reads the clock.

A handler asks `current()`; the local runner and the tests `install()` a `Wiring` of their own,
with a clock that they move. Nothing else in the code reads time, randomness or the environment.
"""

import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ulid import ULID

from shared.operations.context import Context

if TYPE_CHECKING:
    from shared.domain.business import Business
    from shared.domain.product import Catalogue
    from shared.messages.sender import Mailer
    from shared.providers.events import ReadsWebhooks
    from shared.providers.limits import Pace
    from shared.providers.port import PaymentProvider
    from shared.providers.transport import Transport

CALL_TIMEOUT_SECONDS = 5
"""How long any AWS call may take before it is given up."""

SECRETS_KEPT = timedelta(minutes=5)
"""How long a warm function goes by the secrets that it has read: a new key works by then."""

SECRETS_READ_AGAIN_AFTER = timedelta(minutes=1)
"""How soon they may be read again when a signature fails, perhaps since they were rotated."""


class Environment(NamedTuple):
    """What the template hands to every function, by its name there."""

    accounts_table: str
    catalogue_table: str
    access_table: str
    event_bus: str
    public_url: str
    sender_address: str
    provider: str
    """The payment provider for new cards where the merchant's settings name none; empty while none
    is set up."""
    provider_secrets: str
    """The name of the SSM parameter (SecureString, JSON) that holds the providers' secrets, or
    `/aws/reference/secretsmanager/{name}` of a secret of Secrets Manager."""
    due_shards: int
    sweep_limit: int
    charges_a_minute: int

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> "Environment":
        return cls(
            accounts_table=variables["ACCOUNTS_TABLE"],
            catalogue_table=variables["CATALOGUE_TABLE"],
            access_table=variables["ACCESS_TABLE"],
            event_bus=variables["EVENT_BUS"],
            public_url=variables["PUBLIC_URL"].rstrip("/"),
            sender_address=variables["SENDER_ADDRESS"],
            provider=variables.get("PROVIDER", ""),
            provider_secrets=variables.get("PROVIDER_SECRETS", ""),
            due_shards=int(variables.get("DUE_SHARDS", "1")),
            sweep_limit=int(variables.get("SWEEP_LIMIT", "200")),
            charges_a_minute=int(variables.get("CHARGES_A_MINUTE", "1000")),
        )


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Wiring:
    """Everything a function reaches outside itself."""

    environment: Environment
    now: Callable[[], datetime] = _utc_now
    new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(32)
    """256 random bits, safe in a URL."""
    new_code: Callable[[], str] = lambda: f"{secrets.randbelow(1_000_000):06d}"
    ids: Callable[[datetime], str] = lambda now: str(ULID.from_datetime(now))
    provider_overrides: dict[str, "PaymentProvider"] = field(default_factory=dict)
    _secrets: tuple[datetime, Mapping[str, Any]] | None = field(default=None, repr=False)
    pause: Callable[[float], None] = time.sleep
    """What waits for so many seconds: for a turn at a provider, or before a call is repeated."""
    transports: dict[str, "Transport"] = field(default_factory=dict)
    """How providers are reached that are not reached over HTTP."""
    _providers: dict[tuple[str, bool], tuple[Any, "PaymentProvider"]] = field(
        default_factory=dict, repr=False
    )

    def new_id(self) -> str:
        """A ULID of the wiring's own clock: unique, and sorting by the time it was made."""
        return self.ids(self.now())

    @cached_property
    def _boto_config(self) -> Any:
        from botocore.config import Config

        return Config(
            connect_timeout=CALL_TIMEOUT_SECONDS,
            read_timeout=CALL_TIMEOUT_SECONDS,
            retries={"mode": "standard", "max_attempts": 3},
        )

    def _client(self, service: str, *, again: bool = True) -> Any:
        """A client of AWS, of the session that the store's client is of. `again`: it repeats what
        failed by itself."""
        from botocore.config import Config

        from shared.store.items import session

        config = self._boto_config
        if not again:
            config = config.merge(Config(retries={"total_max_attempts": 1}))
        return session().create_client(service, config=config)

    @cached_property
    def events(self) -> Any:
        """The EventBridge client."""
        return self._client("events")

    @cached_property
    def mailer(self) -> "Mailer":
        from shared.messages.sender import Mailer

        # A timeout may hide an email that was accepted: the outbox decides what is sent again.
        return Mailer(self._client("sesv2", again=False), sender=self.environment.sender_address)

    def secrets(self, kept: timedelta = SECRETS_KEPT) -> Mapping[str, Any]:
        """The providers' secrets by provider, read anew when older than `kept`. Never logged. When
        they can't be read just now, those that were read before go on being used;
        `ProviderUnavailable` when there are none."""
        import json

        from botocore.exceptions import BotoCoreError, ClientError

        from shared.providers.errors import ProviderUnavailable

        if not self.environment.provider_secrets:
            return {}
        before = self._secrets
        if before is not None and self.now() - before[0] < kept:
            return before[1]
        try:
            answer = self._ssm.get_parameter(
                Name=self.environment.provider_secrets, WithDecryption=True
            )
            found = json.loads(answer["Parameter"]["Value"])
        except (BotoCoreError, ClientError, ValueError):
            found = None
        if isinstance(found, dict):
            self._secrets = self.now(), found
            return found
        if before is None:
            raise ProviderUnavailable("the providers' settings can't be read")
        return before[1]

    @cached_property
    def _ssm(self) -> Any:
        return self._client("ssm")

    def provider(
        self, name: str, kept: timedelta = SECRETS_KEPT, *, paced: bool = False
    ) -> "PaymentProvider":
        """The adapter called `name`, made from secrets no older than `kept`. One that is `paced`
        waits for its turn before each call, with everyone whose adapter is. `NoSuchProvider` for
        one that this deployment does not have."""
        from shared.providers import adapters

        if name in self.provider_overrides:
            return self.provider_overrides[name]
        settings = self._settings(name, kept)
        made = self._providers.get((name, paced))
        if made is None or made[0] != settings:
            adapter = adapters.make(
                name,
                settings,
                self.now,
                self.transports.get(name),
                pace=self._pace(name, settings, paced=paced),
                pause=self.pause,
            )
            made = settings, adapter
            self._providers[name, paced] = made
        return made[1]

    def webhook_reader(self, name: str, kept: timedelta = SECRETS_KEPT) -> "ReadsWebhooks":
        """What reads the webhooks of the provider called `name`, by secrets no older than `kept`:
        two that go by the same secrets are equal. `NoSuchProvider` as `provider` raises it."""
        from shared.providers import adapters

        if name in self.provider_overrides:
            return self.provider_overrides[name]
        return adapters.webhook_reader(name, self._settings(name, kept), self.now)

    def _settings(self, name: str, kept: timedelta) -> dict[str, Any]:
        """What the adapter called `name` is made from. `NoSuchProvider` where there is none."""
        from shared.providers.errors import NoSuchProvider
        from shared.providers.names import NAMES

        if name not in NAMES:
            raise NoSuchProvider(name)
        settings = self.secrets(kept).get(name)
        if not isinstance(settings, dict):
            raise NoSuchProvider(name)
        return settings

    def _pace(self, name: str, settings: Mapping[str, Any], *, paced: bool) -> "Pace":
        from shared.operations.pacing import Turns
        from shared.providers.limits import limits_of, no_pace

        limits = limits_of(name, settings)
        return Turns(name, limits, self.now, self.pause) if paced else no_pace

    def provider_names(self) -> tuple[str, ...]:
        """The providers that are set up, in the order of their names ([MANY])."""
        from shared.providers.names import NAMES

        known = {*self.provider_overrides, *self.secrets()}
        return tuple(sorted(known & {*NAMES, *self.provider_overrides}))

    def hosted_origins(self, name: str) -> tuple[str, ...]:
        """Where the own pages of the provider called `name` are, without what else its adapter
        does. `NoSuchProvider` as `provider` raises it."""
        from shared.providers.hosted import hosted_origins

        if name in self.provider_overrides:
            return self.provider_overrides[name].hosted_origins
        return hosted_origins(name, self._settings(name, SECRETS_KEPT))

    def preferred_provider(self, business: "Business") -> str:
        """Where new cards go ([MANY]); empty while no provider is set up."""
        return business.settings.preferred_provider or self.environment.provider

    def context(self, business: "Business", *, paced: bool = False) -> Context:
        """What an operation reaches, deciding by `business`, which may be a catalogue already.
        `paced` for what the clock starts:
        its calls keep within the providers' limits and leave room for customers, who wait for no
        turn."""
        return Context(
            now=self.now,
            new_id=self.new_id,
            provider=partial(self.provider, paced=paced),
            preferred_provider=self.preferred_provider(business),
            business=business,
            whole=partial(self._whole, business),
            public_url=self.environment.public_url,
        )

    def _whole(self, business: "Business") -> "Catalogue":
        from shared.domain.product import Catalogue
        from shared.store import snapshot

        return business if isinstance(business, Catalogue) else snapshot.load(Catalogue, self.now())


_installed: Wiring | None = None


def current() -> Wiring:
    """The wiring of this process, built from the environment at first use."""
    global _installed
    if _installed is None:
        _installed = Wiring(environment=Environment.read(os.environ))
    return _installed


def install(wiring: Wiring | None) -> None:
    """Replace the wiring (tests, the local runner); None goes back to the environment's."""
    global _installed
    _installed = wiring


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # While Lambda starts a function it gives it a whole processor: DynamoDB's client is made then,
    # and not while somebody waits for the first answer.
    from shared.store.items import client

    client()
