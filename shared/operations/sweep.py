"""Find what is due, lease it, and hand it to the workers over the event bus."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.domain.due import Lane, Worker
from shared.domain.message import Notice, NoticeKind, Parked
from shared.store.due import MAX_TRIES, Entry, Leased, back_off, due, lease, park
from shared.store.engine import StoreUnavailable

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
    Worker.PLACES: 20,
}
"""Few where a provider is called for each, so that one event is done well within a lease."""

EVENTS_PER_CALL = 10
"""EventBridge takes at most ten entries in one PutEvents call."""


CHARGES_A_MINUTE = 1_000
"""How many charges a tick admits, where nothing else is said: a little less than twenty a second
let through, so that a night's renewals are worked off tick by tick and nobody waits long for a turn
at the provider."""

MAX_REFUSALS = 20
"""Items that may not let themselves be leased before a sweep gives up until the next tick."""


@dataclass
class Swept:
    """What one sweep found and did. `oldest_seconds` is how long the oldest has been waiting,
    `refused` how many items the store would not lease."""

    leased: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    parked: int = 0
    refused: int = 0
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


class _HandOver:
    """Puts what was leased on the bus as soon as a call is full, so that a sweep that does not
    come to its end has not leased in vain."""

    def __init__(self, events: Any, bus: str, swept: Swept) -> None:
        self._events = events
        self._bus = bus
        self._swept = swept
        self._items: dict[Worker, list[dict[str, str]]] = {}
        self._entries: list[dict[str, str]] = []

    def add(self, leased: Leased) -> None:
        worker, entry = leased.entry.worker, leased.entry
        items = self._items.setdefault(worker, [])
        items.append({"pk": entry.pk, "sk": entry.sk, "due_at": leased.due_at})
        self._swept.leased[worker.value] = self._swept.leased.get(worker.value, 0) + 1
        if len(items) == ITEMS_PER_EVENT[worker]:
            self._close(worker)
        if len(self._entries) == EVENTS_PER_CALL:
            self._put()

    def flush(self) -> None:
        for worker in list(self._items):
            self._close(worker)
        self._put()

    def _close(self, worker: Worker) -> None:
        self._entries.append(event(self._bus, worker, self._items.pop(worker)))

    def _put(self) -> None:
        entries, self._entries = self._entries, []
        put_events(self._events, entries)


def sweep(
    *,
    now: datetime,
    new_id: Callable[[], str],
    events: Any,
    bus: str,
    shards: int,
    limit: int,
    charges_a_minute: int = CHARGES_A_MINUTE,
) -> Swept:
    """One tick: per lane and shard at most `limit` items, oldest first; of the lane of charges no
    more than `charges_a_minute` over all shards. An item that was leased
    `MAX_TRIES` times and is still due is parked with a notice to staff, and so is one that waits
    for a worker that this version does not have. One that can't be leased stops no other;
    `StoreUnavailable` after `MAX_REFUSALS` of them."""
    swept = Swept()
    taken = _HandOver(events, bus, swept)
    for lane in Lane:
        for shard in range(shards):
            most = limit
            if lane is Lane.MONEY:
                most = min(limit, _share(charges_a_minute, shard, shards))
            try:
                for entry in due(lane, shard, now, most):
                    _take(entry, now, new_id, taken, swept)
            finally:
                taken.flush()
    return swept


def _share(whole: int, shard: int, shards: int) -> int:
    """Of `whole`, what one shard gets of it: together they get all of it, and each at least one."""
    return max(1, (whole + shard) // shards)


def _take(
    entry: Entry, now: datetime, new_id: Callable[[], str], taken: _HandOver, swept: Swept
) -> None:
    if not entry.readable:
        unreadable = Leased(entry=entry, due_at=entry.due_at, tries=0)
        swept.parked += park(unreadable, _parked(entry, NOT_KNOWN, now, new_id()))
        return
    swept.oldest_seconds = max(swept.oldest_seconds, int((now - entry.moment).total_seconds()))
    try:
        leased = lease(entry, now)
        if leased is None:
            swept.lost += 1
            return
        if leased.tries > MAX_TRIES:
            swept.parked += park(leased, _parked(entry, FAILED, now, new_id()))
            return
        if leased.tries > 1:
            back_off(leased, now)
    except StoreUnavailable:
        swept.refused += 1
        if swept.refused > MAX_REFUSALS:
            raise
        return
    taken.add(leased)


WORK: Mapping[Worker, str] = {
    Worker.RENEWALS: "A renewal",
    Worker.RETRIES: "The next try of a failed payment",
    Worker.REMINDERS: "A reminder",
    Worker.EXPIRIES: "The expiry of a pack",
    Worker.PLACES: "The places of an activity, or a reservation",
    Worker.RECONCILE: "The check of a payment",
    Worker.NUMBER: "The number of an invoice",
    Worker.DELIVER: "An email",
    Worker.APPLY: "News from the payment provider",
}
"""What staff call what a worker does."""

FAILED = (
    f"It failed {MAX_TRIES} times and is not tried any more by itself. Nothing is lost, and "
    "nothing was charged twice. When the cause is mended, an owner or a manager can have it tried "
    "again here. Marked done without that, it stays undone."
)
NOT_KNOWN = (
    "The version of Punchcard that came to it does not know how to do it, so it was not tried. "
    "Nothing is lost. After an update that knows it, an owner or a manager can have it tried again "
    "here. Marked done without that, it stays undone."
)


def _parked(entry: Entry, why: str, now: datetime, notice_id: str) -> Notice:
    customer = entry.pk.removeprefix("customer#") if entry.pk.startswith("customer#") else None
    parts = entry.due_at.split("#", 2)
    worker = parts[1] if len(parts) == 3 else ""
    parked = Parked(pk=entry.pk, sk=entry.sk, worker=worker)
    known = parked.known_worker
    return Notice(
        id=notice_id,
        kind=NoticeKind.PARKED,
        customer_id=customer,
        title=f"{WORK[known] if known else 'Some work'} was set aside",
        detail=why,
        created_at=now,
        parked=parked,
    )
