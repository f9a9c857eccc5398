"""A subscription: an agreement to buy a package again and again.

What happens next, and when, is one pure function of the subscription: `next_moment`. The clock,
the forecast and the pages all use it.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domain.calendar import (
    Frequency,
    charge_moment,
    period_start,
    reminder_moment,
    start_of_day,
    trial_notice_moment,
)
from shared.domain.due import Moment, Worker, earliest
from shared.domain.dunning import FirstSlot, RetryPolicy, slot_moment
from shared.domain.money import Money
from shared.domain.product import ValidFrom
from shared.domain.recurring import Recurring
from shared.domain.weekly import Standing

PACKS_REMEMBERED = 6
MAX_SKIPPED_PERIODS = 1000


class SubscriptionState(StrEnum):
    """`SCHEDULED` starts later and has not been charged; `TRIALING` has its free pack."""

    SCHEDULED = "scheduled"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    ENDED = "ended"


OVER = frozenset({SubscriptionState.CANCELLED, SubscriptionState.ENDED})


class EndReason(StrEnum):
    BY_CUSTOMER = "by_customer"
    BY_STAFF = "by_staff"
    PAYMENT_FAILED = "payment_failed"
    UNTIL = "until"


class Terms(BaseModel):
    """What was agreed when it was bought: frozen, whatever the product becomes ([PRICE]).
    `credits` None is unlimited. `price` is of one period, before tax."""

    model_config = ConfigDict(frozen=True)

    product_id: str
    name: str
    price: Money
    service_id: str | None = None
    credits: int | None
    validity_days: int | None = None
    validity_months: int | None = None
    valid_from: ValidFrom = ValidFrom.PAYMENT
    hourly: bool = False
    use_pricing_rules: bool = False
    staff_members: tuple[str, ...] | None = None
    taxed: bool = False
    account_code: str = ""
    minimum_payments: int = 0
    standing: Standing | None = None
    """When the place is that is booked for each paid week ([WEEKLY])."""
    email_days_before_expiry: int | None = None
    email_credits_left: int | None = None


class Collection(BaseModel):
    """A period that is being collected. `slots_used` counts the clock's slots, those that passed
    without a try included. `first_day` is the local day of slot 0."""

    model_config = ConfigDict(frozen=True)

    period: int
    source: str
    invoice_id: str
    first_day: date
    first: FirstSlot
    policy: RetryPolicy
    slots_used: int = 1
    slots_passed: int = 0
    """Those of `slots_used` that passed without a try: the clock tried in all others ([HARD])."""
    failing: bool = False
    """Whether a try was declined, or waits for the customer: the subscription is past due."""
    exhausted: bool = False
    """Whether the last slot has failed and staff were told, where the policy does not cancel."""


class Subscription(BaseModel):
    """`next_period` is the period to charge next; `anchor` never moves ([ANCHOR]).

    `first` says how period 0 was or is charged. `card_id` is a card of its own; None is the
    customer's default ([CARDS]). `reminded_for` is the last period whose reminder was decided.

    Either a calendar drives it, by `frequency` from `anchor`; or it is `recurring` with its packs,
    without a frequency: then nobody knows the days of a period before its moment has come, and
    `starts` and `charged_at` are None ([RECUR]).
    """

    model_config = ConfigDict(frozen=True)

    id: str
    customer_id: str
    location_id: str
    zone: str
    state: SubscriptionState
    terms: Terms
    frequency: Frequency | None = None
    recurring: Recurring | None = None
    anchor: date
    created_at: AwareDatetime
    first_invoice_id: str
    reminds: bool = True
    """Whether its frequency's reminder email was on when it was bought or last charged."""
    next_period: int = 0
    until: date | None = None
    card_id: str | None = None
    first: FirstSlot | None = None
    """None: period 0 was charged at checkout."""
    trial_days: int | None = None
    trial_from: date | None = None
    collection: Collection | None = None
    failed_collection: Collection | None = None
    """The period whose last slot failed, when that is what ended the subscription ([RETRY])."""
    cancel_at_period_end: bool = False
    cancel_after_commitment: bool = False
    """The customer asked for the end while the commitment runs: it acts after period M."""
    cancel_requested_at: AwareDatetime | None = None
    cancel_by: EndReason | None = None
    """Who asked for the end of the period, while it is to end so."""
    ended_at: AwareDatetime | None = None
    end_reason: EndReason | None = None
    reminded_for: int | None = None
    payments_made: int = 0
    last_pack_id: str | None = None
    last_pack_period: int | None = None
    packs: tuple[str, ...] = ()
    """The ids of its latest packs, the newest last, at most `PACKS_REMEMBERED`."""

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def payments_remaining(self) -> int:
        """Successful payments until the customer may cancel ([COMMIT])."""
        return max(0, self.terms.minimum_payments - self.payments_made)

    def starts(self, period: int) -> date | None:
        """The first day of `period`; None where only its pack will tell."""
        if self.frequency is not None:
            return period_start(self.anchor, self.frequency, period)
        if period == 0:
            return self.anchor
        turn = self.recurring.turn if self.recurring else None
        return turn.starts_on if turn and period == self.next_period else None

    def ends(self, period: int) -> date | None:
        """The last day of `period`; of -1, the day before the anchor, on which a trial ends."""
        if self.frequency is None:
            return None
        return period_start(self.anchor, self.frequency, period + 1) - timedelta(days=1)

    def charged_at(self, period: int) -> datetime | None:
        """When the charge of `period` is due (UTC); None while nobody knows."""
        if period == 0 and self.first is FirstSlot.AT_DAY_START:
            return start_of_day(self.anchor, self.zone)
        if self.frequency is not None:
            return charge_moment(self.anchor, self.frequency, period, self.zone)
        turn = self.recurring.turn if self.recurring else None
        return turn.at if turn and period == self.next_period else None

    @property
    def in_cart(self) -> bool:
        """Whether its next pack waits in the customer's cart ([RECUR])."""
        turn = self.recurring.turn if self.recurring else None
        return turn is not None and turn.carted

    @property
    def awaits_payment(self) -> bool:
        """Whether the moment of a period has come that is not paid yet."""
        return self.collection is not None or self.in_cart

    @property
    def ends_next(self) -> bool:
        """Whether the next charge is forestalled: the end of the period was asked for, or the
        end of a commitment that is fulfilled ([CANCEL], [COMMIT])."""
        return self.cancel_at_period_end or (
            self.cancel_after_commitment and self.payments_remaining == 0
        )

    def within_until(self, period: int) -> bool:
        """Whether `period` may still be charged ([UNTIL])."""
        starts_on = self.starts(period)
        return self.until is None or starts_on is None or starts_on <= self.until


def reminder_at(subscription: Subscription) -> datetime | None:
    """When the next charge is announced; None when it is not, or already was ([REMIND])."""
    period = subscription.next_period
    if subscription.reminded_for is not None and subscription.reminded_for >= period:
        return None
    if subscription.ends_next or not subscription.within_until(period):
        return None
    if subscription.frequency is None:
        return None
    if period == 0:
        if subscription.trial_days is None or subscription.trial_from is None:
            return None
        begins = max(
            subscription.created_at,
            start_of_day(subscription.trial_from, subscription.zone),
        )
        return trial_notice_moment(begins, subscription.trial_days, subscription.zone)
    if not subscription.reminds and subscription.frequency is not Frequency.ANNUAL:
        return None
    at = reminder_moment(subscription.anchor, subscription.frequency, period, subscription.zone)
    return at if at >= _agreed_at(subscription) else None


def _agreed_at(subscription: Subscription) -> datetime:
    """When the purchase took place, before which nothing is announced ([REMIND]): a later start
    is bought when it starts, a trial when it was taken up."""
    if subscription.trial_days is not None:
        return subscription.created_at
    return max(subscription.created_at, start_of_day(subscription.anchor, subscription.zone))


def next_slot_at(subscription: Subscription) -> datetime | None:
    """When the next try of a failing charge is; None after the last or when nothing fails."""
    collection = subscription.collection
    if collection is None or collection.slots_used >= collection.policy.tries:
        return None
    return slot_moment(
        collection.first_day,
        collection.slots_used,
        collection.policy,
        subscription.zone,
        first=collection.first,
    )


def next_moment(subscription: Subscription) -> Moment | None:
    """When the clock next has something to do, and which worker does it."""
    if subscription.over or subscription.state is SubscriptionState.PAUSED:
        return None
    if subscription.collection is not None:
        at = next_slot_at(subscription)
        return None if at is None else Moment(at=at, worker=Worker.RETRIES)
    renews = renews_at(subscription)
    charge = None if renews is None else Moment(at=renews, worker=Worker.RENEWALS)
    remind_at = reminder_at(subscription)
    reminder = None if remind_at is None else Moment(at=remind_at, worker=Worker.REMINDERS)
    return earliest(charge, reminder)


def renews_at(subscription: Subscription) -> datetime | None:
    """When the clock comes to the next period (UTC); None while nobody knows, or while that period
    waits in the cart."""
    recurring = subscription.recurring
    if recurring is None:
        return subscription.charged_at(subscription.next_period)
    return recurring.turn.due_at if recurring.turn else None


class NextCharge(StrEnum):
    """What the clock is to do at a renewal's moment."""

    NOT_YET = "not_yet"
    CHARGE = "charge"
    CART = "cart"
    """The customer pays by hand: the next pack goes into the cart ([RECUR])."""
    CANCEL = "cancel"
    """The customer asked for the end of the period: it acts just before the charge."""
    END = "end"
    """The period would start after `until`."""
    SKIP = "skip"
    """The period has ended before it could be charged: it is not caught up."""


def decide_renewal(subscription: Subscription, now: datetime) -> NextCharge:
    """What is due now. A stale or repeated event finds `NOT_YET`."""
    at = renews_at(subscription)
    if (
        subscription.over
        or subscription.state is SubscriptionState.PAUSED
        or subscription.collection is not None
        or at is None
        or now < at
    ):
        return NextCharge.NOT_YET
    if subscription.ends_next:
        return NextCharge.CANCEL
    if not subscription.within_until(subscription.next_period):
        return NextCharge.END
    if ended_periods(subscription, subscription.next_period, now):
        return NextCharge.SKIP
    if subscription.recurring is not None and subscription.recurring.by_hand:
        return NextCharge.CART
    return NextCharge.CHARGE


def ended_periods(subscription: Subscription, period: int, now: datetime) -> int:
    """How many periods from `period` on have ended by `now` ([RETRY]): what nobody could charge
    while an earlier charge was open, or nothing ran, is skipped. What no calendar drives waits."""
    ended = 0
    while ended < MAX_SKIPPED_PERIODS:
        ends = begins_at(subscription, period + ended + 1)
        if subscription.frequency is None or ends is None or ends > now:
            break
        ended += 1
    return ended


def begins_at(subscription: Subscription, period: int) -> datetime | None:
    """The instant at which `period` begins (UTC); None where nobody knows yet."""
    starts_on = subscription.starts(period)
    return None if starts_on is None else start_of_day(starts_on, subscription.zone)


def paid_until(subscription: Subscription) -> datetime | None:
    """When the paid period ends (UTC): the start of the first period that is not paid. None where
    nobody knows: a pack that recurs by itself says it."""
    return begins_at(subscription, subscription.next_period)
