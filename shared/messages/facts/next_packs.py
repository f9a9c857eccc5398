"""What is told of the next packs of what recurs ([RECUR])."""

from datetime import date

from shared.domain.money import Money
from shared.messages.facts.agreement import Agreement
from shared.messages.facts.bill import Bill
from shared.messages.facts.pack import PackShown
from shared.messages.opening import Facts, Words


class NextPackInCartFacts(Facts):
    """A next pack that is to be paid by hand: `amount` with tax. `starts_on` is the day after the
    former one's expiry; None: it starts when it is paid ([RECUR])."""

    agreement: Agreement
    amount: Money
    starts_on: date | None = None
    location: Words = ""


class NextPackDebitedFacts(Facts):
    """A next pack that was paid by automatic debit, good from `first_day` on ([RECUR])."""

    agreement: Agreement
    bill: Bill
    pack: PackShown
    first_day: date
