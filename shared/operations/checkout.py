"""Checkout: a cart becomes an order and a charge, exactly once ([CHECKOUT], [ONCE], [KEY]).

Round trips: the caller's one read (`refs`), the intent, the settling; the provider between the
last two. A submission that comes again is answered from what the first one left.
"""

import hashlib
import json
from typing import Any, NamedTuple

from shared.domain.business import Location
from shared.domain.by import By
from shared.domain.card import Card
from shared.domain.cart import Cart
from shared.domain.charge import Charge, Purpose, begin_attempt
from shared.domain.customer import Customer
from shared.domain.errors import Conflict, Invalid
from shared.domain.order import OrderLine
from shared.domain.pricing import PricedCart, price_cart
from shared.domain.product_kind import ProductKind
from shared.operations.answered import Answered, Checked, answer_of
from shared.operations.asking import ask
from shared.operations.books import Books, renewing
from shared.operations.context import Context
from shared.operations.settle import settle
from shared.operations.settle_checkout import complete_checkout, trials_in
from shared.operations.weekly_sale import not_sold
from shared.store import accounts, transactions
from shared.store.items import Lost, Ref, Row
from shared.store.reading import Found, read
from shared.store.records import Submission

CHECKOUT_TRIES = 4
OPERATION = "checkout"


class CartChanged(Conflict):
    """The cart is not what was seen; `priced` is what it is now, None when it is gone."""

    code = "cart_changed"

    def __init__(self, detail: str, priced: PricedCart | None) -> None:
        super().__init__(detail)
        self.priced = priced


class Submitted(NamedTuple):
    """One press of "pay". `cart` is the token of what was seen, `expected_total_minor` what the
    page said is due now, `card_id` None the default card. `seen` is `PricedCart.seen` of the page,
    which also covers what is charged later; empty when the caller looked at the total alone."""

    cart: str
    card_id: str | None
    expected_total_minor: int
    key: str
    seen: str = ""

    @property
    def content(self) -> str:
        told = json.dumps([self.cart, self.card_id, self.expected_total_minor, self.seen])
        return hashlib.sha256(told.encode()).hexdigest()


def refs(customer_id: str, location_id: str, submitted: Submitted) -> tuple[Ref[Any], ...]:
    """What `check_out` has to have read, for the caller's one round trip. The customer's head is
    not among them: the caller has read it with the session."""
    return (
        accounts.cart(accounts.customer_pk(customer_id), location_id),
        accounts.charge(customer_id, submitted.cart),
        accounts.submission(customer_id, submitted.key),
    )


def check_out(
    context: Context,
    *,
    customer: Row[Customer],
    location: Location,
    submitted: Submitted,
    found: Found,
) -> Answered:
    """Pay for the cart that was seen.

    Raises `CartChanged` when it is another one now, `Invalid` for a card that is not on file,
    `Conflict` for a key that was used with other content. Two submissions for one cart, also with
    different keys, make one charge; the second finds it.
    """
    for tries_left in reversed(range(CHECKOUT_TRIES)):
        cart_ref, charge_ref, submission_ref = refs(customer.value.id, location.id, submitted)
        cart, charge = found.get(cart_ref), found.get(charge_ref)
        earlier = _earlier(submitted, charge, found.get(submission_ref))
        if earlier is not None:
            return earlier
        try:
            priced = _seen(context, customer.value, location, submitted, cart)
        except CartChanged:
            # What is read together need not be of one moment: another press may have paid after
            # the charge was read and before the cart was.
            found = read(charge_ref, submission_ref)
            earlier = _earlier(submitted, found.get(charge_ref), found.get(submission_ref))
            if earlier is None:
                raise
            return earlier
        card = _card(customer.value, submitted, priced)
        try:
            return _pay(context, customer, cart, charge, submitted, priced, card)
        except Lost:
            if not tries_left:
                raise
            found = read(cart_ref, charge_ref, submission_ref, customer.ref)
            customer = found.get(customer.ref) or customer
    raise AssertionError("unreachable")


def _earlier(
    submitted: Submitted, charge: Row[Charge] | None, submission: Row[Submission] | None
) -> Answered | None:
    """The answer that this submission, or another one for the same cart, has already got."""
    if submission is not None:
        if submission.value.content != submitted.content:
            raise Conflict(
                "This Idempotency-Key was used for something else.", code="idempotency_key_reused"
            )
        if charge is not None:
            return answer_of(charge.value, submission.value.attempt)
    if charge is not None and charge.value.blocked:
        return answer_of(charge.value, None)
    return None


def _seen(
    context: Context,
    customer: Customer,
    location: Location,
    submitted: Submitted,
    cart: Row[Cart] | None,
) -> PricedCart:
    """The cart's prices, computed again; they have to be what was seen ([CART])."""
    if cart is None or not cart.value.lines:
        raise CartChanged("Your cart is empty.", None)
    priced = price_cart(
        cart.value,
        context.catalogue,
        location,
        customer,
        context.now(),
        provider_ready=bool(context.preferred_provider),
        not_sold=not_sold(cart.value, context.catalogue, location, context.now()),
    )
    if cart.value.token != submitted.cart:
        raise CartChanged("Your cart has changed since you looked at it.", priced)
    if priced.blocked:
        raise CartChanged("Something in your cart can't be bought any more.", priced)
    if priced.total.minor != submitted.expected_total_minor:
        raise CartChanged("A price has changed since you looked at your cart.", priced)
    if submitted.seen not in ("", priced.seen):
        raise CartChanged("What is charged later has changed since you looked.", priced)
    return priced


def _card(customer: Customer, submitted: Submitted, priced: PricedCart) -> Card | None:
    if not priced.needs_card:
        return None
    if submitted.card_id is not None and customer.card(submitted.card_id) is None:
        raise Invalid("Choose one of your cards.", fields={"card": "This card is not on file."})
    card = customer.card_for(submitted.card_id)
    if card is None or customer.at_provider(card) is None:
        raise Invalid("Add a card first.", fields={"card": "There is no card on file."})
    return card


def _own_card(line: OrderLine, card: Card | None, customer: Customer) -> OrderLine:
    """A subscription bought with another card than the default one names it ([CARDS])."""
    if line.kind is not ProductKind.SUBSCRIPTION or card is None:
        return line
    if card.id == customer.default_card:
        return line
    return line.model_copy(update={"card_id": card.id})


def _new_charge(
    context: Context, customer: Customer, priced: PricedCart, card: Card | None
) -> Charge:
    return Charge(
        id=context.new_id(),
        source=priced.cart.token,
        purpose=Purpose.CHECKOUT,
        customer_id=customer.id,
        location_id=priced.location.id,
        amount=priced.total,
        description=f"{context.business.settings.merchant_name}: order",
        invoice_id=context.new_id(),
        created_at=context.now(),
        order=tuple(_own_card(line, card, customer) for line in priced.order),
        tax_name=priced.location.tax_name,
    )


def _pay(
    context: Context,
    customer: Row[Customer],
    cart: Row[Cart] | None,
    charge: Row[Charge] | None,
    submitted: Submitted,
    priced: PricedCart,
    card: Card | None,
) -> Answered:
    assert cart is not None
    opened = _new_charge(context, customer.value, priced, card)
    if charge is not None:
        # Another try for the same cart: the same charge, at what the page says today.
        opened = charge.value.model_copy(update={"order": opened.order, "amount": opened.amount})
    record = Submission(
        content=submitted.content,
        operation=OPERATION,
        answer=opened.source,
        at=context.now(),
    )
    if not opened.amount:
        return _nothing_due(context, customer, cart, opened, (submitted.key, record))
    provider_customer = customer.value.at_provider(card)
    assert card is not None and provider_customer is not None
    opened = begin_attempt(
        opened,
        card=card,
        provider_customer=provider_customer,
        by=By.CUSTOMER,
        now=context.now(),
    )
    assert opened.last is not None
    claimed = cart.value.model_copy(update={"claimed_by": opened.id})
    trials = tuple(dict.fromkeys((*customer.value.trials_used, *sorted(trials_in(opened)))))
    reserved = customer.value.model_copy(update={"trials_used": trials})
    transactions.open_checkout(
        cart=cart,
        claimed=claimed,
        charge=charge,
        opened=opened,
        submission_key=submitted.key,
        submission=record.model_copy(update={"attempt": opened.last.id}),
        customer=customer,
        reserved=reserved,
    )
    moved = reserved != customer.value
    books = Books(
        charge=Row(
            accounts.charge(opened.customer_id, opened.source),
            opened,
            charge.version + 1 if charge else 1,
        ),
        customer=Row(customer.ref, reserved, customer.version + moved),
        cart=Row(cart.ref, claimed, cart.version + 1),
        renewing=renewing(opened),
    )
    _, settled = settle(context, books, opened.last.id, ask(context, opened))
    return answer_of(settled, opened.last.id)


def _nothing_due(
    context: Context,
    customer: Row[Customer],
    cart: Row[Cart],
    opened: Charge,
    submission: tuple[str, Submission],
) -> Answered:
    """A total of 0 calls no provider: trials, later starts, gifts. One transaction does it all,
    so a trial is given once however many carts hold it ([TRIAL])."""
    settled = opened.model_copy(update={"settled_at": context.now()})
    complete_checkout(
        context,
        None,
        settled,
        None,
        customer=customer,
        cart=cart,
        renewing=renewing(settled),
        submission=submission,
    )
    return Answered(Checked.PAID, settled, None)
