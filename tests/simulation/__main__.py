"""`make simulate SEEDS=500`: seeds in several processes, each with a DynamoDB of its own.

`make simulate SEED=17` repeats one seed exactly and prints what happened.
"""

import argparse
import gc
import json
import logging
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import tests.conftest  # noqa: F401 - zones and credentials, as in every test
from infra.local.banks import NAMES, SANDBOX
from infra.local.dynamodb_local import DynamoDBLocal
from infra.local.engine import Embedded
from tests.banking import LACKS, MIXED, not_played, providers_of
from tests.simulation.life import Life

MAX_SHOWN = 5
"""Failures that are printed with their history; the others by their seed."""

GARBAGE = 100_000
"""Objects before Python looks for cycles: seeds are short, and looking costs a tenth."""

QUIET = {
    "PYTHONHASHSEED": "0",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "punchcard",
}
"""The order of sets is the same in every run, and handlers say nothing."""


@contextmanager
def _engine(name: str) -> Iterator[Any]:
    engine: Any = DynamoDBLocal() if name == "dynamodb-local" else Embedded()
    try:
        yield engine
    finally:
        engine.close()


class Lent:
    """An engine that outlives the worlds that it is lent to, and forgets between them."""

    def __init__(self, engine: Any) -> None:
        self.call = engine.call
        self.reset = engine.reset
        self.first_due = engine.first_due

    def close(self) -> None:
        self.reset()


def _live(seeds: list[int], asked: argparse.Namespace, *, stop: bool) -> Iterator[dict[str, Any]]:
    # Handlers log every fault that they meet, and metrics are printed.
    logging.disable(logging.CRITICAL)
    gc.set_threshold(GARBAGE)
    with _engine(asked.engine) as engine, Path(os.devnull).open("w") as nowhere:
        for seed in seeds:
            with redirect_stdout(nowhere):
                life = Life(seed, Lent(engine), days=asked.days, paid_at=asked.provider)
                lived = life.live()
            yield {**vars(lived), "faults": dict(lived.faults)}
            if stop and lived.violations:
                return


def _child(arguments: argparse.Namespace) -> int:
    first, count, step = (int(part) for part in arguments.share.split(":"))
    seeds = [first + at * step for at in range(count)]
    for lived in _live(seeds, arguments, stop=arguments.stop):
        if not lived["violations"]:
            lived["history"] = []
        print(json.dumps(lived), flush=True)
    return 0


def _one(arguments: argparse.Namespace) -> int:
    (lived,) = _live([arguments.seed], arguments, stop=True)
    print("\n".join(lived["history"]))
    print(f"seed {lived['seed']}: {lived['operations']} operations, {lived['calls']} calls")
    print(f"faults: {lived['faults']}")
    print("\n".join(lived["violations"]) or "violations 0")
    return 1 if lived["violations"] else 0


def _all(arguments: argparse.Namespace) -> int:
    began = time.monotonic()
    workers = max(1, min(arguments.workers, arguments.seeds))
    running = [_start(arguments, at, workers) for at in range(workers)]
    total: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    failed: list[dict[str, Any]] = []
    for process in running:
        assert process.stdout is not None
        for line in process.stdout:
            lived = json.loads(line)
            total["seeds"] += 1
            for name in ("days", "operations", "calls", "collected", "compared"):
                total[name] += lived[name]
            faults.update(lived["faults"])
            if lived["violations"]:
                failed.append(lived)
        if process.wait():
            print(f"a process ended with {process.returncode}")
            return 2
    for lived in failed[:MAX_SHOWN]:
        print("\n".join(lived["history"][-60:]))
        again = f"make simulate SEED={lived['seed']}{_at(arguments.provider)}"
        print(f"seed {lived['seed']} failed; `{again}` repeats it:")
        print("\n".join(lived["violations"]))
    if failed:
        print("failed seeds:", *(lived["seed"] for lived in failed))
    print("faults:", ", ".join(f"{name} {count}" for name, count in faults.most_common()))
    violations = sum(len(lived["violations"]) for lived in failed)
    print(
        f"seeds {total['seeds']}, virtual days {total['days']}, operations {total['operations']}, "
        f"database calls {total['calls']}, payments {total['collected']}, "
        f"lines of pages compared {total['compared']}, "
        f"faults injected {sum(faults.values())}, violations {violations}, "
        f"{time.monotonic() - began:.0f} s"
    )
    return 1 if violations else 0


def _at(provider: str) -> str:
    return "" if provider == SANDBOX else f" PROVIDER={provider}"


def _start(arguments: argparse.Namespace, at: int, workers: int) -> "subprocess.Popen[str]":
    count = len(range(at, arguments.seeds, workers))
    share = f"{arguments.first + at}:{count}:{workers}"
    command = [
        sys.executable, "-m", "tests.simulation", "--share", share, "--engine", arguments.engine,
        "--days", str(arguments.days), "--provider", arguments.provider,
        *(["--stop"] if arguments.stop else []),
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **QUIET})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make simulate")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--engine", default="dynamodb-local", choices=("dynamodb-local", "embedded")
    )
    parser.add_argument("--provider", default=SANDBOX, choices=(*NAMES, MIXED))
    parser.add_argument("--stop", action="store_true", help="at the first violation")
    parser.add_argument("--share", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    if arguments.share:
        return _child(arguments)
    for name in providers_of(arguments.provider):
        if LACKS[name]:
            print(not_played(name))
    if arguments.seed is None:
        return _all(arguments)
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ.update(QUIET)
        os.execv(  # noqa: S606 - the same program, with the order of sets fixed
            sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
        )
    return _one(arguments)


if __name__ == "__main__":
    sys.exit(main())
