"""When things happen: days, periods, charge moments and validities ([DAY] [ANCHOR] [2359]).

A `date` is a day of a location's own calendar, a `zone` the IANA name of the location's time
zone, and every instant an aware `datetime` in UTC.

A whole day that a zone skipped (Samoa's 30 December 2011, Kwajalein's 21 August 1993) is empty:
it starts when the day after it starts. So nothing planned for it is lost; what is due at 23:59
of such a day is due at 23:59 of the day before.
"""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

DAYS_OF_WEEK = 7
REMINDER_DAYS = 7
"""How many days before the day of a charge it is announced ([REMIND])."""

PERIODS_MAX = 6_000
"""No subscription is computed further than this: more than a hundred years of weeks."""

VALIDITY_DAYS_MAX = 36_525
VALIDITY_MONTHS_MAX = 1_200
TRIAL_DAYS_MAX = 3_650

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)
KEPT = 4_096
"""Answers that are kept: pages and renewals ask for the same few days and periods again and
again."""

_ESTIMATE_STEPS_MAX = 3
"""The estimate of `_first_period` starts at most two periods below the answer."""


class Frequency(StrEnum):
    """How often a subscription renews ([FREQ])."""

    WEEKLY = "weekly"
    BIWEEKLY = "biweekly"
    MONTHLY = "monthly"
    ANNUAL = "annual"


class Validity(NamedTuple):
    """From when a pack can be used, and the instant at which it has expired."""

    valid_from: datetime
    expires_at: datetime


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC)


def _within(number: int, lowest: int, highest: int, what: str) -> int:
    if not lowest <= number <= highest:
        raise ValueError(f"{what} must be from {lowest} to {highest}, not {number}")
    return number


@lru_cache(KEPT)
def start_of_day(day: date, zone: str) -> datetime:
    """The first instant of `day` in `zone`, in UTC ([DAY]).

    Where midnight is skipped the first instant that exists, where it comes twice the first.
    A day that is skipped whole starts with the day after it. `ZoneInfoNotFoundError` for a zone
    that does not exist.
    """
    place = ZoneInfo(zone)
    midnight = datetime.combine(day, time.min, tzinfo=place)
    latest = midnight.astimezone(UTC)
    if latest.astimezone(place).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return latest
    # Midnight lies in a gap. `fold=1` reads it with the offset after the gap, which gives an
    # instant before the change; the change itself is the day's start, and may be earlier than
    # `latest` where the gap began before midnight (Toronto 1919: from 23:30 to 00:30).
    earliest = midnight.replace(fold=1).astimezone(UTC)
    while latest - earliest > _SECOND:
        middle = earliest + timedelta(seconds=(latest - earliest) // _SECOND // 2)
        if middle.astimezone(place).date() >= day:
            latest = middle
        else:
            earliest = middle
    return latest


def minute_before_midnight(day: date, zone: str) -> datetime:
    """23:59 of `day`: one minute before the next day's start, on every night ([DAY])."""
    return start_of_day(day + _DAY, zone) - _MINUTE


def local_date(instant: datetime, zone: str) -> date:
    """The day that `instant` belongs to: the last that has started ([DAY]).

    It is the date on the wall, except where clocks were set back over midnight after the new day
    had started (St. John's until 2011, from 00:01 to 23:01): a day that has started stays.
    `ValueError` for an instant without a time zone.
    """
    moment = _aware(instant)
    wall = moment.astimezone(ZoneInfo(zone)).date()
    following = wall + _DAY
    return following if start_of_day(following, zone) <= moment else wall


@lru_cache(KEPT)
def period_start(anchor: date, frequency: Frequency, n: int) -> date:
    """The first day of period `n`, always computed from the anchor ([ANCHOR]).

    A day that the month lacks becomes its last day, and comes back. `ValueError` when `n` is
    negative or above `PERIODS_MAX`.
    """
    _within(n, 0, PERIODS_MAX, "the period")
    match frequency:
        case Frequency.WEEKLY:
            return anchor + timedelta(days=7 * n)
        case Frequency.BIWEEKLY:
            return anchor + timedelta(days=14 * n)
        case Frequency.MONTHLY:
            return anchor + relativedelta(months=n)
        case Frequency.ANNUAL:
            return anchor + relativedelta(years=n)


def charge_moment(anchor: date, frequency: Frequency, n: int, zone: str) -> datetime:
    """When period `n` is charged: 23:59 of the day before it starts ([2359]).

    For n = 0 this is the first charge after a trial ([TRIAL]). A purchase is charged at once,
    and a later start when its day starts, which is `credits_from`.
    """
    return minute_before_midnight(period_start(anchor, frequency, n) - _DAY, zone)


def credits_from(anchor: date, frequency: Frequency, n: int, zone: str) -> datetime:
    """From when the credits of period `n` are valid: the start of its first day ([2359])."""
    return start_of_day(period_start(anchor, frequency, n), zone)


def reminder_moment(anchor: date, frequency: Frequency, n: int, zone: str) -> datetime:
    """When the charge of period `n` is announced: 23:59 seven days before its day ([REMIND]).

    For a weekly subscription's first renewal this is before the purchase; the caller leaves out
    what is not after it.
    """
    charge_day = period_start(anchor, frequency, n) - _DAY
    return minute_before_midnight(charge_day - timedelta(days=REMINDER_DAYS), zone)


def trial_anchor(start: date, trial_days: int) -> date:
    """The anchor of a subscription whose trial of `trial_days` begins on `start` ([TRIAL])."""
    return start + timedelta(days=_within(trial_days, 1, TRIAL_DAYS_MAX, "trial days"))


def trial_notice_moment(started_at: datetime, trial_days: int, zone: str) -> datetime:
    """When a trial's end is announced: 23:59 seven days before the day of the first charge, or
    at `started_at` when the trial is shorter than that ([REMIND])."""
    anchor = trial_anchor(local_date(started_at, zone), trial_days)
    notice_day = anchor - _DAY - timedelta(days=REMINDER_DAYS)
    return max(_aware(started_at), minute_before_midnight(notice_day, zone))


def validity_of_days(first_day: date, days: int, zone: str) -> Validity:
    """`days` days, the first counted, to 23:59 of the last ([PACK])."""
    _within(days, 1, VALIDITY_DAYS_MAX, "validity in days")
    last_day = first_day + timedelta(days=days - 1)
    return Validity(start_of_day(first_day, zone), minute_before_midnight(last_day, zone))


def validity_of_months(first_day: date, months: int, zone: str) -> Validity:
    """`months` months, to 23:59 of the day before the same date ([PACK]). A date that the month
    lacks becomes its last day: one month from 31 January ends on 27 or 28 February."""
    _within(months, 1, VALIDITY_MONTHS_MAX, "validity in months")
    last_day = first_day + relativedelta(months=months) - _DAY
    return Validity(start_of_day(first_day, zone), minute_before_midnight(last_day, zone))


def expiry_of(
    first_day: date, zone: str, *, days: int | None, months: int | None
) -> datetime | None:
    """When what is valid from `first_day` for so many days, or months, expires; None for neither
    ([PACK])."""
    if days is not None:
        return validity_of_days(first_day, days, zone).expires_at
    if months is not None:
        return validity_of_months(first_day, months, zone).expires_at
    return None


def first_day_of_period_pack(starts_on: date, settled_at: datetime, zone: str) -> date:
    """Day 1 of a period's pack: the later of the period's start and the day of settlement, where
    the 23:59 minute counts as the next day ([GRANT])."""
    return max(starts_on, local_date(_aware(settled_at) + _MINUTE, zone))


def subscription_pack_window(
    starts_on: date, settled_at: datetime, validity_days: int, zone: str
) -> Validity:
    """The validity of a period's pack whose product has `validity_days` ([GRANT]). `starts_on`
    is the period's first day, `settled_at` when its charge succeeded."""
    first_day = first_day_of_period_pack(starts_on, settled_at, zone)
    return validity_of_days(first_day, validity_days, zone)


def first_period_from(
    anchor: date, frequency: Frequency, moment: datetime, zone: str, *, lowest: int = 0
) -> int:
    """The first period, at least `lowest`, whose charge moment is at or after `moment`: what is
    charged next when a pause ends at `moment` ([PAUSE])."""
    return _first_period(anchor, frequency, _aware(moment), zone, lowest)


def first_period_after(
    anchor: date, frequency: Frequency, moment: datetime, zone: str, *, lowest: int = 0
) -> int:
    """The first period, at least `lowest`, whose charge moment is strictly after `moment`."""
    just_after = _aware(moment) + datetime.resolution
    return _first_period(anchor, frequency, just_after, zone, lowest)


def _first_period(
    anchor: date, frequency: Frequency, moment: datetime, zone: str, lowest: int
) -> int:
    # A period charged at `moment` starts one minute later, on this day.
    day = local_date(moment + _MINUTE, zone)
    match frequency:
        case Frequency.WEEKLY:
            elapsed = (day - anchor).days // 7
        case Frequency.BIWEEKLY:
            elapsed = (day - anchor).days // 14
        case Frequency.MONTHLY:
            elapsed = (day.year - anchor.year) * 12 + day.month - anchor.month
        case Frequency.ANNUAL:
            elapsed = day.year - anchor.year
    estimate = max(lowest, elapsed - 1)
    for n in range(estimate, estimate + _ESTIMATE_STEPS_MAX):
        if charge_moment(anchor, frequency, n, zone) >= moment:
            return n
    raise AssertionError(f"no {frequency} period from {anchor} near {moment}")


def at_local(day: date, clock: time, zone: str) -> datetime:
    """The instant at which a clock in `zone` shows this time on this day. One that is skipped in
    spring becomes the instant that far after midnight; of one that comes twice, the first."""
    return datetime.combine(day, clock, tzinfo=ZoneInfo(zone)).astimezone(UTC)
