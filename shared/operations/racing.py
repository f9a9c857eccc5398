"""Races that are lost cleanly: read again, decide again, a bounded number of times."""

from collections.abc import Callable
from typing import TypeVar

from shared.domain.errors import Unavailable
from shared.store.items import Lost

BOOK_TRIES = 12
"""Races on one activity that a booking may lose before it gives up: a popular class fills fast."""

T = TypeVar("T")


def until_won(do: Callable[[], T]) -> T:
    """`do` until it loses no race; `Unavailable` after `BOOK_TRIES`."""
    for _ in range(BOOK_TRIES):
        try:
            return do()
        except Lost:
            continue
    raise Unavailable("Too many people are booking this right now. Please try again.")
