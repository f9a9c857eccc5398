"""What checkout and orders show: from the domain to the pages. Pure."""

from collections.abc import Collection
from datetime import datetime

from functions.portal.cart_view import due_later_views, line_views, totals_view
from functions.portal.declines import decline_of
from functions.portal.pages.cart_models import DueLater, LaterReason
from functions.portal.pages.checkout_models import CheckoutPage, SubscriptionTerms
from functions.portal.pages.decline_models import Decline
from functions.portal.pages.order_models import AccessLink, OrderPage, OrderState
from shared.domain import period_cost
from shared.domain.business import Location
from shared.domain.calendar import local_date
from shared.domain.charge import Charge
from shared.domain.customer import MAX_CARDS, Customer
from shared.domain.fulfilment import Fulfilment, begin_subscription, fulfil
from shared.domain.invoice import order_id
from shared.domain.order import Due, OrderLine, invoice_lines
from shared.domain.pack import Pack
from shared.domain.pricing import PricedCart, PricedLine
from shared.domain.product import Catalogue
from shared.domain.product_kind import ProductKind
from shared.domain.recurs_when import RecursWhen
from shared.domain.subscription import Subscription
from shared.domain.weekly import start_in
from shared.operations.answered import Answered, Checked
from shared.web.pages.cards import card_view, card_views
from shared.web.pages.lines import line_view, totals_of
from shared.web.pages.names import place_name, zone_of
from shared.web.pages.packs import pack_summary
from shared.web.pages.subscriptions import subscription_summary

STATES = {
    Checked.PAID: OrderState.PAID,
    Checked.PROCESSING: OrderState.PROCESSING,
    Checked.CONFIRM: OrderState.CONFIRM,
    Checked.DECLINED: OrderState.DECLINED,
}


# --- before paying ---------------------------------------------------------------------------


def _terms(
    line: PricedLine, location: Location, catalogue: Catalogue, customer: Customer, now: datetime
) -> SubscriptionTerms:
    """What is agreed to, from the very subscription that buying would begin."""
    if line.order.recurs_when is not None:
        return _recurring_terms(line, line.order.recurs_when, location, catalogue, now)
    begun = _begun(line.order, location, customer.id, now)
    return SubscriptionTerms(
        line_id=line.line.id,
        name=line.product.name,
        amount=line.total,
        frequency=begun.frequency,
        starts_on=line.starts_on or begun.anchor,
        first_charge_at=line.first_charge_at,
        next_charge_at=begun.charged_at(1) if begun.within_until(1) else None,
        until=begun.until,
        trial_days=begun.trial_days,
        minimum_payments=begun.terms.minimum_payments,
        first_place_at=(
            start_in(begun.terms.standing, begun.anchor) if begun.terms.standing else None
        ),
        self_cancel=catalogue.settings.self_cancel,
        zone=location.zone,
    )


def _recurring_terms(
    line: PricedLine, when: RecursWhen, location: Location, catalogue: Catalogue, now: datetime
) -> SubscriptionTerms:
    """What is agreed to with a package that comes again by itself ([RECUR])."""
    return SubscriptionTerms(
        line_id=line.line.id,
        name=line.product.name,
        amount=line.total,
        recurs_when=when,
        next_payment=line.order.next_payment,
        starts_on=local_date(now, location.zone),
        minimum_payments=line.product.minimum_payments,
        self_cancel=catalogue.settings.self_cancel,
        zone=location.zone,
    )


def _begun(line: OrderLine, location: Location, customer_id: str, now: datetime) -> Subscription:
    return begin_subscription(
        subscription_id="",
        line=line,
        customer_id=customer_id,
        location=location,
        invoice_id="",
        now=now,
    )


def checkout_page(
    priced: PricedCart,
    catalogue: Catalogue,
    customer: Customer,
    now: datetime,
    *,
    idempotency_key: str,
    chosen_card: str | None = None,
    provider_ready: bool,
    set_up: Collection[str] | None = None,
    decline: Decline | None = None,
    cart_changed: bool = False,
) -> CheckoutPage:
    """The review before paying. `chosen_card` is preselected while it is on file, else the
    default one."""
    card = customer.card_for(chosen_card)
    return CheckoutPage(
        location=priced.location.name,
        cart=priced.cart.token,
        lines=line_views(priced, catalogue),
        totals=totals_view(priced),
        due_now=priced.total,
        due_later=due_later_views(priced),
        expected_total=priced.total.minor,
        seen=priced.seen,
        cards=card_views(customer, now, set_up),
        card=card.id if card else None,
        card_required=priced.needs_card,
        can_add_card=provider_ready and len(customer.cards) < MAX_CARDS,
        idempotency_key=idempotency_key,
        terms=tuple(
            _terms(line, priced.location, catalogue, customer, now)
            for line in priced.lines
            if line.product.kind is ProductKind.SUBSCRIPTION or line.order.recurs_when
        ),
        decline=decline,
        cart_changed=cart_changed,
    )


# --- afterwards ------------------------------------------------------------------------------


def brought_by(charge: Charge, catalogue: Catalogue) -> Fulfilment:
    """What a settled order brought, as it was at that moment: everything is made from the order
    alone, so it can be made again."""
    location = catalogue.location(charge.location_id)
    if charge.settled_at is None or location is None:
        return Fulfilment()
    return fulfil(
        charge.order,
        charge_id=charge.id,
        customer_id=charge.customer_id,
        location=location,
        invoice_id=charge.invoice_id,
        now=charge.settled_at,
    )


def _due_later(charge: Charge, catalogue: Catalogue) -> tuple[DueLater, ...]:
    location = catalogue.location(charge.location_id)
    if location is None:
        return ()
    found = []
    for at, line in enumerate(charge.order):
        if line.due is Due.NOW or line.terms is None or line.starts_on is None:
            continue
        begun = _begun(line, location, charge.customer_id, charge.created_at)
        charged_at = begun.charged_at(0)
        assert charged_at is not None, "what is charged later has a calendar"
        cost = period_cost.period_line(line.terms, location, catalogue, "")
        found.append(
            DueLater(
                line_id=str(at),
                name=line.name,
                why=LaterReason.TRIAL if line.due is Due.AFTER_TRIAL else LaterReason.LATER_START,
                starts_on=line.starts_on,
                at=charged_at,
                amount=period_cost.owed_with_tax(cost),
                zone=location.zone,
            )
        )
    return tuple(found)


def _access(charge: Charge, catalogue: Catalogue) -> tuple[AccessLink, ...]:
    """Links of digital products: only once their order is paid ([WHO])."""
    if charge.settled_at is None:
        return ()
    links = []
    for line in charge.order:
        product = catalogue.product(line.product_id)
        if line.kind is ProductKind.ACCESS and product is not None and product.access_link:
            links.append(AccessLink(product_id=product.id, name=line.name, url=product.access_link))
    return tuple(links)


def order_page(
    answered: Answered,
    catalogue: Catalogue,
    customer: Customer,
    now: datetime,
    *,
    packs: tuple[Pack, ...] = (),
    subscriptions: tuple[Subscription, ...] = (),
) -> OrderPage:
    """What became of a checkout; `packs` and `subscriptions` are what it brought."""
    charge, attempt = answered.charge, answered.attempt
    lines = invoice_lines(charge.order)
    confirms = answered.state is Checked.CONFIRM and attempt is not None
    return OrderPage(
        order=charge.source,
        order_id=order_id(charge.invoice_id),
        state=STATES[answered.state],
        at=attempt.started_at if attempt else charge.created_at,
        zone=zone_of(catalogue, charge.location_id),
        location=place_name(catalogue, charge.location_id),
        lines=tuple(line_view(line) for line in lines),
        totals=totals_of(lines, charge.amount.currency, charge.tax_name),
        card=card_view(attempt.card, customer, now) if attempt else None,
        invoice_id=charge.invoice_id if lines and charge.settled_at else None,
        due_later=_due_later(charge, catalogue),
        packs=tuple(pack_summary(pack, catalogue, now) for pack in packs),
        subscriptions=tuple(
            subscription_summary(one, catalogue, customer, now) for one in subscriptions
        ),
        access=_access(charge, catalogue),
        confirm_url=attempt.confirm_url if confirms and attempt else None,
        decline=decline_of(attempt) if answered.state is Checked.DECLINED else None,
    )
