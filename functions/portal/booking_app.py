"""What the routes of schedule and reservations are added to."""

from shared.store.catalogue import WITH_PRODUCTS
from shared.web.app import App
from shared.wiring import current

app = App(pages="functions.portal.pages", wiring=current, snapshot=WITH_PRODUCTS)
