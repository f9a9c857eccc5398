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

from infra.local.dynamodb_local import DynamoDBLocal
from tests.simulation.crash_buying import BUYING
from tests.simulation.crash_desk import DESK
from tests.simulation.crash_line import Seen, Strike
from tests.simulation.crash_renewing import RENEWING
from tests.simulation.crash_runs import Operation, Run, carry_out, record
from tests.simulation.crash_scene import Crashed, NoAnswer, Scene, Stage, apart, quietly, scene

OPERATIONS: tuple[Operation, ...] = (*BUYING, *RENEWING, *DESK)

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

    def __str__(self) -> str:
        return (
            f"operations {self.operations}, calls recorded {self.calls}, runs {self.runs}, "
            f"faults injected {self.faults}, violations {len(self.failures)}"
        )


def singles(calls: Sequence[Seen]) -> list[tuple[Strike, ...]]:
    """Each call with each of its faults."""
    return [
        (Strike(at, fault, call.name),) for at, call in enumerate(calls) for fault in call.faults
    ]


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
    stop_at_first: bool = False,
    spoil: Callable[[Scene], None] = lambda _: None,
) -> Result:
    """All single faults of an operation, or a `share` of them drawn by `seed`, and so many double
    ones. `spoil` takes something away that protects: for tests of the sweep itself."""
    result = Result(operations=1)
    rng = random.Random(f"{seed} {operation.name}")
    with quietly(), scene(operation.start, seed, **operation.settings) as found:
        operation.arrange(found)
        spoil(found)
        gc.collect()
        gc.freeze()
        try:
            _sweep(found, operation, stage, share, double_faults, rng, stop_at_first, result)
        finally:
            gc.unfreeze()
    return result


def _sweep(
    found: Scene,
    operation: Operation,
    stage: Stage | None,
    share: float,
    double_faults: int,
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
    every = singles(calls)
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


def warm_up(operations: Sequence[Operation]) -> None:
    """What every process does once is done before it is copied."""
    with quietly():
        for operation in operations:
            with scene(operation.start, SEED, **operation.settings) as found:
                operation.arrange(found)
                carry_out(found, operation, (), None)


def sweep(
    operations: Sequence[Operation] = OPERATIONS,
    *,
    engine: str = "embedded",
    share: float = 1.0,
    double_faults: int = 0,
    seed: int = SEED,
    stop_at_first: bool = False,
    told: Callable[[str], None] = lambda _: None,
) -> Result:
    """Sweep `operations` one after the other. `double_faults` are shared out among them. `told`
    hears of every failure, and of each operation that is done."""
    whole = Result()
    each, rest = divmod(double_faults, len(operations))
    warm_up(operations[:1])
    with on_engine(engine) as stage:
        for at, operation in enumerate(operations):
            began = time.monotonic()
            one = sweep_one(
                operation,
                stage=stage,
                share=share,
                double_faults=each + (at < rest),
                seed=seed,
                stop_at_first=stop_at_first,
            )
            for failure in one.failures:
                told(str(failure))
            told(f"{operation.name}: {one}, {time.monotonic() - began:.0f} s")
            whole.operations += 1
            whole.calls += one.calls
            whole.runs += one.runs
            whole.faults += one.faults
            whole.failures += one.failures
            if stop_at_first and whole.failures:
                break
    return whole


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=("embedded", "dynamodb"), default="dynamodb")
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--doubles", type=int, default=DOUBLES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="", help="operations whose name contains this")
    parser.add_argument("--stop", action="store_true", help="stop at the first violation")
    asked = parser.parse_args(arguments)
    result = sweep(
        [one for one in OPERATIONS if asked.only in one.name],
        engine=asked.engine,
        share=asked.share,
        double_faults=asked.doubles,
        seed=asked.seed,
        stop_at_first=asked.stop,
        told=lambda line: print(line, flush=True),
    )
    print(result)
    return 1 if result.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
