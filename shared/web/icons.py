"""Icons: drawings in a square of 24, beside words that say the same.

Templates write `{{ "check" | icon }}`. Where the name stands in the template, the drawing becomes
part of the template when that is compiled.
"""

from collections.abc import Mapping
from functools import cache

from markupsafe import Markup

PATHS: Mapping[str, str] = {
    "shop": (
        "M4 9.5 5.5 4h13L20 9.5M4 9.5V20h16V9.5M4 9.5a2.7 2.7 0 0 0 5.3 0 2.7 2.7 0 0 0 5.4 "
        "0 2.7 2.7 0 0 0 5.3 0M9.5 20v-5h5v5"
    ),
    "packs": (
        "M3.5 7.5h17v3a1.8 1.8 0 0 0 0 3.5v3h-17v-3a1.8 1.8 0 0 0 0-3.5zM9 8v1.6M9 "
        "11.4v1.6M9 14.8v1.6"
    ),
    "repeat": (
        "M4 11a7 7 0 0 1 12.5-3.5L19.5 10M19.5 5v5h-5M20 13a7 7 0 0 1-12.5 3.5L4.5 14M4.5 19v-5h5"
    ),
    "person": "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0",
    "cart": (
        "M3 4h2.5l2.2 11h10.4L20.5 7.5H6.3M9 20a.9.9 0 1 0 0-1.8.9.9 0 0 0 0 1.8zM17 20a.9.9 "
        "0 1 0 0-1.8.9.9 0 0 0 0 1.8z"
    ),
    "pin": (
        "M12 21s7-6.1 7-11.2A7 7 0 0 0 5 9.8C5 14.9 12 21 12 21zM12 12.3a2.5 2.5 0 1 0 0-5 "
        "2.5 2.5 0 0 0 0 5z"
    ),
    "calendar": "M4 6h16v14H4zM4 10.5h16M8.5 3.5V8M15.5 3.5V8",
    "check": "m5 12.5 4.5 4.5L19 7.5",
    "alert": "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17.2v.1",
    "card": "M3 6.5h18v11H3zM3 10.5h18M6.5 14.5h4",
    "receipt": "M6 3.5h12v17l-3-2-3 2-3-2-3 2zM9 8.5h6M9 12.5h6",
    "search": "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16.2 16.2 20.5 20.5",
    "mail": "M3.5 6h17v12h-17zM4 6.5l8 6.5 8-6.5",
    "clock": "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM12 7.5V12l3 2",
    "help": (
        "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17zM9.7 9.6a2.3 2.3 0 1 1 3.3 "
        "2.1c-.7.3-1 .8-1 1.6M12 16.2v.1"
    ),
    "right": "m9 5.5 6.5 6.5L9 18.5",
    "link": (
        "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 "
        "0 11 18.7l1-1"
    ),
    "trash": "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l1 12.5h9l1-12.5",
}
"""What is drawn, by the icon's name."""

DRAWING = Markup(
    '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
    '<path d="{}"/></svg>'
)


@cache
def icon(name: str) -> Markup:
    """The drawing called `name`. Raises `KeyError` when there is none."""
    return DRAWING.format(PATHS[name])
