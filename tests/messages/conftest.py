"""The tables, open for one test, and no service besides."""

from collections.abc import Iterator

import pytest

from infra.local.world import LocalWorld
from shared.store import catalogue as catalogues
from shared.store import snapshot
from tests.messages.delivery import CATALOGUE, START


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with LocalWorld(start=START) as opened:
        snapshot.forget()
        catalogues.publish(CATALOGUE)
        yield opened
    snapshot.forget()
