"""A shop whose books are looked at after each test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.local.world import LocalWorld
from tests.shop_floor import books_hold, open_shop

Shop = Callable[..., LocalWorld]


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Opens a shop at a moment, with settings; at the end its books have to hold.

    `shop(…, errors=True)` when handlers are meant to fail on the way.
    """
    opened: list[tuple[LocalWorld, bool]] = []

    def open_one(start: str, *, errors: bool = False, **settings: Any) -> LocalWorld:
        assert not opened, "one shop at a time"
        world = open_shop(start, **settings)
        opened.append((world, errors))
        return world

    yield open_one
    for world, errors in opened:
        try:
            world.run_due()
            books_hold(world, errors=errors)
        finally:
            world.close()
