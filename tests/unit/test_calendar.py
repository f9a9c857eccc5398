"""Days, periods, charge moments and validities, against calculations written another way."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.calendar import (
    PERIODS_MAX,
    Frequency,
    charge_moment,
    credits_from,
    first_day_of_period_pack,
    first_period_after,
    first_period_from,
    local_date,
    minute_before_midnight,
    period_start,
    reminder_moment,
    start_of_day,
    subscription_pack_window,
    trial_anchor,
    trial_notice_moment,
    validity_of_days,
    validity_of_months,
)

NEW_YORK = "America/New_York"
NUUK = "America/Nuuk"

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(instant: datetime, zone: str) -> str:
    """What a clock in `zone` shows at `instant`."""
    assert instant.tzinfo is UTC
    return instant.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def charges(anchor: date, frequency: Frequency, periods: range, zone: str = NEW_YORK) -> list[str]:
    return [wall(charge_moment(anchor, frequency, n, zone), zone) for n in periods]


# Periods, against arithmetic on plain integers.


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def tomorrow(ymd: tuple[int, int, int]) -> tuple[int, int, int]:
    year, month, day = ymd
    if day < month_length(year, month):
        return year, month, day + 1
    return (year, month + 1, 1) if month < 12 else (year + 1, 1, 1)


def every_day_of(year: int) -> Iterator[tuple[int, int, int]]:
    ymd = (year, 1, 1)
    while ymd[0] == year:
        yield ymd
        ymd = tomorrow(ymd)


def as_tuple(day: date) -> tuple[int, int, int]:
    return day.year, day.month, day.day


@pytest.mark.parametrize("year", [2027, 2028])
def test_a_monthly_period_starts_on_the_anchors_day_or_the_last_the_month_has(year: int) -> None:
    for anchor in every_day_of(year):
        month_year, month = anchor[0], anchor[1]
        for n in range(61):
            day = min(anchor[2], month_length(month_year, month))
            expected = (month_year, month, day)
            assert as_tuple(period_start(date(*anchor), Frequency.MONTHLY, n)) == expected
            month_year, month = (month_year, month + 1) if month < 12 else (month_year + 1, 1)


@pytest.mark.parametrize("year", [2027, 2028])
def test_an_annual_period_starts_on_the_same_day_except_29_february(year: int) -> None:
    for anchor in every_day_of(year):
        for n in range(13):
            later = year + n
            expected = (later, anchor[1], anchor[2])
            if anchor[1:] == (2, 29) and not is_leap(later):
                expected = (later, 2, 28)
            assert as_tuple(period_start(date(*anchor), Frequency.ANNUAL, n)) == expected


@pytest.mark.parametrize("year", [2027, 2028])
@pytest.mark.parametrize(("frequency", "days"), [(Frequency.WEEKLY, 7), (Frequency.BIWEEKLY, 14)])
def test_weeks_are_counted_day_by_day(year: int, frequency: Frequency, days: int) -> None:
    for anchor in every_day_of(year):
        expected = anchor
        for n in range(12):
            assert as_tuple(period_start(date(*anchor), frequency, n)) == expected
            for _ in range(days):
                expected = tomorrow(expected)


def test_31_january_becomes_the_last_day_of_short_months_and_comes_back() -> None:
    starts = [period_start(date(2027, 1, 31), Frequency.MONTHLY, n).isoformat() for n in range(15)]
    assert starts[:5] == ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]
    assert starts[13:] == ["2028-02-29", "2028-03-31"]


@pytest.mark.parametrize("n", [-1, PERIODS_MAX + 1])
def test_a_period_outside_the_limits_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="period"):
        period_start(date(2026, 1, 31), Frequency.WEEKLY, n)


# The worked examples.


def test_example_1_monthly_from_31_january_in_new_york() -> None:
    anchor = date(2026, 1, 31)
    moments = [charge_moment(anchor, Frequency.MONTHLY, n, NEW_YORK) for n in (1, 2, 3)]
    assert moments[0] == utc("2026-02-28T04:59")
    assert moments[1] == utc("2026-03-31T03:59")
    assert [wall(moment, NEW_YORK) for moment in moments] == [
        "2026-02-27 23:59",
        "2026-03-30 23:59",
        "2026-04-29 23:59",
    ]
    usable = [credits_from(anchor, Frequency.MONTHLY, n, NEW_YORK) for n in (1, 2, 3)]
    assert [wall(moment, NEW_YORK) for moment in usable] == [
        "2026-02-28 00:00",
        "2026-03-31 00:00",
        "2026-04-30 00:00",
    ]


def test_example_3_nuuk_charges_a_minute_before_the_day_on_both_nights_of_changing_clocks() -> None:
    spring = charge_moment(date(2026, 3, 29), Frequency.MONTHLY, 0, NUUK)
    assert spring == utc("2026-03-29T00:59")
    assert wall(spring, NUUK) == "2026-03-28 22:59"
    autumn = charge_moment(date(2026, 3, 25), Frequency.MONTHLY, 7, NUUK)
    assert autumn == utc("2026-10-25T01:59")
    assert wall(autumn, NUUK) == "2026-10-24 23:59"
    assert autumn.astimezone(ZoneInfo(NUUK)).fold == 1


def test_example_4_a_weekly_pack_paid_at_the_last_try_is_valid_from_the_next_day() -> None:
    anchor = date(2026, 1, 5)
    assert charges(anchor, Frequency.WEEKLY, range(1, 3)) == [
        "2026-01-11 23:59",
        "2026-01-18 23:59",
    ]
    starts_on = period_start(anchor, Frequency.WEEKLY, 1)
    last_try = minute_before_midnight(date(2026, 1, 16), NEW_YORK)
    for late in (timedelta(0), timedelta(seconds=59, microseconds=999_999), 2 * MINUTE):
        window = subscription_pack_window(starts_on, last_try + late, 5, NEW_YORK)
        assert wall(window.valid_from, NEW_YORK) == "2026-01-17 00:00"
        assert wall(window.expires_at, NEW_YORK) == "2026-01-21 23:59"


def test_a_pack_paid_before_the_last_minute_of_a_day_is_valid_from_that_day() -> None:
    just_before = minute_before_midnight(date(2026, 1, 16), NEW_YORK) - datetime.resolution
    window = subscription_pack_window(date(2026, 1, 12), just_before, 5, NEW_YORK)
    assert wall(window.valid_from, NEW_YORK) == "2026-01-16 00:00"
    assert wall(window.expires_at, NEW_YORK) == "2026-01-20 23:59"


def test_a_pack_paid_before_its_period_is_valid_from_the_periods_start() -> None:
    on_time = minute_before_midnight(date(2026, 1, 11), NEW_YORK)
    for settled_at in (on_time - 30 * DAY, on_time, on_time + MINUTE):
        window = subscription_pack_window(date(2026, 1, 12), settled_at, 5, NEW_YORK)
        assert wall(window.valid_from, NEW_YORK) == "2026-01-12 00:00"
        assert wall(window.expires_at, NEW_YORK) == "2026-01-16 23:59"


def test_settling_in_nuuks_last_minute_counts_as_the_next_day_though_the_clock_shows_22_59() -> (
    None
):
    settled_at = utc("2026-03-29T00:59:30")
    assert wall(settled_at, NUUK) == "2026-03-28 22:59"
    day_1 = first_day_of_period_pack(date(2026, 3, 1), settled_at, NUUK)
    assert day_1 == date(2026, 3, 29)


def test_settling_at_nuuks_first_23_59_of_two_counts_as_that_day() -> None:
    first = utc("2026-10-25T00:59:30")
    second = utc("2026-10-25T01:59:30")
    assert wall(first, NUUK) == wall(second, NUUK) == "2026-10-24 23:59"
    assert first_day_of_period_pack(date(2026, 10, 1), first, NUUK) == date(2026, 10, 24)
    assert first_day_of_period_pack(date(2026, 10, 1), second, NUUK) == date(2026, 10, 25)


@pytest.mark.parametrize(
    ("until", "renewals"),
    [
        (date(2026, 2, 2), ["01-11 23:59", "01-18 23:59", "01-25 23:59", "02-01 23:59"]),
        (date(2026, 2, 1), ["01-11 23:59", "01-18 23:59", "01-25 23:59"]),
    ],
)
def test_example_5_no_period_that_starts_after_until_is_charged(
    until: date, renewals: list[str]
) -> None:
    anchor = date(2026, 1, 5)
    periods = [n for n in range(1, 10) if period_start(anchor, Frequency.WEEKLY, n) <= until]
    found = charges(anchor, Frequency.WEEKLY, range(1, periods[-1] + 1))
    assert found == [f"2026-{moment}" for moment in renewals]


def test_example_6_a_trial_of_14_days_from_10_march() -> None:
    started_at = utc("2026-03-10T15:00")
    anchor = trial_anchor(date(2026, 3, 10), 14)
    assert anchor == date(2026, 3, 24)
    assert charges(anchor, Frequency.MONTHLY, range(1)) == ["2026-03-23 23:59"]
    notice = trial_notice_moment(started_at, 14, NEW_YORK)
    assert wall(notice, NEW_YORK) == "2026-03-16 23:59"


@pytest.mark.parametrize("trial_days", [1, 6, 7])
def test_a_short_trials_end_is_announced_at_its_start(trial_days: int) -> None:
    started_at = utc("2026-03-10T15:00")
    assert trial_notice_moment(started_at, trial_days, NEW_YORK) == started_at


def test_a_trial_of_8_days_is_announced_at_23_59_of_its_first_day() -> None:
    notice = trial_notice_moment(utc("2026-03-10T15:00"), 8, NEW_YORK)
    assert wall(notice, NEW_YORK) == "2026-03-10 23:59"


def test_example_7_a_pause_over_the_february_charge_leaves_30_march_as_the_next() -> None:
    anchor = date(2026, 1, 31)
    resumed_at = utc("2026-02-28T15:00")
    n = first_period_from(anchor, Frequency.MONTHLY, resumed_at, NEW_YORK, lowest=1)
    assert charges(anchor, Frequency.MONTHLY, range(n, n + 1)) == ["2026-03-30 23:59"]


def test_example_8_annual_from_29_february() -> None:
    assert charges(date(2028, 2, 29), Frequency.ANNUAL, range(1, 5)) == [
        "2029-02-27 23:59",
        "2030-02-27 23:59",
        "2031-02-27 23:59",
        "2032-02-28 23:59",
    ]


@pytest.mark.parametrize(
    ("first_day", "last_day"), [("2026-03-20", "2026-04-18"), ("2026-03-10", "2026-04-08")]
)
def test_example_9_thirty_days_from_the_first_activity(first_day: str, last_day: str) -> None:
    validity = validity_of_days(date.fromisoformat(first_day), 30, NEW_YORK)
    assert wall(validity.valid_from, NEW_YORK) == f"{first_day} 00:00"
    assert wall(validity.expires_at, NEW_YORK) == f"{last_day} 23:59"


def test_example_10_a_pack_recurring_by_expiry() -> None:
    paid = validity_of_days(date(2026, 3, 1), 30, NEW_YORK)
    assert wall(paid.expires_at, NEW_YORK) == "2026-03-30 23:59"
    following = validity_of_days(local_date(paid.expires_at, NEW_YORK) + DAY, 30, NEW_YORK)
    assert wall(following.valid_from, NEW_YORK) == "2026-03-31 00:00"
    assert wall(following.expires_at, NEW_YORK) == "2026-04-29 23:59"
    carted = minute_before_midnight(local_date(paid.expires_at, NEW_YORK) - 2 * DAY, NEW_YORK)
    assert wall(carted, NEW_YORK) == "2026-03-28 23:59"


# Reminders and validities.


def test_a_reminder_goes_out_seven_days_before_the_day_of_the_charge_across_a_clock_change() -> (
    None
):
    anchor = date(2026, 2, 15)
    # Charged on 14 March at 23:59, in summer time since the 8th; announced in winter time.
    charge = charge_moment(anchor, Frequency.MONTHLY, 1, NEW_YORK)
    assert charge == utc("2026-03-15T03:59")
    reminder = reminder_moment(anchor, Frequency.MONTHLY, 1, NEW_YORK)
    assert reminder == utc("2026-03-08T04:59")
    assert wall(reminder, NEW_YORK) == "2026-03-07 23:59"


def test_nuuks_charge_of_28_march_at_22_59_is_announced_at_23_59_on_the_21st() -> None:
    reminder = reminder_moment(date(2026, 3, 29), Frequency.MONTHLY, 0, NUUK)
    assert wall(reminder, NUUK) == "2026-03-21 23:59"


def test_a_weekly_subscriptions_first_reminder_falls_before_its_purchase() -> None:
    anchor = date(2026, 1, 5)
    assert reminder_moment(anchor, Frequency.WEEKLY, 1, NEW_YORK) < start_of_day(anchor, NEW_YORK)
    second = reminder_moment(anchor, Frequency.WEEKLY, 2, NEW_YORK)
    assert wall(second, NEW_YORK) == "2026-01-11 23:59"


@pytest.mark.parametrize(
    ("first_day", "months", "last_day"),
    [
        ("2026-03-15", 1, "2026-04-14"),
        ("2026-01-31", 1, "2026-02-27"),
        ("2028-01-31", 1, "2028-02-28"),
        ("2026-03-01", 1, "2026-03-31"),
        ("2026-10-31", 4, "2027-02-27"),
        ("2028-02-29", 12, "2029-02-27"),
    ],
)
def test_months_run_to_the_day_before_the_same_date(
    first_day: str, months: int, last_day: str
) -> None:
    validity = validity_of_months(date.fromisoformat(first_day), months, NEW_YORK)
    assert wall(validity.valid_from, NEW_YORK) == f"{first_day} 00:00"
    assert wall(validity.expires_at, NEW_YORK) == f"{last_day} 23:59"


def test_one_day_of_validity_is_that_day() -> None:
    validity = validity_of_days(date(2026, 3, 8), 1, NEW_YORK)
    assert wall(validity.valid_from, NEW_YORK) == "2026-03-08 00:00"
    assert wall(validity.expires_at, NEW_YORK) == "2026-03-08 23:59"
    assert validity.expires_at - validity.valid_from == timedelta(hours=22, minutes=59)


@pytest.mark.parametrize("number", [0, -1, 1_000_000_000])
def test_spans_outside_the_limits_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="days"):
        validity_of_days(date(2026, 1, 1), number, NEW_YORK)
    with pytest.raises(ValueError, match="months"):
        validity_of_months(date(2026, 1, 1), number, NEW_YORK)
    with pytest.raises(ValueError, match="trial"):
        trial_anchor(date(2026, 1, 1), number)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        local_date(datetime.fromisoformat("2026-01-01T00:00"), NEW_YORK)


# Properties.

zones = st.sampled_from(sorted(zoneinfo.available_timezones()))
days = st.dates(min_value=date(1970, 1, 2), max_value=date(2100, 1, 1))
frequencies = st.sampled_from(Frequency)


@settings(max_examples=300, deadline=None)
@given(days, frequencies, st.integers(0, 200), zones)
def test_a_charge_comes_one_minute_before_its_credits_and_after_its_reminder(
    anchor: date, frequency: Frequency, n: int, zone: str
) -> None:
    charge = charge_moment(anchor, frequency, n, zone)
    assert charge + MINUTE == credits_from(anchor, frequency, n, zone)
    lead = charge - reminder_moment(anchor, frequency, n, zone)
    # A change of clocks moves it by hours; changing sides of the date line by a day.
    assert 6 * DAY - timedelta(hours=3) <= lead <= 8 * DAY + timedelta(hours=3)


@settings(max_examples=400, deadline=None)
@given(days, frequencies, st.integers(-400 * 86_400, 12 * 366 * 86_400), zones, st.integers(0, 3))
def test_the_first_period_from_a_moment_is_the_one_that_a_search_by_halves_finds(
    anchor: date, frequency: Frequency, seconds_after_anchor: int, zone: str, lowest: int
) -> None:
    moment = start_of_day(anchor, zone) + timedelta(seconds=seconds_after_anchor)

    def searched(*, strictly: bool) -> int:
        low, high = lowest, 1_000
        while low < high:
            middle = (low + high) // 2
            charge = charge_moment(anchor, frequency, middle, zone)
            if charge > moment or (charge == moment and not strictly):
                high = middle
            else:
                low = middle + 1
        return low

    assert first_period_from(anchor, frequency, moment, zone, lowest=lowest) == searched(
        strictly=False
    )
    assert first_period_after(anchor, frequency, moment, zone, lowest=lowest) == searched(
        strictly=True
    )


@settings(max_examples=300, deadline=None)
@given(st.dates(date(2012, 1, 1), date(2060, 1, 1)), frequencies, st.integers(0, 300), zones)
def test_the_moment_of_a_charge_itself_separates_from_and_after(
    anchor: date, frequency: Frequency, n: int, zone: str
) -> None:
    moment = charge_moment(anchor, frequency, n, zone)
    assert first_period_from(anchor, frequency, moment, zone) == n
    assert first_period_after(anchor, frequency, moment, zone) == n + 1
    assert first_period_from(anchor, frequency, moment + datetime.resolution, zone) == n + 1


def test_a_period_that_starts_on_a_day_skipped_whole_is_still_the_first_from_its_charge() -> None:
    # Kiritimati had no 31 December 1994.
    anchor, zone = date(1994, 10, 31), "Pacific/Kiritimati"
    moment = charge_moment(anchor, Frequency.MONTHLY, 2, zone)
    assert wall(moment, zone) == "1994-12-30 23:59"
    assert first_period_from(anchor, Frequency.MONTHLY, moment, zone) == 2
    assert first_period_after(anchor, Frequency.MONTHLY, moment, zone) == 3
