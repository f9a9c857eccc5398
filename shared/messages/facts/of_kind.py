"""What an email tells: the facts that are frozen into a message when it is written ([OUTBOX]).

Every kind has a model in this folder. They are stored as plain JSON and read back by the same model
when the email is rendered, so a field may be added with a default, but never renamed or removed.
Instants are UTC, days are the location's own; `zone` turns the one into the other. No secret is a
fact. Each family stands apart: whoever sends an email loads what that one tells, and no more.
"""

from importlib import import_module

from shared.domain.message import MessageKind
from shared.messages.opening import Facts, SignInFacts

OPENING = frozenset({MessageKind.SIGN_IN, MessageKind.STAFF_SIGN_IN})
"""Who signs in is told nothing of the families below."""

FACTS: dict[MessageKind, str] = {
    MessageKind.ORDER_RECEIPT: "invoices.OrderFacts",
    MessageKind.INVOICE: "invoices.InvoiceFacts",
    MessageKind.SUBSCRIPTION_PURCHASED: "purchases.PurchasedFacts",
    MessageKind.TRIAL_STARTED: "purchases.TrialFacts",
    MessageKind.RENEWAL_RECEIPT: "renewals.RenewalFacts",
    MessageKind.NEXT_PACK_IN_CART: "next_packs.NextPackInCartFacts",
    MessageKind.NEXT_PACK_DEBITED: "next_packs.NextPackDebitedFacts",
    MessageKind.RENEWAL_REMINDER: "reminders.ReminderFacts",
    MessageKind.TRIAL_ENDING: "reminders.ReminderFacts",
    MessageKind.CHARGE_FAILED: "collecting.ChargeFailedFacts",
    MessageKind.PAYMENT_DUE: "collecting.PaymentDueFacts",
    MessageKind.CONFIRM_PAYMENT: "collecting.ConfirmFacts",
    MessageKind.CANCELLED_BY_CUSTOMER: "endings.CancelledFacts",
    MessageKind.CANCELLED_BY_STAFF: "endings.CancelledFacts",
    MessageKind.CANCELLED_AFTER_FAILURES: "endings.CancelledFacts",
    MessageKind.CANCELLATION_SCHEDULED: "endings.CancellationFacts",
    MessageKind.CARD_UPDATE: "collecting.CardUpdateFacts",
    MessageKind.PACK_EXPIRING: "of_packs.PackFacts",
    MessageKind.CREDITS_LOW: "of_packs.PackFacts",
    MessageKind.RESERVATION_CONFIRMED: "bookings.ReservationFacts",
    MessageKind.RESERVATION_CHANGED: "bookings.ReservationChangedFacts",
    MessageKind.RESERVATION_CANCELLED: "bookings.ReservationCancelledFacts",
    MessageKind.PLACE_OFFERED: "bookings.PlaceOfferedFacts",
    MessageKind.REFUND: "refunds.RefundFacts",
}
"""Which facts each other email has, as `{family}.{model}`."""


def facts_of(kind: MessageKind) -> type[Facts]:
    """The model of what an email of `kind` tells. Its family is loaded when it is asked for."""
    if kind in OPENING:
        return SignInFacts
    family, _, name = FACTS[kind].partition(".")
    model: type[Facts] = getattr(import_module(f"shared.messages.facts.{family}"), name)
    return model
