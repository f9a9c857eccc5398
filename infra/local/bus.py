"""The event bus, and everything else that waits in this process for a moment.

EventBridge's patterns as the template writes them; what an event starts is put on the agenda,
which hands it out at its moment, oldest first.
"""

import heapq
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from threading import Lock
from typing import Any

from infra.local.aws import Answer
from infra.local.template import ACCOUNT_ID, REGION, Function, Rule

MAX_ENTRIES = 10
"""How many events one PutEvents takes."""

MAX_ENTRY_BYTES = 256 * 1024
RETRY_SECONDS = (60, 120)
"""How long Lambda waits before it runs a failed event again."""


@dataclass(frozen=True)
class Delivery:
    """An event on its way to a function; `tries` says how often it failed before."""

    event: Mapping[str, Any]
    function: Function
    put_at: datetime
    retries: int
    max_age_seconds: int
    tries: int = 0


@dataclass(frozen=True)
class Webhook:
    """What a provider posts to us."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    tries: int = 0


@dataclass(frozen=True)
class Tick:
    """A daily or hourly schedule's next run."""

    expression: str
    function: Function


Task = Delivery | Webhook | Tick


class Agenda:
    """Tasks by moment; those of one moment in the order in which they came. Safe for threads.

    `woken` is called for every task that comes in, so that somebody can wait for one.
    """

    def __init__(self, woken: Callable[[], None] = lambda: None) -> None:
        self._woken = woken
        self._lock = Lock()
        self._order = count()
        self._tasks: list[tuple[datetime, int, Task]] = []

    def add(self, at: datetime, task: Task) -> None:
        with self._lock:
            heapq.heappush(self._tasks, (at, next(self._order), task))
        self._woken()

    def next_moment(self) -> datetime | None:
        with self._lock:
            return self._tasks[0][0] if self._tasks else None

    def take(self, now: datetime) -> Task | None:
        """The first task whose moment has come."""
        with self._lock:
            if not self._tasks or self._tasks[0][0] > now:
                return None
            return heapq.heappop(self._tasks)[2]

    def __len__(self) -> int:
        return len(self._tasks)


class UnknownPattern(Exception):
    """A rule's pattern says something that is not served on one machine."""


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether an event fulfils an EventBridge pattern: lists of literals, nested as the event is.

    Of the content filters there is `prefix` and `exists`; others raise `UnknownPattern`.
    """
    return all(_fulfils(wanted, event.get(name, _ABSENT)) for name, wanted in pattern.items())


_ABSENT = object()


def _fulfils(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, dict) and matches(wanted, found)
    values: Sequence[Any] = found if isinstance(found, list) else [found]
    return any(_filter(one, value) for one in wanted for value in values)


def _filter(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, dict):
        return bool(wanted == value)
    match wanted:
        case {"prefix": prefix}:
            return isinstance(value, str) and value.startswith(prefix)
        case {"exists": exists}:
            return (value is not _ABSENT) is bool(exists)
        case _:
            raise UnknownPattern(f"the filter {wanted} is not served on this machine")


@dataclass
class Bus:
    """Serves `events` (EventBridge): what is put is on the agenda for every rule that matches."""

    name: str
    rules: Sequence[Rule]
    agenda: Agenda
    now: Callable[[], datetime]
    seen: list[dict[str, Any]] = field(default_factory=list)
    """The last events that were put, for tests and for people; bounded by `SEEN_LIMIT`."""

    SEEN_LIMIT = 1000

    def __post_init__(self) -> None:
        self._ids = count(1)

    def call(self, operation: str, body: bytes) -> Answer:
        """Answer a call of EventBridge's API."""
        if operation != "PutEvents":
            raise NotImplementedError(f"events:{operation} is not served on this machine")
        entries = json.loads(body)["Entries"]
        if not 1 <= len(entries) <= MAX_ENTRIES:
            return _refused(f"PutEvents takes 1 to {MAX_ENTRIES} entries, not {len(entries)}")
        if any(len(entry.get("Detail", "")) > MAX_ENTRY_BYTES for entry in entries):
            return _refused(f"an entry has more than {MAX_ENTRY_BYTES} bytes")
        answers = [self._put(entry) for entry in entries]
        failed = sum("ErrorCode" in answer for answer in answers)
        return Answer(200, json.dumps({"FailedEntryCount": failed, "Entries": answers}).encode())

    def _put(self, entry: Mapping[str, Any]) -> dict[str, str]:
        if entry.get("EventBusName", "default") != self.name:
            # What is put on a bus that nobody listens to is taken in and lost, as on AWS.
            return {"EventId": self._id()}
        try:
            detail = json.loads(entry["Detail"])
        except (KeyError, ValueError):
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        now = self.now()
        event = {
            "version": "0",
            "id": self._id(),
            "detail-type": entry.get("DetailType", ""),
            "source": entry.get("Source", ""),
            "account": ACCOUNT_ID,
            "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": REGION,
            "resources": entry.get("Resources", []),
            "detail": detail,
        }
        self.seen.append(event)
        del self.seen[: -self.SEEN_LIMIT]
        for rule in self.rules:
            if matches(rule.pattern, event):
                self.agenda.add(
                    now,
                    Delivery(event, rule.function, now, rule.retries, rule.max_age_seconds),
                )
        return {"EventId": event["id"]}

    def _id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._ids):012d}"


def _refused(message: str) -> Answer:
    return Answer(400, json.dumps({"__type": "ValidationException", "message": message}).encode())
