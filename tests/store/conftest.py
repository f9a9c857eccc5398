"""A shop on Amazon's own engine, whose races are real."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.local.dynamodb_local import DynamoDBLocal
from infra.local.world import LocalWorld
from tests.shop_floor import books_hold, open_shop

Shop = Callable[..., LocalWorld]


class Lent:
    """The engine as a world gets it: the world closes it, and it stays for the next one."""

    def __init__(self, engine: DynamoDBLocal) -> None:
        self.call = engine.call
        self.first_due = engine.first_due
        self.reset = engine.reset

    def close(self) -> None:
        """The fixture does that."""


@pytest.fixture
def shop(dynamodb_local: DynamoDBLocal) -> Iterator[Shop]:
    """Opens a shop at a moment, with settings; at the end its books have to hold.

    Races call operations from threads: the world itself carries calls out one at a time.
    """
    opened: list[LocalWorld] = []

    def open_one(start: str, **settings: Any) -> LocalWorld:
        assert not opened, "one shop at a time"
        opened.append(open_shop(start, engine=Lent(dynamodb_local), **settings))
        return opened[0]

    yield open_one
    for world in opened:
        try:
            world.run_due()
            books_hold(world)
        finally:
            world.close()
