"""What a charge touches, read together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from shared.domain.charge import (
    Attempt,
    Charge,
    Purpose,
)
from shared.domain.invoice import Invoice, Payment, PaymentKind
from shared.store import accounts
from shared.store.items import Ref, Row
from shared.store.reading import read

if TYPE_CHECKING:
    from shared.domain.business import Location
    from shared.domain.cart import Cart
    from shared.domain.customer import Customer
    from shared.domain.subscription import Subscription
    from shared.operations.context import Context


class Books(NamedTuple):
    """What a charge touches, as it was last read."""

    charge: Row[Charge]
    customer: Row[Customer]
    subscription: Row[Subscription] | None = None
    invoice: Row[Invoice] | None = None
    cart: Row[Cart] | None = None
    renewing: tuple[Row[Subscription], ...] = ()
    """The subscriptions whose next packs a checkout pays ([RECUR])."""


def open_books(customer_id: str, source: str) -> Books | None:
    """Read a charge and what it touches: two round trips. None when there is no such charge."""
    charge_ref = accounts.charge(customer_id, source)
    charge = read(charge_ref).get(charge_ref)
    if charge is None:
        return None
    return reopen(charge)


def reopen(charge: Row[Charge]) -> Books:
    """Read what a charge touches, and the charge itself again: one round trip."""
    value = charge.value
    customer_id = value.customer_id
    head = accounts.head(customer_id)
    subscription = accounts.subscription(customer_id, value.subscription_id or "")
    invoice = accounts.invoice(customer_id, value.invoice_id)
    cart = accounts.cart(accounts.customer_pk(customer_id), value.location_id)
    of_checkout = value.purpose is Purpose.CHECKOUT
    renewing = _renewing_refs(value)
    touched: list[Ref[Any]] = [cart, *renewing] if of_checkout else [subscription, invoice]
    found = read(charge.ref, head, *touched)
    now_charge, customer = found.get(charge.ref), found.get(head)
    assert now_charge is not None and customer is not None
    if not of_checkout:
        return Books(now_charge, customer, found.get(subscription), found.get(invoice))
    going_on = tuple(row for row in map(found.get, renewing) if row is not None)
    return Books(now_charge, customer, cart=found.get(cart), renewing=going_on)


def _renewing_refs(charge: Charge) -> list[Ref[Subscription]]:
    return [
        accounts.subscription(charge.customer_id, line.next_pack.subscription_id)
        for line in charge.order
        if line.next_pack is not None
    ]


def renewing(charge: Charge) -> tuple[Row[Subscription], ...]:
    """The subscriptions whose next packs a checkout pays: one round trip when there are any."""
    refs = _renewing_refs(charge)
    if not refs:
        return ()
    found = read(*refs)
    return tuple(row for row in map(found.get, refs) if row is not None)


def location_of(context: Context, location_id: str) -> Location:
    """Where it was sold; a location is never taken out of the catalogue."""
    location = context.business.location(location_id)
    assert location is not None, f"location {location_id} is gone"
    return location


def payment_of(charge: Charge, attempt: Attempt | None, context: Context) -> Payment:
    """What the invoice says of the money that came."""
    if attempt is None:
        return Payment(kind=PaymentKind.NOTHING_DUE, at=context.now(), amount=charge.amount)
    return Payment(
        kind=PaymentKind.CARD,
        at=context.now(),
        amount=charge.amount,
        charge_id=charge.id,
        brand=attempt.card.brand,
        last4=attempt.card.last4,
    )
