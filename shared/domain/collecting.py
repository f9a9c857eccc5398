"""How a subscription's periods are collected: opened, settled, declined, given up.

Pure changes of a `Subscription`; the due moments follow from them (`subscription.next_moment`).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from shared.domain.calendar import local_date
from shared.domain.customer import Attention, Customer, PastDue
from shared.domain.dunning import FirstSlot, RetryPolicy, slot_moment
from shared.domain.ending import EndReason
from shared.domain.last_pack import remember_pack
from shared.domain.outcome import Outcome
from shared.domain.pausing import still_to_pass_over, unpaused
from shared.domain.renewal import following_period
from shared.domain.subscription import (
    Collection,
    Subscription,
    SubscriptionState,
    begins_at,
    next_try_at,
    pay_by,
    reminder_at,
)

if TYPE_CHECKING:
    from shared.domain.charge import Charge
    from shared.domain.pack import Pack


def open_collection(
    subscription: Subscription,
    *,
    source: str,
    invoice_id: str,
    policy: RetryPolicy,
    reminds: bool,
    now: datetime,
) -> Subscription:
    """The next period is being collected: slot 0 is used. A charge that had to wait so long that
    slots of its own day have passed counts its days from today ([RETRY])."""
    period = subscription.next_period
    zone = subscription.zone
    first = (
        FirstSlot.AT_DAY_START
        if period == 0 and subscription.first is FirstSlot.AT_DAY_START
        else FirstSlot.AT_2359
    )
    first_day = local_date(subscription.charged_at(period) or now, zone)
    if policy.tries > 1 and slot_moment(first_day, 1, policy, zone) <= now:
        first_day = local_date(now, zone)
    return subscription.model_copy(
        update={
            "collection": Collection(
                period=period,
                source=source,
                invoice_id=invoice_id,
                first_day=first_day,
                first=first,
                policy=policy,
            ),
            "reminds": reminds,
        }
    )


def use_slot(subscription: Subscription, now: datetime) -> Subscription:
    """The clock's slots up to `now` are gone, with a try or without one ([HARD]). Of several that
    came while nothing ran, one is tried and the others pass: never one right after the other."""
    collection = _open(subscription)
    used = collection.slots_used + 1
    while used < collection.policy.tries and _slot_at(subscription, used) <= now:
        used += 1
    unused = used - collection.slots_used - 1
    counted = {"slots_used": used, "slots_passed": collection.slots_passed + unused}
    return subscription.model_copy(update={"collection": collection.model_copy(update=counted)})


def pass_slot(subscription: Subscription) -> Subscription:
    """Nothing is tried in the slot that has just been used ([HARD])."""
    collection = _open(subscription)
    passed = {"slots_passed": collection.slots_passed + 1}
    return subscription.model_copy(update={"collection": collection.model_copy(update=passed)})


def _slot_at(subscription: Subscription, slot: int) -> datetime:
    collection = _open(subscription)
    return slot_moment(collection.first_day, slot, collection.policy, subscription.zone)


def mark_failing(subscription: Subscription) -> Subscription:
    """A try was declined or waits for the customer: the subscription is past due. One that is
    paused stays so ([PAUSE])."""
    collection = _open(subscription)
    changes: dict[str, object] = {"collection": collection.model_copy(update={"failing": True})}
    if subscription.state is not SubscriptionState.PAUSED:
        changes["state"] = SubscriptionState.PAST_DUE
    elif subscription.pause is not None:
        was = {"was": SubscriptionState.PAST_DUE}
        changes["pause"] = subscription.pause.model_copy(update=was)
    return subscription.model_copy(update=changes)


def settle_period(
    subscription: Subscription, pack: Pack, now: datetime
) -> tuple[Subscription, int]:
    """The open period is paid and its pack granted. Also how many periods were skipped, because
    they had ended before this one was settled ([RETRY]).

    What staff paused stays so, until they resume it; a pause by the retry policy is over with this
    ([PAUSE]). A reminder whose moment came while the subscription was past due is not sent later
    ([REMIND]).
    """
    collection = _open(subscription)
    paid = remember_pack(subscription, pack).model_copy(
        update={
            "state": SubscriptionState.ACTIVE,
            "collection": None,
            "next_period": collection.period + 1,
            "payments_made": subscription.payments_made + 1,
        }
    )
    if subscription.paused_by_staff and subscription.pause is not None:
        was = {"was": SubscriptionState.ACTIVE}
        pause = subscription.pause.model_copy(update=was)
        return paid.model_copy(update={"state": SubscriptionState.PAUSED, "pause": pause}), 0
    if subscription.pause is not None:
        paid = unpaused(paid, now)
    settled, skipped = skip_ended(paid, now)
    announce_at = reminder_at(settled)
    if collection.failing and announce_at is not None and announce_at <= now:
        settled = settled.model_copy(update={"reminded_for": settled.next_period})
    return settled, skipped


def settle_by_hand(subscription: Subscription, pack: Pack) -> Subscription:
    """The next pack was paid in the cart: the one after it comes by its own calendar ([RECUR])."""
    return remember_pack(subscription, pack).model_copy(
        update={
            "next_period": subscription.next_period + 1,
            "payments_made": subscription.payments_made + 1,
        }
    )


def skip_ended(subscription: Subscription, now: datetime) -> tuple[Subscription, int]:
    """The periods that ended before they could be charged are left out, and those that a pause
    passed over. Also how many had ended."""
    following, ended = following_period(subscription, subscription.next_period, now)
    moved = subscription.model_copy(update={"next_period": following})
    return still_to_pass_over(moved), ended


def end(
    subscription: Subscription, state: SubscriptionState, reason: EndReason, now: datetime
) -> Subscription:
    """The subscription is over: nothing is due any more."""
    failed = subscription.collection if reason is EndReason.PAYMENT_FAILED else None
    return subscription.model_copy(
        update={
            "failed_collection": failed,
            "state": state,
            "end_reason": reason,
            "ended_at": now,
            "collection": None,
            "cancel_at_period_end": False,
            "cancel_after_commitment": False,
            "pause": None,
            "passed_over": (),
        }
    )


def unlimited_pack_ends_at(subscription: Subscription) -> datetime | None:
    """When a subscription that is over ends its last pack: an unlimited one without a validity
    of its own ends with the paid period; a counted one never does ([GRANT])."""
    if subscription.terms.credits is not None or subscription.last_pack_id is None:
        return None
    if subscription.last_pack_period is None:
        return None
    return begins_at(subscription, subscription.last_pack_period + 1)


def past_due_of(subscription: Subscription, charge: Charge) -> PastDue:
    """What every page says of a failing charge ([PASTDUE])."""
    needs = waits_for(charge)
    waiting = needs is Attention.AUTHENTICATION
    return PastDue(
        subscription_id=subscription.id,
        name=subscription.terms.name,
        owed=charge.amount,
        zone=subscription.zone,
        next_try_at=next_try_at(subscription),
        paused=subscription.state is SubscriptionState.PAUSED,
        collected_by=subscription.collected_by,
        pay_by=pay_by(subscription),
        needs=needs,
        confirm_url=charge.last.confirm_url if waiting and charge.last else None,
    )


def waits_for(charge: Charge) -> Attention:
    """Who has to do something about a failing charge."""
    if charge.outcome is Outcome.AUTHENTICATION_REQUIRED:
        return Attention.AUTHENTICATION
    if charge.last is not None and charge.last.merchants_trouble:
        return Attention.MERCHANT
    return Attention.CARD


def with_past_due(customer: Customer, entry: PastDue) -> Customer:
    others = tuple(one for one in customer.past_due if one.subscription_id != entry.subscription_id)
    return customer.model_copy(update={"past_due": (*others, entry)})


def without_past_due(customer: Customer, subscription_id: str) -> Customer:
    left = tuple(one for one in customer.past_due if one.subscription_id != subscription_id)
    return customer.model_copy(update={"past_due": left})


def _open(subscription: Subscription) -> Collection:
    if subscription.collection is None:
        raise ValueError(f"no period of {subscription.id} is being collected")
    return subscription.collection
