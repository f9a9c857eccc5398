"""The next pack of what recurs without a calendar: out of the cart, and how it is paid ([RECUR]).
`next_pack_in_cart` puts it there.

While it waits in the cart its subscription knows (`Turn.carted`), and the cart's line names it:
whatever changes the one changes the other in the same transaction.
"""

from shared.domain import collecting
from shared.domain.cart import Cart, counted, with_lines
from shared.domain.ending import EndReason
from shared.domain.errors import Conflict, Invalid, Missing, Unavailable
from shared.domain.next_payment import NextPayment
from shared.domain.pack import Pack
from shared.domain.recurring import Recurring, Turn
from shared.domain.subscription import Subscription, SubscriptionState
from shared.operations import tell
from shared.operations.context import Context
from shared.store import accounts, transactions
from shared.store.items import Lost, Ref, Row
from shared.store.reading import read
from shared.store.timeline import TimelineEvent

RACES_MAX = 8
"""How often a change is decided anew because something else was first."""


def turn_of(subscription: Subscription) -> tuple[Recurring, Turn]:
    """Whose turn it is. Raises `ValueError` when no next pack of it is due."""
    recurring = subscription.recurring
    if recurring is None or recurring.turn is None:
        raise ValueError(f"no next pack of {subscription.id} is due")
    return recurring, recurring.turn


def with_turn(subscription: Subscription, turn: Turn) -> Subscription:
    """The same, with that turn."""
    recurring, _ = turn_of(subscription)
    changed = recurring.model_copy(update={"turn": turn})
    return subscription.model_copy(update={"recurring": changed})


def cart_ref(subscription: Subscription) -> Ref[Cart]:
    """The cart that its next pack is put into."""
    holder = accounts.customer_pk(subscription.customer_id)
    return accounts.cart(holder, subscription.location_id)


# --- out of the cart -----------------------------------------------------------------------------


def cart_without(context: Context, subscription: Subscription) -> tuple[Row[Cart], Cart] | None:
    """The cart that holds its next pack, and the cart without it. One that is being paid stays as
    it is: whatever comes of that payment then finds the subscription as it is. None when nothing
    of it is in a cart. One round trip when there is."""
    if not subscription.in_cart:
        return None
    ref = cart_ref(subscription)
    row = read(ref).get(ref)
    if row is None:
        return None
    return row, _without(context, row.value, subscription)


def _without(context: Context, cart: Cart, subscription: Subscription) -> Cart:
    left = tuple(
        one
        for one in cart.lines
        if one.next_pack is None or one.next_pack.subscription_id != subscription.id
    )
    if cart.claimed_by is not None or left == cart.lines:
        return cart
    return with_lines(cart, left, context.now())


def take_out(context: Context, customer_id: str, location_id: str, line_id: str) -> Cart:
    """Take a next pack out of the cart: that ends its subscription, of which nothing more comes
    ([RECUR]). `Conflict` `commitment_runs` while payments that were agreed are to be made,
    `payment_in_progress` while the cart is being paid; `Missing` when it is not in the cart."""
    for _ in range(RACES_MAX):
        try:
            return _take_out(context, customer_id, location_id, line_id)
        except Lost:
            continue
    raise Unavailable("This cart is being changed elsewhere right now. Please try again.")


def _take_out(context: Context, customer_id: str, location_id: str, line_id: str) -> Cart:
    ref = accounts.cart(accounts.customer_pk(customer_id), location_id)
    head_ref = accounts.head(customer_id)
    found = read(ref, head_ref)
    cart, head = found.get(ref), found.get(head_ref)
    line = next((one for one in cart.value.lines if one.id == line_id), None) if cart else None
    if cart is None or head is None or line is None or line.next_pack is None:
        raise Missing("This is not in your cart any more.", code="line_not_found")
    if cart.value.claimed_by is not None:
        raise Conflict(
            "A payment for this cart is under way. Please wait until it is through.",
            code="payment_in_progress",
        )
    row = _subscription(customer_id, line.next_pack.subscription_id)
    value, now = row.value, context.now()
    if value.payments_remaining:
        raise Conflict(
            f"You agreed to at least {value.terms.minimum_payments} payments, and "
            f"{value.payments_remaining} are still to be made. Until then this stays in your cart.",
            code="commitment_runs",
        )
    left = _without(context, cart.value, value)
    over = collecting.end(value, SubscriptionState.CANCELLED, EndReason.BY_CUSTOMER, now)
    event = TimelineEvent(
        id=context.new_id(),
        at=now,
        by="customer",
        what="cancel:now",
        subscription_id=value.id,
        before=value.state.value,
        after=over.state.value,
    )
    transactions.change_subscription(
        subscription=row,
        changed=over,
        customer=head,
        changed_customer=counted(head.value, left),
        cart=cart,
        changed_cart=left,
        messages=[tell.cancelled(context, head.value, over, pack=_last_pack(value))],
        events=[event],
    )
    return left


def _subscription(customer_id: str, subscription_id: str) -> Row[Subscription]:
    ref = accounts.subscription(customer_id, subscription_id)
    row = read(ref).get(ref)
    if row is None:
        raise Missing("There is no such subscription.")
    return row


def _last_pack(subscription: Subscription) -> Pack | None:
    """The pack whose credits stay when its subscription ends; None when it has expired."""
    if not subscription.packs:
        return None
    ref = accounts.pack(subscription.customer_id, subscription.packs[-1])
    row = read(ref).get(ref)
    return None if row is None or row.value.ended_at is not None else row.value


# --- how the next one is paid ----------------------------------------------------------------


def choose_payment(
    context: Context, customer_id: str, subscription_id: str, payment: NextPayment
) -> Subscription:
    """How the next packs are paid from now on; one that is being paid, or waits in the cart, stays
    as it is. Again answers the same. `Missing` for what is not this customer's, `Conflict` for what
    is over or has a calendar, `Invalid` for a debit without a card."""
    ref, head_ref = accounts.subscription(customer_id, subscription_id), accounts.head(customer_id)
    for _ in range(RACES_MAX):
        found = read(ref, head_ref)
        row, head = found.get(ref), found.get(head_ref)
        if row is None or head is None:
            raise Missing("There is no such subscription.")
        value = row.value
        if value.over:
            raise Conflict("This subscription has already ended.", code="already_ended")
        recurring = value.recurring
        if recurring is None:
            raise Conflict("This one is charged by its calendar.", code="not_recurring")
        if payment is NextPayment.DEBIT and head.value.card_for(value.card_id) is None:
            sentence = "Add a card first: it is debited when the next pack is due."
            raise Invalid(sentence, fields={"next_payment": sentence})
        if recurring.next_payment is payment:
            return value
        chosen = recurring.model_copy(update={"next_payment": payment})
        changed = value.model_copy(update={"recurring": chosen})
        event = TimelineEvent(
            id=context.new_id(),
            at=context.now(),
            by="customer",
            what="next_payment",
            subscription_id=value.id,
            before=recurring.next_payment.value,
            after=payment.value,
        )
        try:
            transactions.change_subscription(subscription=row, changed=changed, events=[event])
        except Lost:
            continue
        return changed
    raise Unavailable("This subscription is being changed elsewhere right now. Please try again.")
