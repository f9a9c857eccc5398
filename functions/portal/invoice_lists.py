"""Invoices by state, and the payment history, sorted by any of its columns ([HISTORY]). Pure."""

from collections.abc import Callable, Iterable, Sequence

from functions.portal.listing import ListQuery, choices_of, paged
from functions.portal.pages.invoice_models import (
    EstimateView,
    InvoicesPage,
    PaymentSort,
    PaymentsPage,
)
from functions.portal.store_credit import store_credit
from shared.domain.customer import Customer
from shared.domain.invoice import Invoice, InvoiceState, LineKind
from shared.domain.money import Money
from shared.domain.product import Catalogue
from shared.web.pages.invoices import PaymentRow, invoice_summary, payment_row


class InvoicesQuery(ListQuery):
    state: InvoiceState | None = None


class PaymentsQuery(ListQuery):
    sort: PaymentSort = PaymentSort.DATE
    descending: bool = True


def _owed(invoices: Iterable[Invoice]) -> tuple[Money, ...]:
    sums: dict[str, Money] = {}
    for invoice in invoices:
        if invoice.state is InvoiceState.OPEN:
            before = sums.get(invoice.currency, Money.zero(invoice.currency))
            sums[invoice.currency] = before + invoice.owed
    return tuple(sums[currency] for currency in sorted(sums) if sums[currency])


def invoices_page(
    invoices: Sequence[Invoice],
    query: InvoicesQuery,
    ended_at: str | None,
    catalogue: Catalogue,
    customer: Customer,
    estimates: tuple[EstimateView, ...] = (),
) -> InvoicesPage:
    wanted = query.state.value if query.state else ""
    narrowed = [one for one in invoices if wanted in ("", one.state.value)]
    listed, following = paged(narrowed, query, ended_at, "/invoices", state=wanted)
    return InvoicesPage(
        state=wanted,
        states=choices_of((one.state.value for one in invoices), InvoiceState, wanted),
        invoices=tuple(invoice_summary(one, catalogue) for one in listed),
        estimates=estimates,
        owed=_owed(invoices),
        store_credit=store_credit(customer),
        next=following,
    )


_SORT_KEYS: dict[PaymentSort, Callable[[PaymentRow], tuple[object, ...]]] = {
    PaymentSort.DATE: lambda row: (row.at, row.order_id),
    PaymentSort.PRICE: lambda row: (row.amount.currency, row.amount.minor, row.at),
    PaymentSort.ORDER_ID: lambda row: (row.order_id,),
    PaymentSort.STATUS: lambda row: (row.status.value, row.at),
}


def _by_credits_alone(invoice: Invoice) -> bool:
    moved = any(one.amount for one in invoice.payments)
    return not moved and not invoice.total and invoice.lines[-1].kind is LineKind.CREDIT


def payments_page(
    invoices: Iterable[Invoice], query: PaymentsQuery, ended_at: str | None, catalogue: Catalogue
) -> PaymentsPage:
    """The payment history, sorted by any of its columns ([HISTORY]). What credits alone paid for
    is not in it; a payment of 0 of something that was bought is."""
    rows = [payment_row(one, catalogue) for one in invoices if not _by_credits_alone(one)]
    rows.sort(key=_SORT_KEYS[query.sort], reverse=query.descending)
    listed, following = paged(
        rows,
        query,
        ended_at,
        "/payments",
        sort=query.sort.value,
        descending="true" if query.descending else "false",
    )
    return PaymentsPage(
        sort=query.sort, descending=query.descending, payments=tuple(listed), next=following
    )
