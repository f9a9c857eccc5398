"""A shop that is open for one test."""

from collections.abc import Iterator

import pytest

from infra.local.world import LocalWorld
from shared.store import catalogue as catalogues
from shared.store import snapshot
from tests.portal.browser import Browser
from tests.portal.shop_samples import (
    CATALOGUE,
    START,
)


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with LocalWorld(start=START) as opened:
        snapshot.forget()
        catalogues.publish(CATALOGUE)
        yield opened
        assert opened.errors == []
    snapshot.forget()


@pytest.fixture
def program(world: LocalWorld) -> Browser:
    return Browser(world)


@pytest.fixture
def person(world: LocalWorld) -> Browser:
    return Browser(world, program=False)
