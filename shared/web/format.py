"""Dates, times and money as people write them, for templates.

Filters read `frame` of the page: its locale and zone. Instants are shown in the zone of the chosen
location unless another is given.
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, get_currency_precision

from shared.domain.calendar import Frequency
from shared.domain.money import Money

FREQUENCY_WORDS: Mapping[Frequency, str] = {
    Frequency.WEEKLY: "every week",
    Frequency.BIWEEKLY: "every two weeks",
    Frequency.MONTHLY: "every month",
    Frequency.ANNUAL: "every year",
}


REMEMBERED = 1000
"""Amounts and days that a warm function remembers the words of: a shop has few prices, and what it
tells is mostly of these weeks."""


@lru_cache(maxsize=100)
def _locale(tag: str) -> Locale:
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en", "US")


def money_text(amount: Money, locale: str) -> str:
    """`$1,234.50`, with as many decimals as the currency has."""
    return _written_amount(amount.minor, amount.currency, locale)


@lru_cache(maxsize=REMEMBERED)
def _written_amount(minor: int, currency: str, locale: str) -> str:
    exact = Decimal(minor).scaleb(-get_currency_precision(currency))
    return format_currency(exact, currency, locale=_locale(locale))


@lru_cache(maxsize=REMEMBERED)
def day_text(day: date | datetime, locale: str, zone: str) -> str:
    """`January 31, 2026`. An instant is the day that it falls on in `zone`."""
    if isinstance(day, datetime):
        day = day.astimezone(ZoneInfo(zone)).date()
    return format_date(day, "long", locale=_locale(locale))


@lru_cache(maxsize=REMEMBERED)
def moment_text(at: datetime, locale: str, zone: str) -> str:
    """`January 31, 2026, 11:59 PM`, in `zone`."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{day_text(at, locale, zone)}, {format_time(local, 'short', locale=_locale(locale))}"


@lru_cache(maxsize=REMEMBERED)
def short_day_text(day: date | datetime, locale: str, zone: str) -> str:
    """`Jan 31`, where the year goes without saying."""
    if isinstance(day, datetime):
        day = day.astimezone(ZoneInfo(zone)).date()
    return format_skeleton("MMMd", datetime(day.year, day.month, day.day), locale=_locale(locale))  # noqa: DTZ001 - a day has no zone


@lru_cache(maxsize=REMEMBERED)
def weekday_text(day: date | datetime, locale: str, zone: str) -> str:
    """`Sat, Jan 31`, where the year goes without saying."""
    if isinstance(day, datetime):
        day = day.astimezone(ZoneInfo(zone)).date()
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a day has no zone
    return format_skeleton("MMMEd", midnight, locale=_locale(locale))


@lru_cache(maxsize=REMEMBERED)
def weekday_name_text(day: date | datetime, locale: str, zone: str) -> str:
    """`Saturday`."""
    if isinstance(day, datetime):
        day = day.astimezone(ZoneInfo(zone)).date()
    return format_date(day, "EEEE", locale=_locale(locale))


@lru_cache(maxsize=REMEMBERED)
def weekday_short_text(day: date | datetime, locale: str, zone: str) -> str:
    """`Sat`."""
    if isinstance(day, datetime):
        day = day.astimezone(ZoneInfo(zone)).date()
    return format_date(day, "EEE", locale=_locale(locale))


@lru_cache(maxsize=REMEMBERED)
def clock_text(at: datetime | time, locale: str, zone: str) -> str:
    """`11:59 PM`, in `zone`; a time of day is local already."""
    if isinstance(at, time):
        return format_time(at, "short", locale=_locale(locale))
    return format_time(at.astimezone(ZoneInfo(zone)), "short", locale=_locale(locale))


def frequency_text(frequency: Frequency | None) -> str:
    """How often; None is of what recurs without a calendar ([RECUR])."""
    return FREQUENCY_WORDS[frequency] if frequency else "in each pack"
