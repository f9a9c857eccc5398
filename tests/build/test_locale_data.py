"""With the reduced data of locales, dates, times and money are written as with all of it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import babel
import pytest

from infra import build, locale_data
from shared.web.accept import LOCALES

ROOT = Path(__file__).parents[2]
PACKAGE = Path(babel.__file__).parent
OTHERS = (
    *("de-AT", "en-ZA", "es-MX", "fr-CA", "pt-BR", "sr-Latn", "zh-TW", "und-DE", "und-BR"),
    *("mo", "tlh", "en-Latn-US", "nobody-knows", "xx"),
)
"""Merchants and customers may have others, and such as there are not."""

WRITES = """
import json, sys
sys.path.insert(0, sys.argv[1])
import babel
assert babel.__file__.startswith(sys.argv[1])
from datetime import date, datetime, UTC
from shared.domain.money import Money
from shared.messages.formats import Formats, locale_of
from shared.web import format as page

written = []
for tag in sys.argv[2:]:
    paid = Formats(locale_of(tag), "UTC", marked=True)
    amounts = {"USD": 123456789, "EUR": -5, "JPY": 1200, "CHF": 999, "XYZ": 1}
    for currency, minor in amounts.items():
        amount = Money(minor=minor, currency=currency)
        written += [page.money_text(amount, tag), paid.money(amount)]
    for month in range(1, 13):
        at = datetime(2026, month, month + 1, 2 * month - 1, 5, tzinfo=UTC)
        for name in sorted(vars(page)):
            if name.endswith("_text") and name not in ("money_text", "frequency_text"):
                written.append(vars(page)[name](at, tag, "America/New_York"))
        mail = Formats(locale_of(tag), "Europe/Berlin", marked=True)
        written += [str(mail.day(at)), str(mail.time(at))]
print(json.dumps(written))
"""


def written_with(package: Path) -> list[str]:
    """Every format of ours, in a fresh interpreter that finds Babel at `package`."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WRITES, str(package.parent), *LOCALES, *OTHERS],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    found: list[str] = json.loads(ran.stdout)
    return found


@pytest.fixture(params=[True, False], ids=["every language", "languages that are kept"])
def whole(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Babel with all that it knows of each locale."""
    package = tmp_path / "whole" / "babel"
    shutil.copytree(PACKAGE, package)
    for locale in (package / "locale-data").glob("*.dat"):
        if not request.param and locale.stem.split("_")[0] not in build.KEPT_LANGUAGES:
            locale.unlink()
    return package


@pytest.fixture
def reduced(whole: Path, tmp_path: Path) -> Path:
    package = tmp_path / "babel"
    shutil.copytree(whole, package)
    locale_data.reduce(package)
    return package


def test_all_is_written_as_before(whole: Path, reduced: Path) -> None:
    expected = written_with(whole)
    assert len(set(expected)) > len(LOCALES)
    assert written_with(reduced) == expected


def test_most_of_a_locale_and_of_the_world_is_left_out(whole: Path, reduced: Path) -> None:
    for name in ("locale-data/root.dat", "locale-data/en.dat", "global.dat"):
        assert (reduced / name).stat().st_size < (whole / name).stat().st_size / 2
