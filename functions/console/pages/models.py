"""Answers of the console: notices, customers, and one customer's whole story ([CONSOLE])."""

from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.message import NoticeKind
from shared.domain.money import Money
from shared.web.answer import View
from shared.web.pages.parts import (
    CardView,
    InvoiceSummary,
    PackSummary,
    PastDueView,
    SubscriptionSummary,
)


class NoticeView(View):
    """Something staff should see ([NOTICE])."""

    id: str
    kind: NoticeKind
    title: str
    detail: str = ""
    created_at: AwareDatetime
    location: str = ""
    customer_id: str | None = None
    customer_name: str = ""


class ConsoleHome(View):
    """`GET /console`: the open notices this staff member may see, newest first."""

    notices: tuple[NoticeView, ...] = ()


class CustomerRow(View):
    id: str
    name: str = ""
    email: str
    past_due: bool = False


class CustomersPage(View):
    """`GET /console/customers`. `email` is what was searched for."""

    email: str = ""
    customers: tuple[CustomerRow, ...] = ()
    next: str | None = None


class TimelineKind(StrEnum):
    """What a line of the timeline is about."""

    CUSTOMER = "customer"
    CART = "cart"
    CHARGE = "charge"
    ATTEMPT = "attempt"
    INVOICE = "invoice"
    PAYMENT = "payment"
    REFUND = "refund"
    SUBSCRIPTION = "subscription"
    PACK = "pack"
    ENTRY = "entry"
    CARD = "card"
    MESSAGE = "message"
    NOTICE = "notice"


class LinkKind(StrEnum):
    SUBSCRIPTION = "subscription"
    PACK = "pack"
    INVOICE = "invoice"
    CHARGE = "charge"


class TimelineLink(View):
    kind: LinkKind
    id: str
    name: str = ""


class TimelineEntry(View):
    """One thing that happened, in plain words: `what` in a few, `detail` says why or how."""

    id: str
    at: AwareDatetime
    kind: TimelineKind
    what: str
    detail: str = ""
    amount: Money | None = None
    by: str = ""
    links: tuple[TimelineLink, ...] = ()


class CustomerPage(View):
    """`GET /console/customers/{customer}`. The timeline is newest first and answers
    "why was I charged?"."""

    id: str
    name: str = ""
    email: str
    locale: str = ""
    created_at: AwareDatetime
    mail_blocked: bool = False
    store_credit: tuple[Money, ...] = ()
    past_due: tuple[PastDueView, ...] = ()
    cards: tuple[CardView, ...] = ()
    packs: tuple[PackSummary, ...] = ()
    subscriptions: tuple[SubscriptionSummary, ...] = ()
    invoices: tuple[InvoiceSummary, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    next: str | None = None
    zone: str
