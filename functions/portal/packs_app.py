"""What the routes of packs and their statement are added to."""

from shared.web.app import App
from shared.wiring import current

app = App(pages="functions.portal.pages", wiring=current)
