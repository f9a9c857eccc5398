"""What the stand-in for CardPointe remembers: tokens, profiles, transactions, the daily batch.

It knows nothing of HTTP. There are no idempotency keys: whatever is asked twice is done twice.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from infra.local.cardpointe_cards import (
    APPROVAL,
    KNOWN_NUMBERS,
    SAVED_ANYWAY,
    Said,
    brand_of,
    by_gateway,
    passes_luhn,
    said_of,
    token_for,
)

BATCH_AT = time(2, 0, tzinfo=UTC)
"""When the day's batch is sent off: late in the evening in New York."""

ACCEPTED_AFTER = timedelta(hours=2)
"""How long after that the processor has accepted it. In between nothing can be undone."""

SHORTEST_CARD_NUMBER = 13

NOT_FOUND = by_gateway("29", "Txn not found")
PROFILE_NOT_FOUND = by_gateway("96", "Profile not found")
REFUND_APPROVAL = by_gateway("00", "Approval", "A")


class Kind(StrEnum):
    SALE = "sale"
    CHECK = "check"
    """A card was checked for an amount of 0."""
    REFUND = "refund"


@dataclass
class Card:
    """A card behind a token. `said` is what a charge of it is answered."""

    number: str
    token: str
    said: Said

    @property
    def said_when_checked(self) -> Said:
        return APPROVAL if self.number in SAVED_ANYWAY else self.said


@dataclass
class Account:
    """One card of a profile."""

    profileid: str
    acctid: str
    token: str
    accttype: str
    expiry: str
    said: Said
    details: dict[str, str]
    default: bool
    deleted: bool = False


@dataclass
class Txn:
    """One transaction, declined ones included. Amounts are minor units."""

    retref: str
    kind: Kind
    orderid: str
    amount: int
    currency: str
    said: Said
    token: str
    created_at: datetime
    captured: bool = True
    profileid: str = ""
    acctid: str = ""
    expiry: str = ""
    userfields: list[dict[str, str]] = field(default_factory=list)
    parent: str = ""
    voided_at: datetime | None = None

    @property
    def stands(self) -> bool:
        """Whether it moves money when the batch is settled, or did."""
        return self.said.approved and self.voided_at is None and self.kind is not Kind.CHECK

    @property
    def batched_at(self) -> datetime:
        """When the batch that it waits for is sent off."""
        batch = datetime.combine(self.created_at.astimezone(UTC).date(), BATCH_AT)
        return batch if self.created_at < batch else batch + timedelta(days=1)


class Books:
    """Everything it remembers. Not safe for threads: its owner holds a lock."""

    def __init__(self, now: Callable[[], datetime], currency: str, rng: random.Random) -> None:
        self.now = now
        self._rng = rng
        self._salt = f"{rng.getrandbits(64):016x}"
        self.currency = currency
        self._cards: dict[str, Card] = {}
        self._profiles: dict[str, list[Account]] = {}
        self._txns: dict[str, Txn] = {}

    # Tokens

    def tokenize(self, number: str) -> Card:
        """The card behind its token; the same number has the same token."""
        token = token_for(number, self._salt)
        return self._cards.setdefault(token, Card(number, token, said_of(number)))

    def card(self, token: str) -> Card | None:
        return self._cards.get(token)

    # Profiles

    def account(self, profileid: str, acctid: str) -> Account | None:
        found = (one for one in self.accounts(profileid) if one.acctid == acctid)
        return next(found, None)

    def accounts(self, profileid: str) -> list[Account]:
        """Those that are not deleted, in the order in which they were added."""
        return [one for one in self._profiles.get(profileid, []) if not one.deleted]

    def save_account(
        self, card: Card, expiry: str, details: Mapping[str, str], profileid: str | None
    ) -> Account:
        """Add the card to a profile, or make a new one; a new one that would be the same as one
        that exists is not made, and that one is answered instead."""
        if profileid is None:
            same = self._same(card, expiry, details)
            if same is not None:
                return same
            profileid = f"{self._rng.randrange(10**19, 10**20)}"
        accounts = self._profiles.setdefault(profileid, [])
        saved = Account(
            profileid=profileid,
            acctid=str(len(accounts) + 1),
            token=card.token,
            accttype=brand_of(card.number) or "",
            expiry=expiry,
            said=card.said,
            details=dict(details),
            default=not self.accounts(profileid),
        )
        accounts.append(saved)
        return saved

    def _same(self, card: Card, expiry: str, details: Mapping[str, str]) -> Account | None:
        compared = ("name", "email")
        for accounts in self._profiles.values():
            for one in accounts:
                same = all(one.details.get(k, "") == details.get(k, "") for k in compared)
                if not one.deleted and one.token == card.token and one.expiry == expiry and same:
                    return one
        return None

    def delete_account(self, profileid: str, acctid: str | None) -> bool:
        """Whether there was something to delete; without `acctid` all of a profile is."""
        gone = [one for one in self.accounts(profileid) if acctid in (None, one.acctid)]
        for one in gone:
            one.deleted, one.default = True, False
        left = self.accounts(profileid)
        if left and not any(one.default for one in left):
            left[0].default = True
        return bool(gone)

    def let_behave_as(self, profileid: str, acctid: str, number: str) -> None:
        """From now on a charge of this account does what the test number does."""
        account = self.account(profileid, acctid)
        if account is None or number not in KNOWN_NUMBERS:
            raise ValueError("a saved card and one of the test numbers are needed")
        account.said = KNOWN_NUMBERS[number]

    # Transactions

    def record(self, txn: Txn) -> Txn:
        self._txns[txn.retref] = txn
        return txn

    def new_retref(self) -> str:
        """Twelve digits, as the gateway gives them."""
        while True:
            retref = f"{self._rng.randrange(10**11, 10**12)}"
            if retref not in self._txns:
                return retref

    def txn(self, retref: str) -> Txn | None:
        return self._txns.get(retref)

    def txns(self) -> list[Txn]:
        """Oldest first."""
        return list(self._txns.values())

    def under(self, orderid: str) -> list[Txn]:
        """What was done under an order id, oldest first. One that could be taken for a card
        number is masked when it is stored, and is never found again."""
        if looks_like_a_card_number(orderid):
            return []
        return [txn for txn in self._txns.values() if txn.orderid == orderid]

    def refunds_of(self, retref: str) -> list[Txn]:
        return [txn for txn in self._txns.values() if txn.parent == retref and txn.stands]

    def voidable(self, txn: Txn) -> bool:
        return txn.stands and self.now() < txn.batched_at

    def settled(self, txn: Txn) -> bool:
        return txn.stands and txn.captured and self.now() >= txn.batched_at + ACCEPTED_AFTER

    def refundable(self, txn: Txn) -> bool:
        return txn.kind is Kind.SALE and self.settled(txn)

    def setlstat(self, txn: Txn) -> str:
        if not txn.said.approved:
            return "Declined"
        if txn.kind is Kind.CHECK:
            return "Zero Amount"
        if txn.voided_at is not None:
            return "Voided"
        if not txn.captured:
            return "Authorized"
        return "Accepted" if self.settled(txn) else "Queued for Capture"

    def void(self, txn: Txn) -> Said:
        """Cancel what was not sent off yet, the whole of it."""
        if txn.voided_at is not None or not txn.said.approved:
            return by_gateway("25", "No matching auth for reversal")
        if self.settled(txn):
            return by_gateway("24", "Reversal not supported")
        if not self.voidable(txn):
            return by_gateway("27", "Txn Batched")
        txn.voided_at = self.now()
        return APPROVAL

    def refund(self, txn: Txn, amount: int | None, orderid: str) -> tuple[Said, Txn | None]:
        """Give back what was settled, or a part of it."""
        if txn.kind is not Kind.SALE or not txn.stands:
            return NOT_FOUND, None
        if not self.refundable(txn):
            return by_gateway("28", "Txn not settled"), None
        left = txn.amount - sum(one.amount for one in self.refunds_of(txn.retref))
        wanted = left if amount is None else amount
        if not 0 < wanted <= left:
            return by_gateway("43", "Invalid amount"), None
        made = Txn(
            retref=self.new_retref(),
            kind=Kind.REFUND,
            orderid=orderid,
            amount=wanted,
            currency=txn.currency,
            said=REFUND_APPROVAL,
            token=txn.token,
            created_at=self.now(),
            parent=txn.retref,
        )
        return REFUND_APPROVAL, self.record(made)


def looks_like_a_card_number(text: str) -> bool:
    digits = "".join(letter for letter in text if letter.isdigit())
    return len(digits) >= SHORTEST_CARD_NUMBER and passes_luhn(digits)


def merged(userfields: Any) -> dict[str, str]:
    """User fields as they were sent, an array of objects or one object."""
    if isinstance(userfields, dict):
        return userfields
    return {name: value for one in userfields or () for name, value in one.items()}
