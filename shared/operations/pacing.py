"""Waiting for one's turn to call a provider, with everyone else that the clock has started."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.providers.limits import Limits
from shared.providers.port import NotSent
from shared.store.engine import StoreUnavailable
from shared.store.pace import Line, State, take_turn

LONGEST_WAIT = timedelta(seconds=15)
"""How long a worker waits for one call. What the sweep admits in a tick is worked off sooner, so it
comes to this only when something else calls far more than it should."""


@dataclass
class Turns:
    """A `Pace` for one provider: first a turn of the endpoint's line, then one of the provider's.

    The second is taken when the first has come, so that turns of the provider's line are used as
    they are taken. `NotSent` when either is too long, or can't be asked.
    """

    provider: str
    limits: Limits
    now: Callable[[], datetime]
    pause: Callable[[float], None]
    _found: dict[str, State] = field(default_factory=dict)

    def __call__(self, endpoint: str) -> None:
        for line in self._lines(endpoint):
            self._wait(line)

    def _lines(self, endpoint: str) -> list[Line]:
        whole, each = self.limits.per_second, self.limits.per_endpoint
        lines = []
        # Where the whole provider takes no more than an endpoint does, one line keeps both.
        if each is not None and (whole is None or each < whole):
            lines.append(Line(f"{self.provider}#{endpoint}", each))
        if whole is not None:
            lines.append(Line(self.provider, whole))
        return lines

    def _wait(self, line: Line) -> None:
        now = self.now()
        expected = self._found.get(line.name, State.FREE)
        try:
            turn = take_turn(line, now, LONGEST_WAIT, expected)
        except StoreUnavailable as error:
            raise NotSent(f"no turn for {line.name}: its line can't be asked") from error
        if turn is None:
            raise NotSent(f"no turn for {line.name} within {LONGEST_WAIT.seconds} seconds")
        self._found[line.name] = State.TAKEN if turn > now else State.FREE
        seconds = (turn - self.now()).total_seconds()
        if seconds > 0:
            self.pause(seconds)
