"""The customer's statement: every credit's life in order ([LEDGER] [OWN])."""

from functions.portal.packs_app import app
from shared.operations.statement import ended_packs, entries_of_all, live_packs
from shared.store import holdings
from shared.web.answer import Answer, Raw
from shared.web.pages.statement import (
    StatementPage,
    StatementQuery,
    statement_answer,
    statement_page,
)
from shared.web.pages.statement_packs import answer_of_packs, read_packs, takes_all
from shared.web.request import Request, Who
from shared.web.side_by_side import side_by_side

PATH = "/packs/statement"


@app.get(
    PATH,
    page="statement",
    answer=StatementPage,
    query=StatementQuery,
    who=Who.CUSTOMER,
    summary="Every entry of the packs, a page of packs at a time, or of one; also as CSV.",
)
def statement(request: Request) -> Answer | Raw:
    """Two round trips: who is here and beside it the packs, and then their entries."""
    query: StatementQuery = request.query
    customer_id = request.claimed_customer
    if customer_id is None or takes_all(request):
        return _of_all(request)
    pack = holdings.pack(customer_id, query.pack)
    found, told = side_by_side(
        lambda: request.load(*([pack] if query.pack else [])),
        lambda: read_packs(customer_id, query),
    )
    row = found.get(pack)
    return answer_of_packs(request, customer_id, told, row.value if row else None, path=PATH)


def _of_all(request: Request) -> Answer | Raw:
    """Two round trips: who is here, and then, side by side, all entries and all packs."""
    query: StatementQuery = request.query
    customer_id = request.signed_in.value.id
    read, (live, ended) = side_by_side(
        lambda: entries_of_all(customer_id),
        lambda: side_by_side(lambda: live_packs(customer_id), lambda: ended_packs(customer_id)),
    )
    packs = (*live, *ended)

    def page_of(limit: int) -> StatementPage:
        return statement_page(
            read.entries,
            packs,
            query,
            request.business,
            path=PATH,
            limit=limit,
            whole=read.whole,
        )

    return statement_answer(request, page_of)
