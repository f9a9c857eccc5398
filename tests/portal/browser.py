"""A browser, as far as the portal's tests need one: cookies, forms, JSON."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.customer import Customer
from shared.store import accounts, sessions
from shared.store.sessions import Audience, Session
from shared.store.writing import commit, create
from shared.web.answer import SESSION_COOKIE


@dataclass
class Browser:
    """Keeps the cookies that it is given. A program asks for JSON, a person for pages."""

    world: LocalWorld
    program: bool = True
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: str = "", content_type: str = "") -> Response:
        headers = [("accept", "application/json" if self.program else "text/html")]
        if content_type:
            headers.append(("content-type", content_type))
        if self.cookies:
            pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            headers.append(("cookie", pairs))
        response = self.world.request(method, path, headers, body)
        for name, value in response.headers:
            if name.lower() == "set-cookie":
                self._keep(value)
        return response

    def _keep(self, text: str) -> None:
        pair, *attributes = text.split("; ")
        name, _, value = pair.partition("=")
        if "max-age=0" in (attribute.lower() for attribute in attributes):
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    def get(self, path: str) -> Response:
        return self.ask("GET", path)

    def form(self, path: str, **fields: Any) -> Response:
        return self.ask("POST", path, urlencode(fields), "application/x-www-form-urlencoded")

    def send(self, path: str, content: Any = None, *, method: str = "POST") -> Response:
        if content is None:
            return self.ask(method, path)
        return self.ask(method, path, json.dumps(content), "application/json")

    def sign_in_as(self, customer: Customer) -> None:
        """Be a customer who is stored here and now, without an email."""
        secret = f"secret-of-{customer.id}"
        session = Session(
            audience=Audience.CUSTOMER,
            customer_id=customer.id,
            email=customer.email,
            signed_in_at=self.world.now(),
            ends_at=self.world.now() + timedelta(minutes=30),
        )
        commit(
            [
                create(accounts.head(customer.id), customer),
                create(sessions.session(secret), session),
            ]
        )
        self.cookies[SESSION_COOKIE] = f"{customer.id}.{secret}"


def content(response: Response) -> Any:
    """What a program reads."""
    return json.loads(response.body)
