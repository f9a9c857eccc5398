"""Whatever an earlier version stored, this one reads as it was meant: an upgrade loses nothing.

When one of these fails, the change can't be released as it is: stored items would not be read,
would lose something, or would be due at another moment. Give the field a default, keep reading
the old form, or make it in two releases (docs/deploying.md). The files are never written anew; a
version that stores something new adds one (`python -m tests.store.keep_stored`).
"""

import hashlib
import importlib
import json
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel

import shared.store
from shared.domain.due import Worker, due_text
from shared.domain.message import Message
from shared.domain.settings import Settings
from shared.events import each
from shared.messages.render import render
from shared.messages.samples import SECRETS
from shared.operations.bus import event
from shared.store import items
from shared.store.items import document
from tests.store.keep_stored import STORED, chosen, features

for module in pkgutil.iter_modules(shared.store.__path__, "shared.store."):
    importlib.import_module(module.name)

AS_THEY_WERE = {
    "2026-11.jsonl": "fca6e74b82c3012d53e98859eff3586190aff40cfc6490440ebe297836dfbe60",
}
"""The files' digests: what was stored can't be changed afterwards."""

Raw = dict[str, Any]


def kept() -> Iterator[tuple[str, Raw]]:
    for path in sorted(STORED.glob("*.jsonl")):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            yield f"{path.name}:{number}", json.loads(line)


KEPT = list(kept())
each_item = pytest.mark.parametrize(
    "item", [one for _, one in KEPT], ids=[name for name, _ in KEPT]
)


def read(item: Raw) -> BaseModel:
    """As the store reads it."""
    model = items.model_of(item["kind"]["S"])
    assert model is not None, f"nobody knows {item['kind']['S']} any more"
    ref = items.Ref(items.AccountItem, item["pk"]["S"], item["sk"]["S"], model)
    return items.row_of(ref, item).value


@each_item
def test_what_was_stored_is_read_and_nothing_of_it_is_dropped(item: Raw) -> None:
    stored = json.loads(document(item))
    _holds(json.loads(read(item).model_dump_json()), stored, item["kind"]["S"])


def _holds(now: Any, stored: Any, where: str) -> None:
    if isinstance(stored, dict):
        assert isinstance(now, dict), where
        for name, value in stored.items():
            assert name in now, f"{where}.{name} is dropped"
            _holds(now[name], value, f"{where}.{name}")
    elif isinstance(stored, list):
        assert isinstance(now, list) and len(now) == len(stored), where
        for one, before in zip(now, stored, strict=True):
            _holds(one, before, f"{where}[]")
    else:
        assert now == stored, where


@each_item
def test_it_is_due_when_it_was_due_in_the_state_in_which_it_was_until_it_expired(item: Raw) -> None:
    value = read(item)
    kind = items.kind_of(value)
    assert item.get("state", {}).get("S") == kind.state(value)
    ends = kind.expires_at(value)
    stored_end = item.get("expires_at", {}).get("N")
    assert stored_end == (None if ends is None else str(int(ends.timestamp())))
    moment = kind.moment(value)
    due: Raw = item.get("due_for") or item.get("due_at") or {}
    stored = due.get("S")
    item_id = f"{item['pk']['S']}/{item['sk']['S']}"
    assert stored == (None if moment is None else due_text(moment, item_id))


@each_item
def test_a_field_of_a_later_version_is_passed_over_so_that_one_can_go_back(item: Raw) -> None:
    body = _with_more(json.loads(document(item)), read(item))
    assert "of_a_later_version" in body
    assert read({**item, "body": {"S": json.dumps(body)}}) == read(item)


def _with_more(stored: Any, value: Any) -> Any:
    """Every object that is read as a model has one field more, at any depth."""
    match value:
        case BaseModel():
            inner = {name: _with_more(one, getattr(value, name)) for name, one in stored.items()}
            return {**inner, "of_a_later_version": {"is": [1]}}
        case dict():
            return {name: _with_more(one, value.get(name)) for name, one in stored.items()}
        case list() | tuple():
            return [_with_more(one, now) for one, now in zip(stored, value, strict=True)]
        case _:
            return stored


MESSAGES = [(name, item) for name, item in KEPT if item["kind"]["S"] == "message"]


@pytest.mark.parametrize("item", [one for _, one in MESSAGES], ids=[name for name, _ in MESSAGES])
def test_an_email_that_was_written_down_before_an_upgrade_goes_out_after_it(item: Raw) -> None:
    message = read(item)
    assert isinstance(message, Message)
    settings = Settings(merchant_name="Happy Paws", support_email="help@example.com")
    email = render(message, settings=settings, public_url="https://a.example", secrets=SECRETS)
    assert email.subject
    assert email.text
    assert email.html


PUT_BEFORE = {
    "detail-type": "renewals",
    "source": "punchcard",
    "detail": {
        "due": [
            {
                "pk": "customer#1",
                "sk": "subscription#2",
                "due_at": "2026-11-23T15:00:00Z#renewals#x",
            }
        ]
    },
}
"""An event of the bus, as it may lie there while an upgrade comes."""

WORKERS_BEFORE = {
    *("renewals", "retries", "reminders", "expiries", "places"),
    *("reconcile", "number", "deliver", "apply"),
}


def test_an_event_that_an_earlier_version_put_is_read_and_the_other_way_round() -> None:
    seen = []
    now = datetime(2026, 11, 23, 15, tzinfo=UTC)
    assert each(PUT_BEFORE, lambda *key: seen.append(key), now=now) == {"None": 1}
    assert seen == [("customer#1", "subscription#2")]
    (due,) = PUT_BEFORE["detail"]["due"]  # type: ignore[index]
    put = event("bus", Worker.RENEWALS, [due])
    assert put["DetailType"] == PUT_BEFORE["detail-type"]
    assert put["Source"] == PUT_BEFORE["source"]
    assert json.loads(put["Detail"]) == PUT_BEFORE["detail"]


def test_no_worker_of_an_earlier_version_is_gone() -> None:
    assert {one.value for one in Worker} >= WORKERS_BEFORE


def test_every_kind_of_item_is_among_what_is_kept() -> None:
    """A new kind is kept with the version that brings it."""
    assert {item["kind"]["S"] for _, item in KEPT} == {one.name for one in items._kinds.values()}


def test_what_is_kept_was_not_written_anew() -> None:
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in STORED.glob("*.jsonl")
    }
    assert digests == AS_THEY_WERE


def test_keeping_takes_few_items_that_show_everything() -> None:
    def item(sk: str, body: Raw) -> Raw:
        return {
            "pk": {"S": "p"},
            "sk": {"S": sk},
            "kind": {"S": "pack"},
            "body": {"S": json.dumps(body)},
        }

    items = [
        item("1", {"id": "A1", "state": "open"}),
        item("2", {"id": "A2", "state": "open"}),
        item("3", {"id": "A3", "state": "closed", "lines": [{"name": "X"}]}),
    ]
    found = chosen(items)
    assert [one["sk"]["S"] for one in found] in (["1", "3"], ["2", "3"])
    assert set().union(*map(features, found)) == set().union(*map(features, items))
