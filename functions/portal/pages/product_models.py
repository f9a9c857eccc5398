"""One product, to choose from and put into the cart ([SHOP])."""

from datetime import date

from pydantic import AwareDatetime

from functions.portal.pages.shop_models import ProductView
from shared.domain.calendar import Frequency
from shared.domain.next_payment import NextPayment
from shared.domain.shopping import Hidden
from shared.web.answer import View


class LineForm(View):
    """What the form that puts a product into the cart holds at first. `price` is decimal text in
    major units, for pay-what-you-want only."""

    quantity: int = 1
    price: str = ""
    frequency: Frequency | None = None
    starts_on: date | None = None
    until: date | None = None
    next_payment: NextPayment = NextPayment.DEBIT


class TimeChoice(View):
    """A weekday and time of the coming week, named by its activity ([WEEKLY])."""

    activity_id: str
    name: str
    starts_at: AwareDatetime
    zone: str
    staff_member: str = ""
    free: int


class ProductPage(View):
    """`GET /shop/{product}`. `today` is the location's; `latest_start` the last day that may be
    chosen. What was typed before comes back by itself. `access_link` only for who has paid."""

    product: ProductView
    form: LineForm = LineForm()
    today: date
    latest_start: date | None = None
    max_quantity: int = 1
    trial_ends_on: date | None = None
    first_charge_at: AwareDatetime | None = None
    """With a trial that starts today."""
    can_add: bool = True
    why_not: Hidden | None = None
    access_link: str | None = None
    times: tuple[TimeChoice, ...] = ()
    """Of a weekly place: what can be chosen for every week."""
