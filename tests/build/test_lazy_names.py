"""A package whose names are loaded when asked for passes on the same names as before."""

import subprocess
import sys
from pathlib import Path

from infra import lazy_names

INIT = '''"""What it is."""

import json
from thing.version import VERSION
from thing.heavy import (
    Heavy,
    Heavier as Renamed,
)
from .light import light
from .light import Light

__version__ = VERSION
__all__ = ["Heavy"]
'''

SEEN = """
import sys
sys.path.insert(0, sys.argv[1])
import thing
before = sorted(name for name in sys.modules if name.startswith("thing."))
from thing import Heavy, Light
after = sorted(name for name in sys.modules if name.startswith("thing."))
assert thing.Heavy is Heavy and thing.Renamed == "heavier" and thing.__version__ == "1"
try:
    thing.nothing
except AttributeError as error:
    assert "nothing" in str(error)
else:
    raise AssertionError
print(*before, "|", *after)
"""


def a_package(directory: Path) -> Path:
    package = directory / "thing"
    package.mkdir()
    (package / "__init__.py").write_text(INIT)
    (package / "version.py").write_text("VERSION = '1'\n")
    (package / "heavy.py").write_text("Heavy = 'heavy'\nHeavier = 'heavier'\n")
    (package / "light.py").write_text("Light = 'light'\nlight = 1\n")
    return package


def test_what_is_passed_on_is_loaded_when_it_is_asked_for(tmp_path: Path) -> None:
    lazy_names.make_lazy(a_package(tmp_path))
    ran = subprocess.run(
        [sys.executable, "-I", "-c", SEEN, tmp_path], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    before, after = (part.split() for part in ran.stdout.split("|"))
    # What the package uses itself is there at once, and so is what has the name of a part of it.
    assert before == ["thing.light", "thing.version"]
    assert after == ["thing.heavy", "thing.light", "thing.version"]


def test_a_package_that_passes_nothing_on_stays_as_it_is(tmp_path: Path) -> None:
    source = "import json\nfrom os import path\n"
    assert lazy_names.lazy(source, "thing", frozenset()) == source
    package = tmp_path / "plain"
    package.mkdir()
    (package / "__init__.py").write_text(source)
    lazy_names.make_lazy(package)
    assert (package / "__init__.py").read_text() == source
