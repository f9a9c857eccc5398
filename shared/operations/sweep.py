"""Find what is due, lease it, and hand it to the workers over the event bus."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.domain.due import Lane, Worker
from shared.domain.message import Notice, NoticeKind
from shared.store.due import MAX_TRIES, Leased, back_off, due, lease, park

SOURCE = "punchcard"
ITEMS_PER_EVENT = {
    Worker.NUMBER: 50,
    Worker.DELIVER: 20,
    Worker.REMINDERS: 20,
    Worker.EXPIRIES: 20,
    Worker.RENEWALS: 5,
    Worker.RETRIES: 5,
    Worker.RECONCILE: 5,
    Worker.APPLY: 5,
}
"""Few where a provider is called for each, so that one event is done well within a lease."""

EVENTS_PER_CALL = 10
"""EventBridge takes at most ten entries in one PutEvents call."""


@dataclass
class Swept:
    """What one sweep found and did. `oldest_seconds` is how long the oldest has been waiting."""

    leased: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    parked: int = 0
    oldest_seconds: int = 0


def event(bus: str, worker: Worker, due_items: Sequence[dict[str, str]]) -> dict[str, str]:
    """One entry for PutEvents: the worker's name and what it is to look at."""
    return {
        "Source": SOURCE,
        "DetailType": worker.value,
        "EventBusName": bus,
        "Detail": json.dumps({"due": list(due_items)}),
    }


def put_events(events: Any, entries: Sequence[dict[str, str]]) -> int:
    """Put `entries` on the bus, ten a call; returns how many it did not take. Those come back
    with their leases."""
    failed = 0
    for at in range(0, len(entries), EVENTS_PER_CALL):
        answer = events.put_events(Entries=list(entries[at : at + EVENTS_PER_CALL]))
        failed += int(answer.get("FailedEntryCount", 0))
    return failed


def sweep(
    *,
    now: datetime,
    new_id: Callable[[], str],
    events: Any,
    bus: str,
    shards: int,
    limit: int,
) -> Swept:
    """One tick: per lane and shard at most `limit` items, oldest first. An item that was leased
    `MAX_TRIES` times and is still due is parked with a notice to staff."""
    swept = Swept()
    taken: dict[Worker, list[dict[str, str]]] = {}
    for lane in Lane:
        for shard in range(shards):
            for entry in due(lane, shard, now, limit):
                waited = int((now - entry.moment).total_seconds())
                swept.oldest_seconds = max(swept.oldest_seconds, waited)
                leased = lease(entry, now)
                if leased is None:
                    swept.lost += 1
                elif leased.tries > MAX_TRIES:
                    swept.parked += park(leased, _parked(leased, now, new_id()))
                else:
                    if leased.tries > 1:
                        back_off(leased, now)
                    taken.setdefault(entry.worker, []).append(
                        {"pk": entry.pk, "sk": entry.sk, "due_at": leased.due_at}
                    )
    entries = [
        event(bus, worker, items[at : at + ITEMS_PER_EVENT[worker]])
        for worker, items in taken.items()
        for at in range(0, len(items), ITEMS_PER_EVENT[worker])
    ]
    put_events(events, entries)
    swept.leased = {worker.value: len(items) for worker, items in taken.items()}
    return swept


def _parked(leased: Leased, now: datetime, notice_id: str) -> Notice:
    entry = leased.entry
    customer = entry.pk.removeprefix("customer#") if entry.pk.startswith("customer#") else None
    return Notice(
        id=notice_id,
        kind=NoticeKind.PARKED,
        customer_id=customer,
        title="Something could not be done",
        detail=(
            f"{entry.worker.value} of {entry.sk} failed {MAX_TRIES} times and was set aside. "
            f"Nothing was charged twice or lost; it waits under {entry.pk}."
        ),
        created_at=now,
    )
