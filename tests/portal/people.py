"""People and programs that sign in, and a store that counts what it is asked."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode

from infra.local.aws import Answer
from infra.local.engine import Embedded
from infra.local.http_api import Response
from infra.local.template import Template, load
from infra.local.world import LocalWorld

FORM = "application/x-www-form-urlencoded"
LINK = re.compile(r"(http\S+/sign-in/(\S+))")
CODE = re.compile(r"^\s*(\d{6})\s*$", re.MULTILINE)


class CountingEngine(Embedded):
    """Counts every call, by the operation's name."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def call(self, operation: str, body: bytes) -> Answer:
        self.counts[operation] += 1
        return super().call(operation, body)


@dataclass(frozen=True)
class Email:
    """What a sign-in email holds. `path` is the link's, without the host."""

    path: str
    code: str
    text: str


def emails_to(world: LocalWorld, address: str) -> list[Email]:
    """Every sign-in email to an address, newest first."""
    answer = world.request("GET", f"/_local/mail?{urlencode({'to': address})}", JSON)
    found = []
    for mail in answer.json():
        link, code = LINK.search(mail["text"]), CODE.search(mail["text"])
        assert link is not None and code is not None, mail["text"]
        path = link[1].removeprefix(world.public_url)
        found.append(Email(path=path, code=code[1], text=mail["text"]))
    return found


JSON = {"accept": "application/json"}


@dataclass
class Person:
    """A browser of somebody's own: it keeps cookies. With `html` off, a program."""

    world: LocalWorld
    html: bool = True
    source_ip: str = "192.0.2.1"
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        target: str,
        body: str = "",
        kind: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        sent = {"accept": "text/html" if self.html else "application/json", **(headers or {})}
        if kind:
            sent["content-type"] = kind
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        response = self.world.request(method, target, sent, body, source_ip=self.source_ip)
        for one in response.cookies:
            pair, *attributes = one.split("; ")
            name, _, value = pair.partition("=")
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return response

    def get(self, target: str) -> Response:
        return self.ask("GET", target)

    def post(self, target: str, **fields: Any) -> Response:
        """A form from a browser, JSON from a program."""
        if self.html:
            return self.ask("POST", target, urlencode(fields), FORM)
        return self.ask("POST", target, json.dumps(fields), "application/json")

    def ask_for_link(self, email: str, **more: str) -> Email:
        """Ask, and read the email that came."""
        assert self.post("/sign-in", email=email, **more).status in (202, 303)
        return emails_to(self.world, email)[0]

    @property
    def is_signed_in(self) -> bool:
        """Whether the portal takes this browser for somebody."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"accept": "text/html", "cookie": cookie}
        return self.world.request("GET", "/sign-in", headers).status == 303


@cache
def template() -> Template:
    """The project's own, read once for all tests of a process."""
    return load(
        {
            "PublicUrl": "http://127.0.0.1:8000",
            "SenderAddress": "punchcard@example.com",
            "Provider": "sandbox",
        }
    )
