"""Answers about invoices and payments ([HISTORY])."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.money import Money
from shared.web.answer import View
from shared.web.pages.cards import CardView
from shared.web.pages.charges import ChargeView
from shared.web.pages.choices import Choice
from shared.web.pages.invoices import InvoiceSummary, PaymentRow, PaymentView
from shared.web.pages.lines import LineView, Totals


class EstimateView(View):
    """An invoice to be, for what is booked and not yet charged ([HISTORY]). `outstanding` once it
    has begun unpaid."""

    reservation_id: str
    name: str
    starts_at: AwareDatetime
    zone: str
    location: str
    lines: tuple[LineView, ...]
    totals: Totals
    outstanding: bool = False


class InvoicesPage(View):
    """`GET /invoices`. `state` "" is all; `owed` per currency over open invoices, `store_credit`
    likewise. `estimates` are on the first page of all, and of those that are open."""

    state: str = ""
    states: tuple[Choice, ...] = ()
    invoices: tuple[InvoiceSummary, ...] = ()
    estimates: tuple[EstimateView, ...] = ()
    owed: tuple[Money, ...] = ()
    store_credit: tuple[Money, ...] = ()
    next: str | None = None


class WhyNotPay(StrEnum):
    OUTCOME_UNKNOWN = "outcome_unknown"
    """A payment is under way; no other may begin until it is known ([ONCE])."""
    NO_CARD = "no_card"
    TO_BE_CONFIRMED = "to_be_confirmed"
    """The customer's bank asks for a confirmation of the last try, which is to be given first."""


class PayForm(View):
    amount: Money
    cards: tuple[CardView, ...] = ()
    card: str | None = None
    idempotency_key: str
    why_not: WhyNotPay | None = None
    confirm_url: str | None = None


class InvoicePage(View):
    """`GET /invoices/{invoice}`. `pay` while something is owed. `reservation_id` and `pack_id` are
    the place that it is for, and the pack that was bought with one."""

    invoice: InvoiceSummary
    lines: tuple[LineView, ...]
    totals: Totals
    payments: tuple[PaymentView, ...] = ()
    paid: Money
    merchant: str
    merchant_address: str = ""
    customer_name: str = ""
    customer_email: str = ""
    period_from: date | None = None
    reservation_id: str | None = None
    pack_id: str | None = None
    attempts: tuple[ChargeView, ...] = ()
    pay: PayForm | None = None


class PaymentSort(StrEnum):
    DATE = "date"
    PRICE = "price"
    ORDER_ID = "order_id"
    STATUS = "status"


class PaymentsPage(View):
    """`GET /payments`, sortable by each column."""

    sort: PaymentSort = PaymentSort.DATE
    descending: bool = True
    payments: tuple[PaymentRow, ...] = ()
    next: str | None = None
