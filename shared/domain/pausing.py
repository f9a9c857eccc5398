"""Pausing and resuming a subscription ([PAUSE]).

Pure changes of a `Subscription` and of its last pack. The anchor never moves: what a pause passes
over is never caught up.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.calendar import local_date, minute_before_midnight
from shared.domain.dunning import FirstSlot, RetryPolicy, slot_moment
from shared.domain.errors import Conflict
from shared.domain.subscription import (
    Collection,
    PassedOver,
    Pause,
    PausedBy,
    Subscription,
    SubscriptionState,
    begins_at,
    next_slot_at,
)

if TYPE_CHECKING:
    from shared.domain.pack import Pack

NOT_YET_CHARGED = frozenset({SubscriptionState.SCHEDULED, SubscriptionState.TRIALING})


def pause(subscription: Subscription, by: PausedBy, now: datetime) -> Subscription:
    """Nothing is charged, tried or announced from `now` on. One that staff have paused stays as it
    is; a pause by the retry policy becomes theirs, and lasts until they end it. Raises `Conflict`
    for what is over."""
    if subscription.over:
        raise Conflict("This subscription has already ended.", code="already_ended")
    if subscription.paused_by_staff:
        return subscription
    if subscription.state is SubscriptionState.PAUSED:
        former = subscription.pause or Pause(at=now, was=_was(subscription), by=by)
        return subscription.model_copy(update={"pause": former.model_copy(update={"by": by})})
    return subscription.model_copy(
        update={
            "state": SubscriptionState.PAUSED,
            "pause": Pause(at=now, was=subscription.state, by=by),
        }
    )


def _was(subscription: Subscription) -> SubscriptionState:
    failing = subscription.collection is not None and subscription.collection.failing
    return SubscriptionState.PAST_DUE if failing else SubscriptionState.ACTIVE


def resume(subscription: Subscription, now: datetime) -> Subscription:
    """It goes on from `now` as what it was: the next charge is the first whose moment is at or
    after `now`; the slots that an open retry has left go on from 23:59 of today. One that is not
    paused stays as it is. Raises `Conflict` for what is over."""
    if subscription.over:
        raise Conflict("This subscription has already ended.", code="already_ended")
    if subscription.state is not SubscriptionState.PAUSED:
        return subscription
    resumed = unpaused(subscription, now)
    if resumed.collection is not None:
        thawed = _thawed(resumed, resumed.collection, now)
        return resumed.model_copy(update={"collection": thawed})
    period = resumed.not_passed_over(resumed.next_period)
    return still_to_pass_over(resumed.model_copy(update={"next_period": period, **_begun(resumed)}))


def unpaused(subscription: Subscription, now: datetime) -> Subscription:
    """Without its pause, knowing which of the periods to come it passed over: those whose charge
    moment lay from its beginning to before `now`."""
    former = subscription.pause
    collection = subscription.collection
    lowest = subscription.next_period if collection is None else collection.period + 1
    since = now if former is None else former.at
    span = PassedOver(
        first=subscription.first_charged_from(since, lowest),
        until=subscription.first_charged_from(now, lowest),
    )
    passed = (*subscription.passed_over, span) if span.first < span.until else ()
    was = _was(subscription) if former is None else former.was
    return subscription.model_copy(
        update={
            "state": was if subscription.state is SubscriptionState.PAUSED else subscription.state,
            "pause": None,
            "resumed_at": now,
            "passed_over": passed or subscription.passed_over,
        }
    )


def _begun(subscription: Subscription) -> dict[str, object]:
    """What was to start, or was tried for free, and whose first charge was passed over has begun
    all the same: it waits for its next renewal."""
    first_is_to_come = subscription.not_passed_over(subscription.next_period) == 0
    if subscription.state in NOT_YET_CHARGED and not first_is_to_come:
        return {"state": SubscriptionState.ACTIVE}
    return {}


def still_to_pass_over(subscription: Subscription) -> Subscription:
    """Without what lies before the next period."""
    left = tuple(one for one in subscription.passed_over if one.until > subscription.next_period)
    return subscription.model_copy(update={"passed_over": left})


def _thawed(subscription: Subscription, collection: Collection, now: datetime) -> Collection:
    """Slots that were used stay used. The others keep their days while the next is still to come,
    else they go on from 23:59 of today."""
    slot_at = next_slot_at(subscription)
    if slot_at is None or slot_at >= now:
        return collection
    day = _next_2359(now, subscription.zone)
    first_day = _counted_from(day, collection.slots_used, collection.policy)
    return collection.model_copy(update={"first_day": first_day})


def _next_2359(now: datetime, zone: str) -> date:
    """The local day of the first 23:59 at or after `now`."""
    day = local_date(now, zone)
    return day if minute_before_midnight(day, zone) >= now else day + timedelta(days=1)


def _counted_from(day: date, slot: int, policy: RetryPolicy) -> date:
    """The day of slot 0 that puts `slot` on `day`."""
    return day - timedelta(days=slot * policy.days_between)


def slot_moments(
    first_day: date,
    policy: RetryPolicy,
    zone: str,
    first: FirstSlot,
    pauses: Iterable[tuple[datetime, datetime]],
) -> tuple[datetime, ...]:
    """The moments of all slots of a charge whose slot 0 is on `first_day`, as `pauses` (each from
    its beginning to when it was resumed, in their order) moved them: for telling what happened."""
    spans = tuple(pauses)
    moments: list[datetime] = []
    for k in range(policy.tries):
        at = slot_moment(first_day, k, policy, zone, first=first)
        for begins, ends in spans:
            if k and begins <= at < ends:
                first_day = _counted_from(_next_2359(ends, zone), k, policy)
                at = slot_moment(first_day, k, policy, zone)
        moments.append(at)
    return tuple(moments)


# --- its last pack ---------------------------------------------------------------------------


def ended_by_pause(subscription: Subscription, pack: Pack) -> Pack:
    """An unlimited pack that would last until the next one ends with the paid period while its
    subscription is paused: months without a payment are not free. A counted one stays."""
    if not pack.unlimited or not pack.expires_with_next or pack.period is None:
        return pack
    ends_at = begins_at(subscription, pack.period + 1)
    if pack.ended_at is not None or ends_at is None:
        return pack
    return pack.model_copy(update={"expires_at": ends_at})


def freed_by_resuming(pack: Pack, now: datetime) -> Pack:
    """It lasts until the next one again, unless the pause has ended it."""
    if not pack.unlimited or not pack.expires_with_next or pack.ended_at is not None:
        return pack
    if pack.expires_at is None or pack.expires_at <= now:
        return pack
    return pack.model_copy(update={"expires_at": None})
