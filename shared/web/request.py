"""One request, as a route sees it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs

from pydantic import BaseModel

from shared.domain.business import Business, Location
from shared.domain.customer import Customer
from shared.domain.errors import Invalid, PunchcardError, Unauthenticated
from shared.operations.visit import (
    Audience,
    Claims,
    Found,
    Refs,
    Row,
    Visit,
    look,
    more,
    with_products,
)
from shared.web import accept, body
from shared.web.answer import (
    LOCATION_COOKIE,
    SESSION_COOKIE,
    STAFF_COOKIE,
    VISITOR_COOKIE,
    Answer,
    Raw,
)

if TYPE_CHECKING:
    from shared.domain.product import Catalogue
    from shared.operations.visit import StaffMember

MAX_IDEMPOTENCY_KEY = 200
MIN_IDEMPOTENCY_KEY = 8


class Who(StrEnum):
    """Whom a route serves."""

    ANYONE = "anyone"
    CUSTOMER = "customer"
    STAFF = "staff"


class Route(NamedTuple):
    """One method and path, and everything that is said about it; see `App`."""

    method: str
    path: str
    view: Callable[["Request"], Answer | Raw]
    summary: str
    who: Who = Who.ANYONE
    answer: type[BaseModel] | None = None
    page: str | None = None
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    idempotency_key: bool = False
    on_error: "OnError | None" = None
    status: int = 200
    holds_token: bool = False
    hidden: bool = False


OnError = Callable[["Request", PunchcardError], Answer | None]
"""Renders the page again for people whose form failed; None leaves it to the error page."""


class Request:
    """What came in. Header names are lower case; `params` are the path's; `typed` is what was sent
    before it was checked, for showing a form again; `now` (UTC) is read once.

    `customer`, `staff`, `catalogue`, `location` and `claims` bring the visit with them when `load`
    was not called before, so they are always of somebody who is proven to be signed in.
    """

    def __init__(
        self,
        event: Mapping[str, Any],
        route: Route,
        params: Mapping[str, str],
        *,
        audience: Audience,
        wiring: Any,
        snapshot: type[Business] = Business,
    ) -> None:
        http = event["requestContext"]["http"]
        self._event = event
        self.route = route
        self.audience = audience
        self.params = params
        self.wiring = wiring
        self._snapshot = snapshot
        self.now: datetime = wiring.now()
        self.method: str = http["method"].upper()
        self.path: str = event["rawPath"]
        self.query_string: str = event.get("rawQueryString") or ""
        self.headers: Mapping[str, str] = {
            name.lower(): value for name, value in (event.get("headers") or {}).items()
        }
        self.cookies = _cookies(event.get("cookies") or [])
        self.source_ip: str = http.get("sourceIp", "")
        self.wants_html = accept.prefers_html(self.headers.get("accept"))
        self.typed: body.Data = {}
        self.problems: Mapping[str, str] = {}
        self.idempotency_key = ""
        self._body: BaseModel | None = None
        self._query: BaseModel | None = None
        self._visit: Visit | None = None

    @property
    def public_url(self) -> str:
        """Where people reach us, without a slash at the end."""
        url: str = self.wiring.environment.public_url
        return url

    @property
    def here(self) -> str:
        """Path and query, as they came."""
        return self.path + (f"?{self.query_string}" if self.query_string else "")

    @property
    def done(self) -> str:
        """The code of what the page before did, as the address has it."""
        return self._asked("done")

    @property
    def item(self) -> str:
        """The id of the product that `done` is about, if any."""
        return self._asked("item")

    def _asked(self, name: str) -> str:
        try:
            return parse_qs(self.query_string, max_num_fields=body.MAX_FIELDS).get(name, [""])[0]
        except ValueError:
            return ""

    # --- what was sent ---

    @property
    def body(self) -> Any:
        """The checked body, an instance of the route's `body` model."""
        assert self._body is not None, "the route has no body"
        return self._body

    @property
    def query(self) -> Any:
        """The checked query, an instance of the route's `query` model."""
        assert self._query is not None, "the route has no query"
        return self._query

    @cached_property
    def raw_body(self) -> bytes:
        """The bytes as they came. Raises `TooLarge`, `Malformed`."""
        return body.raw_body(self._event)

    def check(self) -> None:
        """Read query and body into the route's models. Raises `Invalid` and other errors."""
        if self.route.query is not None:
            self._query = body.read_query(self.query_string, self.route.query)
        if self.method in ("GET", "HEAD"):
            return
        content_type = self.headers.get("content-type", "")
        wanted = self.route.body
        if wanted is None and not self.route.idempotency_key:
            assert self.raw_body is not None  # too large is too large, read or not
            return
        self.typed, is_form = body.sent(self.raw_body, content_type, wanted)
        key = self.headers.get("idempotency-key", "")
        if is_form and (wanted is None or body.IDEMPOTENCY_FIELD not in wanted.model_fields):
            key = str(self.typed.pop(body.IDEMPOTENCY_FIELD, key))
        self.idempotency_key = key.strip()
        if wanted is not None:
            self._body = body.validated(wanted, self.typed)
        if self.route.idempotency_key:
            self._check_key()

    def _check_key(self) -> None:
        key = self.idempotency_key
        if MIN_IDEMPOTENCY_KEY <= len(key) <= MAX_IDEMPOTENCY_KEY and key.isprintable():
            return
        raise Invalid(
            "This needs an Idempotency-Key.",
            fields={
                "Idempotency-Key": f"Between {MIN_IDEMPOTENCY_KEY} and {MAX_IDEMPOTENCY_KEY} "
                "characters, new for each submission."
            },
        )

    # --- who is here ---

    def load(self, *refs: Refs) -> Found:
        """Read `refs`, and with them who is here and the catalogue, in one round trip.

        A ref may be a callable that gives refs for the `Claims`: it is asked before the session is
        proven, and what it named is dropped when the session does not hold. Called again it reads
        just the new refs, for the claims that hold. Raises `Unauthenticated` when the route needs
        somebody and nobody is signed in.
        """
        if self._visit is not None:
            return more(self._visit, refs)
        self._visit = look(self._claimed(), refs, self.now, self._snapshot)
        if self.route.who is not Who.ANYONE and self._visit.session is None:
            raise Unauthenticated("Please sign in first.")
        return self._visit.found

    def _claimed(self) -> Claims:
        name = STAFF_COOKIE if self.audience is Audience.STAFF else SESSION_COOKIE
        return Claims.of(
            audience=self.audience,
            session=self.cookies.get(name),
            visitor=self.cookies.get(VISITOR_COOKIE),
            location_id=self.cookies.get(LOCATION_COOKIE),
        )

    @property
    def visit(self) -> Visit:
        """Who is here. Loads when that was not done yet."""
        if self._visit is None:
            self.load()
        assert self._visit is not None
        return self._visit

    @property
    def is_loaded(self) -> bool:
        return self._visit is not None

    @property
    def claims(self) -> Claims:
        """What is proven: the customer's id, the visitor's cookie, where the cart is."""
        return self.visit.claims

    @property
    def claimed_customer(self) -> str | None:
        """The customer's id as the cookie says, unproven. What it names may be read beside `load`,
        and is dropped when that raises."""
        return self._claimed().customer_id

    @property
    def customer(self) -> Row[Customer] | None:
        return self.visit.customer

    @property
    def signed_in(self) -> Row[Customer]:
        """The customer. Raises `Unauthenticated` when nobody is signed in."""
        if self.visit.customer is None:
            raise Unauthenticated("Please sign in first.")
        return self.visit.customer

    @property
    def staff(self) -> "StaffMember":
        """The staff member. Raises `Unauthenticated` when nobody is signed in."""
        if self.visit.staff is None:
            raise Unauthenticated("Please sign in first.")
        return self.visit.staff

    @property
    def business(self) -> Business:
        """The merchant; with the products where the app's `snapshot` has them."""
        return self.visit.business

    @property
    def catalogue(self) -> "Catalogue":
        """With all products: one round trip where the app's `snapshot` leaves them out."""
        return with_products(self.visit, self.now)

    @property
    def location(self) -> Location:
        """The chosen location: the cookie's, else the customer's own, else the first."""
        return self.visit.location


def _cookies(pairs: list[str]) -> dict[str, str]:
    """By name; the first of a name counts, as browsers send the most specific first."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if equals:
            found.setdefault(name.strip(), value.strip().strip('"'))
    return found
