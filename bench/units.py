"""Capacity units of what is written to DynamoDB, counted from what is asked for.

DynamoDB Local misreports those of transactions: so they are two write units for each begun KB of
each item, by the larger of the item before and after, and one for each entry of an index that is
put or removed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

KB = 1024
INDEXES = (("due_shard", "due_at"), ("pk", "touched_at"))
"""The keys of the `due` and of the `touched` index (template.yaml: both KEYS_ONLY)."""

WRITE_UNITS_PER_KB = 2
"""Of a transaction; a plain write takes one."""

Item = Mapping[str, Any]


def attribute_bytes(value: Mapping[str, Any]) -> int:
    """The size of an attribute's value, as DynamoDB's documentation reckons it."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(str(content).encode())
        case "N":
            digits = str(content).lstrip("-").replace(".", "").strip("0")
            return ceil(len(digits) / 2) + 1 + str(content).startswith("-")
        case "BOOL" | "NULL":
            return 1
        case "B":
            return len(content) * 3 // 4
        case _:
            raise ValueError(f"no item of ours has an attribute of type {kind}")


def item_bytes(item: Item) -> int:
    """The size of an item: the names of its attributes and their values."""
    return sum(len(name.encode()) + attribute_bytes(value) for name, value in item.items())


def kilobytes(size: int) -> int:
    """Begun KB of so many bytes; nothing counts as one."""
    return max(1, ceil(size / KB))


def index_entries(item: Item | None) -> set[tuple[tuple[str, str], ...]]:
    """What an item has in the indexes, each as the keys that it holds of it."""
    return {
        tuple((name, item[name]["S"]) for name in ("pk", "sk", *keys))
        for keys in INDEXES
        if item is not None and all(name in item for name in keys)
    }


def index_units(before: Item | None, after: Item | None) -> int:
    """An entry that comes or goes is one write; one whose key changes is two."""
    return len(index_entries(before) ^ index_entries(after))


@dataclass(frozen=True)
class Written:
    """One item of a transaction: what it was and became, and its write units."""

    action: str
    pk: str
    sk: str
    size: int
    item_units: int
    index_units: int

    @property
    def units(self) -> int:
        return self.item_units + self.index_units


def written(action: str, key: Item, before: Item | None, after: Item | None) -> Written:
    size = max(item_bytes(item) if item else 0 for item in (before, after))
    return Written(
        action=action,
        pk=key["pk"]["S"],
        sk=key["sk"]["S"],
        size=size,
        item_units=WRITE_UNITS_PER_KB * kilobytes(size),
        index_units=index_units(before, after),
    )
