"""Who customers are and how they are found: the part of the accounts table that every visit needs.

It stands apart from `accounts`, so that a function which only asks who is here knows nothing of
what customers own.
"""

import hashlib
from typing import TYPE_CHECKING

from shared.domain.record import Record
from shared.store import kinds  # noqa: F401 - says how each kind is stored
from shared.store.items import AccountItem, Kind, Ref, register

if TYPE_CHECKING:
    from shared.domain.customer import Customer


class Address(Record):
    """Which customer an email address belongs to."""

    customer_id: str
    email: str


register(Address, Kind("address"))


def digest(text: str) -> str:
    """The hash under which secrets, addresses and keys are stored."""
    return hashlib.sha256(text.encode()).hexdigest()


def normal_address(email: str) -> str:
    """An address as it is compared: case does not tell customers apart."""
    return email.strip().casefold()


def customer_pk(customer_id: str) -> str:
    return f"customer#{customer_id}"


def visitor_pk(visitor: str) -> str:
    """An unknown visitor's carts, under the hash of the secret in the visitor's cookie."""
    return f"visitor#{digest(visitor)}"


def head(customer_id: str) -> "Ref[Customer]":
    from shared.domain.customer import Customer

    return Ref(AccountItem, customer_pk(customer_id), "head", Customer)


def address(email: str) -> Ref[Address]:
    return Ref(AccountItem, f"email#{digest(normal_address(email))}", "address", Address)
