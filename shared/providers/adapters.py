"""Which payment providers there are, and how each is made from its settings ([MANY]).

An adapter's module is loaded when it is asked for. docs/providers.md says what its settings are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.providers.errors import NoSuchProvider
from shared.providers.limits import Pace, no_pace
from shared.providers.port import PaymentProvider

if TYPE_CHECKING:
    from shared.providers.transport import Transport

NAMES = ("cardpointe", "sandbox", "stripe")


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
                from shared.providers.stripe import BASE_URL, StripeProvider

                return StripeProvider(
                    key=settings["key"],
                    webhook_secrets=tuple(settings["webhook_secrets"]),
                    now=now,
                    method_types=tuple(settings.get("payment_method_types", ("card",))),
                    base_url=settings.get("base_url", BASE_URL),
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
