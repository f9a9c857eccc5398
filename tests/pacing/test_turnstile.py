"""Turns that functions on many machines take, by clocks that differ."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil

import pytest

from infra.local.dynamodb_local import DynamoDBLocal
from infra.local.world import LocalWorld
from shared.operations.pacing import LONGEST_WAIT, Turns
from shared.providers.errors import NotSent
from shared.providers.limits import Limits
from shared.store.pace import BEYOND_HONEST, State, Turnstile, take_turn
from tests.pacing.busiest import busiest_second
from tests.pacing.virtual_time import VirtualTime
from tests.shop_floor import open_shop
from tests.store.conftest import Lent

# Ahead of every real clock: Amazon's engine forgets what has expired by the machine's.
START = datetime(2036, 1, 31, 4, 59, tzinfo=UTC)
SECONDS = 5.0


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop("2036-01-31 04:59") as opened:
        yield opened


@pytest.fixture
def amazons(dynamodb_local: DynamoDBLocal) -> Iterator[LocalWorld]:
    with open_shop("2036-01-31 04:59", engine=Lent(dynamodb_local)) as opened:
        yield opened


def turn(turnstile: Turnstile, after: float = 0.0, expected: State = State.FREE) -> float | None:
    """When the turn is of somebody who comes so many seconds after the start."""
    found = take_turn(turnstile, START + timedelta(seconds=after), LONGEST_WAIT, expected)
    return None if found is None else round((found - START).total_seconds(), 4)


# --- the turnstile itself -------------------------------------------------------------------------


@pytest.mark.usefixtures("world")
def test_who_comes_to_a_free_turnstile_goes_at_once_and_who_comes_then_a_step_later() -> None:
    turnstile = Turnstile("stripe", 20)
    assert [turn(turnstile), turn(turnstile), turn(turnstile, 0.02)] == [0.0, 0.05, 0.1]
    assert turn(turnstile, 7.0) == 7.0
    assert turn(turnstile, 7.04) == 7.05


@pytest.mark.usefixtures("world")
def test_turnstiles_of_two_providers_and_of_two_endpoints_are_apart() -> None:
    turnstiles = [Turnstile(name, 20) for name in ("stripe", "other", "stripe#a", "stripe#b")]
    assert [turn(turnstile) for turnstile in turnstiles] == [0.0] * 4


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("expected", State)
def test_what_was_expected_of_a_turnstile_changes_no_turn(expected: State) -> None:
    turnstile = Turnstile("stripe", 20)
    assert [turn(turnstile, 0.01 * n, expected) for n in range(5)] == [0.0, 0.05, 0.1, 0.15, 0.2]
    assert turn(turnstile, 9.0, expected) == 9.0


@pytest.mark.usefixtures("world")
def test_nobody_takes_a_turn_that_comes_too_late() -> None:
    turnstile = Turnstile("slow", 1)
    turns = [turn(turnstile) for _ in range(20)]
    assert turns == [float(n) for n in range(16)] + [None] * 4
    assert turn(turnstile, 3.0) == 16.0


@pytest.mark.usefixtures("world")
def test_a_clock_that_is_an_hour_ahead_stops_nobody() -> None:
    turnstile = Turnstile("stripe", 20)
    assert turn(turnstile, 3600.0) == 3600.0
    assert [turn(turnstile), turn(turnstile)] == [0.0, 0.05]
    assert turn(turnstile, BEYOND_HONEST.total_seconds() + 1) == BEYOND_HONEST.total_seconds() + 1


@pytest.mark.xdist_group("dynamodb-local")
@pytest.mark.usefixtures("amazons")
def test_turns_that_many_take_at_the_same_moment_are_a_step_apart_and_none_is_given_twice() -> None:
    turnstile = Turnstile("stripe", 80)
    takers, each = 32, 8
    with ThreadPoolExecutor(takers) as pool:
        found = list(
            pool.map(
                lambda _: [turn(turnstile, expected=State.TAKEN) for _ in range(each)],
                range(takers),
            )
        )
    turns = sorted(at for one in found for at in one if at is not None)
    assert turns == [round(n * 0.0125, 4) for n in range(takers * each)]


# --- many who call, each by a clock of its own ---------------------------------------------------

Pace = Callable[[str], None]


class Rush:
    """`takers` functions that call as fast as they may for `seconds`, in virtual time. Their clocks
    are off by up to `apart` seconds from each other; asking the turnstile takes up to `delay`."""

    def __init__(
        self,
        *,
        seed: int,
        limits: Limits,
        takers: int,
        apart: float = 0.0,
        delay: float = 0.01,
        call: float = 0.3,
        seconds: float = SECONDS,
    ) -> None:
        self.time = VirtualTime(START)
        self.calls: list[tuple[float, str]] = []
        self.not_sent = 0
        self._rng = random.Random(seed)
        self._limits = limits
        self._delay = delay
        self._call = call
        self._seconds = seconds
        offsets = [0.0, apart, *(self._rng.uniform(0, apart) for _ in range(takers - 2))]
        self.time.run([partial(self._take, offset) for offset in offsets])

    def _take(self, offset: float) -> None:
        def now() -> datetime:
            read = self.time.now() + timedelta(seconds=offset)
            # What is decided by a clock happens a little later.
            self.time.pause(self._rng.uniform(0, self._delay))
            return read

        turns = Turns("stripe", self._limits, now, self.time.pause)
        while self.time.seconds() < self._seconds:
            endpoint = self._rng.choice(("GET /a", "POST /b"))
            try:
                turns(endpoint)
            except NotSent:
                self.not_sent += 1
                self.time.pause(1.0)
                continue
            self.calls.append((self.time.seconds(), endpoint))
            self.time.pause(self._rng.uniform(0.5, 1.5) * self._call)

    def moments(self, endpoint: str | None = None) -> list[float]:
        return [at for at, called in self.calls if endpoint in (None, called)]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("per_second", [20.0, 80.0])
def test_clocks_and_delays_within_a_quarter_of_a_second_never_break_the_providers_limit(
    seed: int, per_second: float
) -> None:
    takers = random.Random(seed).choice((4, 12, 40))
    rush = Rush(
        seed=seed, limits=Limits(per_second=per_second), takers=takers, apart=0.2, delay=0.02
    )
    assert busiest_second(rush.moments()) <= per_second / 0.8
    # As many as the turnstile lets through, or as they can make without it.
    wanted = min(per_second, takers / 0.35) * SECONDS
    assert len(rush.calls) >= 0.8 * wanted
    assert rush.not_sent == 0


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("seed", range(2))
def test_clocks_that_are_a_second_apart_bring_at_most_a_seconds_more_turns_once(seed: int) -> None:
    rush = Rush(seed=seed, limits=Limits(per_second=20.0), takers=30, apart=1.0, seconds=20.0)
    assert 25 < busiest_second(rush.moments()) <= ceil(20 * (1 + 1 + 0.04))
    assert len(rush.calls) <= 20 * (20 + 1 + 1)
    # In the long run the turnstile is as quick as with clocks that agree.
    late = [at for at in rush.moments() if at >= 10]
    assert len(late) <= 20 * (rush.time.seconds() - 10 + 1)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("seed", range(2))
def test_an_endpoint_keeps_its_limit_while_others_go_on(seed: int) -> None:
    limits = Limits(per_second=80.0, per_endpoint=20.0)
    rush = Rush(seed=seed, limits=limits, takers=40, apart=0.05)
    assert busiest_second(rush.moments("GET /a")) <= 25
    assert busiest_second(rush.moments("POST /b")) <= 25
    assert len(rush.calls) >= 0.8 * 40 * SECONDS


@pytest.mark.usefixtures("world")
def test_without_turns_the_same_rush_breaks_the_limit() -> None:
    rush = Rush(seed=1, limits=Limits(), takers=12)
    assert busiest_second(rush.moments()) > 25


@pytest.mark.usefixtures("world")
def test_a_worker_waits_no_longer_than_it_may_and_says_that_nothing_was_sent() -> None:
    rush = Rush(seed=1, limits=Limits(per_second=1.0), takers=20, call=0.0, seconds=40.0)
    assert rush.not_sent > 0
    assert busiest_second(rush.moments()) <= 2
    assert len(rush.calls) >= 40
