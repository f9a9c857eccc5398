"""The books of the front before localstripe: everything that localstripe keeps is read from it and
written to it over HTTP, each time anew.

Kept here is only what localstripe has no place for: Checkout Sessions and their SetupIntents,
disputes, the events of all these, and of its own objects the few fields that it lacks. Moments are
those of the local clock, at which the front first saw an object; localstripe goes by real time.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from infra.local.stripe_books import Books, Kind, Object
from infra.local.stripe_cards import Entered
from infra.local.stripe_checkout import not_kept
from infra.local.stripe_params import Params
from tests.localstripe import shapes
from tests.localstripe.service import LocalStripe, Refused

PLURALS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.CUSTOMER: "customers",
        Kind.PAYMENT_METHOD: "payment_methods",
        Kind.PAYMENT_INTENT: "payment_intents",
        Kind.CHARGE: "charges",
        Kind.REFUND: "refunds",
    }
)
"""What localstripe keeps, as its routes call it."""


class BooksAtLocalstripe(Books):
    """Those of test mode."""

    def __init__(
        self,
        localstripe: LocalStripe,
        now: Callable[[], datetime],
        send: Callable[[Object, int], None],
        rng: random.Random,
    ) -> None:
        super().__init__(now, send, rng, livemode=False)
        self.localstripe = localstripe
        self.noted: defaultdict[str, Object] = defaultdict(dict)
        """By id, what localstripe has no field for."""

    # Any object

    def knows(self, kind: str, id_: str) -> bool:
        return super().knows(kind, id_) or (Kind(kind) in PLURALS and id_ in self.noted)

    def get(self, kind: Kind, id_: str, param: str = "id") -> Object:
        if kind in PLURALS:
            try:
                found = self.localstripe.call("GET", f"{PLURALS[kind]}/{quote(id_, safe='')}")
            except Refused as refused:
                if refused.status != 404:
                    raise
            else:
                return self._shaped(kind, found)
        return super().get(kind, id_, param)

    def all(self, kind: Kind, **where: str | None) -> list[Object]:
        if kind not in PLURALS:
            return super().all(kind, **where)
        wanted = {name: value for name, value in where.items() if value is not None}
        asked: dict[str, str] = {}
        if kind in (Kind.CHARGE, Kind.PAYMENT_METHOD) and "customer" in wanted:
            asked["customer"] = wanted["customer"]
        if kind is Kind.PAYMENT_METHOD:
            asked["type"] = "card"
        found = [self._shaped(kind, one) for one in self.localstripe.all(PLURALS[kind], **asked)]
        return [
            one for one in found if all(one.get(name) == value for name, value in wanted.items())
        ]

    def add(self, kind: Kind, **fields: Any) -> Object:
        sent: tuple[str, ...]
        match kind:
            case Kind.PAYMENT_INTENT:
                sent = ("amount", "currency", "customer", "payment_method", "metadata")
            case Kind.REFUND:
                sent = ("amount", "payment_intent", "metadata")
            case Kind.CUSTOMER | Kind.PAYMENT_METHOD | Kind.CHARGE:
                raise AssertionError(f"a {kind} is made in another way")
            case _:
                return super().add(kind, **fields)
        content = {name: fields[name] for name in sent if fields[name] is not None}
        made = self.localstripe.call("POST", PLURALS[kind], content)
        self.noted[made["id"]] |= {
            name: value for name, value in fields.items() if name in shapes.LACKING[kind]
        }
        return self._shaped(kind, made)

    def _shaped(self, kind: Kind, found: Object) -> Object:
        """As Stripe has it."""
        noted = self._first_seen(found["id"])
        match kind:
            case Kind.CUSTOMER:
                return shapes.customer(found, noted)
            case Kind.PAYMENT_METHOD:
                return shapes.payment_method(found, noted)
            case Kind.PAYMENT_INTENT:
                if found["latest_charge"] is not None:
                    self._first_seen(found["latest_charge"]["id"])
                return shapes.payment_intent(found, noted)
            case Kind.CHARGE:
                method = self.get(Kind.PAYMENT_METHOD, found["payment_method"])
                disputed = bool(super().all(Kind.DISPUTE, charge=found["id"]))
                return shapes.charge(found, noted, method, disputed=disputed)
            case _:
                return shapes.refund(found, noted)

    def _first_seen(self, id_: str) -> Object:
        noted = self.noted[id_]
        noted.setdefault("created", self.moment())
        return noted

    def change(self, kind: Kind, id_: str, **fields: Any) -> None:
        """Write fields of an object. localstripe's updates take whatever an object has."""
        self.localstripe.call("POST", f"{PLURALS[kind]}/{id_}", fields)

    # Customers

    def add_customer(self, params: Params) -> Object:
        made = self.localstripe.call("POST", "customers", _kept_metadata(params))
        return self._shaped(Kind.CUSTOMER, made)

    def update_customer(self, id_: str, params: Params) -> Object:
        self.customer(id_)
        self.change(Kind.CUSTOMER, id_, **_kept_metadata(params))
        return self.customer(id_)

    def delete_customer(self, id_: str) -> Object:
        raise not_kept(id_)

    # Payment methods

    def add_method(self, entered: Entered, customer: str | None, *, set_up: bool) -> Object:
        """The card that the customer typed, which localstripe judges by its number from now on."""
        known = entered.method
        if known.type != "card" or customer is None:
            raise not_kept(known.type)
        card = {
            "number": known.number,
            "exp_month": entered.exp_month,
            "exp_year": entered.exp_year,
            "cvc": "123",
        }
        made = self.localstripe.call("POST", "payment_methods", {"type": "card", "card": card})
        self.behaviours[made["id"]] = known
        if set_up:
            self.set_up.add(made["id"])
        return self.attach(made["id"], customer)

    def attach(self, id_: str, customer: str) -> Object:
        new = self.get(Kind.PAYMENT_METHOD, id_)["customer"] is None
        super().attach(id_, customer)
        if new:
            path = f"payment_methods/{id_}/attach"
            self.localstripe.call("POST", path, {"customer": customer})
        return self.get(Kind.PAYMENT_METHOD, id_)

    def detach(self, id_: str) -> Object:
        super().detach(id_)
        self.localstripe.call("POST", f"payment_methods/{id_}/detach", {})
        return self.get(Kind.PAYMENT_METHOD, id_)


def _kept_metadata(params: Params) -> Params:
    """`params`, unless they remove a key of the metadata, which localstripe can't."""
    if "" in params.get("metadata", {}).values():
        raise not_kept("metadata")
    return params
