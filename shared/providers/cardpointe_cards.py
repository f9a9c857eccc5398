"""Cards at CardPointe: its card field in a page of ours, and the profiles in which cards are kept.

A customer is a profile, a card one of its accounts; `profile/account` is what we keep as a card's
token. The number is entered in CardPointe's frame alone.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from shared.domain.card import Card
from shared.providers.cardpointe_client import (
    PROFILE_NOT_FOUND,
    Answer,
    Client,
    Content,
    Record,
    order_id,
)
from shared.providers.cardpointe_codes import Said
from shared.providers.errors import ProviderUnavailable, RequestRefused
from shared.providers.port import CardSeen, CardSetup

PROVIDER = "cardpointe"
FRAME_PATH = "/itoke/ajax-tokenizer.html"
MAX_EMAIL = 50

FRAME_STYLE = (
    "*{box-sizing:border-box}"
    "body{margin:0;padding:16px;font-family:system-ui,sans-serif;font-size:16px;"
    "color:#1d2733;background:#ffffff}"
    "label{display:block;font-weight:600;margin:0 0 4px}"
    "input{display:block;width:100%;height:48px;margin:0 0 16px;padding:8px 12px;font-size:16px;"
    "border:1px solid #7b8794;border-radius:8px;background:#ffffff;color:#1d2733}"
    "input:focus{outline:3px solid #1a4fd6;outline-offset:-3px}"
    ".error{border:2px solid #a61b1b;color:#a61b1b}"
)

FRAME_OPTIONS: Mapping[str, str] = {
    "usecvv": "true",
    "enhancedresponse": "true",
    "invalidcreditcardevent": "true",
    "invalidcvvevent": "true",
    "sendcardtypingevent": "true",
    "tokenizewheninactive": "true",
    "inactivityto": "500",
    "cardnumbernumericonly": "true",
    "formatinput": "true",
    "cardlabel": "Card number",
    "cardtitle": "Card number",
    "cvvlabel": "Security code",
    "cvvtitle": "Security code",
    "css": FRAME_STYLE,
}

NO_CHECK = frozenset(
    {("PPS", "41"), ("PPS", "43"), ("RPCT", "110"), ("FNOR", "13"), ("PMT", "203")}
)
"""Answers that mean that this merchant's processor checks no card for an amount of 0."""

BRANDS: Mapping[str, str] = {"VISA": "visa", "MC": "mastercard", "AMEX": "amex", "DISC": "discover"}
BRAND_BY_DIGIT: Mapping[str, str] = {
    "2": "mastercard",
    "3": "amex",
    "4": "visa",
    "5": "mastercard",
    "6": "discover",
}
"""By the second digit of a token, which is the first of the card's number."""

_TOKEN = re.compile(r"(\d{1,20})/(\d{1,3})", re.ASCII)


def parts_of(card_token: str) -> tuple[str, str] | None:
    """The profile and the account of a card; None for what is no card of CardPointe's."""
    found = _TOKEN.fullmatch(card_token)
    return None if found is None else (found[1], found[2])


class Frame:
    """`CardFrame`: CardPointe's hosted card field."""

    def __init__(self, root: str, client: Client, currency: str) -> None:
        self.url = f"{root}{FRAME_PATH}?{urlencode(FRAME_OPTIONS)}"
        self._client = client
        self._currency = currency

    def save(
        self,
        *,
        reference: str,
        email: str,
        provider_customer: str | None,
        token: str,
        exp_month: int,
        exp_year: int,
        idempotency_key: str,
    ) -> CardSetup:
        """As the port promises. The card is first checked with the bank for an amount of 0, which
        also tells the bank that the customer lets us keep it. Saving the same card again answers
        the same account, with its new expiry."""
        setup_id = order_id(idempotency_key)
        expiry = f"{exp_month:02d}{exp_year % 100:02d}"
        failure = self._check(token, expiry, setup_id)
        if failure is not None:
            return CardSetup(setup_id=setup_id, reference=reference, failure=failure)
        known = self._account_of(provider_customer, token) if provider_customer else None
        content = {
            "account": token,
            "expiry": expiry,
            "company": reference,
            "cofpermission": "Y",
            **({"email": email} if email.isascii() and len(email) <= MAX_EMAIL else {}),
        }
        if provider_customer and known is not None:
            content["profile"] = f"{provider_customer}/{known}" if known else provider_customer
        row = self._client.put("profile", content).first
        if Record(row).text("respstat") != "A":
            raise RequestRefused(f"CardPointe would not keep a card: {Record(row).word}")
        if row.get("company") not in (None, "", reference):
            return CardSetup(setup_id=setup_id, reference=reference, failure="card_of_another")
        return CardSetup(
            setup_id=setup_id,
            reference=reference,
            complete=True,
            provider_customer=str(row.get("profileid")),
            card=_card(row),
        )

    def _check(self, token: str, expiry: str, orderid: str) -> str | None:
        """Why the bank does not take the card; None when it does, or when it can't be asked."""
        content = {
            "account": token,
            "expiry": expiry,
            "amount": "0",
            "currency": self._currency,
            "orderid": orderid,
            "capture": "N",
            "ecomind": "E",
            "cof": "C",
            "cofscheduled": "N",
        }
        record = Record(self._client.put("auth", content).first)
        match record.said:
            case Said.APPROVED | Said.PARTIAL | Said.NO_PAYMENT:
                return None
            case Said.SOFT | Said.FINAL:
                return record.word
            case Said.REFUSED if record.code in NO_CHECK:
                return None
            case Said.REFUSED:
                raise RequestRefused(f"CardPointe would not check a card: {record.word}")
            case Said.UNANSWERED:
                raise ProviderUnavailable(f"CardPointe could not check a card: {record.word}")

    def _account_of(self, profileid: str, token: str) -> str | None:
        """The account of the profile that holds this card, "" when it holds others, None when
        there is no such profile any more."""
        answer = self._client.get("profile", profileid, "")
        if _is_gone(answer):
            return None
        accounts = [row for row in answer.rows if row.get("token") == token]
        return str(accounts[0].get("acctid", "")) if accounts else ""


def fetch_card(client: Client, card_token: str) -> CardSeen | None:
    """The card as its profile has it now, where an account updater may have renewed it."""
    parts = parts_of(card_token)
    if parts is None:
        return None
    answer = client.get("profile", *parts)
    if _is_gone(answer):
        return None
    row = answer.first
    return CardSeen(reference=Record(row).text("company"), card=_card(row))


def remove_card(client: Client, card_token: str) -> None:
    """Delete the account. One that is already gone is a success."""
    parts = parts_of(card_token)
    if parts is None:
        return
    answer = client.delete("profile", *parts)
    if not _is_gone(answer) and Record(answer.first).text("respstat") != "A":
        raise RequestRefused(f"CardPointe would not delete a card: {Record(answer.first).word}")


def _is_gone(answer: Answer) -> bool:
    return Record(answer.first).code == ("PPS", PROFILE_NOT_FOUND)


def _card(row: Content) -> Card:
    """Raises `ProviderUnavailable` for what can't be read as a card."""
    record = Record(row)
    profileid, acctid, token = (record.text(name) for name in ("profileid", "acctid", "token"))
    expiry: Any = record.text("expiry")
    if parts_of(f"{profileid}/{acctid}") is None or not re.fullmatch(r"\d{4}", expiry, re.ASCII):
        raise ProviderUnavailable("a card of CardPointe's that can't be read")
    brand = BRANDS.get(record.text("accttype").upper()) or BRAND_BY_DIGIT.get(token[1:2], "card")
    return Card(
        id=f"{profileid}-{acctid}",
        provider=PROVIDER,
        token=f"{profileid}/{acctid}",
        brand=brand,
        last4=token[-4:],
        exp_month=int(expiry[:2]),
        exp_year=2000 + int(expiry[2:]),
    )
