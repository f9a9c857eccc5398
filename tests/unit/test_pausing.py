"""What a pause passes over, freezes and leaves ([PAUSE])."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from shared.domain.collecting import mark_failing, settle_period, skip_ended, use_slot
from shared.domain.dunning import FirstSlot, RetryPolicy
from shared.domain.errors import Conflict
from shared.domain.forecast import forecast
from shared.domain.invoice import InvoiceLine
from shared.domain.money import Money
from shared.domain.pausing import (
    ended_by_pause,
    freed_by_resuming,
    pause,
    resume,
    slot_moments,
)
from shared.domain.renewal import NextCharge, decide_renewal
from shared.domain.subscription import (
    OVER,
    PausedBy,
    Subscription,
    SubscriptionState,
    next_moment,
    next_slot_at,
    next_try_at,
    reminder_at,
)
from tests.unit.subscription_samples import NEW_YORK, collected, pack_of, subscription_of, utc

LINE = InvoiceLine(
    name="Month",
    unit=Money(minor=4900, currency="USD"),
    amount=Money(minor=4900, currency="USD"),
    tax=Money(minor=404, currency="USD"),
)


def paused(subscription: Subscription, at: str) -> Subscription:
    return pause(subscription, PausedBy.STAFF, utc(at))


def over_pauses(subscription: Subscription, *spans: tuple[str, str]) -> Subscription:
    for begins, ends in spans:
        subscription = resume(paused(subscription, begins), utc(ends))
    return subscription


def scheduled(**other: Any) -> Subscription:
    """Starts on 10 March in New York, and is charged when that day starts: 05:00 UTC."""
    return subscription_of(
        state=SubscriptionState.SCHEDULED,
        first=FirstSlot.AT_DAY_START,
        anchor=date(2026, 3, 10),
        next_period=0,
        payments_made=0,
        **other,
    )


@pytest.mark.parametrize(
    ("begins", "ends", "period"),
    [
        ("2026-02-20 15:00", "2026-02-25 15:00", 1),
        # The charge of period 1 is at 04:59 UTC of 28 February: in the pause from its beginning to
        # before its end.
        ("2026-02-20 15:00", "2026-02-28 04:59", 1),
        ("2026-02-20 15:00", "2026-02-28 05:00", 2),
        ("2026-02-28 04:59", "2026-02-28 05:00", 2),
        ("2026-02-20 15:00", "2026-03-31 03:59", 2),
        ("2026-02-20 15:00", "2026-03-31 04:00", 3),
    ],
)
def test_the_next_charge_is_the_first_at_or_after_resuming(
    begins: str, ends: str, period: int
) -> None:
    resumed = over_pauses(subscription_of(), (begins, ends))
    assert resumed.state is SubscriptionState.ACTIVE
    assert resumed.next_period == period
    assert resumed.anchor == date(2026, 1, 31)
    assert resumed.pause is None


def test_a_charge_that_was_due_before_the_pause_is_not_passed_over() -> None:
    resumed = over_pauses(subscription_of(), ("2026-02-28 05:10", "2026-03-05 15:00"))
    assert resumed.next_period == 1
    assert decide_renewal(resumed, utc("2026-03-05 15:00")) is NextCharge.CHARGE


def test_a_first_charge_at_the_start_of_its_day_is_to_come_until_then() -> None:
    # Between 23:59 of the day before and midnight a renewal's moment would have passed.
    still = over_pauses(scheduled(), ("2026-03-01 15:00", "2026-03-10 03:59"))
    assert (still.next_period, still.state) == (0, SubscriptionState.SCHEDULED)
    gone = over_pauses(scheduled(), ("2026-03-01 15:00", "2026-03-10 04:01"))
    assert (gone.next_period, gone.state) == (1, SubscriptionState.ACTIVE)


@pytest.mark.parametrize("state", sorted(OVER))
def test_what_is_over_is_neither_paused_nor_resumed(state: SubscriptionState) -> None:
    over = subscription_of(state=state)
    with pytest.raises(Conflict):
        paused(over, "2026-02-20 15:00")
    with pytest.raises(Conflict):
        resume(over, utc("2026-02-20 15:00"))


def test_twice_is_as_once() -> None:
    once = paused(subscription_of(), "2026-02-20 15:00")
    assert paused(once, "2026-02-21 15:00") == once
    active = subscription_of()
    assert resume(active, utc("2026-02-21 15:00")) == active


def test_nothing_is_due_in_a_pause_but_an_end() -> None:
    one = paused(subscription_of(), "2026-02-20 15:00")
    assert next_moment(one) is None
    ending = one.model_copy(update={"cancel_at_period_end": True})
    moment = next_moment(ending)
    assert moment is not None
    assert moment.at == utc("2026-02-28 04:59")
    assert decide_renewal(ending, moment.at) is NextCharge.CANCEL
    until = one.model_copy(update={"until": date(2026, 4, 15)})
    moment = next_moment(until)
    assert moment is not None
    # 30 April is the first period that starts after it.
    assert moment.at == utc("2026-04-30 03:59")
    assert decide_renewal(until, moment.at - timedelta(seconds=1)) is NextCharge.NOT_YET
    assert decide_renewal(until, moment.at) is NextCharge.END


def test_a_reminder_whose_moment_passed_in_a_pause_is_not_sent() -> None:
    # That of the charge of 27 February: 23:59 of the 20th.
    assert reminder_at(subscription_of()) == utc("2026-02-21 04:59")
    missed = over_pauses(subscription_of(), ("2026-02-20 15:00", "2026-02-21 05:00"))
    assert reminder_at(missed) is None
    at_it = over_pauses(subscription_of(), ("2026-02-20 15:00", "2026-02-21 04:59"))
    assert reminder_at(at_it) == utc("2026-02-21 04:59")


# --- an open retry -------------------------------------------------------------------------------


def failing(slots: int = 1) -> Subscription:
    one = collected(subscription_of())
    for _ in range(slots - 1):
        at = next_slot_at(one)
        assert at is not None
        one = use_slot(one, at)
    return mark_failing(one)


def slots_of(one: Subscription) -> list[datetime]:
    found = []
    while (at := next_slot_at(one)) is not None:
        found.append(at)
        one = use_slot(one, at)
    return found


def test_slots_that_are_left_go_on_from_the_day_of_resuming() -> None:
    frozen = paused(failing(slots=3), "2026-03-02 15:00")
    assert next_try_at(frozen) is None
    resumed = resume(frozen, utc("2026-06-10 15:00"))
    assert resumed.state is SubscriptionState.PAST_DUE
    assert slots_of(resumed) == [
        utc("2026-06-11 03:59"),
        utc("2026-06-12 03:59"),
        utc("2026-06-13 03:59"),
    ]


def test_a_slot_that_is_still_to_come_keeps_its_day() -> None:
    policy = RetryPolicy(days_between=3, tries=4)
    one = mark_failing(collected(subscription_of(), policy=policy))
    later = resume(paused(one, "2026-02-28 15:00"), utc("2026-03-01 15:00"))
    assert slots_of(later) == slots_of(one)


def test_resumed_in_the_last_minute_the_slot_is_now_or_tomorrow() -> None:
    frozen = paused(failing(), "2026-02-28 15:00")
    assert slots_of(resume(frozen, utc("2026-03-06 04:59")))[0] == utc("2026-03-06 04:59")
    assert slots_of(resume(frozen, utc("2026-03-06 04:59") + timedelta(seconds=1)))[0] == utc(
        "2026-03-07 04:59"
    )


def test_settled_after_it_the_renewals_inside_it_are_skipped_and_forecast_so() -> None:
    resumed = over_pauses(failing(), ("2026-03-01 15:00", "2026-05-05 15:00"))
    # March's and April's lay inside; May's, of the 30th, is the next.
    told = forecast(resumed, LINE, utc("2026-05-05 15:00"))
    assert [one.period for one in told[:3]] == [1, 4, 5]
    settled, skipped = settle_period(resumed, pack_of(period=1), utc("2026-05-06 03:59"))
    assert (settled.next_period, skipped) == (4, 0)
    assert settled.passed_over == ()


def test_what_waited_before_the_pause_is_charged_after_it_and_what_lay_inside_is_not() -> None:
    # The renewal of 30 March waits for what is open since February; April's lies in the pause.
    resumed = over_pauses(failing(slots=6), ("2026-04-20 15:00", "2026-04-29 15:00"))
    settled, skipped = settle_period(resumed, pack_of(period=1), utc("2026-04-29 15:00"))
    assert (settled.next_period, skipped) == (2, 0)
    again = over_pauses(failing(slots=6), ("2026-04-20 15:00", "2026-05-02 15:00"))
    settled, skipped = settle_period(again, pack_of(period=1), utc("2026-05-02 15:00"))
    assert (settled.next_period, skipped) == (4, 1), "March's period has ended, April's is skipped"


def test_several_pauses_pass_over_their_own_periods() -> None:
    twice = over_pauses(
        failing(slots=6),
        ("2026-03-20 15:00", "2026-04-02 15:00"),
        ("2026-05-20 15:00", "2026-06-02 15:00"),
    )
    assert [(one.first, one.until) for one in twice.passed_over] == [(2, 3), (4, 5)]
    ready = twice.model_copy(update={"collection": None, "next_period": 2})
    moved, ended = skip_ended(ready, utc("2026-05-10 15:00"))
    assert (moved.next_period, ended) == (3, 0)
    after = moved.model_copy(update={"next_period": 4})
    assert skip_ended(after, utc("2026-06-02 15:00"))[0].next_period == 5


def test_the_timeline_knows_the_slots_as_the_clock_used_them() -> None:
    one = failing(slots=2)
    pauses = (
        ("2026-03-01 15:00", "2026-03-20 15:00"),
        ("2026-03-22 15:00", "2026-04-01 15:00"),
    )
    used = [utc("2026-02-28 04:59"), utc("2026-03-01 04:59")]
    one = resume(paused(one, pauses[0][0]), utc(pauses[0][1]))
    for _ in range(2):
        at = next_slot_at(one)
        assert at is not None
        used.append(at)
        one = use_slot(one, at)
    one = resume(paused(one, pauses[1][0]), utc(pauses[1][1]))
    told = slot_moments(
        date(2026, 2, 27),
        RetryPolicy(),
        NEW_YORK.zone,
        FirstSlot.AT_2359,
        [(utc(begins), utc(ends)) for begins, ends in pauses],
    )
    assert list(told) == used + slots_of(one)


# --- packs ---------------------------------------------------------------------------------------


def test_only_an_unlimited_pack_without_a_validity_ends_with_the_paid_period() -> None:
    one = subscription_of()
    unlimited = pack_of(granted=None, left=None, period=0, expires_with_next=True)
    ended = ended_by_pause(one, unlimited)
    assert ended.expires_at == utc("2026-02-28 05:00")
    assert freed_by_resuming(ended, utc("2026-02-25 15:00")) == unlimited
    assert freed_by_resuming(ended, utc("2026-02-28 05:00")) == ended, "it can't be undone"
    counted = pack_of(period=0, expires_with_next=True)
    own = pack_of(granted=None, left=None, period=0, expires_at=utc("2026-05-01 03:59"))
    for pack in (counted, own):
        assert ended_by_pause(one, pack) == pack
        assert freed_by_resuming(pack, utc("2026-02-25 15:00")) == pack
