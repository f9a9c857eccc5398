"""The schedule: what a location has, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.store import kinds  # noqa: F401 - says how each kind is stored
from shared.store.items import AccountItem, Ref, Row
from shared.store.reading import query_between

if TYPE_CHECKING:
    from shared.domain.activity import Activity


SCHEDULE_LIMIT = 400
"""Activities of one reading: a week of a busy place."""

AT_ONCE = 20
"""Activities of a location that start in the same minute."""

A_MINUTE = timedelta(minutes=1)


def activity(activity_id: str) -> Ref[Activity]:
    """Activities lie by their location and start: one query reads some days of a schedule."""
    from shared.domain.activity import Activity

    location_id, _, when = activity_id.partition(".")
    return Ref(AccountItem, f"schedule#{location_id}", f"activity#{when}", Activity)


def schedule_of(
    location_id: str, begins: datetime, ends: datetime, *, limit: int = SCHEDULE_LIMIT
) -> tuple[Row[Activity], ...]:
    """A location's activities that start from `begins` until before `ends`, in their order: one
    round trip."""
    from shared.domain.activity import Activity

    page = query_between(
        AccountItem,
        f"schedule#{location_id}",
        f"activity#{begins.astimezone(UTC):%Y%m%dT%H%M}",
        f"activity#{ends.astimezone(UTC):%Y%m%dT%H%M}",
        Activity,
        limit=limit,
    )
    return page.rows


def activities_at(location_id: str, starts_at: datetime) -> tuple[Row[Activity], ...]:
    """What a location has at this minute: one round trip."""
    return schedule_of(location_id, starts_at, starts_at + A_MINUTE, limit=AT_ONCE)
