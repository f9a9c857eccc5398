"""What pages show of standing weekly reservations ([WEEKLY]). Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from functions.portal.pages.activity_models import WeeklyOffer
from functions.portal.pages.product_models import TimeChoice
from shared.domain import weekly
from shared.domain.activity import Activity
from shared.domain.calendar import DAYS_OF_WEEK, local_date
from shared.domain.customer import Customer
from shared.domain.pricing import tax_rate_of
from shared.domain.product import Catalogue, Location, Product, ProductKind
from shared.domain.shopping import listed
from shared.domain.subscription import Subscription
from shared.web.pages.names import staff_name
from shared.web.pages.weekly import weekly_time

DAYS_TO_CHOOSE_FROM = timedelta(days=DAYS_OF_WEEK)
TIMES_SHOWN = 60
"""Days and times that a product's page offers; others are chosen from the schedule."""


def _sold_for(product: Product, activity: Activity, now: datetime) -> bool:
    """Whether a weekly product is for this activity, and it has places left."""
    return (
        activity.open_at(now)
        and activity.service_id == product.service
        and activity.free >= (product.credits or 1)
        and (product.staff_members is None or activity.staff_member in product.staff_members)
    )


def time_choices(
    product: Product, activities: Iterable[Activity], catalogue: Catalogue, now: datetime
) -> tuple[TimeChoice, ...]:
    """The days and times of the coming week, to choose one for every week."""
    fitting = [one for one in activities if _sold_for(product, one, now)]
    return tuple(
        TimeChoice(
            activity_id=one.id,
            name=one.name,
            starts_at=one.starts_at,
            zone=one.zone,
            staff_member=staff_name(catalogue, one.staff_member),
            free=one.free,
        )
        for one in fitting[:TIMES_SHOWN]
    )


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
        if price is None or not product.standing or not _sold_for(product, activity, now):
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


def standing_held(subscriptions: Sequence[Subscription]) -> tuple[weekly.Standing, ...]:
    """A customer's weekly places that go on."""
    return tuple(
        one.terms.standing
        for one in subscriptions
        if one.terms.standing is not None and not one.over
    )
