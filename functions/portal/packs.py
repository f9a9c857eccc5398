"""Packs, and every credit's life ([LEDGER] [OWN])."""

from functions.portal import pack_lists, statement_routes
from functions.portal.ids import path_id
from functions.portal.listing import ONE_PAGE, READ_AT_ONCE, ListQuery
from functions.portal.owned import cursor, listed, load, values
from functions.portal.pack_lists import PacksQuery
from functions.portal.packs_app import app
from functions.portal.pages.pack_models import PackPage, PacksPage
from shared.domain.errors import Missing
from shared.operations.statement import entries_of_all
from shared.store import accounts
from shared.store.reading import PAGE_LIMIT
from shared.web.answer import Answer
from shared.web.pages.entries import entry_view, without_names
from shared.web.pages.packs import pack_summary
from shared.web.pages.statement import lives_of
from shared.web.request import Request, Who
from shared.web.side_by_side import side_by_side

ALSO = (statement_routes,)
"""A module whose routes this function serves too: importing it adds the routes."""


@app.get(
    "/packs",
    page="packs",
    answer=PacksPage,
    query=PacksQuery,
    who=Who.CUSTOMER,
    summary="Packs, by status and search.",
)
def packs(request: Request) -> Answer:
    query: PacksQuery = request.query
    customer_id = request.signed_in.value.id
    limit = READ_AT_ONCE if query.narrows else ONE_PAGE
    live, ended = side_by_side(
        lambda: accounts.live_packs_of(customer_id),
        lambda: accounts.ended_packs_of(customer_id, limit=limit, after=query.after),
    )
    living = [row.value for row in live]
    return Answer(
        pack_lists.packs_page(living, listed(ended), query, request.business, request.now)
    )


@app.get(
    "/packs/{pack}",
    page="pack",
    answer=PackPage,
    query=ListQuery,
    who=Who.CUSTOMER,
    summary="One pack with every entry of its ledger, and where each of its credits is.",
)
def pack(request: Request) -> Answer:
    """Two round trips. Further pages of the entries are read by themselves, without the rest."""
    pack_id = path_id(request, "pack")
    query: ListQuery = request.query
    found = load(request, lambda customer_id: [accounts.pack(customer_id, pack_id)])
    customer_id = request.signed_in.value.id
    row = found.get(accounts.pack(customer_id, pack_id))
    if row is None:
        raise Missing("There is no such pack.")
    read = None if query.after else entries_of_all(customer_id, pack_id)
    if read is not None and read.whole:
        newest = sorted(read.entries, key=lambda one: one.id, reverse=True)
        shown, more = newest[:PAGE_LIMIT], len(newest) > PAGE_LIMIT
        lives = lives_of(read.entries)
    else:
        page = accounts.entries_of(customer_id, pack_id, after=cursor(query, f"entry#{pack_id}"))
        shown, more, lives = values(page), page.next is not None, ()
    return Answer(
        PackPage(
            pack=pack_summary(row.value, request.business, request.now),
            lives=lives,
            entries=tuple(without_names(entry_view(one)) for one in shown),
            next=f"/packs/{pack_id}?after={shown[-1].id}" if more else None,
        )
    )


handler = app.handler
