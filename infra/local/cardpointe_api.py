"""The JSON API of the stand-in for CardPointe's gateway: which call is meant, what it does.

It takes the documented parameters that a shop like ours has a use for, and refuses all others,
documented or not: the gateway passes over what it does not know, which would hide a mistake.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.numbers import get_currency_precision

from infra.local.cardpointe_books import (
    NOT_FOUND,
    PROFILE_NOT_FOUND,
    Account,
    Books,
    Kind,
    Txn,
    merged,
)
from infra.local.cardpointe_cards import (
    APPROVAL,
    CATEGORIES,
    PROCESSOR_CODES,
    TIMED_OUT,
    Said,
    by_gateway,
    passes_luhn,
)
from infra.local.cardpointe_requests import (
    Auth,
    BadRequest,
    NewProfile,
    Refund,
    Tokenize,
    Void,
    VoidByOrderId,
    read,
)
from infra.local.sandbox_faults import Operation

MAX_ORDER_ID = 19
MAX_USERFIELDS_BYTES = 4000
AMOUNT_DRIVEN = range(1001, 2000)
"""Whole amounts whose last three digits ask the emulator for that response code."""

Subject = tuple[str | None, str | None]
"""The profile and the account (`profile/account`) that a call is about, where known."""

Content = dict[str, Any] | list[dict[str, Any]]


class NoSuchPath(Exception):
    """HTTP 404."""


@dataclass(frozen=True)
class Call:
    """A request that was understood. `carry_out` takes the decline that is forced on it."""

    operation: Operation
    subject: Callable[[], Subject]
    carry_out: Callable[[str | None], Content]


class Api:
    """Reads requests into calls on `books`, for the one merchant `merchid`."""

    def __init__(self, books: Books, merchid: str, site: str, *, amount_driven: bool) -> None:
        self._books = books
        self._merchid = merchid
        self._site = site
        self._amount_driven = amount_driven
        self.enabled = True

    def route(self, method: str, path: str, content: dict[str, Any]) -> Call:
        """The call that is meant. Raises `NoSuchPath` and `BadRequest`."""
        steps = ["WRITE" if method in ("PUT", "POST") else method, *path.strip("/").split("/")]
        found = self._find_writing(steps, content) or self._find_reading(steps)
        if found is None:
            raise NoSuchPath(path)
        return found

    def _find_writing(self, steps: list[str], content: dict[str, Any]) -> Call | None:
        match steps:
            case ["WRITE", "auth"]:
                auth = read(Auth, content)
                return Call(
                    Operation.CHARGE,
                    lambda: _subject(auth.profile),
                    lambda forced: self._auth(auth, forced),
                )
            case ["WRITE", "void"]:
                void = read(Void, content)
                return Call(
                    Operation.CANCEL_CHARGE,
                    lambda: self._subject_of(void.retref),
                    lambda _: self._void(void),
                )
            case ["WRITE", "voidByOrderId"]:
                by_order = read(VoidByOrderId, content)
                return Call(
                    Operation.CANCEL_CHARGE, _nobody, lambda _: self._void_by_order_id(by_order)
                )
            case ["WRITE", "refund"]:
                refund = read(Refund, content)
                return Call(
                    Operation.REFUND,
                    lambda: self._subject_of(refund.retref),
                    lambda _: self._refund(refund),
                )
            case ["WRITE", "profile"]:
                profile = read(NewProfile, content)
                return Call(
                    Operation.START_CARD_SETUP,
                    lambda: _subject(profile.profile),
                    lambda _: self._save_profile(profile),
                )
            case _:
                return None

    def _find_reading(self, steps: list[str]) -> Call | None:
        match steps:
            case ["GET", "inquire", retref, merchid]:
                return Call(
                    Operation.LOOK_UP,
                    lambda: self._subject_of(retref),
                    lambda _: self._inquire(retref, merchid),
                )
            case ["GET", "inquireByOrderid", orderid, merchid, *rest] if rest in ([], ["1"]):
                return Call(
                    Operation.LOOK_UP, _nobody, lambda _: self._inquire_by_order(orderid, merchid)
                )
            case ["GET", "inquireMerchant", merchid]:
                return Call(Operation.LOOK_UP, _nobody, lambda _: self._merchant(merchid))
            case ["GET", "profile", profileid, acctid, merchid]:
                return Call(
                    Operation.FETCH_CARD_SETUP,
                    lambda: (profileid, f"{profileid}/{acctid}"),
                    lambda _: self._profiles(profileid, acctid, merchid),
                )
            case ["DELETE", "profile", profileid, acctid, merchid]:
                return Call(
                    Operation.REMOVE_CARD,
                    lambda: (profileid, f"{profileid}/{acctid}"),
                    lambda _: self._delete_profile(profileid, acctid, merchid),
                )
            case _:
                return None

    def _subject_of(self, retref: str) -> Subject:
        txn = self._books.txn(retref)
        if txn is None or not txn.profileid:
            return None, None
        return txn.profileid, f"{txn.profileid}/{txn.acctid}"

    # Authorizations

    def _auth(self, asked: Auth, forced: str | None) -> dict[str, Any]:
        """Ask the processor. The same request twice is two payments."""
        amount = self._minor(asked.amount)
        refused = self._refuse_auth(asked, amount)
        if refused is not None:
            return _said(refused, merchid=asked.merchid, retref="")
        account = self._account(asked.profile)
        if asked.profile not in (None, "Y", "y", "N", "n") and account is None:
            return _said(PROFILE_NOT_FOUND, merchid=asked.merchid, retref="")
        card = self._books.card(account.token if account else asked.account or "")
        if card is None:
            return _said(by_gateway("98", "Invalid token"), merchid=asked.merchid, retref="")
        assert amount is not None
        said = self._answer_for(amount, account, card.said_when_checked, forced)
        approved = 0 if not said.approved else min(amount, said.limit_minor or amount)
        txn = self._books.record(
            Txn(
                retref=self._books.new_retref(),
                kind=Kind.SALE if amount else Kind.CHECK,
                orderid=asked.orderid,
                amount=approved,
                currency=self._books.currency,
                said=said,
                token=card.token,
                created_at=self._books.now(),
                captured=asked.capture in "Yy",
                profileid=account.profileid if account else "",
                acctid=account.acctid if account else "",
                expiry=account.expiry if account else asked.expiry or "",
                userfields=[{k: v} for k, v in merged(asked.userfields).items()],
            )
        )
        answer = self._txn_json(txn, with_orderid=asked.receipt in "Yy")
        if asked.profile in ("Y", "y") and said.approved:
            details = {"name": asked.name or "", "email": asked.email or ""}
            saved = self._books.save_account(card, asked.expiry or "", details, None)
            answer |= {"profileid": saved.profileid, "acctid": saved.acctid}
        for read_later in ("voidable", "refundable", "authdate", "lastfour", "currency"):
            answer.pop(read_later, None)
        return answer

    def _refuse_auth(self, asked: Auth, amount: int | None) -> Said | None:
        """What the gateway itself refuses, before a processor is asked."""
        if asked.merchid != self._merchid:
            return by_gateway("21", "Invalid merchant")
        if not self.enabled:
            return by_gateway("97", "Merchant disabled")
        if len(asked.orderid) > MAX_ORDER_ID:
            return by_gateway("34", "Invalid field")
        if asked.currency not in (None, self._books.currency):
            return by_gateway("32", "Wrong currency for merch")
        if amount is None or amount < 0:
            return by_gateway("43", "Invalid amount")
        stored = asked.profile is not None and "/" in asked.profile
        if stored == (asked.account is not None) or (not stored and not asked.expiry):
            return by_gateway("34", "Invalid field")
        size = sum(len(k) + len(v) for k, v in merged(asked.userfields).items())
        if size > MAX_USERFIELDS_BYTES:
            return by_gateway("34", "Invalid field")
        return None

    def _answer_for(
        self, amount: int, account: Account | None, when_checked: Said, forced: str | None
    ) -> Said:
        if forced is not None:
            return PROCESSOR_CODES[forced]
        whole = amount // 10 ** get_currency_precision(self._books.currency)
        driven = PROCESSOR_CODES.get(f"{whole % 1000:03d}") if whole in AMOUNT_DRIVEN else None
        if self._amount_driven and driven is not None:
            return driven
        return account.said if account is not None and amount else when_checked

    # Undoing

    def _void(self, asked: Void) -> dict[str, Any]:
        txn = self._books.txn(asked.retref)
        if asked.merchid != self._merchid or txn is None:
            return _said(NOT_FOUND, merchid=asked.merchid, retref=asked.retref)
        return self._void_txn(txn, asked.amount)

    def _void_by_order_id(self, asked: VoidByOrderId) -> dict[str, Any]:
        """Declined ones are passed over."""
        under = [txn for txn in self._books.under(asked.orderid) if txn.said.approved]
        if asked.merchid != self._merchid or not under:
            return _said(NOT_FOUND, merchid=asked.merchid, retref="")
        return self._void_txn(under[0], asked.amount)

    def _void_txn(self, txn: Txn, amount: str | None) -> dict[str, Any]:
        wanted = None if amount is None else self._minor(amount)
        if wanted not in (None, 0, txn.amount):
            return _said(by_gateway("43", "Invalid amount"), merchid=self._merchid)
        said = self._books.void(txn)
        answer = _said(said, merchid=self._merchid, retref=txn.retref, currency=txn.currency)
        if said is APPROVAL:
            answer |= {"authcode": "REVERS", "amount": self._text(0)}
        return answer

    def _refund(self, asked: Refund) -> dict[str, Any]:
        txn = self._books.txn(asked.retref)
        if asked.merchid != self._merchid or txn is None:
            return _said(NOT_FOUND, merchid=asked.merchid, retref=asked.retref)
        if len(asked.orderid) > MAX_ORDER_ID:
            return _said(by_gateway("34", "Invalid field"), merchid=asked.merchid)
        amount = None if asked.amount is None else self._minor(asked.amount)
        said, made = self._books.refund(txn, amount, asked.orderid)
        answer = _said(said, merchid=asked.merchid, retref=asked.retref)
        if made is not None:
            answer |= {
                "retref": made.retref,
                "amount": self._text(made.amount),
                "authcode": "REFUND",
            }
        return answer

    # Asking

    def _inquire(self, retref: str, merchid: str) -> dict[str, Any]:
        txn = self._books.txn(retref)
        if merchid != self._merchid or txn is None:
            return _said(NOT_FOUND, merchid=merchid, retref=retref)
        return self._txn_json(txn, with_orderid=True)

    def _inquire_by_order(self, orderid: str, merchid: str) -> Content:
        """One transaction as it is, several as a list."""
        found = self._books.under(orderid) if merchid == self._merchid else []
        if not found:
            return _said(NOT_FOUND, merchid=merchid, retref="")
        listed = [self._txn_json(txn, with_orderid=True) for txn in found]
        return listed[0] if len(listed) == 1 else listed

    def _merchant(self, merchid: str) -> dict[str, Any]:
        if merchid != self._merchid:
            raise BadRequest("Data not found")
        return {
            "merchid": merchid,
            "site": self._site,
            "enabled": self.enabled,
            "cardproc": APPROVAL.proc,
            "acctupdater": "N",
            "avs": "N",
            "cvv": "Y",
            "echeck": "N",
            "fee_type": "N",
        }

    # Profiles

    def _save_profile(self, asked: NewProfile) -> dict[str, Any]:
        if asked.merchid != self._merchid:
            return _said(by_gateway("21", "Invalid merchant"))
        card = self._books.card(asked.account)
        if card is None:
            return _said(by_gateway("98", "Invalid token"))
        profileid, _, acctid = (asked.profile or "").partition("/")
        if profileid and not self._books.accounts(profileid):
            return _said(PROFILE_NOT_FOUND)
        details = {
            "name": asked.name or "",
            "email": asked.email or "",
            "company": asked.company or "",
            "cofpermission": asked.cofpermission or "N",
        }
        if acctid:
            account = self._books.account(profileid, acctid)
            if account is None:
                return _said(PROFILE_NOT_FOUND)
            account.token, account.expiry, account.said = card.token, asked.expiry, card.said
            account.details = details
        else:
            account = self._books.save_account(card, asked.expiry, details, profileid or None)
        return _said(by_gateway("09", "Profile Saved", "A")) | _account_json(account)

    def _profiles(self, profileid: str, acctid: str, merchid: str) -> Content:
        accounts = self._books.accounts(profileid) if merchid == self._merchid else []
        found = [one for one in accounts if acctid in ("", one.acctid)]
        if not found:
            return [_said(PROFILE_NOT_FOUND)]
        return [_account_json(one) for one in found]

    def _delete_profile(self, profileid: str, acctid: str, merchid: str) -> dict[str, Any]:
        mine = merchid == self._merchid
        if not mine or not self._books.delete_account(profileid, acctid or None):
            return _said(PROFILE_NOT_FOUND)
        deleted = by_gateway("08", "Profile Deleted", "A")
        return _said(deleted, profileid=profileid, acctid=acctid)

    def _account(self, profile: str | None) -> Account | None:
        """The account behind `profile/account`; the profile alone stands for its default one."""
        profileid, slash, acctid = (profile or "").partition("/")
        if slash:
            return self._books.account(profileid, acctid)
        return next((one for one in self._books.accounts(profileid) if one.default), None)

    # Amounts and texts

    def _minor(self, amount: str) -> int | None:
        """With a decimal point an amount is in major units, without in minor ones."""
        digits = get_currency_precision(self._books.currency)
        try:
            exact = Decimal(amount) * (10**digits if "." in amount else 1)
        except InvalidOperation:
            return None
        return int(exact) if exact == exact.to_integral_value() else None

    def _text(self, minor: int) -> str:
        digits = get_currency_precision(self._books.currency)
        return f"{Decimal(minor).scaleb(-digits):.{digits}f}"

    def _txn_json(self, txn: Txn, *, with_orderid: bool) -> dict[str, Any]:
        answer: dict[str, Any] = _said(
            txn.said,
            merchid=self._merchid,
            retref=txn.retref,
            amount=self._text(0 if txn.voided_at else txn.amount),
            currency=txn.currency,
            token=txn.token,
            account=txn.token,
            expiry=txn.expiry,
            setlstat=self._books.setlstat(txn),
            authdate=txn.created_at.strftime("%Y%m%d"),
            lastfour=txn.token[-4:],
            voidable="Y" if self._books.voidable(txn) else "N",
            refundable="Y" if self._books.refundable(txn) else "N",
        )
        if txn.profileid:
            answer |= {"profileid": txn.profileid, "acctid": txn.acctid}
        if txn.userfields:
            answer["userfields"] = txn.userfields
        if with_orderid and txn.orderid:
            answer["orderId"] = txn.orderid
        if txn.token[1:2] == "4" and txn.said.code in CATEGORIES:
            answer["declineCategory"] = CATEGORIES[txn.said.code]
        if txn.said == TIMED_OUT:
            answer["setlstat"] = "Declined"
        return answer

    # CardSecure

    def tokenize(self, content: dict[str, Any]) -> dict[str, Any]:
        """What the tokenizer's page gets for a card number."""
        asked = read(Tokenize, content)
        number = "".join(letter for letter in asked.account if letter not in " -")
        if not number.isdigit() or not number.isascii():
            return {"message": "Data is not decimal digits.", "errorcode": 8, "token": ""}
        if not 13 <= len(number) <= 19 or not passes_luhn(number):
            return {"message": "Card number fails Luhn check.", "errorcode": 55, "token": ""}
        card = self._books.tokenize(number)
        return {"message": "CardSecure token", "errorcode": 0, "token": card.token}


def _nobody() -> Subject:
    return None, None


def _subject(profile: str | None) -> Subject:
    profileid, slash, _ = (profile or "").partition("/")
    return (profileid or None, profile) if slash else (profileid or None, None)


def _said(said: Said, **more: Any) -> dict[str, Any]:
    return {
        "respproc": said.proc,
        "respcode": said.code,
        "respstat": said.stat,
        "resptext": said.text,
        **more,
    }


def _account_json(account: Account) -> dict[str, Any]:
    return {
        "profileid": account.profileid,
        "acctid": account.acctid,
        "accttype": account.accttype,
        "token": account.token,
        "expiry": account.expiry,
        "defaultacct": "Y" if account.default else "N",
        "auoptout": "N",
        "gsacard": "N",
        **{name: value for name, value in account.details.items() if value},
    }
