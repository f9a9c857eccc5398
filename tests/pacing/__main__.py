"""`make renewals`: many subscriptions renew at the same minute, and what Stripe made of it."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from time import monotonic

from tests.pacing.renewals import Night, Plan, Told

LIVE_RAISED = 80.0
BESIDES = 1_000
"""Of how many renewals the other plans are, at most: they show more in less time."""


def plans(renewals: int, workers: int, seed: int) -> Iterator[tuple[str, Plan]]:
    """What is played, and what it is called."""
    whole = Plan(renewals=renewals, workers=workers, seed=seed)
    yield "test key (25 calls a second)", whole
    base = whole.but(renewals=min(renewals, BESIDES))
    yield "test key, 3 purchases a second besides", base.but(purchases=3.0)
    live = base.but(live=True, workers=2 * workers)
    yield "live key (100, of each endpoint 25), 3 purchases a second besides", live.but(purchases=3)
    yield (
        "live key, endpoints raised to 100, 8 purchases a second besides",
        live.but(
            calls_per_endpoint=LIVE_RAISED,
            endpoint_limit=100,
            charges_a_minute=4_000,
            sweep_limit=4_000,
            purchases=8.0,
        ),
    )
    yield (
        "test key, no turns: what happens without",
        base.but(calls_per_second=0.0, calls_per_endpoint=0.0),
    )


def report(name: str, told: Told, took: float) -> Iterator[str]:
    plan = told.plan
    yield name
    yield f"  collected once       {told.collected - told.twice:,} of {plan.renewals:,}"
    yield f"  collected twice      {told.twice}"
    yield f"  calls of Stripe      {told.calls:,}"
    yield f"  answered 429         {told.refused:,}"
    yield f"  429 not caught       {told.not_collected_at_once:,}"
    yield f"  busiest second       {told.busiest} calls, {told.busiest_endpoint} of one endpoint"
    yield f"  took                 {told.seconds:,.0f} s; {told.least_seconds:,.0f} s at least"
    yield f"  writes for turns     {told.turn_writes:,}"
    if plan.purchases:
        yield (
            f"  purchases            {told.bought:,}, {told.bought_not_paid} of them not paid, the "
            f"slowest in {told.slowest_purchase:.1f} s"
        )
    yield f"  breached or failed   {len(told.breached) + len(told.errors)}"
    if told.waiting:
        waiting = ", ".join(f"{many} for {worker}" for worker, many in told.waiting.items())
        yield f"  still to be done     {waiting}, of the customers who were looked at"
    yield f"  ({took:,.0f} s of real time)"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make renewals", description=__doc__)
    parser.add_argument("--renewals", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="play one of the plans, counted from 1")
    asked = parser.parse_args()
    failed = 0
    for at, (name, plan) in enumerate(plans(asked.renewals, asked.workers, asked.seed), 1):
        if asked.only not in (None, at):
            continue
        began = monotonic()
        with redirect_stdout(StringIO()):
            told = Night(plan).play()
        print("\n".join(report(name, told, monotonic() - began)), flush=True)
        failed += plan.paced and not told.held
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
