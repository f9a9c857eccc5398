"""The test cards of the stand-in for CardPointe, and what the processor answers for each.

The numbers of the first part are those that CardPointe's test environment documents (the Rapid
Connect emulator); any other number that passes the check digit is approved there too. The second
part are the well-known numbers of the sandbox, so that one story can be told with either.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PROCESSOR = "RPCT"
GATEWAY = "PPS"
TOKEN_DIGITS = 16

BRANDS = ((r"4\d{15}", "VISA"), (r"5[1-5]\d{14}", "MC"), (r"3[47]\d{13}", "AMEX"))
DISCOVER = r"6(?:011|22\d|4[4-9]\d|5\d\d)\d{12}"


@dataclass(frozen=True)
class Said:
    """What the gateway (`PPS`) or the processor behind it says of a request."""

    proc: str
    code: str
    stat: str
    text: str
    limit_minor: int | None = None
    """Of a partial approval: no more than this is approved."""

    @property
    def approved(self) -> bool:
        return self.stat == "A"


def by_gateway(code: str, text: str, stat: str = "C") -> Said:
    return Said(GATEWAY, code, stat, text)


APPROVAL = Said(PROCESSOR, "000", "A", "Approval")
TIMED_OUT = by_gateway("62", "Timed out", "B")
PARTIAL = Said(PROCESSOR, "002", "A", "Approve for Partial Amount", limit_minor=500)

PROCESSOR_CODES: Mapping[str, Said] = MappingProxyType(
    {
        said.code: said
        for said in (
            Said(PROCESSOR, "100", "C", "Do not honor"),
            Said(PROCESSOR, "101", "C", "Expired card"),
            Said(PROCESSOR, "102", "C", "Suspected fraud"),
            Said(PROCESSOR, "107", "C", "Call for authorization"),
            Said(PROCESSOR, "109", "C", "Invalid merchant"),
            Said(PROCESSOR, "116", "C", "Not sufficient funds"),
            Said(PROCESSOR, "208", "C", "Lost card"),
            Said(PROCESSOR, "209", "C", "Stolen card"),
            Said(PROCESSOR, "302", "C", "Account closed"),
            Said(PROCESSOR, "332", "C", "Account locked"),
            Said(PROCESSOR, "500", "C", "Decline"),
            Said(PROCESSOR, "505", "B", "Please retry"),
            Said(PROCESSOR, "508", "B", "Try again later"),
            Said(PROCESSOR, "531", "C", "Retry with 3DS"),
            Said(PROCESSOR, "704", "C", "Pick Up Card"),
            Said(PROCESSOR, "911", "C", "Card issuer timed out"),
            Said(PROCESSOR, "913", "C", "Duplicate transaction"),
        )
    }
)
"""What amounts from 1,000 to 1,999 ask the emulator to answer, and what a fault may force."""

CATEGORIES: Mapping[str, str] = MappingProxyType(
    {"102": "1", "208": "1", "209": "1", "704": "1", "109": "2", "116": "2", "101": "3"}
)
"""The decline category that comes with a code for Visa cards."""

KNOWN_NUMBERS: Mapping[str, Said] = MappingProxyType(
    {
        "4788250000121443": APPROVAL,
        "4387751111111020": PROCESSOR_CODES["107"],
        "4387751111111038": PROCESSOR_CODES["100"],
        "4387751111111046": PROCESSOR_CODES["101"],
        "4387751111111053": PROCESSOR_CODES["500"],
        "5454545454545454": APPROVAL,
        "5442981111111023": PROCESSOR_CODES["107"],
        "5442981111111031": PROCESSOR_CODES["100"],
        "371449635398431": APPROVAL,
        "6011000995500000": APPROVAL,
        "4387750101010101": PARTIAL,
        "4999006200620062": TIMED_OUT,
        "5111006200620062": TIMED_OUT,
        "4242424242424242": APPROVAL,
        "5555555555554444": APPROVAL,
        "4000000000000341": PROCESSOR_CODES["100"],
        "4000000000000002": PROCESSOR_CODES["100"],
        "4000000000009995": PROCESSOR_CODES["116"],
        "4000000000009987": PROCESSOR_CODES["208"],
        "4000002500003155": PROCESSOR_CODES["531"],
    }
)

SAVED_ANYWAY = frozenset({"4000000000000341"})
"""Approved when they are checked for being saved, whatever a charge comes to."""


def said_of(number: str) -> Said:
    """What is answered for a card number that passes the check digit."""
    return KNOWN_NUMBERS.get(number, APPROVAL)


def brand_of(number: str) -> str | None:
    """`accttype` as profiles show it; None for a number that no card brand has."""
    if re.fullmatch(DISCOVER, number):
        return "DISC"
    return next((brand for shape, brand in BRANDS if re.fullmatch(shape, number)), None)


def passes_luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[0::2]) + sum(doubled)) % 10 == 0


def token_for(number: str, salt: str) -> str:
    """The token of a card: 9, its first two digits, nine digits that say nothing, its last four.
    The same card has the same token."""
    digest = hashlib.sha256(f"{salt}/{number}".encode()).digest()
    middle = int.from_bytes(digest[:8]) % 10 ** (TOKEN_DIGITS - 7)
    return f"9{number[:2]}{middle:0{TOKEN_DIGITS - 7}d}{number[-4:]}"
