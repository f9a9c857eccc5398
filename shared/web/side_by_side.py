"""Two readings at the same time: one round trip's waiting instead of two."""

from collections.abc import Callable
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
