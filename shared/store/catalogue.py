"""The catalogue table: one snapshot that everyone reads, and what staff changed in it."""

from typing import TYPE_CHECKING, Any

from shared.domain.product import Catalogue
from shared.domain.record import Record
from shared.store import snapshot
from shared.store.items import CatalogueItem, Kind, Lost, Ref, Row, register
from shared.store.reading import query, read
from shared.store.writing import commit, create, put, replace

if TYPE_CHECKING:
    from shared.store.timeline import TimelineEvent

SNAPSHOT = snapshot.ref(Catalogue)
PUBLISH_TRIES = 5
CHANGES = "changes"


register(Catalogue, Kind("catalogue"))


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
    snapshot.forget()


def change(row: Row[Catalogue], changed: Catalogue, event: "TimelineEvent") -> None:
    """Staff change the snapshot as it was read, and it is written down who did it ([ACCESS])."""
    at = Ref(CatalogueItem, CHANGES, event.id, type(event))
    commit([replace(row, changed), create(at, event)])
    snapshot.forget()


def last_changes(limit: int) -> "tuple[TimelineEvent, ...]":
    """What staff changed last, newest first: one round trip."""
    from shared.store.timeline import TimelineEvent

    page = query(CatalogueItem, CHANGES, "", TimelineEvent, limit=limit)
    return tuple(row.value for row in page.rows)
