"""What every route about one customer has in common: the page, and the way back to it."""

from functions.console.books import read_books
from functions.console.customer_view import customer_page
from functions.console.pages.models import CustomerPage
from shared.domain.errors import Missing, PunchcardError
from shared.operations import staff
from shared.operations.context import Context
from shared.web import accept
from shared.web.answer import Answer
from shared.web.request import Request


def context_of(request: Request) -> Context:
    context: Context = request.wiring.context(request.catalogue)
    return context


def path_of(request: Request) -> str:
    return f"/console/customers/{request.params['customer']}"


def page_of(request: Request, before: str = "") -> CustomerPage:
    """The customer's page, read anew. `Missing` for who is not there or not theirs ([OWN])."""
    request.load()
    books = read_books(request.params["customer"], request.staff)
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
