"""Waiting for one's turn to call a provider, with everyone else that the clock has started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.providers.errors import NotSent
from shared.store.items import StoreUnavailable
from shared.store.pace import State, Turnstile, take_turn

if TYPE_CHECKING:
    from shared.providers.limits import Limits

LONGEST_WAIT = timedelta(seconds=15)
"""How long a worker waits for one call. What the sweep admits in a tick is worked off sooner, so it
comes to this only when something else calls far more than it should."""


@dataclass
class Turns:
    """A `Pace` for one provider: a turn at the endpoint's turnstile, then one at the provider's.

    The second is taken when the first has come, so that the provider's turns are used as they are
    taken. `NotSent` when either would come too late, or can't be asked for.
    """

    provider: str
    limits: Limits
    now: Callable[[], datetime]
    pause: Callable[[float], None]
    _found: dict[str, State] = field(default_factory=dict)

    def __call__(self, endpoint: str) -> None:
        for turnstile in self._turnstiles(endpoint):
            self._wait(turnstile)

    def _turnstiles(self, endpoint: str) -> list[Turnstile]:
        whole, each = self.limits.per_second, self.limits.per_endpoint
        turnstiles = []
        # Where the whole provider takes no more than an endpoint does, one turnstile keeps both.
        if each is not None and (whole is None or each < whole):
            turnstiles.append(Turnstile(f"{self.provider}#{endpoint}", each))
        if whole is not None:
            turnstiles.append(Turnstile(self.provider, whole))
        return turnstiles

    def _wait(self, turnstile: Turnstile) -> None:
        now = self.now()
        expected = self._found.get(turnstile.name, State.FREE)
        try:
            turn = take_turn(turnstile, now, LONGEST_WAIT, expected)
        except StoreUnavailable as error:
            raise NotSent(f"no turn for {turnstile.name}: the turnstile can't be asked") from error
        if turn is None:
            raise NotSent(f"no turn for {turnstile.name} within {LONGEST_WAIT.seconds} seconds")
        self._found[turnstile.name] = State.TAKEN if turn > now else State.FREE
        seconds = (turn - self.now()).total_seconds()
        if seconds > 0:
            self.pause(seconds)
