"""Dates, times and money as people write them ([MONEY] [DAY])."""

from datetime import UTC, date, datetime

import pytest

from shared.domain.calendar import Frequency
from shared.domain.money import Money
from shared.web import filters
from shared.web import format as written


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "expected"),
    [
        (27_063, "USD", "en-US", "$270.63"),
        (-3_000, "USD", "en-US", "-$30.00"),
        (0, "USD", "en-US", "$0.00"),
        (100_000_000, "USD", "en-US", "$1,000,000.00"),
        (123_450, "EUR", "de-DE", "1.234,50 €"),
        (1_500, "JPY", "en-US", "¥1,500"),
        (1_500, "KWD", "en-US", "KWD1.500"),
        (100, "USD", "xx-nonsense", "$1.00"),
    ],
)
def test_money_has_the_decimals_of_its_currency(
    minor: int, currency: str, locale: str, expected: str
) -> None:
    text = written.money_text(Money(minor=minor, currency=currency), locale)
    assert text.replace("\u00a0", " ") == expected


def test_the_day_of_an_instant_is_the_locations() -> None:
    # 04:59 UTC on 28 February is 23:59 on the 27th in New York, and 5:59 on the 28th in Berlin.
    at = datetime(2026, 2, 28, 4, 59, tzinfo=UTC)
    assert written.day_text(at, "en-US", "America/New_York") == "February 27, 2026"
    assert written.day_text(at, "en-US", "Europe/Berlin") == "February 28, 2026"
    moment = written.moment_text(at, "en-US", "America/New_York").replace("\u202f", " ")
    assert moment == "February 27, 2026, 11:59 PM"
    assert written.moment_text(at, "en-GB", "Europe/Berlin") == "28 February 2026, 05:59"


def test_a_day_without_a_time_is_that_day_everywhere() -> None:
    assert written.day_text(date(2026, 1, 31), "de-DE", "Pacific/Chatham") == "31. Januar 2026"
    assert written.short_day_text(date(2026, 1, 31), "en-US", "UTC") == "Jan 31"
    assert written.weekday_text(date(2026, 1, 31), "en-US", "UTC") == "Sat, Jan 31"


def test_every_frequency_has_its_words() -> None:
    assert all(written.frequency_text(frequency) for frequency in Frequency)


def test_one_is_singular() -> None:
    assert [filters.plural_text(n, "class", "classes") for n in (0, 1, 2)] == [
        "0 classes",
        "1 class",
        "2 classes",
    ]
