"""What Python compiles while a function starts, compiled by the build already (decision 11).

Libraries compile regular expressions when they are imported, by a compiler that is written in
Python; dataclasses, named tuples and forward references write source and have it compiled. That is
a fifth of a start. `infra/compiled_ahead.py` notes what is compiled when our functions are
imported, and what came of it; here it is looked up before anything is compiled.

What is not found is compiled as ever: another version of Python, of a library, or no file at all
makes a start slower and nothing else different.
"""

import _sre  # type: ignore[import-not-found]
import collections
import marshal
import os
import re
import sys
import typing
from collections.abc import Callable, Mapping
from importlib.util import MAGIC_NUMBER
from types import CodeType
from typing import Any

FILE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "compiled_ahead")  # noqa: PTH118, PTH120 - as below
"""Where the build puts it: beside the packages."""

MADE_BY = (sys.implementation.cache_tag, MAGIC_NUMBER, _sre.MAGIC, _sre.CODESIZE)
"""What compiled it must be what runs it: bytecode and patterns are this interpreter's own."""

Sources = Mapping[tuple[str, str], bytes]
"""Code objects, marshalled, by their source and mode."""

Patterns = Mapping[tuple[str | bytes, int], bytes]
"""What `_sre.compile` is told, marshalled, by pattern and flags."""


def use(file: str = FILE) -> None:
    """Look up what is compiled from now on in `file`, where it is this interpreter's."""
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - pathlib compiles patterns
            made_by, sources, patterns = marshal.loads(opened.read())  # noqa: S302 - made by our build
    except FileNotFoundError:
        return
    if made_by != MADE_BY:
        return
    stand_in(
        compiling_patterns(patterns), evaluating(sources), compiling(sources), executing(sources)
    )


def stand_in(patterns: Any, evaluate: Any, compile_source: Any, execute: Any) -> None:
    """Take the place of what compiles regular expressions, named tuples, forward references and
    the methods of dataclasses."""
    for module, name, ours in (
        (re._compiler, "compile", patterns),  # type: ignore[attr-defined] # noqa: SLF001
        (collections, "eval", evaluate),
        (typing, "compile", compile_source),
    ):
        setattr(module, name, ours)
    import dataclasses  # noqa: PLC0415 - after the others: what it imports compiles patterns

    dataclasses.exec = execute  # type: ignore[attr-defined]


def executing(sources: Sources) -> Callable[..., None]:
    """`exec`, as dataclasses make methods with it."""

    def execute(source: Any, *spaces: Any) -> None:
        exec(_known(sources, source, "exec") or source, *spaces)  # noqa: S102

    return execute


def evaluating(sources: Sources) -> Callable[..., Any]:
    """`eval`, as named tuples make `__new__` with it."""

    def evaluate(source: Any, *spaces: Any) -> Any:
        return eval(_known(sources, source, "eval") or source, *spaces)  # noqa: S307

    return evaluate


def compiling(sources: Sources) -> Callable[..., Any]:
    """`compile`, as forward references read annotations with it."""

    def compile_source(source: Any, filename: str, mode: str, *options: Any, **more: Any) -> Any:
        known = None if options or more else _known(sources, source, mode)
        return known or compile(source, filename, mode, *options, **more)

    return compile_source


def _known(sources: Sources, source: Any, mode: str) -> CodeType | None:
    found = sources.get((source, mode)) if isinstance(source, str) else None
    return marshal.loads(found) if found else None  # noqa: S302 - made by our build


def compiling_patterns(patterns: Patterns) -> Callable[..., re.Pattern[Any]]:
    """The compiler of regular expressions, which `re` keeps a cache before."""
    otherwise = re._compiler.compile  # type: ignore[attr-defined] # noqa: SLF001

    def compile_pattern(pattern: Any, flags: int = 0) -> re.Pattern[Any]:
        known = isinstance(pattern, str | bytes) and patterns.get((pattern, int(flags)))
        if not known:
            made: re.Pattern[Any] = otherwise(pattern, flags)
            return made
        all_flags, code, groups, index, names = marshal.loads(known)  # noqa: S302
        return typing.cast(
            "re.Pattern[Any]", _sre.compile(pattern, all_flags, code, groups, index, names)
        )

    return compile_pattern
