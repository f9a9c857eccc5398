"""Pages read two things at the same time; in a simulation that has to repeat itself they don't."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from shared.web import side_by_side


class OneByOne(Executor):
    """Does at once, in the thread that asks, whatever is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as raised:  # noqa: BLE001 - whoever asks for the result is told
            future.set_exception(raised)
        return future


@contextmanager
def one_by_one() -> Iterator[None]:
    """While it is open, nothing that a page reads happens beside anything else."""
    usual = side_by_side.executor
    side_by_side.executor = OneByOne
    try:
        yield
    finally:
        side_by_side.executor = usual
