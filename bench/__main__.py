"""`make bench`: every figure, `build/bench.json` and a table. It never fails for being slow."""

import argparse
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from bench import cold_start, cost, figures, growth, operations, overhead, report
from bench.journey import Journey
from bench.report import Figure
from bench.scene import opened
from infra.local.dynamodb_local import DynamoDBLocal

T = TypeVar("T")

QUICK_REPEATS = 9
SMALL_SIZES = (100, 1_000, 10_000)
QUICK_NIGHT = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats, smaller sizes")
    parser.add_argument("--small", action="store_true", help="smaller sizes, but every repeat")
    asked = parser.parse_args()
    quick, small = asked.quick, asked.quick or asked.small
    began = time.monotonic()
    with DynamoDBLocal() as engine:
        found = [
            *_step("round trips and capacity", lambda: _counted(engine)),
            *_step("the flow of money", lambda: _measured(engine, quick=quick)),
            *_step("growth", lambda: _grown(engine, quick=quick, small=small)),
        ]
    # The last, since it silences the logs of this process, whose bytes are counted above.
    found = [*_step("cold starts", lambda: _started(quick=quick)), *found]
    about = {
        "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "quick": quick,
        "small": small,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "seconds": round(time.monotonic() - began),
    }
    report.write(found, about)
    print(report.table(found))
    missed = [one.name for one in found if one.within is False]
    print(f"{len(found)} figures in {about['seconds']} s; over their limits: {len(missed)}")
    for name in missed:
        print(f"  ✗ {name}")
    print(f"written to {report.JSON.relative_to(report.ROOT)}")


def _step(what: str, run: Callable[[], T]) -> T:
    began = time.monotonic()
    print(f"{what} …", file=sys.stderr, flush=True)
    with operations.printed():
        found = run()
    print(f"{what}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return found


def _started(*, quick: bool) -> list[Figure]:
    repeats = QUICK_REPEATS if quick else cold_start.REPEATS
    return figures.of_cold_starts(cold_start.figures(repeats))


def _counted(engine: DynamoDBLocal) -> list[Figure]:
    with opened(engine) as scene:
        return figures.of_routes(Journey(scene).all())


def _measured(engine: DynamoDBLocal, *, quick: bool) -> list[Figure]:
    repeats = QUICK_REPEATS if quick else overhead.REPEATS
    with opened(engine) as scene:
        template = scene.world.template
        night = operations.night(scene, QUICK_NIGHT if quick else operations.SUBSCRIPTIONS)
        catalogue = operations.catalogue_reads(scene)
    with opened(engine) as scene:
        others = operations.others(scene)
    with opened(engine) as scene:
        ratios = overhead.measure(scene, repeats=repeats)
    with opened(engine) as scene:
        tick = growth.idle_tick(scene)
    of_a_call = min(ratios["renewal"].ours) / 3
    return [
        *figures.of_operations(night, catalogue, others),
        *figures.of_overhead(ratios),
        figures.of_speed(ratios),
        *figures.of_cost(
            cost.renewals(night, template, of_a_call),
            cost.idle_month(template, tick.cpu, tick.log_bytes),
        ),
    ]


def _grown(engine: DynamoDBLocal, *, quick: bool, small: bool) -> list[Figure]:
    sizes = SMALL_SIZES if small else growth.SIZES
    with opened(engine) as scene:
        pages = growth.pages_by_history(scene, QUICK_REPEATS if quick else growth.REPEATS)
    with opened(engine) as scene:
        stored = growth.sweep_by_stored(scene, sizes)
    swept = []
    for size in sizes:
        with opened(engine) as scene:
            swept.append(growth.sweep_by_due(scene, size))
    return figures.of_growth(stored, growth.Grown(sizes, swept), pages)


if __name__ == "__main__":
    main()
