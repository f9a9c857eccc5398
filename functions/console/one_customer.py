"""What every route about one customer has in common: the page, and the way back to it."""

from functions.console.books import Books, newest_books, read_books
from functions.console.customer_view import customer_page
from functions.console.lists import signed_in_at_all
from functions.console.pages.models import CustomerPage
from functions.console.recent import begin
from shared.domain.errors import Missing, PunchcardError
from shared.operations import staff
from shared.operations.context import Context
from shared.web import accept
from shared.web.answer import Answer
from shared.web.request import Request
from shared.web.side_by_side import side_by_side


def context_of(request: Request) -> Context:
    context: Context = request.wiring.context(request.catalogue)
    return context


def path_of(request: Request) -> str:
    return f"/console/customers/{request.params['customer']}"


def page_of(request: Request, before: str = "") -> CustomerPage:
    """The customer's page, read anew: two round trips for the first one of a timeline. `Missing`
    for who is not there or not theirs ([OWN])."""
    customer_id = request.params["customer"]
    if before:
        return _page(request, read_books(customer_id, request.staff), before)
    signed_in_at_all(request)
    _, begun = side_by_side(request.load, lambda: begin(customer_id))
    books = newest_books(begun, request.staff)
    page = _page(request, books)
    if books is not None and books.since is not None and len(page.timeline) < FEW:
        page = _page(request, read_books(customer_id, request.staff))
    return page


FEW = 20
"""Lines of a first page, while there are older ones, for which the rest is read at once."""


def _page(request: Request, books: Books | None, before: str = "") -> CustomerPage:
    if books is None:
        raise Missing("There is no such customer.")
    settings = request.catalogue.settings
    return customer_page(
        books,
        context_of(request),
        locale=accept.best_locale(
            request.headers.get("accept-language"), otherwise=settings.locale
        ),
        before=before,
        may_change=staff.may_change(request.staff),
        idempotency_key=request.wiring.new_id(),
    )


def again(request: Request, error: PunchcardError) -> Answer | None:
    """The customer's page with what went wrong; none for what this person may not see."""
    if isinstance(error, Missing) or error.code == "cross_site":
        return None
    try:
        return Answer(page_of(request), page="console_customer")
    except Missing:
        return None
