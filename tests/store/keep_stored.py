"""Keeps items as this version stores them: `python -m tests.store.keep_stored 2027-03`.

It plays the demo and what else leaves items behind, and writes those that between them show every
field and every word that is stored into `tests/store/stored/`. What is there is never written anew:
later versions have to read it.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from infra.books import items_of
from infra.local import demo
from infra.local.world import LocalWorld
from shared.store.items import document

STORED = Path(__file__).parent / "stored"
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
AFTERWARDS = timedelta(days=40)
DELIVERED_WITHIN = timedelta(minutes=2)
JSON = {"accept": "application/json", "content-type": "application/json"}
WORD = re.compile(r"[a-z][a-z_]{1,30}")

Raw = dict[str, Any]


def features(item: Raw) -> set[str]:
    """What an item shows: its fields, at any depth, and the words that they hold."""
    kind = item["kind"]["S"]
    attributes = {name for name in item if name != "body"}
    found = {f"{kind}@{name}" for name in attributes}
    found |= {f"{kind}{one}" for one in _of(json.loads(document(item)), "")}
    return found


def _of(value: Any, path: str) -> Iterator[str]:
    match value:
        case dict():
            for name, inner in value.items():
                yield from _of(inner, f"{path}.{name}")
        case list():
            for inner in value:
                yield from _of(inner, f"{path}[]")
        case str() if WORD.fullmatch(value):
            yield f"{path}={value}"
        case _:
            yield path


def chosen(items: Iterable[Raw]) -> list[Raw]:
    """Few items that together show all that `items` show, in the order of their keys."""
    seen: set[str] = set()
    kept = []
    for item in sorted(items, key=lambda one: (-len(document(one)), *_key(one))):
        shows = features(item)
        if not shows <= seen:
            seen |= shows
            kept.append(item)
    return sorted(kept, key=_key)


def _key(item: Raw) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def play(world: LocalWorld) -> None:
    """The demo, forty days after it, somebody who signed in, a link to a card, an open invoice."""
    demo.load(world, NOW)
    world.advance(AFTERWARDS)
    staff = _signed_in(world, "/console", "owner@example.com")
    _signed_in(world, "", "ada@example.com")
    for item in list(items_of(world.client("dynamodb"), world.template.tables[1].name)):
        match item["kind"]["S"]:
            case "outstanding":
                due = json.loads(document(item))
                at = f"/console/outstanding/{due['customer_id']}/{due['reservation_id']}/invoice"
                _post(world, at, staff)
            case "address" if document(item).count("ben@example.com"):
                customer = json.loads(document(item))["customer_id"]
                _post(world, f"/console/customers/{customer}/card-update-email", staff)
    world.advance(DELIVERED_WITHIN)


def _post(world: LocalWorld, path: str, cookie: str = "", **body: str) -> list[str]:
    headers = {**JSON, "cookie": cookie, "idempotency-key": f"kept-{path}"}
    answer = world.request("POST", path, headers, json.dumps(body))
    assert answer.status < 300, (path, answer.text)
    return answer.cookies


def _signed_in(world: LocalWorld, below: str, email: str) -> str:
    _post(world, f"{below}/sign-in", email=email)
    mail = json.loads(world.request("GET", "/_local/mail", JSON).body)
    link = re.search(rf"http://\S+{below}/sign-in/(\S+)", mail[0]["text"])
    assert link is not None
    cookies = _post(world, f"{below}/sign-in/{link.group(1)}")
    return "; ".join(one.partition(";")[0] for one in cookies)


def items() -> list[Raw]:
    """All that lies in the tables afterwards, but for counters, which are no entities."""
    with LocalWorld(start=demo.begins(NOW), seed=1) as world:
        play(world)
        client = world.client("dynamodb")
        found = [
            dict(one) for table in world.template.tables for one in items_of(client, table.name)
        ]
    return [one for one in found if "kind" in one]


def main(name: str) -> int:
    path = STORED / f"{name}.jsonl"
    if path.exists():
        print(f"{path} is there, and is never written anew.", file=sys.stderr)
        return 1
    kept = chosen(items())
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        "".join(json.dumps(one, sort_keys=True, ensure_ascii=False) + "\n" for one in kept)
    )
    print(f"{len(kept)} items in {path}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
