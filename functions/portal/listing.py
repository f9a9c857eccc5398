"""Lists of a customer's: narrowed down, and shown a page at a time. Pure.

A list is made from the newest items, as many as one reading brings; further ones follow from where
it ended. Filters, search and order are those of what was read.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from pydantic import Field, StringConstraints

from functions.portal.ids import Id
from shared.web.answer import Query
from shared.web.pages.choices import Choice

PAGE_SIZE = 50


READ_AT_ONCE = 300
"""How many of the newest items a list is made from."""


SEARCH_WORDS_MAX = 10


T = TypeVar("T")


Search = Annotated[str, StringConstraints(max_length=200)]


class ListQuery(Query):
    """`after` is the id that the former reading ended with, `skip` how many of this one were
    shown before. Both come with `next`."""

    after: Id | None = None
    skip: Annotated[int, Field(ge=0, le=READ_AT_ONCE)] = 0


def paged(
    items: Sequence[T], query: ListQuery, ended_at: str | None, path: str, **kept: str
) -> tuple[Sequence[T], str | None]:
    """One page of `items`, and the address of the next: in this reading, else where it ended."""
    end = query.skip + PAGE_SIZE
    again = {name: value for name, value in kept.items() if value}
    if len(items) > end:
        at = {"after": query.after or "", "skip": str(end)}
    elif ended_at is not None:
        at = {"after": ended_at.partition("#")[2]}
    else:
        return items[query.skip : end], None
    asked = {**again, **{name: value for name, value in at.items() if value}}
    return items[query.skip : end], f"{path}?{urlencode(asked)}"


def choices_of(values: Iterable[str], every: Iterable[str], chosen: str) -> tuple[Choice, ...]:
    """All, and each value that there is; the chosen one even if there is none."""
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
