"""Good books after a bank took February's payment back, and after it gave it again ([REVERSE])."""

from shared.domain.charge import Charge
from shared.domain.invoice import Invoice
from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.domain.reversal import (
    counted_as,
    frozen_as,
    record_reversal,
    reversed_payment,
    taken_back,
    with_payment,
)
from tests.unit.books_samples import NOW, Told, changed

FEBRUARY = "c-00.00001"


def of_invoice(told: Told, invoice_id: str) -> Invoice:
    return next(one for one in told.books.invoices if one.id == invoice_id)


def bank_holds(told: Told, minor: int) -> Charge:
    """The bank holds so much of February's money by now, and all that follows from it is done;
    the provider says the same."""
    before = told.charge(FEBRUARY)
    paid = next(one for one in before.attempts if one.outcome is Outcome.SUCCEEDED)
    held = Money(minor=minor, currency=paid.amount.currency)
    after = record_reversal(before, paid.id, held, NOW)
    assert after is not None
    told.books.charges[told.books.charges.index(before)] = after
    invoice = of_invoice(told, before.invoice_id)
    payment = reversed_payment(before, paid, held - taken_back(paid), NOW)
    paid_anew = with_payment(invoice, payment, NOW)
    told.books.invoices[told.books.invoices.index(invoice)] = paid_anew
    told.books.packs = [frozen_as(paid_anew, one, NOW) for one in told.books.packs]
    told.books.subscriptions = [
        counted_as(invoice, paid_anew, told.books.packs, one) for one in told.books.subscriptions
    ]
    changed(told.at_provider, told.taken(f"ch_{paid.id}"), reversed_minor=minor)
    return after
