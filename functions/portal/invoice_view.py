"""What the page of one invoice shows. Pure."""

from collections.abc import Collection, Sequence
from datetime import datetime

from functions.portal.pages.invoice_models import InvoicePage, PayForm, WhyNotPay
from shared.domain.business import Business
from shared.domain.calendar import local_date
from shared.domain.charge import Charge
from shared.domain.customer import Customer
from shared.domain.invoice import Invoice, InvoiceState
from shared.domain.outcome import Outcome
from shared.domain.subscription import (
    Subscription,
    SubscriptionState,
)
from shared.web.pages.cards import card_views
from shared.web.pages.charges import ChargeView, attempt_view, charge_view
from shared.web.pages.invoices import invoice_summary, payment_views
from shared.web.pages.lines import line_view, totals_of
from shared.web.pages.names import zone_of

PAYABLE = frozenset({SubscriptionState.PAST_DUE, SubscriptionState.PAUSED})


def _tries(
    charge: Charge, subscription: Subscription | None, business: Business
) -> tuple[ChargeView, ...]:
    if not charge.attempts:
        return ()
    if subscription is not None and charge.period is not None:
        return (charge_view(charge, subscription),)
    day = local_date(charge.created_at, zone_of(business, charge.location_id))
    return (
        ChargeView(
            id=charge.id,
            period=0,
            starts_on=day,
            invoice_id=charge.invoice_id,
            amount=charge.amount,
            outcome=charge.outcome,
            settled_at=charge.settled_at,
            given_up=charge.given_up,
            attempts=tuple(attempt_view(one) for one in charge.attempts),
        ),
    )


def collects(subscription: Subscription | None, invoice: Invoice) -> bool:
    """Whether the customer may pay `invoice` now: it is what its subscription fails to collect."""
    return (
        subscription is not None
        and subscription.state in PAYABLE
        and subscription.collection is not None
        and subscription.collection.invoice_id == invoice.id
    )


def paid_directly(subscription: Subscription | None, invoice: Invoice) -> bool:
    """Whether `invoice` is no subscription's to collect: its customer pays it by itself."""
    collection = subscription.collection if subscription is not None else None
    return collection is None or collection.invoice_id != invoice.id


def _pay_form(
    invoice: Invoice,
    charge: Charge | None,
    subscription: Subscription | None,
    customer: Customer,
    now: datetime,
    key: str,
    set_up: Collection[str] | None,
) -> PayForm | None:
    if invoice.state is not InvoiceState.OPEN or invoice.owed.minor <= 0:
        return None
    direct = paid_directly(subscription, invoice)
    open_now = direct or collects(subscription, invoice)
    unknown = not open_now or (charge is not None and charge.undecided)
    card = customer.card_for(subscription.card_id if subscription else None)
    waits = charge is not None and charge.outcome is Outcome.AUTHENTICATION_REQUIRED
    why_not = WhyNotPay.OUTCOME_UNKNOWN if unknown else None if card else WhyNotPay.NO_CARD
    if waits and direct:
        why_not = WhyNotPay.TO_BE_CONFIRMED
    return PayForm(
        amount=invoice.owed,
        cards=card_views(customer, now, set_up),
        card=card.id if card else None,
        idempotency_key=key,
        why_not=why_not,
        confirm_url=charge.last.confirm_url if waits and charge and charge.last else None,
    )


def invoice_page(
    invoice: Invoice,
    charges: Sequence[Charge],
    subscription: Subscription | None,
    business: Business,
    customer: Customer,
    now: datetime,
    *,
    idempotency_key: str,
    set_up: Collection[str] | None = None,
) -> InvoicePage:
    """An invoice with its tries, and the form to pay it while something is owed ([HISTORY]). The
    last of `charges` is the one that would collect it now."""
    location = business.location(invoice.location_id)
    of_period = subscription is not None and invoice.period is not None
    return InvoicePage(
        invoice=invoice_summary(invoice, business),
        lines=tuple(line_view(line) for line in invoice.lines),
        totals=totals_of(invoice.lines, invoice.currency, invoice.tax_name),
        payments=payment_views(invoice),
        paid=invoice.paid,
        merchant=business.settings.merchant_name,
        merchant_address=(location.address if location else "") or business.settings.address,
        customer_name=customer.name,
        customer_email=customer.email,
        period_from=(
            subscription.starts(invoice.period)
            if of_period and subscription and invoice.period is not None
            else None
        ),
        reservation_id=invoice.reservation_id,
        pack_id=invoice.pack_id,
        attempts=tuple(tries for one in charges for tries in _tries(one, subscription, business)),
        pay=_pay_form(
            invoice,
            charges[-1] if charges else None,
            subscription,
            customer,
            now,
            idempotency_key,
            set_up,
        ),
    )
