"""What is looked at on every page: the accessibility rules, its width, the size of what is
pressed, and where the keyboard is ([A11Y])."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

SMALLEST_TARGET_PX = 24
"""WCAG 2.2, 2.5.8."""

SMALLEST_BUTTON_PX = 44
"""What a thumb hits; 2.5.5, for everything that is a button or looks like one."""


@cache
def axe() -> str:
    """The rules' own script; put into the page by the browser, so no page's policy is loosened."""
    if not AXE.is_file():
        pytest.fail(
            "The accessibility rules are missing; `make test` installs them.", pytrace=False
        )
    return AXE.read_text()


COLOUR_RULES = ["color-contrast", "link-in-text-block"]
"""The rules whose answer depends on the colour scheme."""

_RUN = """async (only) => {
  const found = await axe.run(document, {resultTypes: ["violations"], runOnly: only});
  return found.violations.flatMap(one => one.nodes.map(
    node => `${one.id}: ${node.target.join(" ")}: ${node.failureSummary}`));
}"""


def violations(page: Page) -> list[str]:
    """What the accessibility rules find on the page as it is shown now."""
    return _run(page, {"type": "tag", "values": RULES})


def colour_violations(page: Page) -> list[str]:
    """The same, of what another colour scheme may change."""
    return _run(page, {"type": "rule", "values": COLOUR_RULES})


def _run(page: Page, only: dict[str, Any]) -> list[str]:
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(axe())
    found: list[str] = page.evaluate(_RUN, only)
    return found


_TOO_WIDE = """() => {
  const root = document.scrollingElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  const wide = [...document.body.querySelectorAll("*")]
    .filter(one => one.getBoundingClientRect().right > root.clientWidth + 0.5)
    .slice(-3).map(one => one.outerHTML.slice(0, 120));
  return [`${root.scrollWidth} px of content in ${root.clientWidth} px`, ...wide];
}"""


def too_wide(page: Page) -> list[str]:
    """Why the page scrolls sideways, if it does."""
    found: list[str] = page.evaluate(_TOO_WIDE)
    return found


# A link inside a sentence is exempt, and what covers a whole card is as large as the card. Targets
# smaller than 24 px may stand alone: a circle of 24 px around each meets no other target.
_TOO_SMALL = """([least, button]) => {
  const shown = one => one.checkVisibility({visibilityProperty: true}) && !one.closest(".skip");
  const box = one => {
    const cover = getComputedStyle(one, "::after").position === "absolute"
      && one.classList.contains("cover");
    return (cover ? one.closest("li") : one.closest("label.choice") ?? one).getBoundingClientRect();
  };
  const inSentence = one => {
    if (one.tagName !== "A" || getComputedStyle(one).display !== "inline") return false;
    const parent = one.closest("p, li, dd, pre");
    return parent !== null && parent.textContent.trim() !== one.textContent.trim();
  };
  const targets = [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, summary")].filter(shown);
  const small = targets.filter(one => {
    const {width, height} = box(one);
    const isButton = one.matches("button, .button, select, input:not([type=radio])");
    if (isButton) return height < button || width < button;
    return (width < least || height < least) && !inSentence(one);
  });
  return small.map(one => {
    const {width, height} = box(one);
    return `${width.toFixed(0)} by ${height.toFixed(0)} px: ${one.outerHTML.slice(0, 120)}`;
  });
}"""


def too_small(page: Page) -> list[str]:
    """What a finger would miss."""
    found: list[str] = page.evaluate(_TOO_SMALL, [SMALLEST_TARGET_PX, SMALLEST_BUTTON_PX])
    return found


# --- the keyboard ----------------------------------------------------------------------------

# What covers a whole card shows the focus around the card, by its ::after.
_LOOK = """one => [null, "::after"].map(part => {
  const style = getComputedStyle(one, part);
  const line = style.outlineStyle === "none" ? "" : `${style.outlineWidth} ${style.outlineColor}`;
  return `${line}|${style.boxShadow}|${style.borderColor}|${style.backgroundColor}`;
}).join()"""

_AT_REST = f"""() => {{
  const look = {_LOOK};
  window.looksAtRest = new Map([...document.querySelectorAll(
    "a[href], button, input, select, summary, [tabindex]")].map(one => [one, look(one)]));
}}"""

_FOCUSED = f"""() => {{
  const one = document.activeElement;
  if (one === null || one === document.body) return null;
  const look = {_LOOK};
  const {{left, right, top, bottom}} = one.getBoundingClientRect();
  const at = (x, y) => {{
    const hit = document.elementFromPoint(x, y);
    return hit !== null && (one.contains(hit) || hit.contains(one) && hit !== document.body
      || hit.closest("label")?.contains(one) === true);
  }};
  const inset = 2, middle = [(left + right) / 2, (top + bottom) / 2];
  const seen = [middle, [left + inset, top + inset], [right - inset, bottom - inset]]
    .some(([x, y]) => at(x, y));
  return {{
    name: (one.innerText || one.getAttribute("aria-label") || one.id || one.tagName).trim(),
    html: one.outerHTML.slice(0, 160),
    differs: window.looksAtRest?.get(one) !== look(one),
    seen: seen,
  }};
}}"""


@dataclass(frozen=True)
class Focused:
    """Where the keyboard is. `differs`: it looks otherwise than at rest; `seen`: nothing lies on
    top of it, and it is on the screen."""

    name: str
    html: str
    differs: bool
    seen: bool


def remember_looks(page: Page) -> None:
    """Note how everything looks that can have the focus, to compare with it afterwards."""
    page.evaluate(_AT_REST)


def focused(page: Page) -> Focused | None:
    """What has the focus; None for the page as a whole."""
    found: dict[str, Any] | None = page.evaluate(_FOCUSED)
    return None if found is None else Focused(**found)


def has_focus(locator: Locator) -> bool:
    """Whether this is what has the focus."""
    return bool(locator.evaluate("one => one === document.activeElement"))
