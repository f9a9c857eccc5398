"""A library that imports late what it rarely uses does the same as before, and says the same."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra import late_imports
from infra.late_imports import NotLate

WRITER = """import heavy
import deep.down
from heavy import (
    Press as Renamed,
    PLAIN,
)
from . import sibling


class Writer:
    def write(self, text: str) -> str:
        return heavy.press(text) + deep.down.WORD

    async def later(self) -> str:
        return (lambda: sibling.NAME)()


def new(é: str = "é"):
    return é, Renamed(), [PLAIN for _ in "1"]
"""

SEEN = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from thing import writer
def loaded():
    return {"heavy", "deep.down", "thing.sibling"} & set(sys.modules)
assert not loaded(), loaded()
assert writer.Writer().write("a") == "<a>word"
assert loaded() == {"heavy", "deep.down"}, loaded()
assert asyncio.run(writer.Writer().later()) == "sibling"
assert writer.new()[1].__class__ is sys.modules["heavy"].Press
assert writer.new()[2] == ["plain"] and writer.PLAIN == "plain"
try:
    writer.nothing
except AttributeError as error:
    assert "nothing" in str(error)
else:
    raise AssertionError
"""

IMPORTS = ("heavy", "deep.down", "thing")


def test_what_is_imported_late_is_there_when_it_is_used(tmp_path: Path) -> None:
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "__init__.py").write_text("")
    (tmp_path / "thing" / "sibling.py").write_text("NAME = 'sibling'\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "__init__.py").write_text("")
    (tmp_path / "deep" / "down.py").write_text("WORD = 'word'\n")
    (tmp_path / "heavy.py").write_text(
        "PLAIN = 'plain'\nclass Press: pass\ndef press(text): return f'<{text}>'\n"
    )
    rewritten = late_imports.late(WRITER, "thing.writer", IMPORTS, is_package=False)
    (tmp_path / "thing" / "writer.py").write_text(rewritten)
    ran = subprocess.run(
        [sys.executable, "-I", "-c", SEEN, tmp_path], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_no_line_changes_its_number() -> None:
    rewritten = late_imports.late(WRITER, "thing.writer", IMPORTS, is_package=False).splitlines()
    for number, line in enumerate(WRITER.splitlines()):
        if line.strip().startswith(("def", "class", "async")):
            assert rewritten[number].split("(")[0] == line.split("(")[0]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import heavy\nvalue = heavy.press('a')\n", "at once"),
        ("import heavy\nclass A(heavy.Press): pass\n", "at once"),
        ("import heavy\ndef f(a=heavy.PLAIN): pass\n", "at once"),
        ("import heavy\ndef f(a: heavy.Press): pass\n", "at once"),
        ("import heavy\n@heavy.press\ndef f(): pass\n", "at once"),
        ("import heavy\nclass A:\n    press = heavy.press\n", "at once"),
        ("import heavy\ndef f(heavy): return heavy\n", "bound anew"),
        ("import heavy\ndef f():\n    heavy = 1\n    return heavy\n", "bound anew"),
        ("import heavy\ndef f():\n    global heavy\n", "bound anew"),
        ("import heavy\ndef f():\n    from a import heavy\n", "bound anew"),
        ("import heavy\ndef heavy(): pass\n", "bound anew"),
        ("try:\n    import heavy\nexcept ImportError:\n    pass\n", "at its top"),
        ("import json\n", "at its top"),
    ],
)
def test_what_would_change_what_a_module_does_is_refused(source: str, why: str) -> None:
    with pytest.raises(NotLate, match=why):
        late_imports.late(source, "thing", ("heavy",), is_package=False)


def test_a_version_that_a_package_looks_up_of_itself_is_written_down() -> None:
    source = (
        "try:\n    from importlib.metadata import version\nexcept ImportError:\n    raise\n\n"
        '__version__ = version("a-thing")\nNAME = "thing"\n'
    )
    rewritten = late_imports.with_version(source, "a-thing", "1.2.3")
    found: dict[str, str] = {}
    exec(rewritten, found)  # noqa: S102 - a module of four lines
    assert (found["__version__"], found["NAME"]) == ("1.2.3", "thing")
    assert "importlib" not in rewritten
    for other in (source.replace("a-thing", "b"), source + "version('c')\n", "NAME = 1\n"):
        with pytest.raises(NotLate):
            late_imports.with_version(other, "a-thing", "1.2.3")
