"""A customer's page: who they are, what they have, and the timeline."""

from functions.console.books import Books
from functions.console.pages.models import CustomerPage
from functions.console.timeline import timeline
from shared.domain.charge import Card
from shared.domain.customer import Customer
from shared.domain.invoice import Invoice
from shared.domain.money import Money
from shared.domain.pack import Entry, Pack, PackStatus
from shared.domain.product import Catalogue
from shared.domain.subscription import Subscription, paid_until
from shared.operations.context import Context
from shared.operations.forecast import next_ahead
from shared.web.pages.parts import (
    CardView,
    ChargeAhead,
    EntryView,
    InvoiceSummary,
    PackSummary,
    PastDueView,
    SubscriptionSummary,
)

SHOWN_MAX = 50
"""How many subscriptions, packs and invoices the side of the page lists; the timeline has all."""


def customer_page(
    books: Books,
    context: Context,
    *,
    locale: str,
    before: str,
    may_change: bool,
    idempotency_key: str,
) -> CustomerPage:
    """The whole page for one staff member's `books`. `before` is the timeline's cursor."""
    customer, catalogue = books.customer, context.catalogue
    now = context.now()
    told, older = timeline(books, catalogue, locale=locale, now=now, before=before)
    own = catalogue.location(customer.location)
    packs = sorted(
        books.packs, key=lambda one: (one.status(now) in PAST, -one.bought_at.timestamp())
    )
    subscriptions = sorted(
        books.subscriptions, key=lambda one: (one.over, -one.created_at.timestamp())
    )
    return CustomerPage(
        id=customer.id,
        name=customer.name,
        email=customer.email,
        locale=customer.locale,
        created_at=customer.created_at,
        mail_blocked=customer.mail_blocked,
        store_credit=tuple(
            Money(minor=minor, currency=currency)
            for currency, minor in sorted(customer.store_credit.items())
        ),
        past_due=_past_due(books),
        cards=tuple(_card(customer, card, context) for card in customer.cards),
        packs=tuple(_pack(one, context) for one in packs[:SHOWN_MAX]),
        subscriptions=tuple(
            subscription_summary(one, customer, context) for one in subscriptions[:SHOWN_MAX]
        ),
        invoices=tuple(_invoice(one, catalogue) for one in books.invoices[:SHOWN_MAX]),
        timeline=told,
        next=older,
        whole=books.whole,
        zone=(own or catalogue.locations[0]).zone,
        may_change=may_change,
        idempotency_key=idempotency_key,
    )


PAST = frozenset({PackStatus.EXPIRED, PackStatus.USED_UP})


def _past_due(books: Books) -> tuple[PastDueView, ...]:
    zones = {one.id: one.zone for one in books.subscriptions}
    return tuple(
        PastDueView(
            subscription_id=late.subscription_id,
            name=late.name,
            owed=late.owed,
            zone=zones.get(late.subscription_id, "UTC"),
            next_try_at=late.next_try_at,
            needs=late.needs,
            confirm_url=late.confirm_url,
        )
        for late in books.customer.past_due
    )


def _card(customer: Customer, card: Card, context: Context) -> CardView:
    now = context.now()
    return CardView(
        id=card.id,
        brand=card.brand,
        last4=card.last4,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        default=card.id == customer.default_card,
        expired=(card.exp_year, card.exp_month) < (now.year, now.month),
    )


def _place(catalogue: Catalogue, location_id: str) -> str:
    location = catalogue.location(location_id)
    return location.name if location else location_id


def _service(catalogue: Catalogue, service_id: str | None) -> tuple[str, str]:
    service = catalogue.service(service_id)
    return (service.name, service.unit) if service else ("", "credit")


def _pack(pack: Pack, context: Context) -> PackSummary:
    service, unit = _service(context.catalogue, pack.service_id)
    return PackSummary(
        id=pack.id,
        name=pack.name,
        status=pack.status(context.now()),
        unlimited=pack.unlimited,
        granted=pack.granted,
        left=pack.left,
        service=service,
        unit=unit,
        location_id=pack.location_id,
        location=_place(context.catalogue, pack.location_id),
        zone=pack.zone,
        bought_at=pack.bought_at,
        usable_from=pack.usable_from,
        expires_at=pack.expires_at,
        expires_with_next=pack.expires_with_next,
        trial=pack.trial,
        subscription_id=pack.subscription_id,
        invoice_id=pack.invoice_id,
    )


def subscription_summary(
    one: Subscription, customer: Customer, context: Context
) -> SubscriptionSummary:
    """A subscription in one row, with its next charge by the calculation that charges."""
    service, unit = _service(context.catalogue, one.terms.service_id)
    ahead = next_ahead(context.catalogue, customer, one, context.now())
    return SubscriptionSummary(
        id=one.id,
        name=one.terms.name,
        state=one.state,
        price=one.terms.price,
        frequency=one.frequency,
        service=service,
        unit=unit,
        credits=one.terms.credits,
        unlimited=one.terms.credits is None,
        location_id=one.location_id,
        location=_place(context.catalogue, one.location_id),
        zone=one.zone,
        anchor=one.anchor,
        until=one.until,
        next_charge=None
        if ahead is None
        else ChargeAhead(
            period=ahead.expected.period,
            at=ahead.expected.at,
            starts_on=ahead.expected.starts_on,
            amount=ahead.expected.total,
            card=_card(customer, ahead.card, context) if ahead.card else None,
        ),
        cancel_at_period_end=one.cancel_at_period_end,
        cancel_requested_at=one.cancel_requested_at,
        ends_at=one.ended_at or (paid_until(one) if one.cancel_at_period_end else None),
        end_reason=one.end_reason,
    )


def _invoice(invoice: Invoice, catalogue: Catalogue) -> InvoiceSummary:
    location = catalogue.location(invoice.location_id) or catalogue.locations[0]
    return InvoiceSummary(
        id=invoice.id,
        order_id=invoice.order_id,
        number=invoice.number,
        state=invoice.state,
        status=invoice.status,
        created_at=invoice.created_at,
        zone=location.zone,
        location=location.name,
        description=", ".join(line.name for line in invoice.lines),
        total=invoice.total,
        owed=invoice.owed,
        subscription_id=invoice.subscription_id,
    )


def entry_view(entry: Entry) -> EntryView:
    """A line of a pack's ledger."""
    return EntryView(
        id=entry.id,
        kind=entry.kind,
        delta=entry.delta,
        left=entry.left,
        at=entry.at,
        reason=entry.reason,
        by=entry.by,
        invoice_id=entry.invoice_id,
    )
