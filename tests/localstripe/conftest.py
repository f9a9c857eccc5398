"""localstripe, started once for each worker of the tests, and empty for each test."""

from collections.abc import Iterator

import pytest

from tests.localstripe.bench import FrontBench
from tests.localstripe.service import LocalStripe


@pytest.fixture(scope="session")
def _localstripe_process() -> Iterator[LocalStripe]:
    with LocalStripe() as process:
        yield process


@pytest.fixture
def localstripe(_localstripe_process: LocalStripe) -> LocalStripe:
    _localstripe_process.reset()
    return _localstripe_process


@pytest.fixture
def bench(localstripe: LocalStripe) -> FrontBench:
    return FrontBench(localstripe)
