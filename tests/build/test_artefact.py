"""What is shipped is what is tested: the built artefact, and nothing else, runs every function."""

import importlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra import aws_data, build
from infra.local import lambdas
from infra.local.aws import switchboard
from infra.local.http_api import Request, Routes, event_of
from infra.local.template import ACCOUNT_ID, REGION, TEMPLATE, Function, load
from infra.local.world import LocalWorld
from infra.sam import place
from tests.build.runtime_api import (
    Outcome,
    aws_over_http,
    invoke,
    running_version,
    standard_library,
)

pytestmark = pytest.mark.xdist_group("artefact")

MAX_UNZIPPED_BYTES = 30_000_000
MAX_UNZIPPED_BYTES_WITH_PROVIDERS = 50_000_000
"""Small enough to start quickly; Lambda's own limit is 250 MB."""

MAX_COMPILED_AT_START = 60
"""Sources, for all functions together: what is asked of a package's own `exec`, and what Python
compiles before ours is there. Without looking anything up they are eight hundred."""

MAX_PARSED_AT_START = 10
"""Patterns, for all functions together: Babel and Python's email package write some from sets,
whose order is another in each process."""

RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
NOW = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)

PARAMETERS = {
    "PublicUrl": "http://127.0.0.1:8000",
    "SenderAddress": "punchcard@example.com",
    "Provider": "sandbox",
}
MAP = load(PARAMETERS)

OPEN_TO_ALL = ("/sign-in", "/shop")
"""Pages that anybody gets; others may send a stranger to sign in."""


@dataclass(frozen=True)
class Artefact:
    app: Path
    sources: Path
    """Our own code as it was when the artefact was built."""
    runtime: Path
    """The runtime interface client, which Lambda brings itself."""
    interpreter: Path
    size_bytes: int


def _version() -> str:
    """The runtime's own version where this machine has it, else the one that runs the tests."""
    if build.find_interpreter(build.RUNTIME_PYTHON) is not None:
        return build.RUNTIME_PYTHON
    return running_version()


def _locked(names: tuple[str, ...]) -> str:
    """Those packages' part of the lock for tests."""
    lock = (build.CHECKOUT / "requirements" / "test.lock").read_text()
    blocks = re.findall(r"^\S.*(?:\n .*)*", lock, flags=re.MULTILINE)
    kept = [block for block in blocks if block.split("==")[0] in names]
    assert len(kept) == len(names)
    return "\n".join(kept) + "\n"


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    version, arch = _version(), build.Arch.of_this_machine()
    # Outside the checkout, so that nothing of it can be found from there.
    directory = tmp_path_factory.mktemp("artefact")
    sources = directory / "sources"
    for part in build.OURS:
        leave_out = shutil.ignore_patterns("__pycache__")
        shutil.copytree(build.CHECKOUT / part, sources / part, ignore=leave_out)
    built = build.build(directory / "app", arch=arch, python=version, checkout=sources)
    assert built.compiler is not None
    lock = directory / "runtime.lock"
    lock.write_text(_locked(RUNTIME_CLIENT))
    subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps"),
            *("--target", directory / "runtime", "--python-version", version),
            *("--python-platform", arch.wheel_platform),
            *("--only-binary", ":all:", "--require-hashes", "-r", lock),
        ],
        check=True,
    )
    return Artefact(built.path, sources, directory / "runtime", built.compiler, built.size_bytes)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """AWS for the started functions: the same world that `make run` serves, over HTTP."""
    demo = importlib.import_module("infra.local.demo")
    with LocalWorld(start=demo.begins(NOW), parameters=PARAMETERS) as world:
        demo.load(world, NOW)
        with aws_over_http(switchboard._services) as address:
            yield address


def http_events(function: Function) -> list[tuple[str, dict[str, Any]]]:
    """A reading request of each route of the function, as a stranger's browser sends it."""
    routes = Routes(MAP.routes)
    events = []
    for route in MAP.routes:
        if route.function.name != function.name:
            continue
        method = "POST" if route.method == "POST" else "GET"
        path = re.sub(r"\{\w+\}", "sandbox", route.path)
        headers = [("Host", "127.0.0.1:8000"), ("Accept", "text/html"), ("User-Agent", "test")]
        request = Request(method, path, headers)
        match = routes.find(method, path)
        assert match is not None
        if match.function.name == function.name:
            events.append((path, event_of(request, match, NOW, "first")))
    return events


def bus_event(detail_type: str) -> dict[str, Any]:
    """An event of the bus in which nothing is due."""
    return {
        "version": "0",
        "id": "first",
        "detail-type": detail_type,
        "source": "punchcard",
        "account": ACCOUNT_ID,
        "time": "2026-01-05T15:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": {"due": [], "parts": []},
    }


def quiet_events(function: Function) -> list[dict[str, Any]]:
    """What the bus and the clock send the function, with nothing to do."""
    events = [
        bus_event(rule.pattern["detail-type"][0])
        for rule in MAP.rules
        if rule.function.name == function.name
    ]
    if any(schedule.function.name == function.name for schedule in MAP.schedules):
        events.append(lambdas.schedule_event("2026-01-05T15:00:00Z"))
    return events


def start(
    artefact: Artefact, endpoint: str, function: Function, event: dict[str, Any], scratch: Path
) -> Outcome:
    return invoke(
        artefact.interpreter,
        app=artefact.app,
        runtime=artefact.runtime,
        handler=function.handler,
        environment={
            **function.environment,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        },
        event=event,
        scratch=scratch,
    )


@pytest.mark.parametrize("function", MAP.functions, ids=lambda function: function.handler)
def test_every_function_of_the_template_answers_an_event_from_the_artefact_alone(
    artefact: Artefact, endpoint: str, function: Function, tmp_path: Path
) -> None:
    pages = http_events(function)
    events = [*pages[:1], *(("", event) for event in quiet_events(function))]
    open_pages = [page for page in pages if page[0] in OPEN_TO_ALL]
    assert events, f"nothing in the template starts {function.name}"
    for number, (path, event) in enumerate(open_pages or events):
        scratch = tmp_path / str(number)
        scratch.mkdir()
        outcome = start(artefact, endpoint, function, event, scratch)
        assert outcome.error is None, outcome.said
        nothing_else = {str(artefact.app), str(artefact.runtime)}
        nothing_else |= set(standard_library(artefact.interpreter))
        assert set(outcome.import_path) == nothing_else
        if path:
            assert isinstance(outcome.response, dict), outcome.said
            status = outcome.response["statusCode"]
            assert status == 200 if path in OPEN_TO_ALL else status < 500, outcome.response


def test_nothing_but_functions_shared_and_locked_packages_is_in_the_artefact(
    artefact: Artefact,
) -> None:
    names = {path.name for path in artefact.app.iterdir()}
    lock = (build.CHECKOUT / "requirements" / "deployed.lock").read_text()
    locked = {
        f"{name.replace('-', '_')}-{version}.dist-info"
        for name, version in re.findall(r"^([a-z0-9-]+)==([^\s;]+)", lock, flags=re.MULTILINE)
        if name.replace("-", "_") not in build.NOT_SHIPPED
    }
    assert {name for name in names if name.endswith(".dist-info")} == locked
    assert set(build.OURS) <= names
    assert names.isdisjoint({"infra", "tests", "moto", "pytest", "mypy", "bin", "docs"})
    assert names.isdisjoint(build.NOT_SHIPPED)


def test_every_file_of_ours_is_in_the_artefact_templates_and_styles_too(artefact: Artefact) -> None:
    for path in artefact.sources.rglob("*"):
        if path.is_file():
            shipped = artefact.app / path.relative_to(artefact.sources)
            assert shipped.read_bytes() == path.read_bytes()


def test_all_code_comes_with_bytecode_that_is_never_compared_with_its_source(
    artefact: Artefact,
) -> None:
    tag = f"cpython-{_version().replace('.', '')}"
    for source in artefact.app.rglob("*.py"):
        compiled = source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
        flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
        assert flags == 0b01, f"{compiled}: not an unchecked hash"
    assert {path.suffixes[0] for path in artefact.app.rglob("*.pyc")} == {f".{tag}"}


def size_bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def test_the_artefact_is_small(artefact: Artefact, tmp_path: Path) -> None:
    assert artefact.size_bytes == size_bytes(artefact.app)
    assert artefact.size_bytes <= MAX_UNZIPPED_BYTES_WITH_PROVIDERS
    place.place(artefact.app, tmp_path / "app", leave_out=build.FOR_PROVIDERS)
    assert size_bytes(tmp_path / "app") <= MAX_UNZIPPED_BYTES


LOADS_ALL = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
for handler in sys.argv[2:]:
    module, _, name = handler.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))
"""


def test_a_function_starts_from_bytecode_on_a_disk_that_it_can_not_write(
    artefact: Artefact, tmp_path: Path
) -> None:
    """Whoever read a source here would fail, and whoever wrote anything would be seen."""
    app = tmp_path / "app"
    shutil.copytree(artefact.app, app)
    for source in app.rglob("*.py"):
        source.write_text("raise AssertionError('a source was read')\n")
    before = {path: path.stat().st_mtime_ns for path in app.rglob("*")}
    for path in before:
        path.chmod(0o555 if path.is_dir() else 0o444)
    handlers = [function.handler for function in MAP.functions]
    ran = subprocess.run(
        [artefact.interpreter, "-I", "-S", "-c", LOADS_ALL, app, *handlers],
        env={**MAP.environment, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION},
        capture_output=True,
        text=True,
        check=False,
    )
    for path in before:
        path.chmod(0o755)  # so that the directory can be taken away
    assert ran.returncode == 0, ran.stderr
    assert {path: path.stat().st_mtime_ns for path in app.rglob("*")} == before


COMPILES = """
import importlib, json, marshal, re, sys
sys.path.insert(0, sys.argv[1])
parsed, compiled = [], []
parser, otherwise = re._compiler._parser, re._compiler.compile
parse = parser.parse
parser.parse = lambda text, *more: parsed.append(str(text)) or parse(text, *more)
def hear(name, told):
    if name == "compile" and told[0]:
        compiled.append(str(told[0]))
sys.addaudithook(hear)
for module in sys.argv[2:]:
    importlib.import_module(module)
done = [list(parsed), list(compiled)]
from shared import ahead
with open(ahead.FILE, "rb") as file:
    _, _, patterns = marshal.loads(file.read())
differ = [str(one) for one in patterns if re._compiler.compile(*one) != otherwise(*one)]
print(json.dumps([*done, differ, len(patterns)]))
"""


def test_functions_compile_next_to_nothing_when_they_start(artefact: Artefact) -> None:
    """Patterns and sources are looked up, and are what Python makes of them."""
    quick = [one.handler for one in MAP.functions if ".console." not in one.handler]
    ran = subprocess.run(
        [
            *(artefact.interpreter, "-I", "-S", "-c", COMPILES, artefact.app),
            *(handler.rpartition(".")[0] for handler in quick),
        ],
        env={**MAP.environment, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    parsed, compiled, differ, patterns = json.loads(ran.stdout)
    assert len(parsed) <= MAX_PARSED_AT_START < patterns, parsed
    assert len(compiled) <= MAX_COMPILED_AT_START, compiled
    assert differ == []


def test_for_either_architecture_all_is_the_same_but_compiled_extensions(
    artefact: Artefact, tmp_path: Path
) -> None:
    other = next(arch for arch in build.Arch if arch is not build.Arch.of_this_machine())
    there = build.build(
        tmp_path / "app", arch=other, python=_version(), checkout=artefact.sources
    ).path

    def shared_by_all(app: Path) -> dict[str, bytes]:
        files = {path.relative_to(app).as_posix(): path for path in app.rglob("*")}
        return {
            name: path.read_bytes()
            for name, path in files.items()
            if path.is_file() and path.suffix != ".so"
        }

    def extensions(app: Path) -> set[str]:
        paths = (path.relative_to(app) for path in app.rglob("*.so"))
        return {(path.parent / path.name.partition(".")[0]).as_posix() for path in paths}

    assert shared_by_all(there) == shared_by_all(artefact.app)
    assert extensions(there) == extensions(artefact.app)


def test_of_aws_only_what_the_code_calls_is_described(artefact: Artefact) -> None:
    data = artefact.app / "botocore" / "data"
    kept = {path.name for path in data.iterdir() if path.is_dir()}
    assert kept == set(aws_data.KEPT_CALLS)
    for service, calls in aws_data.KEPT_CALLS.items():
        (version,) = (data / service).iterdir()
        assert {path.name for path in version.iterdir()} == set(aws_data.READ_FOR_A_CLIENT)
        model = json.loads((version / "service-2.json").read_text())
        assert set(model["operations"]) == calls


CALLS_STRIPE = """
import json, sys
from datetime import UTC, datetime
sys.path[:0] = [sys.argv[1]]
from shared.domain.money import Money
from shared.providers import adapters
from shared.providers.errors import ProviderUnavailable
from shared.providers.port import ChargeRequest

paid = {"id": "pi_1", "object": "payment_intent", "status": "succeeded"}
paid["metadata"] = {"attempt_id": "a"}
lists = {"object": "list", "data": [], "has_more": False}
account = {"id": "acct_1", "object": "account", "country": "US"}
taken = {"object": "country_spec", "supported_payment_currencies": ["usd"]}

def answer(method, path, headers, body):
    of = {"charges": lists, "refunds": lists, "account": account, "country_specs": taken}
    return 200, json.dumps(of.get(path.split("/")[2].partition("?")[0], paid)).encode()

settings = {"key": "sk_test_1", "webhook_secrets": ["w"]}
provider = adapters.make("stripe", settings, lambda: datetime(2026, 1, 31, tzinfo=UTC), answer)
amount = Money(minor=4_900, currency="USD")
result = provider.charge(
    ChargeRequest(
        charge_ref="c", attempt_id="a", amount=amount, provider_customer="cus_1",
        card_token="pm_1", description="Ten classes", return_url="https://shop.example",
    )
)
asked = dict(provider_charge_id="pi_1", idempotency_key="r")
told = [result.outcome, provider.refund(amount=amount, **asked)]
told += [provider.cancel_charge(**asked).outcome, provider.check_setup(["USD"]).problems]
told += [provider.list_charges(provider_customer="cus_1", since=None)]
for ask in (
    lambda: provider.fetch_card_setup("cs_1"),
    lambda: provider.fetch_card("pm_1"),
    lambda: provider.remove_card(provider_customer="cus_1", card_token="pm_1"),
    lambda: provider.start_card_setup(
        reference="r", email="e@example.com", provider_customer="cus_1",
        return_url="https://shop.example", idempotency_key="k",
    ),
):
    try:
        ask()
    except ProviderUnavailable:
        pass
origin = sys.modules["stripe"].__file__
print(json.dumps([list(map(str, told)), origin, "requests" in sys.modules]))
"""
"""Every call of the adapter, before a Stripe that answers at once."""


def test_stripes_package_works_in_the_artefact_without_what_was_left_out_of_it(
    artefact: Artefact,
) -> None:
    ran = subprocess.run(
        [artefact.interpreter, "-I", "-S", "-c", CALLS_STRIPE, artefact.app],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told, origin, with_requests = json.loads(ran.stdout)
    assert told == ["succeeded", "unknown", "succeeded", "()", "[]"]
    assert Path(origin).is_relative_to(artefact.app)
    assert not with_requests


def test_the_build_is_for_what_the_template_runs() -> None:
    template = TEMPLATE.read_text()
    assert re.findall(r"Runtime: python(\S+)", template) == [build.RUNTIME_PYTHON]
    assert re.findall(r"Architectures: \[(\w+)\]", template) == [build.Arch.ARM64]
    assert re.findall(r"CodeUri: (\S+)", template) == ["infra/sam/"]


def test_building_twice_gives_the_same_files(artefact: Artefact, tmp_path: Path) -> None:
    again = build.build(
        tmp_path / "app",
        arch=build.Arch.of_this_machine(),
        python=_version(),
        checkout=artefact.sources,
    )
    paths = sorted(path.relative_to(artefact.app) for path in artefact.app.rglob("*"))
    assert sorted(path.relative_to(again.path) for path in again.path.rglob("*")) == paths
    for path in paths:
        if (artefact.app / path).is_file():
            assert (again.path / path).read_bytes() == (artefact.app / path).read_bytes()
            assert (again.path / path).stat().st_mtime == build.FIXED_TIME
