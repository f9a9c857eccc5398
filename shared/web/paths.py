"""Finds what serves a path, whose segments are each a literal or one `{name}`."""

import re
from collections.abc import Mapping
from typing import Generic, TypeVar

SEGMENT = re.compile(r"[-._~()'!*:@,;=+&$%<> \[\]{}|^\w]+")
"""What may stand for a `{name}`: what can be in a path, and letters of every language."""

Served = TypeVar("Served")


class Paths(Generic[Served]):
    """What is served at each path. A literal goes before a name, else the first that was added."""

    def __init__(self) -> None:
        self._literal: dict[str, Served] = {}
        self._named: list[tuple[list[str], Served]] = []

    def add(self, path: str, served: Served) -> None:
        if "{" in path:
            self._named.append((path.split("/"), served))
        else:
            self._literal[path] = served

    def find(self, path: str) -> tuple[Served, Mapping[str, str]] | None:
        """What serves `path`, and what stands there for each name; None where nothing does."""
        if path in self._literal:
            return self._literal[path], {}
        segments = path.split("/")
        for pattern, served in self._named:
            names = _names(pattern, segments)
            if names is not None:
                return served, names
        return None


def _names(pattern: list[str], segments: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(segments):
        return None
    names: dict[str, str] = {}
    for expected, seen in zip(pattern, segments, strict=True):
        if expected.startswith("{"):
            if not SEGMENT.fullmatch(seen):
                return None
            names[expected[1:-1]] = seen
        elif expected != seen:
            return None
    return names
