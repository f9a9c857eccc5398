"""How much CPU an operation of ours takes beside the same DynamoDB calls by hand.

Both take turns in one process, warm, against Amazon's engine over a real connection: our handler
with its event, and `bench.floor`. The payment provider answers at once and is on neither side.
"""

import json
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

from bench import function, process
from bench.scene import Scene
from shared.store import sessions
from shared.store.items import fitted, plain
from shared.store.people import customer_pk
from tests import shop_floor as shop

REPEATS = 27
WARM = 4
"""Turns of each side before those that count."""

PAGES = (
    ("portal.shop", "/shop"),
    ("portal.account", "/account"),
    ("portal.packs", "/packs"),
    ("portal.subscriptions", "/subscriptions"),
    ("portal.invoices", "/invoices"),
    ("portal.invoices", "/payments"),
    ("portal.schedule", "/schedule"),
    ("portal.booking", "/reservations"),
)
BATCH = 25
"""What one BatchWriteItem takes."""


@dataclass(frozen=True)
class Ratio:
    """CPU of ours and of the floor, in seconds, turn by turn."""

    ours: list[float]
    floor: list[float]

    @property
    def pairs(self) -> list[float]:
        return [one / other for one, other in zip(self.ours, self.floor, strict=True)]

    @property
    def least(self) -> float:
        """The least of ours by the least of the floor's."""
        return min(self.ours) / min(self.floor)

    @property
    def spread(self) -> float:
        """From the first to the third quartile of the pairs."""
        first, _, third = quantiles(self.pairs, n=4)
        return third - first

    @property
    def median(self) -> float:
        return median(self.pairs)


def measure(scene: Scene, *, repeats: int = REPEATS) -> dict[str, Ratio]:
    """By operation: `page/shop`, …, `checkout`, `renewal`."""
    world = scene.world
    ada = shop.subscribed(world, "month")
    shop.buy(world, ada, "ten")
    world.advance_to(shop.moment("2090-02-28 04:58"))
    world.clock.move_to(shop.moment("2090-02-28 04:59"))
    shop.fill_cart(world, ada, "month")
    turns = repeats + WARM
    crowd = clones(scene, ada, 2 * turns + 1)
    pairs = [_page(scene, crowd[0], module, path, turns) for module, path in PAGES]
    pairs.append(_renewal(crowd, shop.subscription_of(ada).id, turns))
    pairs.append(_checkout(scene, crowd, turns))
    told = {"now": world.now().isoformat(), "pairs": pairs}
    found = process.run("bench.side_by_side", told, process.environment(scene))
    return {name: Ratio(one["ours"], one["floor"]) for name, one in found.items()}


def _pair(name: str, kind: str, module: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "module": module, "warm": WARM, "renamed": {}, **more}


def _page(scene: Scene, who: str, module: str, path: str, turns: int) -> dict[str, Any]:
    event = function.request("GET", path, path, cookies(scene, who))
    return _pair(
        f"page{path}",
        "page",
        module,
        events=[event] * (turns + 1),
        first_customer=who,
        floor_customers=[who] * turns,
    )


def _renewal(crowd: list[str], subscription_id: str, turns: int) -> dict[str, Any]:
    ours, theirs = crowd[: turns + 1], crowd[turns + 1 :]
    return _pair(
        "renewal",
        "renewal",
        "billing.renewals",
        events=[function.due(one, f"subscription#{subscription_id}") for one in ours],
        first_customer=ours[0],
        floor_customers=theirs,
    )


def _checkout(scene: Scene, crowd: list[str], turns: int) -> dict[str, Any]:
    ours, theirs = crowd[: turns + 1], crowd[turns + 1 :]
    page = scene.customer(ours[0]).data("/checkout")
    form = {name: page[name] for name in ("cart", "card", "expected_total")}
    body = urlencode({**form, "idempotency_key": "one-press-of-pay"})
    events = [
        function.request("POST", "/checkout", "/checkout", cookies(scene, one), body)
        for one in ours
    ]
    session = {one: sessions.session(f"secret-of-{one}").pk for one in (ours[0], *theirs)}
    for one in theirs:
        scene.customer(one)
    return _pair(
        "checkout",
        "checkout",
        "portal.checkout",
        events=events,
        first_customer=ours[0],
        floor_customers=theirs,
        renamed={one: {session[ours[0]]: session[one]} for one in theirs},
    )


def cookies(scene: Scene, customer_id: str) -> list[str]:
    """Those of a customer who has signed in just now."""
    return [f"{name}={value}" for name, value in scene.customer(customer_id).cookies.items()]


def clones(scene: Scene, customer_id: str, count: int) -> list[str]:
    """Customers with the same cart, cards, packs and subscriptions; their ids."""
    table = scene.world.wiring.environment.accounts_table
    original = scene.engine.ask(
        "Query",
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": customer_pk(customer_id)}},
    )["Items"]
    text = json.dumps([plain(one) for one in original])
    made = [f"{at:06}{customer_id[6:]}" for at in range(count)]
    items = [item for one in made for item in json.loads(text.replace(customer_id, one))]
    put_all(scene, table, items)
    return made


def put_all(scene: Scene, table: str, items: list[dict[str, Any]]) -> None:
    """Many items, each packed where the store would."""
    for at in range(0, len(items), BATCH):
        entries = [{"PutRequest": {"Item": fitted(item)}} for item in items[at : at + BATCH]]
        answer = scene.engine.ask("BatchWriteItem", RequestItems={table: entries})
        assert not answer.get("UnprocessedItems"), "the engine left items unwritten"
