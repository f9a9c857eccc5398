"""Where days start and end, in every time zone there is, found by looking at the clock ([DAY])."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.calendar import local_date, minute_before_midnight, start_of_day

NUUK = "America/Nuuk"

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(instant: datetime, zone: str) -> str:
    """What a clock in `zone` shows at `instant`."""
    assert instant.tzinfo is UTC
    return instant.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


# Nights on which clocks change.


@pytest.mark.parametrize(
    ("zone", "day", "starts", "ends_with"),
    [
        # 00:00 is skipped.
        ("America/Havana", "2024-03-10", "2024-03-10T05:00", "2024-03-11T03:59"),
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00", "2026-03-29T20:59"),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00", "2026-04-24T20:59"),
        ("America/Sao_Paulo", "2017-10-15", "2017-10-15T03:00", "2017-10-16T01:59"),
        # 00:00 comes twice: the first counts.
        ("America/Havana", "2024-11-03", "2024-11-03T04:00", "2024-11-04T04:59"),
        # 23:00 to midnight comes twice: its second 23:59 counts.
        ("Asia/Beirut", "2026-10-24", "2026-10-23T21:00", "2026-10-24T21:59"),
        ("Africa/Cairo", "2026-10-29", "2026-10-28T21:00", "2026-10-29T21:59"),
        ("America/Sao_Paulo", "2017-02-18", "2017-02-18T02:00", "2017-02-19T02:59"),
        # 23:00 to midnight is skipped, and comes twice.
        (NUUK, "2026-03-28", "2026-03-28T02:00", "2026-03-29T00:59"),
        (NUUK, "2026-10-24", "2026-10-24T01:00", "2026-10-25T01:59"),
        # Half an hour, at two in the morning.
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00", "2026-04-05T13:29"),
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30", "2026-10-04T12:59"),
        # From 23:30 to 00:30, and from 00:01 to 23:01.
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30", "1919-04-01T03:59"),
        ("America/St_Johns", "2010-11-06", "2010-11-06T02:30", "2010-11-07T02:29"),
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30", "2010-11-08T03:29"),
        # The day after which a whole day is skipped, and the day after that.
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00", "2011-12-30T09:59"),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00", "2011-12-31T09:59"),
    ],
)
def test_a_day_starts_at_its_first_instant_and_its_23_59_is_a_minute_before_the_next(
    zone: str, day: str, starts: str, ends_with: str
) -> None:
    assert start_of_day(date.fromisoformat(day), zone) == utc(starts)
    assert minute_before_midnight(date.fromisoformat(day), zone) == utc(ends_with)


@pytest.mark.parametrize(
    ("zone", "skipped"),
    [("Pacific/Apia", date(2011, 12, 30)), ("Pacific/Kwajalein", date(1993, 8, 21))],
)
def test_a_day_that_is_skipped_whole_is_empty(zone: str, skipped: date) -> None:
    change = start_of_day(skipped, zone)
    assert change == start_of_day(skipped + DAY, zone)
    assert wall(change, zone) == f"{skipped + DAY} 00:00"
    assert wall(change - MINUTE, zone) == f"{skipped - DAY} 23:59"
    assert local_date(change - MINUTE, zone) == skipped - DAY
    assert local_date(change, zone) == skipped + DAY
    assert minute_before_midnight(skipped, zone) == minute_before_midnight(skipped - DAY, zone)


def test_a_day_that_has_started_stays_though_clocks_go_back_over_midnight() -> None:
    # St. John's 2010: 00:01 on 7 November became 23:01 on the 6th.
    started = utc("2010-11-07T02:30")
    zone = "America/St_Johns"
    assert wall(started + 2 * MINUTE, zone) == "2010-11-06 23:02"
    assert local_date(started - datetime.resolution, zone) == date(2010, 11, 6)
    assert local_date(started + 2 * MINUTE, zone) == date(2010, 11, 7)


# Every zone there is, from 2020 to 2030.

SCAN_FROM = datetime(2020, 1, 1, 12, tzinfo=UTC)
SCAN_TO = datetime(2030, 12, 31, 12, tzinfo=UTC)
SAMPLE_DAYS = 11
"""Away from changes of clocks every eleventh day is looked at, so that all weekdays are."""


def distinct_zones() -> list[list[str]]:
    """All zones, those with the same rules together."""
    groups: dict[bytes, list[str]] = {}
    for name in sorted(zoneinfo.available_timezones()):
        rules = files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
        groups.setdefault(rules, []).append(name)
    return list(groups.values())


def changes_of(place: ZoneInfo) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """Each change of offset between two noons in UTC, with the offsets before and after."""

    def offset(instant: datetime) -> timedelta:
        found = instant.astimezone(place).utcoffset()
        assert found is not None
        return found

    noon, before = SCAN_FROM, offset(SCAN_FROM)
    while noon < SCAN_TO:
        noon += DAY
        after = offset(noon)
        if after == before:
            continue
        change = noon
        while offset(change - timedelta(hours=1)) == after:
            change -= timedelta(hours=1)
        while offset(change - MINUTE) == after:
            change -= MINUTE
        yield change, before, after
        before = after


def starts_by_walking(place: ZoneInfo, change: datetime) -> dict[date, datetime]:
    """The first minute of each day that begins within a day and a half of `change`, found by
    looking at the clock on the wall in every minute."""
    first: dict[date, datetime] = {}
    instant = change - 1.5 * DAY
    for _ in range(3 * 24 * 60):
        day = instant.astimezone(place).date()
        if day not in first:
            first[day] = instant
        instant += MINUTE
    del first[min(first)]  # it had begun before
    return first


def test_in_every_zone_each_day_starts_at_its_first_minute_and_23_59_is_its_last() -> None:
    walked: dict[tuple[datetime, timedelta, timedelta], dict[date, datetime]] = {}
    names_seen: set[str] = set()
    for number, names in enumerate(distinct_zones()):
        names_seen.update(names)
        zone, place = names[0], ZoneInfo(names[0])
        unusual: dict[date, datetime] = {}
        for change in changes_of(place):
            if change not in walked:
                walked[change] = starts_by_walking(place, change[0])
            unusual.update(walked[change])
        for day, first_minute in unusual.items():
            assert start_of_day(day, zone) == first_minute, (zone, day)
            assert minute_before_midnight(day - DAY, zone) == first_minute - MINUTE, (zone, day)
            assert local_date(first_minute, zone) == day, (zone, day)
            assert local_date(first_minute - MINUTE, zone) == day - DAY, (zone, day)
        day = SCAN_FROM.date() + (number % SAMPLE_DAYS) * DAY
        while day < SCAN_TO.date():
            if day not in unusual and day + DAY not in unusual:
                assert wall(start_of_day(day, zone), zone) == f"{day} 00:00", zone
                assert wall(minute_before_midnight(day, zone), zone) == f"{day} 23:59", zone
            day += SAMPLE_DAYS * DAY
    assert names_seen == zoneinfo.available_timezones()
    assert len(walked) > 500


def test_the_time_zones_are_those_of_the_pinned_package() -> None:
    assert zoneinfo.TZPATH == ()


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 130 * 365 * 86_400), st.sampled_from(sorted(zoneinfo.available_timezones())))
def test_every_instant_belongs_to_the_day_that_has_started_and_not_the_next(
    seconds_since_1970: int, zone: str
) -> None:
    instant = datetime.fromtimestamp(seconds_since_1970, UTC)
    day = local_date(instant, zone)
    assert start_of_day(day, zone) <= instant < start_of_day(day + DAY, zone)
