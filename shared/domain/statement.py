"""Every credit's life: where each one went, and every line of the ledgers in order ([LEDGER]).

Pure. A pack's credits are numbered in the order in which they came, and each is in exactly one
place: unused, held, used, expired, taken off or taken back. What holds a place takes the lowest
numbers that are unused, what takes off takes the highest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.domain.calendar import local_date
from shared.domain.pack import Entry, EntryKind, Pack


class Whereabouts(StrEnum):
    """Where a credit is now."""

    UNUSED = "unused"
    HELD = "held"
    USED = "used"
    EXPIRED = "expired"
    DEDUCTED = "deducted"
    """Taken off by staff, with a reason."""
    REVOKED = "revoked"
    """Taken back with what paid for it."""


@dataclass(frozen=True)
class Life:
    """Credits `first` to `last` of a pack, counted from 1, which are in one place. `entry` is the
    line that brought the first of them there: the grant, where nobody used it."""

    first: int
    last: int
    where: Whereabouts
    entry: Entry

    @property
    def count(self) -> int:
        return self.last - self.first + 1


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """As they were written down, the oldest first."""
    return sorted(entries, key=lambda one: (one.at, one.id, one.pack_id))


# --- where each credit went ------------------------------------------------------------------

_Place = tuple[Whereabouts, Entry]


def lives(entries: Iterable[Entry]) -> tuple[Life, ...]:
    """Where each credit of one pack is, by all the lines of its ledger: every credit that was ever
    granted is in exactly one place, and those unused are as many as the pack has left. An
    unlimited pack counts none.

    Lines that do not add up move no more credits than there are; the audit tells of them.
    """
    credits_ = _Credits()
    for entry in in_order(entries):
        if entry.left is not None:
            credits_.apply(entry)
    return tuple(_runs(credits_.places))


class _Credits:
    """A pack's credits by their numbers, from 0. `_unused` is in order."""

    def __init__(self) -> None:
        self.places: list[_Place] = []
        self._unused: list[int] = []
        self._held: dict[str | None, list[int]] = {}
        self._used: dict[str | None, list[int]] = {}
        self._gone: list[int] = []

    def apply(self, entry: Entry) -> None:
        count, reservation = abs(entry.delta), entry.reservation_id
        match entry.kind:
            case EntryKind.GRANT:
                self._unused += range(len(self.places), len(self.places) + count)
                self.places += [(Whereabouts.UNUSED, entry)] * count
            case EntryKind.HOLD:
                taken, self._unused = self._unused[:count], self._unused[count:]
                self._held.setdefault(reservation, []).extend(taken)
                self._put(taken, Whereabouts.HELD, entry)
            case EntryKind.RELEASE:
                self._give_back(self._held.get(reservation, []), count, entry)
            case EntryKind.REDEEM:
                held = self._held.pop(reservation, [])
                self._used.setdefault(reservation, []).extend(held)
                self._put(held, Whereabouts.USED, entry)
            case EntryKind.RESTORE:
                self._give_back(self._used.get(reservation) or self._gone, count, entry)
            case EntryKind.DEDUCT:
                self._gone += self._take_off(count, Whereabouts.DEDUCTED, entry)
            case EntryKind.EXPIRE:
                self._take_off(count, Whereabouts.EXPIRED, entry)
            case EntryKind.REVOKE:
                self._gone += self._take_off(count, Whereabouts.REVOKED, entry)

    def _put(self, numbers: Iterable[int], where: Whereabouts, entry: Entry) -> None:
        for at in numbers:
            self.places[at] = (where, entry)

    def _give_back(self, numbers: list[int], count: int, entry: Entry) -> None:
        back = numbers[:count]
        del numbers[:count]
        self._unused = sorted([*self._unused, *back])
        self._put(back, Whereabouts.UNUSED, entry)

    def _take_off(self, count: int, where: Whereabouts, entry: Entry) -> list[int]:
        kept = max(0, len(self._unused) - count)
        gone, self._unused = self._unused[kept:], self._unused[:kept]
        self._put(gone, where, entry)
        return gone


def _runs(places: Sequence[_Place]) -> Iterable[Life]:
    """Neighbours that are in the same place by the same line, as one. Unused ones are all alike:
    whatever gave them back, they can be used again."""
    begins = 0
    for at, place in enumerate(places):
        last = at + 1 == len(places)
        if last or not _alike(place, places[at + 1]):
            yield Life(begins + 1, at + 1, *places[begins])
            begins = at + 1


def _alike(one: _Place, other: _Place) -> bool:
    return one[0] is other[0] and (one[0] is Whereabouts.UNUSED or one[1] is other[1])


# --- every line, with its balance ------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A line of a ledger. `balance` is what was left over all the packs that are told of after it;
    `entry.left` is what was left of its own pack. `pack` None: it was not read."""

    entry: Entry
    pack: Pack | None
    balance: int


def lines(entries: Iterable[Entry], packs: Mapping[str, Pack]) -> list[Line]:
    """Every line, the oldest first, with the running balance: the sum of all entries so far."""
    balance = 0
    found = []
    for entry in in_order(entries):
        balance += entry.delta
        found.append(Line(entry, packs.get(entry.pack_id), balance))
    return found


@dataclass(frozen=True)
class Excerpt:
    """Lines of some local days. `opening` is the balance before the first of those days, `closing`
    after the last."""

    lines: tuple[Line, ...]
    opening: int
    closing: int


def between(told: Sequence[Line], first: date | None, last: date | None) -> Excerpt:
    """The lines of the days from `first` to `last`, both in; None is without an end. Days are
    those of each pack's location."""
    before = [one for one in told if first is not None and _day(one) < first]
    shown = [
        one
        for one in told
        if (first is None or _day(one) >= first) and (last is None or _day(one) <= last)
    ]
    opening = sum(one.entry.delta for one in before)
    closing = opening + sum(one.entry.delta for one in shown)
    return Excerpt(tuple(shown), opening, closing)


def _day(line: Line) -> date:
    return local_date(line.entry.at, line.pack.zone if line.pack else "UTC")
