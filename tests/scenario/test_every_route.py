"""Every route of `/openapi.json`, walked as nobody, as another customer, as the owner and as
staff; and every mutation tried from another site ([OWN], [ERRORS])."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.activity import Activity
from shared.store import bookings
from shared.store import catalogue as catalogues
from shared.store.staff import Role, StaffMember, write_staff_member
from tests.scenario.person import Person, header, move_clock
from tests.scenario.test_fourteen_months import CATALOGUE, START, join

STAFF = "olga@happypaws.example"
OWNED = {
    *("pack", "subscription", "invoice", "order", "card", "customer", "notice", "line"),
    "reservation",
}
"""Path parameters that name a thing of somebody."""

QUERIES = {"GET /cards/enter": "?provider=cardpointe"}
"""Pages that depend on more than their path: the sandbox has a card page of its own."""

CLASS = Activity(
    id="ny.20260212T1500.class",
    location_id="ny",
    zone="America/New_York",
    service_id="yoga",
    name="Morning yoga",
    starts_at=datetime(2026, 2, 12, 15, tzinfo=UTC),
    ends_at=datetime(2026, 2, 12, 16, tzinfo=UTC),
    places=8,
)


@dataclass(frozen=True)
class Walked:
    method: str
    path: str
    who: str
    takes_key: bool

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Town:
    world: LocalWorld
    owner: Person
    other: Person
    olga: Person
    ids: dict[str, str]

    def path(self, route: Walked) -> str:
        path = re.sub(r"{(\w+)}", lambda match: self.ids[match[1]], route.path)
        return path + QUERIES.get(str(route), "")

    def stored(self) -> str:
        """Everything in the three tables but counters and sessions, for "nothing was changed"."""
        dynamodb = self.world.client("dynamodb")
        names = sorted(dynamodb.list_tables()["TableNames"])
        items = [item for name in names for item in dynamodb.scan(TableName=name)["Items"]]
        return json.dumps(items, sort_keys=True)


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with LocalWorld(start=START) as world:
        catalogues.publish(CATALOGUE)
        write_staff_member(StaffMember(email=STAFF, name="Olga", role=Role.OWNER))
        owner = join(world, "ada@example.com", "ny", "4242424242424242")
        other = join(world, "ben@example.com", "ny", "4242424242424242")
        move_clock(world, "2026-02-10T12:00:00Z")
        owner.sign_in()
        other.sign_in()
        olga = Person(world, STAFF)
        olga.sign_in(at="/console/sign-in")
        owner.add("mat", quantity=1)
        bookings.create_activities([CLASS])
        ids = {
            "pack": owner.data("/packs")["packs"][0]["id"],
            "subscription": owner.data("/subscriptions")["subscriptions"][0]["id"],
            "invoice": owner.data("/invoices")["invoices"][0]["id"],
            "card": owner.data("/cards")["cards"][0]["card"]["id"],
            "line": owner.data("/cart")["lines"][0]["id"],
            "product": "monthly",
            "order": owner_order(world),
            "customer": owner.cookies["__Host-session"].split(".")[0],
            "token": "not-a-token",
            "provider": "sandbox",
            "activity": CLASS.id,
            "reservation": booked(owner),
            "notice": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        }
        yield Town(world, owner, other, olga, ids)


def booked(person: Person) -> str:
    """A reservation of the class; answers its id."""
    key = {"idempotency-key": "key-of-a-booking"}
    answer = person.ask(
        "POST", "/reservations", {"activity": CLASS.id}, accept="application/json", headers=key
    )
    assert answer.status == 201, answer.body
    found: str = json.loads(answer.body)["reservation"]["id"]
    return found


def owner_order(world: LocalWorld) -> str:
    first = world.sandbox.charges()[0].charge_ref
    assert first is not None
    return first.partition("/")[2]


def document(world: LocalWorld) -> dict[str, Any]:
    answer = world.request("GET", "/openapi.json", {"accept": "application/json"})
    assert answer.status == 200
    found: dict[str, Any] = json.loads(answer.body)
    return found


def routes(town: Town) -> list[Walked]:
    found = []
    for path, methods in document(town.world)["paths"].items():
        for method, about in methods.items():
            schemes = [name for one in about["security"] for name in one]
            takes_key = any(one["name"] == "Idempotency-Key" for one in about.get("parameters", []))
            who = schemes[0] if schemes else "anyone"
            found.append(Walked(method.upper(), path, who, takes_key))
    assert len(found) > 40
    return found


def test_the_document_describes_every_route_of_the_rules(town: Town) -> None:
    described = {str(route) for route in routes(town)}
    for needed in (
        "GET /sign-in", "POST /sign-in", "GET /sign-in/{token}", "POST /sign-in/{token}",
        "POST /sign-in/code", "POST /sign-out", "GET /shop", "GET /cart", "POST /cart/lines",
        "GET /checkout", "POST /checkout", "GET /cards", "POST /cards", "GET /packs",
        "GET /packs/{pack}", "GET /subscriptions", "GET /subscriptions/{subscription}",
        "GET /subscriptions/{subscription}/cancel", "POST /subscriptions/{subscription}/cancel",
        "POST /subscriptions/{subscription}/cancel/undo",
        "POST /subscriptions/{subscription}/card", "GET /invoices", "GET /invoices/{invoice}",
        "POST /invoices/{invoice}/pay", "GET /payments", "GET /account",
        "GET /schedule", "POST /reservations", "GET /reservations",
        "POST /webhooks/{provider}", "GET /console",
    ):  # fmt: skip
        assert needed in described, needed


def test_nobody_is_asked_to_sign_in_and_sees_nothing(town: Town) -> None:
    nobody = Person(town.world, "nobody@example.com")
    before = town.stored()
    for route in routes(town):
        if route.who == "anyone":
            continue
        answer = nobody.ask(route.method, town.path(route), accept="application/json")
        # A body that is missing is refused before anybody is looked up; nothing is given away.
        assert answer.status in (401, 415, 422), (str(route), answer.status)
        if route.method == "GET":
            assert answer.status == 401, str(route)
            assert problem(answer)["code"] == "sign_in_required"
            page = nobody.ask("GET", town.path(route))
            assert page.status == 303, str(route)
            assert "/sign-in?" in header(page, "location"), str(route)
    assert town.stored() == before


def test_another_customer_finds_nothing_of_the_owners(town: Town) -> None:
    theirs = {town.ids[name] for name in OWNED - {"notice"}}
    before = town.stored()
    for route in routes(town):
        if route.who == "staff":
            answer = town.other.ask(route.method, town.path(route), accept="application/json")
            assert answer.status in (401, 415, 422), (str(route), answer.status)
            continue
        if route.method == "GET":
            answer = town.other.ask("GET", town.path(route), accept="application/json")
            if OWNED & set(route.parameters):
                assert answer.status == 404, (str(route), answer.status)
            for one in theirs:
                told = answer.body.decode().replace(town.path(route), "")
                assert one not in told, f"{route} shows {one}"
        elif OWNED & set(route.parameters):
            fields = {"idempotency_key": f"walk-{abs(hash(str(route)))}"}
            answer = town.other.ask(
                route.method, town.path(route), fields, accept="application/json"
            )
            assert answer.status in (404, 422), (str(route), answer.status, answer.body)
    assert town.stored() == before


def test_the_owner_sees_every_page_as_a_page_and_as_data(town: Town) -> None:
    for route in routes(town):
        if route.method != "GET" or route.who == "staff" or "token" in route.parameters:
            continue
        if route.path == "/cards/return" or route.path.endswith(("/sign-in/code", "/sign-in")):
            continue  # Begun elsewhere, or behind who is signed in already: they lead on.
        for accept in ("text/html", "application/json"):
            answer = town.owner.ask("GET", town.path(route), accept=accept)
            assert answer.status == 200, (str(route), accept, answer.status, answer.body[:300])
            assert accept in header(answer, "content-type"), str(route)
        head = town.owner.ask("HEAD", town.path(route))
        assert (head.status, head.body) == (200, b""), str(route)


def test_staff_see_every_page_of_the_console(town: Town) -> None:
    for route in routes(town):
        if route.method != "GET" or route.who != "staff":
            continue
        answer = town.olga.ask("GET", town.path(route))
        assert answer.status == 200, (str(route), answer.status, answer.body[:300])


def test_no_mutation_is_taken_from_another_site(town: Town) -> None:
    before = town.stored()
    for route in routes(town):
        if route.method == "GET" or route.path.startswith("/webhooks/"):
            continue
        for person in (town.owner, town.olga):
            for headers in (
                {"sec-fetch-site": "cross-site"},
                {"sec-fetch-site": "same-site"},
                {"sec-fetch-site": "", "origin": "https://evil.example"},
                {"sec-fetch-site": "", "origin": "null"},
            ):
                sent = {name: value for name, value in headers.items() if value}
                answer = ask_from(person, route.method, town.path(route), sent)
                assert answer.status == 403, (str(route), headers, answer.status)
                assert problem(answer)["code"] == "cross_site", str(route)
    assert town.stored() == before


def ask_from(person: Person, method: str, path: str, headers: dict[str, str]) -> Response:
    cookies = "; ".join(f"{name}={value}" for name, value in person.cookies.items())
    return person.world.request(
        method,
        path,
        {
            "accept": "application/json",
            "host": "127.0.0.1:8000",
            "content-type": "application/x-www-form-urlencoded",
            "cookie": cookies,
            **headers,
        },
        "",
    )


def test_every_answer_has_the_security_headers(town: Town) -> None:
    for route in routes(town):
        answer = town.owner.ask(route.method, town.path(route))
        if route.path.startswith("/webhooks/"):
            continue
        names = {name.lower(): value for name, value in answer.headers}
        policy = names["content-security-policy"]
        assert "default-src 'none'" in policy, str(route)
        assert "frame-ancestors 'none'" in policy, str(route)
        assert "unsafe-inline" not in policy, str(route)
        assert names["x-content-type-options"] == "nosniff", str(route)
        assert "referrer-policy" in names, str(route)
        for cookie in (value for name, value in answer.headers if name.lower() == "set-cookie"):
            assert cookie.startswith("__Host-"), cookie
            for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
                assert attribute.lower() in cookie.lower(), cookie


def test_every_wrong_method_is_405_and_says_which_are_right(town: Town) -> None:
    methods: dict[str, set[str]] = {}
    for route in routes(town):
        methods.setdefault(route.path, set()).add(route.method)
    for path, allowed in methods.items():
        wrong = ({"PUT", "PATCH"} - allowed).pop()
        filled = re.sub(r"{(\w+)}", lambda match: town.ids[match[1]], path)
        answer = ask_from(town.owner, wrong, filled, {"sec-fetch-site": "same-origin"})
        assert answer.status == 405, (path, answer.status)
        assert allowed <= set(header(answer, "allow").replace(" ", "").split(","))


def problem(answer: Response) -> dict[str, Any]:
    assert header(answer, "content-type").startswith("application/problem+json")
    found: dict[str, Any] = json.loads(answer.body)
    return found


def test_an_address_that_no_route_owns_gets_an_answer_of_ours(town: Town) -> None:
    for path in ("/nowhere", "/shop/daycare/extra", "/invoices/1/2/3/4"):
        page = town.owner.ask("GET", path)
        assert page.status == 404, path
        assert b"<h1" in page.body, path
        assert "content-security-policy" in {name.lower() for name, _ in page.headers}
        told = town.owner.ask("POST", path, accept="application/json")
        assert (told.status, problem(told)["code"]) == (404, "not_found"), path
