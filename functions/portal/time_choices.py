"""The days and times that a weekly place can be chosen for ([WEEKLY])."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from functions.portal.pages.product_models import TimeChoice
from functions.portal.weekly_fit import sold_for
from shared.domain.activity import Activity
from shared.domain.calendar import DAYS_OF_WEEK
from shared.domain.product import Catalogue, Product
from shared.web.pages.names import staff_name

DAYS_TO_CHOOSE_FROM = timedelta(days=DAYS_OF_WEEK)


TIMES_SHOWN = 60
"""Days and times that a product's page offers; others are chosen from the schedule."""


def time_choices(
    product: Product, activities: Iterable[Activity], catalogue: Catalogue, now: datetime
) -> tuple[TimeChoice, ...]:
    """The days and times of the coming week, to choose one for every week."""
    fitting = [one for one in activities if sold_for(product, one, now)]
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
