"""What the caller would like: a page or JSON, and whose way of writing dates and money."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

MAX_ACCEPT = 2000
LOCALES = (
    "en-US",
    "en-GB",
    "en-CA",
    "en-AU",
    "en-IE",
    "en-NZ",
    "de-DE",
    "es-ES",
    "fr-FR",
    "it-IT",
    "nl-NL",
    "pt-PT",
)
"""Those we write dates and money in. A language without its country takes the first of it."""


REMEMBERED = 100
"""Headers that a warm function knows already: most browsers send the same few."""


def _weighted(header: str) -> tuple[tuple[str, float], ...]:
    return _read(header[:MAX_ACCEPT])


@lru_cache(maxsize=REMEMBERED)
def _read(header: str) -> tuple[tuple[str, float], ...]:
    return tuple(_parts(header))


def _parts(header: str) -> Iterator[tuple[str, float]]:
    for part in header.split(","):
        name, *parameters = part.split(";")
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.strip().partition("=")
            if key.strip().lower() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        if name.strip():
            yield name.strip().lower(), weight


def prefers_html(header: str | None) -> bool:
    """Whether a page is wanted more than JSON. Programs that ask for anything get JSON."""
    weights = dict(_weighted(header or "*/*"))
    anything = weights.get("*/*", 0.0)
    html = weights.get("text/html", weights.get("text/*", weights.get("application/xhtml+xml")))
    if html is None:
        return False
    json = weights.get("application/json", weights.get("application/*", anything))
    json = max(json, weights.get("application/problem+json", 0.0))
    return html > json


def prefers_csv(header: str | None) -> bool:
    """Whether a table as CSV is wanted more than a page or JSON."""
    weights = dict(_weighted(header or ""))
    others = (weights.get("text/html", 0.0), weights.get("application/json", 0.0))
    return weights.get("text/csv", 0.0) > max(others)


def best_locale(header: str | None, *, otherwise: str) -> str:
    """The first of the caller's languages that we write in, by their order of preference."""
    ranked = sorted(_weighted(header or ""), key=lambda pair: -pair[1])
    for tag, weight in ranked:
        if weight > 0:
            found = _match(tag, LOCALES)
            if found is not None:
                return found
    return otherwise


def _match(tag: str, locales: Sequence[str]) -> str | None:
    exact = next((one for one in locales if one.lower() == tag), None)
    if exact is not None:
        return exact
    language = tag.partition("-")[0]
    return next((one for one in locales if one.partition("-")[0] == language), None)
