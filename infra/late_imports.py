"""Lets a library's module import what it rarely uses where it uses it.

botocore loads what writes its documentation, with Python's parser of HTML, to give each client's
call a docstring that nobody reads; urllib3 and pydantic load what reads packages' metadata, to look
for what is not installed. A function pays for them at each cold start. Here such an import is taken
from the top of its module, and each use of one of its names in a function imports what it needs.
The module still gives the names to whoever asks it for them (PEP 562).

It is refused when a name is used outside of functions, where it would be needed at once, or when a
module no longer imports what is named here: then a new version of the library has to be looked at.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from infra.lazy_names import ASK, MAP

LATE: Mapping[str, tuple[str, ...]] = {
    "aws_lambda_powertools.logging.logger": ("aws_lambda_powertools.utilities",),
    "botocore.client": (
        "botocore.discovery",
        "botocore.paginate",
        "botocore.retries",
    ),
    "botocore.compat": ("dateutil.tz",),
    "botocore.credentials": ("dateutil.parser", "dateutil.tz"),
    "botocore.configloader": ("configparser", "shlex"),
    "botocore.docs": ("botocore.docs.service",),
    "botocore.docs.docstring": (
        "botocore.docs.bcdoc.restdoc",
        "botocore.docs.method",
        "botocore.docs.paginator",
        "botocore.docs.waiter",
    ),
    "botocore.httpsession": ("concurrent.futures",),
    "botocore.paginate": ("jmespath",),
    "botocore.regions": ("jmespath",),
    "botocore.tokens": ("dateutil.parser", "dateutil.tz"),
    "botocore.utils": ("dateutil.parser", "dateutil.tz", "tempfile"),
    "botocore.waiter": ("jmespath",),
    "jinja2.compiler": ("jinja2.idtracking", "jinja2.optimizer"),
    "jinja2.environment": ("jinja2.parser",),
    "pydantic.plugin._loader": ("importlib.metadata",),
    "urllib3.http2": ("importlib.metadata",),
}
"""Modules, and what each imports where it uses it: what a first request never comes by, and costs
a millisecond or more of each cold start (docs/decisions/0011-cold-starts.md)."""

LOOKS_UP_ITS_VERSION: Mapping[str, str] = {"ulid": "python-ulid"}
"""Packages that read their own metadata for their `__version__`, and what they are distributed as:
it takes longer than all else that they do."""


class NotLate(Exception):
    """An import can't be moved to where its names are used; the text says why."""


@dataclass(frozen=True)
class _Given:
    """A name that an import at the top of a module binds: `expression` is the same anywhere."""

    module: str
    original: str | None
    expression: str


def make_late(packages: Path) -> None:
    """Rewrite the modules of `LATE` below `packages`, in place. Raises `NotLate`."""
    for module, imports in LATE.items():
        path = packages.joinpath(*module.split("."))
        is_package = path.is_dir()
        path = path / "__init__.py" if is_package else path.with_suffix(".py")
        path.write_text(late(path.read_text(), module, imports, is_package=is_package))


def write_versions(packages: Path) -> None:
    """Write down what packages look up of themselves, in place. Raises `NotLate`."""
    for package, distribution in LOOKS_UP_ITS_VERSION.items():
        path = packages / package / "__init__.py"
        known = next(iter(distributions(name=distribution, path=[str(packages)])), None)
        if known is None:
            raise NotLate(f"{distribution} is not there")
        path.write_text(with_version(path.read_text(), distribution, known.version))


def with_version(source: str, distribution: str, version: str) -> str:
    """The source of a package with its version instead of the look-up."""
    lookup = f'version("{distribution}")'
    lines = source.splitlines(keepends=True)
    tree = ast.parse(source)
    imports = [node for node in tree.body if isinstance(node, ast.Try) and _looks_up(node)]
    if source.count("version(") != 1 or lookup not in source or len(imports) != 1:
        raise NotLate(f"{distribution} does not look its version up as it did")
    for at in range(imports[0].lineno - 1, imports[0].end_lineno or imports[0].lineno):
        lines[at] = "\n"
    return "".join(lines).replace(lookup, repr(version))


def _looks_up(node: ast.Try) -> bool:
    first = node.body[0]
    return isinstance(first, ast.ImportFrom) and first.module == "importlib.metadata"


def late(source: str, module: str, imports: tuple[str, ...], *, is_package: bool) -> str:
    """The source of `module`, which imports what of `imports` it uses where it uses it. No line
    changes its number."""
    tree = ast.parse(source)
    parents = module.split(".") if is_package else module.split(".")[:-1]
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    given: dict[str, _Given] = {}
    for node in tree.body:
        origin = _origin(node, parents)
        if origin not in imports:
            continue
        given |= _bound(node, origin)
        for at in range(node.lineno - 1, node.end_lineno or node.lineno):
            lines[at] = b"\n"
    missing = set(imports) - {one.module for one in given.values()}
    if missing:
        raise NotLate(f"{module} does not import {sorted(missing)} at its top")
    uses = _Uses(module, frozenset(given))
    uses.visit(tree)
    for use in sorted(uses.found, key=lambda use: (use.lineno, use.col_offset), reverse=True):
        line, expression = lines[use.lineno - 1], given[use.id].expression.encode()
        if line[use.col_offset : use.end_col_offset] != use.id.encode():
            raise NotLate(f"{use.id} in line {use.lineno} of {module} stands in a string")
        lines[use.lineno - 1] = line[: use.col_offset] + expression + line[use.end_col_offset :]
    passed_on = {name: (one.module, one.original) for name, one in given.items() if one.original}
    return b"".join(lines).decode() + ASK.format(map=MAP, names=passed_on)


def _origin(node: ast.stmt, parents: list[str]) -> str | None:
    """Which module a statement imports, or imports from."""
    if isinstance(node, ast.Import):
        return node.names[0].name if len(node.names) == 1 else None
    if not isinstance(node, ast.ImportFrom):
        return None
    if not node.level:
        return node.module
    kept = parents[: len(parents) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _bound(node: ast.stmt, origin: str) -> dict[str, _Given]:
    assert isinstance(node, ast.Import | ast.ImportFrom)
    found = {}
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            expression = f'__import__("{origin}", fromlist=["{alias.name}"]).{alias.name}'
            found[alias.asname or alias.name] = _Given(origin, alias.name, expression)
        elif alias.asname or "." not in origin:
            expression = f'__import__("{origin}", fromlist=[""])'
            found[alias.asname or origin] = _Given(origin, None, expression)
        else:
            found[origin.partition(".")[0]] = _Given(origin, None, f'__import__("{origin}")')
    return found


class _Uses(ast.NodeVisitor):
    """The uses of some names in functions. Raises `NotLate` for one that is needed at once, or that
    something else is called by as well."""

    def __init__(self, module: str, names: frozenset[str]) -> None:
        self.found: list[ast.Name] = []
        self._module = module
        self._names = names
        self._functions = 0

    def visit_Name(self, node: ast.Name) -> None:
        if node.id not in self._names:
            return
        if not self._functions or not isinstance(node.ctx, ast.Load):
            self._refuse(node.id, node)
        self.found.append(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._taken(node.name, node)
        for first in (*node.decorator_list, node.args, node.returns):
            if first is not None:
                self.visit(first)
        self._inside(node.body)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.args)
        self._inside([node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._taken(node.name, node)
        self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        self._taken(node.arg, node)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        if self._functions:
            for alias in node.names:
                self._taken(alias.asname or alias.name, node)

    visit_ImportFrom = visit_Import  # noqa: N815 - as ast calls it

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        for name in node.names:
            self._taken(name, node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._taken(node.name or "", node)
        self.generic_visit(node)

    def _inside(self, body: list[ast.stmt] | list[ast.expr]) -> None:
        self._functions += 1
        for node in body:
            self.visit(node)
        self._functions -= 1

    def _taken(self, name: str, node: ast.AST) -> None:
        if name in self._names:
            self._refuse(name, node)

    def _refuse(self, name: str, node: ast.AST) -> None:
        line = getattr(node, "lineno", "?")
        raise NotLate(f"{name} in line {line} of {self._module} is needed at once, or bound anew")
