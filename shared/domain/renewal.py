"""What the clock does when a subscription's next period comes, and which are left out."""

from datetime import datetime
from enum import StrEnum

from shared.domain.subscription import (
    Subscription,
    SubscriptionState,
    begins_at,
    ends_in_pause_at,
    renews_at,
)

MAX_SKIPPED_PERIODS = 1000


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
    if subscription.over or subscription.collection is not None:
        return NextCharge.NOT_YET
    if subscription.state is SubscriptionState.PAUSED:
        ends_at = ends_in_pause_at(subscription)
        if ends_at is None or now < ends_at:
            return NextCharge.NOT_YET
        return NextCharge.CANCEL if subscription.ends_next else NextCharge.END
    at = renews_at(subscription)
    if at is None or now < at:
        return NextCharge.NOT_YET
    if subscription.ends_next:
        return NextCharge.CANCEL
    if not subscription.within_until(subscription.next_period):
        return NextCharge.END
    if _has_ended(subscription, subscription.next_period, now):
        return NextCharge.SKIP
    if subscription.recurring is not None and subscription.recurring.by_hand:
        return NextCharge.CART
    return NextCharge.CHARGE


def following_period(subscription: Subscription, period: int, now: datetime) -> tuple[int, int]:
    """The first period from `period` on that is still to be charged: not one that a pause passed
    over, nor one that has ended, since nobody could charge it while an earlier charge was open, or
    nothing ran ([PAUSE], [RETRY]). Also how many had ended."""
    ended = 0
    period = subscription.not_passed_over(period)
    while ended < MAX_SKIPPED_PERIODS and _has_ended(subscription, period, now):
        ended += 1
        period = subscription.not_passed_over(period + 1)
    return period, ended


def _has_ended(subscription: Subscription, period: int, now: datetime) -> bool:
    """What no calendar drives waits, and does not end."""
    ends = begins_at(subscription, period + 1)
    return subscription.frequency is not None and ends is not None and ends <= now


def period_end_is_now(subscription: Subscription, now: datetime) -> bool:
    """Whether ending it with its period ends it at once: the paid one is over, or nearly, while
    the next awaits its payment, or a pause has passed over its charge ([CANCEL])."""
    if subscription.awaits_payment:
        return True
    at = subscription.charged_at(subscription.next_period)
    return subscription.state is SubscriptionState.PAUSED and at is not None and at <= now
