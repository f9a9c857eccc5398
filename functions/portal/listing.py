"""Lists of a customer's: narrowed down, and shown a page at a time. Pure.

The newest come first, by when they were asked for, as their ids say: a page reads no more of them
than it shows. A filter, a search or another order looks through as many as `READ_AT_ONCE`; further
ones follow from where that ended. What may still matter however old it is, packs that something can
come of and invoices that stay open, lies apart and is always read whole.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Generic, NamedTuple, Protocol, TypeVar
from urllib.parse import urlencode

from pydantic import Field, StringConstraints

from functions.portal.ids import Id
from shared.web.answer import Query
from shared.web.pages.choices import Choice

PAGE_SIZE = 12
ONE_PAGE = PAGE_SIZE + 1
"""What a page reads of a list: the one beyond it tells that there are more."""

READ_AT_ONCE = 300
"""How many of the newest items are looked through at once."""

SEARCH_WORDS_MAX = 10


class _Named(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T")
S = TypeVar("S", bound=_Named)
Shown = tuple[Sequence[S], str | None]
Search = Annotated[str, StringConstraints(max_length=200)]


class ListQuery(Query):
    """`after` is the id that the former page, or what it looked through, ended with. It comes with
    `next`."""

    after: Id | None = None


class SkippingQuery(ListQuery):
    """`skip` is how many of what is looked through were shown before."""

    skip: Annotated[int, Field(ge=0, le=READ_AT_ONCE)] = 0


class Listed(NamedTuple, Generic[S]):
    """Some of a list, the newest first by their ids, and where what was looked through of it ended
    (None: there is no more)."""

    items: tuple[S, ...]
    ended_at: str | None


def merged(always: Iterable[S], after: str | None, *readings: Listed[S]) -> Listed[S]:
    """What lies apart, put together in the order of the ids: `always` was read whole, of the
    `readings` each what follows `after`. What lies beyond the first of these to end waits for the
    next page, so that nothing is skipped."""
    ended_at = max((one.ended_at for one in readings if one.ended_at is not None), default=None)
    found = [one for one in always if after is None or one.id < after]
    for reading in readings:
        found += reading.items
    ordered = sorted(
        (one for one in found if ended_at is None or one.id >= ended_at),
        key=lambda one: one.id,
        reverse=True,
    )
    return Listed(tuple(ordered), ended_at)


def address(path: str, **asked: str) -> str:
    """The path with what is asked of it, but for what is empty."""
    return f"{path}?{urlencode({name: value for name, value in asked.items() if value})}"


def page_of(
    found: Sequence[S], ended_at: str | None, path: str, *, size: int = PAGE_SIZE, **kept: str
) -> Shown[S]:
    """A page of what was found, and the address of the next: after the last that is shown, else
    after what was looked through."""
    shown = found[:size]
    if len(found) > size:
        ended_at = shown[-1].id
    if ended_at is None:
        return shown, None
    return shown, address(path, **kept, after=ended_at)


def paged(
    items: Sequence[T], query: SkippingQuery, ended_at: str | None, path: str, **kept: str
) -> tuple[Sequence[T], str | None]:
    """One page of `items`, and the address of the next: in this reading, else where it ended."""
    end = query.skip + PAGE_SIZE
    if len(items) > end:
        at = {"after": query.after or "", "skip": str(end)}
    elif ended_at is not None:
        at = {"after": ended_at}
    else:
        return items[query.skip : end], None
    return items[query.skip : end], address(path, **kept, **at)


def choices_of(
    values: Iterable[str], every: Iterable[str], chosen: str, *, whole: bool = True
) -> tuple[Choice, ...]:
    """All, and each value that there is; the chosen one even if there is none. Where `values` are
    not the whole list, every value that there could be, uncounted."""
    if not whole:
        return tuple(Choice(value=one, selected=one == chosen) for one in ("", *every))
    listed = list(values)
    counted = {value: listed.count(value) for value in every}
    return (
        Choice(value="", count=len(listed), selected=not chosen),
        *(
            Choice(value=value, count=count, selected=value == chosen)
            for value, count in counted.items()
            if count or value == chosen
        ),
    )


def fitting(search: str) -> Callable[..., bool]:
    words = search.casefold().split()[:SEARCH_WORDS_MAX]

    def fits(*texts: str) -> bool:
        text = " ".join(texts).casefold()
        return all(word in text for word in words)

    return fits
