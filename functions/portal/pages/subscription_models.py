"""Answers about subscriptions ([FORECAST] [CANCEL] [COMMIT])."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.customer import Attention
from shared.domain.expiry_policy import ExpiryPolicy
from shared.domain.money import Money
from shared.web.answer import View
from shared.web.pages.cards import CardView
from shared.web.pages.charges import ChargeView
from shared.web.pages.choices import Choice
from shared.web.pages.packs import PackSummary
from shared.web.pages.subscriptions import SubscriptionSummary


class SubscriptionsPage(View):
    """`GET /subscriptions`. `state` "" is all."""

    state: str = ""
    states: tuple[Choice, ...] = ()
    query: str = ""
    subscriptions: tuple[SubscriptionSummary, ...] = ()
    next: str | None = None


class ForecastLine(View):
    """A charge of the next 12 months ([FORECAST]): `at` when, for the period from `starts_on`."""

    period: int
    at: AwareDatetime
    starts_on: date | None = None
    amount: Money
    tax: Money
    total: Money


class Commitment(View):
    """Successful payments agreed on, made, and still to make ([COMMIT])."""

    minimum_payments: int
    made: int
    remaining: int


class FailingCharge(View):
    """A period's charge that does not go through ([RETRY]). `slots` are the automatic tries in all,
    `blocked` is set while the outcome of the last one is not known."""

    invoice_id: str
    owed: Money
    slots_used: int
    slots: int
    next_try_at: AwareDatetime | None = None
    pay_by: AwareDatetime | None = None
    """Until when it is to be paid, where it is collected by recording."""
    needs: Attention = Attention.CARD
    confirm_url: str | None = None
    blocked: bool = False


class WhyNotCancel(StrEnum):
    """Why a customer can't end it here and now ([CANCEL], [COMMIT])."""

    OFF = "off"
    """The merchant ends subscriptions on request only."""
    COMMITMENT = "commitment"
    ALREADY_ENDS = "already_ends"
    OVER = "over"


class CancelWhen(StrEnum):
    """The ways to end a subscription; the form's `when`."""

    NOW = "now"
    PERIOD_END = "period_end"
    REQUEST = "request"


class CancelOptions(View):
    ways: tuple[CancelWhen, ...] = ()
    why_not: WhyNotCancel | None = None
    can_undo: bool = False


class NextPlace(View):
    """Of a weekly place: the next paid week's ([WEEKLY]). Without a `reservation_id` it is not
    booked yet: it is not on the schedule, or about to be booked."""

    starts_at: AwareDatetime
    reservation_id: str | None = None


class SubscriptionPage(View):
    """`GET /subscriptions/{subscription}`: state, money, and everything that was tried.

    `card_id` is the subscription's own card, None while it follows the default. The keys are for
    the forms of this page, each used once. `can_choose_payment`: it recurs with its packs, and the
    customer says how the next ones are paid ([RECUR]).
    """

    subscription: SubscriptionSummary
    expiry: ExpiryPolicy
    validity_days: int | None = None
    validity_months: int | None = None
    payments_made: int = 0
    commitment: Commitment | None = None
    trial_ends_on: date | None = None
    paid_until: AwareDatetime | None = None
    failing: FailingCharge | None = None
    forecast: tuple[ForecastLine, ...] = ()
    forecast_total: Money
    cancel: CancelOptions
    cards: tuple[CardView, ...] = ()
    card_id: str | None = None
    packs: tuple[PackSummary, ...] = ()
    next_place: NextPlace | None = None
    can_choose_payment: bool = False
    charges: tuple[ChargeView, ...] = ()
    pay_key: str
    undo_key: str


class CancelConsequence(View):
    """What one way to end it would do, were it chosen now. `ends_at` is None when staff decide.
    Credits: how many of the last pack stay, and until when (None: for good) ([GRANT])."""

    when: CancelWhen
    ends_at: AwareDatetime | None = None
    void: Money | None = None
    """An open renewal that would no longer be collected."""
    outcome_unknown: bool = False
    """A charge is under way; were it to succeed late, it is refunded."""
    credits_kept: int | None = None
    unlimited: bool = False
    credits_until: AwareDatetime | None = None
    can_undo: bool = False


class CancelPage(View):
    """`GET /subscriptions/{subscription}/cancel`: nothing happens until it is confirmed."""

    subscription: SubscriptionSummary
    choices: tuple[CancelConsequence, ...] = ()
    why_not: WhyNotCancel | None = None
    commitment: Commitment | None = None
    idempotency_key: str
