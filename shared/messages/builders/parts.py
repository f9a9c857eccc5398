"""Parts of facts, computed from entities: what several emails tell alike."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.domain.business import Business, Location
    from shared.domain.subscription import Subscription


def place_of(business: Business, location_id: str) -> Location:
    """The location, or the first one when the catalogue no longer has it."""
    return business.location(location_id) or business.locations[0]


def calendar_days(subscription: Subscription, period: int) -> tuple[date, date]:
    """The first and the last day of `period`. `ValueError` where no calendar drives it."""
    first, last = subscription.starts(period), subscription.ends(period)
    if first is None or last is None:
        raise ValueError(f"{subscription.id} has no calendar")
    return first, last
