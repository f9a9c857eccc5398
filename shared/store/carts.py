"""Carts: what customers and visitors are about to buy, one for each location."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.store import kinds  # noqa: F401 - says how each kind is stored
from shared.store.items import AccountItem, Ref

if TYPE_CHECKING:
    from shared.domain.cart import Cart


def cart(pk: str, location_id: str) -> Ref[Cart]:
    """`pk` is a customer's or a visitor's."""
    from shared.domain.cart import Cart

    return Ref(AccountItem, pk, f"cart#{location_id}", Cart)
