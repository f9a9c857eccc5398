"""Trying again what DynamoDB had no time for: at most so often, and later each time."""

import random
import time
from collections.abc import Callable

CONFLICT_TRIES = 6
CONFLICT_BASE_SECONDS = 0.02

waits: Callable[[float], None] = time.sleep
"""What waits between two tries, for so many seconds. A world in which time stands still puts
something shorter here."""


def pause(attempt: int) -> None:
    """Wait before a try that is not the first one, with jitter."""
    waits(random.uniform(0, CONFLICT_BASE_SECONDS * 2**attempt))  # noqa: S311 - jitter
