"""One product's page, for the shop, and for whom the cart could not take it as it was asked for."""

from functions.portal.pages.product_models import ProductPage
from functions.portal.shop_view import product_page
from shared.web.request import Request


def product_page_for(request: Request, product_id: str) -> ProductPage:
    """The page of a product for who is here. `Missing` for what they are not to see ([VISIBLE])."""
    customer = request.customer.value if request.customer else None
    page = product_page(
        request.catalogue,
        request.location,
        customer,
        product_id,
        request.now,
        provider_ready=bool(request.wiring.preferred_provider(request.catalogue)),
    )
    return _with_times(request, page) if page.product.standing and page.can_add else page


def _with_times(request: Request, page: ProductPage) -> ProductPage:
    """A weekly place's page with the days and times to choose from: one round trip more. Few
    products are that, and only their pages load what a schedule is made of."""
    from functions.portal import time_choices
    from shared.store import schedule

    location, now = request.location, request.now
    product = request.catalogue.product(page.product.id)
    if product is None:
        return page
    rows = schedule.schedule_of(location.id, now, now + time_choices.DAYS_TO_CHOOSE_FROM)
    activities = [row.value for row in rows]
    times = time_choices.time_choices(product, activities, request.catalogue, now)
    return page.model_copy(update={"times": times})
