"""Telling a card's number, which must never reach us, from a provider's token ([CHECKOUT])."""

import re

SHORTEST, LONGEST = 13, 19

TOKENS_BEGIN_WITH = "9"
"""No card network has numbers that begin so; tokens that look like numbers do."""

_BETWEEN_DIGITS = re.compile(r"[\s.\-]")


def is_card_number(text: str) -> bool:
    """Whether `text` could be the number of a card: 13 to 19 digits, however they are spaced, whose
    last one fits the others, and that are no token's."""
    digits = _BETWEEN_DIGITS.sub("", text)
    if not digits.isascii() or not digits.isdigit() or not SHORTEST <= len(digits) <= LONGEST:
        return False
    return not digits.startswith(TOKENS_BEGIN_WITH) and _last_digit_fits(digits)


def _last_digit_fits(digits: str) -> bool:
    """The check of ISO/IEC 7812-1 (Luhn)."""
    total = 0
    for at, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if at % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
