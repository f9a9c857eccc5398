"""A subscription: an agreement to buy a package again and again.

What happens next, and when, is one pure function of the subscription: `next_moment`. The clock,
the forecast and the pages all use it.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.calendar import (
    Frequency,
    charge_moment,
    first_period_from,
    minute_before_midnight,
    period_start,
    reminder_moment,
    start_of_day,
    trial_notice_moment,
)
from shared.domain.collected_by import CollectedBy
from shared.domain.due import Moment, Worker, earliest
from shared.domain.dunning import FirstSlot, RetryPolicy, slot_moment
from shared.domain.ending import EndReason
from shared.domain.record import Record
from shared.domain.recurring import Recurring
from shared.domain.terms import Terms

PACKS_REMEMBERED = 6


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


class PausedBy(StrEnum):
    """Staff, until they resume it; or the retry policy, until what is owed is paid ([RETRY])."""

    STAFF = "staff"
    POLICY = "policy"


class Pause(Record):
    """Since when (UTC) it is paused, and what it was before: what resuming restores ([PAUSE])."""

    at: AwareDatetime
    was: SubscriptionState
    by: PausedBy


class PassedOver(Record):
    """The periods from `first` to the one before `until`, whose charge moments lay inside a pause:
    they are never charged ([PAUSE])."""

    first: int
    until: int


class Collection(Record):
    """A period that is being collected. `slots_used` counts the clock's slots, those that passed
    without a try included. `first_day` is the local day of slot 0."""

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


class Subscription(Record):
    """`next_period` is the period to charge next; `anchor` never moves ([ANCHOR]).

    `first` says how period 0 was or is charged. `card_id` is a card of its own; None is the
    customer's default ([CARDS]). `reminded_for` is the last period whose reminder was decided.

    Either a calendar drives it, by `frequency` from `anchor`; or it is `recurring` with its packs,
    without a frequency: then nobody knows the days of a period before its moment has come, and
    `starts` and `charged_at` are None ([RECUR]).
    """

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
    collected_by: CollectedBy = CollectedBy.CARD
    pause: Pause | None = None
    """While it is paused."""
    resumed_at: AwareDatetime | None = None
    """When its last pause ended: no reminder whose moment is earlier is sent any more."""
    passed_over: tuple[PassedOver, ...] = ()
    """What pauses passed over of the periods that are still to come."""

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def paused_by_staff(self) -> bool:
        return self.pause is not None and self.pause.by is PausedBy.STAFF

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

    def first_charged_from(self, moment: datetime, lowest: int) -> int:
        """The first period, at least `lowest`, whose charge is due at `moment` or later; what no
        calendar drives waits ([RECUR])."""
        if self.frequency is None:
            return lowest
        first = self.charged_at(0) if lowest == 0 else None
        if first is not None and first >= moment:
            return 0
        return first_period_from(self.anchor, self.frequency, moment, self.zone, lowest=lowest)

    def not_passed_over(self, period: int) -> int:
        """`period`, or the first after it that no pause passed over ([PAUSE])."""
        for span in self.passed_over:
            if span.first <= period < span.until:
                period = span.until
        return period


def reminder_at(subscription: Subscription) -> datetime | None:
    """When the next charge is announced; None when it is not, already was, or its moment came in
    a pause ([REMIND], [PAUSE])."""
    at = _announced_at(subscription)
    resumed_at = subscription.resumed_at
    return None if at is not None and resumed_at is not None and at < resumed_at else at


def _announced_at(subscription: Subscription) -> datetime | None:
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


def next_try_at(subscription: Subscription) -> datetime | None:
    """When a card is next asked for what is owed: at the next slot, and never while it is paused or
    collected by recording ([PAUSE], [PAY])."""
    frozen = subscription.state is SubscriptionState.PAUSED
    if frozen or subscription.collected_by is CollectedBy.RECORDING:
        return None
    return next_slot_at(subscription)


def pay_by(subscription: Subscription) -> datetime | None:
    """Until when what is collected by recording has to be paid: the last slot, at which the retry
    policy's end applies ([PAY], [RETRY]). None while that is not to come, and for cards."""
    collection = subscription.collection
    if collection is None or next_slot_at(subscription) is None:
        return None
    frozen = subscription.state is SubscriptionState.PAUSED
    if frozen or subscription.collected_by is not CollectedBy.RECORDING:
        return None
    last = collection.policy.tries - 1
    return slot_moment(
        collection.first_day, last, collection.policy, subscription.zone, first=collection.first
    )


def ends_in_pause_at(subscription: Subscription) -> datetime | None:
    """When a paused subscription ends though nothing is charged: as was asked for, or by `until`;
    None while a charge is open, and when neither is to come ([CANCEL], [UNTIL])."""
    if subscription.collection is not None:
        return None
    lowest = subscription.next_period
    if subscription.frequency is None:
        ends = subscription.ends_next or not subscription.within_until(lowest)
        return renews_at(subscription) if ends else None
    if subscription.ends_next:
        return subscription.charged_at(lowest)
    if subscription.until is None:
        return None
    # A period that starts after `until` is charged at 23:59 of `until` or later.
    last_minute = minute_before_midnight(subscription.until, subscription.zone)
    return subscription.charged_at(subscription.first_charged_from(last_minute, lowest))


def next_moment(subscription: Subscription) -> Moment | None:
    """When the clock next has something to do, and which worker does it. In a pause nothing is
    charged, tried or announced; it may end."""
    if subscription.over:
        return None
    if subscription.state is SubscriptionState.PAUSED:
        at = ends_in_pause_at(subscription)
        return None if at is None else Moment(at=at, worker=Worker.RENEWALS)
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


def begins_at(subscription: Subscription, period: int) -> datetime | None:
    """The instant at which `period` begins (UTC); None where nobody knows yet."""
    starts_on = subscription.starts(period)
    return None if starts_on is None else start_of_day(starts_on, subscription.zone)


def paid_until(subscription: Subscription) -> datetime | None:
    """When the paid period ends (UTC): the start of the first period that is not paid. None where
    nobody knows: a pack that recurs by itself says it."""
    return begins_at(subscription, subscription.next_period)
