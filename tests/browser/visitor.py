"""Somebody at a browser: sees pages by their words and roles, taps, clicks and types."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal, Self
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    WebError,
)

from tests.scenario.person import Person

WAIT_MS = 20_000
"""How long anything may take before a test gives up; a machine under load needs some."""

Role = Literal["button", "link", "heading", "radio", "textbox", "spinbutton", "status", "alert"]


@dataclass(frozen=True)
class Screen:
    name: str
    width: int
    height: int
    touch: bool = False

    def __str__(self) -> str:
        return self.name


PHONE = Screen("phone", 390, 844, touch=True)
DESK = Screen("desk", 1280, 900)


def plain(text: str) -> str:
    """With one space wherever there is any kind of space."""
    return re.sub(r"\s+", " ", text)


class Visitor:
    """One browser with its own cookies. `complaints` holds what it was not happy with: messages of
    its console (a breached policy is one), failed requests, answers that were not expected."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        screen: Screen = DESK,
        *,
        script: bool = True,
    ) -> None:
        self.address = address
        self.screen = screen
        self.complaints: list[str] = []
        self._expected: set[int] = set()
        self.context: BrowserContext = browser.new_context(
            base_url=address,
            viewport={"width": screen.width, "height": screen.height},
            has_touch=screen.touch,
            is_mobile=screen.touch,
            java_script_enabled=script,
            locale="en-US",
        )
        self.context.set_default_timeout(WAIT_MS)
        self.context.on("console", self._heard)
        self.context.on("weberror", self._broke)
        self.context.on("requestfailed", self._failed)
        self.context.on("response", self._answered)
        self.page: Page = self.context.new_page()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    # --- what the browser complains about ---

    def _heard(self, message: ConsoleMessage) -> None:
        # An answer of 4xx is in the console too; what was answered is looked at by itself.
        if "Failed to load resource" not in message.text:
            self.complaints.append(f"console: {message.text} ({self.path})")

    def _broke(self, error: WebError) -> None:
        self.complaints.append(f"script: {error.error}")

    def _failed(self, request: Request) -> None:
        # The browser gave it up by itself, for a page that came next.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"failed: {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        is_page = response.request.is_navigation_request()
        if response.status >= 400 and not (is_page and response.status in self._expected):
            self.complaints.append(f"{response.status}: {response.url}")

    @contextmanager
    def expecting(self, *statuses: int) -> Iterator[None]:
        """Within, pages may be answered with these."""
        before, self._expected = self._expected, {*self._expected, *statuses}
        yield
        self._expected = before

    def be(self, person: Person) -> None:
        """Take over the cookies of somebody who did something without a browser before."""
        # By https, since they are for secure pages only, and loopback counts as one.
        address = self.address.replace("http:", "https:")
        for name, value in person.cookies.items():
            self.context.add_cookies(
                [{"name": name, "value": value, "url": address, "secure": True}]
            )

    # --- looking ---

    @property
    def path(self) -> str:
        parts = urlsplit(self.page.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def words(self) -> str:
        """What can be read on the page, header and footer included."""
        return plain(self.page.locator("body").inner_text())

    def find(self, role: Role, name: str) -> Locator:
        """The one thing of that role whose name for a screen reader begins with `name`."""
        pattern = re.compile(rf"^{re.escape(name)}")
        return self.page.get_by_role(role, name=pattern)

    def count_in_cart(self) -> int:
        """What the header says."""
        count = self.page.locator("header .count")
        return int(re.sub(r"\D", "", count.inner_text())) if count.count() else 0

    # --- doing ---

    def open(self, path: str) -> None:
        self.page.goto(path)

    def press(self, role: Role, name: str) -> None:
        """Press what leads to another page, found by its name, and wait for that page."""
        self.press_it(self.find(role, name))

    def press_it(self, what: Locator) -> None:
        """Press what leads to another page, and wait for that."""
        with self.page.expect_navigation():
            self.touch(what)

    def touch(self, what: Locator) -> None:
        if self.screen.touch:
            what.tap()
        else:
            what.click()

    def press_twice(self, role: Role, name: str) -> None:
        """Faster than anything can come of the first press."""
        what = self.find(role, name)
        what.scroll_into_view_if_needed()
        box = what.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        if self.screen.touch:
            self.page.touchscreen.tap(x, y)
            self.page.touchscreen.tap(x, y)
        else:
            self.page.mouse.dblclick(x, y)

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label).fill(text)

    def picture(self, folder: str, name: str) -> None:
        """Keep how the whole page looks now."""
        self.page.screenshot(path=str(PurePath(folder) / f"{name}.png"), full_page=True)

    # --- what customers do ---

    def choose_location(self, name: str) -> None:
        self.touch(self.page.locator("main .place summary"))
        self.press("button", name)

    def ask_for_link(self, email: str) -> None:
        self.fill("Email address", email)
        self.press("button", "Email me a sign-in link")

    def open_mailed_link(self, email: str, leads_to: str = "/sign-in/") -> None:
        """The newest email's link, opened in a new tab, which is the one in use from then on."""
        self.page = self.context.new_page()
        self.open(f"/_local/mail?{urlencode({'to': email})}")
        self.press_it(self.page.locator(f"pre a[href*='{leads_to}']").first)

    def sign_in(self, email: str, *, at: str = "/sign-in") -> None:
        self.open(at)
        self.ask_for_link(email)
        self.open_mailed_link(email, f"{at}/")
        self.press("button", "Sign in")

    def save_card(self, number: str) -> None:
        """On the provider's own page, where the browser is now."""
        self.fill("Card number", number)
        self.fill("Expiry date", "12/34")
        self.fill("Security code", "123")
        self.press("button", "Save card")
