"""Calls that begin in the same moment, in threads of their own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

WAIT_SECONDS = 30


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each call answers, in their order. What one raises is raised, after all have ended."""
    gate = Barrier(len(calls))

    def wait_and(call: Callable[[], Any]) -> Any:
        gate.wait(WAIT_SECONDS)
        return call()

    with ThreadPoolExecutor(max_workers=len(calls)) as pool:
        running = [pool.submit(wait_and, call) for call in calls]
    return [one.result() for one in running]
