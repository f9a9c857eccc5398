"""`make mutants`: takes guards away one at a time, and shows what notices.

Each guard is a passage of the product's code and what stands there without it. The project is
copied, the guard taken out of the copy, and the simulation and the crash sweep run there until
one of them finds a violation. A guard that nobody misses is reported, and fails the command.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra.local.banks import CARDPOINTE, SANDBOX, STRIPE

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("functions", "shared", "infra", "tests", "template.yaml", "pyproject.toml")
LINKED = ("node_modules",)
VIOLATED = re.compile(r"violations [1-9]")
"""What both nets print at their end when they found something; a crash of their own does not."""

FAILED = re.compile(r"^seed \d+ failed|^FAILED")
"""The line above the violation, in both."""

SECONDS = 900
"""How long a guard may go unnoticed by one of the nets."""


@dataclass(frozen=True)
class Guard:
    """`name` in words, and in `file` the passage `guard` beside `without`: how it reads when the
    guard is taken away. Both nets are cast where people pay at `provider`."""

    name: str
    file: str
    guard: str
    without: str
    provider: str = SANDBOX


GUARDS = (
    Guard(
        "a change is on the condition of the version that was read",
        "shared/store/writing.py",
        "return _put(home, value, row.version + 1, _is_still(row.version))",
        "return _put(home, value, row.version + 1, None)",
    ),
    Guard(
        "the idempotency key is the attempt's",
        "shared/operations/asking.py",
        "attempt_id=attempt.id,\n                amount",
        "attempt_id=f'{attempt.id}-{context.new_id()}',\n                amount",
    ),
    Guard(
        "an item is leased by one sweep",
        "shared/store/due.py",
        "        condition=AccountItem.due_at == entry.due_at,\n    )\n    leased",
        "        condition=AccountItem.due_at.exists(),\n    )\n    leased",
    ),
    Guard(
        "an answer that did not come leaves the outcome unknown",
        "shared/providers/sandbox.py",
        "return ChargeResult(outcome=Outcome.UNKNOWN, repeatable=True)",
        "return ChargeResult(outcome=Outcome.DECLINED)",
    ),
    Guard(
        "nothing else is tried while an outcome is open",
        "shared/domain/charge.py",
        "            or self.outcome in OPEN_OUTCOMES\n            or len",
        "            or len",
    ),
    Guard(
        "a webhook's signature holds for 300 seconds",
        "shared/providers/signatures.py",
        "if abs(now.timestamp() - signed_at) > TOLERANCE_SECONDS:",
        "if abs(now.timestamp() - signed_at) > TOLERANCE_SECONDS * 10_000:",
    ),
    Guard(
        "an email is claimed before it is sent",
        "shared/operations/deliver.py",
        "    commit_alone(replace(row, claimed))\n    return Row(ref=row.ref, value=claimed, "
        "version=row.version + 1)",
        "    return row",
    ),
    Guard(
        "a message's key is the same for the same thing",
        "shared/domain/message.py",
        'return f"{kind.value}:{told}"',
        'import random\n\n    return f"{kind.value}:{told}:{random.random()}"',
    ),
    Guard(
        "periods are counted from the anchor",
        "shared/domain/calendar.py",
        "            return anchor + relativedelta(months=n)",
        "            day = anchor\n"
        "            for _ in range(n):\n"
        "                day += relativedelta(months=1)\n"
        "            return day",
    ),
    Guard(
        "a look-up that was not answered says nothing",
        "shared/operations/reconcile.py",
        "            return Reconciled.UNANSWERED\n        result = None",
        "            return Reconciled.UNANSWERED\n"
        "        result = ChargeResult(outcome=Outcome.DECLINED)",
    ),
    Guard(
        '"not found" is final only after 24 hours',
        "shared/domain/charge.py",
        "NOT_FOUND_IS_FINAL_AFTER = timedelta(hours=24)",
        "NOT_FOUND_IS_FINAL_AFTER = timedelta(seconds=0)",
    ),
    Guard(
        "what a pause passed over is never caught up",
        "shared/domain/subscription.py",
        "            if span.first <= period < span.until:",
        "            if span.first < period < span.until:",
    ),
    Guard(
        "a success that nobody waits for is paid back",
        "shared/domain/charge.py",
        "            charge.given_up\n            or charge.settled_at is not None\n",
        "            charge.settled_at is not None\n",
    ),
    Guard(
        "an outcome that is open has a next check",
        "shared/domain/charge.py",
        '            "next_check_at": now + FIRST_CHECK_AFTER,',
        '            "next_check_at": None,',
    ),
    Guard(
        "a slot of the clock is used once",
        "shared/operations/collect.py",
        "if slot_at is None or context.now() < slot_at:",
        "if slot_at is None:",
    ),
    Guard(
        "what was perhaps sent to a provider without keys is not sent again",
        "shared/providers/cardpointe.py",
        "except ProviderUnavailable:\n            return ChargeResult(outcome=Outcome.UNKNOWN)",
        "except ProviderUnavailable:\n"
        "            return ChargeResult(outcome=Outcome.UNKNOWN, repeatable=True)",
        provider=CARDPOINTE,
    ),
    Guard(
        "what was taken for lost is voided before the next try",
        "shared/providers/cardpointe.py",
        "self._what_is_left(request.unanswered)",
        "self._what_is_left(())",
        provider=CARDPOINTE,
    ),
    Guard(
        "what Stripe did not answer is unknown",
        "shared/providers/stripe_charging.py",
        "return ChargeResult(outcome=Outcome.UNKNOWN, repeatable=nothing.repeatable)",
        "return ChargeResult(outcome=Outcome.DECLINED)",
        provider=STRIPE,
    ),
    Guard(
        "a payment at Stripe says nothing of an attempt whose id it does not have",
        "shared/providers/stripe_charging.py",
        "        if intent.attempt_id != attempt_id:\n            return None\n"
        "        error = intent.last_payment_error\n",
        "        error = intent.last_payment_error\n",
        provider=STRIPE,
    ),
)


def _copy(into: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(source, into / name, ignore=ignored)
        else:
            shutil.copy(source, into / name)
    for name in LINKED:
        if (ROOT / name).exists():
            (into / name).symlink_to(ROOT / name)


def _take_away(guard: Guard, tree: Path) -> None:
    """`ValueError` when the passage does not stand there exactly once: then it has to be found
    anew, since nothing would be shown."""
    path = tree / guard.file
    text = path.read_text()
    if text.count(guard.guard) != 1:
        raise ValueError(f"{guard.file} does not hold the passage of {guard.name!r} once")
    path.write_text(text.replace(guard.guard, guard.without))


def _nets(seeds: int, engine: str, provider: str) -> Iterator[tuple[str, list[str]]]:
    where = ["--stop", "--provider", provider, "--engine"]
    yield (
        "simulation",
        ["tests.simulation", "--seeds", str(seeds), "--workers", "1", *where, engine],
    )
    swept_on = "dynamodb" if engine == "dynamodb-local" else engine
    yield "crash sweep", ["tests.simulation.crash_sweep", *where, swept_on]


def _said(output: str) -> str:
    """What the net printed of the violation, from the line that names the seed or the fault."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    at = next((n for n, line in enumerate(lines) if FAILED.search(line)), None)
    told = lines[at : at + 3] if at is not None else lines[-1:]
    return " / ".join(told)[:300]


def missed_by(guard: Guard, seeds: int, engine: str) -> str | None:
    """What noticed that the guard was gone, in words; None when nothing did."""
    with tempfile.TemporaryDirectory(prefix="punchcard-mutant-") as folder:
        tree = Path(folder)
        _copy(tree)
        _take_away(guard, tree)
        for net, command in _nets(seeds, engine, guard.provider):
            ran = subprocess.run(
                [sys.executable, "-m", *command],
                cwd=tree,
                env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            if ran.returncode == 1 and VIOLATED.search(ran.stdout):
                return f"{net}: {_said(ran.stdout)}"
            if ran.returncode:
                raise RuntimeError(f"{net} ended with {ran.returncode}: {ran.stderr[-2000:]}")
    return None


def main() -> int:
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--engine", default="embedded", choices=("dynamodb-local", "embedded"))
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="guards whose name contains this")
    arguments = parser.parse_args()
    chosen = [guard for guard in GUARDS if arguments.only in guard.name]
    unnoticed = 0
    with ThreadPoolExecutor(arguments.workers) as pool:
        found = pool.map(lambda guard: missed_by(guard, arguments.seeds, arguments.engine), chosen)
        for guard, by in zip(chosen, found, strict=True):
            unnoticed += by is None
            print(f"{'NOT NOTICED' if by is None else 'caught'}: {guard.name}", flush=True)
            print(f"    {by or 'nothing failed without it'}", flush=True)
    print(f"guards {len(chosen)}, caught {len(chosen) - unnoticed}, not noticed {unnoticed}")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
