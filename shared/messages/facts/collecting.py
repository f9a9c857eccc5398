"""What is told while a payment is wanted: a failed try, one to confirm or to make, a new card."""

from datetime import date

from pydantic import AwareDatetime

from shared.domain.dunning import Then
from shared.domain.money import Money
from shared.messages.facts.agreement import Agreement
from shared.messages.facts.bill import Bill
from shared.messages.facts.card import CardShown
from shared.messages.opening import Facts, Words


class ChargeFailedFacts(Facts):
    """`final`: this card is not tried again ([HARD]). `refused`: the provider would not take the
    request, and the card is not to blame. `next_try_at` None: no try is planned;
    `then` is what happens when the last one, at `last_try_at`, fails too."""

    agreement: Agreement
    amount: Money
    card: CardShown
    failed_at: AwareDatetime
    reason: str = ""
    final: bool = False
    refused: bool = False
    next_try_at: AwareDatetime | None = None
    last_try_at: AwareDatetime | None = None
    then: Then = Then.CANCEL
    order_id: str
    invoice_id: str
    first_day: date | None = None
    last_day: date | None = None


class PaymentDueFacts(Facts):
    """A period that is paid in cash or by transfer: `pay_by` is when the merchant's policy acts,
    and `then` what it does; None: it waits ([PAY], [RETRY])."""

    agreement: Agreement
    bill: Bill
    first_day: date | None = None
    last_day: date | None = None
    pay_by: AwareDatetime | None = None
    then: Then = Then.CANCEL


class ConfirmFacts(Facts):
    agreement: Agreement | None = None
    what: Words
    amount: Money
    card: CardShown
    confirm_url: str
    order_id: str
    next_try_at: AwareDatetime | None = None


class CardUpdateFacts(Facts):
    agreement: Agreement | None = None
    owed: Money | None = None
    card: CardShown | None = None
