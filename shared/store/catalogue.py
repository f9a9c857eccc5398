"""The catalogue table: one snapshot that everyone reads, what staff changed in it; and staff
members."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.domain.product import Catalogue
from shared.domain.record import Record
from shared.store import businesses
from shared.store.businesses import SNAPSHOT_AT, STALE_AFTER
from shared.store.items import CatalogueItem, Kind, Lost, Ref, Row, register
from shared.store.reading import query, read
from shared.store.writing import commit, create, overwrite, put, replace

if TYPE_CHECKING:
    from shared.store.timeline import TimelineEvent

SNAPSHOT = Ref(CatalogueItem, *SNAPSHOT_AT, Catalogue)
PUBLISH_TRIES = 5
CHANGES = "changes"


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    CLERK = "clerk"


class StaffMember(Record):
    """Who works for the merchant ([ACCESS]). `locations` None means all; `notices` are the kinds
    this person sees, None means all."""

    email: str
    name: str
    role: Role
    locations: tuple[str, ...] | None = None
    notices: tuple[str, ...] | None = None

    def works_at(self, location_id: str | None) -> bool:
        return self.locations is None or location_id is None or location_id in self.locations


register(Catalogue, Kind("catalogue"))
register(StaffMember, Kind("staff_member"))


def staff_member(email: str) -> Ref[StaffMember]:
    return Ref(CatalogueItem, "staff", email.strip().casefold(), StaffMember)


class _Kept(NamedTuple):
    catalogue: Catalogue
    read_at: datetime


_kept: _Kept | None = None


def kept(now: datetime) -> Catalogue | None:
    """The snapshot as this process read it, while it is fresh; read `SNAPSHOT` otherwise."""
    if _kept is None or not timedelta(0) <= now - _kept.read_at < STALE_AFTER:
        return None
    return _kept.catalogue


def locations_seen() -> tuple[str, ...]:
    """The locations of the last snapshot that this process read, stale or not: enough to guess
    keys by, so that a page needs one reading less."""
    return () if _kept is None else tuple(one.id for one in _kept.catalogue.locations)


def keep(row: Row[Catalogue], now: datetime) -> Catalogue:
    """Remember a snapshot that was just read."""
    global _kept
    _kept = _Kept(catalogue=row.value, read_at=now)
    return row.value


def forget() -> None:
    """Drop what is remembered (after publishing, and between tests)."""
    global _kept
    _kept = None
    businesses.forget()


def load(now: datetime) -> Catalogue:
    """The snapshot, read when what is kept is stale. `LookupError` before one was published."""
    fresh = kept(now)
    if fresh is not None:
        return fresh
    row = read(SNAPSHOT).get(SNAPSHOT)
    if row is None:
        raise LookupError("no catalogue has been published")
    return keep(row, now)


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


def write_staff_member(member: StaffMember) -> None:
    commit([overwrite(staff_member(member.email), member)])
