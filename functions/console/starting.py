"""Starting a subscription for a customer: a plain page and its form ([CONSOLE], [PAY]). Owners and
managers only."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from functions.console import words
from functions.console.one_customer import context_of, path_of
from functions.console.pages.models import PlaceChoice, ProductChoice, Started, StartPage
from shared.domain.business import Location
from shared.domain.calendar import Frequency
from shared.domain.charge import Attempt
from shared.domain.collected_by import CollectedBy
from shared.domain.errors import Conflict, Declined, Missing, PunchcardError
from shared.domain.invoice import PaymentKind
from shared.domain.outcome import Outcome
from shared.operations import staff, starting
from shared.operations.answered import Checked
from shared.operations.starting import Start
from shared.operations.visit import Claims, Ref
from shared.store import accounts
from shared.web.answer import Answer, Input, Query
from shared.web.app import App
from shared.web.pages.cards import card_views
from shared.web.request import Request, Who

Id = Annotated[str, Field(min_length=1, max_length=100)]


class StartQuery(Query):
    location: Annotated[str, Field(max_length=100)] | None = None


class StartIt(Input):
    """`starts_on` is today when left out, `frequency` the product's own. `first_payment`: what is
    due today has come in cash or by transfer."""

    product: Id
    location: Id
    collected_by: CollectedBy
    frequency: Annotated[str, Field(max_length=20)] | None = None
    starts_on: date | None = None
    until: date | None = None
    first_payment: Literal["cash", "transfer"] | None = None


def mount_starting(app: App) -> None:
    """Adds the page and its form to the console's app."""
    path = "/console/customers/{customer}/subscriptions"
    app.get(
        path,
        page="console_start",
        answer=StartPage,
        query=StartQuery,
        who=Who.STAFF,
        summary="What can be started for a customer at a location.",
    )(page)
    app.post(
        path,
        answer=Started,
        body=StartIt,
        who=Who.STAFF,
        idempotency_key=True,
        on_error=_again,
        status=201,
        summary="Start a subscription for a customer.",
    )(start)


def page(request: Request) -> Answer:
    query: StartQuery = request.query
    return Answer(_page(request, query.location))


def _page(request: Request, location_id: str | None) -> StartPage:
    ref = accounts.head(request.params["customer"])
    found = request.load(ref).get(ref)
    customer = staff.their_customer(request.staff, found).value
    locations = [one for one in request.catalogue.locations if request.staff.works_at(one.id)]
    location = _chosen(locations, location_id or customer.location)
    return StartPage(
        customer_id=customer.id,
        name=customer.name or customer.email,
        location_id=location.id,
        locations=tuple(PlaceChoice(id=one.id, name=one.name) for one in locations),
        products=tuple(
            ProductChoice(
                id=one.id,
                name=one.name,
                price=price,
                frequency=one.frequency,
                frequencies=one.allowed_frequencies,
            )
            for one in starting.startable(request.catalogue, location)
            if (price := one.price_in(location.currency)) is not None
        ),
        frequencies=tuple(Frequency),
        card=next((one for one in card_views(customer, request.now) if one.default), None),
        may_change=staff.may_change(request.staff),
        idempotency_key=request.wiring.new_id(),
    )


def _chosen(locations: list[Location], wanted: str | None) -> Location:
    if not locations:
        raise Missing("There is no such location.")
    return next((one for one in locations if one.id == wanted), locations[0])


def _again(request: Request, error: PunchcardError) -> Answer | None:
    """The form with what went wrong; none for what this person may not see."""
    if isinstance(error, Missing) or error.code == "cross_site":
        return None
    wanted = request.typed.get("location")
    try:
        found = _page(request, wanted if isinstance(wanted, str) else None)
    except Missing:
        return None
    return Answer(found, page="console_start")


def start(request: Request) -> Answer:
    body: StartIt = request.body
    customer_id, source = request.params["customer"], f"{request.wiring.new_id()}.staff"
    what = Start(
        product_id=body.product,
        location_id=body.location,
        collected_by=body.collected_by,
        frequency=body.frequency,
        starts_on=body.starts_on,
        until=body.until,
        first_payment=PaymentKind(body.first_payment) if body.first_payment else None,
    )

    def refs(claims: Claims) -> list[Ref[Any]]:
        press = what.press(customer_id, claims.staff_email or "", request.idempotency_key, source)
        return [accounts.head(customer_id), press.ref]

    found = request.load(refs)
    press = what.press(customer_id, request.staff.email, request.idempotency_key, source)
    answered = starting.start(context_of(request), request.staff, what, press, found)
    match answered.state:
        case Checked.DECLINED:
            raise _declined(answered.attempt)
        case Checked.CONFIRM:
            raise Conflict(
                "The bank asks the customer to confirm. They can buy it in the shop themselves.",
                code="confirmation_needed",
            )
        case Checked.PAID | Checked.PROCESSING:
            paid = answered.state is Checked.PAID
            return Answer(
                Started(state=answered.state, order=answered.charge.source),
                status=201,
                location=path_of(request),
                done="staff_started" if paid else "staff_start_processing",
            )


def _declined(attempt: Attempt | None) -> Declined:
    """Staff are told the provider's own reason."""
    refused = attempt is not None and attempt.outcome is Outcome.REFUSED
    said = words.CAME_TO[Outcome.REFUSED] if refused else "the card was declined"
    why = words.decline(attempt.decline_code) if attempt else ""
    sentence = f"{said[0].upper()}{said[1:]}{why}. Nothing was started."
    return Declined(sentence, code="payment_refused" if refused else None)
