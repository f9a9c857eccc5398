"""The account's lists: narrowed down, sorted, and shown a page at a time. Pure.

A list is made from the newest items, as many as one reading brings; further ones follow from where
it ended. Filters, search and order are those of what was read.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from pydantic import Field, StringConstraints

from functions.portal.glance import store_credit
from functions.portal.ids import Id
from functions.portal.pages.invoice_models import (
    EstimateView,
    InvoicesPage,
    PaymentSort,
    PaymentsPage,
)
from functions.portal.pages.pack_models import PacksPage
from functions.portal.pages.subscription_models import SubscriptionsPage
from shared.domain.customer import Customer
from shared.domain.invoice import Invoice, InvoiceState, LineKind
from shared.domain.money import Money
from shared.domain.pack import Pack, PackStatus
from shared.domain.product import Catalogue
from shared.domain.subscription import Subscription, SubscriptionState
from shared.web.answer import Query
from shared.web.pages.choices import Choice
from shared.web.pages.invoices import PaymentRow, invoice_summary, payment_row
from shared.web.pages.packs import credits_left, pack_summary
from shared.web.pages.subscriptions import subscription_summary

PAGE_SIZE = 50
READ_AT_ONCE = 300
"""How many of the newest items a list is made from."""

SEARCH_WORDS_MAX = 10

T = TypeVar("T")
Search = Annotated[str, StringConstraints(max_length=200)]


class ListQuery(Query):
    """`after` is the id that the former reading ended with, `skip` how many of this one were
    shown before. Both come with `next`."""

    after: Id | None = None
    skip: Annotated[int, Field(ge=0, le=READ_AT_ONCE)] = 0


class PacksQuery(ListQuery):
    status: PackStatus | None = None
    q: Search = ""


class SubscriptionsQuery(ListQuery):
    state: SubscriptionState | None = None
    status: SubscriptionState | None = None
    """The same as `state`."""
    q: Search = ""

    @property
    def wanted(self) -> SubscriptionState | None:
        return self.state or self.status


class InvoicesQuery(ListQuery):
    state: InvoiceState | None = None


class PaymentsQuery(ListQuery):
    sort: PaymentSort = PaymentSort.DATE
    descending: bool = True


def paged(
    items: Sequence[T], query: ListQuery, ended_at: str | None, path: str, **kept: str
) -> tuple[Sequence[T], str | None]:
    """One page of `items`, and the address of the next: in this reading, else where it ended."""
    end = query.skip + PAGE_SIZE
    again = {name: value for name, value in kept.items() if value}
    if len(items) > end:
        at = {"after": query.after or "", "skip": str(end)}
    elif ended_at is not None:
        at = {"after": ended_at.partition("#")[2]}
    else:
        return items[query.skip : end], None
    asked = {**again, **{name: value for name, value in at.items() if value}}
    return items[query.skip : end], f"{path}?{urlencode(asked)}"


def _choices(values: Iterable[str], every: Iterable[str], chosen: str) -> tuple[Choice, ...]:
    """All, and each value that there is; the chosen one even if there is none."""
    listed = list(values)
    counted = {value: listed.count(value) for value in every}
    return (
        Choice(value="", count=len(listed), selected=not chosen),
        *(
            Choice(value=value, count=count, selected=value == chosen)
            for value, count in counted.items()
            if count or value == chosen
        ),
    )


def _fits(search: str) -> Callable[..., bool]:
    words = search.casefold().split()[:SEARCH_WORDS_MAX]

    def fits(*texts: str) -> bool:
        text = " ".join(texts).casefold()
        return all(word in text for word in words)

    return fits


# --- packs and subscriptions -----------------------------------------------------------------


def packs_page(
    packs: Iterable[Pack],
    query: PacksQuery,
    ended_at: str | None,
    catalogue: Catalogue,
    now: datetime,
) -> PacksPage:
    held = sorted(packs, key=lambda pack: pack.bought_at, reverse=True)
    fits = _fits(query.q)
    shown = [pack_summary(pack, catalogue, now) for pack in held]
    found = [one for one in shown if fits(one.name, one.service, one.location)]
    wanted = query.status.value if query.status else ""
    narrowed = [one for one in found if wanted in ("", one.status.value)]
    listed, following = paged(narrowed, query, ended_at, "/packs", status=wanted, q=query.q)
    return PacksPage(
        status=wanted,
        statuses=_choices((one.status.value for one in found), PackStatus, wanted),
        query=query.q,
        credits=credits_left(held, catalogue, now),
        packs=tuple(listed),
        next=following,
    )


def subscriptions_page(
    subscriptions: Iterable[Subscription],
    query: SubscriptionsQuery,
    ended_at: str | None,
    catalogue: Catalogue,
    customer: Customer,
    now: datetime,
) -> SubscriptionsPage:
    """Those that run come before those that are over."""
    held = sorted(subscriptions, key=lambda one: one.over)
    fits = _fits(query.q)
    shown = [subscription_summary(one, catalogue, customer, now) for one in held]
    found = [one for one in shown if fits(one.name, one.service, one.location)]
    wanted = query.wanted.value if query.wanted else ""
    narrowed = [one for one in found if wanted in ("", one.state.value)]
    listed, following = paged(narrowed, query, ended_at, "/subscriptions", state=wanted, q=query.q)
    return SubscriptionsPage(
        state=wanted,
        states=_choices((one.state.value for one in found), SubscriptionState, wanted),
        query=query.q,
        subscriptions=tuple(listed),
        next=following,
    )


# --- invoices and payments -------------------------------------------------------------------


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
        states=_choices((one.state.value for one in invoices), InvoiceState, wanted),
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
