"""What is read side by side takes as many round trips as the longer of both."""

from collections.abc import Callable

from bench.meter import the_longer_counts
from shared.web import side_by_side


class Clock:
    """As much of a meter as tells how many round trips were waited for."""

    waited = 0


def reading(clock: Clock, trips: int) -> Callable[[], None]:
    def read() -> None:
        clock.waited += trips

    return read


def test_the_longer_of_two_readings_counts_whichever_it_is() -> None:
    clock = Clock()
    with the_longer_counts(clock):
        side_by_side.side_by_side(reading(clock, 1), reading(clock, 3))
        assert clock.waited == 3
        side_by_side.side_by_side(reading(clock, 4), reading(clock, 2))
        assert clock.waited == 3 + 4
