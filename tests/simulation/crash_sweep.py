"""Every call that an operation makes, times everything that can go wrong with it.

    python -m tests.simulation.crash_sweep --engine dynamodb --doubles 40

Nothing is listed by hand but the operations: their calls are found by recording them. The last
line counts; the exit status is 1 when anything was wrong.
"""

import argparse
import gc
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from multiprocessing import get_context

from infra.local.banks import NAMES, SANDBOX
from infra.local.dynamodb_local import DynamoDBLocal
from tests import banking
from tests.shop_floor import template
from tests.simulation.crash_buying import BUYING
from tests.simulation.crash_desk import DESK
from tests.simulation.crash_line import Fault, Seen, Strike
from tests.simulation.crash_lost import LOST
from tests.simulation.crash_paid_places import PAID_PLACES
from tests.simulation.crash_places import PLACES
from tests.simulation.crash_recurring import RECURRING
from tests.simulation.crash_renewing import RENEWING
from tests.simulation.crash_reversing import REVERSING
from tests.simulation.crash_runs import Operation, Run, carry_out, record
from tests.simulation.crash_scene import Crashed, NoAnswer, Scene, Stage, apart, quietly, scene

OPERATIONS: tuple[Operation, ...] = (
    *BUYING,
    *LOST,
    *RENEWING,
    *DESK,
    *PLACES,
    *PAID_PLACES,
    *REVERSING,
    *RECURRING,
)

SEED = 20_260_131
DOUBLES = int(os.environ.get("CRASH_DOUBLES", "40"))
MAX_PROBLEMS_SHOWN = 6


@dataclass(frozen=True)
class Failure:
    """A run that did not come to its end: `strikes` repeat it."""

    operation: str
    strikes: tuple[Strike, ...]
    problems: tuple[str, ...]

    def __str__(self) -> str:
        where = " and ".join(f"call {one.at} ({one.name}) {one.fault}" for one in self.strikes)
        shown = "".join(f"\n    {one}" for one in self.problems[:MAX_PROBLEMS_SHOWN])
        return f"{self.operation}: {where or 'nothing gone wrong'}{shown}"


@dataclass
class Result:
    """What was swept. `calls` were recorded, `faults` injected, each in a run of its own."""

    operations: int = 0
    calls: int = 0
    runs: int = 0
    faults: int = 0
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: "Result") -> None:
        self.operations += other.operations
        self.calls += other.calls
        self.runs += other.runs
        self.faults += other.faults
        self.failures += other.failures

    def __str__(self) -> str:
        return (
            f"operations {self.operations}, calls recorded {self.calls}, runs {self.runs}, "
            f"faults injected {self.faults}, violations {len(self.failures)}"
        )


def singles(calls: Sequence[Seen]) -> list[tuple[Strike, ...]]:
    """Each call with each of its faults. Dying before a call that follows a write of the same run
    is dying after that write, and is tried once."""
    found: list[tuple[Strike, ...]] = []
    for at, call in enumerate(calls):
        before = calls[at - 1] if at else None
        just_wrote = (
            before is not None
            and before.invocation == call.invocation
            and Fault.DIES_AFTER in before.faults
        )
        found += [
            (Strike(at, fault, call.name),)
            for fault in call.faults
            if not (just_wrote and fault is Fault.DIES_BEFORE)
        ]
    return found


def doubles(calls: Sequence[Seen], count: int, rng: random.Random) -> list[tuple[Strike, ...]]:
    """Two at once. What the second one hits is what the first one has led to."""
    found: list[tuple[Strike, ...]] = []
    for _ in range(count):
        first, second = sorted(rng.sample(range(len(calls) + 4), 2))
        first = min(first, len(calls) - 1)
        faults = [fault for call in calls for fault in call.faults]
        found.append(
            (
                Strike(first, rng.choice(calls[first].faults), calls[first].name),
                Strike(second, rng.choice(faults)),
            )
        )
    return found


def sweep_one(
    operation: Operation,
    *,
    stage: Stage | None = None,
    share: float = 1.0,
    double_faults: int = 0,
    seed: int = SEED,
    provider: str = SANDBOX,
    struck: str = "",
    stop_at_first: bool = False,
    spoil: Callable[[Scene], None] = lambda _: None,
) -> Result:
    """All single faults of an operation, or a `share` of them drawn by `seed`, and so many double
    ones. Only calls whose name begins with `struck` go wrong by themselves. `spoil` takes
    something away that protects: for tests of the sweep itself."""
    warm_up()
    result = Result(operations=1)
    rng = random.Random(f"{seed} {operation.name}")
    with quietly(), scene(operation.start, seed, provider, **operation.settings) as found:
        operation.arrange(found)
        spoil(found)
        gc.collect()
        gc.freeze()
        try:
            drawn = (share, double_faults, struck)
            _sweep(found, operation, stage, drawn, rng, stop_at_first, result)
        finally:
            gc.unfreeze()
    return result


def _sweep(
    found: Scene,
    operation: Operation,
    stage: Stage | None,
    asked: tuple[float, int, str],
    rng: random.Random,
    stop_at_first: bool,
    result: Result,
) -> None:
    try:
        calls = apart(lambda: record(found, operation, stage))
    except (Crashed, NoAnswer) as error:
        result.failures.append(Failure(operation.name, (), (str(error),)))
        return
    result.calls = len(calls)
    share, double_faults, struck = asked
    every = [one for one in singles(calls) if (one[0].name or "").startswith(struck)]
    if not every:
        problem = "it calls nobody: nothing could go wrong"
        result.failures.append(Failure(operation.name, (), (problem,)))
        return
    drawn = every if share >= 1 else rng.sample(every, max(1, round(len(every) * share)))
    for strikes in [*drawn, *doubles(calls, double_faults, rng)]:
        failure = _run(found, operation, strikes, stage, result)
        if failure is not None:
            result.failures.append(failure)
            if stop_at_first:
                return


def _run(
    found: Scene,
    operation: Operation,
    strikes: tuple[Strike, ...],
    stage: Stage | None,
    result: Result,
) -> Failure | None:
    try:
        run = apart(lambda: carry_out(found, operation, strikes, stage))
    except (Crashed, NoAnswer) as error:
        run = Run((), 0, (str(error),))
    result.runs += 1
    result.faults += run.struck
    problems = run.problems
    if not run.struck:
        problems = (*problems, "the call was not made again: nothing went wrong")
    return Failure(operation.name, strikes, problems) if problems else None


@contextmanager
def on_engine(name: str, process: DynamoDBLocal | None = None) -> Iterator[Stage | None]:
    """`embedded`: None. `dynamodb`: tables on Amazon's own engine, in `process` or one of its
    own."""
    if name == "embedded":
        yield None
        return
    with ExitStack() as open_until_the_end:
        started = process or open_until_the_end.enter_context(DynamoDBLocal())
        stage = Stage(started)
        open_until_the_end.callback(stage.close)
        yield stage


@cache
def warm_up() -> None:
    """What every process does once is done before it is copied: handlers are imported, templates
    read. So all copies also run the same code, whatever is edited meanwhile."""
    for function in template().functions:
        import_module(function.handler.rpartition(".")[0])
    with quietly():
        for operation in (BUYING[0], RENEWING[0], DESK[0]):
            with scene(operation.start, SEED, **operation.settings) as found:
                operation.arrange(found)
                carry_out(found, operation, (), None)


def played_at(provider: str, operations: Sequence[Operation] = OPERATIONS) -> tuple[Operation, ...]:
    """Those of `operations` that the provider can do."""
    lacks = banking.LACKS[provider]
    return tuple(one for one in operations if not one.needs & lacks and one.lacking <= lacks)


def sweep(
    operations: Sequence[Operation] = OPERATIONS,
    *,
    provider: str = SANDBOX,
    engine: str = "embedded",
    share: float = 1.0,
    double_faults: int = 0,
    seed: int = SEED,
    stop_at_first: bool = False,
    jobs: int = 1,
    told: Callable[[str], None] = lambda _: None,
) -> Result:
    """Sweep `operations` with everybody paying at `provider`, `jobs` at a time. `double_faults` are
    shared out among them. `told` hears of each operation that is done, with its failures."""
    warm_up()
    whole = Result()
    with ExitStack() as open_until_the_end:
        process = None
        if engine == "dynamodb":
            process = open_until_the_end.enter_context(DynamoDBLocal())

        def one(operation: Operation, double_faults: int) -> Told:
            began = time.monotonic()
            with on_engine(engine, process) as stage:
                result = sweep_one(
                    operation,
                    stage=stage,
                    share=share,
                    double_faults=double_faults,
                    seed=seed,
                    provider=provider,
                    stop_at_first=stop_at_first,
                )
            failures = "".join(f"{failure}\n" for failure in result.failures)
            spent = f"{time.monotonic() - began:.0f} s"
            return f"{failures}{operation.name}: {result}, {spent}", result

        shares = zip(operations, parts(double_faults, len(operations)), strict=True)
        work = [partial(one, operation, part) for operation, part in shares]
        for line, result in open_until_the_end.enter_context(_done(work, jobs)):
            told(line)
            whole.add(result)
            if stop_at_first and whole.failures:
                break
    return whole


def parts(whole: int, count: int) -> list[int]:
    """`whole` in `count` parts that differ by at most one."""
    each, rest = divmod(whole, count)
    return [each + (at < rest) for at in range(count)]


Told = tuple[str, Result]
_work: list[Callable[[], Told]] = []
"""What copies of this process carry out, by its place: it can't be sent to them."""


def _carry_out(at: int) -> Told:
    return _work[at]()


@contextmanager
def _done(work: Sequence[Callable[[], Told]], jobs: int) -> Iterator[Iterator[Told]]:
    """What each piece of work came to, as it comes."""
    if jobs == 1:
        yield (one() for one in work)
        return
    _work[:] = work
    with get_context("fork").Pool(jobs) as pool:
        yield pool.imap_unordered(_carry_out, range(len(work)))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=("embedded", "dynamodb"), default="dynamodb")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--doubles", type=int, default=DOUBLES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="", help="operations whose name contains this")
    parser.add_argument("--jobs", type=int, default=1, help="operations at the same time")
    parser.add_argument("--stop", action="store_true", help="stop at the first violation")
    parser.add_argument("--provider", choices=NAMES, default=SANDBOX)
    asked = parser.parse_args(arguments)
    chosen = [one for one in OPERATIONS if asked.only in one.name]
    played = played_at(asked.provider, chosen)
    if banking.LACKS[asked.provider]:
        print(banking.not_played(asked.provider))
        print("left out:", ", ".join(one.name for one in chosen if one not in played) or "nothing")
    result = sweep(
        played,
        provider=asked.provider,
        engine=asked.engine,
        share=asked.share,
        double_faults=asked.doubles,
        seed=asked.seed,
        stop_at_first=asked.stop,
        jobs=asked.jobs,
        told=lambda line: print(line, flush=True),
    )
    print(result)
    return 1 if result.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
