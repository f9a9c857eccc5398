"""Which amounts and currencies the Stripe stand-in's account takes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from infra.local.stripe_errors import invalid

MINIMUM_AMOUNTS: Mapping[str, int] = MappingProxyType(
    {
        "usd": 50, "aed": 200, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "clp": 500,
        "cop": 200_000, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17_500,
        "inr": 50, "jpy": 50, "krw": 500, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50,
        "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "zar": 1000, "kwd": 150,
        "bhd": 190, "isk": 7000, "ils": 200, "twd": 1600, "php": 2900, "idr": 800_000,
        "vnd": 13_000,
    }
)  # fmt: skip
"""What the account takes, and the least of it (docs.stripe.com/currencies#minimum-and-maximum).
Where the documentation gives no amount it is about 0.50 US dollars, as it says."""

THREE_DECIMALS = frozenset({"kwd", "bhd"})
"""Their amounts must end in 0 (docs.stripe.com/currencies#three-decimal)."""

MAX_AMOUNT = 99_999_999


def check_amount(amount: int, currency: str) -> None:
    """docs.stripe.com/currencies: what is taken, and how little of it. Raises `StripeRefusal`."""
    if currency not in MINIMUM_AMOUNTS:
        listed = ", ".join(MINIMUM_AMOUNTS)
        message = f"Invalid currency: {currency}. This account supports these: {listed}"
        raise invalid(message, param="currency")
    if amount < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid(message, param="amount", code="parameter_invalid_integer")
    if amount < MINIMUM_AMOUNTS[currency]:
        least = MINIMUM_AMOUNTS[currency]
        message = f"Amount must be at least {least} {currency} in the smallest unit."
        raise invalid(message, param="amount", code="amount_too_small")
    if amount > MAX_AMOUNT:
        message = f"Amount must be no more than {MAX_AMOUNT}."
        raise invalid(message, param="amount", code="amount_too_large")
    if currency in THREE_DECIMALS and amount % 10:
        raise invalid("The amount must end in 0 in this currency.", param="amount")


def country_spec(country: str) -> dict[str, Any]:
    """docs.stripe.com/api/country_specs: what accounts of a country can be paid in."""
    return {
        "id": country,
        "object": "country_spec",
        "supported_payment_currencies": sorted(MINIMUM_AMOUNTS),
    }
