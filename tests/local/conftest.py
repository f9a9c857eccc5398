"""A world of the stand-in handlers, open for one test."""

from collections.abc import Iterator

import pytest

from infra.local.template import load
from infra.local.world import LocalWorld
from tests.local import stand_ins


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    """Its clock stands at 2026-01-05T15:00:00Z."""
    stand_ins.forget()
    template = load({"PublicUrl": "http://127.0.0.1:8000"}, text=stand_ins.TEMPLATE)
    with LocalWorld(template=template) as opened:
        yield opened
