"""When each period was charged, and which were not, beside what an independent calculation says."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.by import By
from shared.domain.charge import Charge
from shared.domain.dunning import Then
from shared.domain.invariants import CustomerBooks
from shared.domain.subscription import Subscription, SubscriptionState
from tests.simulation import calendar_oracle
from tests.simulation.next_packs import never_came, off_their_turn
from tests.simulation.town_desk import Paused

MAX_LATE = timedelta(days=1)
"""How far after its moment a period may first be asked for, whatever went wrong."""

MINUTE = timedelta(minutes=1)
DISTANT = datetime.max.replace(tzinfo=UTC) - MAX_LATE
MAX_PERIODS = 60

Pauses = Mapping[str, Sequence[Paused]]
"""What staff paused, by subscription."""


def off_the_calendar(books: CustomerBooks, pauses: Pauses) -> Iterator[str]:
    """Periods that are charged at another time than they should be, and tries in a pause."""
    agreements = {one.id: one for one in books.subscriptions}
    for charge in books.charges:
        agreement = agreements.get(charge.subscription_id or "")
        if agreement is None or charge.period is None:
            continue
        spans = pauses.get(agreement.id, ())
        yield from _in_a_pause(agreement, charge, spans)
        if not charge.attempts or agreement.frequency is None:
            continue
        due, first = due_at(agreement, charge.period), charge.attempts[0]
        latest = _waits_until(books, agreement, charge.period, spans) + MAX_LATE
        if first.by is By.CLOCK and not due <= first.started_at <= latest:
            yield f"period {charge.period} of {agreement.id}: {first.started_at}, not {due}"
        yield from _slots_too_early(agreement, charge, due)
    for one in books.subscriptions:
        if one.recurring is not None:
            yield from off_their_turn(books, one, pauses.get(one.id, ()))


def _in_a_pause(agreement: Subscription, charge: Charge, spans: Sequence[Paused]) -> Iterator[str]:
    """[PAUSE]: charge moments inside a pause are skipped and never caught up, and the clock tries
    nothing while it lasts."""
    assert charge.period is not None
    calendar_says = due_at(agreement, charge.period) if agreement.frequency else None
    for span in spans:
        ends = span.until or DISTANT
        in_it = calendar_says is not None and span.since <= calendar_says < ends
        if in_it and charge.created_at > span.since:
            yield f"period {charge.period} of {agreement.id} was due in a pause and is charged"
        for one in charge.attempts:
            if one.by is By.CLOCK and span.since < one.started_at < ends:
                yield f"{charge.ref} was tried at {one.started_at}, in a pause"


def _waits_until(
    books: CustomerBooks, agreement: Subscription, period: int, spans: Sequence[Paused]
) -> datetime:
    """Until when a period can't be charged, its moment included: until the charge before it is
    settled, however many periods that takes ([RETRY]); an order whose payment was not known until
    late begins late; and what waits when a pause begins goes on waiting."""
    before = [
        one.settled_at or DISTANT
        for one in books.charges
        if one.subscription_id == agreement.id and (one.period or 0) < period
    ]
    until = max(due_at(agreement, period), agreement.created_at, *before)
    for span in spans:
        if span.since <= until + MAX_LATE:
            until = max(until, span.until or DISTANT)
    return until


def left_out(books: CustomerBooks, pauses: Pauses, then: Then, now: datetime) -> Iterator[str]:
    """Periods that should have been charged by `now` and are not: no pause passed over them, and
    nothing was waited for until they had ended."""
    for one in books.subscriptions:
        charged = {each.period for each in books.charges if each.subscription_id == one.id}
        spans = pauses.get(one.id, ())
        if one.frequency is None:
            yield from never_came(books, one, spans, now)
            continue
        began_free = one.first is None and one.trial_days is None
        for period in range(1 if began_free else 0, MAX_PERIODS):
            due = due_at(one, period)
            if due + MAX_LATE >= min(now, one.ended_at or DISTANT) or _after_until(one, period):
                break
            if period in charged or _passed_over(due, spans):
                continue
            waited = _waits_until(books, one, period, spans)
            # A pause by the policy begins and ends while a charge is waited for.
            if then is Then.PAUSE and waited > due:
                continue
            if waited + MAX_LATE < min(now, due_at(one, period + 1)):
                yield f"period {period} of {one.id}, due at {due}, was never charged"


def _after_until(one: Subscription, period: int) -> bool:
    assert one.frequency is not None
    starts_on = calendar_oracle.starts(one.anchor, one.frequency.value, period)
    return one.until is not None and starts_on > one.until


def _passed_over(due: datetime, spans: Sequence[Paused]) -> bool:
    return any(span.since <= due < (span.until or DISTANT) for span in spans)


def left_open(books: CustomerBooks, now: datetime) -> Iterator[str]:
    """What should have come to its end by `now`, when all was calm for days, and has not."""
    for charge in books.charges:
        if charge.settled_at is None and charge.outcome in ("unknown", "attempting"):
            yield f"{charge.ref} is still {charge.outcome}"
    for one in books.subscriptions:
        open_ended = one.over or one.collection or one.state is SubscriptionState.PAUSED
        if one.frequency and not open_ended and due_at(one, one.next_period) <= now:
            yield f"{one.id} was not charged for period {one.next_period}"


def _slots_too_early(agreement: Subscription, charge: Charge, due: datetime) -> Iterator[str]:
    """[RETRY]: the clock's try k is not before 23:59 of the k-th day after the first."""
    first_day = due.astimezone(ZoneInfo(agreement.zone)).date()
    tries = [one for one in charge.attempts if one.by is By.CLOCK]
    for k, one in enumerate(tries[1:], start=1):
        slot = calendar_oracle.begins(first_day + timedelta(days=k + 1), agreement.zone) - MINUTE
        if one.started_at < slot:
            yield f"try {k} of {charge.ref} came at {one.started_at}, not at {slot}"


def due_at(one: Subscription, period: int) -> datetime:
    """When a period is to be charged: a later start when its day begins, all else at 23:59."""
    if period == 0 and one.trial_days is None:
        return calendar_oracle.begins(one.anchor, one.zone)
    assert one.frequency is not None, "what recurs by itself has no calendar"
    return calendar_oracle.charged(one.anchor, one.frequency.value, period, one.zone)
