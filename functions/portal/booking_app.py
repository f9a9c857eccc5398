"""What the routes of schedule and reservations are added to."""

from shared.domain.product import Catalogue
from shared.web.app import App
from shared.wiring import current

app = App(pages="functions.portal.pages", wiring=current, snapshot=Catalogue)
