"""What waits for a moment: lanes, workers, and the text under which the due index sorts it."""

from datetime import UTC, datetime
from enum import StrEnum
from zlib import crc32

from pydantic import AwareDatetime

from shared.domain.record import Record

MOMENT_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class Lane(StrEnum):
    """Queues that don't wait for each other: a night's renewals never hold up an email."""

    MONEY = "money"
    NOW = "now"
    LATER = "later"


class Worker(StrEnum):
    """Who does what is due; the name is the event's detail type."""

    RENEWALS = "renewals"
    RETRIES = "retries"
    REMINDERS = "reminders"
    EXPIRIES = "expiries"
    RECONCILE = "reconcile"
    NUMBER = "number"
    DELIVER = "deliver"
    APPLY = "apply"
    PLACES = "places"
    """Activities and reservations: offers that run out, what begins unpaid, what is redeemed."""


LANE_OF = {
    Worker.RENEWALS: Lane.MONEY,
    Worker.RETRIES: Lane.MONEY,
    Worker.REMINDERS: Lane.LATER,
    Worker.EXPIRIES: Lane.LATER,
    Worker.RECONCILE: Lane.NOW,
    Worker.NUMBER: Lane.NOW,
    Worker.DELIVER: Lane.NOW,
    Worker.APPLY: Lane.NOW,
    Worker.PLACES: Lane.NOW,
}


class Moment(Record):
    """When (UTC) an item next needs attention, and whose. `unhurried`: nobody waits for it, so it
    goes with what has time, whoever does it."""

    at: AwareDatetime
    worker: Worker
    unhurried: bool = False

    @property
    def lane(self) -> Lane:
        return Lane.LATER if self.unhurried else LANE_OF[self.worker]


def earliest(*moments: Moment | None) -> Moment | None:
    """The soonest of several; at the same instant money goes first, then what was named first."""
    real = [moment for moment in moments if moment is not None]
    return min(real, key=lambda m: (m.at, m.lane is not Lane.MONEY), default=None)


def utc_text(at: datetime) -> str:
    """Fixed width, so that text sorts as time does. Seconds are enough for what is due."""
    return at.astimezone(UTC).strftime(MOMENT_FORMAT)


LEASED = "leased:"
"""Begins the third part of a `due_text` that is the end of a lease, so that what workers have in
hand can be counted in the index."""


def due_text(moment: Moment, item_id: str) -> str:
    return f"{utc_text(moment.at)}#{moment.worker.value}#{item_id}"


def lease_text(moment: Moment, item_id: str) -> str:
    """A `due_text` for the end of a lease."""
    return due_text(moment, LEASED + item_id)


def is_lease(text: str) -> bool:
    """Whether a `due_at` is the end of a lease."""
    return text.count("#") >= 2 and text.split("#", 2)[2].startswith(LEASED)


def due_moment(text: str) -> tuple[datetime, Worker]:
    """The instant and worker of a `due_text`."""
    at, worker, _ = text.split("#", 2)
    return datetime.strptime(at, MOMENT_FORMAT).replace(tzinfo=UTC), Worker(worker)


def due_shard(lane: Lane, item_id: str, shards: int) -> str:
    """`{lane}#{n}`, n the same for an item while the number of shards stays."""
    return f"{lane.value}#{crc32(item_id.encode()) % shards}"
