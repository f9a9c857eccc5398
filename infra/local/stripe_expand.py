"""`expand[]`: ids in an answer of the Stripe stand-in that become whole objects
(docs.stripe.com/expand)."""

import copy
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from infra.local.stripe_books import Books, Kind, Object
from infra.local.stripe_errors import invalid

MAX_DEPTH = 4

EXPANDABLE: Mapping[str, Mapping[str, Kind]] = MappingProxyType(
    {
        "payment_intent": {
            "customer": Kind.CUSTOMER,
            "latest_charge": Kind.CHARGE,
            "payment_method": Kind.PAYMENT_METHOD,
        },
        "setup_intent": {"customer": Kind.CUSTOMER, "payment_method": Kind.PAYMENT_METHOD},
        "checkout.session": {
            "customer": Kind.CUSTOMER,
            "setup_intent": Kind.SETUP_INTENT,
            "payment_intent": Kind.PAYMENT_INTENT,
        },
        "payment_method": {"customer": Kind.CUSTOMER},
        "charge": {"customer": Kind.CUSTOMER, "payment_intent": Kind.PAYMENT_INTENT},
        "refund": {"charge": Kind.CHARGE, "payment_intent": Kind.PAYMENT_INTENT},
        "dispute": {"charge": Kind.CHARGE, "payment_intent": Kind.PAYMENT_INTENT},
    }
)

LIST_OF = "list of "

RefundsOf = Callable[[Object], list[Object]]


def check(answers: str, paths: list[str]) -> None:
    """Raises `StripeRefusal` (400) for a path that can't be expanded in what a call answers: the
    name of a kind, or `LIST_OF` and that name. The call has not begun then."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > MAX_DEPTH:
            message = f"You cannot expand more than {MAX_DEPTH} levels of a property: {path}"
            raise invalid(message, param="expand")
        at = answers
        for step in steps:
            at = _below(at, step, path)


def _below(kind: str, step: str, path: str) -> str:
    """What is at `step` of a `kind`."""
    if kind.startswith(LIST_OF) and step == "data":
        return kind.removeprefix(LIST_OF)
    if kind == "charge" and step == "refunds":
        return LIST_OF + "refund"
    target = EXPANDABLE.get(kind, {}).get(step)
    if target is None:
        raise _not_expandable(path)
    return target.value


def _not_expandable(path: str) -> Exception:
    return invalid(f"This property cannot be expanded ({path}).", param="expand")


class Expansion:
    """Puts objects of `books` where their ids are. The refunds of a Charge are there only when
    they are asked for."""

    def __init__(self, books: Books, refunds_of: RefundsOf) -> None:
        self._books = books
        self._refunds_of = refunds_of

    def answer(self, found: Object, paths: list[str]) -> Object:
        """A copy of `found` with `paths`, which were checked, expanded."""
        answered = copy.deepcopy(found)
        for path in paths:
            self._expand(answered, path.split("."))
        return answered

    def _expand(self, found: Any, steps: list[str]) -> None:
        if isinstance(found, list):
            for one in found:
                self._expand(one, steps)
        elif steps and found is not None:
            self._put(found, steps[0])
            self._expand(found.get(steps[0]), steps[1:])

    def _put(self, found: Object, step: str) -> None:
        if found.get("object") == "charge" and step == "refunds":
            found.setdefault("refunds", as_list(self._refunds_of(found)[::-1], "/v1/refunds"))
        elif isinstance(found.get(step), str):
            target = EXPANDABLE[found["object"]][step]
            found[step] = copy.deepcopy(self._books.get(target, found[step]))


def as_list(found: list[Object], url: str, *, has_more: bool = False) -> Object:
    return {"object": "list", "url": url, "has_more": has_more, "data": copy.deepcopy(found)}
