"""Offers of places, what begins unpaid, what is redeemed, and the places of paid weeks ([PLACES],
[WEEKLY])."""

from typing import Any

from shared.domain.business import Business
from shared.events import each, key_of
from shared.operations.taking_place import (
    TookPlace,
    look_after_activity,
    look_after_reservation,
)
from shared.operations.weekly import Placed, book_week
from shared.store import snapshot
from shared.wiring import current

SCHEDULE = "schedule#"
PACK = "pack#"


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    wiring = current()
    context = wiring.context(snapshot.load(Business, wiring.now()))

    def look_after(pk: str, sk: str) -> TookPlace | Placed:
        if pk.startswith(SCHEDULE):
            where, when = pk.removeprefix(SCHEDULE), key_of(pk, sk)[1]
            return look_after_activity(context, f"{where}.{when}")
        if sk.startswith(PACK):
            return book_week(context, *key_of(pk, sk))
        return look_after_reservation(context, *key_of(pk, sk))

    return each(event, look_after, now=wiring.now())
