"""Which credits of a pack were used, said in words to staff ([REVERSE])."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from shared.domain.reversal import Use, Uses, uses_of
from shared.store import accounts

if TYPE_CHECKING:
    from shared.domain.pack import Entry, Pack
    from shared.operations.context import Context

MAX_ENTRY_PAGES = 10
"""Pages of one ledger that are read; what lies further back is left out."""

NAMED_MAX = 20
"""Reservations that are named of one pack; the others are counted."""


def read_uses(packs: Iterable[Pack]) -> tuple[Uses, ...]:
    """Where the credits of each pack went, by its ledger."""
    return tuple(uses_of(pack, _entries(pack)) for pack in packs)


def _entries(pack: Pack) -> list[Entry]:
    found: list[Entry] = []
    after: str | None = None
    for _ in range(MAX_ENTRY_PAGES):
        page = accounts.entries_of(pack.customer_id, pack.id, after=after)
        found += [row.value for row in page.rows]
        after = page.next
        if after is None:
            break
    return found


def in_words(context: Context, uses: Uses) -> str:
    """`Ten classes: 10 credits granted. 1 credit used: Yoga on March 3, 2026. …`"""
    pack = uses.pack
    granted = "unlimited credits" if pack.granted is None else _credits(pack.granted)
    said = [f"{pack.name}: {granted} granted."]
    for what, some in (("used", uses.used), ("held for what is booked", uses.held)):
        if some:
            said.append(f"{_sum(some)} {what}: {_named(context, some)}.")
        else:
            said.append(f"None {what}.")
    if uses.deducted:
        said.append(f"{_credits(uses.deducted)} taken off by staff.")
    if uses.expired:
        said.append(f"{_credits(uses.expired)} expired.")
    if pack.left is not None:
        said.append(f"{_credits(pack.left)} unused.")
    return " ".join(said)


def _credits(count: int) -> str:
    return f"{count} credit{'' if count == 1 else 's'}"


def _sum(uses: tuple[Use, ...]) -> str:
    credits_ = sum(one.credits for one in uses)
    return _credits(credits_) if credits_ else f"{len(uses)} of an unlimited pack"


def _named(context: Context, uses: tuple[Use, ...]) -> str:
    named = [_name(context, one) for one in uses[:NAMED_MAX]]
    others = len(uses) - len(named)
    return "; ".join([*named, *([f"and {others} more"] if others else [])])


def _name(context: Context, one: Use) -> str:
    if one.at is None:
        return one.name
    from shared.messages.formats import Formats, locale_of

    formats = Formats(locale_of(context.business.settings.locale), one.zone, marked=False)
    return f"{one.name} on {formats.day(one.at)}"
