"""Recording cash and transfers ([PAY]). Everybody who works at the location may."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from functions.console.one_customer import again, context_of, path_of
from functions.console.pages.models import PaymentRecorded
from shared.domain.errors import Missing
from shared.domain.invoice import Invoice, PaymentKind
from shared.operations import recorded
from shared.operations.recorded import Recording
from shared.operations.submissions import Press
from shared.operations.visit import Claims, Ref
from shared.store import accounts
from shared.web.amount import minor_units
from shared.web.answer import Answer, Input
from shared.web.app import App
from shared.web.pages.invoices import invoice_summary
from shared.web.request import Request, Who

EARLIEST = date(2000, 1, 1)


class RecordPayment(Input):
    """`amount` as it is written, 53.04: all that is owed, tax included; of an invoice that is not a
    period's also a part. `received_on` is the local
    day on which it came, today when left out; never one to come."""

    kind: Literal["cash", "transfer"]
    amount: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    received_on: Annotated[date, Field(ge=EARLIEST)] | None = None
    note: Annotated[str, StringConstraints(max_length=200)] = ""


def mount_payments(app: App) -> None:
    """Adds the two ways to record a payment to the console's app."""
    app.post(
        "/console/customers/{customer}/invoices/{invoice}/payments",
        answer=PaymentRecorded,
        body=RecordPayment,
        who=Who.STAFF,
        idempotency_key=True,
        on_error=again,
        status=201,
        summary="Record cash or a transfer for an open invoice.",
    )(for_invoice)
    app.post(
        "/console/customers/{customer}/subscriptions/{subscription}/payments",
        answer=PaymentRecorded,
        body=RecordPayment,
        who=Who.STAFF,
        idempotency_key=True,
        on_error=again,
        status=201,
        summary="Record cash or a transfer for a subscription's next period, ahead of its moment.",
    )(ahead)


def _press(request: Request, staff_email: str, operation: str, what: str, answer: str) -> Press:
    body: RecordPayment = request.body
    received_on = body.received_on.isoformat() if body.received_on else None
    return Press(
        customer_id=request.params["customer"],
        key=f"staff:{staff_email}:{request.idempotency_key}",
        operation=operation,
        content=(what, body.kind, body.amount, received_on, body.note),
        answer=answer,
    )


def _recording(request: Request, currency: str) -> Recording:
    body: RecordPayment = request.body
    return Recording(
        kind=PaymentKind(body.kind),
        amount=minor_units(body.amount, currency, field="amount"),
        received_on=body.received_on,
        note=body.note,
    )


def _answer(request: Request, invoice: Invoice) -> Answer:
    return Answer(
        PaymentRecorded(invoice=invoice_summary(invoice, request.catalogue)),
        status=201,
        location=path_of(request),
        done="payment_recorded",
    )


def for_invoice(request: Request) -> Answer:
    customer_id, invoice_id = request.params["customer"], request.params["invoice"]
    operation = "record_payment"

    def refs(claims: Claims) -> list[Ref[Any]]:
        press = _press(request, claims.staff_email or "", operation, invoice_id, invoice_id)
        return [*recorded.invoice_refs(customer_id, invoice_id), press.ref]

    found = request.load(refs)
    row = recorded.their_invoice(
        request.staff, found.get(accounts.invoice(customer_id, invoice_id))
    )
    invoice = recorded.record_for_invoice(
        context_of(request),
        request.staff,
        _recording(request, row.value.currency),
        _press(request, request.staff.email, operation, invoice_id, invoice_id),
        found,
        invoice_id,
    )
    return _answer(request, invoice)


def ahead(request: Request) -> Answer:
    customer_id, subscription_id = request.params["customer"], request.params["subscription"]
    operation, answer = "record_ahead", request.wiring.new_id()
    ref = accounts.subscription(customer_id, subscription_id)

    def refs(claims: Claims) -> list[Ref[Any]]:
        press = _press(request, claims.staff_email or "", operation, subscription_id, answer)
        return [ref, press.ref]

    found = request.load(refs)
    row = found.get(ref)
    if row is None or not request.staff.works_at(row.value.location_id):
        raise Missing("There is no such subscription.")
    invoice = recorded.record_ahead(
        context_of(request),
        request.staff,
        _recording(request, row.value.terms.price.currency),
        _press(request, request.staff.email, operation, subscription_id, answer),
        found,
        subscription_id,
    )
    return _answer(request, invoice)
