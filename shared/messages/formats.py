"""Money and time in the customer's words: the locale is theirs, the days are the location's."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_currency, get_currency_precision
from markupsafe import Markup

from shared.domain.calendar import Frequency, local_date
from shared.domain.card_brands import BRANDS
from shared.domain.money import Money
from shared.domain.recurs_when import RecursWhen

FALLBACK = "en_US"
WRITTEN_IN = "en"
"""The language of the templates. Dates of another one are marked with it, for screen readers."""

EVERY = {
    Frequency.WEEKLY: "every week",
    Frequency.BIWEEKLY: "every two weeks",
    Frequency.MONTHLY: "every month",
    Frequency.ANNUAL: "every year",
}


def locale_of(*tags: str) -> Locale:
    """The first of `tags` (`de-DE`) that Babel knows, else American English."""
    for tag in tags:
        try:
            return Locale.parse(tag.replace("-", "_"))
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    return Locale.parse(FALLBACK)


class Formats:
    """Formats for one email: `zone` names the days, `marked` wraps dates for HTML."""

    def __init__(self, locale: Locale, zone: str, *, marked: bool) -> None:
        self._locale = locale
        self._zone = zone
        self._marked = marked

    def money(self, amount: Money) -> str:
        """270.63 US dollars as `$270.63`, `270,63 $` or as the locale has it."""
        exact = Decimal(amount.minor).scaleb(-get_currency_precision(amount.currency))
        return format_currency(exact, amount.currency, locale=self._locale)

    def day(self, when: date | datetime) -> str:
        """The day in words, with its year; of an instant, its day at the location."""
        the_day = local_date(when, self._zone) if isinstance(when, datetime) else when
        return self._mark(format_date(the_day, format="long", locale=self._locale))

    def time(self, when: datetime) -> str:
        """The time of day at the location, with its zone."""
        words = format_time(when, format="short", tzinfo=ZoneInfo(self._zone), locale=self._locale)
        # Old mail programs have no glyph for the narrow space before "PM".
        return self._mark(words.replace("\u202f", "\u00a0"))

    def _mark(self, words: str) -> str:
        if not self._marked or self._locale.language == WRITTEN_IN:
            return words
        tag = str(self._locale).replace("_", "-")
        return Markup('<span lang="{}">{}</span>').format(tag, words)


WHEN = {
    RecursWhen.PACK_EXPIRES: "before a pack expires",
    RecursWhen.NO_CREDITS_REMAIN: "when the credits are used up or about to expire",
}


def every(frequency: Frequency) -> str:
    return EVERY[frequency]


def often(agreement: Any) -> str:
    """When an agreement goes on: `every month`, or with its packs ([RECUR])."""
    if agreement.recurs is not None:
        return WHEN[agreement.recurs]
    return EVERY[agreement.frequency] if agreement.frequency else "each time"


def apiece(agreement: Any) -> str:
    """What its price is of: `every month`, or `for each pack`."""
    return "for each pack" if agreement.recurs is not None else often(agreement)


def card(shown: Any) -> str:
    """`Visa ending in 4242`, of anything with a brand and the last four."""
    brand = BRANDS.get(shown.brand.casefold(), shown.brand or "card")
    return f"{brand} ending in {shown.last4}"


def credits_of(count: int | None, service: str) -> str:
    """Credits in words; None is unlimited."""
    of = f" for {service}" if service else ""
    if count is None:
        return f"unlimited credits{of}"
    return f"{count} credit{'' if count == 1 else 's'}{of}"
