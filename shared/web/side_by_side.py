"""Readings at the same time: one round trip's waiting instead of one for each."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def _another_thread() -> Executor:
    return ThreadPoolExecutor(max_workers=1)


executor: Callable[[], Executor] = _another_thread
"""Who reads the other one. What has to be repeatable puts somebody else here."""


def side_by_side(one: Callable[[], A], other: Callable[[], B]) -> tuple[A, B]:
    """What both give. Neither may depend on the other; what either raises goes through."""
    with executor() as pool:
        running = pool.submit(copy_context().run, other)
        first = one()
        return first, running.result()


def each_side_by_side(readings: Sequence[Callable[[], A]]) -> list[A]:
    """What each gives, in their order. None may depend on another; what any raises goes through."""
    if len(readings) <= 1:
        return [reading() for reading in readings]
    first, others = side_by_side(readings[0], lambda: each_side_by_side(readings[1:]))
    return [first, *others]
