"""Where providers' own pages are: a form of ours may lead there, and browsers have to be told.

Pages that name them load no adapter.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from shared.providers.errors import NoSuchProvider

STRIPE_URL = "https://api.stripe.com"
STRIPE_ORIGINS = (
    "https://checkout.stripe.com",
    "https://hooks.stripe.com",
    "https://payments.stripe.com",
)


def hosted_origins(name: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Those of the provider called `name`, as its adapter would say. `NoSuchProvider` for a name
    or settings that make none."""
    try:
        match name:
            case "cardpointe":
                return ()
            case "sandbox":
                return origin_of(settings["url"])
            case "stripe":
                return stripe_origins(settings.get("base_url", STRIPE_URL))
            case _:
                raise NoSuchProvider(name)
    except KeyError as missing:
        raise NoSuchProvider(f"{name}: the setting {missing} is missing") from None


def stripe_origins(base_url: str) -> tuple[str, ...]:
    return STRIPE_ORIGINS if base_url == STRIPE_URL else origin_of(base_url)


def origin_of(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    return (f"{parts.scheme}://{parts.netloc}",)
