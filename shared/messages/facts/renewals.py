"""What the receipt of a renewal tells."""

from datetime import date

from shared.messages.facts.agreement import Agreement
from shared.messages.facts.bill import Bill
from shared.messages.facts.next_charge import NextCharge
from shared.messages.opening import Facts


class RenewalFacts(Facts):
    """A period that was paid: `first_day` to `last_day`, both included."""

    agreement: Agreement
    bill: Bill
    first_day: date
    last_day: date
    next_charge: NextCharge | None = None
