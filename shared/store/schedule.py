"""The schedule: what a location has, and when."""

from datetime import UTC, datetime

from shared.domain import activity as activities
from shared.domain.activity import Activity
from shared.store.engine import AccountItem, Kind, Ref, Row, query_between, register

SCHEDULE_LIMIT = 400
"""Activities of one reading: a week of a busy place."""


register(
    Activity,
    Kind("activity", moment=activities.next_moment, state=lambda a: a.state.value),
)


def activity(activity_id: str) -> Ref[Activity]:
    """Activities lie by their location and start: one query reads some days of a schedule."""
    location_id, _, when = activity_id.partition(".")
    return Ref(AccountItem, f"schedule#{location_id}", f"activity#{when}", Activity)


def schedule_of(
    location_id: str, begins: datetime, ends: datetime, *, limit: int = SCHEDULE_LIMIT
) -> tuple[Row[Activity], ...]:
    """A location's activities that start from `begins` until before `ends`, in their order: one
    round trip."""
    return query_between(
        AccountItem,
        f"schedule#{location_id}",
        f"activity#{begins.astimezone(UTC):%Y%m%dT%H%M}",
        f"activity#{ends.astimezone(UTC):%Y%m%dT%H%M}",
        Activity,
        limit=limit,
    )
