"""How shop, cart and checkout show products, lines and totals: from the domain to the pages."""

from functions.portal.pages.cart_models import (
    CartLineView,
    CartPage,
    DueLater,
    LaterReason,
    LineNotice,
    WhyNotCheckOut,
)
from shared.domain.business import Location
from shared.domain.cart import Cart, CartLine
from shared.domain.money import Money, total
from shared.domain.order import Due
from shared.domain.pricing import BLOCKING, Change, ChangeKind, PricedCart, PricedLine
from shared.domain.product import Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.shopping import max_quantity
from shared.web.pages.lines import Totals
from shared.web.pages.weekly import WeeklyTime, weekly_time

NOTICES = {
    ChangeKind.PRICE: LineNotice.PRICE_CHANGED,
    ChangeKind.NOT_OFFERED: LineNotice.NOT_FOR_SALE,
    ChangeKind.START_PASSED: LineNotice.START_PASSED,
    ChangeKind.TRIAL_USED: LineNotice.TRIAL_USED,
    ChangeKind.CHOICE_REFUSED: LineNotice.NOT_FOR_SALE,
    ChangeKind.TIME_GONE: LineNotice.TIME_GONE,
}


def _unit_of_credits(product: Product, catalogue: Catalogue) -> str:
    service = catalogue.service(product.service)
    return service.unit if service else "credit"


def _line_view(
    priced: PricedLine, catalogue: Catalogue, changes: tuple[Change, ...]
) -> CartLineView:
    product = priced.product
    # What changes the time of the charge says more than what changes its amount.
    change = next(iter(sorted(changes, key=lambda one: one.kind is ChangeKind.PRICE)), None)
    next_pack, terms = priced.line.next_pack, priced.line.terms
    was = next((one.before for one in changes if one.kind is ChangeKind.PRICE), None)
    return CartLineView(
        id=priced.line.id,
        product_id=product.id,
        kind=product.kind,
        name=product.name,
        quantity=priced.line.quantity,
        max_quantity=max_quantity(product) if priced.line.next_pack is None else 1,
        unit=priced.unit,
        amount=priced.amount,
        tax=priced.tax,
        pay_what_you_want=product.pay_what_you_want,
        credits=(terms.credits if terms else product.credits) if product.is_pack else None,
        unlimited=product.is_pack and product.unlimited,
        recurs_when=priced.order.recurs_when or (next_pack.recurs_when if next_pack else None),
        next_payment=priced.order.next_payment,
        next_of=next_pack.subscription_id if next_pack else None,
        minimum_payments=terms.minimum_payments if terms else 0,
        credit_unit=_unit_of_credits(product, catalogue),
        frequency=priced.order.frequency,
        starts_on=(priced.starts_on if priced.line.starts_on or priced.due is Due.LATER else None),
        until=priced.line.until,
        trial_days=product.trial_days if priced.due is Due.AFTER_TRIAL else None,
        weekly=_weekly(priced.line, catalogue),
        notice=NOTICES[change.kind] if change else None,
        was=was,
    )


def _weekly(line: CartLine, catalogue: Catalogue) -> WeeklyTime | None:
    return weekly_time(line.standing, catalogue) if line.standing else None


def _refused_view(
    line: CartLine, catalogue: Catalogue, location: Location, change: Change | None
) -> CartLineView:
    """A line that can't be bought as it is: it costs nothing until it is taken out."""
    product = catalogue.product(line.product_id)
    nothing = Money.zero(location.currency)
    return CartLineView(
        id=line.id,
        product_id=line.product_id,
        kind=product.kind if product else ProductKind.RETAIL,
        name=product.name if product else "A product that is not sold any more",
        quantity=line.quantity,
        unit=Money(minor=line.seen_minor, currency=location.currency),
        amount=nothing,
        tax=nothing,
        frequency=line.frequency,
        starts_on=line.starts_on,
        until=line.until,
        weekly=_weekly(line, catalogue),
        notice=NOTICES[change.kind] if change else LineNotice.NOT_FOR_SALE,
    )


def line_views(priced: PricedCart, catalogue: Catalogue) -> tuple[CartLineView, ...]:
    """Every line of the cart in its order, those that can't be bought any more included."""
    can_be_bought = {one.line.id: one for one in priced.lines}
    return tuple(
        _line_view(can_be_bought[line.id], catalogue, priced.changes_of(line.id))
        if line.id in can_be_bought
        else _refused_view(
            line, catalogue, priced.location, next(iter(priced.changes_of(line.id)), None)
        )
        for line in priced.cart.lines
    )


def totals_view(priced: PricedCart) -> Totals:
    """All lines that can be bought, those charged later included; what is due now is
    `priced.total`."""
    currency = priced.location.currency
    subtotal = total([one.amount for one in priced.lines], currency)
    tax = total([one.tax for one in priced.lines], currency)
    return Totals(
        subtotal=subtotal, tax_name=priced.location.tax_name, tax=tax, total=subtotal + tax
    )


def due_later_views(priced: PricedCart) -> tuple[DueLater, ...]:
    """What is charged after a trial, or when its later start comes."""
    return tuple(
        DueLater(
            line_id=one.line.id,
            name=one.product.name,
            why=LaterReason.TRIAL if one.due is Due.AFTER_TRIAL else LaterReason.LATER_START,
            starts_on=one.starts_on,
            at=one.first_charge_at,
            amount=one.total,
            zone=priced.location.zone,
        )
        for one in priced.lines
        if one.first_charge_at is not None and one.starts_on is not None
    )


def _why_not_check_out(
    cart: Cart, priced: PricedCart, *, provider_ready: bool
) -> WhyNotCheckOut | None:
    if not cart.lines:
        return WhyNotCheckOut.EMPTY
    if cart.claimed_by is not None:
        return WhyNotCheckOut.BEING_PAID
    if any(change.kind in BLOCKING for change in priced.changes):
        return WhyNotCheckOut.NOT_FOR_SALE
    if priced.needs_card and not provider_ready:
        return WhyNotCheckOut.NO_PROVIDER
    return None


def cart_page(priced: PricedCart, catalogue: Catalogue, *, provider_ready: bool) -> CartPage:
    """The cart as it stands. One that was never written has no name to check out by."""
    why_not = _why_not_check_out(priced.cart, priced, provider_ready=provider_ready)
    return CartPage(
        location_id=priced.location.id,
        location=priced.location.name,
        cart=priced.cart.token if priced.cart.lines else None,
        lines=line_views(priced, catalogue),
        totals=totals_view(priced),
        due_now=priced.total,
        due_later=due_later_views(priced),
        can_check_out=why_not is None,
        why_not=why_not,
    )
