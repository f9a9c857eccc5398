"""A period's charge and invoice, before anybody is asked for money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain import collecting, period_cost
from shared.domain.charge import Charge, Purpose
from shared.domain.invoice import Invoice, InvoiceState
from shared.operations.books import Books, location_of
from shared.store import accounts
from shared.store.items import Row
from shared.store.writing import unsaved

if TYPE_CHECKING:
    from shared.domain.customer import Customer
    from shared.domain.subscription import Subscription
    from shared.operations.context import Context


def new_period(
    context: Context,
    subscription: Row[Subscription],
    customer: Row[Customer],
    *,
    invoice_id: str,
) -> Books:
    """The books of the next period as it begins to be collected: charge and invoice are new, with
    the price agreed and today's tax; nothing is stored yet."""
    now = context.now()
    value = subscription.value
    location = location_of(context, value.location_id)
    period = value.next_period
    source = accounts.period_source(value.id, period)
    words = _period_in_words(value, period)
    line = period_cost.period_line(value.terms, location, context.business, words)
    invoice = Invoice(
        id=invoice_id,
        customer_id=value.customer_id,
        location_id=location.id,
        state=InvoiceState.OPEN,
        created_at=now,
        lines=(line,),
        tax_name=location.tax_name,
        subscription_id=value.id,
        period=period,
        source=source,
    )
    charge = Charge(
        id=context.new_id(),
        source=source,
        purpose=Purpose.PERIOD,
        customer_id=value.customer_id,
        location_id=location.id,
        amount=invoice.total,
        description=f"{context.business.settings.merchant_name}: {value.terms.name}",
        invoice_id=invoice.id,
        created_at=now,
        subscription_id=value.id,
        period=period,
    )
    opened = collecting.open_collection(
        value,
        source=source,
        invoice_id=invoice.id,
        policy=context.business.settings.retry,
        reminds=value.frequency is not None and context.business.reminds(value.frequency),
        now=now,
    )
    return Books(
        charge=unsaved(accounts.charge(value.customer_id, source), charge),
        customer=customer,
        subscription=Row(subscription.ref, opened, subscription.version),
        invoice=unsaved(accounts.invoice(value.customer_id, invoice.id), invoice),
    )


def _period_in_words(subscription: Subscription, period: int) -> str:
    first_day, last_day = subscription.starts(period), subscription.ends(period)
    if first_day is None or last_day is None:
        return f"Pack {period + 1}"
    standing = subscription.terms.standing
    days = f"{first_day.isoformat()} to {last_day.isoformat()}"
    return f"{days}, {standing.words}" if standing else days
