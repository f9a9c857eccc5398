"""Why a customer was charged, or was not: each charge with every try and every slot that passed
without one ([RETRY], [HARD])."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from functions.console import words
from functions.console.pages.models import TimelineKind, TimelineLink
from functions.console.telling import Line, Rank, Telling
from shared.domain.by import By
from shared.domain.calendar import local_date
from shared.domain.charge import Attempt, Charge, Purpose, RefundState
from shared.domain.collected_by import CollectedBy
from shared.domain.dunning import FirstSlot
from shared.domain.invoice import order_id
from shared.domain.outcome import REFUSALS, Outcome
from shared.domain.pausing import slot_moments
from shared.domain.subscription import Subscription

NOT_PAID = frozenset({*REFUSALS, Outcome.AUTHENTICATION_REQUIRED, Outcome.CANCELLED})


def charge_lines(telling: Telling, charge: Charge) -> Iterator[Line]:
    """Every try, the slots between, and what became of it."""
    subscription = telling.subscriptions.get(charge.subscription_id or "")
    moments = _slots(telling, charge, subscription)
    for attempt in charge.attempts:
        yield _attempt(telling, charge, subscription, attempt, moments)
    if not charge.attempts and not charge.recorded:
        yield _without_attempt(telling, charge, subscription)
    yield from _passed(telling, charge, subscription, moments)
    if subscription is not None:
        yield from _past_due(telling, charge, subscription)


# --- slots -----------------------------------------------------------------------------------


def _slots(
    telling: Telling, charge: Charge, subscription: Subscription | None
) -> Sequence[datetime]:
    """The moments of a period's slots. The policy is that of the collection while it lasts, later
    the merchant's setting."""
    if subscription is None or charge.period is None:
        return ()
    collection = subscription.collection
    policy = telling.catalogue.settings.retry
    if collection is not None and collection.source == charge.source:
        policy = collection.policy
    at_start = charge.period == 0 and subscription.first is FirstSlot.AT_DAY_START
    first = FirstSlot.AT_DAY_START if at_start else FirstSlot.AT_2359
    zone = subscription.zone
    first_day = local_date(subscription.charged_at(charge.period) or charge.created_at, zone)
    return slot_moments(first_day, policy, zone, first, _pauses(telling, subscription))


def _pauses(telling: Telling, subscription: Subscription) -> list[tuple[datetime, datetime]]:
    """When it was paused and resumed, in their order ([PAUSE])."""
    events = sorted(telling.books.events, key=lambda event: (event.at, event.id))
    spans: list[tuple[datetime, datetime]] = []
    began: datetime | None = None
    for event in events:
        if event.subscription_id != subscription.id:
            continue
        if event.what == "pause":
            began = event.at
        elif event.what == "resume" and began is not None:
            spans.append((began, event.at))
            began = None
    return spans


def _slot(moments: Sequence[datetime], at: datetime) -> int | None:
    """Which slot a try at `at` belongs to: the last one that had come."""
    come = [k for k, moment in enumerate(moments) if moment <= at]
    return come[-1] if come else None


def _end(charge: Charge, subscription: Subscription, moments: Sequence[datetime]) -> datetime:
    """Up to when slots passed: until it was paid, given up, or now; while it is being collected,
    the last slot that was used."""
    collection = subscription.collection
    if collection is not None and collection.source == charge.source:
        used = min(collection.slots_used, len(moments))
        return moments[used - 1] if used else charge.created_at
    return charge.settled_at or subscription.ended_at or charge.created_at


def _passed(
    telling: Telling,
    charge: Charge,
    subscription: Subscription | None,
    moments: Sequence[datetime],
) -> Iterator[Line]:
    if subscription is None or not moments:
        return
    if subscription.collected_by is CollectedBy.RECORDING:
        return
    tried = {_slot(moments, one.started_at) for one in charge.attempts if one.by is By.CLOCK}
    end = _end(charge, subscription, moments)
    for k, moment in enumerate(moments):
        # The first slot opens the charge; that it found no card is told of the charge itself.
        if k == 0 or moment > end or k in tried:
            continue
        why = _why_passed(charge, moment)
        yield telling.line(
            Rank.ATTEMPT,
            TimelineKind.CHARGE,
            f"{charge.id}-slot-{k}",
            moment,
            subscription.zone,
            f"Not tried for {_what_for(telling, charge, subscription)}: {why}",
            detail=f"Slot {k + 1} of {len(moments)}; it counts all the same.",
            by=words.person(By.CLOCK.value),
            failed=True,
            links=_links(telling, charge),
        )


def _why_passed(charge: Charge, moment: datetime) -> str:
    before = [one for one in charge.attempts if one.started_at < moment]
    if not before:
        return "there was no card on file"
    last = before[-1]
    if last.decided_at is None or last.decided_at > moment:
        return "the outcome of the last try was not known yet"
    if last.outcome is Outcome.AUTHENTICATION_REQUIRED:
        return "the customer had not confirmed with the bank"
    if last.outcome is Outcome.DECLINED_FINAL:
        return f"the bank had refused {words.card(last.card.brand, last.card.last4)} for good"
    return "there was no card that could be asked"


# --- tries -----------------------------------------------------------------------------------


def _what_for(telling: Telling, charge: Charge, subscription: Subscription | None) -> str:
    if subscription is not None and charge.period is not None:
        period = telling.period(subscription, charge.period)
        return f"{subscription.terms.name}, {period}"
    names = [words.times(one.quantity, one.name) for one in charge.order]
    return words.joined(names) or charge.description


def _links(telling: Telling, charge: Charge) -> tuple[TimelineLink, ...]:
    return (
        *telling.to_invoice(charge.invoice_id),
        *telling.to_subscription(charge.subscription_id),
    )


def _attempt(
    telling: Telling,
    charge: Charge,
    subscription: Subscription | None,
    attempt: Attempt,
    moments: Sequence[datetime],
) -> Line:
    paid = attempt.outcome is Outcome.SUCCEEDED
    asked = telling.money(attempt.amount)
    card = words.card(attempt.card.brand, attempt.card.last4)
    came_to = words.CAME_TO[attempt.outcome]
    if attempt.outcome in REFUSALS:
        came_to += words.decline(attempt.decline_code)
    tried = "Charged" if paid else "Tried to charge"
    return telling.line(
        Rank.ATTEMPT,
        TimelineKind.ATTEMPT,
        attempt.id,
        attempt.started_at,
        telling.zone(charge.location_id),
        f"{tried} {asked} to {card} for {_what_for(telling, charge, subscription)}; {came_to}",
        detail=_detail(telling, charge, attempt, moments),
        amount=attempt.amount if paid else None,
        by=words.person(attempt.by.value),
        failed=attempt.outcome in NOT_PAID,
        links=_links(telling, charge),
    )


def _detail(telling: Telling, charge: Charge, attempt: Attempt, moments: Sequence[datetime]) -> str:
    said = [words.STARTED_BY[attempt.by]]
    slot = _slot(moments, attempt.started_at)
    if attempt.by is By.CLOCK and slot is not None:
        said[0] += f" in slot {slot + 1} of {len(moments)}"
    if charge.purpose is Purpose.INVOICE:
        where = "as a place was booked" if charge.holds_place else "for an open invoice"
        said[0] += f" {where}, order {order_id(charge.invoice_id)}"
    elif charge.subscription_id is None:
        said[0] += f" at checkout, order {order_id(charge.invoice_id)}"
    zone = telling.zone(charge.location_id)
    if attempt.decided_at is not None and attempt.decided_at != attempt.started_at:
        said.append(f"The provider's answer came {telling.moment(attempt.decided_at, zone)}")
    if attempt.provider_charge_id:
        said.append(f"The provider calls it {attempt.provider_charge_id}")
    if charge.refund_attempt == attempt.id:
        said.append(REFUNDS[charge.refund])
    if attempt.reversed is not None and attempt.reversed_at is not None:
        back = telling.money(attempt.reversed)
        said.append(f"The bank took back {back} of it {telling.moment(attempt.reversed_at, zone)}")
    return ". ".join(one for one in said if one) + "."


REFUNDS = {
    RefundState.NONE: "",
    RefundState.DUE: "Nobody waited for this money any more; it is being refunded",
    RefundState.DONE: "Nobody waited for this money any more; it was refunded",
    RefundState.FAILED: "Nobody waited for this money any more; its refund failed",
}


def _without_attempt(telling: Telling, charge: Charge, subscription: Subscription | None) -> Line:
    what_for = _what_for(telling, charge, subscription)
    paid = charge.settled_at is not None
    due = telling.money(charge.amount)
    by_recording = subscription is not None and subscription.collected_by is CollectedBy.RECORDING
    unpaid = (
        f"A payment of {due} is due for {what_for}: in cash or by transfer"
        if by_recording
        else f"Could not charge {due} for {what_for}: there was no card on file"
    )
    return telling.line(
        Rank.ATTEMPT,
        TimelineKind.CHARGE,
        charge.id,
        charge.settled_at or charge.created_at,
        telling.zone(charge.location_id),
        f"Nothing to pay for {what_for}; no card was charged" if paid else unpaid,
        by=words.person((By.CLOCK if subscription else By.CUSTOMER).value),
        failed=not paid and not by_recording,
        links=_links(telling, charge),
    )


# --- past due --------------------------------------------------------------------------------


def _past_due(telling: Telling, charge: Charge, subscription: Subscription) -> Iterator[Line]:
    """When a subscription became past due, and when it was paid up again ([PASTDUE])."""
    since = next(
        (one.decided_at or one.started_at for one in charge.attempts if one.outcome in NOT_PAID),
        charge.created_at if not charge.attempts and charge.settled_at is None else None,
    )
    if since is None:
        return
    name, zone = subscription.terms.name, subscription.zone
    links = telling.to_subscription(subscription.id)
    yield telling.line(
        Rank.PAST_DUE,
        TimelineKind.SUBSCRIPTION,
        f"{charge.id}-past-due",
        since,
        zone,
        f"{name} became past due: {telling.money(charge.amount)} owed",
        failed=True,
        links=links,
    )
    if charge.settled_at is not None:
        yield telling.line(
            Rank.SUBSCRIPTION,
            TimelineKind.SUBSCRIPTION,
            f"{charge.id}-paid-up",
            charge.settled_at,
            zone,
            f"{name} is paid up again, and past due no more",
            links=links,
        )
