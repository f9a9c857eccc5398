"""Who customers are and how they are found: the part of the accounts table that every visit needs.

It stands apart from `accounts`, so that a function which only asks who is here knows nothing of
what customers own.
"""

import hashlib
from datetime import timedelta

from shared.domain import cart as carts
from shared.domain import message as messages
from shared.domain.cart import Cart
from shared.domain.customer import Customer
from shared.domain.message import Message, MessageState
from shared.domain.record import Record
from shared.store.engine import AccountItem, Kind, Ref, register

OPENING_MESSAGE_KEPT = timedelta(days=30)
"""How long sign-in emails are kept: they belong to an address, not to a customer."""


class Address(Record):
    """Which customer an email address belongs to."""

    customer_id: str
    email: str


register(Customer, Kind("customer"))
register(Cart, Kind("cart", expires_at=carts.expires_at))
register(
    Message,
    Kind(
        "message",
        moment=messages.next_moment,
        state=lambda m: MessageState.PENDING.value if m.pending else m.state.value,
        expires_at=lambda m: m.created_at + OPENING_MESSAGE_KEPT if m.customer_id is None else None,
    ),
)
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


def head(customer_id: str) -> Ref[Customer]:
    return Ref(AccountItem, customer_pk(customer_id), "head", Customer)


def cart(pk: str, location_id: str) -> Ref[Cart]:
    """`pk` is a customer's or a visitor's."""
    return Ref(AccountItem, pk, f"cart#{location_id}", Cart)


def address(email: str) -> Ref[Address]:
    return Ref(AccountItem, f"email#{digest(normal_address(email))}", "address", Address)


def message(customer_id: str | None, email: str, key: str) -> Ref[Message]:
    """A customer's message, or one to an address that may be nobody's yet."""
    pk = customer_pk(customer_id) if customer_id else f"address#{digest(normal_address(email))}"
    return Ref(AccountItem, pk, f"message#{key}", Message)
