"""Which standing weekly reservations can be sold ([WEEKLY])."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain import weekly
from shared.domain.calendar import local_date
from shared.domain.errors import Invalid
from shared.domain.pricing import first_day_of
from shared.store.schedule import activities_at

if TYPE_CHECKING:
    from datetime import date, datetime

    from shared.domain.activity import Activity
    from shared.domain.business import Location
    from shared.domain.cart import Cart
    from shared.domain.product import Catalogue, Product
    from shared.domain.weekly import Standing, WhyNotSold
    from shared.store.items import Row


def why_not_sold(
    product: Product, location: Location, standing: Standing, first_day: date
) -> WhyNotSold | None:
    """Why `standing` can't be sold from the week that begins on `first_day`: one round trip."""
    starts_at = weekly.start_in(standing, first_day)
    rows = activities_at(location.id, starts_at)
    return weekly.why_not([row.value for row in rows], standing, starts_at, product.staff_members)


def not_sold(
    cart: Cart | None, catalogue: Catalogue, location: Location, now: datetime
) -> dict[str, WhyNotSold]:
    """The lines of a cart whose weekly time is not to be had in the first week, for `price_cart`.
    One round trip for each weekly place in it, none without."""
    found: dict[str, WhyNotSold] = {}
    today = local_date(now, location.zone)
    for line in cart.lines if cart else ():
        product = catalogue.product(line.product_id)
        if line.standing is None or product is None:
            continue
        gone = why_not_sold(product, location, line.standing, first_day_of(line, today, now))
        if gone is not None:
            found[line.id] = gone
    return found


def standing_from(
    product: Product | None, location: Location, activity: Row[Activity] | None, *, same_staff: bool
) -> Standing:
    """The weekday and time of the activity that was chosen for a weekly place. `Invalid`
    (`activity`) for what is not on this location's schedule, or not what the product is for."""
    if product is None or not product.standing:
        sentence = "Only weekly places have this."
        raise Invalid(sentence, fields={"activity": sentence})
    if activity is None or activity.value.location_id != location.id:
        sentence = "This is not on the schedule here."
        raise Invalid(sentence, fields={"activity": sentence})
    return weekly.standing_of(activity.value, product.credits or 1, same_staff=same_staff)
