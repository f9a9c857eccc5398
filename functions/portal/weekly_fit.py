"""Which weekly products are for an activity ([WEEKLY])."""

from datetime import datetime

from shared.domain.activity import Activity
from shared.domain.product import Product


def sold_for(product: Product, activity: Activity, now: datetime) -> bool:
    """Whether a weekly product is for this activity, and it has places left."""
    return (
        activity.open_at(now)
        and activity.service_id == product.service
        and activity.free >= (product.credits or 1)
        and (product.staff_members is None or activity.staff_member in product.staff_members)
    )
