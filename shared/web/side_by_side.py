"""Readings at the same time: one round trip's waiting instead of one for each."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import cache
from typing import TypeVar

MAX_THREADS = 9
"""With the one that asks, as many as the client has connections. What finds no thread is read by
who asks."""

A = TypeVar("A")
B = TypeVar("B")


@cache
def _threads() -> Executor:
    """Kept from one request to the next: beginning and ending a thread costs a
    page a tenth of its own work."""
    return ThreadPoolExecutor(max_workers=MAX_THREADS, thread_name_prefix="reading")


executor: Callable[[], Executor] = _threads
"""Who reads the other one. What has to be repeatable puts somebody else here."""


def side_by_side(one: Callable[[], A], other: Callable[[], B]) -> tuple[A, B]:
    """What both give. Neither may depend on the other; what either raises goes through, when
    neither is under way any more. What nobody has begun meanwhile is read here, so that readings
    within readings never wait for a thread that waits for them."""
    running = executor().submit(copy_context().run, other)
    try:
        first = one()
    except BaseException:
        if not running.cancel():
            wait((running,))
        raise
    return first, other() if running.cancel() else running.result()


def each_side_by_side(readings: Sequence[Callable[[], A]]) -> list[A]:
    """What each gives, in their order. None may depend on another; what any raises goes through."""
    if len(readings) <= 1:
        return [reading() for reading in readings]
    first, others = side_by_side(readings[0], lambda: each_side_by_side(readings[1:]))
    return [first, *others]
