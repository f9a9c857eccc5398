"""What a subscription's purchase receipt and a trial's start tell."""

from datetime import date

from shared.messages.facts.agreement import Agreement
from shared.messages.facts.bill import Bill
from shared.messages.facts.next_charge import NextCharge
from shared.messages.opening import Facts


class PurchasedFacts(Facts):
    """`bill` is None when nothing was charged yet: the first charge is then `next_charge`."""

    agreement: Agreement
    bill: Bill | None = None
    starts_on: date
    next_charge: NextCharge | None = None


class TrialFacts(Facts):
    """`trial_ends` is the trial's last day; `first_charge` comes at 23:59 of it ([TRIAL])."""

    agreement: Agreement
    trial_ends: date
    first_charge: NextCharge | None = None
