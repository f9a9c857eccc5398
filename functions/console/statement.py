"""A customer's statement, as staff see it ([LEDGER] [OWN])."""

from functions.console.books import read_books
from shared.domain.errors import Missing
from shared.web.answer import Answer, Raw
from shared.web.app import App
from shared.web.pages.statement import (
    StatementPage,
    StatementQuery,
    statement_answer,
    statement_page,
)
from shared.web.request import Request, Who


def mount_statement(app: App) -> None:
    """Add the statement's route."""
    app.get(
        "/console/customers/{customer}/statement",
        page="console_statement",
        answer=StatementPage,
        query=StatementQuery,
        who=Who.STAFF,
        summary="Every entry of a customer's packs, or of one, in order; also as CSV.",
    )(statement)


def statement(request: Request) -> Answer | Raw:
    """Of the packs that this person may see: balances are over those."""
    request.load()
    query: StatementQuery = request.query
    books = read_books(request.params["customer"], request.staff)
    if books is None:
        raise Missing("There is no such customer.")

    def page_of(limit: int) -> StatementPage:
        return statement_page(
            books.entries,
            books.packs,
            query,
            request.catalogue,
            path=f"/console/customers/{books.customer.id}/statement",
            limit=limit,
            whole=books.whole,
            for_staff=True,
            name=books.customer.name or books.customer.email,
        )

    return statement_answer(request, page_of)
