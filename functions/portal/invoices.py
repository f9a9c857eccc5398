"""Invoices and the payment history ([HISTORY])."""

from collections.abc import Callable
from typing import Any

from functions.portal import hosted, invoice_lists, invoice_view
from functions.portal.declines import said_of
from functions.portal.estimates_view import estimates
from functions.portal.ids import path_id
from functions.portal.invoice_lists import InvoicesQuery, PaymentsQuery
from functions.portal.listing import ONE_PAGE, READ_AT_ONCE, Listed, merged
from functions.portal.owned import Led, customer_in, listed, load
from functions.portal.pages.invoice_models import InvoicePage, InvoicesPage, PaymentsPage, WhyNotPay
from functions.portal.pay_form import ChooseCard, press_for, settled
from shared.domain.charge import Charge
from shared.domain.errors import Conflict, Declined, Missing, PunchcardError
from shared.domain.invoice import Invoice, InvoiceState
from shared.domain.reservation import Reservation
from shared.domain.subscription import Subscription
from shared.operations import paying, paying_invoice
from shared.operations.answered import Answered
from shared.operations.reconcile import reconcile
from shared.operations.submissions import Press
from shared.operations.visit import Found, Ref, Row
from shared.store import accounts
from shared.store.records import Submission
from shared.web.answer import Answer
from shared.web.app import App
from shared.web.request import Request, Who
from shared.web.side_by_side import side_by_side
from shared.wiring import current

app = App(pages="functions.portal.pages", wiring=current)


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

    customer_id = customer.id
    limit = READ_AT_ONCE if query.state else ONE_PAGE
    with_estimates = query.after is None and query.state in (None, InvoiceState.OPEN)

    def invoices_held() -> tuple[list[Listed[Invoice]], list[Invoice]]:
        return side_by_side(
            lambda: _held(customer_id, limit, query.after),
            lambda: _asking(customer_id),
        )

    reservations: list[Reservation] = []
    if with_estimates and customer.has_reservations:
        (held, asking), live = side_by_side(
            invoices_held, lambda: accounts.live_reservations_of(customer_id)
        )
        reservations = [row.value for row in live]
    else:
        held, asking = invoices_held()
    return Answer(
        invoice_lists.invoices_page(
            merged(asking, query.after, *held),
            asking,
            query,
            request.business,
            customer,
            estimates(reservations, request.business),
        )
    )


def _held(customer_id: str, limit: int, after: str | None) -> list[Listed[Invoice]]:
    """What was paid or is being paid with money, and what was paid with credits alone: one round
    trip."""
    paid, used = side_by_side(
        lambda: accounts.invoices_of(customer_id, limit=limit, after=after),
        lambda: accounts.used_invoices_of(customer_id, limit=limit, after=after),
    )
    return [listed(paid), listed(used)]


def _asking(customer_id: str) -> list[Invoice]:
    return [row.value for row in accounts.all_asking_invoices_of(customer_id)]


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


def _charges(request: Request, invoice: Invoice) -> tuple[list[Charge], Subscription | None]:
    """The charges of an invoice, that which would collect it now last; and its subscription. One
    round trip."""
    customer_id = invoice.customer_id
    sources = dict.fromkeys((invoice.source or "none", invoice.charged_under))
    refs = [accounts.charge(customer_id, one) for one in sources]
    subscription_ref = accounts.subscription(customer_id, invoice.subscription_id or "none")
    found = request.load(*refs, subscription_ref)
    subscription = found.get(subscription_ref)
    charges = [row.value for row in map(found.get, refs) if row is not None]
    return charges, subscription.value if subscription else None


def _invoice_page(request: Request) -> InvoicePage:
    row, found = _invoice(request)
    customer, invoice = customer_in(request, found), row.value
    charges, subscription = _charges(request, invoice)
    return invoice_view.invoice_page(
        invoice,
        charges,
        subscription,
        request.business,
        customer,
        request.now,
        idempotency_key=request.wiring.new_id(),
        set_up=hosted.set_up(request),
    )


@app.get(
    "/invoices/{invoice}",
    page="invoice",
    answer=InvoicePage,
    who=Who.CUSTOMER,
    summary="One invoice: lines, tax, payments and tries.",
)
def invoice(request: Request) -> Answer:
    """Whoever comes back from confirming a payment sees the truth at once: while it waits for
    that, the provider is asked, which changes nothing but what it says itself."""
    page = _invoice_page(request)
    if page.pay is not None and page.pay.why_not is WhyNotPay.TO_BE_CONFIRMED:
        charges, _ = _charges(request, _invoice(request)[0].value)
        waiting = charges[-1]
        reconcile(
            hosted.context(request), waiting.customer_id, waiting.source, asked_by_webhook=True
        )
        page = _invoice_page(request)
    return Answer(page, leads_to=hosted.origins(request))


def _invoice_again(request: Request, error: PunchcardError) -> Answer | None:
    if isinstance(error, Missing):
        return None
    if isinstance(error, Declined):
        request.problems = {"card": said_of(error)}
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
    answered = _pay(request, row.value, press, found.get(press.ref))
    done, status, location = settled(request, answered)
    if request.wants_html:
        there = location or f"/invoices/{invoice_id}"
        return Answer(Led(location=there), location=there, done=None if location else done)
    return Answer(_invoice_page(request), status=status)


def _pay(
    request: Request, invoice: Invoice, press: Press, earlier: Row[Submission] | None
) -> Answered:
    """Pay it by itself; or, where it is what its subscription fails to collect, by paying that.
    `Conflict` when it is neither."""
    body: ChooseCard = request.body
    context = hosted.context(request)
    subscription: Subscription | None = None
    if invoice.subscription_id is not None:
        ref = accounts.subscription(invoice.customer_id, invoice.subscription_id)
        found = request.load(ref, press.ref)
        row = found.get(ref)
        subscription, earlier = row.value if row else None, earlier or found.get(press.ref)
    if _is_direct(subscription, invoice, earlier):
        return paying_invoice.pay_invoice(
            context, invoice.id, card_id=body.card, press=press, earlier=earlier
        )
    if earlier is None and not invoice_view.collects(subscription, invoice):
        raise Conflict("Nothing is owed on this invoice.", code="nothing_owed")
    answered, _ = paying.pay(
        context,
        invoice.subscription_id or "none",
        card_id=body.card,
        press=press,
        earlier=earlier,
    )
    return answered


def _is_direct(
    subscription: Subscription | None, invoice: Invoice, earlier: Row[Submission] | None
) -> bool:
    """What an earlier press did says which it is: once it is paid, nothing collects it any more."""
    if earlier is not None:
        return earlier.value.answer != invoice.source
    return invoice_view.paid_directly(subscription, invoice)


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
    limit = ONE_PAGE if query.newest_first else READ_AT_ONCE
    held, asking = side_by_side(
        lambda: accounts.invoices_of(customer_id, limit=limit, after=query.after),
        lambda: _asking(customer_id),
    )
    found = merged(asking, query.after, listed(held))
    return Answer(invoice_lists.payments_page(found, query, request.business))


handler = app.handler
