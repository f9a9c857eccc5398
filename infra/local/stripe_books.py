"""The Stripe stand-in's books: objects in the shape in which the API answers them.

It knows nothing of HTTP. Not safe for threads: its owner holds a lock.
"""

import copy
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from infra.local.stripe_cards import Entered, KnownMethod
from infra.local.stripe_errors import invalid, missing
from infra.local.stripe_params import Params

API_VERSION = "2026-10-28.endive"
"""The version that the stand-in speaks and pins its events to."""

Object = dict[str, Any]

Report = Callable[[str, Object, int], None]
"""`(event type, object, seconds from now)`."""

NAMES = {
    "customer": "customer",
    "payment_method": "PaymentMethod",
    "payment_intent": "payment_intent",
    "setup_intent": "setupintent",
    "checkout.session": "checkout.session",
    "charge": "charge",
    "refund": "refund",
    "dispute": "dispute",
    "event": "event",
}
"""How `No such …` calls each kind."""

INDEXED = ("customer", "payment_intent", "charge")


class Kind(StrEnum):
    """The kinds of objects, by the name that they bear in `object`."""

    CUSTOMER = "customer"
    PAYMENT_METHOD = "payment_method"
    PAYMENT_INTENT = "payment_intent"
    SETUP_INTENT = "setup_intent"
    SESSION = "checkout.session"
    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    EVENT = "event"


PREFIXES = {
    Kind.CUSTOMER: "cus",
    Kind.PAYMENT_METHOD: "pm",
    Kind.PAYMENT_INTENT: "pi",
    Kind.SETUP_INTENT: "seti",
    Kind.SESSION: "cs",
    Kind.CHARGE: "ch",
    Kind.REFUND: "re",
    Kind.DISPUTE: "du",
    Kind.EVENT: "evt",
}


class Books:
    """Everything that one mode, test or live, remembers. `elsewhere` is the other mode."""

    def __init__(
        self,
        now: Callable[[], datetime],
        send: Callable[[Object, int], None],
        rng: random.Random,
        *,
        livemode: bool,
    ) -> None:
        self.now = now
        self._send = send
        self._rng = rng
        self.livemode = livemode
        self.elsewhere: Books | None = None
        self._tables: dict[str, dict[str, Object]] = {kind.value: {} for kind in Kind}
        self._index: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        self.behaviours: dict[str, KnownMethod] = {}
        self.set_up: set[str] = set()
        """The payment methods whose owners agreed to later payments."""

        self.used_up: set[str] = set()
        """Those that were detached: they may not be used again."""

    # Any object

    def moment(self) -> int:
        return int(self.now().timestamp())

    def new_id(self, kind: Kind) -> str:
        mode = ("live_" if self.livemode else "test_") if kind is Kind.SESSION else ""
        return f"{PREFIXES[kind]}_{mode}{self._rng.getrandbits(96):024x}"

    def add(self, kind: Kind, **fields: Any) -> Object:
        made = {
            "id": self.new_id(kind),
            "object": kind.value,
            "created": self.moment(),
            "livemode": self.livemode,
            **fields,
        }
        self._tables[kind.value][made["id"]] = made
        for field in INDEXED:
            if isinstance(made.get(field), str):
                self._index[(kind.value, field, made[field])].append(made["id"])
        return made

    def give_customer(self, found: Object, customer: str) -> None:
        """An object that belonged to nobody belongs to `customer` from now on."""
        found["customer"] = customer
        self._index[(found["object"], "customer", customer)].append(found["id"])

    def knows(self, kind: str, id_: str) -> bool:
        return id_ in self._tables[kind]

    def get(self, kind: Kind, id_: str, param: str = "id") -> Object:
        """Raises `StripeRefusal` (`resource_missing`) for one that this mode does not have."""
        found = self._tables[kind.value].get(id_)
        if found is None:
            other = self.elsewhere is not None and self.elsewhere.knows(kind.value, id_)
            mode = ("test" if self.livemode else "live") if other else None
            raise missing(NAMES[kind.value], id_, param, mode)
        return found

    def all(self, kind: Kind, **where: str | None) -> list[Object]:
        """Oldest first; with `customer`, `payment_intent` or `charge`, those that belong to it."""
        table = self._tables[kind.value]
        wanted = {field: value for field, value in where.items() if value is not None}
        if not wanted:
            return list(table.values())
        (field, value), *others = wanted.items()
        found = [table[id_] for id_ in self._index[(kind.value, field, value)]]
        return [
            one
            for one in found
            if one.get(field) == value and all(one.get(f) == v for f, v in others)
        ]

    def report(self, type_: str, about: Object, delay_seconds: int = 0) -> None:
        """Make an event of what `about` is at this moment; it happens so much later."""
        happens = self.now() + timedelta(seconds=delay_seconds)
        event = self.add(
            Kind.EVENT,
            api_version=API_VERSION,
            type=type_,
            data={"object": copy.deepcopy(about)},
            pending_webhooks=1,
            request={"id": None, "idempotency_key": None},
        )
        event["created"] = int(happens.timestamp())
        self._send(event, delay_seconds)

    # Customers

    def add_customer(self, params: Params) -> Object:
        customer = self.add(
            Kind.CUSTOMER,
            address=None,
            balance=0,
            currency=None,
            default_source=None,
            delinquent=False,
            description=params.get("description"),
            email=params.get("email"),
            invoice_settings={"default_payment_method": None},
            metadata=merged({}, params.get("metadata")),
            name=params.get("name"),
            phone=params.get("phone"),
            preferred_locales=params.get("preferred_locales", []),
            shipping=None,
        )
        self.report("customer.created", customer)
        return customer

    def customer(self, id_: str, param: str = "id") -> Object:
        """One that was not deleted."""
        found = self.get(Kind.CUSTOMER, id_, param)
        if found.get("deleted"):
            raise missing("customer", id_, param)
        return found

    def update_customer(self, id_: str, params: Params) -> Object:
        customer = self.customer(id_)
        for name in ("description", "email", "name", "phone"):
            if name in params:
                customer[name] = params[name] or None
        customer["metadata"] = merged(customer["metadata"], params.get("metadata"))
        self.report("customer.updated", customer)
        return customer

    def delete_customer(self, id_: str) -> Object:
        """The cards go with it; what remains is a stub (docs.stripe.com/api/customers/delete)."""
        customer = self.customer(id_)
        for method in self.methods_of(id_):
            self.detach(method["id"])
        self.report("customer.deleted", customer)
        stub = {"id": id_, "object": "customer", "deleted": True}
        customer.clear()
        customer.update(stub)
        return stub

    # Payment methods

    def add_method(self, entered: Entered, customer: str | None, *, set_up: bool) -> Object:
        known = entered.method
        email = None if customer is None else self.customer(customer, "customer")["email"]
        method = self.add(
            Kind.PAYMENT_METHOD,
            allow_redisplay="unspecified",
            billing_details={"address": {}, "email": email, "name": None, "phone": None},
            customer=customer,
            metadata={},
            type=known.type,
            **{known.type: method_details(entered)},
        )
        self.behaviours[method["id"]] = known
        if set_up:
            self.set_up.add(method["id"])
        if customer is not None:
            self.report("payment_method.attached", method)
        return method

    def methods_of(self, customer: str) -> list[Object]:
        return self.all(Kind.PAYMENT_METHOD, customer=customer)

    def attach(self, id_: str, customer: str) -> Object:
        method = self.get(Kind.PAYMENT_METHOD, id_)
        self.customer(customer, "customer")
        if id_ in self.used_up:
            raise may_not_be_used_again()
        if method["customer"] not in (None, customer):
            message = "The payment method you provided has already been attached to a customer."
            raise invalid(message)
        if method["customer"] is None:
            self.give_customer(method, customer)
            self.report("payment_method.attached", method)
        return method

    def detach(self, id_: str) -> Object:
        """It may not be used again (docs.stripe.com/api/payment_methods/detach)."""
        method = self.get(Kind.PAYMENT_METHOD, id_)
        if method["customer"] is None:
            message = (
                "The payment method you provided is not attached to a customer "
                "so detachment is impossible."
            )
            raise invalid(message)
        method["customer"] = None
        self.used_up.add(id_)
        self.report("payment_method.detached", method)
        return method

    def renew(self, id_: str, last4: str, exp_month: int, exp_year: int) -> None:
        """The card network reports a new number or date of a card: same id, new details
        (docs.stripe.com/payments/save-and-reuse, "automatic card updates")."""
        method = self.get(Kind.PAYMENT_METHOD, id_)
        method["card"].update(last4=last4, exp_month=exp_month, exp_year=exp_year)
        self.report("payment_method.automatically_updated", method)

    def usable(self, id_: str, customer: str | None) -> KnownMethod:
        """How the payment method behaves. Raises `StripeRefusal` (400) when a payment of
        `customer` may not use it (docs.stripe.com/api/payment_intents/object, `customer`)."""
        method = self.get(Kind.PAYMENT_METHOD, id_, "payment_method")
        if id_ in self.used_up:
            raise may_not_be_used_again()
        if method["customer"] is not None and method["customer"] != customer:
            message = (
                "The PaymentMethod you provided is attached to a customer, so the same customer "
                "must be given with it."
            )
            raise invalid(message, param="payment_method")
        return self.behaviours[id_]


def may_not_be_used_again() -> Exception:
    return invalid(
        "The provided PaymentMethod was detached from a Customer and may not be used again. "
        "To use a PaymentMethod multiple times, you must attach it to a Customer first."
    )


def method_details(entered: Entered) -> Object:
    """What `card`, `sepa_debit` or `us_bank_account` of a payment method says."""
    known = entered.method
    fingerprint = f"{known.type}{known.number}".encode().hex()[-16:]
    match known.type:
        case "card":
            return {
                "brand": known.brand,
                "checks": {"cvc_check": "pass"},
                "country": "US",
                "display_brand": known.brand,
                "exp_month": entered.exp_month,
                "exp_year": entered.exp_year,
                "fingerprint": fingerprint,
                "funding": "credit",
                "last4": known.last4,
                "networks": {"available": [known.brand], "preferred": None},
                "three_d_secure_usage": {"supported": True},
                "wallet": None,
            }
        case "sepa_debit":
            return {
                "bank_code": known.number[4:9],
                "branch_code": "",
                "country": known.number[:2],
                "fingerprint": fingerprint,
                "generated_from": {"charge": None, "setup_attempt": None},
                "last4": known.last4,
            }
        case _:
            return {
                "account_holder_type": "individual",
                "account_type": "checking",
                "bank_name": "STRIPE TEST BANK",
                "fingerprint": fingerprint,
                "last4": known.last4,
                "networks": {"preferred": "ach", "supported": ["ach"]},
                "routing_number": "110000000",
                "status_details": {},
            }


def merged(old: dict[str, str], new: Any) -> dict[str, str]:
    """Metadata after a change: an empty value removes its key, an empty whole removes all
    (docs.stripe.com/metadata)."""
    if new is None:
        return old
    if new == "":
        return {}
    both = {**old, **new}
    return {key: value for key, value in both.items() if value != ""}


def newest_first(found: list[Object]) -> Iterator[Object]:
    return reversed(found)
