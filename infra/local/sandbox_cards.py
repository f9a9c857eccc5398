"""The cards that the sandbox knows, and what becomes of each ([SANDBOX]).

| number              | on the card page               | when charged                            |
|---------------------|--------------------------------|-----------------------------------------|
| 4242 4242 4242 4242 | saved                          | succeeds                                |
| 5555 5555 5555 4444 | saved                          | succeeds                                |
| 4000 0000 0000 0002 | declined, `generic_decline`    | declined, `generic_decline`             |
| 4000 0000 0000 9995 | declined, `insufficient_funds` | declined, `insufficient_funds`          |
| 4000 0000 0000 9987 | declined, `lost_card`          | declined, `lost_card`, which is final   |
| 4000 0000 0000 0341 | saved                          | declined, `generic_decline`             |
| 4000 0025 0000 3155 | saved                          | waits for the customer, at every charge |
| any other           | refused: not a test number     |                                         |

As with the provider whose numbers these are, a card that is declined can't be saved, so a saved
card that fails is …0341. The last column of the others counts for a card that was saved and has
since gone bad: the control API makes a saved card behave as any number of this table.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

MAX_YEARS_AHEAD = 50
MAX_FIELD_CHARACTERS = 40
CVC_DIGITS = 3


@dataclass(frozen=True)
class KnownCard:
    """A test number. The decline codes are None where it works."""

    number: str
    brand: str
    declined_when_saved: str | None
    declined_when_charged: str | None
    needs_authentication: bool
    meaning: str

    @property
    def spaced(self) -> str:
        return " ".join(re.findall("....", self.number))


def _card(
    number: str,
    meaning: str,
    *,
    brand: str = "visa",
    saved: str | None = None,
    charged: str | None = None,
    authentication: bool = False,
) -> KnownCard:
    return KnownCard(number, brand, saved, charged, authentication, meaning)


WORKS = "4242424242424242"
FAILS_LATER = "4000000000000341"
NEEDS_AUTHENTICATION = "4000002500003155"
GENERIC_DECLINE = "4000000000000002"
INSUFFICIENT_FUNDS = "4000000000009995"
LOST_CARD = "4000000000009987"

KNOWN_CARDS: Mapping[str, KnownCard] = MappingProxyType(
    {
        card.number: card
        for card in (
            _card(WORKS, "Works"),
            _card("5555555555554444", "Works (Mastercard)", brand="mastercard"),
            _card(FAILS_LATER, "Is saved, then declined when charged", charged="generic_decline"),
            _card(NEEDS_AUTHENTICATION, "Asks you to confirm each payment", authentication=True),
            _card(
                GENERIC_DECLINE,
                "Declined",
                saved="generic_decline",
                charged="generic_decline",
            ),
            _card(
                INSUFFICIENT_FUNDS,
                "Declined: insufficient funds",
                saved="insufficient_funds",
                charged="insufficient_funds",
            ),
            _card(LOST_CARD, "Declined: lost card", saved="lost_card", charged="lost_card"),
        )
    }
)

DECLINE_SENTENCES: Mapping[str, str] = MappingProxyType(
    {
        "generic_decline": "Your card was declined. Please use another card.",
        "insufficient_funds": "Your card was declined: it has insufficient funds.",
        "lost_card": "Your card was declined: it was reported lost. Please use another card.",
    }
)


@dataclass(frozen=True)
class ReadCard:
    """What the customer entered, understood."""

    known: KnownCard
    exp_month: int
    exp_year: int


def read_card(fields: Mapping[str, str], today: date) -> ReadCard | dict[str, str]:
    """The card in `number`, `expiry` (`MM/YY` or `MM/YYYY`) and `cvc`, or for each wrong field a
    sentence that says what to do. A card is good through the last day of its month."""
    errors: dict[str, str] = {}
    number = re.sub(r"[\s-]", "", fields.get("number", ""))
    known = KNOWN_CARDS.get(number)
    if known is None:
        errors["number"] = _what_is_wrong_with(number)
    expiry = _expiry(fields.get("expiry", ""), today)
    if isinstance(expiry, str):
        errors["expiry"] = expiry
    cvc = fields.get("cvc", "").strip()
    if not cvc:
        errors["cvc"] = "Enter the security code from the back of your card."
    elif not (len(cvc) == CVC_DIGITS and cvc.isascii() and cvc.isdigit()):
        errors["cvc"] = f"The security code is the {CVC_DIGITS} digits on the back of your card."
    if known is None or isinstance(expiry, str) or errors:
        return errors
    month, year = expiry
    return ReadCard(known, month, year)


def passes_luhn(number: str) -> bool:
    """Whether the last digit fits the others."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[0::2]) + sum(doubled)) % 10 == 0


def _what_is_wrong_with(number: str) -> str:
    if not number:
        return "Enter your card number."
    if not re.fullmatch(r"[0-9]{12,19}", number, re.ASCII) or not passes_luhn(number):
        return "This card number is not valid. Check the digits."
    listed = ", ".join(card.spaced for card in KNOWN_CARDS.values())
    return f"This is the sandbox, where only test numbers work: {listed}."


def _expiry(text: str, today: date) -> tuple[int, int] | str:
    """Month and full year, or what is wrong."""
    if not text.strip():
        return "Enter the expiry date."
    parts = re.fullmatch(r"\s*([0-9]{1,2})\s*[/-]?\s*([0-9]{4}|[0-9]{2})\s*", text, re.ASCII)
    if parts is None:
        return "Enter the expiry date as month and year, like 08/29."
    month = int(parts[1])
    year = int(parts[2]) + (2000 if len(parts[2]) == 2 else 0)
    if not 1 <= month <= 12:
        return "The month of the expiry date is a number from 01 to 12."
    if (year, month) < (today.year, today.month):
        return "This card has expired. Check the date, or use another card."
    if year > today.year + MAX_YEARS_AHEAD:
        return "The year of the expiry date is too far ahead."
    return month, year
