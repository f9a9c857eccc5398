"""Ten years of periods, for every anchor day, every time zone and all four frequencies, against a
calculation written another way ([ANCHOR] [2359] [DAY]).

What `period_start` and `start_of_day` answer is looked at for every input there is: each anchor day
of four years with each period of ten years, and each day of fourteen years in each zone. A moment
is made of one of each, so moments are looked at in every pair of what makes them: every zone with
every anchor day, every anchor day with every period of ten years, and every zone with whole runs
of every frequency.
"""

import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from shared.domain.calendar import (
    Frequency,
    charge_moment,
    credits_from,
    local_date,
    period_start,
    start_of_day,
)
from tests.unit.test_calendar import as_tuple, every_day_of, is_leap, month_length
from tests.unit.test_calendar_zones import distinct_zones

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

FIRST_YEAR, LAST_YEAR = 2026, 2039
ANCHOR_YEARS = (2026, 2027, 2028, 2029)
RUN_YEARS = (2027, 2028)
"""A year and a leap year: the anchors of the runs that are looked at in every zone."""

YEARS = 10
PARTS = 4
"""Of the zones, so that several processes can share them."""

Ymd = tuple[int, int, int]


# --- periods, by counting days -------------------------------------------------------------------


@cache
def all_days() -> tuple[list[Ymd], Mapping[Ymd, int]]:
    """Each day there is, and its place among them."""
    listed = [ymd for year in range(FIRST_YEAR, LAST_YEAR + 1) for ymd in every_day_of(year)]
    return listed, {ymd: place for place, ymd in enumerate(listed)}


def every_so_many(anchor: Ymd, days: int) -> Iterator[Ymd]:
    """The anchor and each so-many-eth day after it."""
    listed, places = all_days()
    yield from listed[places[anchor] :: days]


def every_month(anchor: Ymd) -> Iterator[Ymd]:
    """The anchor's day in each month, or the last that the month has."""
    year, month, day = anchor
    while year <= LAST_YEAR:
        yield year, month, min(day, month_length(year, month))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def every_year(anchor: Ymd) -> Iterator[Ymd]:
    year, month, day = anchor
    for later in range(year, LAST_YEAR + 1):
        on_leap_day = (month, day) == (2, 29) and not is_leap(later)
        yield (later, 2, 28) if on_leap_day else (later, month, day)


@cache
def expected_starts(anchor: Ymd, frequency: Frequency) -> list[Ymd]:
    """The first days of the periods that start within ten years."""
    runs = {
        Frequency.WEEKLY: every_so_many(anchor, 7),
        Frequency.BIWEEKLY: every_so_many(anchor, 14),
        Frequency.MONTHLY: every_month(anchor),
        Frequency.ANNUAL: every_year(anchor),
    }
    end = (anchor[0] + YEARS, *anchor[1:])
    return [ymd for ymd in runs[frequency] if ymd <= end]


@pytest.mark.parametrize("frequency", Frequency)
def test_every_period_of_ten_years_from_every_anchor_day(frequency: Frequency) -> None:
    at_least = {"weekly": 521, "biweekly": 261, "monthly": 120, "annual": 10}[frequency]
    for year in ANCHOR_YEARS:
        for anchor in every_day_of(year):
            first = date(*anchor)
            expected = expected_starts(anchor, frequency)
            assert len(expected) >= at_least
            found = [as_tuple(period_start(first, frequency, n)) for n in range(len(expected))]
            assert found == expected, anchor


# --- days, by looking at the clock ---------------------------------------------------------------


def first_instants(zone: str) -> dict[Ymd, datetime]:
    """When each day begins, in UTC. Where noon and the noon before, in UTC, have the same offset,
    midnight lies that far off; the other days are walked through minute by minute."""
    place = ZoneInfo(zone)
    found: dict[Ymd, datetime] = {}
    noon = datetime(FIRST_YEAR - 1, 12, 29, 12, tzinfo=UTC)
    before = noon.astimezone(place)
    while noon < datetime(LAST_YEAR + 1, 1, 3, 12, tzinfo=UTC):
        noon += DAY
        after = noon.astimezone(place)
        offset = after.utcoffset()
        assert offset is not None
        if offset == before.utcoffset():
            midnight = datetime(after.year, after.month, after.day, tzinfo=UTC) - offset
            assert noon - DAY < midnight <= noon
            found.setdefault((after.year, after.month, after.day), midnight)
        else:
            walk(place, noon - DAY, found)
        before = after
    return found


def walk(place: ZoneInfo, noon: datetime, found: dict[Ymd, datetime]) -> None:
    """Look at the clock in every minute of a day: where it first shows a new date, that begins."""
    last_seen = noon.astimezone(place).date()
    for minute in range(1, 24 * 60 + 1):
        instant = noon + minute * MINUTE
        day = instant.astimezone(place).date()
        if day > last_seen:
            found.setdefault(as_tuple(day), instant)
            last_seen = day


def days_are_right(zone: str, first: Mapping[Ymd, datetime]) -> None:
    """Every day of every year, one after the other."""
    listed, _ = all_days()
    found = [start_of_day(date(*ymd), zone) for ymd in listed]
    assert found == [first[ymd] for ymd in listed], zone
    assert all(early < late for early, late in pairwise(found)), zone


def run_is_right(
    zone: str, anchor: Ymd, frequency: Frequency, first: Mapping[Ymd, datetime]
) -> None:
    """Each charge and each credit of ten years: where it should be, in order, none twice."""
    starts = expected_starts(anchor, frequency)
    day = date(*anchor)
    credit = [credits_from(day, frequency, n, zone) for n in range(len(starts))]
    charge = [charge_moment(day, frequency, n, zone) for n in range(len(starts))]
    assert credit == [first[ymd] for ymd in starts], (zone, anchor, frequency)
    assert charge == [one - MINUTE for one in credit], (zone, anchor, frequency)
    assert all(early < late for early, late in pairwise(charge)), (zone, anchor, frequency)


def shown(instant: datetime, place: ZoneInfo) -> date:
    """The date on the wall; an instant that exists comes back the same."""
    local = instant.astimezone(place)
    assert local.astimezone(UTC) == instant
    return local.date()


@pytest.mark.parametrize("part", range(PARTS))
def test_every_charge_and_credit_of_ten_years_in_every_zone(part: int) -> None:
    zones = [names[0] for names in distinct_zones()]
    anchors = [anchor for year in RUN_YEARS for anchor in every_day_of(year)]
    frequencies = list(Frequency)
    for at in range(part, len(zones), PARTS):
        zone, first = zones[at], first_instants(zones[at])
        days_are_right(zone, first)
        for anchor in anchors[at :: len(zones)]:
            for frequency in frequencies:
                run_is_right(zone, anchor, frequency, first)
        place = ZoneInfo(zone)
        for number, anchor in enumerate(anchors):
            frequency = frequencies[(at + number) % len(frequencies)]
            starts = expected_starts(anchor, frequency)
            n = (7 * at + 13 * number) % len(starts)
            charge = charge_moment(date(*anchor), frequency, n, zone)
            assert charge == first[starts[n]] - MINUTE, (zone, anchor, frequency, n)
            assert shown(charge + MINUTE, place) == date(*starts[n])
            assert local_date(charge, zone) == date(*starts[n]) - DAY


def test_the_zones_and_anchors_that_are_looked_at_are_all_there_are() -> None:
    assert {name for names in distinct_zones() for name in names} == zoneinfo.available_timezones()
    anchors = {anchor[1:] for year in RUN_YEARS for anchor in every_day_of(year)}
    assert len(anchors) == 366
