"""The Stripe stand-in on a bench: a clock that is moved, webhooks that are collected, a customer
who fills in forms, and a caller who speaks Stripe's API as its documentation has it."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from infra.local.stripe_standin import Stripe

KEY = "sk_test_standin"
SECRETS = ("whsec_present", "whsec_next")
PUBLIC_URL = "http://127.0.0.1:8000"
MOUNT = "/_local/stripe"
RETURN_URL = "https://shop.example/checkout?cart=7"
SUCCESS_URL = "https://shop.example/saved?setup={CHECKOUT_SESSION_ID}"
CANCEL_URL = "https://shop.example/cards"

Content = dict[str, Any]


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    at: datetime = field(default_factory=lambda: datetime(2026, 1, 31, 12, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: dict[str, str]
    content: Content

    @property
    def error(self) -> Content:
        found: Content = self.content["error"]
        return found

    @property
    def refused(self) -> tuple[int, str | None]:
        """The status and the code of an error."""
        return self.status, self.error.get("code")


class Bench:
    """One merchant's Stripe, and what a test of it moves."""

    def __init__(self, **options: Any) -> None:
        self.now = Clock()
        self.posted: list[tuple[datetime, str, dict[str, str], bytes]] = []
        self.stripe = Stripe(
            self.now,
            self._deliver,
            options.pop("key", KEY),
            SECRETS,
            PUBLIC_URL,
            MOUNT,
            seed=7,
            **options,
        )

    def _deliver(self, delay: int, path: str, headers: dict[str, str], body: bytes) -> None:
        self.posted.append((self.now() + timedelta(seconds=delay), path, headers, body))

    def advance(self, **span: int) -> None:
        self.now.at += timedelta(**span)

    # Stripe's API

    def call(
        self,
        method: str,
        path: str,
        content: Content | None = None,
        *,
        idempotency_key: str | None = None,
        bearer: str = KEY,
        headers: dict[str, str] | None = None,
    ) -> Answered:
        """One call; `content` is written with brackets, as the documentation shows it."""
        sent = {"Authorization": f"Bearer {bearer}", **(headers or {})}
        if idempotency_key is not None:
            sent["Idempotency-Key"] = idempotency_key
        form = brackets(content or {})
        body = form.encode() if method == "POST" else b""
        address = f"/v1/{path}" if method == "POST" or not form else f"/v1/{path}?{form}"
        status, answered, answer = self.stripe.handle(method, address, sent, body)
        return Answered(status, answered, json.loads(answer))

    def post(self, path: str, **content: Any) -> Answered:
        return self.call("POST", path, content)

    def get(self, path: str, **content: Any) -> Content:
        """What is read; it must be there."""
        answered = self.call("GET", path, content)
        assert answered.status == 200, answered.content
        return answered.content

    def pay(self, saved: tuple[str, str], **changes: Any) -> Answered:
        """A payment of 49 dollars with a saved card, without the customer."""
        return self.call("POST", "payment_intents", payment(saved, **changes))

    # The customer's browser

    def look(self, address: str) -> tuple[int, dict[str, str], str]:
        status, headers, page = self.stripe.handle("GET", below_mount(address), {}, b"")
        return status, headers, page.decode()

    def submit(self, address: str, **form: str) -> tuple[int, dict[str, str], str]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(form).encode()
        status, answered, page = self.stripe.handle("POST", below_mount(address), headers, body)
        return status, answered, page.decode()

    # The endpoint

    def events(self) -> list[Content]:
        """Those that have arrived, in the order in which they were sent."""
        return [json.loads(body) for due, _, _, body in self.posted if due <= self.now()]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]

    def forget_events(self) -> None:
        self.posted.clear()


def payment(saved: tuple[str, str], **changes: Any) -> Content:
    customer, method = saved
    content = {
        "amount": 4_900,
        "currency": "usd",
        "customer": customer,
        "payment_method": method,
        "confirm": "true",
        "off_session": "true",
        "metadata": {"charge_ref": "charge-1", "attempt_id": "attempt-a"},
    }
    return {name: one for name, one in {**content, **changes}.items() if one is not None}


def brackets(content: Content) -> str:
    """A form as Stripe's documentation writes it: `metadata[key]`, `expand[]`."""
    pairs: list[tuple[str, str]] = []

    def add(name: str, value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{name}[{key}]", inner)
        elif isinstance(value, list):
            for inner in value:
                add(f"{name}[]", inner)
        else:
            pairs.append((name, str(value)))

    for name, value in content.items():
        add(name, value)
    return "&".join(f"{quote(name, safe='[]')}={quote(value)}" for name, value in pairs)


def below_mount(address: str) -> str:
    return address.removeprefix(PUBLIC_URL).removeprefix(MOUNT)
