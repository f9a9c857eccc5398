"""The snapshot of the business that everyone reads, and as much of it as each needs: the settings
(`Merchant`), those with locations and services (`Business`), or all that is sold (`Catalogue`).

A warm function keeps what it read for five seconds, and who kept more serves who needs less.
"""

from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from shared.domain.merchant import Merchant
from shared.store.items import CatalogueItem, Ref
from shared.store.reading import read

STALE_AFTER = timedelta(seconds=5)

M = TypeVar("M", bound=Merchant)


class _Kept(NamedTuple):
    value: Merchant
    read_at: datetime


_kept: _Kept | None = None


def ref(model: type[M]) -> Ref[M]:
    """Where it lies, to be read as `model`."""
    return Ref(CatalogueItem, "catalogue", "snapshot", model)


def kept(model: type[M], now: datetime) -> M | None:
    """What this process read, while it is fresh and holds as much as `model`."""
    if _kept is None or not timedelta(0) <= now - _kept.read_at < STALE_AFTER:
        return None
    return _kept.value if isinstance(_kept.value, model) else None


def keep(value: Merchant, now: datetime) -> None:
    """Remember what was just read."""
    global _kept
    _kept = _Kept(value, now)


def load(model: type[M], now: datetime) -> M:
    """It, read when what is kept is stale or less. `LookupError` before any was published."""
    fresh = kept(model, now)
    if fresh is not None:
        return fresh
    at = ref(model)
    row = read(at).get(at)
    if row is None:
        raise LookupError("no catalogue has been published")
    keep(row.value, now)
    return row.value


def locations_seen() -> tuple[str, ...]:
    """The locations that this process read last, stale or not: enough to guess keys by, so that a
    page needs one reading less."""
    locations = () if _kept is None else getattr(_kept.value, "locations", ())
    return tuple(one.id for one in locations)


def forget() -> None:
    """Drop what is remembered (after publishing, and between tests)."""
    global _kept
    _kept = None
