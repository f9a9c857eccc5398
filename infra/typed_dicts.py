"""Takes from a module of typed dicts what they say of their keys.

pydantic describes each validator as a dict, and each kind of these dicts as a `TypedDict` for type
checkers: seven hundred annotations, each of which Python compiles when the module is imported. That
is a third of what pydantic costs to load, and nothing reads them while a program runs: a call of
such a class gives a plain dict, whatever it says.
"""

import ast
from pathlib import Path

FULL_OF_THEM = ("pydantic_core.core_schema",)
"""Modules whose typed dicts are a tenth of boto3's own start."""


class NotTyped(Exception):
    """A typed dict holds more than keys; the text says which."""


def strip_all(packages: Path) -> None:
    """Rewrite the modules of `FULL_OF_THEM` below `packages`, in place. Raises `NotTyped`."""
    for module in FULL_OF_THEM:
        path = packages.joinpath(*module.split(".")).with_suffix(".py")
        path.write_text(stripped(path.read_text(), module))


def stripped(source: str, module: str) -> str:
    """The source of `module` with the same typed dicts, without their keys. No line changes its
    number."""
    lines = source.splitlines(keepends=True)
    found = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and _is_typed(node)
    ]
    if not found:
        raise NotTyped(f"{module} has no typed dicts any more")
    for node in found:
        keys = [one for one in node.body if isinstance(one, ast.AnnAssign) and one.value is None]
        rest = [one for one in node.body if one not in keys]
        if any(not isinstance(one, ast.Expr | ast.Pass) for one in rest):
            raise NotTyped(f"{node.name} of {module} holds more than keys")
        for key in keys:
            for at in range(key.lineno - 1, key.end_lineno or key.lineno):
                lines[at] = "\n"
        if keys:
            lines[keys[0].lineno - 1] = " " * keys[0].col_offset + "pass\n"
    return "".join(lines)


def _is_typed(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "TypedDict" for base in node.bases)
