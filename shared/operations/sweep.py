"""Find what is due, lease it, and hand it to the workers over the event bus.

A tick sweeps lane by lane, shard by shard: first what somebody waits for. What is more than one
function gets done in its minute it hands to others of its kind, over the same bus, which work
beside each other and each in one lane.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.domain.admission import Part, admitted, groups
from shared.domain.admission import parts as parts_of_a_tick
from shared.domain.due import Lane, Worker
from shared.operations.bus import EVENTS_PER_CALL, event, event_of, put_events
from shared.store.due import MAX_TRIES, Entry, Leased, back_off, due, lease, on_lease, park
from shared.store.items import StoreUnavailable

if TYPE_CHECKING:
    from shared.domain.message import Notice

SWEEP = "sweep"
"""The detail type of an event that hands a part of a tick to another sweep."""
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

ITEMS_A_SWEEP = 2_000
"""How many items one function leases before it hands over the other lanes and shards: at about 5
milliseconds each, ten seconds."""

CLAIMS_ITSELF = frozenset({Worker.DELIVER, Worker.NUMBER})
"""Whose work is begun, or done, by a write on the item as it was read, so that of two events for it
one comes to nothing. What became due within the last tick they are handed without a lease, since
it is nearly always done before the next one; what is still there then is leased as all else is."""

TICK = timedelta(minutes=1)

LOOKED_AT = 4
"""For each item that may be admitted, how many entries are looked at for leases."""

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
    handed_over: int = 0
    """How many other sweeps it started."""
    oldest_seconds: int = 0

    @property
    def items(self) -> int:
        """How many items it has dealt with."""
        return sum(self.leased.values()) + self.lost + self.parked + self.refused


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


@dataclass
class Sweep:
    """What a sweep needs, whatever part of a tick it does. `in_time` says whether there is time
    for more; without it what is left waits for the next tick, or for another sweep. After `most`
    items it begins no other lane or shard."""

    now: datetime
    new_id: Callable[[], str]
    events: Any
    bus: str
    in_time: Callable[[], bool] = lambda: True
    most: int = ITEMS_A_SWEEP
    swept: Swept = field(default_factory=Swept)

    def tick(self, whole: Sequence[Part]) -> Swept:
        """Sweep `whole`, as far as one function gets; the rest is handed over, lane by lane."""
        for at, part in enumerate(whole):
            if self.swept.items >= self.most or not self.in_time():
                self._hand_over(whole[at:])
                break
            self._sweep(part)
        return self.swept

    def some(self, handed_over: Sequence[Part]) -> Swept:
        """Sweep what a tick has handed over. What there is no time for is due at the next tick."""
        for part in handed_over:
            if self.in_time():
                self._sweep(part)
        return self.swept

    def _hand_over(self, rest: Sequence[Part]) -> None:
        entries = [
            event_of(self.bus, SWEEP, {"parts": [[one.lane, one.shard, one.most] for one in group]})
            for group in groups(rest, self.most)
        ]
        put_events(self.events, entries)
        self.swept.handed_over += len(entries)

    def _sweep(self, part: Part) -> None:
        """The oldest entries of one lane and shard, each leased and on the bus at the end."""
        taken = _HandOver(self.events, self.bus, self.swept)
        left: int | None = None
        try:
            for entry in due(part.lane, part.shard, self.now, part.most):
                if left is None:
                    left = self._admitted(part)
                if left == 0 or not self.in_time():
                    return
                left -= 1
                _take(entry, self.now, self.new_id, taken, self.swept)
        finally:
            taken.flush()

    def _admitted(self, part: Part) -> int:
        in_hand = on_lease(part.lane, part.shard, self.now, LOOKED_AT * part.most)
        return admitted(part.most, in_hand)


def parts_of(event: Mapping[str, Any]) -> list[Part]:
    """What an event of the type `SWEEP` hands over. `ValueError` for one that does not say."""
    try:
        return [Part(Lane(one[0]), int(one[1]), int(one[2])) for one in event["detail"]["parts"]]
    except (KeyError, TypeError, IndexError) as error:
        raise ValueError("the event names no parts of a tick") from error


def sweep(
    *,
    now: datetime,
    new_id: Callable[[], str],
    events: Any,
    bus: str,
    shards: int,
    limit: int,
    charges_a_minute: int = CHARGES_A_MINUTE,
    in_time: Callable[[], bool] = lambda: True,
) -> Swept:
    """One tick: per lane and shard what `admission.parts` lets in, oldest first, and less while
    workers have not done what they got. An item that was leased `MAX_TRIES` times and is still due
    is parked with a notice to staff, and so is one that waits for a worker that this version does
    not have. One that can't be leased stops no other; `StoreUnavailable` after `MAX_REFUSALS` of
    them."""
    whole = parts_of_a_tick(shards=shards, limit=limit, charges_a_minute=charges_a_minute)
    return Sweep(now=now, new_id=new_id, events=events, bus=bus, in_time=in_time).tick(whole)


def _take(
    entry: Entry, now: datetime, new_id: Callable[[], str], taken: _HandOver, swept: Swept
) -> None:
    if not entry.readable:
        unreadable = Leased(entry=entry, due_at=entry.due_at, tries=0)
        swept.parked += park(unreadable, _parked(entry, NOT_KNOWN, now, new_id()))
        return
    swept.oldest_seconds = max(swept.oldest_seconds, int((now - entry.moment).total_seconds()))
    if entry.worker in CLAIMS_ITSELF and now - entry.moment < TICK:
        taken.add(Leased(entry=entry, due_at=entry.due_at, tries=0))
        return
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
    from shared.domain.message import Notice, NoticeKind, Parked

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
