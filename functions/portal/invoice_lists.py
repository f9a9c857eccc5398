"""Invoices by state, and the payment history, sorted by any of its columns ([HISTORY]). Pure."""

from collections.abc import Callable, Iterable

from functions.portal.listing import Listed, ListQuery, SkippingQuery, choices_of, page_of, paged
from functions.portal.pages.invoice_models import (
    EstimateView,
    InvoicesPage,
    PaymentSort,
    PaymentsPage,
)
from functions.portal.store_credit import store_credit
from shared.domain.business import Business
from shared.domain.customer import Customer
from shared.domain.invoice import Invoice, InvoiceState, by_credits_alone
from shared.domain.money import Money
from shared.web.pages.invoices import PaymentRow, invoice_summary, payment_row


class InvoicesQuery(ListQuery):
    state: InvoiceState | None = None


class PaymentsQuery(SkippingQuery):
    sort: PaymentSort = PaymentSort.DATE
    descending: bool = True

    @property
    def newest_first(self) -> bool:
        return self.sort is PaymentSort.DATE and self.descending


def _owed(invoices: Iterable[Invoice]) -> tuple[Money, ...]:
    sums: dict[str, Money] = {}
    for invoice in invoices:
        if invoice.state is InvoiceState.OPEN:
            before = sums.get(invoice.currency, Money.zero(invoice.currency))
            sums[invoice.currency] = before + invoice.owed
    return tuple(sums[currency] for currency in sorted(sums) if sums[currency])


def invoices_page(
    listed: Listed[Invoice],
    asking: Iterable[Invoice],
    query: InvoicesQuery,
    business: Business,
    customer: Customer,
    estimates: tuple[EstimateView, ...] = (),
) -> InvoicesPage:
    """`asking` are all those that stay open: with what was listed they are what is owed."""
    wanted = query.state.value if query.state else ""
    narrowed = [one for one in listed.items if wanted in ("", one.state.value)]
    invoices, following = page_of(narrowed, listed.ended_at, "/invoices", state=wanted)
    return InvoicesPage(
        state=wanted,
        states=choices_of(
            (one.state.value for one in listed.items),
            InvoiceState,
            wanted,
            whole=query.after is None and listed.ended_at is None,
        ),
        invoices=tuple(invoice_summary(one, business) for one in invoices),
        estimates=estimates,
        owed=_owed({one.id: one for one in (*asking, *listed.items)}.values()),
        store_credit=store_credit(customer),
        next=following,
    )


_SORT_KEYS: dict[PaymentSort, Callable[[PaymentRow], tuple[object, ...]]] = {
    PaymentSort.DATE: lambda row: (row.at, row.order_id),
    PaymentSort.PRICE: lambda row: (row.amount.currency, row.amount.minor, row.at),
    PaymentSort.ORDER_ID: lambda row: (row.order_id,),
    PaymentSort.STATUS: lambda row: (row.status.value, row.at),
}


def payments_page(
    listed: Listed[Invoice], query: PaymentsQuery, business: Business
) -> PaymentsPage:
    """The payment history, sorted by any of its columns ([HISTORY]): by date, the latest first, a
    page at a time of what was asked for last; else what was looked through."""
    told = [one for one in listed.items if not by_credits_alone(one)]
    if query.newest_first:
        shown, following = page_of(told, listed.ended_at, "/payments")
        rows = [payment_row(one, business) for one in shown]
        rows.sort(key=_SORT_KEYS[query.sort], reverse=True)
        return PaymentsPage(payments=tuple(rows), next=following)
    rows = [payment_row(one, business) for one in told]
    rows.sort(key=_SORT_KEYS[query.sort], reverse=query.descending)
    page, following = paged(
        rows,
        query,
        listed.ended_at,
        "/payments",
        sort=query.sort.value,
        descending="true" if query.descending else "false",
    )
    return PaymentsPage(
        sort=query.sort, descending=query.descending, payments=tuple(page), next=following
    )
