"""Putting a subscription's next pack into its customer's cart, to be paid by hand ([RECUR])."""

from shared.domain.cart import Cart, CartLine, counted, with_lines
from shared.domain.cart_lines import check_limits
from shared.domain.customer import Customer
from shared.domain.errors import Invalid
from shared.domain.recurring import CART_WAIT, NextPack
from shared.domain.subscription import Subscription
from shared.operations import tell
from shared.operations.context import Context
from shared.operations.next_pack import cart_ref, turn_of, with_turn
from shared.store import transactions
from shared.store.items import Row
from shared.store.reading import read
from shared.store.writing import unsaved


def put_into_cart(
    context: Context, subscription: Row[Subscription], customer: Row[Customer]
) -> bool:
    """Put the next pack into the customer's cart, and say so by email. While the cart is being
    paid, or is full, it waits for `CART_WAIT`: then the answer is False. Raises `Lost`."""
    value, now = subscription.value, context.now()
    recurring, turn = turn_of(value)
    ref = cart_ref(value)
    row = read(ref).get(ref) or unsaved(
        ref, Cart(id=context.new_id(), location_id=value.location_id, changed_at=now)
    )
    line = CartLine(
        id=context.new_id(),
        product_id=value.terms.product_id,
        seen_minor=value.terms.price.minor,
        next_pack=NextPack(
            subscription_id=value.id,
            period=value.next_period,
            recurs_when=recurring.when,
            starts_on=turn.starts_on,
        ),
        terms=value.terms,
    )
    lines = (*row.value.lines, line)
    if row.value.claimed_by is not None or not _fits(context, lines):
        later = turn.model_copy(update={"looks_again_at": now + CART_WAIT})
        waiting = with_turn(value, later)
        transactions.change_subscription(subscription=subscription, changed=waiting)
        return False
    filled = with_lines(row.value, lines, now)
    carted = with_turn(value, turn.model_copy(update={"carted": True, "looks_again_at": None}))
    transactions.change_subscription(
        subscription=subscription,
        changed=carted,
        customer=customer,
        changed_customer=counted(customer.value, filled),
        cart=row,
        changed_cart=filled,
        messages=[tell.next_pack_in_cart(context, customer.value, carted)],
    )
    return True


def _fits(context: Context, lines: tuple[CartLine, ...]) -> bool:
    try:
        check_limits(lines, context.catalogue)
    except Invalid:
        return False
    return True
