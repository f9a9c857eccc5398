"""Slots of a retry policy, and which policies fit a frequency ([RETRY])."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from shared.domain.calendar import Frequency, charge_moment, period_start, start_of_day
from shared.domain.dunning import FirstSlot, RetryPolicy, Then, check_policy, slot_moment
from shared.domain.errors import Invalid

NEW_YORK = "America/New_York"
NUUK = "America/Nuuk"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def walls(first_day: date, policy: RetryPolicy, zone: str, first: FirstSlot) -> list[str]:
    """What the clock on the wall shows at each slot."""
    moments = [slot_moment(first_day, k, policy, zone, first=first) for k in range(policy.tries)]
    return [moment.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M") for moment in moments]


def test_the_policy_without_settings_is_six_daily_slots_and_then_cancels() -> None:
    policy = RetryPolicy()
    assert (policy.days_between, policy.tries, policy.then) == (1, 6, Then.CANCEL)
    assert policy.days_to_last_try == 5


def test_example_2_february_fails_until_4_march() -> None:
    policy = RetryPolicy()
    assert walls(date(2026, 2, 27), policy, NEW_YORK, FirstSlot.AT_2359) == [
        "02-27 23:59",
        "02-28 23:59",
        "03-01 23:59",
        "03-02 23:59",
        "03-03 23:59",
        "03-04 23:59",
    ]
    assert slot_moment(date(2026, 2, 27), 5, policy, NEW_YORK) == utc("2026-03-05T04:59")


def test_slot_0_of_a_renewal_is_its_charge_moment() -> None:
    charge = charge_moment(date(2026, 1, 31), Frequency.MONTHLY, 1, NEW_YORK)
    assert slot_moment(date(2026, 2, 27), 0, RetryPolicy(), NEW_YORK) == charge


def test_example_4_the_last_weekly_try_is_friday_16_january() -> None:
    last = slot_moment(date(2026, 1, 11), 5, RetryPolicy(), NEW_YORK)
    assert last == utc("2026-01-17T04:59")


def test_a_later_start_is_charged_when_its_day_starts_and_retried_on_the_next_five_days() -> None:
    assert walls(date(2026, 1, 5), RetryPolicy(), NEW_YORK, FirstSlot.AT_DAY_START) == [
        "01-05 00:00",
        "01-06 23:59",
        "01-07 23:59",
        "01-08 23:59",
        "01-09 23:59",
        "01-10 23:59",
    ]


def test_slots_follow_the_local_day_over_nuuks_change_of_clocks() -> None:
    # On 28 March 23:00 to midnight is skipped, so 23:59 of that day is 22:59 on the wall.
    assert walls(date(2026, 3, 27), RetryPolicy(tries=3), NUUK, FirstSlot.AT_2359) == [
        "03-27 23:59",
        "03-28 22:59",
        "03-29 23:59",
    ]
    assert slot_moment(date(2026, 3, 27), 1, RetryPolicy(), NUUK) == utc("2026-03-29T00:59")


def test_days_between_spaces_the_slots() -> None:
    policy = RetryPolicy(days_between=3, tries=4)
    assert walls(date(2026, 1, 30), policy, NEW_YORK, FirstSlot.AT_2359) == [
        "01-30 23:59",
        "02-02 23:59",
        "02-05 23:59",
        "02-08 23:59",
    ]


@pytest.mark.parametrize("k", [-1, 6, 7])
def test_a_slot_that_the_policy_does_not_have_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match="slot"):
        slot_moment(date(2026, 1, 1), k, RetryPolicy(), NEW_YORK)


@pytest.mark.parametrize(
    "settings",
    [
        {"tries": 0},
        {"tries": -1},
        {"tries": 10**9},
        {"days_between": 0},
        {"days_between": 10**9},
        {"then": "shrug"},
        {"tires": 3},
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(settings))):
        RetryPolicy.model_validate(settings)


@pytest.mark.parametrize("frequency", list(Frequency))
def test_the_default_policy_fits_every_frequency(frequency: Frequency) -> None:
    check_policy(RetryPolicy(), frequency)


@pytest.mark.parametrize("frequency", list(Frequency))
def test_a_single_try_fits_every_frequency(frequency: Frequency) -> None:
    check_policy(RetryPolicy(tries=1, days_between=365), frequency)


def anchors() -> Iterator[date]:
    """Every day of four years, one of them a leap year."""
    day = date(2026, 1, 1)
    while day < date(2030, 1, 1):
        yield day
        day += timedelta(days=1)


def shortest_way_to_the_next_renewal_days(frequency: Frequency) -> int:
    """Over every anchor and both kinds of first slot: how many days after the day of the first
    charge the next renewal is charged, at the same 23:59 as a try would be."""
    shortest = 1_000
    for anchor in anchors():
        for n in range(14):
            starts_on = period_start(anchor, frequency, n)
            next_charge_day = period_start(anchor, frequency, n + 1) - timedelta(days=1)
            charge_day = starts_on if n == 0 else starts_on - timedelta(days=1)
            shortest = min(shortest, (next_charge_day - charge_day).days)
    return shortest


@pytest.mark.parametrize("frequency", list(Frequency))
def test_a_policy_is_refused_exactly_when_its_last_try_reaches_some_next_renewal(
    frequency: Frequency,
) -> None:
    shortest = shortest_way_to_the_next_renewal_days(frequency)
    for days_between in (1, 2, 3, 5, 6, 7, 13, 27, 28, 182, 364, 365):
        for tries in range(1, 11):
            policy = RetryPolicy(days_between=days_between, tries=tries)
            reaches = tries > 1 and (tries - 1) * days_between >= shortest
            if not reaches:
                check_policy(policy, frequency)
                continue
            with pytest.raises(Invalid):
                check_policy(policy, frequency)


def test_a_seventh_daily_try_of_a_weekly_later_start_would_meet_its_renewal() -> None:
    policy = RetryPolicy(tries=7)
    monday = date(2026, 1, 5)
    last = slot_moment(monday, 6, policy, NEW_YORK, first=FirstSlot.AT_DAY_START)
    assert last == charge_moment(monday, Frequency.WEEKLY, 1, NEW_YORK)
    with pytest.raises(Invalid):
        check_policy(policy, Frequency.WEEKLY)


@pytest.mark.parametrize("frequency", list(Frequency))
def test_the_longest_policy_that_fits_ends_before_the_next_renewal(frequency: Frequency) -> None:
    tries = max(n for n in range(1, 366) if fits(RetryPolicy(tries=n), frequency))
    policy = RetryPolicy(tries=tries)
    for anchor in anchors():
        if anchor.year > 2026:
            break
        renewal = charge_moment(anchor, frequency, 1, NEW_YORK)
        last = slot_moment(anchor, tries - 1, policy, NEW_YORK, first=FirstSlot.AT_DAY_START)
        assert start_of_day(anchor, NEW_YORK) < last < renewal


def fits(policy: RetryPolicy, frequency: Frequency) -> bool:
    try:
        check_policy(policy, frequency)
    except Invalid:
        return False
    return True


def test_the_refusal_names_the_number_of_tries_and_how_many_fit() -> None:
    with pytest.raises(Invalid) as refusal:
        check_policy(RetryPolicy(days_between=2, tries=6), Frequency.WEEKLY)
    assert list(refusal.value.fields) == ["tries"]
    reason = refusal.value.fields["tries"]
    assert "10 days" in reason
    assert "weekly" in reason
    assert "at most 3 tries" in reason
    check_policy(RetryPolicy(days_between=2, tries=3), Frequency.WEEKLY)


def test_the_refusal_names_the_days_between_when_not_even_two_tries_fit() -> None:
    with pytest.raises(Invalid) as refusal:
        check_policy(RetryPolicy(days_between=27, tries=2), Frequency.MONTHLY)
    assert list(refusal.value.fields) == ["days_between"]
    assert "at most 26 days" in refusal.value.fields["days_between"]
    check_policy(RetryPolicy(days_between=26, tries=2), Frequency.MONTHLY)
