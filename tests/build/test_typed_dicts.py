"""Without its typed dicts' keys pydantic describes and validates as before."""

import subprocess
import sys
from pathlib import Path

import pydantic_core.core_schema
import pytest

from infra import typed_dicts
from infra.typed_dicts import NotTyped

SOURCE = Path(pydantic_core.core_schema.__file__).read_text()

TOLD = """
import importlib.util, json, sys
import pydantic_core
spec = importlib.util.spec_from_file_location("pydantic_core.core_schema", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["pydantic_core.core_schema"] = pydantic_core.core_schema = module
spec.loader.exec_module(module)
from datetime import date
from typing import Annotated, Literal
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_jsonable_python

class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["a", "b"] = "a"
    size: Annotated[int, Field(ge=0, le=9)] | None = None

class Whole(BaseModel):
    name: Annotated[str, Field(max_length=5)]
    at: AwareDatetime
    day: date | None = None
    parts: tuple[Part, ...] = ()
    by: dict[str, Part] = {}

good = {"name": "n", "at": "2026-01-01T00:00:00Z", "parts": [{"size": "3"}], "by": {"x": {}}}
whole = Whole.model_validate(good)
try:
    Whole.model_validate({**good, "name": "too long", "parts": [{"kind": "c", "other": 1}]})
except ValidationError as error:
    wrong = error.errors(include_url=False)
print(json.dumps([
    whole.model_dump(mode="json"),
    whole.model_dump_json(exclude_defaults=True),
    Whole.model_json_schema(),
    wrong,
    sorted(name for name in dir(module) if not name.startswith("_")),
    module.str_schema(max_length=3),
    dict(module.CoreConfig(title="x")),
    type(module.CoreConfig(title="x")).__name__,
], default=str, sort_keys=True))
"""


def told(source: str, place: Path) -> str:
    place.write_text(source)
    ran = subprocess.run(
        [sys.executable, "-c", TOLD, place], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_what_models_say_and_refuse_stays_the_same(tmp_path: Path) -> None:
    rewritten = typed_dicts.stripped(SOURCE, "pydantic_core.core_schema")
    assert told(rewritten, tmp_path / "after.py") == told(SOURCE, tmp_path / "before.py")


def test_keys_go_and_lines_keep_their_numbers() -> None:
    source = (
        "from typing import TypedDict\n\n"
        'class A(TypedDict, total=False):\n    """What it is."""\n\n    one: int\n    two: str\n\n'
        "class B:\n    three: int\n"
    )
    rewritten = typed_dicts.stripped(source, "a")
    assert rewritten.splitlines()[8:] == source.splitlines()[8:]
    found: dict[str, type] = {}
    exec(rewritten, found)  # noqa: S102 - a module of ten lines
    assert (found["A"].__annotations__, found["A"].__doc__) == ({}, "What it is.")
    assert found["B"].__annotations__ == {"three": int}


@pytest.mark.parametrize(
    "source",
    [
        "class A: pass\n",
        "class A(TypedDict):\n    def f(self): pass\n",
        "class A(TypedDict):\n    one: int = 1\n",
    ],
)
def test_what_is_not_keys_alone_is_refused(source: str) -> None:
    with pytest.raises(NotTyped):
        typed_dicts.stripped(source, "a")
