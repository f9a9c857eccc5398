"""One activity of the schedule, and what booking it would use ([BOOK] [LEDGER])."""

from functions.portal import hosted
from functions.portal.activity_page import activity_page
from functions.portal.booking_view import ActivityQuery
from functions.portal.ids import path_id
from functions.portal.pages.activity_models import ActivityToBook
from shared.domain.product import Catalogue
from shared.web.answer import Answer
from shared.web.app import App
from shared.web.request import Request
from shared.wiring import current

app = App(pages="functions.portal.pages", wiring=current, snapshot=Catalogue)


@app.get(
    "/schedule/{activity}",
    page="activity",
    answer=ActivityToBook,
    query=ActivityQuery,
    summary="One activity, and what booking it would use.",
)
def activity(request: Request) -> Answer:
    query: ActivityQuery = request.query
    activity_id = path_id(request, "activity")
    page = activity_page(request, activity_id, query.participants, query.card, query.pack)
    return Answer(page, leads_to=hosted.origins(request))


handler = app.handler
