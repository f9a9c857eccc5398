"""How each payment provider is made from its settings ([MANY]).

An adapter's module is loaded when it is asked for. docs/providers.md says what its settings are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.providers.errors import NoSuchProvider
from shared.providers.events import InvalidSignature
from shared.providers.limits import Pace, no_pace

if TYPE_CHECKING:
    from shared.providers.events import WebhookEvent
    from shared.providers.port import PaymentProvider
    from shared.providers.transport import Transport


def make(
    name: str,
    settings: Mapping[str, Any],
    now: Callable[[], datetime],
    transport: Transport | None = None,
    *,
    pace: Pace = no_pace,
    pause: Callable[[float], None] = time.sleep,
) -> PaymentProvider:
    """The adapter called `name`; without `transport` it goes over HTTP. It calls `pace` before each
    HTTP call, and waits with `pause` (seconds) before it repeats one. `NoSuchProvider` for a name
    or settings that make none: it says which setting is missing, and never what one is."""
    try:
        match name:
            case "cardpointe":
                from shared.providers.cardpointe import CardPointeProvider

                return CardPointeProvider(
                    site=settings["site"],
                    username=settings["username"],
                    password=settings["password"],
                    merchant_id=settings["merchant_id"],
                    currency=settings.get("currency", "USD"),
                    transport=transport,
                    pace=pace,
                    pause=pause,
                )
            case "sandbox":
                from shared.providers.sandbox import SandboxProvider

                return SandboxProvider(
                    base_url=settings["url"],
                    key=settings["key"],
                    webhook_secrets=tuple(settings["webhook_secrets"]),
                    now=now,
                    transport=transport,
                    pace=pace,
                )
            case "stripe":
                from shared.providers.hosted import STRIPE_URL
                from shared.providers.stripe import StripeProvider

                return StripeProvider(
                    key=settings["key"],
                    webhook_secrets=tuple(settings["webhook_secrets"]),
                    now=now,
                    method_types=tuple(settings.get("payment_method_types", ("card",))),
                    base_url=settings.get("base_url", STRIPE_URL),
                    transport=transport,
                    pace=pace,
                    pause=pause,
                )
            case _:
                raise NoSuchProvider(name)
    except KeyError as missing:
        raise NoSuchProvider(f"{name}: the setting {missing} is missing") from None
    except (TypeError, ValueError):
        raise NoSuchProvider(f"{name}: a setting is not what it should be") from None


class WebhookReader(NamedTuple):
    """Of an adapter no more than what webhooks are read with."""

    name: str
    read: Callable[[Mapping[str, str], bytes, Sequence[str], datetime], WebhookEvent]
    secrets: Sequence[str]
    now: Callable[[], datetime]

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """As the port promises."""
        return self.read(headers, body, self.secrets, self.now())


def webhook_reader(
    name: str, settings: Mapping[str, Any], now: Callable[[], datetime]
) -> WebhookReader:
    """What reads the webhooks of the provider called `name`, without what else its adapter does.
    `NoSuchProvider` for a name or settings that make none."""
    match name:
        case "cardpointe":
            return WebhookReader(name, _none_is_sent, (), now)
        case "sandbox":
            from shared.providers.sandbox_events import read
        case "stripe":
            from shared.providers.stripe_events import read
        case _:
            raise NoSuchProvider(name)
    try:
        return WebhookReader(name, read, tuple(settings["webhook_secrets"]), now)
    except KeyError as missing:
        raise NoSuchProvider(f"{name}: the setting {missing} is missing") from None
    except TypeError:
        raise NoSuchProvider(f"{name}: a setting is not what it should be") from None


def _none_is_sent(
    _headers: Mapping[str, str], _body: bytes, _secrets: Sequence[str], _now: datetime
) -> WebhookEvent:
    raise InvalidSignature("This provider sends no webhooks.")
