"""Answers of the console: notices, customers, and one customer's whole story ([CONSOLE])."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.calendar import Frequency
from shared.domain.dunning import RetryPolicy
from shared.domain.message import NoticeKind
from shared.domain.money import Money
from shared.domain.policy_trial import PolicyTrial
from shared.operations.answered import Checked
from shared.operations.staff import Released
from shared.web.answer import View
from shared.web.pages.cards import CardView
from shared.web.pages.entries import EntryView
from shared.web.pages.invoices import InvoiceSummary
from shared.web.pages.packs import PackSummary
from shared.web.pages.subscriptions import PastDueView, SubscriptionSummary, UpcomingCharge


class NoticeView(View):
    """Something staff should see ([NOTICE]). `zone` is its location's. `work` names what was set
    aside for whoever operates this, and `may_release` says that this person may have it tried
    again."""

    id: str
    kind: NoticeKind
    title: str
    detail: str = ""
    created_at: AwareDatetime
    zone: str = ""
    location: str = ""
    customer_id: str | None = None
    customer_name: str = ""
    done_at: AwareDatetime | None = None
    done_by: str | None = None
    work: str = ""
    may_release: bool = False


class NoticeReleased(View):
    """What became of trying again, and the notice as it then stands."""

    outcome: Released
    notice: NoticeView


class ConsoleHome(View):
    """`GET /console`: the open notices this staff member may see, newest first. Without
    `provider_ready` no payment provider is set up, and packages and subscriptions are hidden from
    the shop ([VISIBLE])."""

    provider_ready: bool = True
    notices: tuple[NoticeView, ...] = ()
    next: str | None = None


class CustomerRow(View):
    id: str
    name: str = ""
    email: str
    past_due: bool = False


class CustomersPage(View):
    """`GET /console/customers`. `email` is what their address begins with, `name` is contained in
    their name or address."""

    email: str = ""
    name: str = ""
    customers: tuple[CustomerRow, ...] = ()
    next: str | None = None


class TimelineKind(StrEnum):
    """What a line of the timeline is about. `ATTEMPT` is one try to collect; `CHARGE` what was
    charged, or not, without one."""

    CUSTOMER = "customer"
    CHARGE = "charge"
    ATTEMPT = "attempt"
    INVOICE = "invoice"
    PAYMENT = "payment"
    REFUND = "refund"
    SUBSCRIPTION = "subscription"
    PACK = "pack"
    RESERVATION = "reservation"
    CARD = "card"
    MESSAGE = "message"
    NOTICE = "notice"


class LinkKind(StrEnum):
    SUBSCRIPTION = "subscription"
    PACK = "pack"
    INVOICE = "invoice"


class TimelineLink(View):
    kind: LinkKind
    id: str
    name: str = ""


class TimelineEntry(View):
    """One thing that happened, in a plain sentence: `detail` says why or how, `amount` is money
    that moved, `zone` is the location's. `failed`: it did not go as wished."""

    id: str
    at: AwareDatetime
    zone: str = ""
    kind: TimelineKind
    what: str
    detail: str = ""
    amount: Money | None = None
    by: str = ""
    failed: bool = False
    links: tuple[TimelineLink, ...] = ()


class CreditUse(View):
    """A reservation that credits of a pack went to. `over`: used up, and not only held for what is
    to come."""

    reservation_id: str
    name: str
    at: AwareDatetime | None = None
    zone: str
    credits: int
    over: bool


class FrozenPack(View):
    """A pack that is on hold since a bank took back what paid for it: where its credits went
    ([REVERSE]). `unused` None: unlimited."""

    pack_id: str
    frozen_at: AwareDatetime
    zone: str
    uses: tuple[CreditUse, ...] = ()
    unused: int | None


class CustomerPage(View):
    """`GET /console/customers/{customer}`. The timeline is newest first and answers
    "why was I charged?"; `next` leads to what is older. `forecast` are the charges of the next 12
    months as the customer sees them, `forecast_totals` their sums per currency, tax included.
    `may_change`: this person may cancel and change credits. `whole` False: the oldest history was
    too long to be read."""

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
    frozen: tuple[FrozenPack, ...] = ()
    subscriptions: tuple[SubscriptionSummary, ...] = ()
    invoices: tuple[InvoiceSummary, ...] = ()
    forecast: tuple[UpcomingCharge, ...] = ()
    forecast_totals: tuple[Money, ...] = ()
    timeline: tuple[TimelineEntry, ...] = ()
    next: str | None = None
    whole: bool = True
    zone: str
    may_change: bool = False
    idempotency_key: str = ""
    """New for each page; forms add what they are about."""


class EmailSent(View):
    """An email to a customer was written, and goes out within a minute."""

    to: str


class PaymentRecorded(View):
    """The invoice that cash or a transfer has paid ([PAY])."""

    invoice: InvoiceSummary


class CreditsChanged(View):
    """The new line of a pack's ledger ([LEDGER])."""

    pack_id: str
    entry: EntryView


class PlaceChoice(View):
    id: str
    name: str


class ProductChoice(View):
    """A subscription that can be started; `price` is of one period, before tax."""

    id: str
    name: str
    price: Money
    frequency: Frequency | None = None
    frequencies: tuple[Frequency, ...] = ()


class StartPage(View):
    """`GET /console/customers/{customer}/subscriptions`: what can be started at one location.
    `card` is the customer's default one; None: there is none on file."""

    customer_id: str
    name: str
    location_id: str
    locations: tuple[PlaceChoice, ...] = ()
    products: tuple[ProductChoice, ...] = ()
    frequencies: tuple[Frequency, ...] = ()
    card: CardView | None = None
    may_change: bool = False
    idempotency_key: str = ""


class Started(View):
    """What became of starting a subscription: paid or begun, or its card's answer is to come."""

    state: Checked
    order: str


class PolicyRefusal(View):
    """A product that could not be sold at `frequency` with the policy, and why ([RETRY])."""

    product_id: str
    name: str
    frequency: Frequency
    reason: str


class RetryPolicyPage(View):
    """`GET /console/retry-policy`: what `policy` does when the first renewal of a subscription
    from `starts_on` meets `pattern`. `present` is the merchant's policy, which only publishing the
    catalogue changes. `trial` None: nothing was asked yet."""

    present: RetryPolicy
    policy: RetryPolicy
    frequency: Frequency
    starts_on: date
    location_id: str
    zone: str
    pattern: str
    locations: tuple[PlaceChoice, ...] = ()
    trial: PolicyTrial | None = None
    refusals: tuple[PolicyRefusal, ...] = ()
