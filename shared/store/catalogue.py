"""The catalogue table: one snapshot that everyone reads, and what staff changed in it."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.domain.product import Catalogue
from shared.domain.record import Record
from shared.store import businesses, merchants
from shared.store.businesses import SNAPSHOT_AT, Snapshot
from shared.store.items import CatalogueItem, Kind, Lost, Ref, Row, register
from shared.store.reading import query, read
from shared.store.writing import commit, create, put, replace

if TYPE_CHECKING:
    from shared.store.timeline import TimelineEvent

SNAPSHOT = Ref(CatalogueItem, *SNAPSHOT_AT, Catalogue)
PUBLISH_TRIES = 5
CHANGES = "changes"


register(Catalogue, Kind("catalogue"))


def kept(now: datetime) -> Catalogue | None:
    """The snapshot as this process read it, while it is fresh; read `SNAPSHOT` otherwise."""
    found = businesses.kept(now)
    return found if isinstance(found, Catalogue) else None


WITH_PRODUCTS = Snapshot(SNAPSHOT, kept)


def forget() -> None:
    """Drop what is remembered (after publishing, and between tests)."""
    businesses.forget()
    merchants.forget()


def load(now: datetime) -> Catalogue:
    """The snapshot, read when what is kept is stale. `LookupError` before one was published."""
    fresh = kept(now)
    if fresh is not None:
        return fresh
    row = read(SNAPSHOT).get(SNAPSHOT)
    if row is None:
        raise LookupError("no catalogue has been published")
    businesses.keep(row.value, now)
    return row.value


class _Present(Record):
    """As much of the snapshot as publishing looks at: it may replace one that can't be read."""

    settings: dict[str, Any] = {}


def publish(catalogue: Catalogue) -> None:
    """Make `catalogue` what everyone reads, whatever is there. Where it says nothing of the
    provider for new cards, the one that was chosen in the console stays ([MANY]). Raises `Lost`
    when others were always first."""
    present = Ref(CatalogueItem, SNAPSHOT.pk, SNAPSHOT.sk, _Present)
    for tries_left in reversed(range(PUBLISH_TRIES)):
        row = read(present).get(present)
        settings = catalogue.settings
        chosen = row.value.settings.get("preferred_provider") if row else None
        if chosen and "preferred_provider" not in settings.model_fields_set:
            settings = settings.model_copy(update={"preferred_provider": chosen})
        published = catalogue.model_copy(update={"settings": settings})
        try:
            at = None if row is None else Row(SNAPSHOT, published, row.version)
            commit([put(SNAPSHOT, at, published)])
        except Lost:
            if not tries_left:
                raise
            continue
        break
    forget()


def change(row: Row[Catalogue], changed: Catalogue, event: "TimelineEvent") -> None:
    """Staff change the snapshot as it was read, and it is written down who did it ([ACCESS])."""
    at = Ref(CatalogueItem, CHANGES, event.id, type(event))
    commit([replace(row, changed), create(at, event)])
    forget()


def last_changes(limit: int) -> "tuple[TimelineEvent, ...]":
    """What staff changed last, newest first: one round trip."""
    from shared.store.timeline import TimelineEvent

    page = query(CatalogueItem, CHANGES, "", TimelineEvent, limit=limit)
    return tuple(row.value for row in page.rows)
