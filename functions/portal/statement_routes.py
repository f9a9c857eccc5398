"""The customer's statement: every credit's life in order ([LEDGER] [OWN])."""

from functions.portal.packs_app import app
from shared.operations.statement import ended_packs, entries_of_all, live_packs
from shared.web.answer import Answer, Raw
from shared.web.pages.statement import (
    StatementPage,
    StatementQuery,
    statement_answer,
    statement_page,
)
from shared.web.request import Request, Who
from shared.web.side_by_side import side_by_side

PATH = "/packs/statement"


@app.get(
    PATH,
    page="statement",
    answer=StatementPage,
    query=StatementQuery,
    who=Who.CUSTOMER,
    summary="Every entry of all packs, or of one, in order; also as CSV.",
)
def statement(request: Request) -> Answer | Raw:
    """Two round trips: who is here, and then, side by side, the entries and the packs."""
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
            request.catalogue,
            path=PATH,
            limit=limit,
            whole=read.whole,
        )

    return statement_answer(request, page_of)
