"""The sandbox's JSON API: which call is meant, whether its content is right, what it does."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from infra.local.sandbox_books import Books, ChargeState, Refused
from infra.local.sandbox_faults import Operation

MAX_AMOUNT_MINOR = 99_999_999
MAX_PAGE = 100
DEFAULT_PAGE = 10

Subject = tuple[str | None, str | None]
"""The customer and the card that a call is about, where known."""


def _web_address(value: str) -> str:
    """It ends up in a header, so what could end a header or a policy is kept out."""
    parts = urlsplit(value)
    host = re.fullmatch(r"[\w.:\[\]-]+", parts.netloc, re.ASCII)
    whole = host is not None and parts.scheme in ("http", "https")
    if not whole or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("a full http or https address is needed")
    return value


WebAddress = Annotated[str, Field(max_length=2000), AfterValidator(_web_address)]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Amount = Annotated[int, Field(ge=1, le=MAX_AMOUNT_MINOR, strict=True)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewCustomer(_Content):
    email: Text


class NewCardSetup(_Content):
    reference: Text
    email: Text
    customer: str | None = None
    return_url: WebAddress


class NewCharge(_Content):
    amount: Amount
    currency: Currency
    customer: Text
    card: Text
    description: Annotated[str, Field(max_length=500)] = ""
    return_url: WebAddress
    metadata: dict[str, Annotated[str, Field(max_length=500)]] = Field(
        default_factory=dict, max_length=50
    )


class NewRefund(_Content):
    charge: Text
    amount: Amount
    currency: Currency


class ChargePage(_Content):
    customer: Text
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE
    starting_after: str | None = None


M = TypeVar("M", bound=_Content)

Outcome = tuple[int, dict[str, Any]]
"""Status and content of an answer."""


Understood = tuple[Operation, Callable[[], Subject], Callable[[int | None, str | None], Outcome]]


@dataclass(frozen=True)
class Call:
    """A request that was understood. `carry_out` takes by how many seconds a charge is late and
    the decline that is forced on it, both None in good times."""

    operation: Operation
    takes_key: bool
    fingerprint: str
    subject: Callable[[], Subject]
    carry_out: Callable[[int | None, str | None], Outcome]


class Api:
    """Reads requests into calls on `books`."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def route(
        self, method: str, path: str, query: Mapping[str, str], content: dict[str, Any]
    ) -> Call:
        """The call that is meant. Raises `Refused` for one that does not exist (404) and for
        content that is not right (400)."""
        canonical = json.dumps([method, path, content], sort_keys=True)
        operation, subject, carry_out = self._find(method, path, query, content)
        return Call(
            operation=operation,
            takes_key=method == "POST",
            fingerprint=hashlib.sha256(canonical.encode()).hexdigest(),
            subject=subject,
            carry_out=carry_out,
        )

    def _find(
        self, method: str, path: str, query: Mapping[str, str], content: dict[str, Any]
    ) -> Understood:
        steps = [method, *path.removeprefix("/v1/").split("/")]
        found = self._find_card_call(steps, content) or self._find_money_call(steps, query, content)
        if found is None:
            raise Refused(404, "no_such_call", f"There is no call {method} {path}.")
        return found

    def _find_card_call(self, steps: list[str], content: dict[str, Any]) -> Understood | None:
        books = self._books
        match steps:
            case ["POST", "customers"]:
                new = _read(NewCustomer, content)
                return Operation.START_CARD_SETUP, _nobody, lambda *_: self._add_customer(new)
            case ["POST", "card_setups"]:
                setup = _read(NewCardSetup, content)
                return (
                    Operation.START_CARD_SETUP,
                    lambda: (setup.customer, None),
                    lambda *_: self._open_setup(setup),
                )
            case ["GET", "card_setups", setup_id]:
                return (
                    Operation.FETCH_CARD_SETUP,
                    _nobody,
                    lambda *_: (200, books.setup_json(books.setup(setup_id))),
                )
            case ["GET", "customers", customer, "cards"]:
                return (
                    Operation.FETCH_CARD_SETUP,
                    lambda: (customer, None),
                    lambda *_: self._cards_of(customer),
                )
            case ["GET", "cards", card]:
                return (
                    Operation.FETCH_CARD_SETUP,
                    lambda: (None, card),
                    lambda *_: self._show_card(card),
                )
            case ["GET", "account"]:
                return Operation.FETCH_CARD_SETUP, _nobody, lambda *_: (200, {"object": "account"})
            case ["DELETE", "customers", customer, "cards", card]:
                return (
                    Operation.REMOVE_CARD,
                    lambda: (customer, card),
                    lambda *_: self._remove_card(customer, card),
                )
            case _:
                return None

    def _find_money_call(
        self, steps: list[str], query: Mapping[str, str], content: dict[str, Any]
    ) -> Understood | None:
        books = self._books
        match steps:
            case ["POST", "charges"]:
                charge = _read(NewCharge, content)
                return (
                    Operation.CHARGE,
                    lambda: (charge.customer, charge.card),
                    lambda late, decline: self._create_charge(charge, late, decline),
                )
            case ["GET", "charges"]:
                wanted = _read(ChargePage, dict(query))
                return (
                    Operation.LOOK_UP,
                    lambda: (wanted.customer, None),
                    lambda *_: self._list_charges(wanted),
                )
            case ["GET", "charges", charge_id]:
                return (
                    Operation.LOOK_UP,
                    lambda: self._subject_of(charge_id),
                    lambda *_: (200, books.charge_json(books.charge(charge_id))),
                )
            case ["POST", "charges", charge_id, "cancel"]:
                return (
                    Operation.CANCEL_CHARGE,
                    lambda: self._subject_of(charge_id),
                    lambda *_: (200, books.charge_json(books.cancel_charge(charge_id))),
                )
            case ["POST", "refunds"]:
                refund = _read(NewRefund, content)
                return (
                    Operation.REFUND,
                    lambda: self._subject_of(refund.charge),
                    lambda *_: self._refund(refund),
                )
            case _:
                return None

    def _subject_of(self, charge_id: str) -> Subject:
        try:
            charge = self._books.charge(charge_id)
        except Refused:
            return None, None
        return charge.customer, charge.card

    def _add_customer(self, new: NewCustomer) -> Outcome:
        customer = self._books.add_customer(new.email)
        return 200, {"id": customer, "object": "customer", "email": new.email}

    def _open_setup(self, new: NewCardSetup) -> Outcome:
        setup = self._books.open_setup(new.customer, new.email, new.reference, new.return_url)
        return 200, self._books.setup_json(setup)

    def _cards_of(self, customer: str) -> Outcome:
        cards = self._books.cards_of(self._books.known_customer(customer))
        return 200, {"data": [self._books.card_json(card) for card in cards]}

    def _show_card(self, card: str) -> Outcome:
        found = self._books.card_of_anyone(card)
        if found.removed:
            raise Refused(404, "card_missing", "There is no such card.")
        return 200, {**self._books.card_json(found), "reference": found.reference}

    def _remove_card(self, customer: str, card: str) -> Outcome:
        self._books.remove_card(customer, card)
        return 200, {"id": card, "object": "card", "removed": True}

    def _create_charge(self, new: NewCharge, late: int | None, decline: str | None) -> Outcome:
        charge = self._books.create_charge(
            **new.model_dump(), late_seconds=late, forced_decline=decline
        )
        content = self._books.charge_json(charge)
        if charge.state is not ChargeState.FAILED:
            return 200, content
        error = {"code": "card_declined", "message": "The card was declined."}
        return 402, {"error": {**error, "decline_code": charge.decline_code}, "charge": content}

    def _list_charges(self, wanted: ChargePage) -> Outcome:
        """Newest first."""
        charges = self._books.charges(self._books.known_customer(wanted.customer))[::-1]
        if wanted.starting_after is not None:
            ids = [charge.id for charge in charges]
            if wanted.starting_after not in ids:
                raise Refused(400, "invalid_request", "starting_after: no such charge.")
            charges = charges[ids.index(wanted.starting_after) + 1 :]
        page = charges[: wanted.limit]
        return 200, {
            "data": [self._books.charge_json(charge) for charge in page],
            "has_more": len(charges) > len(page),
        }

    def _refund(self, new: NewRefund) -> Outcome:
        refund = self._books.refund(new.charge, new.amount, new.currency)
        return 200, self._books.refund_json(refund)


def _nobody() -> Subject:
    return None, None


def _read(model: type[M], content: dict[str, Any]) -> M:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(step) for step in wrong["loc"]) or "body"
        raise Refused(400, "invalid_request", f"{where}: {wrong['msg']}") from error
