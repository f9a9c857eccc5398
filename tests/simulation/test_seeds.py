"""A share of `make simulate`, and that a seed is repeated exactly.

`make simulate SEEDS=500` plays more of them; `make simulate SEED=17` repeats one.
"""

import os
import subprocess
import sys

import pytest

from infra.local.banks import CARDPOINTE, STRIPE
from tests.banking import MIXED
from tests.simulation.mutants import GUARDS, ROOT, VIOLATED, Guard

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "16"))
ELSEWHERE = max(1, SEEDS // 16)
"""Seeds at each of the other providers."""

SHARES = 2
SECONDS = 900

pytestmark = pytest.mark.xdist_group("simulation")


def simulate(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.simulation", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.parametrize("share", range(SHARES))
def test_whatever_goes_wrong_nothing_is_violated(share: int) -> None:
    count = SEEDS // SHARES
    ran = simulate("--first", str(1 + share * count), "--seeds", str(count), "--workers", "1")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"seeds {count}, virtual days {count * 60}" in ran.stdout
    assert "violations 0" in ran.stdout


@pytest.mark.parametrize("provider", [STRIPE, CARDPOINTE, MIXED])
def test_nor_is_anything_violated_where_people_pay_elsewhere(provider: str) -> None:
    """On the embedded engine, which answers the same seed with the same."""
    played = ("--seeds", str(ELSEWHERE), "--workers", "1", "--engine", "embedded")
    ran = simulate(*played, "--provider", provider)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"seeds {ELSEWHERE}, virtual days {ELSEWHERE * 60}" in ran.stdout
    assert "violations 0" in ran.stdout


def test_a_seed_is_the_same_again_and_on_both_engines() -> None:
    """Whoever works alone, one call after the other, sees no difference between the engines: so a
    failure of one is repeated on the other."""
    first = simulate("--seed", "3", "--days", "20")
    again = simulate("--seed", "3", "--days", "20", "--engine", "embedded")
    assert first.returncode == 0, first.stdout + first.stderr
    assert first.stdout == again.stdout
    assert simulate("--seed", "4", "--days", "20", "--engine", "embedded").stdout != first.stdout


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_every_guard_still_stands_where_it_is_to_be_taken_away(guard: Guard) -> None:
    assert (ROOT / guard.file).read_text().count(guard.guard) == 1


def test_a_guard_that_is_taken_away_is_missed() -> None:
    """`make mutants` does this with every guard."""
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.simulation.mutants",
            "--only",
            "idempotency",
            "--workers",
            "1",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "guards 1, caught 1, not noticed 0" in ran.stdout
    assert VIOLATED.search("violations 0") is None
