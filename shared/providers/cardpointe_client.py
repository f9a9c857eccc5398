"""CardPointe's gateway as it answers: one call, the ids that we give, what it has on record."""

import base64
import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any
from urllib.parse import quote

from babel.numbers import get_currency_precision

from shared.domain.money import Money
from shared.providers import cardpointe_codes
from shared.providers.cardpointe_codes import Said
from shared.providers.errors import ProviderUnavailable, RequestRefused
from shared.providers.limits import Pace, no_pace
from shared.providers.transport import Transport, TransportTimeout

REST = "/cardconnect/rest"
ORDER_ID_LETTERS = 19
"""The longest order id that every part of CardPointe takes."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"

REFUSED = frozenset({400, 401, 403, 404, 405, 413, 415, 429})
"""Statuses by which a request is refused before anything is done with it."""

TOO_MANY = 429
TRIES_PER_CALL = 4
"""How often a call is sent that the gateway refuses for coming too soon: nothing was done with it,
so it is the only answer after which the same request may be sent again."""

FIRST_WAIT_SECONDS = 0.25
"""Before the second try; doubled before each further one, and shortened at random by up to half."""

KEY_REFUSED = frozenset({401, 403})

NOT_FOUND = "29"
PROFILE_NOT_FOUND = "96"

_log = logging.getLogger(__name__)

Content = Mapping[str, Any]


def order_id(text: str) -> str:
    """What stands for `text` (an attempt, a refund) as an order id: always the same one. Letters
    alone: the gateway masks an order id that it could take for a card number, and never finds it
    again."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest())
    letters = []
    for _ in range(ORDER_ID_LETTERS):
        number, at = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[at])
    return "".join(letters)


@dataclass(frozen=True)
class Answer:
    """What came: `rows` are the objects in it, none when it can't be read as the gateway's own."""

    status: int
    rows: tuple[Content, ...]

    @property
    def refused(self) -> bool:
        """The request was not taken: nothing was done, and nothing is known but that."""
        return self.status in REFUSED and not any("respcode" in row for row in self.rows)

    @property
    def first(self) -> Content:
        """The only object of it. Raises `ProviderUnavailable` for an answer of another kind, and
        `RequestRefused` where the gateway would not take the request."""
        if self.refused and self.status != TOO_MANY:
            raise RequestRefused(f"CardPointe answered {self.status}")
        if not self.rows or self.status >= 500 or self.refused:
            raise ProviderUnavailable(f"CardPointe answered {self.status}, which can't be read")
        return self.rows[0]


class Client:
    """Calls on the gateway for one merchant. Nothing that it may have acted on is sent twice by
    itself. `pause` waits for so many seconds."""

    def __init__(
        self,
        transport: Transport,
        username: str,
        password: str,
        merchant_id: str,
        pace: Pace = no_pace,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._transport = transport
        self._headers = {
            "authorization": f"Basic {pair}",
            "accept": "application/json",
            "content-type": "application/json",
        }
        self._pace = pace
        self._pause = pause
        self.merchant_id = merchant_id

    def put(self, path: str, content: Content) -> Answer:
        """Raises `ProviderUnavailable` when no answer came: whether it was done is open."""
        body = json.dumps({"merchid": self.merchant_id, **content}, separators=(",", ":")).encode()
        return self._send("PUT", f"{REST}/{path}", body)

    def get(self, *steps: str) -> Answer:
        """As `put`; the merchant's id is added to the path."""
        return self._send("GET", self._path(steps), b"")

    def delete(self, *steps: str) -> Answer:
        return self._send("DELETE", self._path(steps), b"")

    def _path(self, steps: tuple[str, ...]) -> str:
        return "/".join([REST, *(quote(step, safe="") for step in (*steps, self.merchant_id))])

    def _send(self, method: str, path: str, body: bytes) -> Answer:
        """The first answer that is not 429, or the last that is."""
        chance = Random(body or path)  # noqa: S311 - spreads, hides nothing
        longest = FIRST_WAIT_SECONDS
        for tries_left in reversed(range(TRIES_PER_CALL)):
            self._pace(f"{method} /{path.removeprefix(REST).split('/')[1]}")
            try:
                status, content = self._transport(method, path, self._headers, body)
            except TransportTimeout as error:
                raise ProviderUnavailable("no answer from CardPointe") from error
            if status != TOO_MANY or not tries_left:
                break
            self._pause(longest * chance.uniform(0.5, 1))
            longest *= 2
        return Answer(status, _rows(content))

    def record(self, retref: str) -> "Record | None":
        """The payment with this reference, or None when there is none."""
        return next(iter(_records(self.get("inquire", retref))), None)

    def records_under(self, orderid: str) -> "list[Record]":
        """The payments of this merchant under an order id: one, unless something went wrong."""
        path = f"{self._path(('inquireByOrderid', orderid))}/1"
        return _records(self._send("GET", path, b""))


@dataclass(frozen=True)
class Record:
    """A payment, as the gateway answers it or has it on record."""

    row: Content

    @classmethod
    def of(cls, row: Content) -> "Record":
        return cls(row)

    def text(self, name: str) -> str:
        value = self.row.get(name)
        return value.strip() if isinstance(value, str) else ""

    @property
    def retref(self) -> str | None:
        return self.text("retref") or None

    @property
    def code(self) -> tuple[str, str]:
        return self.text("respproc"), self.text("respcode")

    @property
    def said(self) -> Said:
        """What the response code means. One that no document names is written to the log."""
        (proc, code), stat = self.code, self.text("respstat")
        if not cardpointe_codes.is_documented(proc, code):
            _log.warning("a response code that is not known: %r %r %r", proc, code, stat)
        said = cardpointe_codes.meaning(proc, code, stat)
        advised = (self.text("token"), self.text("declineCategory"), self.text("merchAdviceCode"))
        if said is Said.SOFT and cardpointe_codes.never_again(*advised):
            return Said.FINAL
        return said

    @property
    def word(self) -> str:
        return cardpointe_codes.word(*self.code)

    @property
    def is_missing(self) -> bool:
        """The gateway's own word that there is no such payment."""
        return self.code == ("PPS", NOT_FOUND)

    @property
    def voided(self) -> bool:
        return self.text("setlstat").lower() == "voided"

    @property
    def recorded_as_declined(self) -> bool:
        return self.text("setlstat").lower() == "declined"

    @property
    def rejected(self) -> bool:
        """The settlement was sent, and the processor would not fund it."""
        return self.text("setlstat").lower() == "rejected"

    @property
    def voidable(self) -> bool:
        return self.text("voidable").upper() == "Y"

    @property
    def refundable(self) -> bool:
        return self.text("refundable").upper() == "Y"

    @property
    def userfields(self) -> dict[str, str]:
        """What we sent with it, which comes back as an array of objects or as one."""
        fields = self.row.get("userfields")
        if isinstance(fields, dict):
            return {str(name): str(value) for name, value in fields.items()}
        found: dict[str, str] = {}
        for one in fields if isinstance(fields, list) else []:
            if isinstance(one, dict):
                found |= {str(name): str(value) for name, value in one.items()}
        return found

    def amount(self, currency: str) -> Money | None:
        """What was approved: with a decimal point in major units, without in minor ones."""
        text = self.text("amount")
        try:
            exact = abs(Decimal(text)) * (
                10 ** get_currency_precision(currency) if "." in text else 1
            )
        except InvalidOperation:
            return None
        if not exact.is_finite() or exact != exact.to_integral_value():
            return None
        return Money(minor=int(exact), currency=currency)


def _records(answer: Answer) -> list[Record]:
    """The payments in an answer. Raises as `Answer.first` does, and `ProviderUnavailable` for an
    answer that says neither what became of a payment nor that there is none."""
    if answer.refused or answer.status >= 500 or not answer.rows:
        return [Record(answer.first)]
    records = [Record(row) for row in answer.rows]
    if any(not one.text("respstat") for one in records):
        raise ProviderUnavailable("a payment of CardPointe's that can't be read")
    found = [one for one in records if not one.is_missing]
    if any(one.retref is None for one in found):
        raise ProviderUnavailable(f"CardPointe answered {found[0].word} when it was asked")
    return found


def _rows(content: bytes) -> tuple[Content, ...]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return ()
    listed = found if isinstance(found, list) else [found]
    return tuple(listed) if all(isinstance(one, dict) for one in listed) else ()
