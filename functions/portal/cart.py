"""The cart: what anyone may fill, and each location has its own ([CART] [LOCATION] [WHO])."""

from datetime import date
from typing import Annotated, Any, NamedTuple

from aws_lambda_powertools.shared.cookies import Cookie
from pydantic import Field, StringConstraints

from functions.portal.cart_view import cart_page
from functions.portal.ids import Id
from functions.portal.pages.cart_models import CartPage
from shared.domain.activity import Activity
from shared.domain.business import Location
from shared.domain.cart import Cart
from shared.domain.cart_lines import Wanted
from shared.domain.errors import Invalid, Missing, PunchcardError
from shared.domain.pricing import price_cart
from shared.domain.product import Catalogue
from shared.domain.weekly import Standing
from shared.operations import cart as carts
from shared.operations.cart import Holder
from shared.operations.context import Context
from shared.operations.visit import Claims, Found, Ref, Row
from shared.operations.weekly_sale import not_sold, standing_from
from shared.store import people, schedule, snapshot
from shared.store.carts import cart as cart_ref
from shared.web.amount import minor_units
from shared.web.answer import (
    LOCATION_COOKIE,
    LOCATION_KEPT,
    VISITOR_COOKIE,
    VISITOR_KEPT,
    Answer,
    Input,
    cookie,
)
from shared.web.app import App
from shared.web.request import Request
from shared.web.security import local_path
from shared.wiring import current

ProductId = Annotated[str, StringConstraints(min_length=1, max_length=100)]

app = App(pages="functions.portal.pages", wiring=current, snapshot=Catalogue)


def _context(request: Request) -> Context:
    context: Context = request.wiring.context(request.catalogue)
    return context


class _Visited(NamedTuple):
    """The cart of who is here, as it was read. `cookies` tell a new visitor's browser who it is."""

    context: Context
    holder: Holder
    location: Location
    row: Row[Cart] | None
    cookies: tuple[Cookie, ...] = ()


def _load_cart(
    request: Request, location_id: str | None = None, *more: Ref[Any]
) -> tuple[_Visited, Found]:
    """Read the cart at `location_id`, else at the chosen location, and `more`. One round trip, but
    for a customer's first request to a cold function without the location's cookie."""
    read: list[Ref[Cart]] = []

    def refs(claims: Claims) -> list[Ref[Cart]]:
        known = location_id or claims.location_id
        ids = (known,) if known else snapshot.locations_seen()
        if claims.cart_pk is not None:
            read.extend(cart_ref(claims.cart_pk, one) for one in ids)
        return read

    found = request.load(refs, *more)
    location = request.catalogue.location(location_id) if location_id else request.location
    if location is None:
        raise _unknown_location()
    pk = request.claims.cart_pk
    row: Row[Cart] | None = None
    if pk is not None:
        ref = cart_ref(pk, location.id)
        row = (found if ref in read else request.load(ref)).get(ref)
    chosen = cookie(LOCATION_COOKIE, location.id, lasts=LOCATION_KEPT)
    if request.customer is not None and pk is not None:
        holder = Holder(pk, request.customer)
        return _Visited(_context(request), holder, location, row, (chosen,)), found
    visitor = request.claims.visitor or request.wiring.new_secret()
    holder = Holder(people.visitor_pk(visitor))
    remembered = cookie(VISITOR_COOKIE, visitor, lasts=VISITOR_KEPT)
    return _Visited(_context(request), holder, location, row, (chosen, remembered)), found


def _unknown_location() -> Invalid:
    sentence = "There is no such location."
    return Invalid(sentence, fields={"location": sentence}, code="unknown_location")


def _page(visited: _Visited, cart: Cart | None) -> CartPage:
    context = visited.context
    now = context.now()
    shown = cart or Cart(id="", location_id=visited.location.id, changed_at=now)
    priced = price_cart(
        shown,
        context.catalogue,
        visited.location,
        visited.holder.customer,
        now,
        provider_ready=bool(context.preferred_provider),
        not_sold=not_sold(shown, context.catalogue, visited.location, now),
    )
    return cart_page(priced, context.catalogue, provider_ready=bool(context.preferred_provider))


@app.get("/cart", page="cart", answer=CartPage, summary="The cart at the chosen location.")
def cart(request: Request) -> Answer:
    visited, _ = _load_cart(request)
    return Answer(_page(visited, carts.live(visited.row, request.now)))


class AddToCart(Input):
    """`price` is an amount in the location's currency such as "12.50", only for products that let
    the customer choose. `frequency`, `starts_on` and `until` are for subscriptions; a day is the
    location's own. A weekly place takes the weekday and time of `activity`, one of the coming
    weeks; `same_staff` only with whoever leads that. `next_payment`, for packages that recur, is
    `debit` (without it) or `by_hand` ([RECUR])."""

    product: ProductId
    quantity: int = 1
    price: Annotated[str, StringConstraints(max_length=20)] | None = None
    frequency: Annotated[str, StringConstraints(max_length=20)] | None = None
    starts_on: date | None = None
    until: date | None = None
    activity: Id | None = None
    same_staff: bool = False
    next_payment: Annotated[str, StringConstraints(max_length=20)] | None = None


def _form_again(request: Request, _: PunchcardError) -> Answer | None:
    """The product's page with what was typed and what is wrong with it."""
    from functions.portal.product_page import product_page_for

    try:
        page = product_page_for(request, str(request.typed.get("product", "")))
    except Missing:
        return None
    return Answer(page, page="product")


def _standing(visited: _Visited, body: AddToCart, activity: Row[Activity] | None) -> Standing:
    """The weekday and time of the activity that was chosen ([WEEKLY])."""
    product = visited.context.catalogue.product(body.product)
    return standing_from(product, visited.location, activity, same_staff=body.same_staff)


@app.post(
    "/cart/lines",
    answer=CartPage,
    body=AddToCart,
    on_error=_form_again,
    status=201,
    summary="Put something into the cart.",
)
def add_line(request: Request) -> Answer:
    body: AddToCart = request.body
    chosen = [schedule.activity(body.activity)] if body.activity else []
    visited, found = _load_cart(request, None, *chosen)
    currency = visited.location.currency
    wanted = Wanted(
        product_id=body.product,
        quantity=body.quantity,
        price_minor=(
            None if body.price is None else minor_units(body.price, currency, field="price")
        ),
        frequency=body.frequency,
        starts_on=body.starts_on,
        until=body.until,
        standing=_standing(visited, body, found.get(chosen[0])) if chosen else None,
        next_payment=body.next_payment,
    )
    changed = carts.add_line(visited.context, visited.holder, visited.location, visited.row, wanted)
    return Answer(
        _page(visited, changed.cart),
        status=201,
        location=f"/cart?item={body.product}",
        done="added",
        cookies=visited.cookies,
    )


class SetQuantity(Input):
    quantity: int


@app.post(
    "/cart/lines/{line}",
    answer=CartPage,
    body=SetQuantity,
    summary="Change how many of a line are wanted.",
)
def set_quantity(request: Request) -> Answer:
    body: SetQuantity = request.body
    visited, _ = _load_cart(request)
    changed = carts.set_quantity(
        visited.context,
        visited.holder,
        visited.location,
        visited.row,
        request.params["line"],
        body.quantity,
    )
    return Answer(
        _page(visited, changed.cart),
        location="/cart",
        done="cart_changed",
        cookies=visited.cookies,
    )


@app.post("/cart/lines/{line}/remove", answer=CartPage, summary="Take a line out of the cart.")
@app.delete("/cart/lines/{line}", answer=CartPage, summary="Take a line out of the cart.")
def remove_line(request: Request) -> Answer:
    visited, _ = _load_cart(request)
    changed = carts.remove_line(
        visited.context, visited.holder, visited.location, visited.row, request.params["line"]
    )
    stopped = changed.line is not None and changed.line.next_pack is not None
    done = "stopped" if stopped else "removed"
    return Answer(
        _page(visited, changed.cart), location="/cart", done=done, cookies=visited.cookies
    )


class ChooseLocation(Input):
    """`next` is the page to go on with: a path of this site."""

    location: ProductId
    next: Annotated[str, Field(max_length=1000)] = "/shop"


@app.post(
    "/cart/location",
    answer=CartPage,
    body=ChooseLocation,
    summary="Choose the location to buy at; each has its own cart.",
)
def choose_location(request: Request) -> Answer:
    body: ChooseLocation = request.body
    visited, _ = _load_cart(request, body.location)
    if visited.holder.head is not None:
        carts.choose_location(visited.holder.head, visited.location)
    return Answer(
        _page(visited, carts.live(visited.row, request.now)),
        location=local_path(body.next) or "/shop",
        done="location_chosen",
        cookies=(cookie(LOCATION_COOKIE, visited.location.id, lasts=LOCATION_KEPT),),
    )


handler = app.handler
