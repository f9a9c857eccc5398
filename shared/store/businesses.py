"""The business, read from the snapshot that everyone reads, without what is on sale."""

from datetime import datetime, timedelta
from typing import NamedTuple

from shared.domain.business import Business
from shared.store.items import CatalogueItem, Ref
from shared.store.reading import read

SNAPSHOT_AT = ("catalogue", "snapshot")
"""Where the snapshot lies."""

STALE_AFTER = timedelta(seconds=5)


class _Kept(NamedTuple):
    business: Business
    read_at: datetime


_kept: _Kept | None = None


def load(now: datetime) -> Business:
    """The business, read when what is kept is stale. `LookupError` before one was published."""
    global _kept
    if _kept is None or not timedelta(0) <= now - _kept.read_at < STALE_AFTER:
        ref = Ref(CatalogueItem, *SNAPSHOT_AT, Business)
        row = read(ref).get(ref)
        if row is None:
            raise LookupError("no catalogue has been published")
        _kept = _Kept(business=row.value, read_at=now)
    return _kept.business


def forget() -> None:
    """Drop what is remembered (after publishing, and between tests)."""
    global _kept
    _kept = None
