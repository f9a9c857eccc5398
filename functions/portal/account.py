"""The account at a glance ([FORECAST] [OWN])."""

from functions.portal.glance import account_page
from functions.portal.pages.account_models import AccountPage
from shared.store import holdings
from shared.web.answer import Answer
from shared.web.app import App
from shared.web.request import Request, Who
from shared.wiring import current

app = App(pages="functions.portal.pages", wiring=current)


@app.get(
    "/account",
    page="account",
    answer=AccountPage,
    who=Who.CUSTOMER,
    summary="Credits left and charges to come, at a glance.",
)
def account(request: Request) -> Answer:
    customer = request.signed_in.value
    subscriptions, packs = holdings.holdings_of(customer.id)
    return Answer(account_page(customer, subscriptions, packs, request.business, request.now))


handler = app.handler
