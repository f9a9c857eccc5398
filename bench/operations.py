"""What each operation of the clock asks of DynamoDB, one of it.

Some subscriptions fall due in the same minute, as in a night: so what is shared by a batch (an
invoice counter's write, the catalogue) is counted by its share. The sweep, its workers, the mail
and the provider's webhooks run as they are deployed.
"""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from bench.meter import Run
from bench.scene import Scene
from infra.local.sandbox_faults import Fault, Operation
from shared.store import catalogue as catalogues
from tests import shop_floor as shop

SUBSCRIPTIONS = 20
"""How many renewals the figures are the mean of."""

FEW = 4

MINUTES = timedelta(minutes=10)


@dataclass(frozen=True)
class Asked:
    """Of one operation: round trips one after the other, and capacity units; `events` of the bus,
    `invocations` of a function."""

    waits: float
    calls: float
    reads: float
    writes: float
    events: float = 0
    invocations: float = 0


def of_one(runs: Iterable[Run], times: int) -> Asked:
    """The mean of what `runs` asked for together, which did something so many times."""
    found = list(runs)
    return Asked(
        waits=sum(run.waits for run in found) / times,
        calls=sum(len(run.calls) for run in found) / times,
        reads=sum(run.reads for run in found) / times,
        writes=sum(run.writes for run in found) / times,
        events=sum(run.events for run in found) / times,
        invocations=len(found) / times,
    )


def by_worker(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Runs by the last part of their module: `renewals`, `deliver`, …"""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.handler.split(".")[2], []).append(run)
    return found


def customers(scene: Scene, number: str = shop.WORKS, *, count: int = SUBSCRIPTIONS) -> list[str]:
    return [
        shop.subscribed(
            scene.world, "month", email=f"{number[-4:]}-{at}@example.com", number=number
        )
        for at in range(count)
    ]


def advance(scene: Scene, span: timedelta) -> dict[str, list[Run]]:
    """What ran meanwhile, by worker."""
    with scene.meter.watching() as runs:
        scene.world.advance(span)
    return by_worker(runs)


# --- a night ---------------------------------------------------------------------------------

WHOLE = ("lease", "renewals", "receive", "apply", "number", "deliver")
"""What one renewal is, from its lease to the email and the provider's webhook."""

AFTERWARDS = ("lease_of_the_pack", "expiries")
"""The former pack ends, a minute later."""


@dataclass(frozen=True)
class Night:
    """By worker, what one of many renewals asked for; `log_bytes` is what each worker printed for
    one renewal, `renewals` how many there were."""

    asked: Mapping[str, Asked]
    log_bytes: float
    renewals: int

    def whole(self, *names: str) -> Asked:
        parts = [self.asked[name] for name in (names or WHOLE) if name in self.asked]
        return Asked(
            waits=sum(one.waits for one in parts),
            calls=sum(one.calls for one in parts),
            reads=sum(one.reads for one in parts),
            writes=sum(one.writes for one in parts),
            events=sum(one.events for one in parts),
            invocations=sum(one.invocations for one in parts),
        )


def night(scene: Scene, count: int = SUBSCRIPTIONS) -> Night:
    """So many renewals that fall due in one minute, and all that they set going."""
    world = scene.world
    customers(scene, count=count)
    world.advance_to(shop.moment("2090-02-28 04:58"))
    with printed() as out:
        due = advance(scene, timedelta(minutes=1))
    asked = {name: of_one(runs, count) for name, runs in due.items() if name != "sweep"}
    asked["lease"] = of_one(due["sweep"], count)
    afterwards = advance(scene, timedelta(minutes=2))
    asked["lease_of_the_pack"] = of_one(afterwards["sweep"], count)
    asked["expiries"] = of_one(afterwards["expiries"], count)
    return Night(asked, out.size / count, count)


def others(scene: Scene, count: int = FEW) -> dict[str, Asked]:
    """One of each other operation of the clock, by name."""
    world = scene.world
    customers(scene, shop.FAILS_LATER, count=count)
    world.advance_to(shop.moment("2090-02-21 04:58"))
    found = {"reminder": of_one(advance(scene, MINUTES)["reminders"], count)}
    world.advance_to(shop.moment("2090-02-28 04:58"))
    found["renewal_declined"] = of_one(advance(scene, MINUTES)["renewals"], count)
    world.advance_to(shop.moment("2090-03-01 04:58"))
    found["retry_declined"] = of_one(advance(scene, MINUTES)["retries"], count)
    for one in shop.customers():
        shop.let_card_behave_as(world, shop.card_of(one), shop.WORKS)
    world.advance_to(shop.moment("2090-03-02 04:58"))
    found["retry"] = of_one(advance(scene, MINUTES)["retries"], count)
    world.sandbox.webhooks(hold=True)
    unknown = shop.customer_with_card(world, email="unknown@example.com")
    cart = shop.fill_cart(world, unknown, "ten")
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    shop.press_pay(world, unknown, cart).carry_out(shop.context_of(world))
    found["reconcile"] = of_one(advance(scene, MINUTES)["reconcile"], 1)
    return found


@dataclass
class Printed:
    size: int = 0


@contextmanager
def printed() -> Iterator[Printed]:
    """How many bytes this process prints meanwhile: what Lambda would write to the log."""
    found = Printed()
    sys.stdout.flush()
    usual = os.dup(1)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 1)
        try:
            yield found
        finally:
            sys.stdout.flush()
            os.dup2(usual, 1)
            os.close(usual)
            found.size = kept.seek(0, os.SEEK_END)


def catalogue_reads(scene: Scene) -> float:
    """Units of reading the catalogue, as a cold function does, or a warm one every five seconds."""
    snapshot = catalogues.SNAPSHOT
    answer = scene.engine.ask(
        "GetItem",
        TableName=snapshot.table.Meta.table_name,
        Key={"pk": {"S": snapshot.pk}, "sk": {"S": snapshot.sk}},
        ConsistentRead=True,
        ReturnConsumedCapacity="TOTAL",
    )
    units: float = answer["ConsumedCapacity"]["CapacityUnits"]
    return units
