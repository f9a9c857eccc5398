"""Paying for a cart, its order, and cards on file ([CHECKOUT] [ONCE] [KEY] [CARDS])."""

from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from pydantic import Field

from functions.portal import card_views, hosted
from functions.portal.cart_view import cart_page
from functions.portal.checkout_view import (
    brought_by,
    checkout_page,
    decline_in,
    declined,
    order_page,
)
from functions.portal.ids import Id, path_id
from functions.portal.pages.shop_models import (
    CardPage,
    CardsPage,
    CardUpdatePage,
    CardUpdateState,
    CheckoutPage,
    OrderPage,
)
from shared.domain.cart import Cart
from shared.domain.charge import Outcome, Purpose
from shared.domain.customer import Customer
from shared.domain.errors import Conflict, Declined, Missing, PunchcardError
from shared.domain.pricing import PricedCart, price_cart
from shared.operations import card_link, cards, checkout
from shared.operations.cards import Saved
from shared.operations.checkout import Answered, CartChanged, Checked, Submitted
from shared.operations.collect import Renewed
from shared.operations.reconcile import reconcile
from shared.operations.visit import Claims, Found, Ref, Row
from shared.store import accounts
from shared.store import catalogue as catalogues
from shared.store.card_links import CardLink
from shared.store.card_links import card_link as card_link_at
from shared.web.answer import Answer, Input, Query
from shared.web.app import App
from shared.web.request import Request, Who
from shared.web.security import local_path
from shared.wiring import current

MAX_TOTAL_MINOR = 10**12
"""More than any cart can come to."""

app = App(pages="functions.portal.pages", wiring=current)


# --- reading the cart ------------------------------------------------------------------------


def _read_cart(request: Request, *more: Ref[Any] | Any) -> tuple[Row[Cart] | None, Found]:
    """The customer's cart at the chosen location, and `more`. One round trip, but for the first
    request to a cold function without the location's cookie."""
    tried: list[Ref[Cart]] = []

    def carts(claims: Claims) -> list[Ref[Cart]]:
        if claims.customer_id is None:
            return []
        ids = (claims.location_id,) if claims.location_id else catalogues.locations_seen()
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
    units; `card` absent is the default one."""

    cart: Id
    card: Id | None = None
    expected_total: Annotated[int, Field(ge=0, le=MAX_TOTAL_MINOR)]


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
            changed.detail, code=changed.code, cart=_as_cart(request, now).model
        ) from changed
    return _answer(request, answered)


def _answer(request: Request, answered: Answered) -> Answer:
    charge = answered.charge
    brought = brought_by(charge, request.catalogue)
    page = order_page(
        answered,
        request.catalogue,
        request.signed_in.value,
        request.now,
        packs=tuple(one.pack for one in brought.granted),
        subscriptions=brought.subscriptions,
    )
    order = f"/orders/{charge.source}"
    match answered.state:
        case Checked.PAID:
            return Answer(page, status=201, location=order)
        case Checked.PROCESSING:
            return Answer(page, status=202, location=order)
        case Checked.CONFIRM:
            at_once = request.wants_html and hosted.is_hosted(request, page.confirm_url)
            return Answer(page, status=202, location=page.confirm_url if at_once else order)
        case Checked.DECLINED:
            raise declined(answered.attempt)


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
        checkout.answer_of(row.value, None),
        request.catalogue,
        customer,
        request.now,
        packs=tuple(row.value for row in map(held.get, packs) if row),
        subscriptions=tuple(row.value for row in map(held.get, subscriptions) if row),
    )
    return Answer(page)


# --- cards -----------------------------------------------------------------------------------


def _cards(request: Request, customer: Customer, **answer: Any) -> Answer:
    subscriptions = accounts.subscriptions_of(customer.id).rows
    page = card_views.cards_page(
        customer,
        [one.value for one in subscriptions],
        request.now,
        provider_ready=hosted.is_ready(request),
    )
    return Answer(page, page="cards", leads_to=hosted.origins(request), **answer)


@app.get("/cards", page="cards", answer=CardsPage, who=Who.CUSTOMER, summary="The cards on file.")
def show_cards(request: Request) -> Answer:
    return _cards(request, request.signed_in.value)


def _cards_again(request: Request, _: PunchcardError) -> Answer:
    ref = request.signed_in.ref
    row = request.load(ref).get(ref) or request.signed_in
    return _cards(request, row.value)


class AddCard(Input):
    """`next` is the page to go on with afterwards: a path of this site."""

    next: Annotated[str, Field(max_length=1000)] = "/cards"


@app.post(
    "/cards",
    page="cards",
    answer=CardPage,
    body=AddCard,
    who=Who.CUSTOMER,
    on_error=_cards_again,
    status=201,
    summary="Open the provider's page for a new card.",
)
def add_card(request: Request) -> Answer:
    body: AddCard = request.body
    context = hosted.context(request)
    back = {
        "provider": context.preferred_provider,
        "next": local_path(body.next) or "/cards",
    }
    setup = cards.start(
        context, request.signed_in.value, return_path=f"/cards/return?{urlencode(back)}"
    )
    url = setup.url or ""
    return Answer(CardPage(setup_id=setup.setup_id, url=url), status=201, location=url)


class CardReturn(Query):
    setup: Annotated[str, Field(min_length=1, max_length=200)]
    provider: Annotated[str, Field(max_length=50)] = ""
    next: Annotated[str, Field(max_length=1000)] = "/cards"


@app.get(
    "/cards/return",
    page="cards",
    answer=CardsPage,
    query=CardReturn,
    who=Who.CUSTOMER,
    summary="Back from the provider's page: the card that was saved there is put on file.",
)
def returned(request: Request) -> Answer:
    """It changes something by GET, since that is how the provider sends people back: only what
    the provider itself says of this customer's own setup, and once."""
    query: CardReturn = request.query
    customer = request.signed_in.value
    saved = _finish(request, query, customer.id)
    back = local_path(query.next) or "/cards"
    if saved.card is not None and urlsplit(back).path == "/checkout":
        back = f"/checkout?{urlencode({'card': saved.card.id})}"
    ref = request.signed_in.ref
    fresh = request.load(ref).get(ref)
    return _cards(request, fresh.value if fresh else customer, location=back, done=_done(saved))


def _finish(request: Request, query: CardReturn, customer_id: str) -> Saved:
    context = hosted.context(request)
    try:
        return cards.finish(
            context,
            query.provider or context.preferred_provider,
            query.setup,
            customer_id=customer_id,
        )
    except KeyError as unknown:
        raise Missing("There is no such card page.") from unknown


def _done(saved: Saved) -> str | None:
    """Which sentence the next page shows."""
    if saved.card is None:
        return "card_not_saved" if saved.failure else None
    return _tried(saved.tried) or "card_added"


def _tried(tried: tuple[tuple[str, Renewed], ...]) -> str | None:
    results = {result for _, result in tried}
    if Renewed.NOT_PAID in results:
        return "card_not_charged"
    return "card_paid" if Renewed.COLLECTED in results else None


@app.post(
    "/cards/{card}/default",
    page="cards",
    answer=CardsPage,
    who=Who.CUSTOMER,
    on_error=_cards_again,
    summary="Name the default card; what is owed is tried on it at once.",
)
def make_default(request: Request) -> Answer:
    card_id, customer = path_id(request, "card"), request.signed_in.value
    _, tried = cards.make_default(hosted.context(request), customer.id, card_id)
    ref = request.signed_in.ref
    fresh = request.load(ref).get(ref)
    done = _tried(tried) or "card_default"
    return _cards(request, fresh.value if fresh else customer, location="/cards", done=done)


@app.post(
    "/cards/{card}/remove",
    page="cards",
    answer=CardsPage,
    who=Who.CUSTOMER,
    on_error=_cards_again,
    summary="Take a card off file.",
)
def remove(request: Request) -> Answer:
    card_id = path_id(request, "card")
    left = cards.remove(hosted.context(request), request.signed_in.value.id, card_id)
    return _cards(request, left, location="/cards", done="card_removed")


# --- a link that leads only to updating a card -----------------------------------------------


def _link(request: Request) -> tuple[CardLink | None, Customer | None, CardUpdatePage]:
    """What the token in the path is good for. Looking uses nothing up ([SCAN])."""
    ref = card_link_at(path_id(request, "token"))
    row = request.load(ref).get(ref)
    link = row.value if row is not None and request.now < row.value.ends_at else None
    if link is None:
        return None, None, CardUpdatePage(state=CardUpdateState.STALE)
    head_ref = accounts.head(link.customer_id)
    subscription_ref = accounts.subscription(link.customer_id, link.subscription_id or "none")
    found = request.load(head_ref, subscription_ref)
    head, subscription = found.get(head_ref), found.get(subscription_ref)
    if head is None:
        return None, None, CardUpdatePage(state=CardUpdateState.STALE)
    page = card_views.card_update_page(
        head.value,
        subscription.value if subscription else None,
        request.catalogue,
        request.now,
        of_subscription=link.subscription_id,
    )
    return link, head.value, page


_LINK_STATUS = {
    CardUpdateState.OPEN: 200,
    CardUpdateState.SETTLED: 200,
    CardUpdateState.STALE: 404,
}


def _link_answer(request: Request, page: CardUpdatePage) -> Answer:
    return Answer(page, status=_LINK_STATUS[page.state], leads_to=hosted.origins(request))


@app.get(
    "/card-update/{token}",
    page="card_update",
    answer=CardUpdatePage,
    holds_token=True,
    summary="Where an emailed link to update a card leads; it uses nothing up.",
)
def card_update(request: Request) -> Answer:
    return _link_answer(request, _link(request)[2])


@app.post(
    "/card-update/{token}",
    page="card_update",
    answer=CardPage,
    holds_token=True,
    status=201,
    summary="Open the provider's page for a new card.",
)
def update_card(request: Request) -> Answer:
    link, customer, page = _link(request)
    if link is None or customer is None or page.state is not CardUpdateState.OPEN:
        return _link_answer(request, page)
    context = hosted.context(request)
    back = urlencode({"provider": context.preferred_provider})
    path = f"{card_link.PATH}/{path_id(request, 'token')}/return?{back}"
    setup = cards.start(context, customer, return_path=path)
    url = setup.url or ""
    return Answer(CardPage(setup_id=setup.setup_id, url=url), status=201, location=url)


@app.get(
    "/card-update/{token}/return",
    page="card_update",
    answer=CardUpdatePage,
    query=CardReturn,
    holds_token=True,
    summary="Back from the provider's page, by an emailed link.",
)
def card_updated(request: Request) -> Answer:
    """As `/cards/return`, for the customer of the link and nobody else. When nothing is owed any
    more, the link has done its work and is dead."""
    link, _, page = _link(request)
    if link is None:
        return _link_answer(request, page)
    saved = _finish(request, request.query, link.customer_id)
    _, _, page = _link(request)
    if saved.card is None:
        return _link_answer(request, page)
    if link.subscription_id is None and not page.owed:
        page = CardUpdatePage(state=CardUpdateState.SETTLED)
    if page.state is CardUpdateState.SETTLED:
        card_link.revoke(path_id(request, "token"))
    return _link_answer(request, page)


handler = app.handler
