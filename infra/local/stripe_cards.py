"""Stripe's documented test numbers, and what becomes of each (docs.stripe.com/testing).

A card that is declined can't be saved; …0341 is the one that is saved and then declined. A card of
this list that is "set up" was saved with the customer's consent for later payments, as the hosted
page does it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from infra.local.sandbox_cards import MAX_YEARS_AHEAD

SEPA_SETTLES_AFTER = timedelta(days=5)
ACH_SETTLES_AFTER = timedelta(days=4)
THREE_MINUTES = timedelta(minutes=3)


class Authentication(StrEnum):
    """When a card asks for authentication (docs.stripe.com/testing#regulatory-cards)."""

    NEVER = "never"
    UNLESS_SET_UP = "unless_set_up"
    """Off-session it is not asked for once the card was set up; on-session always."""

    ALWAYS = "always"
    """For every payment, also off-session with a card that was set up."""

    ONLY_ON_SESSION = "only_on_session"


@dataclass(frozen=True)
class KnownMethod:
    """A test number. `code` and `decline_code` are None where it works."""

    number: str
    type: str
    meaning: str
    brand: str = ""
    code: str | None = None
    decline_code: str | None = None
    saves: bool = True
    """Whether it can be saved although it is declined when it is charged."""

    authentication: Authentication = Authentication.NEVER
    settles_after: timedelta | None = None
    """A debit: how long it is `processing`."""

    dispute: str | None = None
    """The reason for which its payments are disputed at once."""

    inquiry: bool = False

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def spaced(self) -> str:
        return " ".join(re.findall(".{1,4}", self.number))


def _card(number: str, meaning: str, **more: object) -> KnownMethod:
    return KnownMethod(number, "card", meaning, brand=_brand(number), **more)  # type: ignore[arg-type]


def _declined(number: str, decline_code: str, code: str = "card_declined") -> KnownMethod:
    words = decline_code.replace("_", " ")
    return _card(number, f"Declined: {words}", code=code, decline_code=decline_code, saves=False)


def _brand(number: str) -> str:
    for start, brand in (("4", "visa"), ("5", "mastercard"), ("2", "mastercard"), ("3", "amex")):
        if number.startswith(start):
            return brand
    return "discover"


def _debit(
    number: str,
    type_: str,
    meaning: str,
    *,
    code: str | None = None,
    after: timedelta,
    dispute: str | None = None,
) -> KnownMethod:
    return KnownMethod(number, type_, meaning, code=code, settles_after=after, dispute=dispute)


WORKS = "4242424242424242"
FAILS_LATER = "4000000000000341"
GENERIC_DECLINE = "4000000000000002"
INSUFFICIENT_FUNDS = "4000000000009995"
LOST_CARD = "4000000000009987"
AUTHENTICATE_UNLESS_SET_UP = "4000002500003155"
ALWAYS_AUTHENTICATE = "4000002760003184"
ALREADY_SET_UP = "4000003800000446"
AUTHENTICATE_THEN_DECLINED = "4000008260003178"
DISPUTED = "4000000000000259"
INQUIRED = "4000000000001976"
REFUNDS_LATE = "4000000000007726"
REFUNDS_FAIL = "4000000000005126"
SEPA_WORKS = "AT611904300234573201"
SEPA_FAILS = "AT861904300235473202"
SEPA_DISPUTED = "AT591904300235473203"
ACH_WORKS = "000123456789"
ACH_NO_FUNDS = "000222222227"

FAILED_DEBIT = "payment_intent_payment_attempt_failed"

KNOWN_METHODS: Mapping[str, KnownMethod] = MappingProxyType(
    {
        method.number: method
        for method in (
            _card(WORKS, "Works"),
            _card("5555555555554444", "Works (Mastercard)"),
            _card(
                FAILS_LATER,
                "Is saved, then declined when charged",
                code="card_declined",
                decline_code="generic_decline",
            ),
            _card(
                AUTHENTICATE_UNLESS_SET_UP,
                "Authentication when you are there",
                authentication=Authentication.UNLESS_SET_UP,
            ),
            _card(
                ALWAYS_AUTHENTICATE,
                "Authentication for every payment",
                authentication=Authentication.ALWAYS,
            ),
            _card(
                ALREADY_SET_UP,
                "Authentication only when you are there",
                authentication=Authentication.ONLY_ON_SESSION,
            ),
            _card(
                AUTHENTICATE_THEN_DECLINED,
                "Authentication, then insufficient funds",
                code="card_declined",
                decline_code="insufficient_funds",
                authentication=Authentication.UNLESS_SET_UP,
            ),
            _declined(GENERIC_DECLINE, "generic_decline"),
            _declined(INSUFFICIENT_FUNDS, "insufficient_funds"),
            _declined(LOST_CARD, "lost_card"),
            _declined("4000000000009979", "stolen_card"),
            _declined("4000000000000069", "expired_card", "expired_card"),
            _declined("4000000000000127", "incorrect_cvc", "incorrect_cvc"),
            _declined("4000000000000119", "processing_error", "processing_error"),
            _declined("4242424242424241", "incorrect_number", "incorrect_number"),
            _declined("4000000000006975", "card_velocity_exceeded"),
            _declined("4100000000000019", "fraudulent"),
            _card(DISPUTED, "Is disputed as fraudulent", dispute="fraudulent"),
            _card("4000000000002685", "Is disputed", dispute="product_not_received"),
            _card(INQUIRED, "The bank inquires", dispute="fraudulent", inquiry=True),
            _card(REFUNDS_LATE, "Refunds take a while"),
            _card(REFUNDS_FAIL, "Refunds fail after a while"),
            _debit(SEPA_WORKS, "sepa_debit", "Works", after=SEPA_SETTLES_AFTER),
            _debit("AT321904300235473204", "sepa_debit", "Works soon", after=THREE_MINUTES),
            _debit(SEPA_FAILS, "sepa_debit", "Fails", code=FAILED_DEBIT, after=SEPA_SETTLES_AFTER),
            _debit(
                "AT051904300235473205",
                "sepa_debit",
                "Fails soon",
                code=FAILED_DEBIT,
                after=THREE_MINUTES,
            ),
            _debit(
                "AT981904300002222227",
                "sepa_debit",
                "Fails: insufficient funds",
                code="insufficient_funds",
                after=SEPA_SETTLES_AFTER,
            ),
            _debit(
                SEPA_DISPUTED,
                "sepa_debit",
                "Works, then is disputed",
                after=SEPA_SETTLES_AFTER,
                dispute="debit_not_authorized",
            ),
            _debit(ACH_WORKS, "us_bank_account", "Works", after=ACH_SETTLES_AFTER),
            _debit(
                "000111111113",
                "us_bank_account",
                "Fails: account closed",
                code="account_closed",
                after=ACH_SETTLES_AFTER,
            ),
            _debit(
                "000111111116",
                "us_bank_account",
                "Fails: no account",
                code="no_account",
                after=ACH_SETTLES_AFTER,
            ),
            _debit(
                ACH_NO_FUNDS,
                "us_bank_account",
                "Fails: insufficient funds",
                code="insufficient_funds",
                after=ACH_SETTLES_AFTER,
            ),
            _debit(
                "000333333335",
                "us_bank_account",
                "Fails: debit not authorized",
                code="debit_not_authorized",
                after=ACH_SETTLES_AFTER,
            ),
            _debit(
                "000555555559",
                "us_bank_account",
                "Works, then is disputed",
                after=ACH_SETTLES_AFTER,
                dispute="incorrect_account_details",
            ),
        )
    }
)

CURRENCY_OF_DEBIT = {"sepa_debit": "eur", "us_bank_account": "usd"}

MESSAGES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "incorrect_number": "Your card number is incorrect.",
}
"""For every other code, that of `generic_decline`."""

CODES_OF_THEIR_OWN = frozenset(
    {"expired_card", "incorrect_cvc", "processing_error", "incorrect_number"}
)
"""Decline codes that are error codes too; the code of the others is `card_declined`."""


@dataclass(frozen=True)
class Entered:
    """What the customer typed, understood."""

    method: KnownMethod
    exp_month: int | None = None
    exp_year: int | None = None


def find(number: str) -> KnownMethod:
    """The test number. Raises `ValueError` for one that is not documented."""
    plain = re.sub(r"[\s-]", "", number).upper()
    if plain not in KNOWN_METHODS:
        raise ValueError(f"{number} is not one of Stripe's test numbers")
    return KNOWN_METHODS[plain]


def read_expiry(text: str, year: int, month: int) -> tuple[int, int] | str:
    """Month and full year of `MM/YY` or `MM/YYYY`, or what is wrong, at that year and month."""
    parts = re.fullmatch(r"\s*([0-9]{1,2})\s*[/-]?\s*([0-9]{4}|[0-9]{2})\s*", text, re.ASCII)
    if parts is None:
        return "Enter the expiry date as month and year, like 08/29."
    given_month = int(parts[1])
    given_year = int(parts[2]) + (2000 if len(parts[2]) == 2 else 0)
    if not 1 <= given_month <= 12 or given_year > year + MAX_YEARS_AHEAD:
        return "This expiry date is not valid."
    if (given_year, given_month) < (year, month):
        return "This card has expired. Check the date, or use another card."
    return given_month, given_year


def asks_for_authentication(known: KnownMethod, *, off_session: bool, set_up: bool) -> bool:
    """docs.stripe.com/testing#regulatory-cards"""
    match known.authentication:
        case Authentication.NEVER:
            return False
        case Authentication.ALWAYS:
            return True
        case Authentication.UNLESS_SET_UP:
            return not (off_session and set_up)
        case Authentication.ONLY_ON_SESSION:
            return not off_session
