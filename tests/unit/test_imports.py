"""Who may import whom, and who reads clock, chance and environment (docs/architecture.md).

Read from the syntax of every file, so that imports inside functions and under `TYPE_CHECKING`
count too.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

DOMAIN_PACKAGES = {"pydantic", "dateutil"}
"""What the domain may use besides Python itself."""

MAY_USE = {
    "shared.domain": {"shared.domain"},
    "shared.store": {"shared.domain", "shared.store"},
    "shared.providers": {"shared.domain", "shared.providers"},
    "shared.messages": {"shared.domain", "shared.messages", "shared.templates"},
    "shared.operations": {
        "shared.domain",
        "shared.store",
        "shared.providers",
        "shared.messages",
        "shared.operations",
    },
    # Pages and programs see operations; keys, providers and the clock come in as arguments.
    "shared.web": {
        "shared.domain",
        "shared.log",
        "shared.operations",
        "shared.templates",
        "shared.web",
    },
    "shared.templates": set(),
    "shared.ahead": set(),
    "shared.log": set(),
    # What workers do with an event of the bus: log, count, put back what is not due, go on.
    "shared.events": {"shared.log", "shared.store"},
    "shared.wiring": {
        "shared.domain",
        "shared.store",
        "shared.providers",
        "shared.messages",
        "shared.operations",
        "shared.web",
        "shared.wiring",
    },
}
"""Every part of `shared`, and the parts that it may import. A new part needs a line here."""

IMPURE_MODULES = {
    "asyncio",
    "ctypes",
    "http",
    "importlib",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
}
"""What the domain does not use of Python: clock, chance, environment, files and network."""

ONLY_WIRING_READS = {
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "date.today",
    "os.environ",
    "os.getenv",
    "os.urandom",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "uuid.uuid1",
    "uuid.uuid4",
}
"""Clock, chance and environment, as the last two names of what is read."""

CHANCE = {"random", "secrets"}
"""Modules of chance: nothing of them is used outside wiring, except comparing and classes that
take a seed."""

HARMLESS_OF_CHANCE = {"random.Random", "secrets.compare_digest"}

EXCEPTIONS = {
    # PynamoDB wants a table's name when its class is made; jitter decides nothing.
    "shared.store.items": {"os.environ"},
    "shared.store.tries": {"random.uniform"},
}
"""Who reads what all the same, and why. One that is no longer needed fails."""


def imported(tree: ast.AST, module: str, *, is_package: bool) -> Iterator[str]:
    """The full dotted name of everything that `tree` imports, down to the imported name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                parents = module.split(".")
                kept = len(parents) - node.level + (1 if is_package else 0)
                origin = ".".join([*parents[:kept], *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def part_of(name: str) -> str:
    """`shared.store` of `shared.store.accounts.Head`."""
    return ".".join(name.split(".")[:2])


def is_in(name: str, modules: set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def wrong_imports(source: str, module: str, functions: set[str], *, is_package: bool) -> list[str]:
    """What `module` imports and may not. `functions` are the modules that have a handler."""
    return [
        f"{module} imports {name}: {reason}"
        for name in imported(ast.parse(source), module, is_package=is_package)
        if (reason := why_wrong(module, name, functions))
    ]


def why_wrong(module: str, name: str, functions: set[str]) -> str | None:
    top = name.partition(".")[0]
    if top in ("infra", "tests"):
        return "what is deployed knows neither the building nor the tests"
    if module.startswith("functions."):
        return why_wrong_in_a_function(module, name, functions)
    if top == "functions":
        return "shared code knows no function"
    if top == "shared" and part_of(name) not in MAY_USE[part_of(module)]:
        return f"{part_of(module)} may not use {part_of(name)}"
    if part_of(module) != "shared.domain" or top == "shared":
        return None
    if top not in sys.stdlib_module_names | DOMAIN_PACKAGES:
        return "the domain uses Python, pydantic and dateutil alone"
    return "the domain is pure" if is_in(name, IMPURE_MODULES) else None


def why_wrong_in_a_function(module: str, name: str, functions: set[str]) -> str | None:
    if not name.startswith("functions."):
        return None
    if part_of(name) != part_of(module):
        return "another folder of functions"
    others = functions - {module}
    return "no function imports another" if is_in(name, others) else None


def reads(source: str) -> set[str]:
    """What `source` reads of clock, chance and environment, which only wiring does."""
    tree = ast.parse(source)
    taken = set(imported(tree, "", is_package=False))
    used = {
        f"{ast.unparse(node.value).rpartition('.')[2]}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
    }
    by_name = {name for name in taken if "." in name and is_in(name, CHANCE)}
    by_module = {name for name in used if is_in(name, CHANCE & taken)}
    return ((taken | used) & ONLY_WIRING_READS) | ((by_name | by_module) - HARMLESS_OF_CHANCE)


def files() -> dict[str, Path]:
    """Every module of what is deployed, by its name. A package has the name of its folder."""
    found = {}
    for folder in ("functions", "shared"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def has_handler(path: Path) -> bool:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == "handler":
            return True
        if isinstance(node, ast.Assign) and "handler" in map(ast.unparse, node.targets):
            return True
    return False


FILES = files()
FUNCTIONS = {
    name for name, path in FILES.items() if name.startswith("functions.") and has_handler(path)
}


def test_every_import_follows_the_architecture() -> None:
    wrong = [
        line
        for module, path in FILES.items()
        if module not in ("shared", "functions")
        for line in wrong_imports(
            path.read_text(encoding="utf-8"),
            module,
            FUNCTIONS,
            is_package=path.name == "__init__.py",
        )
    ]
    assert wrong == []


def test_only_wiring_reads_clock_chance_and_environment() -> None:
    found = {
        module: read
        for module, path in FILES.items()
        if module != "shared.wiring" and (read := reads(path.read_text(encoding="utf-8")))
    }
    assert found == EXCEPTIONS


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("from datetime import datetime\ndatetime.now(UTC)", "datetime.now"),
        ("import datetime\ndatetime.datetime.now()", "datetime.now"),
        ("field: datetime = Field(default_factory=datetime.utcnow)", "datetime.utcnow"),
        ("date.today()", "date.today"),
        ("def f():\n    return time.time()", "time.time"),
        ("from time import time", "time.time"),
        ("os.environ['TABLE']", "os.environ"),
        ("from os import getenv", "os.getenv"),
        ("import random\nrandom.choice('ab')", "random.choice"),
        ("from secrets import token_urlsafe", "secrets.token_urlsafe"),
        ("uuid.uuid4()", "uuid.uuid4"),
    ],
)
def test_reading_clock_chance_or_environment_is_found(source: str, read: str) -> None:
    assert reads(source) == {read}


def test_what_only_looks_like_chance_or_a_clock_is_let_through() -> None:
    assert reads("import random\nrandom.Random(7)\nwiring.now()\nself.secrets.get") == set()


def test_every_part_of_shared_has_its_rule() -> None:
    parts = {part_of(module) for module in FILES if module.startswith("shared.")}
    assert parts == set(MAY_USE)


def test_the_outermost_packages_import_nothing_of_ours() -> None:
    assert FILES["shared"].read_text(encoding="utf-8").strip() == ""
    tree = ast.parse(FILES["functions"].read_text(encoding="utf-8"))
    found = set(imported(tree, "functions", is_package=True))
    assert found == {"gc", "importlib.import_module", "shared.ahead"}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("shared.domain.pack", "from shared.store import accounts"),
        ("shared.domain.pack", "from shared import wiring"),
        ("shared.domain.pack", "import boto3"),
        ("shared.domain.pack", "import os"),
        ("shared.domain.pack", "from os import environ"),
        ("shared.domain.pack", "from urllib.request import urlopen"),
        ("shared.domain.pack", "def f():\n    import random"),
        ("shared.domain.pack", "from ..operations import renewals"),
        ("shared.store.accounts", "from shared.providers.port import PaymentProvider"),
        ("shared.store.accounts", "if TYPE_CHECKING:\n    from shared.messages import sender"),
        ("shared.providers.sandbox", "import shared.operations.settle"),
        ("shared.messages.sender", "from shared.wiring import current"),
        ("shared.operations.settle", "from shared.wiring import current"),
        ("shared.operations.settle", "from shared.web import errors"),
        ("shared.operations.settle", "from functions.billing import renewals"),
        ("shared.web.errors", "from shared.wiring import current"),
        ("shared.wiring", "from infra.local import clock"),
        ("functions.portal.shop", "from functions.portal import checkout"),
        ("functions.portal.shop", "from functions.portal.checkout import handler"),
        ("functions.portal.shop", "from .checkout import handler"),
        ("functions.portal.shop", "from functions.console import pages"),
        ("functions.portal.shop", "from tests.unit import conftest"),
    ],
)
def test_an_import_that_breaks_the_architecture_is_found(module: str, source: str) -> None:
    functions = {"functions.portal.shop", "functions.portal.checkout"}
    assert len(wrong_imports(source, module, functions, is_package=False)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("shared.domain.pack", "from shared.domain import calendar"),
        ("shared.domain.pack", "from .calendar import start_of_day"),
        ("shared.domain.pack", "from datetime import time"),
        ("shared.domain.pack", "from urllib.parse import quote"),
        ("shared.domain.pack", "from dateutil.relativedelta import relativedelta"),
        ("shared.operations.settle", "from shared.store import accounts"),
        ("shared.wiring", "from shared.providers.sandbox import SandboxProvider"),
        ("functions.portal.shop", "from shared.wiring import current"),
        ("functions.portal.shop", "from functions.portal import pages"),
        ("functions.portal.shop", "from functions.portal.cart_lines import add"),
    ],
)
def test_an_import_that_follows_the_architecture_is_let_through(module: str, source: str) -> None:
    functions = {"functions.portal.shop", "functions.portal.checkout"}
    assert wrong_imports(source, module, functions, is_package=False) == []


def test_a_package_that_imports_its_neighbour_by_dots_is_read_right() -> None:
    inside = wrong_imports("from .x import y", "shared.domain", set(), is_package=True)
    assert inside == []
    beside = wrong_imports("from ..store import x", "shared.domain", set(), is_package=True)
    assert beside == [
        "shared.domain imports shared.store.x: shared.domain may not use shared.store"
    ]


ONLY_WHERE_MONEY_IS_MOVED = ("stripe", "requests")
"""Packages that no function loads to start, nor an adapter before it calls its provider."""


def loaded_by(code: str) -> set[str]:
    """Which of those packages a fresh interpreter has loaded after running `code`."""
    asks = f"import sys; print(*set(sys.modules) & {set(ONLY_WHERE_MONEY_IS_MOVED)!r})"
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"{code}\n{asks}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return set(ran.stdout.split())


def test_no_function_loads_stripes_package_to_start() -> None:
    assert FUNCTIONS
    assert loaded_by("\n".join(f"import {name}" for name in sorted(FUNCTIONS))) == set()


READS_A_WEBHOOK = """
from datetime import datetime, UTC
from shared.providers import adapters
from shared.providers.events import InvalidSignature

settings = {"key": "sk_test_1", "webhook_secrets": ["whsec_1"]}
provider = adapters.make("stripe", settings, lambda: datetime(2026, 1, 31, tzinfo=UTC))
try:
    provider.read_webhook({"stripe-signature": "t=1,v1=" + "0" * 64}, b"{}")
except InvalidSignature:
    pass
"""


def test_stripes_adapter_is_made_and_reads_webhooks_without_its_package() -> None:
    assert loaded_by(READS_A_WEBHOOK) == set()


def test_the_first_call_of_stripe_loads_its_package() -> None:
    """Which shows that the two above can fail."""
    call = """
try:
    provider.check_setup([])
except Exception:
    pass
"""
    nowhere = READS_A_WEBHOOK.replace('["whsec_1"]}', "[\"w\"], 'base_url': 'http://127.0.0.1:9'}")
    assert "stripe" in loaded_by(nowhere + call)
