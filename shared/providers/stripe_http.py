"""How the official `stripe` package reaches Stripe: over our own transport, one call at a time.

The package puts requests together and pins the version of the API; it is loaded by the first call.
It never repeats a call, and it never sees an answer that is not a well-formed success: what Stripe
refuses is `Refused` here, and everything else that is no answer is `NoAnswer`. Neither carries a
text of Stripe's, which may name people.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from shared.providers.errors import NotSent, ProviderUnavailable, RequestRefused
from shared.providers.stripe_objects import ErrorSeen
from shared.providers.transport import Transport, TransportTimeout

if TYPE_CHECKING:
    from stripe import HTTPClient, StripeClient

    from shared.providers.limits import Pace

API_VERSION = "2026-10-28.endive"
"""The version of Stripe's API that this adapter speaks. Webhook endpoints are made with it too."""

TOO_MANY = 429
KEY_REFUSED = (401, 403)
REFUSALS = (400, 401, 402, 403, 404)
"""Statuses by which Stripe says that nothing was done."""

TRIES_PER_CALL = 4
"""How often a call is sent that Stripe answers with 429 before it has looked at it."""

FIRST_WAIT_SECONDS = 0.25
"""Before the second try; doubled before each further one, and shortened at random by up to half, so
that those who were refused together do not come back together."""

Ask = Callable[["StripeClient"], Any]


class Refused(Exception):
    """Stripe's own word that it did not do what was asked, or not yet."""

    def __init__(self, status: int, error: ErrorSeen) -> None:
        super().__init__(f"Stripe answered {status} {error.word}".rstrip())
        self.status = status
        self.error = error

    @property
    def is_missing(self) -> bool:
        return self.error.code == "resource_missing"

    @property
    def is_about_the_key(self) -> bool:
        """An idempotency key that was used with another content."""
        return self.error.type == "idempotency_error"


class NoAnswer(Exception):
    """No answer that could be read. `repeatable`: the request may never have arrived, and the
    same call with the same idempotency key finds out."""

    def __init__(self, why: str, *, repeatable: bool) -> None:
        super().__init__(why)
        self.repeatable = repeatable


class StripeApi:
    """Stripe's API under one key. `pace` is called before every HTTP call; `pause` waits for so
    many seconds."""

    def __init__(
        self,
        key: str,
        base_url: str,
        transport: Transport,
        pace: Pace,
        pause: Callable[[float], None],
    ) -> None:
        self._key = key
        self._base_url = base_url.rstrip("/")
        self._transport = transport
        self._pace = pace
        self._pause = pause

    def call(self, ask: Ask) -> Mapping[str, Any]:
        """What Stripe answers, as it came. Raises `Refused` and `NoAnswer`."""
        try:
            answered = ask(self._client)
        except RecursionError:
            raise NoAnswer("an answer without end", repeatable=False) from None
        found: Mapping[str, Any] = answered.last_response.data
        return found

    @cached_property
    def _client(self) -> StripeClient:
        import stripe

        # At its finer levels the package logs whole requests and answers.
        logging.getLogger("stripe").setLevel(logging.CRITICAL)
        return stripe.StripeClient(
            self._key,
            stripe_version=API_VERSION,
            base_addresses={"api": self._base_url},
            max_network_retries=0,
            http_client=_http_client(self._send, self._base_url),
        )

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
        """The text of a success."""
        status, answer = self._answer(method, path, headers, body)
        try:
            text = answer.decode()
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = text = None
        if status >= 500:
            raise NoAnswer(f"Stripe answered {status}", repeatable=False)
        if status == 200 and isinstance(found, dict) and text is not None:
            return text
        error = found.get("error") if isinstance(found, dict) else None
        if status < 400 or not isinstance(error, dict):
            raise NoAnswer(f"an unreadable answer {status}", repeatable=True)
        raise Refused(status, ErrorSeen.model_validate(error))

    def _answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """The first answer that is not 429, or the last one that is: a limit is reached before
        Stripe looks at keys, so the same call can be sent again."""
        chance = Random(headers.get("Idempotency-Key", path))  # noqa: S311 (spreads, hides nothing)
        longest = FIRST_WAIT_SECONDS
        for tries_left in reversed(range(TRIES_PER_CALL)):
            try:
                self._pace(endpoint_of(method, path))
                status, answer = self._transport(method, path, headers, body)
            except (TransportTimeout, NotSent) as error:
                raise NoAnswer(str(error), repeatable=True) from None
            if status != TOO_MANY or not tries_left:
                break
            self._pause(longest * chance.uniform(0.5, 1))
            longest *= 2
        return status, answer


Send = Callable[[str, str, Mapping[str, str], bytes], str]

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def _http_client(send: Send, base_url: str) -> HTTPClient:
    """The package's way of sending, over ours; made here, where its base class is loaded."""
    import stripe

    class OverTransport(stripe.HTTPClient):
        name = "punchcard"

        def request(
            self,
            method: str,
            url: str,
            headers: Mapping[str, str] | None,
            post_data: Any = None,
            **_usage: Any,
        ) -> tuple[str, int, Mapping[str, str]]:
            body = (post_data or "").encode()
            path = url.removeprefix(base_url)
            return send(method.upper(), path, headers or {}, body), 200, _NO_HEADERS

        def close(self) -> None:
            """Connections are the transport's."""

    return OverTransport()


def endpoint_of(method: str, path: str) -> str:
    """The call without ids, as `Pace` wants it: `POST /v1/payment_intents/confirm`."""
    _, version, *steps = path.partition("?")[0].split("/")
    named = 2 if steps[:1] == ["checkout"] else 1
    return f"{method} /{'/'.join([version, *steps[:named], *steps[named + 1 :]])}"


def asked(api: StripeApi, ask: Ask) -> Mapping[str, Any]:
    """The answer to a call that moves no money. Raises `Refused` and `ProviderUnavailable`."""
    try:
        return api.call(ask)
    except NoAnswer as nothing:
        raise ProviderUnavailable(str(nothing)) from None


def found_or_none(api: StripeApi, ask: Ask) -> Mapping[str, Any] | None:
    """What is asked for by its id, or None for what Stripe does not have. Whatever else it
    answers is `ProviderUnavailable`, an object of the other mode too: that is not "not found"."""
    try:
        return asked(api, ask)
    except Refused as refused:
        if refused.is_missing and not refused.error.of_other_mode:
            return None
        raise ProviderUnavailable(str(refused)) from None


def refusal(refused: Refused) -> ProviderUnavailable | RequestRefused:
    """What a refusal of a call is that moves no money."""
    if refused.status in REFUSALS and not refused.is_about_the_key:
        return RequestRefused(str(refused))
    return ProviderUnavailable(str(refused))
