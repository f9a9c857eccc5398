"""Stripe's front door: what comes too often is answered 429, before Stripe looks at it.

It is harder than documented: no second, wherever it begins, may have more calls than the limit, of
all endpoints together and of each. What it turns away does not count.
"""

import json
import re
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.providers.transport import Transport
from tests.pacing.virtual_time import VirtualTime

_ID = re.compile(r"/(?:pi|cus|pm|cs|re|ch|dp|py)_[^/?]+")
_TOO_MANY = json.dumps(
    {"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Too many."}}
).encode()


@dataclass
class Gate:
    """In front of `behind`; an answer takes `latency` seconds, more or less, most of them after the
    call has arrived."""

    time: VirtualTime
    behind: Transport
    per_second: int
    per_endpoint: int
    latency: float
    spread: float = 0.4
    arrived: list[tuple[float, str]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    """429s that were answered, by endpoint."""
    refused_keys: Counter[str] = field(default_factory=Counter)
    """How often each idempotency key was answered 429."""
    _let_in: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def __call__(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        there = 0.1 * self.latency * self._chance()
        self.time.pause(there)
        endpoint = f"{method} {_ID.sub('/{id}', path.partition('?')[0])}"
        self.arrived.append((self.time.seconds(), endpoint))
        if not self._enter(endpoint):
            self.refused[endpoint] += 1
            key = {name.lower(): value for name, value in headers.items()}.get("idempotency-key")
            self.refused_keys[key or ""] += 1
            self.time.pause(there)
            return 429, _TOO_MANY
        answer = self.behind(method, path, headers, body)
        self.time.pause(0.9 * self.latency * self._chance())
        return answer

    def _chance(self) -> float:
        return self.time.rng.uniform(1 - self.spread, 1 + self.spread)

    def _enter(self, endpoint: str) -> bool:
        now = self.time.seconds()
        limits = {"": self.per_second, endpoint: self.per_endpoint}
        for name in limits:
            while self._let_in[name] and self._let_in[name][0] <= now - 1:
                self._let_in[name].popleft()
        if any(len(self._let_in[name]) >= most for name, most in limits.items()):
            return False
        for name in limits:
            self._let_in[name].append(now)
        return True
