"""How work grows: the sweep by what is stored and by what is due, and a page by history.

Work is counted: calls and capacity units. CPU is given beside. The exponent is the slope of a
straight line through the logarithms (least squares): 0 stays the same, 1 grows with the size.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log
from typing import Any

from bench import function, process
from bench.operations import printed
from bench.overhead import cookies, put_all
from bench.scene import Scene
from shared.store.items import AccountItem, document, plain
from shared.store.packing import packed
from shared.store.people import customer_pk
from tests import shop_floor as shop
from tests.buying import class_in
from tests.console.office import book

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
    ("portal.packs", "/packs/{pack}"),
    ("portal.packs", "/packs/statement"),
    ("portal.subscriptions", "/subscriptions"),
    ("portal.booking", "/reservations"),
    ("portal.schedule", "/schedule"),
    ("console.console", "/console/customers"),
    ("console.console", "/console/customers/{customer}"),
    ("console.console", "/console/customers/{customer}/statement"),
    ("console.console", "/console/outstanding?location=ny"),
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
    path. Each invoice has its charge, pack, entries, emails and, paid by a credit of that pack, a
    reservation with its own invoice beside it."""
    counts = (SHORT, LONG)
    ids = [shop.subscribed(scene.world, "month", email=f"{count}@example.com") for count in counts]
    scene.world.advance(timedelta(days=29))
    began = scene.world.now() - timedelta(days=2)
    yoga = class_in(scene.world, places=2 * len(ids), days=1)
    for one in ids:
        book(scene.world, one, yoga.id)
    scene.world.advance(timedelta(days=31))
    for one, count in zip(ids, counts, strict=True):
        _give_history(scene, one, count, began)
    owner = [f"{name}={value}" for name, value in scene.owner().cookies.items()]
    asked = []
    for one in ids:
        pack = max(pack.id for pack in shop.packs_of(one))
        for module, path in LISTS:
            own = owner if module.startswith("console") else cookies(scene, one)
            at, _, query = path.replace("{customer}", one).replace("{pack}", pack).partition("?")
            route = path.partition("?")[0]
            event = function.request("GET", route, at, own, query=query)
            asked.append({"module": module, "event": event})
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


def _give_history(scene: Scene, ada: str, invoices: int, began: datetime) -> None:
    """Charged so often, and back every time, as once in the month after `began`: what was written
    then is there as often again, each a day earlier than the next."""
    answer = scene.engine.ask(
        "Query",
        TableName=AccountItem.Meta.table_name,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": customer_pk(ada)}},
    )
    ended = began + timedelta(days=20)
    of_month = [
        item
        for item in answer["Items"]
        if PERIOD in item["sk"]["S"]
        or any(began <= _moment(one) < ended for one in ULID.findall(item["sk"]["S"]))
    ]
    names = {item["sk"]["S"].partition("#")[0] for item in of_month}
    assert names >= {"charge", "ended-pack", "entry", "invoice", "message", "ended-visit", "used"}
    made = [
        _earlier(item, at, keep=began)
        for at in range(1, invoices - len(RENEWED))
        for item in of_month
    ]
    put_all(scene, AccountItem.Meta.table_name, made)


RENEWED = range(2)
"""Periods that are there besides the first before more are made."""

PERIOD = ".00001"
ULID = re.compile(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?=[.\d]*Z)")
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TIME_DIGITS = 10


def _moment(ulid: str) -> datetime:
    """When it was made."""
    millis = 0
    for digit in ulid[:TIME_DIGITS]:
        millis = millis * len(DIGITS) + DIGITS.index(digit)
    return datetime.fromtimestamp(millis / 1000, UTC)


def _made_at(ulid: str, at: datetime) -> str:
    """The same id, made at `at`."""
    millis, digits = int(at.timestamp() * 1000), ""
    for _ in range(TIME_DIGITS):
        millis, digit = divmod(millis, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits + ulid[TIME_DIGITS:]


def _earlier(item: dict[str, Any], days: int, keep: datetime) -> dict[str, Any]:
    """An item as it would have been written so many days earlier. Ids from before `keep` are those
    of the customer and the subscription."""
    body = document(item)
    text = json.dumps({**item, "body": {"S": body}})
    span = timedelta(days=days)

    def of_id(found: re.Match[str]) -> str:
        at = _moment(found[0])
        return _made_at(found[0], at - span) if at >= keep else found[0]

    text = ULID.sub(of_id, text)
    text = INSTANT.sub(
        lambda found: f"{datetime.fromisoformat(found[0]) - span:%Y-%m-%dT%H:%M:%S}", text
    )
    made: dict[str, Any] = json.loads(text.replace(PERIOD, f".1{days:04}"))
    if body != item["body"]["S"]:
        made["body"] = {"S": packed(made["body"]["S"])}
    return made
