"""An amount as somebody types it, in major units: "12.50", or "12,50"."""

import re

from babel.numbers import get_currency_precision

from shared.domain.errors import Invalid

_AMOUNT = re.compile(r"([0-9]{1,12})(?:[.,]([0-9]{1,4}))?")


def minor_units(text: str, currency: str, *, field: str) -> int:
    """The minor units of `text`. `Invalid` names `field` for what is not an amount, and for more
    decimals than `currency` has: nothing is rounded."""
    decimals = get_currency_precision(currency)
    match = _AMOUNT.fullmatch(text.strip())
    if match is None or len(match[2] or "") > decimals:
        example = "12" + ("." + "50".ljust(decimals, "0")[:decimals] if decimals else "")
        sentence = f"Write an amount like {example}."
        raise Invalid(sentence, fields={field: sentence})
    return int(match[1] + (match[2] or "").ljust(decimals, "0"))
