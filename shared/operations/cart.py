"""Filling a cart ([CART] [LOCATION] [WHO]): load, decide, one transaction.

A cart belongs to a customer or, by a cookie, to an unknown visitor. A customer's head knows how
many things lie in each cart, for the header of every page; it changes with the cart. Two tabs
that add at once both succeed: whoever loses the race reads again.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from shared.domain import cart as carts
from shared.domain.business import Location
from shared.domain.calendar import local_date
from shared.domain.cart import Cart, CartLine, with_lines
from shared.domain.cart_lines import Wanted, add_to, check_limits, check_line, line_faults
from shared.domain.cart_lines import wanted_again as wanted_by
from shared.domain.customer import Customer
from shared.domain.errors import Conflict, Invalid, Missing, Unavailable
from shared.domain.pricing import first_day_of
from shared.domain.product import Catalogue, Product
from shared.domain.shopping import offered
from shared.operations.context import Context
from shared.operations.weekly_sale import why_not_sold
from shared.store import people
from shared.store.carts import cart as cart_ref
from shared.store.items import Lost, Ref, Row
from shared.store.reading import Found, read
from shared.store.writing import Write, commit, put
from shared.store.writing import remove as removal
from shared.store.writing import replace as replacement

RACES_MAX = 8
"""How often a change is decided anew because somebody else was first."""

JOINED_LOCATIONS_MAX = 20
"""Carts of an unknown visitor that come along at sign-in."""


class Holder(NamedTuple):
    """Whose carts: a customer's, with the head as it was read, or an unknown visitor's. `pk` is
    `people.customer_pk(id)` or `people.visitor_pk(secret)`."""

    pk: str
    head: Row[Customer] | None = None

    @property
    def customer(self) -> Customer | None:
        return self.head.value if self.head else None


class Changed(NamedTuple):
    """The cart after a change, and the line that was added or changed."""

    cart: Cart
    line: CartLine | None = None


def live(row: Row[Cart] | None, now: datetime) -> Cart | None:
    """The cart as long as it is kept: an unknown visitor's for 30 days after its last change."""
    return row.value if row is not None and carts.is_kept(row.value, now) else None


Decide = Callable[[Cart, Customer | None], Changed]


def _change(
    context: Context, holder: Holder, location_id: str, row: Row[Cart] | None, decide: Decide
) -> Changed:
    """Decide on the cart as it is, and write it with the customer's count; again after a lost
    race. `Conflict` while a payment for it is under way."""
    ref = cart_ref(holder.pk, location_id)
    for _ in range(RACES_MAX):
        now = context.now()
        cart = live(row, now) or Cart(
            id=context.new_id(),
            location_id=location_id,
            changed_at=now,
            visitor=holder.head is None,
        )
        if cart.claimed_by is not None:
            raise Conflict(
                "A payment for this cart is under way. Please wait until it is through.",
                code="payment_in_progress",
            )
        changed = decide(cart, holder.customer)
        if changed.cart is cart:
            return changed
        writes = [put(ref, row, changed.cart)]
        if holder.head is not None:
            counted = carts.counted(holder.head.value, changed.cart)
            writes.append(replacement(holder.head, counted))
        try:
            commit(writes)
        except Lost:
            holder, row = _read_again(holder, ref)
        else:
            return changed
    raise Unavailable("This cart is being changed elsewhere right now. Please try again.")


def _read_again(holder: Holder, ref: Ref[Cart]) -> tuple[Holder, Row[Cart] | None]:
    if holder.head is None:
        return holder, read(ref).get(ref)
    found = read(ref, holder.head.ref)
    head = found.get(holder.head.ref)
    if head is None:
        raise Missing("This account no longer exists.")
    return holder._replace(head=head), found.get(ref)


def _on_sale(
    context: Context, product_id: str, location: Location, customer: Customer | None
) -> Product:
    product = context.catalogue.product(product_id)
    if product is None:
        sentence = "There is no such product."
        raise Invalid(sentence, fields={"product": sentence}, code="unknown_product")
    hidden = offered(
        product,
        location,
        customer,
        context.business.settings,
        provider_ready=bool(context.preferred_provider),
    )
    if hidden is not None:
        raise Invalid(hidden.sentence, fields={"product": hidden.sentence}, code="not_offered")
    return product


def _check_standing(product: Product, location: Location, line: CartLine, now: datetime) -> None:
    """A weekly place is on the schedule in its first week, with places ([WEEKLY]): one round trip
    for such a line, none for others."""
    if line.standing is None:
        return
    first_day = first_day_of(line, local_date(now, location.zone), now)
    gone = why_not_sold(product, location, line.standing, first_day)
    if gone is not None:
        raise Invalid(gone.sentence, fields={"activity": gone.sentence}, code=gone.value)


def add_line(
    context: Context, holder: Holder, location: Location, row: Row[Cart] | None, wanted: Wanted
) -> Changed:
    """Put something into the holder's cart at `location`; `row` is that cart as it was read. The
    same product with the same choices joins the line that is there.

    One transaction. `Invalid` names the wrong field: `product` (code `unknown_product` or
    `not_offered`), `quantity`, `price`, `frequency`, `starts_on`, `until`, `activity` (codes
    `not_scheduled` and `full`); or has code `cart_full`. `Conflict` `payment_in_progress` while
    the cart is being paid.
    """
    line_id = context.new_id()

    def decide(cart: Cart, customer: Customer | None) -> Changed:
        product = _on_sale(context, wanted.product_id, location, customer)
        now = context.now()
        line = check_line(
            product,
            location,
            wanted,
            today=local_date(now, location.zone),
            customer=customer,
            line_id=line_id,
        )
        _check_standing(product, location, line, now)
        lines = add_to(cart.lines, line, context.catalogue)
        return Changed(with_lines(cart, lines, now), line)

    return _change(context, holder, location.id, row, decide)


def _line(cart: Cart, line_id: str) -> CartLine:
    line = next((one for one in cart.lines if one.id == line_id), None)
    if line is None:
        raise Missing("This is not in your cart any more.", code="line_not_found")
    return line


def set_quantity(
    context: Context,
    holder: Holder,
    location: Location,
    row: Row[Cart] | None,
    line_id: str,
    quantity: int,
) -> Changed:
    """Change how many of a line are wanted. `Missing` for a line that is not in the cart, also
    when an unknown visitor's cart has expired; `Invalid` names `quantity`."""

    def decide(cart: Cart, customer: Customer | None) -> Changed:
        line = _line(cart, line_id)
        product = _on_sale(context, line.product_id, location, customer)
        now = context.now()
        wanted = wanted_by(line).model_copy(update={"quantity": quantity})
        today = local_date(now, location.zone)
        fault = line_faults(product, location, wanted, today, customer).get("quantity")
        if fault is not None:
            raise Invalid(fault, fields={"quantity": fault})
        again = line.model_copy(update={"quantity": quantity})
        lines = tuple(again if one is line else one for one in cart.lines)
        check_limits(lines, context.catalogue)
        return Changed(with_lines(cart, lines, now), again)

    return _change(context, holder, location.id, row, decide)


def remove_line(
    context: Context, holder: Holder, location: Location, row: Row[Cart] | None, line_id: str
) -> Changed:
    """Take a line out. `Missing` when it is not in the cart. A next pack's ends its subscription
    (`next_pack.take_out`, with its refusals)."""
    held = row.value.lines if row else ()
    line = next((one for one in held if one.id == line_id), None)
    if holder.customer is not None and line is not None and line.next_pack is not None:
        from shared.operations import next_pack

        return Changed(next_pack.take_out(context, holder.customer.id, location.id, line_id), line)

    def decide(cart: Cart, _: Customer | None) -> Changed:
        line = _line(cart, line_id)
        if line.next_pack is not None:
            raise Unavailable("This cart has just been changed elsewhere. Please try again.")
        rest = tuple(one for one in cart.lines if one is not line)
        return Changed(with_lines(cart, rest, context.now()), line)

    return _change(context, holder, location.id, row, decide)


def choose_location(head: Row[Customer], location: Location) -> Customer:
    """Remember where the customer shops; products, cart and schedules follow ([LOCATION]). Each
    location's cart stays as it was."""
    for _ in range(RACES_MAX):
        if head.value.location == location.id:
            return head.value
        chosen = head.value.model_copy(update={"location": location.id})
        try:
            commit([replacement(head, chosen)])
        except Lost:
            again = read(head.ref).get(head.ref)
            if again is None:
                raise Missing("This account no longer exists.") from None
            head = again
        else:
            return chosen
    raise Unavailable("Your account is being changed elsewhere right now. Please try again.")


# --- at sign-in ------------------------------------------------------------------------------


class Joined(NamedTuple):
    """What sign-in adds to its own transaction. `cart_counts` replaces the customer's own.
    `location` is where the visitor last changed a cart; None when nothing came along.
    `left_behind`: a cart could not come along because the customer's is being paid; the visitor's
    cookie should stay."""

    writes: tuple[Write, ...]
    cart_counts: dict[str, int]
    location: str | None = None
    left_behind: bool = False


def join_refs(visitor_pk: str, customer_id: str, catalogue: Catalogue) -> tuple[Ref[Cart], ...]:
    """What `join_writes` wants to have been read: the visitor's and the customer's carts, at most
    40. `visitor_pk` is `people.visitor_pk` of the cookie's secret."""
    holders = visitor_pk, people.customer_pk(customer_id)
    return tuple(
        cart_ref(pk, location.id)
        for location in catalogue.locations[:JOINED_LOCATIONS_MAX]
        for pk in holders
    )


def join_writes(
    found: Found,
    *,
    visitor_pk: str,
    customer: Customer,
    catalogue: Catalogue,
    now: datetime,
    new_id: Callable[[], str],
) -> Joined:
    """The writes that bring a visitor's carts into the customer's, one per location and two items
    each ([WHO]). What the customer's cart already held comes first; what a cart can't hold stays
    out. The caller commits them with its own, and reads again when that is `Lost`."""
    writes: list[Write] = []
    counts = dict(customer.cart_counts)
    brought: list[Cart] = []
    left_behind = False
    for location in catalogue.locations[:JOINED_LOCATIONS_MAX]:
        source = found.get(cart_ref(visitor_pk, location.id))
        ref = cart_ref(people.customer_pk(customer.id), location.id)
        target = found.get(ref)
        brings = live(source, now)
        if source is None or brings is None or not brings.lines:
            continue
        own = target.value if target else Cart(id=new_id(), location_id=location.id, changed_at=now)
        if own.claimed_by is not None:
            left_behind = True
            continue
        lines = own.lines
        for line in brings.lines:
            lines = _with_what_fits(lines, line, catalogue)
        joined = with_lines(own, lines, now)
        writes += [put(ref, target, joined), removal(source)]
        counts[location.id] = joined.count
        brought.append(brings)
    last = max(brought, key=lambda cart: cart.changed_at, default=None)
    return Joined(
        writes=tuple(writes),
        cart_counts=counts,
        location=last.location_id if last else None,
        left_behind=left_behind,
    )


def _with_what_fits(
    lines: tuple[CartLine, ...], line: CartLine, catalogue: Catalogue
) -> tuple[CartLine, ...]:
    try:
        return add_to(lines, line, catalogue)
    except Invalid:
        return lines
