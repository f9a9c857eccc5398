"""The figures: their limits, `build/bench.json`, and a table that people read."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
JSON = ROOT / "build" / "bench.json"
TABLE = ROOT / "build" / "bench.md"


@dataclass(frozen=True)
class Figure:
    """`value` is held to `limit`, where there is one; `how` says how it was got. What else was
    seen is in `more`: the least, median and spread of repeats, or the parts."""

    name: str
    value: float
    how: str
    limit: float | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def within(self) -> bool | None:
        return None if self.limit is None else self.value <= self.limit

    @property
    def mark(self) -> str:
        return {None: "", True: "✓", False: "✗"}[self.within]


def as_json(figures: Iterable[Figure]) -> dict[str, Any]:
    """By name."""
    return {
        one.name: {
            "value": rounded(one.value),
            "limit": one.limit,
            "within": one.within,
            **{name: rounded(value) for name, value in one.more.items()},
            "how": one.how,
        }
        for one in figures
    }


def rounded(value: Any) -> Any:
    """Four digits are more than any figure here is good for."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, Mapping):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return value


def shown(value: float) -> str:
    return f"{value:.4g}"


def table(figures: Iterable[Figure]) -> str:
    """Markdown, a section for each group of figures."""
    groups: dict[str, list[Figure]] = {}
    for one in figures:
        groups.setdefault(one.name.partition(".")[0], []).append(one)
    parts = []
    for name, members in groups.items():
        parts.append(_group(name, members))
    return "\n".join(parts)


def _group(name: str, members: list[Figure]) -> str:
    spread = any("median" in one.more for one in members)
    heads = ["figure", "value", *(["median", "spread"] if spread else []), "limit", ""]
    lines = [f"### {name}", "", _row(heads), _row(["---"] * len(heads))]
    for one in members:
        cells = [f"`{one.name}`", shown(one.value)]
        if spread:
            cells += [
                shown(one.more[part]) if part in one.more else "" for part in ("median", "spread")
            ]
        limit = "" if one.limit is None else shown(one.limit)
        lines.append(_row([*cells, limit, one.mark]))
    hows = sorted({one.how for one in members})
    lines += ["", *hows, ""] if len(hows) <= MOST_HOWS else [""]
    return "\n".join(lines)


MOST_HOWS = 4
"""More ways than these to get a group's figures are left to the JSON."""


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def write(figures: list[Figure], about: Mapping[str, Any]) -> None:
    """`build/bench.json` and `build/bench.md`."""
    JSON.parent.mkdir(exist_ok=True)
    JSON.write_text(json.dumps({"about": dict(about), **as_json(figures)}, indent=2) + "\n")
    TABLE.write_text(table(figures))


__all__ = ["JSON", "TABLE", "Figure", "as_json", "table", "write"]
