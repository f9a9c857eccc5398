"""What lies by its id, which sorts by time: a page of it, the newest first, or all of it."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel

from shared.store.items import AccountItem, Row
from shared.store.people import customer_pk
from shared.store.reading import Page, query

AT_ONCE = 300
"""Items of one reading, where all are read."""

MAX_READINGS = 50
"""So that all are 15,000: as many as nobody has of what something may still come of."""

E = TypeVar("E", bound=BaseModel)


def newest(
    customer_id: str, name: str, model: type[E], *, limit: int, after: str | None = None
) -> Page[E]:
    """What lies under `name#{id}` of a customer. Both `after` and `next` are ids."""
    cursor = f"{name}#{after}" if after else None
    page = query(
        AccountItem, customer_pk(customer_id), f"{name}#", model, limit=limit, after=cursor
    )
    return Page(page.rows, page.next.partition("#")[2] if page.next else None)


def everything(reading: Callable[[str | None], Page[E]]) -> tuple[Row[E], ...]:
    """Every row of a collection that does not grow with the years: mostly one round trip."""
    rows: list[Row[E]] = []
    after: str | None = None
    for _ in range(MAX_READINGS):
        page = reading(after)
        rows += page.rows
        after = page.next
        if after is None:
            break
    return tuple(rows)
