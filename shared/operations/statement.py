"""Reading what a statement tells of ([LEDGER]): a customer's packs and their entries, all of them
or a page of packs at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from shared.domain.pack import put_away
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

PACKS_OF_A_PAGE = 12

LIVING, OVER, ENDED = "2", "1", "0"
"""Whom a page tells of first: packs that something may still come of, then what an earlier version
of these left among them, then those that were put away."""

CURSOR = r"^[012]\.[0-9A-Za-z._-]{1,90}$"
"""Where a page of packs ended: one of these, and the id of its last pack."""

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


# --- a page of packs -------------------------------------------------------------------------


@dataclass(frozen=True)
class PacksTold:
    """The packs that a page tells of, with every line of each, the newest first by their ids. All
    that something may still come of are told of before those that ended.

    `next` is where the next page begins (None: there are no more), `begins` whether this is the
    first. `more_in_use`: later pages tell of packs that something may still come of."""

    living: tuple[Pack, ...]
    ended: tuple[Pack, ...]
    next: str | None
    begins: bool
    more_in_use: bool

    @property
    def packs(self) -> tuple[Pack, ...]:
        return (*self.living, *self.ended)

    @property
    def all_there_are(self) -> bool:
        return self.begins and self.next is None

    def only(self, shown: Callable[[Pack], bool]) -> PacksTold:
        """The same page, of the packs that may be shown."""
        return replace(
            self,
            living=tuple(one for one in self.living if shown(one)),
            ended=tuple(one for one in self.ended if shown(one)),
        )

    def spans(self) -> list[tuple[str, str]]:
        """From which id to which the packs lie whose entries are read, each a query. Those that
        ended follow one another, but for others that are told of here or on other pages; what lies
        before them is asked for one by one."""
        ids = sorted(one.id for one in self.packs)
        together = ids if self.all_there_are else [one.id for one in self.ended]
        if not together:
            return [(one, one) for one in ids]
        lowest = min(together)
        return [*((one, one) for one in ids if one < lowest), (lowest, ids[-1])]


def living_after(customer_id: str, after: str | None) -> tuple[Pack, ...]:
    """The packs that something may still come of, where the page after `after` may tell of them."""
    return () if after is not None and after.startswith(ENDED) else live_packs(customer_id)


def ended_after(customer_id: str, after: str | None) -> tuple[Pack, ...]:
    """As many that ended as fill a page, and one more: one round trip."""
    at = after.partition(".")[2] if after is not None and after.startswith(ENDED) else None
    page = holdings.ended_packs_of(customer_id, limit=PACKS_OF_A_PAGE + 1, after=at)
    return tuple(row.value for row in page.rows)


def packs_told(living: Iterable[Pack], ended: Iterable[Pack], after: str | None) -> PacksTold:
    """The page that follows `after`, of what `living_after` and `ended_after` gave. Pure."""
    placed = [(f"{OVER if put_away(one) else LIVING}.{one.id}", one) for one in living]
    placed += [(f"{ENDED}.{one.id}", one) for one in ended]
    placed.sort(key=lambda each: each[0], reverse=True)
    following = [each for each in placed if after is None or each[0] < after]
    shown, later = following[:PACKS_OF_A_PAGE], following[PACKS_OF_A_PAGE:]
    return PacksTold(
        living=tuple(one for at, one in shown if not at.startswith(ENDED)),
        ended=tuple(one for at, one in shown if at.startswith(ENDED)),
        next=shown[-1][0] if later else None,
        begins=after is None,
        more_in_use=any(at.startswith(LIVING) for at, _ in later),
    )


def entries_between(customer_id: str, first: str, last: str) -> Whole:
    """Every entry of the packs whose ids are from `first` to `last`, both in."""
    entries, whole = _all(
        lambda after: accounts.ledgers_between(
            customer_id, first, last, limit=ENTRIES_AT_ONCE, after=after
        )
    )
    return Whole(tuple(entries), whole)


def together(read: Sequence[Whole], packs: Iterable[Pack]) -> Whole:
    """What was read beside one another, of these packs only."""
    told = {one.id for one in packs}
    entries = tuple(one for each in read for one in each.entries if one.pack_id in told)
    return Whole(entries, all(each.whole for each in read))
