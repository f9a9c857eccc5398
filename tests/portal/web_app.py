"""A function with a route of every sort, for trying the web layer by itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import AwareDatetime, Field

from infra.local.http_api import Match, Response, event_of, response_of
from infra.local.http_api import Request as HttpRequest
from infra.local.template import Function
from infra.local.template import Route as TemplateRoute
from infra.local.world import LocalWorld
from shared.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    Missing,
    PunchcardError,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from shared.domain.money import Money
from shared.operations.visit import Claims
from shared.store import accounts
from shared.store.items import Lost, StoreUnavailable
from shared.web import assets
from shared.web.answer import Answer, Input, Query, Raw, View
from shared.web.app import App
from shared.web.request import Request, Who
from shared.wiring import current

FUNCTION = Function("Web", "tests.portal.web_app.handler", 25, 1024, {})
ROUTE = TemplateRoute("ANY", "/{anything}", FUNCTION)

app = App(pages="tests.portal.web_pages", wiring=current)
handler = app.handler
seen: list[Any] = []
"""What reached a view."""


class Note(View):
    title: str = "A note"
    price: Money = Money(minor=123_450, currency="USD")
    at: AwareDatetime = datetime(2026, 2, 1, 4, 59, tzinfo=UTC)


class Told(View):
    said: Any = None


class WriteNote(Input):
    title: str
    count: Annotated[int, Field(ge=1, le=9)] = 1
    day: date | None = None
    tags: tuple[str, ...] = ()


class Pages(Query):
    page: Annotated[int, Field(ge=1)] = 1


@app.get("/notes", page="note", answer=Note, query=Pages, summary="A note.")
def read(request: Request) -> Answer:
    return Answer(Note(title=f"page {request.query.page}"))


def again(_: Request, error: PunchcardError) -> Answer | None:
    return Answer(Note(title="Try again")) if isinstance(error, Invalid) else None


@app.post("/notes", page="note", answer=Told, body=WriteNote, on_error=again, summary="Write.")
def write(request: Request) -> Answer:
    body: WriteNote = request.body
    seen.append(body)
    return Answer(Told(said=body), status=201, location="/notes?page=2", done="saved")


@app.delete("/notes", answer=Told, summary="Throw it away.")
def throw_away(_: Request) -> Answer:
    seen.append("thrown away")
    return Answer(Told(said="gone"))


class Go(Input):
    to: str


@app.post("/go", answer=Told, body=Go, summary="Go somewhere.")
def go(request: Request) -> Answer:
    body: Go = request.body
    return Answer(Told(), location=body.to)


@app.post("/pay", answer=Told, idempotency_key=True, summary="Pay.")
def pay(request: Request) -> Answer:
    seen.append(request.idempotency_key)
    return Answer(Told(said=request.idempotency_key))


@app.get("/away", page="note", answer=Note, summary="A form that leads to a provider.")
def away(_: Request) -> Answer:
    return Answer(Note(), leads_to=("https://pay.example",))


@app.get("/mine", page="note", answer=Told, who=Who.CUSTOMER, summary="Who I am.")
def mine(request: Request) -> Answer:
    def own(claims: Claims) -> list[Any]:
        return [accounts.head(claims.customer_id)] if claims.customer_id else []

    found = request.load(own)
    row = found.get(accounts.head(request.signed_in.value.id))
    return Answer(Told(said=row.value.email if row else None))


@app.get("/forgetful", answer=Told, who=Who.CUSTOMER, summary="Asks nobody who they are.")
def forgetful(_: Request) -> Answer:
    return Answer(Told(said="private"))


@app.post("/mine", answer=Told, body=WriteNote, who=Who.CUSTOMER, summary="Write as somebody.")
def write_mine(request: Request) -> Answer:
    seen.append(request.signed_in.value.id)
    return Answer(Told(said="written"))


@app.get("/anyone", answer=Told, summary="Who came, and what was read for what they claim.")
def anyone(request: Request) -> Answer:
    claimed: list[Any] = []

    def own(claims: Claims) -> list[Any]:
        claimed.extend([accounts.head(claims.customer_id)] if claims.customer_id else [])
        return claimed

    found = request.load(own)
    leaked = [found.get(ref) is not None for ref in claimed]
    return Answer(
        Told(
            said={
                "customer": request.claims.customer_id,
                "found": leaked,
                "location": request.location.id,
                "session": request.visit.session is not None,
            }
        )
    )


@app.get("/assets/{file}", summary="A file.", hidden=True)
def file(request: Request) -> Raw:
    return assets.asset(request.params["file"], request.headers.get("if-none-match"))


ERRORS: Mapping[str, Exception] = {
    "invalid": Invalid("Wrong.", fields={"a": "Not so."}),
    "unauthenticated": Unauthenticated("Who?"),
    "forbidden": Forbidden("No."),
    "missing": Missing("Not there."),
    "conflict": Conflict("Changed.", code="cart_changed", now="12.00"),
    "toomany": TooMany("Too often.", retry_after_seconds=42),
    "unavailable": Unavailable("Not now."),
    "lost": Lost([0]),
    "store": StoreUnavailable("no answer from table accounts"),
    "bug": RuntimeError("the secret of the house"),
}


@app.get("/errors/{name}", page="note", answer=Told, summary="Fails.")
def fail(request: Request) -> Answer:
    raise ERRORS[request.params["name"]]


@dataclass
class Web:
    """Sends requests to the function above, as API Gateway does."""

    world: LocalWorld
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        target: str,
        *,
        html: bool = False,
        form: Mapping[str, Any] | None = None,
        content: Any = None,
        body: bytes = b"",
        kind: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        sent = {"host": "127.0.0.1:8000", "accept": "text/html" if html else "*/*"}
        if form is not None:
            body, kind = urlencode(form, doseq=True).encode(), "application/x-www-form-urlencoded"
        if content is not None:
            body, kind = json.dumps(content).encode(), "application/json"
        if kind:
            sent["content-type"] = kind
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent.update(headers or {})
        request = HttpRequest(method, target, list(sent.items()), body)
        event = event_of(request, Match(ROUTE), self.world.now(), "1")
        return response_of(handler(event, None))
