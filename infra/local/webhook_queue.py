"""Events on their way to our webhook endpoints, as the stand-ins of providers send them.

They can be held back, repeated and shuffled, as it happens in life. How an event is signed is the
provider's own affair.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

SHUFFLE_WITHIN_SECONDS = 30
"""How far shuffled events are thrown apart."""

MAX_REPEATS = 20

Deliver = Callable[[int, str, dict[str, str], bytes], None]
"""`(delay_seconds, path, headers, body)`: post it that much later. Nothing comes back."""

Sign = Callable[[bytes, datetime], dict[str, str]]
"""The signature headers of a body that arrives at that moment."""


@dataclass(frozen=True)
class _Event:
    body: bytes
    due: datetime


class WebhookQueue:
    """Signs events for the moment at which they arrive and queues them until `flush`.

    Events are handed on only by `flush`, so that the stand-in can let go of its lock first: the
    receiver may call back at once.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        deliver: Deliver,
        rng: random.Random,
        *,
        path: str,
        sign: Sign,
    ) -> None:
        self._now = now
        self._deliver = deliver
        self._rng = rng
        self._path = path
        self._sign = sign
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

    def add(self, body: bytes, delay_seconds: int = 0) -> None:
        """Send `body` so that it arrives `delay_seconds` from now."""
        event = _Event(body, self._now() + timedelta(seconds=delay_seconds))
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
                self._deliver(delay_seconds, self._path, headers, body)

        return hand_on

    def signed(self, body: bytes, at: datetime) -> dict[str, str]:
        """The headers of `body`, signed to arrive at that moment."""
        return {"Content-Type": "application/json", **self._sign(body, at)}

    def _post(self, event: _Event) -> None:
        now = self._now()
        for _ in range(self.repeat):
            delay_seconds = max(0, ceil((event.due - now).total_seconds()))
            if self.shuffle:
                delay_seconds += self._rng.randrange(SHUFFLE_WITHIN_SECONDS + 1)
            arrives = now + timedelta(seconds=delay_seconds)
            self._ready.append((delay_seconds, self.signed(event.body, arrives), event.body))
