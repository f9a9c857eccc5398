"""How much CPU a function's start and first answer cost, against plain boto3's:
`python -m bench.cold_start [--repeats 27] [--only portal.sign_in] [--profile portal.sign_in]`.

Each start is a process of its own, with the interpreter of the runtime's version, the built
artefact and nothing else; it imports the handler and answers one event, as Lambda's runtime does.
Beside it, in turn, runs the floor: `import boto3; boto3.client("dynamodb")` and as many queries as
the function made calls to AWS, with boto3 as its users install it and bytecode compiled in the same
way. AWS and the provider answer on loopback, from another process. What counts is CPU time, of all
threads, from the process's beginning to its answer; never the clock on the wall.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.first_events import First, first_events, open_business
from bench.import_profile import profile
from bench.loopback import Answered, Loopback, Tape, loopback
from infra import build
from infra.local.serve import WithoutMetrics
from infra.local.surroundings import CREDENTIALS

REPEATS = 27
PROFILED = 5
"""How often a function is started for a profile."""

START_TIMEOUT_SECONDS = 120
PLACE = build.CHECKOUT / "build" / "bench"
FLOOR_PACKAGES = frozenset(
    {"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"}
)
"""What `pip install boto3` brings."""

HOW = (
    "CPU (least of the repeats) of starting the built function and answering its first request or"
    " event ÷ that of `import boto3; boto3.client('dynamodb')` and as many queries; median and"
    " spread (from the first to the third quartile) are of the repeats' own ratios"
)

FUNCTION = """
import sys, time
app, handler, event, answered = sys.argv[1:]
sys.path.insert(0, app)
import importlib, json
module, _, name = handler.rpartition(".")
handler = getattr(importlib.import_module(module), name)
imported = time.process_time_ns()
with open(event) as file:
    event = json.load(file)
answer = handler(event, None)
both = time.process_time_ns()
with open(answered, "w") as file:
    json.dump({"imported": imported, "answered": both, "answer": answer}, file)
"""

FLOOR = """
import sys, time
app, table, queries, answered = sys.argv[1:]
sys.path.insert(0, app)
import importlib, json
import boto3
client = boto3.client("dynamodb")
imported = time.process_time_ns()
for _ in range(int(queries)):
    client.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "catalogue"}},
    )
both = time.process_time_ns()
with open(answered, "w") as file:
    json.dump({"imported": imported, "answered": both, "answer": None}, file)
"""


class Failed(Exception):
    """A function did not answer what it should have; its own words say why."""


@dataclass(frozen=True)
class Spent:
    """CPU seconds of one process: until the handler was there, and until it had answered."""

    imported: float
    answered: float
    answer: Any
    said: str


@dataclass
class Measured:
    """One function's repeats, and those of the floor beside it."""

    name: str
    calls: int
    function: list[Spent] = field(default_factory=list)
    floor: list[Spent] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return min(s.answered for s in self.function) / min(s.answered for s in self.floor)

    @property
    def ratios(self) -> list[float]:
        return [
            one.answered / floor.answered
            for one, floor in zip(self.function, self.floor, strict=True)
        ]

    @property
    def first_share(self) -> float:
        """How much of the function's least CPU was spent after it was imported."""
        least = min(self.function, key=lambda spent: spent.answered)
        return 1 - least.imported / least.answered

    def figure(self) -> dict[str, Any]:
        first, _, third = quantiles(self.ratios, n=4) if len(self.ratios) > 1 else [0.0] * 3
        return {
            "min": round(self.ratio, 3),
            "median": round(median(self.ratios), 3),
            "spread": round(third - first, 3),
            "how": HOW,
        }


@dataclass(frozen=True)
class Bench:
    """What is started, and with what."""

    interpreter: Path
    app: Path
    floor: Path
    loopback: Loopback
    scratch: Path

    def start(self, first: First, *options: str) -> Spent:
        """Start the function and give it its first event."""
        event = self.scratch / "event.json"
        event.write_text(json.dumps(first.event()))
        arguments = [FUNCTION, self.app, first.function.handler, event]
        return self._run(arguments, first.function.environment, options)

    def start_floor(self, environment: Mapping[str, str], queries: int) -> Spent:
        arguments = [FLOOR, self.floor, environment["CATALOGUE_TABLE"], str(queries)]
        return self._run(arguments, environment, ())

    def _run(
        self, arguments: list[Any], environment: Mapping[str, str], options: Iterable[str]
    ) -> Spent:
        answered = self.scratch / "answered.json"
        answered.unlink(missing_ok=True)
        said = self.scratch / "said.txt"
        with said.open("wb") as output:
            subprocess.run(
                [self.interpreter, "-I", "-S", "-B", *options, "-c", *arguments, answered],
                env={
                    **environment,
                    **CREDENTIALS,
                    "AWS_ENDPOINT_URL": self.loopback.address,
                    "AWS_LAMBDA_FUNCTION_NAME": "first",
                    "TZ": ":UTC",
                },
                cwd=self.scratch,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=START_TIMEOUT_SECONDS,
            )
        words = said.read_text(errors="replace")
        if not answered.exists():
            raise Failed(words)
        found = json.loads(answered.read_text())
        return Spent(found["imported"] / 1e9, found["answered"] / 1e9, found["answer"], words)


def _check(first: First, spent: Spent, tape: Tape) -> None:
    """A first answer that is not a good one is no measure of anything."""
    if tape.unexpected:
        raise Failed(f"{first.name} asked for what it did not ask before: {tape.unexpected}")
    answer = spent.answer
    if isinstance(answer, dict) and answer.get("statusCode", 200) not in (200, 303):
        raise Failed(f"{first.name} answered {answer}")
    if isinstance(answer, dict) and "nothing_due" in answer:
        raise Failed(f"{first.name} found nothing to do: {spent.said}")


def build_floor(into: Path, *, arch: build.Arch, python: str, compiler: Path) -> None:
    """Put at `into` what `pip install boto3` would, by our lock, with its bytecode."""
    lock = build.CHECKOUT.joinpath("requirements", "local.lock").read_text()
    blocks = re.findall(r"^\S.*(?:\n .*)*", lock, flags=re.MULTILINE)
    wanted = [block for block in blocks if block.split("==")[0] in FLOOR_PACKAGES]
    into.mkdir(parents=True, exist_ok=True)
    narrowed = into.with_suffix(".lock")
    narrowed.write_text("\n".join(wanted) + "\n")
    build.install(into, narrowed, arch=arch, python=python)
    build.compile_all(into, compiler)


@dataclass(frozen=True)
class Taped:
    """A function's first event, and the calls that it makes to answer it."""

    first: First
    tape: Tape

    @property
    def calls(self) -> int:
        """How many of them go to AWS."""
        return sum(call.is_of_aws for call in self.tape.calls)


@dataclass(frozen=True)
class Taping:
    """Everything that is measured, answered once from the world."""

    bench: Bench
    taped: tuple[Taped, ...]
    query: Answered
    """What the floor's query is answered."""

    def start(self, taped: Taped, *options: str) -> Spent:
        """Start the function once more, on the answers that it got before."""
        with self.bench.loopback.play(taped.tape):
            spent = self.bench.start(taped.first, *options)
        _check(taped.first, spent, taped.tape)
        return spent

    def start_floor(self, taped: Taped) -> Spent:
        """The floor with as many queries."""
        with self.bench.loopback.play(Tape([self.query] * taped.calls)):
            return self.bench.start_floor(taped.first.function.environment, taped.calls)


@contextmanager
def _hushed() -> Iterator[None]:
    """The functions that run here, while the demo is played, say nothing of it."""
    os.environ.setdefault("POWERTOOLS_LOG_LEVEL", "CRITICAL")
    with redirect_stdout(WithoutMetrics(sys.stdout)):
        yield


@contextmanager
def taping(*, only: str = "", app: Path | None = None) -> Iterator[Taping]:
    """Build what is started (unless there is an `app`), and answer each first event once. `only`
    names figures by their beginning; the others are answered all the same, since some do what
    others then find to do. Raises `Failed` when one does not answer as it should."""
    interpreter = build.find_interpreter(build.RUNTIME_PYTHON)
    if interpreter is None:
        raise Failed(f"there is no Python {build.RUNTIME_PYTHON} here to start functions with")
    arch = build.Arch.of_this_machine()
    if app is None:
        app = PLACE / "app"
        build.build(app, arch=arch, python=build.RUNTIME_PYTHON)
    floor = PLACE / "boto3"
    build_floor(floor, arch=arch, python=build.RUNTIME_PYTHON, compiler=interpreter)
    with tempfile.TemporaryDirectory() as scratch, loopback() as around:
        bench = Bench(interpreter, app, floor, around, Path(scratch))
        with _hushed(), open_business(around.address) as world:
            around.world = world
            taped = []
            for first in first_events(world):
                with around.live() as tape:
                    spent = bench.start(first)
                _check(first, spent, tape)
                taped.append(Taped(first, tape))
            with around.live() as tape:
                bench.start_floor(world.template.environment, 1)
            wanted = tuple(one for one in taped if one.first.name.startswith(only))
            yield Taping(bench, wanted, tape.calls[0])


def measure(taking: Taping, repeats: int = REPEATS) -> list[Measured]:
    """Start everything `repeats` times, each function in turn with the floor."""
    found = [Measured(one.first.name, one.calls) for one in taking.taped]
    for _ in range(repeats):
        for taped, measured in zip(taking.taped, found, strict=True):
            measured.function.append(taking.start(taped))
            measured.floor.append(taking.start_floor(taped))
    return found


def figures(repeats: int = REPEATS) -> dict[str, dict[str, Any]]:
    """The figures `cold_start.<function>`, for `build/bench.json`."""
    with taping() as taken:
        return {f"cold_start.{one.name}": one.figure() for one in measure(taken, repeats)}


def table(found: Iterable[Measured]) -> str:
    """For people: ratio, median, spread, milliseconds, and what the first answer took of them."""
    lines = [
        f"{'':24}{'ratio':>7}{'median':>8}{'spread':>8}{'ms':>7}{'floor':>7}{'first':>7}  calls"
    ]
    for one in found:
        figure = one.figure()
        least, floor = (min(s.answered for s in side) for side in (one.function, one.floor))
        lines.append(
            f"{one.name:24}{figure['min']:7.2f}{figure['median']:8.2f}{figure['spread']:8.2f}"
            f"{least * 1000:7.0f}{floor * 1000:7.0f}{one.first_share:7.0%}{one.calls:7}"
        )
    return "\n".join(lines)


def main() -> None:
    """The command: measure and print, or show where one function's start goes."""
    parser = argparse.ArgumentParser(prog="python -m bench.cold_start", description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--only", default="", metavar="NAME", help="figures that begin so")
    parser.add_argument("--profile", default="", metavar="NAME", help="where its start goes")
    parser.add_argument("--app", type=Path, metavar="DIRECTORY", help="an artefact built before")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    asked = parser.parse_args()
    app = asked.app.resolve() if asked.app else None
    profiles: list[str] = []
    with taping(only=asked.profile or asked.only, app=app) as taken:
        if asked.profile:
            for taped in taken.taped:
                called = ", ".join(call.name for call in taped.tape.calls)
                runs = [taken.start(taped, "-X", "importtime").said for _ in range(PROFILED)]
                profiles += [f"{taped.first.name}: {called}", profile(runs)]
        else:
            found = measure(taken, asked.repeats)
    if profiles:
        print("\n".join(profiles))
        return
    print(table(found))
    if asked.json:
        content = {f"cold_start.{one.name}": one.figure() for one in found}
        asked.json.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
