"""Invoices and the payment history ([HISTORY])."""

from collections.abc import Callable
from typing import Any

from functions.portal import account_lists, account_view, hosted
from functions.portal.account_app import app
from functions.portal.account_lists import READ_AT_ONCE, InvoicesQuery, PaymentsQuery
from functions.portal.ids import path_id
from functions.portal.owned import Led, cursor, customer_in, load, values
from functions.portal.pages.account_models import InvoicePage, InvoicesPage, PaymentsPage
from functions.portal.pay_form import ChooseCard, press_for, settled
from shared.domain.errors import Conflict, Declined, Missing, PunchcardError
from shared.domain.invoice import Invoice
from shared.operations import paying
from shared.operations.submissions import Press
from shared.operations.visit import Found, Ref, Row
from shared.store import accounts
from shared.store.accounts import Submission
from shared.web.answer import Answer
from shared.web.request import Request, Who


@app.get(
    "/invoices",
    page="invoices",
    answer=InvoicesPage,
    query=InvoicesQuery,
    who=Who.CUSTOMER,
    summary="Invoices by state, with what is owed and the store credit.",
)
def invoices(request: Request) -> Answer:
    query: InvoicesQuery = request.query
    customer = request.signed_in.value
    held = accounts.invoices_of(customer.id, limit=READ_AT_ONCE, after=cursor(query, "invoice"))
    return Answer(
        account_lists.invoices_page(values(held), query, held.next, request.catalogue, customer)
    )


def _invoice(request: Request, *more: Callable[[str], Ref[Any]]) -> tuple[Row[Invoice], Found]:
    """The invoice in the path, fresh. `Missing` for what is not this customer's ([OWN])."""
    invoice_id = path_id(request, "invoice")

    def refs(customer_id: str) -> list[Ref[Any]]:
        own = accounts.invoice(customer_id, invoice_id)
        return [own, accounts.head(customer_id), *(ref(customer_id) for ref in more)]

    found = load(request, refs)
    row = found.get(accounts.invoice(request.signed_in.value.id, invoice_id))
    if row is None:
        raise Missing("There is no such invoice.")
    return row, found


def _invoice_page(request: Request) -> InvoicePage:
    row, found = _invoice(request)
    customer, invoice = customer_in(request, found), row.value
    charge_ref = accounts.charge(customer.id, invoice.source or "none")
    subscription_ref = accounts.subscription(customer.id, invoice.subscription_id or "none")
    found = request.load(charge_ref, subscription_ref)
    charge, subscription = found.get(charge_ref), found.get(subscription_ref)
    return account_view.invoice_page(
        invoice,
        charge.value if charge else None,
        subscription.value if subscription else None,
        request.catalogue,
        customer,
        request.now,
        idempotency_key=request.wiring.new_id(),
    )


@app.get(
    "/invoices/{invoice}",
    page="invoice",
    answer=InvoicePage,
    who=Who.CUSTOMER,
    summary="One invoice: lines, tax, payments and tries.",
)
def invoice(request: Request) -> Answer:
    return Answer(_invoice_page(request), leads_to=hosted.origins(request))


def _invoice_again(request: Request, error: PunchcardError) -> Answer | None:
    if isinstance(error, Missing):
        return None
    if isinstance(error, Declined):
        request.problems = {"card": error.detail}
    return Answer(_invoice_page(request), leads_to=hosted.origins(request))


@app.post(
    "/invoices/{invoice}/pay",
    page="invoice",
    answer=InvoicePage,
    body=ChooseCard,
    who=Who.CUSTOMER,
    idempotency_key=True,
    on_error=_invoice_again,
    summary="Pay an open invoice, once.",
)
def pay_invoice(request: Request) -> Answer:
    body: ChooseCard = request.body
    invoice_id = path_id(request, "invoice")
    press_of = press_for(request, "pay_invoice", invoice_id, body.card)
    row, found = _invoice(request, lambda customer_id: press_of(customer_id).ref)
    press = press_of(request.signed_in.value.id)
    earlier = found.get(press.ref)
    if earlier is None:
        earlier = _check_collects(request, row, press)
    answered, _ = paying.pay(
        hosted.context(request),
        row.value.subscription_id or "none",
        card_id=body.card,
        press=press,
        earlier=earlier,
    )
    done, status, location = settled(request, answered)
    if request.wants_html:
        there = location or f"/invoices/{invoice_id}"
        return Answer(Led(location=there), location=there, done=None if location else done)
    return Answer(_invoice_page(request), status=status)


def _check_collects(request: Request, row: Row[Invoice], press: Press) -> Row[Submission] | None:
    """An open invoice is what its subscription fails to collect, and paying it pays that. If not:
    what the same press left that was first, else `Conflict`."""
    ref = accounts.subscription(row.value.customer_id, row.value.subscription_id or "none")
    found = request.load(ref, press.ref)
    subscription, earlier = found.get(ref), found.get(press.ref)
    collects = account_view.collects(subscription.value if subscription else None, row.value)
    if earlier is None and not collects:
        raise Conflict("Nothing is owed on this invoice.", code="nothing_owed")
    return earlier


@app.get(
    "/payments",
    page="payments",
    answer=PaymentsPage,
    query=PaymentsQuery,
    who=Who.CUSTOMER,
    summary="The payment history, sorted by date, price, order or status.",
)
def payments(request: Request) -> Answer:
    query: PaymentsQuery = request.query
    customer_id = request.signed_in.value.id
    held = accounts.invoices_of(customer_id, limit=READ_AT_ONCE, after=cursor(query, "invoice"))
    return Answer(account_lists.payments_page(values(held), query, held.next, request.catalogue))
