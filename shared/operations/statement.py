"""Reading all that a statement tells of ([LEDGER]): a customer's packs and their entries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from shared.store import accounts, holdings

if TYPE_CHECKING:
    from shared.domain.pack import Entry, Pack
    from shared.store.reading import Page

ENTRIES_AT_ONCE = 2_000
"""Entries of one reading. DynamoDB itself ends a page at 1 MB, which is a little more."""

PACKS_AT_ONCE = 1_000
MAX_READINGS = 5
"""Readings of one collection, each a round trip: 10,000 entries, where one is enough for many
years of somebody who comes every day."""

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Whole:
    """Everything of a kind that was read; `whole` is False when there is more than that."""

    entries: tuple[Entry, ...]
    whole: bool


def entries_of_all(customer_id: str, pack_id: str | None = None) -> Whole:
    """Every entry of a customer, or of one of the packs: one round trip, and one more for each
    further `ENTRIES_AT_ONCE`."""
    entries, whole = _all(
        lambda after: accounts.ledger_of(customer_id, pack_id, limit=ENTRIES_AT_ONCE, after=after)
    )
    return Whole(tuple(entries), whole)


def live_packs(customer_id: str) -> tuple[Pack, ...]:
    """The packs that something may still come of: mostly one round trip."""
    return tuple(row.value for row in holdings.live_packs_of(customer_id))


def ended_packs(customer_id: str) -> tuple[Pack, ...]:
    """The others: mostly one round trip."""
    packs, _ = _all(
        lambda after: holdings.ended_packs_of(customer_id, limit=PACKS_AT_ONCE, after=after)
    )
    return tuple(packs)


def _all(reading: Callable[[str | None], Page[T]]) -> tuple[list[T], bool]:
    found: list[T] = []
    after: str | None = None
    for _ in range(MAX_READINGS):
        page = reading(after)
        found += [row.value for row in page.rows]
        after = page.next
        if after is None:
            return found, True
    return found, False
