"""Two plots as SVG: how near each figure is to its limit, and how work grows. Bars and lines need
no library (docs/decisions/0010-plots.md)."""

from collections.abc import Mapping, Sequence
from html import escape
from math import log10
from typing import Any

ROW, LEFT, WIDTH, RIGHT, TOP = 22, 330, 360, 90, 34
WITHIN, OVER, LINE, WORDS = "#2f7d4f", "#b3402a", "#888888", "#222222"
FONT = 'font-family="system-ui, sans-serif" font-size="12"'
MOST = 2.0
"""Bars end at twice their limit; the number beside says how far it really is."""

Json = Mapping[str, Any]


def bars(figures: Json) -> str:
    """Each figure that has a limit, as a share of it."""
    held = [
        (name, one["value"], one["limit"])
        for name, one in figures.items()
        if name != "about" and one.get("limit") is not None
    ]
    height = TOP + ROW * len(held) + 12
    at_limit = LEFT + WIDTH / MOST
    parts = [
        _text(LEFT, 18, "share of the limit"),
        _text(at_limit, 18, "1.0", anchor="middle"),
    ]
    for at, (name, value, limit) in enumerate(held):
        y = TOP + ROW * at
        share = min(MOST, max(0.0, value / limit))
        colour = WITHIN if value <= limit else OVER
        parts.append(_text(LEFT - 8, y + 14, name, anchor="end"))
        parts.append(
            f'<rect x="{LEFT}" y="{y + 3}" width="{share * WIDTH / MOST:.1f}" '
            f'height="{ROW - 8}" fill="{colour}"/>'
        )
        parts.append(_text(LEFT + share * WIDTH / MOST + 6, y + 14, f"{value:.3g} of {limit:.3g}"))
    parts.append(_line(at_limit, TOP - 6, at_limit, height - 8, dashed=True))
    return _svg(LEFT + WIDTH + RIGHT, height, "Each figure as a share of its limit", parts)


def curves(lines: Mapping[str, tuple[Sequence[float], Sequence[float]]], title: str) -> str:
    """Work by size, both as powers of ten: sizes and work of each line, by its name."""
    width, height, margin = 560, 320, 60
    xs = [log10(size) for sizes, _ in lines.values() for size in sizes]
    ys = [log10(work) for _, each in lines.values() for work in each]
    left, right = min(xs), max(xs)
    low, high = int(min(ys)), int(max(ys)) + 1

    def place(size: float, work: float) -> tuple[float, float]:
        x = margin + (log10(size) - left) / (right - left) * (width - 2 * margin - 80)
        y = height - margin + (low - log10(work)) / (high - low) * (height - 2 * margin)
        return x, y

    parts = [_text(width / 2 - 40, height - 12, title, anchor="middle")]
    for power in range(low, high + 1):
        _, y = place(10**left, 10**power)
        parts.append(_line(margin, y, width - margin - 80, y))
        parts.append(_text(margin - 6, y + 4, f"{10.0**power:,.0f}", anchor="end"))
    colours = ("#2f5d8a", "#b3402a", "#2f7d4f", "#7a4f9a")
    for colour, (name, (sizes, each)) in zip(colours, lines.items(), strict=False):
        points = [place(size, work) for size, work in zip(sizes, each, strict=True)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, _), size in zip(points, sizes, strict=True):
            parts.append(_text(x, height - margin + 18, f"{size:,}", anchor="middle"))
        x, y = points[-1]
        parts.append(_text(x + 8, y + 4, name, colour=colour))
    return _svg(width, height, title, parts)


def _text(x: float, y: float, words: str, *, anchor: str = "start", colour: str = WORDS) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" {FONT}>'
        f"{escape(words)}</text>"
    )


def _line(x: float, y: float, to_x: float, to_y: float, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return (
        f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" '
        f'stroke="{LINE}" stroke-width="1"{dash}/>'
    )


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    inner = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'role="img" aria-label="{escape(title)}">\n<title>{escape(title)}</title>\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n{inner}\n</svg>\n'
    )
