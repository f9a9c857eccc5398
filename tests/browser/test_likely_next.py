"""A browser fetches the page that is likely asked for next while somebody looks at this one; the
page's own policy lets it."""

import pytest
from playwright.sync_api import Browser

from tests.browser.served import Served
from tests.browser.visitor import WAIT_MS, Visitor

pytestmark = pytest.mark.xdist_group("browser")


def test_chromium_asks_for_the_cart_while_the_shop_is_looked_at(
    shop: Served, browser: Browser
) -> None:
    with Visitor(browser, shop.address) as visitor:
        with visitor.context.expect_event(
            "response", lambda response: response.url.endswith("/cart"), timeout=WAIT_MS
        ) as answered:
            visitor.open("/shop")
        assert answered.value.status == 200
        assert visitor.path == "/shop"
        assert visitor.complaints == []
