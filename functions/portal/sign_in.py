"""Customers sign in and out ([LINK] [SCAN] [ENUM] [STALE] [SESSION] [WHO])."""

from shared.domain.product import Catalogue
from shared.web.app import App
from shared.web.sign_in import mount_sign_in
from shared.wiring import current

app = App(pages="functions.portal.pages", wiring=current, snapshot=Catalogue)
mount_sign_in(app)

handler = app.handler
