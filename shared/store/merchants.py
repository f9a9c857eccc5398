"""The merchant's settings, read from the snapshot that everyone reads, without anything else."""

from datetime import datetime, timedelta
from typing import NamedTuple

from shared.domain.record import Record
from shared.domain.settings import Settings
from shared.store.items import CatalogueItem, Ref
from shared.store.reading import read

STALE_AFTER = timedelta(seconds=5)


class Merchant(Record):
    """As much of the snapshot."""

    settings: Settings


SNAPSHOT = Ref(CatalogueItem, "catalogue", "snapshot", Merchant)


class _Kept(NamedTuple):
    settings: Settings
    read_at: datetime


_kept: _Kept | None = None


def settings(now: datetime) -> Settings:
    """The settings, read when what is kept is stale. `LookupError` before any were published."""
    global _kept
    if _kept is None or not timedelta(0) <= now - _kept.read_at < STALE_AFTER:
        row = read(SNAPSHOT).get(SNAPSHOT)
        if row is None:
            raise LookupError("no catalogue has been published")
        _kept = _Kept(settings=row.value.settings, read_at=now)
    return _kept.settings


def forget() -> None:
    """Drop what is remembered (after publishing, and between tests)."""
    global _kept
    _kept = None
