"""When periods begin and are charged, worked out another way than the product does.

It counts months on its fingers and looks at the clock of the zone minute by minute, and knows
nothing of `shared.domain.calendar`.
"""

import calendar
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


def starts(anchor: date, frequency: str, period: int) -> date:
    """[ANCHOR]: period `period` starts on anchor + that many periods."""
    match frequency:
        case "weekly":
            return anchor + timedelta(days=7 * period)
        case "biweekly":
            return anchor + timedelta(days=14 * period)
        case "monthly":
            months = anchor.month - 1 + period
            return _clipped(anchor.year + months // 12, months % 12 + 1, anchor.day)
        case "annual":
            return _clipped(anchor.year + period, anchor.month, anchor.day)
        case _:
            raise ValueError(frequency)


def _clipped(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


@cache
def begins(day: date, zone: str) -> datetime:
    """[DAY]: the first instant at which a clock in `zone` shows this day, or a later one."""
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=16)
    for _ in range(40 * 60):
        if instant.astimezone(ZoneInfo(zone)).date() >= day:
            return instant
        instant += MINUTE
    raise AssertionError(f"{day} does not begin in {zone}")


def charged(anchor: date, frequency: str, period: int, zone: str) -> datetime:
    """[2359]: at 23:59 of the day before the period starts."""
    return begins(starts(anchor, frequency, period), zone) - MINUTE
