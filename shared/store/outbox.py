"""The outbox: emails that are written down before they are sent ([OUTBOX])."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.store import kinds  # noqa: F401 - says how each kind is stored
from shared.store.items import AccountItem, Ref
from shared.store.people import customer_pk, digest, normal_address

if TYPE_CHECKING:
    from shared.domain.message import Message


def message(customer_id: str | None, email: str, key: str) -> Ref[Message]:
    """A customer's message, or one to an address that may be nobody's yet. It lies by what it tells
    of, so that those of some time lie together (decision 13)."""
    from shared.domain.message import Message

    pk = customer_pk(customer_id) if customer_id else f"address#{digest(normal_address(email))}"
    kind, _, told = key.partition(":")
    return Ref(AccountItem, pk, f"message#{told}:{kind}", Message)
