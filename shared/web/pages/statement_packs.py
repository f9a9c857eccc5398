"""The statement of a page of packs, or of one pack: read without the rest ([LEDGER])."""

from collections.abc import Callable
from functools import partial

from shared.domain.pack import Pack
from shared.operations.statement import (
    PacksTold,
    Whole,
    ended_after,
    entries_between,
    living_after,
    packs_told,
    together,
)
from shared.web.answer import Answer, Raw
from shared.web.pages.statement import (
    StatementPage,
    StatementQuery,
    file_wanted,
    statement_answer,
    statement_page,
)
from shared.web.request import Request
from shared.web.side_by_side import each_side_by_side, side_by_side


def takes_all(request: Request) -> bool:
    """Whether every line of every pack is read: for a file, and to find what was asked for."""
    query: StatementQuery = request.query
    return query.looks_through_all or (file_wanted(request) is not None and not query.pack)


def read_packs(customer_id: str, query: StatementQuery) -> PacksTold:
    """The page of packs that was asked for; with one pack the first page, to choose from: one round
    trip."""
    after = None if query.pack else query.after
    living, ended = side_by_side(
        lambda: living_after(customer_id, after), lambda: ended_after(customer_id, after)
    )
    return packs_told(living, ended, after)


def answer_of_packs(
    request: Request,
    customer_id: str,
    told: PacksTold,
    chosen: Pack | None,
    *,
    path: str,
    works_at: Callable[[str], bool] = lambda _: True,
    for_staff: bool = False,
    name: str = "",
) -> Answer | Raw:
    """The statement of the packs `told` of, or of the `chosen` one where one was asked for: one
    more round trip. `works_at` says whose locations may be named."""
    query: StatementQuery = request.query
    offered = {one.id: one for one in (*told.packs, *([chosen] if chosen else []))}
    read = _read_entries(customer_id, query, told, chosen)
    places = {one.id: one.name for one in request.business.locations if works_at(one.id)}

    def page_of(limit: int) -> StatementPage:
        return statement_page(
            read.entries,
            tuple(offered.values()),
            query,
            request.business,
            path=path,
            limit=limit,
            whole=read.whole,
            told=None if query.pack else told,
            places=None if told.all_there_are else places,
            for_staff=for_staff,
            name=name,
        )

    return statement_answer(request, page_of)


def _read_entries(
    customer_id: str, query: StatementQuery, told: PacksTold, chosen: Pack | None
) -> Whole:
    packs, spans = told.packs, told.spans()
    if query.pack:
        packs = (chosen,) if chosen else ()
        spans = [(one.id, one.id) for one in packs]
    readings = [partial(entries_between, customer_id, first, last) for first, last in spans]
    return together(each_side_by_side(readings), packs)
