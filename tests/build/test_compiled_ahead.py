"""What the build compiled ahead is what Python would have compiled, and nobody notices but the
clock. Each start is a process of its own: what stands in for Python's own parts stays there."""

import json
import marshal
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra import build, compiled_ahead
from shared import ahead

FUNCTION = """
import re
from dataclasses import dataclass, field
from typing import NamedTuple, Optional

@dataclass(frozen=True, order=True)
class Amount:
    minor: int
    currency: str = "USD"
    notes: list["Note"] = field(default_factory=list, compare=False)

class Note(NamedTuple):
    by: str
    of: "Optional[Amount]" = None

Either = Optional["Amount"]

WORDS = re.compile(r"(?P<first>\\w+)\\s+(?P<last>[^\\W\\d_]+)", re.IGNORECASE)
BYTES = re.compile(rb"^(?:a|b)+?(?=c)")
VERBOSE = re.compile("( x+ )  # some\\n  y*", re.VERBOSE | re.DOTALL)
WIDE = re.compile("[\\u0100-\\uffff\\U0001f600]+|(?i:straße)")

def handler(event, context):
    import typing
    one, other = Amount(5), Amount(7, "EUR", [Note("ada")])
    try:
        one.minor = 6
    except AttributeError as error:
        refused = type(error).__name__
    return [
        repr(one), repr(other), one < other, one == Amount(5), refused,
        repr(Note("bea", one)), Note("bea") == ("bea", None), Note._fields,
        str(typing.get_type_hints(Amount, globals())["notes"]), str(typing.get_args(Either)),
        WORDS.match("Ada LOVELACE").groupdict(), WORDS.groupindex["last"], WORDS.flags,
        str(BYTES.match(b"abc")), VERBOSE.match("xxyy").span(), WIDE.findall("Āā STRASSE Straße"),
        re.search("late (?P<r>.)", "late r")["r"],
    ]

handler = handler
"""

STARTS = """
import json, sys, re
sys.path.insert(0, sys.argv[1])
compiled, parsed = [], []
def hear(name, told):
    if name == "compile" and told[0]:
        compiled.append(str(told[0]))
sys.addaudithook(hear)
parse = re._compiler._parser.parse
re._compiler._parser.parse = lambda text, *more: parsed.append(str(text)) or parse(text, *more)
from functions.portal.one import handler
at_import = [list(compiled), list(parsed)]
print(json.dumps([handler({}, None), at_import], default=str))
"""

WRONG = """
import json, re, sys, typing
sys.path.insert(0, sys.argv[1])
import functions
said = []
for wrong in (lambda: re.compile("(", 0), lambda: re.compile(5), lambda: typing.ForwardRef("a b")):
    try:
        wrong()
    except Exception as error:
        said.append([type(error).__name__, str(error)])
print(json.dumps(said))
"""


def run(script: str, app: Path, *options: str) -> Any:
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-B", *options, "-c", script, app],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An artefact of one function, with nothing compiled ahead."""
    made = tmp_path / "app"
    for folder in ("functions/portal", "shared"):
        (made / folder).mkdir(parents=True)
        (made / folder / "__init__.py").touch()
    (made / "functions" / "portal" / "one.py").write_text(FUNCTION)
    (made / "functions" / "__init__.py").write_text("from shared import ahead\nahead.use()\n")
    shutil.copy(build.CHECKOUT / "shared" / "ahead.py", made / "shared" / "ahead.py")
    return made


@pytest.fixture
def prepared(app: Path, tmp_path: Path) -> Path:
    """The same, compiled ahead."""
    after = tmp_path / "prepared"
    shutil.copytree(app, after)
    script = build.CHECKOUT / "infra" / "compiled_ahead.py"
    subprocess.run([sys.executable, "-s", "-S", "-P", "-B", script, after], check=True)
    assert (after / Path(ahead.FILE).name).is_file()
    return after


def test_what_is_made_from_the_file_is_as_it_would_have_been(app: Path, prepared: Path) -> None:
    told, (compiled, parsed) = run(STARTS, app)
    told_ahead, (compiled_then, parsed_then) = run(STARTS, prepared)
    assert told_ahead == told
    assert told[4] == "FrozenInstanceError"
    assert told[-1] == "r", "a pattern that nobody knew is compiled as ever"
    methods = [one for one in compiled if "create_fn" in one and "self.minor" in one]
    tuples = [one for one in compiled if "lambda _cls, by, of" in one]
    references = [one for one in compiled if one in ("b'Note'", "b'Amount'")]
    assert methods
    assert tuples
    assert references
    assert not {*methods, *tuples, *references} & set(compiled_then)
    assert len(parsed) >= 4
    assert parsed_then == []


def test_errors_are_those_of_python(app: Path, prepared: Path) -> None:
    wrong = run(WRONG, prepared)
    assert [kind for kind, _ in wrong] == [
        "error" if sys.version_info < (3, 13) else "PatternError",
        "TypeError",
        "SyntaxError",
    ]
    assert wrong == run(WRONG, app)


def _rewritten(prepared: Path, made_by: Any) -> None:
    file = prepared / Path(ahead.FILE).name
    _, sources, patterns = marshal.loads(file.read_bytes())  # noqa: S302
    # Whoever used these would fail.
    spoilt = dict.fromkeys(sources, b"?"), dict.fromkeys(patterns, b"?")
    file.write_bytes(marshal.dumps((made_by, *spoilt)))


def test_the_file_of_another_interpreter_is_not_used(app: Path, prepared: Path) -> None:
    cache_tag, magic, *rest = ahead.MADE_BY
    _rewritten(prepared, (cache_tag, b"\0" + magic[1:], *rest))
    assert run(STARTS, prepared)[0] == run(STARTS, app)[0]


def test_that_of_this_one_is(prepared: Path) -> None:
    _rewritten(prepared, ahead.MADE_BY)
    with pytest.raises(AssertionError, match="marshal"):
        run(STARTS, prepared)


def test_functions_are_found_by_their_handlers(app: Path) -> None:
    beside = app / "functions" / "portal" / "view.py"
    beside.write_text("raise AssertionError('no function')\n")
    assert list(compiled_ahead.handlers(app)) == ["functions.portal.one"]
