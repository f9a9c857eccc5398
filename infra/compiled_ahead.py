"""Notes what Python compiles while our functions are imported, for `shared/ahead.py`:
`python compiled_ahead.py APP [LOADABLE]`, by an interpreter of the runtime's own version.

It starts alone, without anything but Python's own library and the artefact at APP. LOADABLE has
packages that come first, where the artefact's are for another architecture.
"""

import _sre  # type: ignore[import-not-found]
import importlib
import marshal
import os
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

WITHOUT_REFERENCES = 2
"""The version of marshal's format that writes equal things equally, whoever else holds them."""

SURROUNDINGS = {"AWS_DEFAULT_REGION": "us-east-1", "PYDANTIC_DISABLE_PLUGINS": "__all__"}
"""What the imports read of the environment."""

FOLDERS = ("portal", "billing", "webhooks")
"""Whose functions must start quickly. The console's are opened once a day and stay awake."""

Told = tuple[Any, int, Any, int, Any, Any]
"""What `_sre.compile` is told."""


class Noted:
    """What was compiled, and what came of it."""

    def __init__(self) -> None:
        self.sources: dict[tuple[str, str], bytes] = {}
        self.patterns: dict[tuple[str | bytes, int], bytes] = {}

    def execute(self, source: Any, *spaces: Any) -> None:
        exec(self.compile(source, "<string>", "exec"), *spaces)  # noqa: S102

    def evaluate(self, source: Any, *spaces: Any) -> Any:
        return eval(self.compile(source, "<string>", "eval"), *spaces)  # noqa: S307

    def compile(self, source: Any, filename: str, mode: str, *more: Any, **options: Any) -> Any:
        """`compile`, noted where the source is all that it goes by."""
        made = compile(source, filename, mode, *more, **options)
        if isinstance(source, str) and filename == "<string>" and not more and not options:
            self.sources[source, mode] = marshal.dumps(made, WITHOUT_REFERENCES)
        return made

    def patterns_compiler(self) -> Any:
        """The compiler of regular expressions, which notes what they come to."""
        compiler: Any = re._compiler  # type: ignore[attr-defined] # noqa: SLF001
        otherwise = compiler.compile
        told: list[Told] = []

        class Engine:
            """`_sre`, telling what it is told."""

            def __getattr__(self, name: str) -> Any:
                return getattr(_sre, name)

            def compile(self, *arguments: Any) -> Any:
                told.append(arguments)
                return _sre.compile(*arguments)

        def compile_pattern(pattern: Any, flags: int = 0) -> Any:
            told.clear()
            made = otherwise(pattern, flags)
            if isinstance(pattern, str | bytes):
                self.patterns[pattern, int(flags)] = _packed(told[-1])
            return made

        compiler._sre = Engine()  # noqa: SLF001
        return compile_pattern


def _packed(told: Told) -> bytes:
    _, flags, code, groups, index, names = told
    # Parts of a code are named constants of `re`, which are numbers to everybody else.
    numbers = [int(one) for one in code]
    told_later = int(flags), numbers, int(groups), dict(index), tuple(names)
    return marshal.dumps(told_later, WITHOUT_REFERENCES)


def handlers(app: "Path") -> Iterator[str]:
    """The modules that are functions."""
    for folder in FOLDERS:
        for path in sorted(app.joinpath("functions", folder).glob("*.py")):
            if re.search(r"^(def )?handler\b", path.read_text(), flags=re.MULTILINE):
                yield f"functions.{folder}.{path.stem}"


def note(directory: str) -> None:
    """Import every function of the artefact at `directory`, and put beside it what was compiled."""
    noted = Noted()
    ahead = importlib.import_module("shared.ahead")
    ahead.stand_in(noted.patterns_compiler(), noted.evaluate, noted.compile, noted.execute)
    from pathlib import Path  # noqa: PLC0415 - it compiles patterns, too

    for name in handlers(Path(directory)):
        importlib.import_module(name)
    found = (
        ahead.MADE_BY,
        dict(sorted(noted.sources.items())),
        dict(sorted(noted.patterns.items(), key=lambda entry: (str(entry[0][0]), entry[0][1]))),
    )
    Path(ahead.FILE).write_bytes(marshal.dumps(found, WITHOUT_REFERENCES))


def main() -> None:
    """The command."""
    app, *loadable = sys.argv[1:]
    os.environ.update(SURROUNDINGS)
    sys.path[:0] = [*loadable, app]
    note(app)


if __name__ == "__main__":
    main()
