"""What is told of charges to come ([REMIND])."""

from datetime import date

from shared.messages.facts.agreement import Agreement
from shared.messages.facts.next_charge import NextCharge
from shared.messages.opening import Facts


class ReminderFacts(Facts):
    agreement: Agreement
    charge: NextCharge
    first_day: date
    last_day: date
