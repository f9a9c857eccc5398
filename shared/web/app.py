"""The web layer: one `App` per function, whose routes answer people and programs alike.

How to write a function::

    from shared.web.answer import Answer, Input, Query, View
    from shared.web.app import App
    from shared.web.request import Request, Who
    from shared.wiring import current

    app = App(pages="functions.portal.pages", wiring=current)

    @app.get("/packs/{pack}", page="pack", answer=PackPage, who=Who.CUSTOMER, summary="One pack.")
    def pack(request: Request) -> Answer:
        found = request.load(lambda claims: [accounts.head(claims.customer_id), ...])
        ...
        return Answer(PackPage(...))

    @app.post("/cart/lines", answer=CartPage, body=AddLine, who=Who.ANYONE, summary="Add a line.")
    def add(request: Request) -> Answer:
        ...
        return Answer(CartPage(...), status=201, location="/cart", done="added")

    handler = app.handler

**Models.** `answer=` is a `View`, `body=` an `Input` (unknown fields refused), `query=` a `Query`
(unknown ones ignored). The same `Input` reads JSON and forms: in a form an empty field is absent,
and a field that is a list or tuple may come several times. `request.body` and `request.query` are
checked instances, typed `Any`: write `line: AddLine = request.body`.

**Who.** `request.load(*refs)` reads session, customer (or staff member), catalogue when stale, and
`refs` in ONE BatchGet; a ref may be a callable from `Claims` (`customer_id`, `cart_pk`,
`location_id`, `visitor`) to refs. Afterwards `request.customer` (`Row[Customer] | None`),
`request.signed_in` (never None), `request.staff`, `request.business`, `request.catalogue` (with its
products), `request.location` and
`request.claims` are proven. Touching them loads, if you did not. For a `CUSTOMER` or `STAFF` route
`load` raises `Unauthenticated`, which the app answers: 401, or 303 to sign-in with `next`.
`App(audience=Audience.STAFF)` reads the staff cookie and sends to `/console/sign-in`.

**Answers.** `Answer(model, status, page, location, done, cookies, headers, leads_to, frames)`, see
`answer.py`. People with a `location` get 303; programs get status, `Location` and the model.
`Raw(body, content_type)` for files.

**Errors.** Raise the errors of `shared/domain/errors.py`; `errors.py` has the statuses. Programs
get problem+json; people the page `error.html`, whose `page` is a `Problem`. With
`on_error=callable(request, error) -> Answer | None` people whose form failed see the form again,
with the error's status; the template has `problems` and `typed`. A bad body never reaches the view.

**Money.** `idempotency_key=True`: `request.idempotency_key` is the header `Idempotency-Key` or the
form's field `idempotency_key`, 8 to 200 characters; without it 422.

**Templates.** `{page}.html` from the function's folder, then `shared/web/pages`. They see `page`,
`frame` (`render.Frame`), `typed`, `problems`, the filters of `filters.py` and `w`: `words.py`.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from pydantic import BaseModel

from shared.domain.business import Business
from shared.domain.errors import Forbidden, Missing, PunchcardError, Unauthenticated, Unavailable
from shared.log import logger
from shared.operations.visit import Audience
from shared.web import errors, render, security
from shared.web.answer import Answer, Input, Raw
from shared.web.request import OnError, Request, Route, Who

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
HTML = "text/html; charset=utf-8"
JSON = "application/json"
PROBLEM = "application/problem+json"
SIGN_IN: Mapping[Audience, str] = {
    Audience.CUSTOMER: "/sign-in",
    Audience.STAFF: "/console/sign-in",
}
HOME: Mapping[Audience, str] = {Audience.CUSTOMER: "/account", Audience.STAFF: "/console"}

View = Callable[[Request], Answer | Raw]
V = TypeVar("V", bound=View)


class _Resolver(APIGatewayHttpResolver):
    """Powertools' resolver keeps the event on its class; here each thread has its own."""

    _event: ContextVar[Any] = ContextVar("event")

    def _to_proxy_event(self, event: dict[str, Any]) -> Any:
        proxy = super()._to_proxy_event(event)
        self._event.set(proxy)
        return proxy

    @property
    def current_event(self) -> Any:  # type: ignore[override]
        return self._event.get()


class App:
    """The routes of one function; see the module. `wiring` gives what the function reaches;
    `snapshot` is `Catalogue` where pages show what is on sale."""

    def __init__(
        self,
        *,
        pages: str,
        wiring: Callable[[], Any],
        audience: Audience = Audience.CUSTOMER,
        snapshot: type[Business] = Business,
    ) -> None:
        self.routes: list[Route] = []
        self.audience = audience
        self._snapshot = snapshot
        self._folder: Path = render.ROOT.joinpath(*pages.split("."))
        self._wiring = wiring
        self._by_path: dict[str, dict[str, Route]] = {}
        self._resolver = _Resolver(enable_validation=False)
        self._resolver.not_found(self._not_found)

    # --- saying what there is ---

    def get(
        self,
        path: str,
        *,
        summary: str,
        answer: type[BaseModel] | None = None,
        page: str | None = None,
        who: Who = Who.ANYONE,
        query: type[BaseModel] | None = None,
        holds_token: bool = False,
        hidden: bool = False,
    ) -> Callable[[V], V]:
        """A page or a thing to read; HEAD answers too. `holds_token`: the path is a secret.
        `hidden` leaves it out of `/openapi.json`."""

        def register(view: V) -> V:
            route = Route("GET", path, view, summary, who, answer, page, query=query)
            self._add(route._replace(holds_token=holds_token, hidden=hidden))
            return view

        return register

    def post(
        self,
        path: str,
        *,
        summary: str,
        answer: type[BaseModel] | None = None,
        page: str | None = None,
        who: Who = Who.ANYONE,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        idempotency_key: bool = False,
        on_error: OnError | None = None,
        status: int = 200,
        holds_token: bool = False,
    ) -> Callable[[V], V]:
        """A change. `status` is that of its success, for `/openapi.json`."""
        if body is not None and body.model_config.get("extra") != "forbid":
            raise TypeError(f"{body.__name__} has to refuse unknown fields: use {Input.__name__}")

        def register(view: V) -> V:
            route = Route("POST", path, view, summary, who, answer, page, body, query)
            self._add(
                route._replace(
                    idempotency_key=idempotency_key,
                    on_error=on_error,
                    status=status,
                    holds_token=holds_token,
                )
            )
            return view

        return register

    def delete(
        self,
        path: str,
        *,
        summary: str,
        answer: type[BaseModel] | None = None,
        who: Who = Who.ANYONE,
    ) -> Callable[[V], V]:
        """The same as some `POST`, for programs: forms have no such method."""

        def register(view: V) -> V:
            self._add(Route("DELETE", path, view, summary, who, answer))
            return view

        return register

    def _add(self, route: Route) -> None:
        if route.who is Who.STAFF and self.audience is not Audience.STAFF:
            raise TypeError(f"{route.path} is for staff, its app is not")
        self.routes.append(route)
        if route.path in self._by_path:
            self._by_path[route.path][route.method] = route
            return
        known = self._by_path[route.path] = {route.method: route}
        rule = route.path.replace("{", "<").replace("}", ">")

        def serve(**params: str) -> Response[Any]:
            return self._serve(known, params)

        self._resolver.route(rule, method=METHODS)(serve)

    # --- answering ---

    def handler(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """What Lambda calls, with an HTTP API event (payload format 2.0)."""
        answer = self._resolver.resolve(event, context)
        if event["requestContext"]["http"]["method"].upper() == "HEAD":
            answer["body"] = ""
            answer["isBase64Encoded"] = False
        return answer

    def _not_found(self, _: Exception) -> Response[Any]:
        return self._serve({}, {})

    def _serve(self, known: Mapping[str, Route], params: Mapping[str, str]) -> Response[Any]:
        event = self._resolver.current_event.raw_event
        method = event["requestContext"]["http"]["method"].upper()
        route = known.get("GET" if method == "HEAD" else method)
        request = Request(
            event,
            route or next(iter(known.values()), NOWHERE),
            params,
            audience=self.audience,
            wiring=self._wiring(),
            snapshot=self._snapshot,
        )
        try:
            if not known:
                raise Missing("There is nothing at this address.")
            if route is None:
                raise errors.MethodNotAllowed(_allowed(known))
            response = self._response(request, self._answer(request))
        except Exception as error:  # noqa: BLE001 - the edge: whatever happens gets an answer
            response = self._failure(request, error, is_known=route is not None)
        logger.info(
            "request",
            extra={
                "route": f"{method} {request.route.path}",
                "status": response.status_code,
                "customer_id": _customer_id(request),
            },
        )
        return response

    def _answer(self, request: Request) -> Answer | Raw:
        if request.method not in ("GET", "HEAD"):
            security.check_origin(request.headers, request.public_url)
        request.check()
        answer = request.route.view(request)
        if request.route.who is not Who.ANYONE and not request.is_loaded:
            request.load()
        return answer

    def _response(
        self, request: Request, answer: Answer | Raw, status: int | None = None
    ) -> Response[Any]:
        if isinstance(answer, Raw):
            headers = self._headers(request)
            headers.update(answer.headers)
            # Powertools would make JSON of whatever is JSON and not text already.
            is_json = answer.content_type.startswith(JSON)
            body = answer.body.decode() if is_json else answer.body
            return Response(
                answer.status,
                answer.content_type,
                body,
                headers,
                compress=answer.compress,
            )
        headers = self._headers(request, leads_to=answer.leads_to, frames=answer.frames)
        headers.update(answer.headers)
        cookies = list(answer.cookies)
        page = answer.page or request.route.page
        if request.wants_html and answer.location is not None:
            headers["Location"] = security.location_header(_with_done(answer.location, answer.done))
            return Response(303, HTML, "", headers, cookies)
        if answer.location is not None:
            headers["Location"] = security.location_header(answer.location)
        if request.wants_html and page is not None:
            shown = self._page(request, page, answer.shown)
            return Response(status or answer.status, HTML, shown, headers, cookies)
        data = answer.shown.model_dump_json()
        return Response(status or answer.status, JSON, data, headers, cookies)

    def _headers(
        self, request: Request, leads_to: tuple[str, ...] = (), frames: tuple[str, ...] = ()
    ) -> dict[str, str]:
        return security.security_headers(
            public_url=request.public_url,
            holds_token=request.route.holds_token,
            leads_to=leads_to,
            frames=frames,
        )

    def _page(
        self, request: Request, page: str, model: BaseModel, frame: render.Frame | None = None
    ) -> str:
        return render.render(
            self._folder,
            page,
            model,
            frame=frame or render.frame_of(request),
            typed=request.typed,
            problems=request.problems,
        )

    # --- failing ---

    def _failure(self, request: Request, cause: Exception, *, is_known: bool) -> Response[Any]:
        error = errors.known(cause)
        if isinstance(error, errors.Unexpected):
            logger.exception("unexpected error", extra={"route": request.route.path})
        try:
            if is_known:
                error = self._nobody_first(request, error)
            if request.wants_html:
                return self._failure_page(request, error)
        except Exception as second:
            logger.exception("error page failed", extra={"cause": type(second).__name__})
        return self._failure_json(request, error)

    def _nobody_first(self, request: Request, error: PunchcardError) -> PunchcardError:
        """Nobody is told what is wrong with a form of a route that is not for them."""
        is_closed = request.route.who is not Who.ANYONE and not isinstance(error, Forbidden)
        if is_closed and not request.is_loaded and not isinstance(error, errors.Unexpected):
            try:
                request.load()
            except Unauthenticated as nobody:
                return nobody
        return error

    def _failure_page(self, request: Request, error: PunchcardError) -> Response[Any]:
        if isinstance(error, Unauthenticated):
            headers = self._headers(request)
            headers["Location"] = self._sign_in_at(request)
            return Response(303, HTML, "", headers)
        from shared.web.problem import ErrorPage, problem_of

        problem = problem_of(error)
        if request.route.on_error is not None and request.method == "POST":
            request.problems = problem.fields or {"": problem.detail}
            answer = request.route.on_error(request, error)
            if answer is not None:
                response = self._response(request, answer, status=problem.status)
                response.headers.update(errors.headers(error))
                return response
        headers = {**self._headers(request), **errors.headers(error)}
        shown = ErrorPage(
            **problem.model_dump(),
            back=security.referring_path(request.headers, request.public_url) or "",
        )
        frame = _frame_even_if_store_is_down(request, error)
        body = self._page(request, "error", shown, frame)
        return Response(problem.status, HTML, body, headers)

    def _failure_json(self, request: Request, error: PunchcardError) -> Response[Any]:
        from shared.web.problem import problem_of

        problem = problem_of(error)
        headers = {**self._headers(request), **errors.headers(error)}
        if isinstance(error, Unauthenticated):
            headers["WWW-Authenticate"] = 'Cookie realm="Punchcard"'
        optional = ("fields", "facts", "retry_after_seconds")
        empty = {name for name in optional if not getattr(problem, name)}
        body = problem.model_dump_json(exclude=empty)
        return Response(problem.status, PROBLEM, body, headers)

    def _sign_in_at(self, request: Request) -> str:
        """Sign-in, and back to the page that was asked for, or where the form was."""
        if request.method in ("GET", "HEAD"):
            back = security.local_path(request.here)
        else:
            back = security.referring_path(request.headers, request.public_url)
        parameter = security.next_parameter(back or HOME[self.audience])
        return f"{SIGN_IN[self.audience]}?{parameter}"


def _frame_even_if_store_is_down(request: Request, error: PunchcardError) -> render.Frame:
    if request.is_loaded or not isinstance(error, Unavailable):
        try:
            return render.frame_of(request)
        except (PunchcardError, *errors.OF_THE_STORE):
            logger.warning("error page without its frame")
    return render.plain_frame(request)


def _nothing(_: Request) -> Answer:
    raise Missing("There is nothing at this address.")


NOWHERE = Route("GET", "(none)", _nothing, "", hidden=True)
"""Stands for an address that no route has."""


def _allowed(known: Mapping[str, Route]) -> tuple[str, ...]:
    return tuple(sorted([*known, *(["HEAD"] if "GET" in known else [])]))


def _with_done(location: str, done: str | None) -> str:
    if done is None:
        return location
    return f"{location}{'&' if '?' in location else '?'}{urlencode({'done': done})}"


def _customer_id(request: Request) -> str | None:
    return request.claims.customer_id if request.is_loaded else None
