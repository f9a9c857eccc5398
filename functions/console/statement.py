"""A customer's statement, as staff see it ([LEDGER] [OWN])."""

from functions.console.books import read_books
from functions.console.lists import signed_in_at_all
from shared.domain.customer import Customer
from shared.domain.errors import Missing
from shared.operations.staff import sees_customer
from shared.store import accounts
from shared.web.answer import Answer, Raw
from shared.web.app import App
from shared.web.pages.statement import (
    StatementPage,
    StatementQuery,
    statement_answer,
    statement_page,
)
from shared.web.pages.statement_packs import answer_of_packs, read_packs, takes_all
from shared.web.request import Request, Who
from shared.web.side_by_side import side_by_side


def mount_statement(app: App) -> None:
    """Add the statement's route."""
    app.get(
        "/console/customers/{customer}/statement",
        page="console_statement",
        answer=StatementPage,
        query=StatementQuery,
        who=Who.STAFF,
        summary="Every entry of a customer's packs, a page of packs at a time, or of one; also as "
        "CSV.",
    )(statement)


def statement(request: Request) -> Answer | Raw:
    """Of the packs that this person may see: balances are over those. Two round trips: who asks and
    beside it the packs, and then their entries."""
    signed_in_at_all(request)
    query: StatementQuery = request.query
    customer_id = request.params["customer"]
    if takes_all(request):
        return _of_all(request, customer_id)
    head, pack = accounts.head(customer_id), accounts.pack(customer_id, query.pack)
    found, told = side_by_side(
        lambda: request.load(head, *([pack] if query.pack else [])),
        lambda: read_packs(customer_id, query),
    )
    staff, row, asked_for = request.staff, found.get(head), found.get(pack)
    told = told.only(lambda one: staff.works_at(one.location_id))
    is_theirs = asked_for is not None and staff.works_at(asked_for.value.location_id)
    if row is None:
        raise _missing()
    seen = told.packs or is_theirs or sees_customer(staff, row.value)
    # Somebody of another location, unless there is more of them here than was read.
    if not seen and read_books(customer_id, staff) is None:
        raise _missing()
    return answer_of_packs(
        request,
        customer_id,
        told,
        asked_for.value if asked_for is not None and is_theirs else None,
        path=_path(customer_id),
        works_at=staff.works_at,
        for_staff=True,
        name=_name(row.value),
    )


def _of_all(request: Request, customer_id: str) -> Answer | Raw:
    request.load()
    query: StatementQuery = request.query
    books = read_books(customer_id, request.staff)
    if books is None:
        raise _missing()

    def page_of(limit: int) -> StatementPage:
        return statement_page(
            books.entries,
            books.packs,
            query,
            request.catalogue,
            path=_path(books.customer.id),
            limit=limit,
            whole=books.whole,
            for_staff=True,
            name=_name(books.customer),
        )

    return statement_answer(request, page_of)


def _path(customer_id: str) -> str:
    return f"/console/customers/{customer_id}/statement"


def _name(customer: Customer) -> str:
    return customer.name or customer.email


def _missing() -> Missing:
    return Missing("There is no such customer.")
