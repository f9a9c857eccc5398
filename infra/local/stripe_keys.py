"""Stripe's idempotency layer, rate limiter and API keys, as documented.

- docs.stripe.com/api/idempotent_requests: the first request with a key is carried out and its
  answer kept, be it a success, a decline or a 500; the same key answers the same for at least 24
  hours, marked `Idempotent-Replayed: true`, and is then forgotten. Another call or other
  parameters under it are an `idempotency_error`. Keys have at most 255 characters.
- docs.stripe.com/error-low-level: what is refused before the call begins is not kept: a missing or
  wrong key (401), a rate limit (429), parameters that are not valid (400), a key that is in use
  (409).
- docs.stripe.com/rate-limits: 25 calls a second in test mode, 100 in live mode.
"""

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.local.stripe_errors import StripeRefusal, rate_limited
from infra.local.stripe_params import Params

KEY_LIFETIME = timedelta(hours=24)
MAX_KEY_CHARACTERS = 255
TEST_CALLS_PER_SECOND = 25
LIVE_CALLS_PER_SECOND = 100

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class _Kept:
    """What a key stands for: the request, and the answer that it got."""

    request: str
    answer: Answer
    at: datetime


class IdempotencyKeys:
    """The keys of one mode, and their answers."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self.in_use: set[str] = set()
        """Keys whose first request has not ended, as tests want it."""

    def find(self, key: str, request: str) -> Answer | None:
        """The answer that the key got before. Raises `StripeRefusal`."""
        if len(key) > MAX_KEY_CHARACTERS:
            message = f"Idempotency keys can be up to {MAX_KEY_CHARACTERS} characters in length."
            raise StripeRefusal(400, message)
        if key in self.in_use:
            message = "There is currently another in-progress request using this key."
            raise StripeRefusal(
                409, message, type_="idempotency_error", code="idempotency_key_in_use"
            )
        self._forget_old_ones()
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.request != request:
            message = (
                "Keys for idempotent requests can only be used with the same endpoint and "
                "parameters they were first used with."
            )
            raise StripeRefusal(400, message, type_="idempotency_error")
        status, headers, body = kept.answer
        return status, {**headers, "Idempotent-Replayed": "true"}, body

    def keep(self, key: str, request: str, answer: Answer) -> None:
        self._kept[key] = _Kept(request, answer, self._now())

    def _forget_old_ones(self) -> None:
        while self._kept and self._now() - next(iter(self._kept.values())).at >= KEY_LIFETIME:
            self._kept.popitem(last=False)


class RateLimit:
    """Counts the calls of each second; `per_second` is None for no limit."""

    def __init__(self, now: Callable[[], datetime], per_second: int | None) -> None:
        self._now = now
        self.per_second = per_second
        self._second = 0
        self._calls = 0
        self.most = 0
        """The most calls that ever came in one second, refused ones too."""

    def count(self) -> None:
        """Raises `StripeRefusal` (429) for a call too many."""
        second = int(self._now().timestamp())
        if second != self._second:
            self._second, self._calls = second, 0
        self._calls += 1
        self.most = max(self.most, self._calls)
        if self.per_second is not None and self._calls > self.per_second:
            raise rate_limited()


def request_of(method: str, path: str, params: Params) -> str:
    """What makes two requests the same."""
    return json.dumps([method, path, params], sort_keys=True)


def key_in(authorization: str) -> str:
    """The secret key of a request, as a bearer token or as the user of HTTP basic
    (docs.stripe.com/api/authentication); empty when there is none."""
    scheme, _, credentials = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip()
        case "basic":
            try:
                return b64decode(credentials, validate=True).decode().partition(":")[0]
            except (NotBase64, UnicodeDecodeError):
                return ""
        case _:
            return ""
