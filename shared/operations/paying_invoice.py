"""Paying an open invoice that no subscription collects, by a customer ([HISTORY], [KEY])."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.by import By
from shared.domain.charge import Charge, begin_attempt
from shared.domain.errors import Conflict, Invalid, Missing
from shared.domain.invoice import Invoice, InvoiceState
from shared.operations.answered import Answered, answer_of
from shared.operations.asking import ask
from shared.operations.books import Books, open_books
from shared.operations.invoices import new_charge
from shared.operations.settle import settle
from shared.operations.submissions import Press, once
from shared.store import accounts, invoicing
from shared.store.items import Row
from shared.store.reading import read
from shared.store.writing import written

if TYPE_CHECKING:
    from shared.domain.customer import Customer
    from shared.operations.context import Context
    from shared.store.records import Submission


def pay_invoice(
    context: Context,
    invoice_id: str,
    *,
    card_id: str | None,
    press: Press,
    earlier: Row[Submission] | None,
) -> Answered:
    """Try to collect what the invoice asks, on `card_id` or the default card.

    The same press answers the same, and two presses make one try. `Conflict` when nothing is owed,
    or while a payment of it is under way; `Invalid` for a card that is not on file.
    """
    begun: list[Books] = []

    def do(record: tuple[str, Submission]) -> None:
        begun.append(_begin(context, press.customer_id, invoice_id, card_id, record))

    before = once(press, earlier, context.now(), do)
    if before is not None:
        books = open_books(press.customer_id, before.value.answer)
        if books is None:
            raise Conflict("Nothing is owed on this invoice.", code="nothing_owed")
        return answer_of(books.charge.value, before.value.attempt)
    (books,) = begun
    attempt = books.charge.value.last
    assert attempt is not None
    _, settled = settle(context, books, attempt.id, ask(context, books.charge.value))
    return answer_of(settled, attempt.id)


def _begin(
    context: Context,
    customer_id: str,
    invoice_id: str,
    card_id: str | None,
    record: tuple[str, Submission],
) -> Books:
    """The intent: one read of head and invoice, one of the charge, one transaction."""
    head_ref, invoice_ref = accounts.head(customer_id), accounts.invoice(customer_id, invoice_id)
    found = read(head_ref, invoice_ref)
    head, invoice = found.get(head_ref), found.get(invoice_ref)
    if head is None or invoice is None:
        raise Missing("There is no such invoice.")
    if invoice.value.state is not InvoiceState.OPEN or invoice.value.owed.minor <= 0:
        raise Conflict("Nothing is owed on this invoice.", code="nothing_owed")
    opened, charge_row = _attempt(context, head.value, invoice.value, card_id)
    assert opened.last is not None
    key, submission = record
    made = {"answer": opened.source, "attempt": opened.last.id}
    invoicing.ask_for(
        invoice=invoice,
        charge=charge_row,
        opened=opened,
        submission=(key, submission.model_copy(update=made)),
    )
    version = charge_row.version + 1 if charge_row else 1
    return Books(
        charge=Row(accounts.charge(customer_id, opened.source), opened, version),
        customer=head,
        invoice=written(invoice.ref, invoice.value, invoice.version + 1),
    )


def _attempt(
    context: Context, customer: Customer, invoice: Invoice, card_id: str | None
) -> tuple[Charge, Row[Charge] | None]:
    """The invoice's charge with one more attempt, at what is owed now; and the charge as it was
    read."""
    if card_id is not None and customer.card(card_id) is None:
        raise Invalid("Choose one of your cards.", fields={"card": "This card is not on file."})
    card = customer.card_for(card_id)
    provider_customer = customer.at_provider(card)
    if card is None or provider_customer is None:
        raise Invalid("Add a card first.", fields={"card": "There is no card on file."})
    ref = accounts.charge(customer.id, invoice.charged_under)
    row = read(ref).get(ref)
    if row is not None and row.value.blocked:
        raise Conflict("A payment of this is under way.", code="payment_under_way")
    charge = row.value if row is not None else new_charge(context, invoice)
    opened = begin_attempt(
        charge.model_copy(update={"amount": invoice.owed, "holds_place": False}),
        card=card,
        provider_customer=provider_customer,
        by=By.CUSTOMER,
        now=context.now(),
    )
    return opened, row
