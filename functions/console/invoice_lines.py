"""What an invoice asked for, and what became of it, as a timeline tells it ([CONSOLE])."""

from collections.abc import Iterator
from datetime import datetime

from functions.console import words
from functions.console.pages.models import TimelineKind
from functions.console.telling import Line, Rank, Telling, invoice_name
from shared.domain.invoice import Invoice, InvoiceState, Payment, PaymentKind


def invoice_lines(telling: Telling, invoice: Invoice) -> Iterator[Line]:
    """That it was opened, when that was not the moment it was paid, and what became of it."""
    zone = telling.zone(invoice.location_id)
    name, total = invoice_name(invoice), telling.money(invoice.total)
    links = (*telling.to_invoice(invoice.id), *telling.to_subscription(invoice.subscription_id))
    detail = _bill(telling, invoice)
    if _asked_first(invoice):
        yield telling.line(
            Rank.OPENED,
            TimelineKind.INVOICE,
            f"{invoice.id}-opened",
            invoice.created_at,
            zone,
            f"{name} opened: {total} to pay",
            detail=detail,
            links=links,
        )
    if invoice.state is InvoiceState.VOID:
        yield telling.line(
            Rank.INVOICE,
            TimelineKind.INVOICE,
            f"{invoice.id}-void",
            _void_at(telling, invoice),
            zone,
            f"{name} is void: {total} is not owed any more",
            links=links,
        )
    for number, payment in enumerate(invoice.payments):
        back = payment.kind in WENT_BACK
        yield telling.line(
            Rank.INVOICE,
            TimelineKind.REFUND if back else TimelineKind.PAYMENT,
            f"{invoice.id}-payment-{number}",
            payment.at,
            zone,
            f"{name} {_paid(telling, payment)}",
            detail=_bank(telling, invoice, payment)
            or " ".join(filter(None, [payment.note, detail])),
            by=words.person(payment.by) if payment.by else "",
            amount=payment.amount if back else None,
            failed=payment.kind is PaymentKind.REVERSAL,
            links=links,
        )


def _asked_first(invoice: Invoice) -> bool:
    """Whether it asked before it was paid. An order is only told as paid, and so is a place that
    was paid, or had nothing to pay, as its invoice was made."""
    at_once = invoice.reservation_id is None or invoice.closed_at == invoice.created_at
    still_open = invoice.state is InvoiceState.OPEN
    return invoice.subscription_id is not None or still_open or not at_once


def _void_at(telling: Telling, invoice: Invoice) -> datetime:
    """Of one that does not say so, as an earlier version stored it: when its subscription ended."""
    subscription = telling.subscriptions.get(invoice.subscription_id or "")
    ended_at = subscription.ended_at if subscription else None
    return invoice.void_at or ended_at or invoice.created_at


WENT_BACK = frozenset({PaymentKind.REFUND, PaymentKind.REVERSAL})


def _paid(telling: Telling, payment: Payment) -> str:
    """What is said of a payment of an invoice, after its name."""
    card = words.card(payment.brand, payment.last4) if payment.last4 else ""
    by_card = f" by {card}" if card else ""
    of_card = f" of {card}" if card else ""
    amount = telling.money(payment.amount)
    match payment.kind:
        case PaymentKind.NOTHING_DUE:
            return "closed: nothing was to be paid"
        case PaymentKind.CARD:
            return f"paid{by_card}: {amount}"
        case PaymentKind.CASH:
            return f"paid in cash: {amount}"
        case PaymentKind.TRANSFER:
            return f"paid by transfer: {amount}"
        case PaymentKind.REFUND:
            return f"refunded{by_card}: {telling.money(-payment.amount)}"
        case PaymentKind.REVERSAL:
            return f"is unpaid again: the bank took back {telling.money(-payment.amount)}{of_card}"
        case PaymentKind.REINSTATED:
            return f"is paid again: the bank gave again {amount}{of_card}"


def _bank(telling: Telling, invoice: Invoice, payment: Payment) -> str:
    """What followed from a bank's taking a payment back, or giving it again ([REVERSE])."""
    names = [one.name for one in telling.books.packs if one.invoice_id == invoice.id]
    packs = words.joined(list(dict.fromkeys(names)))
    if not packs:
        return ""
    if payment.kind is PaymentKind.REVERSAL:
        return f"The unused credits of {packs} are on hold until it is paid."
    if payment.kind is PaymentKind.REINSTATED:
        return f"The credits of {packs} can be used again."
    return ""


def _bill(telling: Telling, invoice: Invoice) -> str:
    """Lines, tax and total in one sentence."""
    parts = [
        f"{words.times(one.quantity, one.name)} {telling.money(one.amount)}"
        for one in invoice.lines
    ]
    if invoice.tax:
        parts.append(f"{invoice.tax_name} {telling.money(invoice.tax)}")
    return f"{', '.join(parts)}. Total {telling.money(invoice.total)}."
