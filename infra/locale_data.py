"""Reduces Babel's data of locales to what dates, times and money are written with.

Babel reads all that CLDR knows of a locale, of its language and of the world at the first amount or
day that is shown: the names of languages and countries, units of measurement, time zones. A page
that is the first of its function waits for it. What is emptied here is emptied for the artefact
only; a test holds every format that we use against Babel's own.
"""

import pickle
from pathlib import Path
from typing import Any

EMPTIED_OF_LOCALES = frozenset(
    {
        "compound_unit_patterns",
        "currency_names",
        "currency_names_plural",
        "date_fields",
        "interval_formats",
        "languages",
        "list_patterns",
        "meta_zones",
        "quarters",
        "scripts",
        "territories",
        "time_zones",
        "unit_display_names",
        "unit_patterns",
        "variants",
        "zone_formats",
    }
)
"""Names and patterns that no format of ours has in it."""

LEFT_OUT_OF_LOCALES = frozenset({"ordinal_form", "plural_form"})
"""Which plural a number takes: nothing of ours is written with it, but Babel compiles the rules
for the name of each amount's currency, which no format shows. Without them it has its default."""

EMPTIED_OF_THE_WORLD = frozenset(
    {
        "all_currencies",
        "meta_zones",
        "territory_currencies",
        "territory_languages",
        "territory_zones",
        "windows_zone_mapping",
        "zone_aliases",
        "zone_territories",
    }
)
"""Which time zones, languages and currencies there are where, and have been: zones come from
`zoneinfo`."""

LIKELY = "likely_subtags"
"""Where and in what script languages are at home: of the thousands, those that have a locale."""

PICKLE_PROTOCOL = 2
"""As Babel's own files have it."""


def reduce(babel: Path) -> None:
    """Empty in the package at `babel` what we don't write with."""
    locales = sorted((babel / "locale-data").glob("*.dat"))
    for path in locales:
        _write(path, _without(_read(path), EMPTIED_OF_LOCALES))
    world = _without(_read(babel / "global.dat"), EMPTIED_OF_THE_WORLD)
    languages = {_language(path.stem) for path in locales}
    world[LIKELY] = {
        name: home
        for name, home in world[LIKELY].items()
        if not languages.isdisjoint((_language(name), _language(home)))
    }
    _write(babel / "global.dat", world)


def _language(locale: str) -> str:
    return locale.partition("_")[0]


def _without(data: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {
        name: {} if name in names else value
        for name, value in data.items()
        if name not in LEFT_OUT_OF_LOCALES
    }


def _read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = pickle.loads(path.read_bytes())  # noqa: S301 - of a package that the lock names by hash
    return data


def _write(path: Path, data: dict[str, Any]) -> None:
    path.write_bytes(pickle.dumps(data, PICKLE_PROTOCOL))
