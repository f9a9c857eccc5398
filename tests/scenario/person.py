"""Somebody with a browser: links, forms and cookies over HTTP, and nothing else."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.operations.cards import ENTER_PATH
from tests import banking

MAX_REDIRECTS = 8
FORM = "application/x-www-form-urlencoded"


class Person:
    """Follows redirects as a browser does, and reads pages as JSON where that is easier."""

    def __init__(self, world: LocalWorld, email: str) -> None:
        self.world = world
        self.email = email
        self.cookies: dict[str, str] = {}

    def ask(
        self,
        method: str,
        target: str,
        fields: Mapping[str, Any] | None = None,
        *,
        accept: str = "text/html",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One request, redirects not followed."""
        sent = {"accept": accept, "host": "127.0.0.1:8000", **(headers or {})}
        ours = not target.startswith(f"{self.world.public_url}/_local/")
        if self.cookies and ours:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = ""
        if method == "POST":
            sent["content-type"] = FORM
            sent["sec-fetch-site"] = "same-origin"
            body = urlencode(fields or {})
        response = self.world.request(method, target, sent, body)
        for name, value in response.headers:
            if name.lower() == "set-cookie":
                self._keep(value)
        return response

    def _keep(self, text: str) -> None:
        pair, *attributes = text.split(";")
        name, _, value = pair.strip().partition("=")
        gone = any(one.strip().lower() in ("max-age=0", "max-age=-1") for one in attributes)
        if gone or not value:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    def go(self, method: str, target: str, fields: Mapping[str, Any] | None = None) -> Response:
        """A request and all the redirects that it leads to; the last page."""
        response = self.ask(method, target, fields)
        for _ in range(MAX_REDIRECTS):
            if response.status not in (302, 303):
                return response
            target = header(response, "location")
            response = self.ask("GET", target)
        raise AssertionError(f"redirected {MAX_REDIRECTS} times")

    def page(self, path: str) -> str:
        response = self.go("GET", path)
        assert response.status == 200, (path, response.status, response.body[:400])
        return unescape(response.body.decode())

    def data(self, path: str) -> Any:
        response = self.ask("GET", path, accept="application/json")
        assert response.status == 200, (path, response.status, response.body[:400])
        return json.loads(response.body)

    # --- what customers do ---

    def mails(self) -> list[dict[str, Any]]:
        """This person's mailbox, newest first."""
        found: list[dict[str, Any]] = self.data(f"/_local/mail?{urlencode({'to': self.email})}")
        return found

    def sign_in(self, *, at: str = "/sign-in") -> None:
        answer = self.go("POST", at, {"email": self.email})
        assert answer.status in (200, 202), answer.body[:300]
        pattern = rf"{re.escape(self.world.public_url)}{at}/[\w\-.~]+"
        link = re.search(pattern, self.mails()[0]["text"])
        assert link is not None, self.mails()[0]["text"]
        shown = self.ask("GET", link[0])
        assert shown.status == 200
        landed = self.go("POST", urlsplit(link[0]).path)
        assert landed.status == 200, (landed.status, landed.body[:300])

    def add(self, product: str, **fields: Any) -> None:
        answer = self.go("POST", "/cart/lines", {"product": product, **fields})
        assert answer.status == 200, (product, answer.status, answer.body[:600])

    def save_card(self, number: str) -> Response:
        """The provider's hosted page, or its field in a page of ours, filled in, and back."""
        away = self.ask("POST", "/cards")
        assert away.status == 303, (away.status, away.body[:400])
        hosted = header(away, "location")
        assert self.ask("GET", hosted).status == 200
        if urlsplit(hosted).path == ENTER_PATH:
            provider = dict(parse_qsl(urlsplit(hosted).query))["provider"]
            filled_in = banking.field_filled_in(self.world, number)
            return self.go("POST", ENTER_PATH, {**filled_in, "provider": provider})
        return self.go("POST", hosted, {"number": number, "expiry": "12 / 34", "cvc": "123"})

    def pay(self, **changed: Any) -> Response:
        """Review the cart and press the button."""
        review = self.data("/checkout")
        fields = {
            "cart": review["cart"],
            "card": review["card"] or "",
            "expected_total": review["expected_total"],
            "idempotency_key": review["idempotency_key"],
            **changed,
        }
        return self.go("POST", "/checkout", fields)


def header(response: Response, name: str) -> str:
    return next(value for key, value in response.headers if key.lower() == name)


def move_clock(world: LocalWorld, to: str) -> Any:
    """`POST /_local/clock`; what happened on the way."""
    response = world.request(
        "POST",
        "/_local/clock",
        {"content-type": "application/json", "accept": "application/json"},
        json.dumps({"to": to}),
    )
    assert response.status == 200, response.body
    return json.loads(response.body)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)
