"""Reduces Babel's data of locales to what dates, times and money are written with.

Babel reads all that CLDR knows of a locale, of its language and of the world at the first amount or
day that is shown: the names of languages and countries, units of measurement, time zones. A page
that is the first of its function waits for it. What is emptied here is emptied for the artefact
only; a test holds every format that we use against Babel's own.
"""

import pickle
from pathlib import Path

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

EMPTIED_OF_THE_WORLD = frozenset(
    {
        "meta_zones",
        "territory_languages",
        "territory_zones",
        "windows_zone_mapping",
        "zone_aliases",
        "zone_territories",
    }
)
"""Which time zones and languages there are where: zones come from `zoneinfo`."""

PICKLE_PROTOCOL = 2
"""As Babel's own files have it."""


def reduce(babel: Path) -> None:
    """Empty in the package at `babel` what we don't write with. Every key stays."""
    for path in sorted((babel / "locale-data").glob("*.dat")):
        _empty(path, EMPTIED_OF_LOCALES)
    _empty(babel / "global.dat", EMPTIED_OF_THE_WORLD)


def _empty(path: Path, names: frozenset[str]) -> None:
    data = pickle.loads(path.read_bytes())  # noqa: S301 - of a package that the lock names by hash
    kept = {name: {} if name in names else value for name, value in data.items()}
    path.write_bytes(pickle.dumps(kept, PICKLE_PROTOCOL))
