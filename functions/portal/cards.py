"""Cards on file, and the emailed link that leads only to updating one ([CARDS] [SCAN])."""

import re
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import AfterValidator, Field

from functions.portal import card_views, hosted
from functions.portal.ids import path_id
from functions.portal.pages.card_models import (
    CardEnterPage,
    CardPage,
    CardsPage,
    CardUpdatePage,
    CardUpdateState,
)
from shared.domain.card_number import is_card_number
from shared.domain.customer import Customer
from shared.domain.errors import PunchcardError
from shared.operations import card_entry, card_link, card_removal, cards
from shared.operations.cards import Saved
from shared.operations.collect import Renewed
from shared.store import accounts
from shared.store.card_links import CardLink
from shared.store.card_links import card_link as card_link_at
from shared.web.answer import Answer, Input, Query
from shared.web.app import App
from shared.web.request import Request, Who
from shared.web.security import local_path
from shared.wiring import current

app = App(pages="functions.portal.pages", wiring=current)


def _cards(request: Request, customer: Customer, **answer: Any) -> Answer:
    subscriptions = accounts.subscriptions_of(customer.id).rows
    page = card_views.cards_page(
        customer,
        [one.value for one in subscriptions],
        request.now,
        provider_ready=hosted.is_ready(request),
        set_up=hosted.set_up(request),
    )
    return Answer(page, page="cards", leads_to=hosted.origins(request), **answer)


@app.get("/cards", page="cards", answer=CardsPage, who=Who.CUSTOMER, summary="The cards on file.")
def show_cards(request: Request) -> Answer:
    return _cards(request, request.signed_in.value)


def _cards_again(request: Request, _: PunchcardError) -> Answer:
    ref = request.signed_in.ref
    row = request.load(ref).get(ref) or request.signed_in
    return _cards(request, row.value)


class AddCard(Input):
    """`next` is the page to go on with afterwards: a path of this site."""

    next: Annotated[str, Field(max_length=1000)] = "/cards"


@app.post(
    "/cards",
    page="cards",
    answer=CardPage,
    body=AddCard,
    who=Who.CUSTOMER,
    on_error=_cards_again,
    status=201,
    summary="Open the provider's page for a new card.",
)
def add_card(request: Request) -> Answer:
    body: AddCard = request.body
    context = hosted.context(request)
    back = {
        "provider": context.preferred_provider,
        "next": local_path(body.next) or "/cards",
    }
    setup = cards.start(
        context,
        request.signed_in.value,
        return_path=f"/cards/return?{urlencode(back)}",
        enter_path=f"{cards.ENTER_PATH}?{urlencode(back)}",
    )
    url = setup.url or ""
    return Answer(CardPage(setup_id=setup.setup_id, url=url), status=201, location=url)


class CardReturn(Query):
    setup: Annotated[str, Field(min_length=1, max_length=200)]
    provider: Annotated[str, Field(max_length=50)] = ""
    next: Annotated[str, Field(max_length=1000)] = "/cards"


@app.get(
    "/cards/return",
    page="cards",
    answer=CardsPage,
    query=CardReturn,
    who=Who.CUSTOMER,
    summary="Back from the provider's page: the card that was saved there is put on file.",
)
def returned(request: Request) -> Answer:
    """It changes something by GET, since that is how the provider sends people back: only what
    the provider itself says of this customer's own setup, and once."""
    query: CardReturn = request.query
    saved = _finish(request, query, request.signed_in.value.id)
    return _go_on(request, saved, query.next)


def _go_on(request: Request, saved: Saved, wanted: str) -> Answer:
    """To the page that the customer came from, told what became of the card."""
    back = local_path(wanted) or "/cards"
    if saved.card is not None:
        back = _with_card(back, saved.card.id)
    ref = request.signed_in.ref
    row = request.load(ref).get(ref) or request.signed_in
    return _cards(request, row.value, location=back, done=_done(saved))


def _with_card(back: str, card_id: str) -> str:
    """Where people go on, with the card they added chosen there, on pages where one is chosen."""
    there = urlsplit(back)
    if there.path != "/checkout" and not there.path.startswith("/schedule/"):
        return back
    kept = [(name, value) for name, value in parse_qsl(there.query) if name != "card"]
    return f"{there.path}?{urlencode([*kept, ('card', card_id)])}"


def _finish(request: Request, query: CardReturn, customer_id: str) -> Saved:
    context = hosted.context(request)
    name = query.provider or context.preferred_provider
    return cards.finish(context, name, query.setup, customer_id=customer_id)


def _done(saved: Saved) -> str | None:
    """Which sentence the next page shows."""
    if saved.card is None:
        return "card_not_saved" if saved.failure else None
    return _tried(saved.tried) or "card_added"


def _tried(tried: tuple[tuple[str, Renewed], ...]) -> str | None:
    results = {result for _, result in tried}
    if Renewed.NOT_PAID in results:
        return "card_not_charged"
    return "card_paid" if Renewed.COLLECTED in results else None


@app.post(
    "/cards/{card}/default",
    page="cards",
    answer=CardsPage,
    who=Who.CUSTOMER,
    on_error=_cards_again,
    summary="Name the default card; what is owed is tried on it at once.",
)
def make_default(request: Request) -> Answer:
    card_id, customer = path_id(request, "card"), request.signed_in.value
    _, tried = cards.make_default(hosted.context(request), customer.id, card_id)
    ref = request.signed_in.ref
    fresh = request.load(ref).get(ref)
    done = _tried(tried) or "card_default"
    return _cards(request, fresh.value if fresh else customer, location="/cards", done=done)


@app.post(
    "/cards/{card}/remove",
    page="cards",
    answer=CardsPage,
    who=Who.CUSTOMER,
    on_error=_cards_again,
    summary="Take a card off file.",
)
def remove(request: Request) -> Answer:
    card_id = path_id(request, "card")
    left = card_removal.remove(hosted.context(request), request.signed_in.value.id, card_id)
    return _cards(request, left, location="/cards", done="card_removed")


# --- a link that leads only to updating a card -----------------------------------------------


def _link(request: Request) -> tuple[CardLink | None, Customer | None, CardUpdatePage]:
    """What the token in the path is good for. Looking uses nothing up ([SCAN])."""
    ref = card_link_at(path_id(request, "token"))
    row = request.load(ref).get(ref)
    link = row.value if row is not None and request.now < row.value.ends_at else None
    if link is None:
        return None, None, CardUpdatePage(state=CardUpdateState.STALE)
    head_ref = accounts.head(link.customer_id)
    subscription_ref = accounts.subscription(link.customer_id, link.subscription_id or "none")
    found = request.load(head_ref, subscription_ref)
    head, subscription = found.get(head_ref), found.get(subscription_ref)
    if head is None:
        return None, None, CardUpdatePage(state=CardUpdateState.STALE)
    page = card_views.card_update_page(
        head.value,
        subscription.value if subscription else None,
        request.business,
        request.now,
        of_subscription=link.subscription_id,
    )
    return link, head.value, page


_LINK_STATUS = {
    CardUpdateState.OPEN: 200,
    CardUpdateState.SETTLED: 200,
    CardUpdateState.STALE: 404,
}


def _link_answer(request: Request, page: CardUpdatePage) -> Answer:
    return Answer(page, status=_LINK_STATUS[page.state], leads_to=hosted.origins(request))


@app.get(
    "/card-update/{token}",
    page="card_update",
    answer=CardUpdatePage,
    holds_token=True,
    summary="Where an emailed link to update a card leads; it uses nothing up.",
)
def card_update(request: Request) -> Answer:
    return _link_answer(request, _link(request)[2])


@app.post(
    "/card-update/{token}",
    page="card_update",
    answer=CardPage,
    holds_token=True,
    status=201,
    summary="Open the provider's page for a new card.",
)
def update_card(request: Request) -> Answer:
    link, customer, page = _link(request)
    if link is None or customer is None or page.state is not CardUpdateState.OPEN:
        return _link_answer(request, page)
    context = hosted.context(request)
    back = urlencode({"provider": context.preferred_provider})
    here = f"{card_link.PATH}/{path_id(request, 'token')}"
    setup = cards.start(
        context,
        customer,
        return_path=f"{here}/return?{back}",
        enter_path=f"{here}/enter?{back}",
    )
    url = setup.url or ""
    return Answer(CardPage(setup_id=setup.setup_id, url=url), status=201, location=url)


@app.get(
    "/card-update/{token}/return",
    page="card_update",
    answer=CardUpdatePage,
    query=CardReturn,
    holds_token=True,
    summary="Back from the provider's page, by an emailed link.",
)
def card_updated(request: Request) -> Answer:
    """As `/cards/return`, for the customer of the link and nobody else. When nothing is owed any
    more, the link has done its work and is dead."""
    link, _, page = _link(request)
    if link is None:
        return _link_answer(request, page)
    return _after(request, link, _finish(request, request.query, link.customer_id))


def _after(request: Request, link: CardLink, saved: Saved) -> Answer:
    """The page of the link as it is now that a card was, or was not, put on file."""
    _, _, page = _link(request)
    if saved.card is None:
        return _link_answer(request, page)
    if link.subscription_id is None and not page.owed:
        page = CardUpdatePage(state=CardUpdateState.SETTLED)
    if page.state is CardUpdateState.SETTLED:
        card_link.revoke(path_id(request, "token"))
    return _link_answer(request, page)


# --- a card field of the provider's, in a page of ours ---------------------------------------


FIRST_YEAR, LAST_YEAR = 2000, 2099
_TOKEN = re.compile(r"[0-9A-Za-z_-]{8,100}", re.ASCII)


def _token(text: str) -> str:
    if is_card_number(text):
        raise ValueError("Card numbers must never be sent to us. Use the card field.")
    if _TOKEN.fullmatch(text) is None:
        raise ValueError("The card field has not read a card. Enter it again.")
    return text


class EnterPage(Query):
    """`provider` is the one whose card field is shown, else the one for new cards; `next` is the
    page to go on with afterwards: a path of this site."""

    provider: Annotated[str, Field(max_length=50)] = ""
    next: Annotated[str, Field(max_length=1000)] = "/cards"


class EnterCard(Input):
    """`token` is what the provider's card field made of the card's number. The number itself must
    not be sent, and is refused. A card is good through the last day of `exp_month`."""

    token: Annotated[str, Field(max_length=100), AfterValidator(_token)]
    exp_month: Annotated[int, Field(ge=1, le=12)]
    exp_year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
    provider: Annotated[str, Field(max_length=50)] = ""
    next: Annotated[str, Field(max_length=1000)] = "/cards"


def _enter_page(
    request: Request, provider: str, wanted: str, page: CardUpdatePage | None
) -> Answer:
    """The page with the card field. `page` is that of the link, for whoever came by one."""
    context = hosted.context(request)
    name = provider or cards.provider_name(context)
    field = card_entry.frame(context, name)
    parts = urlsplit(field.url)
    shown = card_views.enter_page(
        name, field.url, local_path(wanted) or "/cards", request.now, owed=page.owed if page else ()
    )
    return Answer(shown, page="card_enter", frames=(f"{parts.scheme}://{parts.netloc}",))


def _entered(request: Request, customer_id: str) -> Saved:
    body: EnterCard = request.body
    context = hosted.context(request)
    return card_entry.enter(
        context,
        body.provider or cards.provider_name(context),
        customer_id,
        token=body.token,
        exp_month=body.exp_month,
        exp_year=body.exp_year,
    )


def _enter_again(request: Request, _: PunchcardError) -> Answer:
    sent = request.typed
    return _enter_page(request, str(sent.get("provider", "")), str(sent.get("next", "")), None)


@app.get(
    cards.ENTER_PATH,
    page="card_enter",
    answer=CardEnterPage,
    query=EnterPage,
    who=Who.CUSTOMER,
    summary="Enter a card in the provider's own field.",
)
def show_enter(request: Request) -> Answer:
    query: EnterPage = request.query
    cards.check_room(request.signed_in.value)
    return _enter_page(request, query.provider, query.next, None)


@app.post(
    cards.ENTER_PATH,
    page="cards",
    answer=CardsPage,
    body=EnterCard,
    who=Who.CUSTOMER,
    on_error=_enter_again,
    summary="Put the card behind a token of the provider's field on file.",
)
def enter(request: Request) -> Answer:
    """The same token again is the same card, so a second press changes nothing."""
    body: EnterCard = request.body
    return _go_on(request, _entered(request, request.signed_in.value.id), body.next)


def _enter_again_by_link(request: Request, error: PunchcardError) -> Answer | None:
    link, _, page = _link(request)
    if link is None or page.state is not CardUpdateState.OPEN:
        return None
    del error
    return _enter_page(request, str(request.typed.get("provider", "")), "", page)


@app.get(
    "/card-update/{token}/enter",
    page="card_enter",
    answer=CardEnterPage,
    query=EnterPage,
    holds_token=True,
    summary="Enter a card in the provider's own field, by an emailed link.",
)
def show_enter_by_link(request: Request) -> Answer:
    query: EnterPage = request.query
    link, _, page = _link(request)
    if link is None or page.state is not CardUpdateState.OPEN:
        return _link_answer(request, page)._replace(page="card_update")
    return _enter_page(request, query.provider, "", page)


@app.post(
    "/card-update/{token}/enter",
    page="card_update",
    answer=CardUpdatePage,
    body=EnterCard,
    holds_token=True,
    on_error=_enter_again_by_link,
    summary="Put the card behind a token of the provider's field on file, by an emailed link.",
)
def enter_by_link(request: Request) -> Answer:
    link, _, page = _link(request)
    if link is None or page.state is not CardUpdateState.OPEN:
        return _link_answer(request, page)
    return _after(request, link, _entered(request, link.customer_id))


handler = app.handler
