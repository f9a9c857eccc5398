"""What an email tells: the facts that are frozen into a message when it is written ([OUTBOX]).

Every kind has a model here. They are stored as plain JSON and read back by the same model when the
email is rendered, so a field may be added with a default, but never renamed or removed. Instants
are UTC, days are the location's own; `zone` turns the one into the other. No secret is a fact.
"""

from datetime import date

from pydantic import AwareDatetime

from shared.domain.calendar import Frequency
from shared.domain.dunning import Then
from shared.domain.invoice import PaymentKind
from shared.domain.message import MessageKind
from shared.domain.money import Money
from shared.domain.record import Record
from shared.domain.recurring import RecursWhen
from shared.domain.subscription import EndReason
from shared.messages.opening import Facts, SignInFacts, Words


class CardShown(Record):
    """A card as a customer knows it."""

    brand: Words
    last4: Words


class Line(Record):
    name: Words
    detail: Words = ""
    quantity: int = 1
    unit: Money
    amount: Money


class Paid(Record):
    """One payment on an invoice; a refund is negative."""

    kind: PaymentKind
    at: AwareDatetime
    amount: Money
    brand: Words = ""
    last4: Words = ""


class Bill(Record):
    """An invoice's money, line by line. `number` is None until it was given ([NUMBER])."""

    invoice_id: str
    order_id: str
    number: str | None = None
    created_at: AwareDatetime
    location: Words
    lines: tuple[Line, ...]
    subtotal: Money
    tax_name: Words
    tax: Money
    total: Money
    owed: Money
    payments: tuple[Paid, ...] = ()


class NextCharge(Record):
    """A charge to come: when (UTC), how much with tax, and on which card as things stand."""

    at: AwareDatetime
    amount: Money
    tax: Money
    card: CardShown | None = None


class Agreement(Record):
    """What a subscription is. `price` is of one period, before tax; `credits` None is unlimited.
    `payments_remaining` are those until the customer may cancel ([COMMIT]). Without a `frequency`
    it `recurs` with its packs: `by_hand` says how the next one is paid, `expected_at` when it comes
    at the latest, if that is known; `goes_on` that there is a next one ([RECUR]). While it is
    `paused` nothing is charged; `by_recording`: it is paid in cash or by transfer, and no card is
    asked ([PAY])."""

    id: str
    name: Words
    frequency: Frequency | None = None
    recurs: RecursWhen | None = None
    by_hand: bool = False
    expected_at: AwareDatetime | None = None
    goes_on: bool = True
    price: Money
    credits: int | None = None
    service: Words = ""
    until: date | None = None
    minimum_payments: int = 0
    payments_remaining: int = 0
    paused: bool = False
    by_recording: bool = False


class PackShown(Record):
    """A pack's credits; `left` None is unlimited, no `expires_at` means that it keeps."""

    id: str
    name: Words
    service: Words = ""
    granted: int | None = None
    left: int | None = None
    expires_at: AwareDatetime | None = None


class HeldShown(Record):
    """Credits of one pack that hold places; 0 of an unlimited one."""

    pack_id: str
    name: Words
    credits: int


class ReservationShown(Record):
    """A customer's places in an activity. Until `cutoff_at` they can be cancelled with the credits
    coming back, or be moved; `past_cutoff` when that was over as the email was written. `due` is
    what is still to be paid, tax included; None is nothing. `invoice_id` asks for it, where there
    is one; then `buys` names the pack that it is for, if it is not for the places. `paid`: such an
    invoice was paid."""

    id: str
    name: Words
    location: Words = ""
    address: Words = ""
    led_by: Words = ""
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    participants: int
    cutoff_at: AwareDatetime
    past_cutoff: bool = False
    held: tuple[HeldShown, ...] = ()
    due: Money | None = None
    invoice_id: str | None = None
    buys: Words = ""
    paid: bool = False


class OrderFacts(Facts):
    bill: Bill


class InvoiceFacts(Facts):
    bill: Bill
    agreement: Agreement | None = None
    first_day: date | None = None
    last_day: date | None = None


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


class RenewalFacts(Facts):
    """A period that was paid: `first_day` to `last_day`, both included."""

    agreement: Agreement
    bill: Bill
    first_day: date
    last_day: date
    next_charge: NextCharge | None = None


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


class ReminderFacts(Facts):
    agreement: Agreement
    charge: NextCharge
    first_day: date
    last_day: date


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


class CancelledFacts(Facts):
    """`waived` is what was still owed and is no longer; `pack` what is left of the credits.
    `refused`: the last try failed for reasons that are the merchant's."""

    agreement: Agreement
    reason: EndReason
    refused: bool = False
    ended_at: AwareDatetime
    waived: Money | None = None
    pack: PackShown | None = None


class CancellationFacts(Facts):
    """The subscription ends with `last_day`, and can be kept until `undo_before`. None, both of
    them: it ends when its next pack would come ([RECUR])."""

    agreement: Agreement
    last_day: date | None = None
    undo_before: AwareDatetime | None = None


class CardUpdateFacts(Facts):
    agreement: Agreement | None = None
    owed: Money | None = None
    card: CardShown | None = None


class PackFacts(Facts):
    pack: PackShown
    agreement: Agreement | None = None


class ReservationFacts(Facts):
    reservation: ReservationShown


class ReservationChangedFacts(ReservationFacts):
    """`from_start` is when it would have started before it was moved."""

    from_start: AwareDatetime


class ReservationCancelledFacts(ReservationFacts):
    """`credits_back`: what held it is free again; otherwise it stays used ([PLACES]).
    `nothing_to_pay`: its `due` was to be paid, and is no longer. `not_paid`: it is cancelled since
    the payment failed on whose condition it was booked. `made_up`: places that were paid with money
    and came back as credits."""

    by_merchant: bool = False
    credits_back: bool = True
    nothing_to_pay: bool = False
    not_paid: bool = False
    made_up: int = 0


class PlaceOfferedFacts(ReservationFacts):
    """`price` is of all its participants with tax, before credits; None costs nothing."""

    offered_until: AwareDatetime
    price: Money | None = None


class RefundFacts(Facts):
    amount: Money
    refunded_at: AwareDatetime
    card: CardShown | None = None
    order_id: str
    invoice_id: str
    names: tuple[Words, ...]
    agreement: Agreement | None = None


FACTS: dict[MessageKind, type[Facts]] = {
    MessageKind.SIGN_IN: SignInFacts,
    MessageKind.STAFF_SIGN_IN: SignInFacts,
    MessageKind.ORDER_RECEIPT: OrderFacts,
    MessageKind.INVOICE: InvoiceFacts,
    MessageKind.SUBSCRIPTION_PURCHASED: PurchasedFacts,
    MessageKind.TRIAL_STARTED: TrialFacts,
    MessageKind.RENEWAL_RECEIPT: RenewalFacts,
    MessageKind.NEXT_PACK_IN_CART: NextPackInCartFacts,
    MessageKind.NEXT_PACK_DEBITED: NextPackDebitedFacts,
    MessageKind.RENEWAL_REMINDER: ReminderFacts,
    MessageKind.TRIAL_ENDING: ReminderFacts,
    MessageKind.CHARGE_FAILED: ChargeFailedFacts,
    MessageKind.PAYMENT_DUE: PaymentDueFacts,
    MessageKind.CONFIRM_PAYMENT: ConfirmFacts,
    MessageKind.CANCELLED_BY_CUSTOMER: CancelledFacts,
    MessageKind.CANCELLED_BY_STAFF: CancelledFacts,
    MessageKind.CANCELLED_AFTER_FAILURES: CancelledFacts,
    MessageKind.CANCELLATION_SCHEDULED: CancellationFacts,
    MessageKind.CARD_UPDATE: CardUpdateFacts,
    MessageKind.PACK_EXPIRING: PackFacts,
    MessageKind.CREDITS_LOW: PackFacts,
    MessageKind.RESERVATION_CONFIRMED: ReservationFacts,
    MessageKind.RESERVATION_CHANGED: ReservationChangedFacts,
    MessageKind.RESERVATION_CANCELLED: ReservationCancelledFacts,
    MessageKind.PLACE_OFFERED: PlaceOfferedFacts,
    MessageKind.REFUND: RefundFacts,
}
"""Which facts each email has."""
