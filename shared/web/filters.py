"""What templates can do with a value, in the locale and the zone of the page's `frame`.

How locales write dates and money is loaded by the first page that shows any (`format.py`): the
pages before sign-in show none.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from shared.web import assets, icons


@cache
def _format(name: str) -> Callable[..., str]:
    from shared.web import format as formats

    text: Callable[..., str] = getattr(formats, name)
    return text


def _in_page(name: str) -> Callable[..., str]:
    """A filter by the function of `format.py` with that name: value, locale, zone."""

    @pass_context
    def filtered(context: Context, value: Any, zone: str | None = None) -> str:
        frame = context["frame"]
        return _format(name)(value, frame.locale, zone or frame.zone)

    return filtered


@pass_context
def _money(context: Context, amount: Any, locale: str | None = None) -> str:
    """`locale` is given by what is made without a page's context."""
    return _format("money_text")(amount, locale or context["frame"].locale)


def _frequency(frequency: Any) -> str:
    return _format("frequency_text")(frequency)


def plural_text(number: int, one: str, many: str | None = None) -> str:
    """`1 class`, `10 classes`: `{{ n | plural("class", "classes") }}`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def iso_text(at: Any) -> str:
    """For `<time datetime>`."""
    return str(at.isoformat())


FILTERS: Mapping[str, Callable[..., str]] = {
    "money": _money,
    "day": _in_page("day_text"),
    "short_day": _in_page("short_day_text"),
    "weekday": _in_page("weekday_text"),
    "weekday_short": _in_page("weekday_short_text"),
    "weekday_name": _in_page("weekday_name_text"),
    "moment": _in_page("moment_text"),
    "clock": _in_page("clock_text"),
    "frequency": _frequency,
    "plural": plural_text,
    "iso": iso_text,
    "icon": icons.icon,
    "asset": assets.url,
}
