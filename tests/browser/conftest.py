"""One browser for all tests here, and the shops that they visit."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, sync_playwright

from shared.store import catalogue as catalogues
from tests.browser.eyes import axe
from tests.browser.served import Served
from tests.scenario.test_fourteen_months import CATALOGUE

START = datetime(2026, 1, 31, 15, 0, tzinfo=UTC)
"""Ten in the morning in New York, on a day that February lacks."""

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; each test opens windows of its own in it."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("There is no chromium; `make test` installs it.", pytrace=False)
    axe()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def shop() -> Iterator[Served]:
    """A shop with two locations that nobody has visited yet."""
    with Served(START) as served:
        catalogues.publish(CATALOGUE)
        yield served
        assert served.world.errors == []
        assert served.world.dead_letters == []
