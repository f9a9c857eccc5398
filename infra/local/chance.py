"""Chance that can be repeated: ids, secrets and codes of a world that was given a seed."""

import base64
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ulid import ULID, ValueProvider, constants

SECRET_BYTES = 32
CODES = 1_000_000


class _SeededUlids(ValueProvider):
    """As python-ulid makes them, those of one millisecond in order, from a generator of ours."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng

    def randomness(self, current_timestamp: int | None = None) -> bytes:
        assert current_timestamp is not None
        if current_timestamp == self.prev_timestamp:
            found = self.increment_bytes(self.prev_randomness)
        else:
            found = self._rng.randbytes(constants.RANDOMNESS_LEN)
        self.prev_timestamp, self.prev_randomness = current_timestamp, found
        return found


@dataclass(frozen=True)
class Chance:
    """What a wiring and a provider take instead of the machine's own chance."""

    ids: Callable[[datetime], str]
    new_secret: Callable[[], str]
    new_code: Callable[[], str]
    seed: int


def repeatable(seed: int) -> Chance:
    """The same calls in the same order give the same again."""
    rng = random.Random(seed)
    ulids = _SeededUlids(rng)

    def new_id(now: datetime) -> str:
        at = ulids.timestamp(now.timestamp())
        stamp = at.to_bytes(constants.TIMESTAMP_LEN, "big")
        return str(ULID.from_bytes(stamp + ulids.randomness(at)))

    def new_secret() -> str:
        return base64.urlsafe_b64encode(rng.randbytes(SECRET_BYTES)).decode().rstrip("=")

    return Chance(new_id, new_secret, lambda: f"{rng.randrange(CODES):06d}", seed)
