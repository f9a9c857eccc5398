"""A business that is open for one test, with its console."""

from collections.abc import Iterator

import pytest

from infra.local.world import LocalWorld
from tests import shop_floor


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    """Opened in January, on the day of the month that February lacks."""
    with shop_floor.open_shop("2026-01-31 15:00") as opened:
        yield opened
        assert opened.errors == []
