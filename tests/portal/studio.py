"""A studio with classes to book, for the tests of schedule and reservations."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from shared.domain.activity import Activity
from shared.domain.pack import Pack
from shared.store import accounts, bookings
from shared.store.items import AccountItem
from shared.store.people import customer_pk
from shared.store.writing import commit, create
from tests.shop_floor import moment

START = "2026-03-02 14:00"
"""Nine in the morning of a Monday in New York."""


def class_of(starts: str = "2026-03-04 15:00", name: str = "Morning yoga", **more: Any) -> Activity:
    """A class of an hour for eight, that can be cancelled until 12 hours before."""
    begins = moment(starts)
    values: dict[str, Any] = {
        "id": f"ny.{begins:%Y%m%dT%H%M}.{name.replace(' ', '-').lower()}",
        "location_id": "ny",
        "zone": "America/New_York",
        "service_id": "yoga",
        "starts_at": begins,
        "ends_at": begins + timedelta(hours=1),
        "places": 8,
        "cutoff_minutes": 12 * 60,
        **more,
    }
    return Activity(name=name, **values)


def put_on(*activities: Activity) -> None:
    bookings.create_activities(activities)


def pack_of(customer_id: str, now: datetime, *, number: int | None = 10, **more: Any) -> Pack:
    """A pack for yoga in New York, as if it had been bought just now."""
    values: dict[str, Any] = {
        "id": "pack-1",
        "location_id": "ny",
        "zone": "America/New_York",
        "product_id": "ten",
        "name": "Ten classes",
        "service_id": "yoga",
        "granted": number,
        "left": number,
        "bought_at": now,
        "usable_from": now,
        **more,
    }
    return Pack(customer_id=customer_id, **values)


def give(packs: Iterable[Pack]) -> None:
    commit([create(accounts.pack(one.customer_id, one.id), one) for one in packs])


def stored(world: Any, customer_id: str, *activity_ids: str) -> dict[str, str]:
    """Everything of a customer, and the activities, as they are stored, for "nothing changed"."""
    client = world.client("dynamodb")
    table = AccountItem.Meta.table_name
    wanted = {customer_pk(customer_id), *(accounts.activity(one).pk for one in activity_ids)}
    wanted |= {f"seats#{one}" for one in activity_ids}
    items = client.scan(TableName=table)["Items"]
    return {
        f"{one['pk']['S']}/{one['sk']['S']}": str(sorted(one.items()))
        for one in items
        if one["pk"]["S"] in wanted
    }
