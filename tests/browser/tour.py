"""Walking through pages and looking at each of them at every width and in both colour schemes."""

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from playwright.sync_api import Browser

from tests.browser import eyes
from tests.browser.visitor import DESK, PHONE, Visitor
from tests.scenario.person import Person

NARROWEST_PX = 320
"""WCAG 2.2, 1.4.10: nothing scrolls sideways at this width."""

PICTURES = os.environ.get("PICTURES", "")
"""A folder for a picture of every page, for people to look at; empty for none."""


class Tour:
    """A browser of somebody, and what was found on the pages so far. Leaving it fails when
    anything was found, and names it all."""

    def __init__(self, browser: Browser, address: str, person: Person | None = None) -> None:
        self.visitor = Visitor(browser, address, DESK)
        if person is not None:
            self.visitor.be(person)
        self.found: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        found = [*self.found, *self.visitor.complaints]
        self.visitor.context.close()
        if error is None:
            assert not found, "\n".join(found)

    def see_all(self, paths: Mapping[str, str], *, status: int = 200) -> None:
        """Open and look at each page, by the name that it has in messages and pictures."""
        for name, path in paths.items():
            answer = self.visitor.page.goto(path)
            assert answer is not None
            if answer.status != status:
                self.found.append(f"{name}: {path} is {answer.status}")
            self.look(name)

    def look(self, name: str) -> None:
        """Look at the page that is open now, with all unfolded that can be."""
        page = self.visitor.page
        page.evaluate("document.querySelectorAll('details').forEach(one => (one.open = true))")
        findings: list[str] = []
        for screen in (PHONE, DESK):
            page.set_viewport_size({"width": screen.width, "height": screen.height})
            findings += [f"{screen}: {one}" for one in eyes.too_wide(page)]
            findings += [f"{screen}: {one}" for one in eyes.violations(page)]
            page.emulate_media(color_scheme="dark")
            findings += [f"{screen}, dark: {one}" for one in eyes.colour_violations(page)]
            if PICTURES:
                self.visitor.picture(PICTURES, f"{name}-{screen}-dark")
            page.emulate_media(color_scheme="light")
            if PICTURES:
                self.visitor.picture(PICTURES, f"{name}-{screen}")
        findings += eyes.too_small(page)
        page.set_viewport_size({"width": NARROWEST_PX, "height": PHONE.height})
        findings += [f"{NARROWEST_PX} px: {one}" for one in eyes.too_wide(page)]
        if PICTURES:
            self.visitor.picture(PICTURES, f"{name}-narrowest")
        page.set_viewport_size({"width": DESK.width, "height": DESK.height})
        self.found += [f"{name} ({self.visitor.path}): {one}" for one in findings]
