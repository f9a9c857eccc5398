"""Lets a package load what it passes on when somebody asks for it.

A package's `__init__` often imports a name from each of its parts, to pass them on. Whoever wants
one of them then loads all. Here such imports become a module's `__getattr__` (PEP 562), which
imports a name when it is first asked for: the same names, and nothing that is not used.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

MAP = "_LOADED_WHEN_ASKED_FOR"

ASK = """

{map} = {names!r}


def __getattr__(name):
    if name not in {map}:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    from importlib import import_module

    module, original = {map}[name]
    value = globals()[name] = getattr(import_module(module), original)
    return value
"""


def make_lazy(package: Path) -> None:
    """Rewrite each `__init__` of the package at `package`, in place."""
    for path in sorted(package.rglob("__init__.py")):
        parts = (package.name, *path.parent.relative_to(package).parts)
        source = path.read_text()
        path.write_text(lazy(source, ".".join(parts), _submodules(path.parent)))


def lazy(source: str, package: str, submodules: frozenset[str]) -> str:
    """The source of `package`'s `__init__`, which passes names of its own parts on when they are
    asked for. What it uses itself, and what is called like one of its `submodules`, it imports as
    before."""
    tree = ast.parse(source)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | submodules
    names: dict[str, tuple[str, str]] = {}
    lines = source.splitlines(keepends=True)
    for node in tree.body:
        if not isinstance(node, ast.ImportFrom) or not _is_within(node, package):
            continue
        given = {alias.asname or alias.name: alias.name for alias in node.names}
        if "*" in given or used & set(given):
            continue
        names |= {name: (_module(node, package), original) for name, original in given.items()}
        assert node.end_lineno is not None
        lines[node.lineno - 1 : node.end_lineno] = ["\n"] * (node.end_lineno - node.lineno + 1)
    if not names:
        return source
    return "".join(lines) + ASK.format(map=MAP, names=names)


def _is_within(node: ast.ImportFrom, package: str) -> bool:
    top = package.partition(".")[0]
    return node.level > 0 or (node.module or "").partition(".")[0] == top


def _module(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parents = package.split(".")
    kept = parents[: len(parents) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _submodules(folder: Path) -> frozenset[str]:
    def found() -> Iterator[str]:
        for path in folder.iterdir():
            if path.suffix == ".py":
                yield path.stem
            elif (path / "__init__.py").exists():
                yield path.name

    return frozenset(found())
