"""How many calls a second a provider takes, and how an adapter waits for its turn.

Only what the clock starts waits: a customer at the checkout never does, and what is left of a
provider's limit is theirs. An adapter that was made with a `Pace` calls it before each HTTP call,
repeats included, with the name of the endpoint: the method and the path without ids.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.providers.errors import NoSuchProvider

Pace = Callable[[str], None]
"""Returns when the endpoint may be called. `NotSent` when that would take too long: then the
call was not made, so a charge is `UNKNOWN` and repeatable."""

STRIPE_LIVE = 100
STRIPE_TEST = 25
"""Calls a second that Stripe takes of one account, in each of its modes."""

STRIPE_ENDPOINT = 25
"""Calls a second that Stripe takes of one endpoint, where it has not raised it for an account."""

SHARE = 0.8
"""The part of a limit that the clock's work uses. The rest is for customers, and for clocks of
functions that differ by up to a quarter of a second."""

MAX_PER_SECOND = 10_000


def no_pace(_endpoint: str) -> None:
    """The `Pace` of calls that nobody holds up."""


@dataclass(frozen=True)
class Limits:
    """Calls a second, of all endpoints together and of each; None: no limit."""

    per_second: float | None = None
    per_endpoint: float | None = None


def limits_of(name: str, settings: Mapping[str, Any]) -> Limits:
    """The limits that the clock's work keeps at a provider: `calls_per_second` and
    `calls_per_endpoint_per_second` of its settings (0: none), else the share of what the provider
    documents. `NoSuchProvider` for a setting that is no such number."""
    whole, endpoint = _documented(name, settings)
    return Limits(
        per_second=_setting(name, settings, "calls_per_second", whole),
        per_endpoint=_setting(name, settings, "calls_per_endpoint_per_second", endpoint),
    )


def _documented(name: str, settings: Mapping[str, Any]) -> tuple[float | None, float | None]:
    if name != "stripe":
        return None, None
    live = "_live_" in str(settings.get("key", ""))
    return SHARE * (STRIPE_LIVE if live else STRIPE_TEST), SHARE * STRIPE_ENDPOINT


def _setting(
    name: str, settings: Mapping[str, Any], setting: str, documented: float | None
) -> float | None:
    value = settings.get(setting, documented)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= MAX_PER_SECOND:
        raise NoSuchProvider(f"{name}: {setting} is a number from 0 to {MAX_PER_SECOND}")
    return float(value) or None
