"""That the newest of a customer's books tells the same as everything (decision 13): line for line,
after the moment from which it says it does."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from functions.console.books import Books, books_for, read_books
from functions.console.pages.models import TimelineEntry
from functions.console.recent import Limits, begin, finish
from functions.console.timeline import timeline
from shared.domain.invoice import stays_open
from shared.domain.pack import put_away
from shared.domain.product import Catalogue
from shared.domain.reversal import uses_of
from shared.store.staff import Role, StaffMember

OWNER = StaffMember(email="owner@example.com", name="Olive", role=Role.OWNER)
LOCALE = "en-US"
MOST_PAGES = 200

LITTLE = (
    Limits(newest=1, touched=1, since_then=1),
    Limits(newest=1, touched=4, since_then=6),
    Limits(newest=3, touched=2, since_then=20),
    Limits(newest=4, touched=25, since_then=40),
    Limits(),
)
"""From next to nothing to what is usual."""


class Told(NamedTuple):
    """What became of one reading of what is new."""

    lines: tuple[TimelineEntry, ...]
    """What it tells; nothing where everything has to be read."""
    cut: bool
    """Whether there was more than it tells of."""
    wrong: tuple[str, ...]


def lines_of(books: Books, catalogue: Catalogue, now: datetime) -> list[TimelineEntry]:
    """Everything that the timeline tells from these books, on all its pages."""
    lines: list[TimelineEntry] = []
    before = ""
    for _ in range(MOST_PAGES):
        told, older = timeline(books, catalogue, locale=LOCALE, now=now, before=before)
        lines += told
        if older is None or older == before or not told:
            return lines
        before = older
    raise AssertionError("a longer story than pages")


def compared(customer_id: str, catalogue: Catalogue, now: datetime, limits: Limits) -> Told:
    """The newest of a customer's books against everything."""
    whole = read_books(customer_id, OWNER)
    recent = finish(begin(customer_id, limits))
    if whole is None or recent is None:
        return Told((), whole is not None, ())
    books = books_for(recent.found, OWNER)
    assert books is not None
    told = lines_of(replace(books, since=recent.since), catalogue, now)
    every = lines_of(whole, catalogue, now)
    expected = [one for one in every if recent.since is None or one.at > recent.since]
    wrong = (*_differences(expected, told), *_left_out(whole, books))
    return Told(tuple(told), recent.since is not None, wrong)


def _left_out(whole: Books, books: Books) -> Iterator[str]:
    """What may still matter is beside the timeline, however old it is."""
    if books.subscriptions != whole.subscriptions:
        yield "the subscriptions are others"
    usable = [one for one in whole.packs if not put_away(one)]
    yield from (f"pack {one.id} is missing" for one in usable if one not in books.packs)
    asking = [one for one in whole.invoices if stays_open(one)]
    yield from (f"invoice {one.id} is missing" for one in asking if one not in books.invoices)
    for pack in books.packs:
        if pack.frozen_at and uses_of(pack, books.entries) != uses_of(pack, whole.entries):
            yield f"the credits of pack {pack.id}, on hold, went elsewhere"


def _differences(expected: list[TimelineEntry], told: list[TimelineEntry]) -> Iterator[str]:
    known = {one.id: one for one in told}
    if len(known) < len(told):
        yield "lines have the same id"
    for one in expected:
        other = known.pop(one.id, None)
        if other is None:
            yield f"{one.at} {one.id} “{one.what}” is missing"
        elif other != one:
            yield f"{one.at} {one.id} is told as {other}, not as {one}"
    yield from (f"{one.at} {one.id} “{one.what}” is told besides" for one in known.values())
    if [one.id for one in expected] != [one.id for one in told]:
        yield "the order is another"
