"""Carts: what customers and visitors are about to buy, one for each location."""

from shared.domain import cart as carts
from shared.domain.cart import Cart
from shared.store.engine import AccountItem, Kind, Ref, register

register(Cart, Kind("cart", expires_at=carts.expires_at))


def cart(pk: str, location_id: str) -> Ref[Cart]:
    """`pk` is a customer's or a visitor's."""
    return Ref(AccountItem, pk, f"cart#{location_id}", Cart)
