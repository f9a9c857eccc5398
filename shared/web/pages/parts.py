"""Parts of the answers of portal and console: the same facts for programs (JSON) and people (HTML).

Amounts are `Money`, instants are aware and in UTC, a `zone` beside them names where their days are
meant. Nothing here is worded for the screen: the templates do that.
"""

from datetime import date, time

from pydantic import AwareDatetime

from shared.domain.calendar import Frequency
from shared.domain.charge import By, Outcome
from shared.domain.customer import Attention, CollectedBy
from shared.domain.invoice import InvoiceState, LineKind, PaymentKind, PaymentStatus
from shared.domain.money import Money
from shared.domain.pack import EntryKind, PackStatus
from shared.domain.product import RecursWhen
from shared.domain.recurring import NextPayment
from shared.domain.subscription import EndReason, PausedBy, SubscriptionState
from shared.web.answer import View


class CardView(View):
    """A card on file, as much of it as we know and show."""

    id: str
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None
    """Both None: a bank account."""
    default: bool = False
    expired: bool = False
    chargeable: bool = True
    """False: the provider that keeps it is not set up any more ([MANY])."""


class LineView(View):
    """A line of an order or invoice. `tax` is on top of `amount`."""

    kind: LineKind = LineKind.PRODUCT
    name: str
    detail: str = ""
    quantity: int = 1
    unit: Money
    amount: Money
    tax: Money


class Totals(View):
    subtotal: Money
    tax_name: str = "Tax"
    tax: Money
    total: Money


class PackSummary(View):
    """A pack in one row. `left` and `granted` None: unlimited. `unit` is what one credit is called
    (class, day, visit). `expires_with_next`: when the next period's pack becomes usable."""

    id: str
    name: str
    status: PackStatus
    unlimited: bool = False
    granted: int | None
    left: int | None
    service: str = ""
    unit: str = "credit"
    location_id: str
    location: str
    zone: str
    bought_at: AwareDatetime
    usable_from: AwareDatetime
    expires_at: AwareDatetime | None = None
    expires_with_next: bool = False
    frozen_at: AwareDatetime | None = None
    """When a bank took back what paid for it: nothing of it can be used ([REVERSE])."""
    trial: bool = False
    to_come: int | None = None
    """Of one that is not paid yet: the credits that become usable then; None of an unlimited one
    ([BOOK])."""
    holds_place_at: AwareDatetime | None = None
    """The start of what its first credits hold, while it is not paid."""
    subscription_id: str | None = None
    invoice_id: str | None = None


class EntryView(View):
    """A line of a pack's ledger ([LEDGER]). `left` None: unlimited. `by` is `customer`, `clock`, or
    for staff: `staff` where customers look, the address in the console; empty where a payment did
    it. What it was held for, given back from or used for is the `activity`."""

    id: str
    kind: EntryKind
    delta: int
    left: int | None
    at: AwareDatetime
    reason: str = ""
    by: str = ""
    invoice_id: str | None = None
    reservation_id: str | None = None
    activity_id: str = ""
    activity_name: str = ""
    activity_at: AwareDatetime | None = None
    activity_zone: str = ""


class ChargeAhead(View):
    """The next charge of a subscription: how much in all, tax included, when and on which card.
    `card` None: there is none on file, or no card is asked, since it is collected by recording."""

    period: int
    at: AwareDatetime
    starts_on: date | None = None
    amount: Money
    card: CardView | None = None
    collected_by: CollectedBy = CollectedBy.CARD


class UpcomingCharge(View):
    """A charge to come of one of a customer's subscriptions, by name."""

    subscription_id: str
    name: str
    zone: str
    charge: ChargeAhead


class WeeklyTime(View):
    """When a standing weekly reservation is ([WEEKLY]): `weekday` 0 is Monday, `clock` the
    local time. `staff_member` is empty when whoever leads it will do."""

    weekday: int
    clock: time
    name: str
    staff_member: str = ""
    participants: int = 1


class SubscriptionSummary(View):
    """A subscription in one row. `price` is of one period, before tax. `ends_at` is set when it is
    to end, or has: at a period's end, by `until`, or cancelled. Without a `frequency` it recurs
    with its packs: `next_pack_at` is when the next one comes at the latest, if that is known;
    `in_cart`: it waits in the cart ([RECUR]). `paused_at`: since when staff, or the retry policy,
    have paused it."""

    id: str
    name: str
    state: SubscriptionState
    price: Money
    frequency: Frequency | None = None
    recurs_when: RecursWhen | None = None
    next_payment: NextPayment | None = None
    next_pack_at: AwareDatetime | None = None
    in_cart: bool = False
    service: str = ""
    unit: str = "credit"
    credits: int | None = None
    unlimited: bool = False
    location_id: str
    location: str
    zone: str
    anchor: date
    until: date | None = None
    collected_by: CollectedBy = CollectedBy.CARD
    next_charge: ChargeAhead | None = None
    cancel_at_period_end: bool = False
    cancel_requested_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    end_reason: EndReason | None = None
    weekly: WeeklyTime | None = None
    paused_at: AwareDatetime | None = None
    paused_by: PausedBy | None = None


class InvoiceSummary(View):
    """An invoice in one row. `number` comes after settlement; the order id is there at once."""

    id: str
    order_id: str
    number: str | None = None
    state: InvoiceState
    status: PaymentStatus
    created_at: AwareDatetime
    zone: str
    location: str
    description: str
    total: Money
    owed: Money
    subscription_id: str | None = None


class PaymentView(View):
    """Money that moved on an invoice; a refund is negative."""

    kind: PaymentKind
    at: AwareDatetime
    amount: Money
    brand: str = ""
    last4: str = ""


class PaymentRow(View):
    """A row of the payment history ([HISTORY])."""

    at: AwareDatetime
    amount: Money
    order_id: str
    status: PaymentStatus
    description: str
    invoice_id: str
    brand: str = ""
    last4: str = ""
    zone: str


class AttemptView(View):
    """One try to collect: when, who started it, on which card, and what it came to."""

    id: str
    at: AwareDatetime
    by: By
    brand: str
    last4: str
    outcome: Outcome
    decided_at: AwareDatetime | None = None
    decline_code: str | None = None


class ChargeView(View):
    """A period's charge with every try. `outcome` None: not tried yet. `starts_on` is the first
    day of the period it pays for; None: its pack says it."""

    id: str
    period: int
    starts_on: date | None = None
    invoice_id: str
    amount: Money
    outcome: Outcome | None
    settled_at: AwareDatetime | None = None
    given_up: bool = False
    attempts: tuple[AttemptView, ...] = ()


class PastDueView(View):
    """A failing charge ([PASTDUE]). `next_try_at` None: no further automatic try. `paused`: none
    until its subscription is resumed. Collected by recording it is to be paid before `pay_by`."""

    subscription_id: str
    name: str
    owed: Money
    zone: str
    next_try_at: AwareDatetime | None = None
    paused: bool = False
    collected_by: CollectedBy = CollectedBy.CARD
    pay_by: AwareDatetime | None = None
    needs: Attention = Attention.CARD
    confirm_url: str | None = None


class CreditsLeft(View):
    """What is left over all usable packs of one service. `left` None: unlimited."""

    service: str
    unit: str = "credit"
    left: int | None
    unlimited: bool = False
    packs: int
    next_expiry_at: AwareDatetime | None = None
    zone: str


class Choice(View):
    """A filter's value and how many there are of it; `value` "" is all."""

    value: str
    count: int
    selected: bool = False
