"""Leaves out what botocore does for services that the functions don't call.

Every session registers two hundred handlers: how S3's keys are encoded, how a parameter of Glacier
is documented. Each is looked at with `inspect` and put where its event will be looked up, at every
cold start. Here those stay that concern every service, or one that is called.
"""

import ast
from collections.abc import Collection
from pathlib import Path

LIST = "BUILTIN_HANDLERS"


class NoHandlers(Exception):
    """botocore's handlers are not the list that they were; the text says what was found."""


def reduce(handlers: Path, services: Collection[str]) -> None:
    """Rewrite botocore's `handlers.py`, in place, for `services` as events name them. Raises
    `NoHandlers`."""
    handlers.write_text(reduced(handlers.read_text(), services))


def reduced(source: str, services: Collection[str]) -> str:
    """The same module without the handlers of other services and of documentation. No line changes
    its number."""
    lines = source.splitlines(keepends=True)
    lists = [
        node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.List)
        and [target.id for target in node.targets if isinstance(target, ast.Name)] == [LIST]
    ]
    if len(lists) != 1:
        raise NoHandlers(f"there is not one {LIST}")
    for handler in lists[0].elts:
        if concerns(_event(handler), services):
            continue
        for at in range(handler.lineno - 1, handler.end_lineno or handler.lineno):
            lines[at] = "\n"
    return "".join(lines)


def concerns(event: str, services: Collection[str]) -> bool:
    """Whether a call of one of `services` could emit it. Events are `kind.service.operation`, and
    whoever registers for the beginning of one hears of all that begin so."""
    kind, *rest = event.split(".")
    return kind != "docs" and (not rest or rest[0] == "*" or rest[0] in services)


def _event(handler: ast.expr) -> str:
    first = handler.elts[0] if isinstance(handler, ast.Tuple) and handler.elts else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        raise NoHandlers(f"line {handler.lineno} of {LIST} names no event")
    return first.value
