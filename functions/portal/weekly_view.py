"""What pages show of standing weekly reservations ([WEEKLY]). Pure."""

from datetime import datetime

from functions.portal.pages.activity_models import WeeklyOffer
from functions.portal.weekly_fit import sold_for
from shared.domain import weekly
from shared.domain.activity import Activity
from shared.domain.business import Location
from shared.domain.calendar import local_date
from shared.domain.customer import Customer
from shared.domain.product import Catalogue
from shared.domain.product_kind import ProductKind
from shared.domain.shopping import listed, tax_rate_of
from shared.web.pages.weekly import weekly_time


def weekly_offers(
    activity: Activity,
    catalogue: Catalogue,
    location: Location,
    customer: Customer | None,
    now: datetime,
    *,
    provider_ready: bool,
) -> tuple[WeeklyOffer, ...]:
    """Products with which this activity is booked every week, from this page's location. The first
    place is this one: where others come before it, it starts with its day."""
    if activity.location_id != location.id:
        return ()
    found = []
    for product in listed(
        catalogue,
        location,
        customer,
        provider_ready=provider_ready,
        kinds=frozenset({ProductKind.SUBSCRIPTION}),
    ):
        price = product.price_in(location.currency)
        if price is None or not product.standing or not sold_for(product, activity, now):
            continue
        standing = weekly.standing_of(activity, product.credits or 1, same_staff=False)
        today = local_date(now, location.zone)
        next_one = weekly.start_in(standing, weekly.first_day(standing, today, now))
        own_day = local_date(activity.starts_at, activity.zone)
        found.append(
            WeeklyOffer(
                product_id=product.id,
                name=product.name,
                price=price,
                total=price + price.share(tax_rate_of(product, location, catalogue.settings)),
                time=weekly_time(standing, catalogue),
                starts_on=None if next_one == activity.starts_at else own_day,
                minimum_payments=product.minimum_payments,
            )
        )
    return tuple(found)
