"""EventBridge Scheduler's expressions, as far as the template uses them. Times are UTC."""

import re
from datetime import datetime, timedelta

from infra.local.template import Schedule

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_DAILY = re.compile(r"cron\((\d{1,2}) (\d{1,2}) \* \* \? \*\)")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


class UnknownExpression(ValueError):
    """An expression that one machine can't follow."""


def is_tick(schedule: Schedule) -> bool:
    """Whether it starts each minute. Such a function only has work when something in the due
    index is due, so the clock runs it at those moments instead of half a million times a year."""
    return schedule.expression == "rate(1 minute)"


def next_after(expression: str, now: datetime) -> datetime:
    """When the schedule next starts after `now`. Raises `UnknownExpression`."""
    rate = _RATE.fullmatch(expression)
    if rate is not None:
        return now + int(rate[1]) * _UNITS[rate[2]]
    daily = _DAILY.fullmatch(expression)
    if daily is None:
        raise UnknownExpression(f"{expression} is not served on this machine")
    at = now.replace(hour=int(daily[2]), minute=int(daily[1]), second=0, microsecond=0)
    return at if at > now else at + timedelta(days=1)
