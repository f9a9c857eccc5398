"""Paying for a cart, and its order ([CHECKOUT] [ONCE] [KEY])."""

from functools import partial
from typing import Annotated, Any

from pydantic import Field

from functions.portal import hosted
from functions.portal.cart_view import cart_page
from functions.portal.checkout_view import brought_by, checkout_page, order_page
from functions.portal.declines import decline_in, declined
from functions.portal.ids import Id, path_id
from functions.portal.pages.checkout_models import CheckoutPage
from functions.portal.pages.order_models import OrderPage
from shared.domain.cart import Cart
from shared.domain.charge import Purpose
from shared.domain.customer import Customer
from shared.domain.errors import Conflict, Declined, Missing, PunchcardError
from shared.domain.outcome import Outcome
from shared.domain.pricing import PricedCart, price_cart
from shared.domain.product import Catalogue
from shared.operations import checkout
from shared.operations.answered import Answered, Checked, answer_of
from shared.operations.checkout import CartChanged, Submitted
from shared.operations.reconcile import reconcile
from shared.operations.visit import Claims, Found, Ref, Refs, Row
from shared.operations.weekly_sale import not_sold
from shared.store import accounts, snapshot
from shared.web.answer import Answer, Input, Query
from shared.web.app import App
from shared.web.request import Request, Who
from shared.wiring import current

MAX_TOTAL_MINOR = 10**12
"""More than any cart can come to."""

app = App(pages="functions.portal.pages", wiring=current, snapshot=Catalogue)


# --- reading the cart ------------------------------------------------------------------------


def _read_cart(request: Request, *more: Refs) -> tuple[Row[Cart] | None, Found]:
    """The customer's cart at the chosen location, and `more`. One round trip, but for the first
    request to a cold function without the location's cookie."""
    tried: list[Ref[Cart]] = []

    def carts(claims: Claims) -> list[Ref[Cart]]:
        if claims.customer_id is None:
            return []
        ids = (claims.location_id,) if claims.location_id else snapshot.locations_seen()
        tried.extend(accounts.cart(accounts.customer_pk(claims.customer_id), one) for one in ids)
        return tried

    found = request.load(carts, *more)
    ref = _cart_ref(request)
    if ref not in tried:
        found = request.load(ref, *more)
    return found.get(ref), found


def _cart_ref(request: Request) -> Ref[Cart]:
    return accounts.cart(accounts.customer_pk(request.signed_in.value.id), request.location.id)


def _priced(request: Request, cart: Cart, customer: Customer) -> PricedCart:
    return price_cart(
        cart,
        request.catalogue,
        request.location,
        customer,
        request.now,
        provider_ready=hosted.is_ready(request),
        not_sold=not_sold(cart, request.catalogue, request.location, request.now),
    )


def _empty(request: Request) -> PricedCart:
    nothing = Cart(id="", location_id=request.location.id, changed_at=request.now)
    return _priced(request, nothing, request.signed_in.value)


def _as_cart(request: Request, priced: PricedCart, **answer: Any) -> Answer:
    """The cart's page, where there is nothing to pay for as it stands."""
    page = cart_page(priced, request.catalogue, provider_ready=hosted.is_ready(request))
    return Answer(page, page="cart", **answer)


# --- checkout --------------------------------------------------------------------------------


class CheckoutQuery(Query):
    """`card` is the one to begin with, such as one that was just added."""

    card: str = ""


@app.get(
    "/checkout",
    page="checkout",
    answer=CheckoutPage,
    query=CheckoutQuery,
    who=Who.CUSTOMER,
    summary="Review the cart before paying.",
)
def review(request: Request) -> Answer:
    row, _ = _read_cart(request)
    if row is None or not row.value.lines:
        return _not_now(request, _empty(request), "Your cart is empty.", "cart_empty")
    if row.value.claimed_by is not None:
        priced = _priced(request, row.value, request.signed_in.value)
        sentence = "A payment for this cart is under way."
        order = f"/orders/{row.value.token}"
        return _not_now(request, priced, sentence, "payment_in_progress", location=order)
    priced = _priced(request, row.value, request.signed_in.value)
    if priced.blocked or (priced.needs_card and not hosted.is_ready(request)):
        sentence = "Something in your cart can't be bought as it is."
        return _not_now(request, priced, sentence, "cart_changed")
    page = checkout_page(
        priced,
        request.catalogue,
        request.signed_in.value,
        request.now,
        idempotency_key=request.wiring.new_id(),
        chosen_card=request.query.card,
        provider_ready=hosted.is_ready(request),
        set_up=hosted.set_up(request),
    )
    return Answer(page, leads_to=hosted.origins(request))


def _not_now(
    request: Request, priced: PricedCart, sentence: str, code: str, *, location: str = "/cart"
) -> Answer:
    """People are led to where it goes on; programs are told."""
    if request.wants_html:
        return _as_cart(request, priced, location=location)
    raise Conflict(sentence, code=code)


class CheckOut(Input):
    """`cart` names what was seen, `expected_total` is what the page said is due now, in minor
    units; `card` absent is the default one. `seen` is the page's own, for who wants what is
    charged later to be what it said, too."""

    cart: Id
    card: Id | None = None
    expected_total: Annotated[int, Field(ge=0, le=MAX_TOTAL_MINOR)]
    seen: Id | None = None


def _review_again(request: Request, error: PunchcardError) -> Answer | None:
    """The review as it now stands, with what went wrong and a new key."""
    cart_ref, head_ref = _cart_ref(request), request.signed_in.ref
    found = request.load(cart_ref, head_ref)
    row, head = found.get(cart_ref), found.get(head_ref) or request.signed_in
    if isinstance(error, Declined) or error.code == CartChanged.code:
        request.problems = {}
    if row is None or not row.value.lines:
        return _as_cart(request, _empty(request))
    priced = _priced(request, row.value, head.value)
    if row.value.claimed_by is not None:
        return _as_cart(request, priced, location=f"/orders/{row.value.token}")
    if priced.blocked:
        return _as_cart(request, priced)
    page = checkout_page(
        priced,
        request.catalogue,
        head.value,
        request.now,
        idempotency_key=request.wiring.new_id(),
        chosen_card=str(request.typed.get("card", "")),
        provider_ready=hosted.is_ready(request),
        set_up=hosted.set_up(request),
        decline=decline_in(error) if isinstance(error, Declined) else None,
        cart_changed=error.code == CartChanged.code,
    )
    return Answer(page, leads_to=hosted.origins(request))


@app.post(
    "/checkout",
    page="checkout",
    answer=OrderPage,
    body=CheckOut,
    who=Who.CUSTOMER,
    idempotency_key=True,
    on_error=_review_again,
    status=201,
    summary="Pay for the cart that was seen, once.",
)
def pay(request: Request) -> Answer:
    body: CheckOut = request.body
    submitted = Submitted(
        cart=body.cart,
        card_id=body.card,
        expected_total_minor=body.expected_total,
        key=request.idempotency_key,
        seen=body.seen or "",
    )

    def submission(claims: Claims) -> list[Ref[Any]]:
        if claims.customer_id is None:
            return []
        return [
            accounts.charge(claims.customer_id, submitted.cart),
            accounts.submission(claims.customer_id, submitted.key),
        ]

    _, found = _read_cart(request, submission)
    try:
        answered = checkout.check_out(
            hosted.context(request),
            customer=request.signed_in,
            location=request.location,
            submitted=submitted,
            found=found,
        )
    except CartChanged as changed:
        now = changed.priced or _empty(request)
        raise Conflict(
            changed.detail, code=changed.code, cart=_as_cart(request, now).shown
        ) from changed
    return _answer(request, answered)


def _answer(request: Request, answered: Answered) -> Answer:
    page, order = partial(_bought, request, answered), f"/orders/{answered.charge.source}"
    match answered.state:
        case Checked.PAID:
            return Answer(page, status=201, location=order)
        case Checked.PROCESSING:
            return Answer(page, status=202, location=order)
        case Checked.CONFIRM:
            confirm_url = answered.attempt.confirm_url if answered.attempt else None
            at_once = request.wants_html and hosted.is_hosted(request, confirm_url)
            return Answer(page, status=202, location=confirm_url if at_once else order)
        case Checked.DECLINED:
            raise declined(answered.attempt)


def _bought(request: Request, answered: Answered) -> OrderPage:
    """What programs are told at once; people are led to their order's own address."""
    brought = brought_by(answered.charge, request.catalogue)
    return order_page(
        answered,
        request.catalogue,
        request.signed_in.value,
        request.now,
        packs=tuple(one.pack for one in brought.granted),
        subscriptions=brought.subscriptions,
    )


@app.get(
    "/orders/{order}",
    page="order",
    answer=OrderPage,
    who=Who.CUSTOMER,
    summary="What became of a checkout.",
)
def order(request: Request) -> Answer:
    """Whoever comes back from confirming a payment sees the truth at once: while it waits for
    that, the provider is asked, which changes nothing but what it says itself."""
    source = path_id(request, "order")

    def charge_at(claims: Claims) -> list[Ref[Any]]:
        return [accounts.charge(claims.customer_id, source)] if claims.customer_id else []

    found = request.load(charge_at)
    customer = request.signed_in.value
    ref = accounts.charge(customer.id, source)
    row = found.get(ref)
    if row is None or row.value.purpose is not Purpose.CHECKOUT:
        raise Missing("There is no such order.")
    if row.value.settled_at is None and row.value.outcome is Outcome.AUTHENTICATION_REQUIRED:
        reconcile(hosted.context(request), customer.id, source, asked_by_webhook=True)
        row = request.load(ref).get(ref) or row
    brought = brought_by(row.value, request.catalogue)
    packs = [accounts.pack(customer.id, one.pack.id) for one in brought.granted]
    subscriptions = [accounts.subscription(customer.id, one.id) for one in brought.subscriptions]
    held = request.load(*packs, *subscriptions)
    page = order_page(
        answer_of(row.value, None),
        request.catalogue,
        customer,
        request.now,
        packs=tuple(row.value for row in map(held.get, packs) if row),
        subscriptions=tuple(row.value for row in map(held.get, subscriptions) if row),
    )
    return Answer(page)


handler = app.handler
