"""What a tick admits of what is due, and what comes of that when workers are slow."""

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.admission import Part, admitted, groups, parts
from shared.domain.due import Lane

LEASE_TICKS = 5


class Queue:
    """One lane and shard, tick by tick: entries are due in their order, leases end after five
    ticks, workers do `capacity` a tick, oldest event first; what is `bad` they never get done."""

    def __init__(self, due: int, capacity: int, bad: int = 0) -> None:
        self.due: deque[int] = deque(range(due))
        self.capacity = capacity
        self.bad = set(range(bad))
        self.leased: dict[int, int] = {}
        self.events: deque[tuple[int, int]] = deque()
        self.done: set[int] = set()
        self.ran_out = 0
        self.now = 0

    def tick(self, most: int) -> int:
        over = sorted(one for one, until in self.leased.items() if until <= self.now)
        for one in over:
            del self.leased[one]
            self.due.append(one)
            self.ran_out += one not in self.bad
        count = min(len(self.due), admitted(most, len(self.leased)))
        for _ in range(count):
            one = self.due.popleft()
            self.leased[one] = self.now + LEASE_TICKS
            self.events.append((one, self.now + LEASE_TICKS))
        for _ in range(self.capacity):
            if not self.events:
                break
            one, until = self.events.popleft()
            if until > self.now and one not in self.bad and one in self.leased:
                del self.leased[one]
                self.done.add(one)
        self.now += 1
        return count


@given(st.integers(1, 2_000), st.integers(10, 300), st.integers(40, 100))
@settings(max_examples=60, deadline=None)
def test_workers_that_do_two_fifths_of_a_tick_in_its_time_let_no_lease_run_out(
    due: int, most: int, percent: int
) -> None:
    queue = Queue(due, capacity=-(-most * percent // 100))
    for _ in range(1 + due // queue.capacity + due // most + LEASE_TICKS):
        queue.tick(most)
        assert len(queue.leased) <= 2 * most
    assert len(queue.done) == due
    assert queue.ran_out == 0


@given(st.integers(1, 400), st.integers(0, 400), st.integers(1, 60), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_nothing_that_is_due_is_starved_by_what_never_gets_done(
    good: int, bad: int, most: int, capacity: int
) -> None:
    queue = Queue(good + bad, capacity=max(capacity, most), bad=bad)
    for _ in range(LEASE_TICKS * (good + bad + LEASE_TICKS)):
        assert 0 <= queue.tick(most) <= most
        if len(queue.done) == good:
            break
    assert len(queue.done) == good


def test_without_looking_at_what_is_in_hand_slow_workers_let_leases_run_out() -> None:
    """The same queue with everything admitted: what the rule is there for."""
    blind = Queue(2_000, capacity=50)
    for _ in range(30):
        blind.tick(most=100_000)
    assert blind.ran_out > 1_000


@given(st.integers(1, 64), st.integers(1, 5_000), st.integers(1, 250_000))
def test_a_tick_admits_the_providers_rate_over_all_shards(
    shards: int, limit: int, charges: int
) -> None:
    whole = parts(shards=shards, limit=limit, charges_a_minute=charges)
    assert len(whole) == 3 * shards
    of_money = [one.most for one in whole if one.lane is Lane.MONEY]
    assert sum(of_money) == max(charges, shards)
    assert max(of_money) - min(of_money) <= 1
    # What charges leave behind for the lane of what is awaited never fills it.
    awaited = [one.most for one in whole if one.lane is Lane.NOW]
    assert all(now >= limit + 3 * money for now, money in zip(awaited, of_money, strict=True))
    assert whole[0].lane is Lane.NOW


@given(
    st.lists(st.tuples(st.sampled_from(Lane), st.integers(1, 900)), max_size=200),
    st.integers(1, 2_000),
)
def test_what_is_handed_over_is_all_of_it_each_sweep_in_one_lane_and_bounded(
    rest: list[tuple[Lane, int]], most: int
) -> None:
    whole = [Part(lane, at, size) for at, (lane, size) in enumerate(rest)]
    found = list(groups(whole, most))
    assert [one for group in found for one in group] == whole
    for group in found:
        assert len({one.lane for one in group}) == 1
        assert len(group) == 1 or sum(one.most for one in group) <= most


@pytest.mark.parametrize(
    ("in_hand", "then"), [(0, 100), (100, 100), (150, 50), (200, 10), (9, 100)]
)
def test_less_is_admitted_while_workers_have_work_in_hand(in_hand: int, then: int) -> None:
    assert admitted(100, in_hand) == then
