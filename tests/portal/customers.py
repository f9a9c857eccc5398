"""A signed-in customer, as a program and as a person with a browser, and what the store is asked
for one request."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

from infra.local.http_api import Request, Response, event_of
from infra.local.world import LocalWorld
from shared.store import sessions
from shared.store.sessions import Audience, Session
from shared.store.writing import commit, create
from tests.portal.people import CountingEngine
from tests.shop_floor import head

FORM = "application/x-www-form-urlencoded"
LOCATION = "__Host-location=ny"
INPUT = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@dataclass
class Customer:
    """Signed in for 30 minutes from now; `sign_in` again after moving the clock."""

    world: LocalWorld
    id: str
    secrets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sign_in()

    def sign_in(self) -> None:
        secret = f"secret-{self.id}-{len(self.secrets)}"
        now = self.world.now()
        session = Session(
            audience=Audience.CUSTOMER,
            customer_id=self.id,
            email=head(self.id).value.email,
            signed_in_at=now,
            ends_at=now + timedelta(minutes=30),
        )
        commit([create(sessions.session(secret), session)])
        self.secrets.append(secret)

    def headers(self, accept: str, **more: str) -> list[tuple[str, str]]:
        cookie = f"__Host-session={self.id}.{self.secrets[-1]}; {LOCATION}"
        extra = [(name.replace("_", "-"), value) for name, value in more.items()]
        return [("accept", accept), ("cookie", cookie), *extra]

    # As a program

    def get(self, path: str) -> Response:
        return self.world.request("GET", path, self.headers("application/json"))

    def read(self, path: str) -> Any:
        response = self.get(path)
        assert response.status == 200, response.text
        return response.json()

    def post(self, path: str, content: Any = None, *, key: str | None = None) -> Response:
        more = {"content_type": "application/json"} if content is not None else {}
        if key is not None:
            more["idempotency_key"] = key
        body = "" if content is None else json.dumps(content)
        return self.world.request("POST", path, self.headers("application/json", **more), body)

    # As a person

    def see(self, path: str) -> Response:
        return self.world.request("GET", path, self.headers("text/html"))

    def press(self, path: str, **fields: Any) -> Response:
        """Send a form. What a browser would follow is left to the caller."""
        headers = self.headers("text/html", content_type=FORM)
        return self.world.request("POST", path, headers, urlencode(fields))

    # What the store is asked

    def calls(
        self, method: str, path: str, content: Any = None, *, key: str = ""
    ) -> tuple[Response | None, Mapping[str, int]]:
        """One request, carried out by its handler alone: what it sets going is left aside. The
        second value counts the calls of DynamoDB."""
        engine = self.world.engine
        assert isinstance(engine, CountingEngine)
        more = {"content_type": "application/json"} if content is not None else {}
        if key:
            more["idempotency_key"] = key
        body = b"" if content is None else json.dumps(content).encode()
        asked = Request(method, path, self.headers("application/json", **more), body)
        match = self.world.routes.find(method, asked.path)
        assert match is not None
        event = event_of(asked, match, self.world.now(), "counted")
        engine.counts.clear()
        answer = self.world.invoke(match.function, event)
        response = Response(answer["statusCode"], (), answer["body"].encode())
        return response, dict(engine.counts)


def hidden_fields(page: Response, action: str) -> dict[str, str]:
    """What the form that leads to `action` sends by itself."""
    form = page.text.partition(f'action="{action}"')[2].partition("</form>")[0]
    assert form, f"no form leads to {action}"
    return {name: unescape(value) for name, value in INPUT.findall(form)}


def save_card(world: LocalWorld, url: str, number: str) -> str:
    """Fill in the provider's hosted page; answers where it sends the customer."""
    form = {"number": number, "expiry": f"12/{world.now().year + 4}", "cvc": "123"}
    response = world.request("POST", url, [("content-type", FORM)], urlencode(form))
    assert response.status == 303, response.text
    return (response.header("location") or "").removeprefix(world.public_url)


def confirm(world: LocalWorld, url: str, *, answer: str = "confirm") -> str:
    """Answer the bank's question; where it sends the customer."""
    response = world.request("POST", url, [("content-type", FORM)], urlencode({"answer": answer}))
    assert response.status == 303, response.text
    return (response.header("location") or "").removeprefix(world.public_url)


def pages_of(customer: Customer, path: str, name: str) -> list[list[Any]]:
    """A list's pages, from the first to the last."""
    pages: list[list[Any]] = []
    following: str | None = path
    while following is not None:
        assert len(pages) < 100, following
        page = customer.read(following)
        pages.append(page[name])
        following = page["next"]
    return pages
