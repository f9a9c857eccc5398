"""What always holds of a period whose money staff recorded ([PAY])."""

from shared.domain.invariants import Rule
from shared.domain.invoice import PaymentKind
from shared.domain.message import MessageKind, message_key
from shared.domain.subscription import SubscriptionState
from tests.unit.books_samples import NOW, Told, changed, good_books, paid
from tests.unit.broken_books import MARCH, took


def march_in_cash(kind: PaymentKind = PaymentKind.CASH) -> Told:
    """March's charge was declined once, and then its money was recorded."""
    told = good_books()
    books = told.books
    charge = changed(books.charges, told.charge(MARCH), settled_at=NOW, recorded=True)
    month = told.subscription("c-00")
    changed(books.subscriptions, month, collection=None, state=SubscriptionState.ACTIVE)
    books.customer = books.customer.model_copy(update={"past_due": ()})
    march = next(one for one in books.invoices if one.id == "i2")
    closed = paid(march, charge, NOW)
    (payment,) = closed.payments
    recorded = payment.model_copy(update={"kind": kind})
    at = books.invoices.index(march)
    books.invoices[at] = closed.model_copy(update={"payments": (recorded,)})
    for mail in (MessageKind.INVOICE, MessageKind.RENEWAL_RECEIPT):
        books.messages.add(message_key(mail, "i2"))
    return told


def rules(told: Told) -> set[Rule]:
    return {one.rule for one in told.wrong()}


def test_settled_without_a_success_is_right_where_its_money_was_recorded() -> None:
    assert march_in_cash().wrong() == []
    assert march_in_cash(PaymentKind.TRANSFER).wrong() == []


def test_recorded_and_yet_paid_by_card_shows() -> None:
    assert Rule.SETTLED_HAS_INVOICE in rules(march_in_cash(PaymentKind.CARD))


def test_money_that_a_provider_kept_besides_shows() -> None:
    told = march_in_cash()
    took(told, f"ch_{MARCH}-1", succeeded=True)
    assert Rule.PROVIDER_AGREES in rules(told)
