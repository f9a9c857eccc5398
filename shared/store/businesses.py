"""The business, read from the snapshot that everyone reads, without what is on sale."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from shared.domain.business import Business
from shared.store.items import CatalogueItem, Ref
from shared.store.reading import read

SNAPSHOT_AT = ("catalogue", "snapshot")
"""Where the snapshot lies."""

STALE_AFTER = timedelta(seconds=5)


SNAPSHOT = Ref(CatalogueItem, *SNAPSHOT_AT, Business)


class Snapshot(NamedTuple):
    """As what the snapshot is read, and what of it is still fresh."""

    ref: Ref[Any]
    kept: Callable[[datetime], Business | None]


class _Kept(NamedTuple):
    business: Business
    read_at: datetime


_kept: _Kept | None = None


def kept(now: datetime) -> Business | None:
    """The business as this process read it, while it is fresh, perhaps with its products."""
    if _kept is None or not timedelta(0) <= now - _kept.read_at < STALE_AFTER:
        return None
    return _kept.business


def keep(business: Business, now: datetime) -> None:
    """Remember what was just read."""
    global _kept
    _kept = _Kept(business=business, read_at=now)


def locations_seen() -> tuple[str, ...]:
    """The locations that this process read last, stale or not: enough to guess keys by, so that a
    page needs one reading less."""
    return () if _kept is None else tuple(one.id for one in _kept.business.locations)


def load(now: datetime) -> Business:
    """The business, read when what is kept is stale. `LookupError` before one was published."""
    fresh = kept(now)
    if fresh is not None:
        return fresh
    row = read(SNAPSHOT).get(SNAPSHOT)
    if row is None:
        raise LookupError("no catalogue has been published")
    keep(row.value, now)
    return row.value


def forget() -> None:
    """Drop what is remembered (after publishing, and between tests)."""
    global _kept
    _kept = None


BUSINESS = Snapshot(SNAPSHOT, kept)
