"""How work grows: the sweep by what is stored and by what is due, and a page by history.

Work is counted: calls and capacity units. CPU is given beside. The exponent is the slope of a
straight line through the logarithms (least squares): 0 stays the same, 1 grows with the size.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log
from typing import Any

from bench import function, process
from bench.operations import printed
from bench.overhead import cookies, put_all
from bench.scene import Scene
from shared.store.engine import AccountItem, plain
from shared.store.people import customer_pk
from tests import shop_floor as shop

SIZES = (1_000, 10_000, 100_000)
DUE = 100
"""How many are due while the number of those that are stored grows."""

SHORT, LONG = 10, 1_000
"""Invoices of the two customers."""

REPEATS = 27
SWEEP_LIMIT = 5_000
"""The most that the template allows one tick."""

AT_ONCE = 1_000
"""Items made before they are stored."""

LISTS = (
    ("portal.account", "/account"),
    ("portal.invoices", "/invoices"),
    ("portal.invoices", "/payments"),
    ("portal.packs", "/packs"),
    ("portal.packs", "/packs/statement"),
    ("portal.subscriptions", "/subscriptions"),
    ("portal.booking", "/reservations"),
    ("console.console", "/console/customers/{customer}"),
)


@dataclass(frozen=True)
class Grown:
    """Work at each size: `calls`, `units`, `cpu`."""

    sizes: Sequence[int]
    work: Sequence[Mapping[str, float]]

    def exponent(self, *names: str) -> float:
        """Of the sum of what is named."""
        sums = [sum(one[name] for name in names) for one in self.work]
        return slope(self.sizes, sums)

    @property
    def counted(self) -> float:
        return self.exponent("calls", "units")


def slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The exponent of the power of `sizes` that fits `values` best."""
    points = [(log(size), log(value)) for size, value in zip(sizes, values, strict=True)]
    x = sum(point[0] for point in points) / len(points)
    y = sum(point[1] for point in points) / len(points)
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


# --- the sweep -------------------------------------------------------------------------------


@dataclass
class Shelf:
    """Subscriptions that are stored as they are, each of a customer of its own."""

    scene: Scene
    pattern: str
    named: str
    stored: int = 0

    def fill(self, upto: int, due_at: datetime) -> None:
        """Until there are so many; those that come are due at `due_at`."""
        table = self.scene.world.wiring.environment.accounts_table
        while self.stored < upto:
            count = min(AT_ONCE, upto - self.stored)
            made = [self._one(self.stored + at, due_at) for at in range(count)]
            put_all(self.scene, table, made)
            self.stored += count

    def _one(self, at: int, due_at: datetime) -> dict[str, Any]:
        found = json.loads(self.pattern.replace(self.named, f"{at:08}{self.named[8:]}"))
        item = found["due_at"]["S"].split("#", 2)[2]
        found["due_at"] = {"S": f"{due_at:%Y-%m-%dT%H:%M:%SZ}#renewals#{item}"}
        found["due_shard"] = {"S": "money#0"}
        item_: dict[str, Any] = found
        return item_


def shelf(scene: Scene) -> Shelf:
    """Empty, of subscriptions like Ada's."""
    ada = shop.subscribed(scene.world, "month")
    answer = scene.engine.ask(
        "Query",
        TableName=scene.world.wiring.environment.accounts_table,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": customer_pk(ada)}, ":sk": {"S": "subscription#"}},
    )
    (item,) = answer["Items"]
    return Shelf(scene, json.dumps(plain(item)), ada)


def sweep_by_stored(scene: Scene, sizes: Sequence[int] = SIZES) -> Grown:
    """A hundred are due, of more and more that are stored."""
    kept = shelf(scene)
    now = scene.world.now()
    work = []
    for at, size in enumerate(sizes):
        kept.fill(size - DUE, now + timedelta(days=20))
        moment = now + timedelta(minutes=at + 1)
        kept.fill(size, moment)
        work.append(_swept(scene, moment, DUE))
    return Grown(sizes, work)


def sweep_by_due(scene: Scene, size: int) -> Mapping[str, float]:
    """All that are stored are due."""
    moment = scene.world.now() + timedelta(hours=1)
    shelf(scene).fill(size, moment)
    return _swept(scene, moment, size)


def _swept(scene: Scene, now: datetime, due: int) -> Mapping[str, float]:
    environment = {
        **process.environment(scene),
        "SWEEP_LIMIT": str(SWEEP_LIMIT),
        # In one tick: nobody works on what is leased here, and the next would admit less.
        "CHARGES_A_MINUTE": str(max(due, SWEEP_LIMIT)),
    }
    told = {"now": now.isoformat(), "what": "sweep"}
    found: dict[str, float] = process.run("bench.counted", told, environment)[0]
    assert found["leased"] == due, f"{found['leased']} of {due} were leased"
    return found


@dataclass(frozen=True)
class Tick:
    """A tick of the sweep that finds nothing."""

    cpu: float
    log_bytes: float


def idle_tick(scene: Scene, repeats: int = REPEATS) -> Tick:
    """The least CPU of so many; what it prints is counted in this process."""
    told = {"now": scene.world.now().isoformat(), "what": "ticks", "repeats": repeats}
    (found,) = process.run("bench.counted", told, process.environment(scene))
    with printed() as out:
        scene.world.invoke(scene.world.tick, {})
    return Tick(found["cpu"], out.size)


# --- a page ----------------------------------------------------------------------------------


def pages_by_history(scene: Scene, repeats: int = REPEATS) -> dict[str, Grown]:
    """The first page of every list, of a customer with 10 invoices and of one with 1,000: by its
    path. Each invoice has its charge, pack, entries and messages, and a reservation beside it."""
    counts = (SHORT, LONG)
    ids = [shop.subscribed(scene.world, "month", email=f"{count}@example.com") for count in counts]
    scene.world.advance(timedelta(days=29))
    for one, count in zip(ids, counts, strict=True):
        _give_history(scene, one, count)
    owner = [f"{name}={value}" for name, value in scene.owner().cookies.items()]
    asked = []
    for one in ids:
        for module, path in LISTS:
            own = owner if module.startswith("console") else cookies(scene, one)
            at = path.replace("{customer}", one)
            asked.append({"module": module, "event": function.request("GET", path, at, own)})
    told = {
        "now": scene.world.now().isoformat(),
        "what": "pages",
        "pages": asked,
        "repeats": repeats,
    }
    found = process.run("bench.counted", told, process.environment(scene))
    half = len(LISTS)
    return {
        path: Grown((SHORT, LONG), (found[at], found[half + at]))
        for at, (_, path) in enumerate(LISTS)
    }


def _give_history(scene: Scene, ada: str, invoices: int) -> None:
    """Charged so often, once at a checkout, and else by the clock: as her one renewal is."""
    (paid,) = [one for one in shop.invoices_of(ada) if one.period == 1]
    (pack,) = [one for one in shop.packs_of(ada) if one.period == 1]
    pk = customer_pk(ada)
    answer = scene.engine.ask(
        "Query",
        TableName=AccountItem.Meta.table_name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": pk}},
    )
    of_period = [
        item
        for item in answer["Items"]
        if paid.id in item["sk"]["S"] or pack.id in item["sk"]["S"] or "00001" in item["sk"]["S"]
    ]
    text = json.dumps([plain(one) for one in of_period])
    made: list[dict[str, Any]] = []
    for at in range(invoices - 2):
        renamed = text.replace(paid.id, _older(paid.id, at)).replace(pack.id, f"{pack.id}x{at}")
        made += json.loads(renamed.replace("00001", f"1{at:04}"))
    put_all(scene, AccountItem.Meta.table_name, made)


def _older(ulid: str, at: int) -> str:
    """An id from before that one, by its time."""
    return f"00{at:08}{ulid[10:]}"
