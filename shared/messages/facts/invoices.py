"""What receipts and invoices tell."""

from datetime import date

from shared.messages.facts.agreement import Agreement
from shared.messages.facts.bill import Bill
from shared.messages.opening import Facts


class OrderFacts(Facts):
    bill: Bill


class InvoiceFacts(Facts):
    bill: Bill
    agreement: Agreement | None = None
    first_day: date | None = None
    last_day: date | None = None
