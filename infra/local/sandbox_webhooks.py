"""How the sandbox reports: signed events, which it can hold back, repeat and shuffle ([SANDBOX]).

The signature is made here anew, and not by the code that checks it on our side: a mistake there
must not cancel itself out.
"""

import hashlib
import hmac
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

WEBHOOK_PATH = "/webhooks/sandbox"
SHUFFLE_WITHIN_SECONDS = 30
"""How far shuffled events are thrown apart."""

MAX_REPEATS = 20

Deliver = Callable[[int, str, dict[str, str], bytes], None]
"""`(delay_seconds, path, headers, body)`: post it that much later. Nothing comes back."""


@dataclass(frozen=True)
class _Event:
    body: bytes
    due: datetime


class Webhooks:
    """Signs events for the moment at which they arrive and queues them until `flush`.

    Events are handed on only by `flush`, so that the sandbox can let go of its lock first: the
    receiver may call back at once.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        deliver: Deliver,
        secrets: Sequence[str],
        rng: random.Random,
    ) -> None:
        self._now = now
        self._deliver = deliver
        self.secrets = tuple(secrets)
        self._rng = rng
        self._held: list[_Event] = []
        self._ready: list[tuple[int, dict[str, str], bytes]] = []
        self.hold = False
        self.repeat = 1
        self.shuffle = False

    @property
    def held(self) -> int:
        """How many events are being held back."""
        return len(self._held)

    def configure(
        self, *, hold: bool | None = None, repeat: int | None = None, shuffle: bool | None = None
    ) -> None:
        """Change what is not None. `repeat` is how often each event is delivered (1 is normal).
        What is held stays held until `release`."""
        if repeat is not None and not 1 <= repeat <= MAX_REPEATS:
            raise ValueError(f"repeat is between 1 and {MAX_REPEATS}")
        self.hold = self.hold if hold is None else hold
        self.repeat = self.repeat if repeat is None else repeat
        self.shuffle = self.shuffle if shuffle is None else shuffle

    def send(self, type_: str, about: dict[str, Any], delay_seconds: int = 0) -> None:
        """Report `about` as an event that happens `delay_seconds` from now."""
        happens = self._now() + timedelta(seconds=delay_seconds)
        content = {
            "id": f"evt_{self._rng.getrandbits(96):024x}",
            "type": type_,
            "created": int(happens.timestamp()),
            "object": about,
        }
        event = _Event(json.dumps(content, separators=(",", ":")).encode(), happens)
        if self.hold:
            self._held.append(event)
        else:
            self._post(event)

    def release(self) -> int:
        """Send what was held and stop holding; answers how many events that were."""
        events, self._held, self.hold = self._held, [], False
        if self.shuffle:
            self._rng.shuffle(events)
        for event in events:
            self._post(event)
        return len(events)

    def discard(self) -> int:
        """Forget what was held, as if it had been lost on the way."""
        lost, self._held = len(self._held), []
        return lost

    def flush(self) -> Callable[[], None]:
        """Take what is ready; the answer hands it on and is called without any lock held."""
        ready, self._ready = self._ready, []

        def hand_on() -> None:
            for delay_seconds, headers, body in ready:
                self._deliver(delay_seconds, WEBHOOK_PATH, headers, body)

        return hand_on

    def _post(self, event: _Event) -> None:
        now = self._now()
        for _ in range(self.repeat):
            delay_seconds = max(0, ceil((event.due - now).total_seconds()))
            if self.shuffle:
                delay_seconds += self._rng.randrange(SHUFFLE_WITHIN_SECONDS + 1)
            arrives = now + timedelta(seconds=delay_seconds)
            headers = {
                "Content-Type": "application/json",
                "Sandbox-Signature": self.signature(event.body, arrives),
            }
            self._ready.append((delay_seconds, headers, event.body))

    def signature(self, body: bytes, at: datetime) -> str:
        """The header's value for `body` signed at `at`, once per secret."""
        moment = int(at.timestamp())
        signed = f"{moment}.".encode() + body
        made = (hmac.new(s.encode(), signed, hashlib.sha256).hexdigest() for s in self.secrets)
        return ",".join([f"t={moment}", *(f"v1={signature}" for signature in made)])
