"""What the routes of packs, subscriptions and invoices are added to."""

from shared.web.app import App
from shared.wiring import current

app = App(pages="functions.portal.pages", wiring=current)
