"""Somebody who uses nothing but the keyboard: Tab, Enter, Space, arrows and letters."""

from playwright.sync_api import Locator

from tests.browser import eyes
from tests.browser.visitor import Visitor

MAX_STOPS = 80
"""More stops of Tab than any page has before what is wanted."""


class Keyboard:
    """Walks through the page of `visitor`. At every stop one has to see where the focus is: it
    looks otherwise than at rest, and nothing lies on top of it ([A11Y])."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._looked_at = ""

    def tab(self) -> eyes.Focused | None:
        """On to the next stop; None when that is the page as a whole."""
        page = self._visitor.page
        if self._looked_at != page.url:
            eyes.remember_looks(page)
            self._looked_at = page.url
        page.keyboard.press("Tab")
        stop = eyes.focused(page)
        if stop is not None:
            assert stop.differs, f"{self._visitor.path}: nobody sees the focus on {stop.html}"
            assert stop.seen, f"{self._visitor.path}: something covers {stop.html}"
        return stop

    def tab_to(self, what: Locator) -> None:
        for _ in range(MAX_STOPS):
            if eyes.has_focus(what):
                return
            self.tab()
        raise AssertionError(f"Tab does not come to {what} on {self._visitor.path}")

    def press(self, key: str) -> None:
        self._visitor.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self._visitor.page.keyboard.type(text)

    def go(self, what: Locator) -> None:
        """To something that leads to another page, and there by Enter."""
        self.tab_to(what)
        self.enter()

    def enter(self) -> None:
        with self._visitor.page.expect_navigation():
            self.press("Enter")
        # The same address may be another page now.
        self._looked_at = ""
