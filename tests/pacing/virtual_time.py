"""Time for many threads that mostly wait: it jumps to the next of them that has waited enough.

One thread runs at a time, until it waits; so a run is the same every time, and minutes of it pass
in the time that the work itself takes.
"""

import heapq
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count
from threading import Event, Thread

STUCK_SECONDS = 120
"""How long (real time) one turn of one thread may take."""


class Stuck(Exception):
    """A thread did not come to its end, nor to a pause."""


class VirtualTime:
    """A clock and what waits by it. Only threads of `run` may pause. `rng` is for what they draw;
    `moved` is told each new moment."""

    def __init__(self, start: datetime, seed: int = 0) -> None:
        self.rng = random.Random(seed)
        self.moved: Callable[[datetime], None] = lambda _: None
        self._start = start
        self._passed = timedelta(0)
        self._order = count()
        self._waiting: list[tuple[timedelta, int, Event]] = []
        self._over = Event()
        self._errors: list[BaseException] = []

    def now(self) -> datetime:
        return self._start + self._passed

    def seconds(self) -> float:
        """Since the start."""
        return self._passed.total_seconds()

    def pause(self, seconds: float) -> None:
        """Go on so many seconds later."""
        mine = self._wait_from(self._passed + timedelta(seconds=max(0.0, seconds)))
        self._hand_on()
        if not mine.wait(STUCK_SECONDS):
            raise Stuck("nobody handed the turn on")

    def run(self, workers: Sequence[Callable[[], None]]) -> None:
        """Run each in a thread of its own until all have ended. Raises what the first raised."""
        threads = [
            Thread(target=self._work, args=(worker, self._wait_from(self._passed)), daemon=True)
            for worker in workers
        ]
        for thread in threads:
            thread.start()
        self._hand_on()
        self._over.wait()
        for thread in threads:
            thread.join(STUCK_SECONDS)
        if self._errors:
            raise self._errors[0]

    def _work(self, worker: Callable[[], None], turn: Event) -> None:
        turn.wait()
        try:
            if not self._errors:
                worker()
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            self._errors.append(error)
        finally:
            self._hand_on()

    def _wait_from(self, until: timedelta) -> Event:
        turn = Event()
        heapq.heappush(self._waiting, (until, next(self._order), turn))
        return turn

    def _hand_on(self) -> None:
        if not self._waiting:
            self._over.set()
            return
        self._passed, _, turn = heapq.heappop(self._waiting)
        self.moved(self.now())
        turn.set()
