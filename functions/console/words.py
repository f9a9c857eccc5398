"""What a timeline's lines say: one word for each state, in plain English."""

from collections.abc import Mapping

from shared.domain.by import By
from shared.domain.card_brands import BRANDS
from shared.domain.ending import EndReason
from shared.domain.message import MessageKind
from shared.domain.next_payment import NextPayment
from shared.domain.outcome import NOT_SET_UP, Outcome
from shared.web.words import DECLINE_CODES

DECLINES: Mapping[str, str] = {
    **DECLINE_CODES,
    NOT_SET_UP: "the provider of this card is not set up here any more",
    "wrong_key": "it refused our key",
}
"""What staff are told of a decline; they also see the provider's own code."""

STARTED_BY: Mapping[By, str] = {
    By.CLOCK: "Started by the clock",
    By.CUSTOMER: "Started by the customer",
    By.STAFF: "Started by staff",
}

CAME_TO: Mapping[Outcome, str] = {
    Outcome.ATTEMPTING: "the provider has not answered yet",
    Outcome.UNKNOWN: "whether money moved is not known yet; the provider goes on being asked",
    Outcome.PROCESSING: "accepted, and settles in some days",
    Outcome.AUTHENTICATION_REQUIRED: "the bank asks the customer to confirm",
    Outcome.SUCCEEDED: "succeeded",
    Outcome.DECLINED: "declined",
    Outcome.DECLINED_FINAL: "declined for good",
    Outcome.REFUSED: "the payment provider would not take the request; no money moved",
    Outcome.CANCELLED: "given up before any money moved",
}

ENDED: Mapping[EndReason, str] = {
    EndReason.BY_CUSTOMER: "cancelled by the customer",
    EndReason.BY_STAFF: "cancelled by staff",
    EndReason.PAYMENT_FAILED: "cancelled, because every try to collect had failed",
    EndReason.UNTIL: "ended: it had reached the last day that was agreed",
}

PAYMENTS: Mapping[str, str] = {
    NextPayment.DEBIT.value: "debited from now on",
    NextPayment.BY_HAND.value: "paid by hand from now on",
}

EMAILS: Mapping[MessageKind, str] = {
    MessageKind.SIGN_IN: "Sign in",
    MessageKind.STAFF_SIGN_IN: "Sign in to the console",
    MessageKind.ORDER_RECEIPT: "Order receipt",
    MessageKind.INVOICE: "Invoice",
    MessageKind.SUBSCRIPTION_PURCHASED: "Subscription purchased",
    MessageKind.TRIAL_STARTED: "Free trial started",
    MessageKind.RENEWAL_RECEIPT: "Renewal receipt",
    MessageKind.NEXT_PACK_IN_CART: "Next pack in your cart",
    MessageKind.NEXT_PACK_DEBITED: "Next pack debited",
    MessageKind.RENEWAL_REMINDER: "Renewal reminder",
    MessageKind.TRIAL_ENDING: "Free trial ending",
    MessageKind.CHARGE_FAILED: "Charge failed",
    MessageKind.PAYMENT_DUE: "Payment due",
    MessageKind.CONFIRM_PAYMENT: "Confirm payment",
    MessageKind.CANCELLED_BY_CUSTOMER: "Subscription cancelled",
    MessageKind.CANCELLED_BY_STAFF: "Subscription cancelled by us",
    MessageKind.CANCELLED_AFTER_FAILURES: "Subscription cancelled after failed payments",
    MessageKind.CANCELLATION_SCHEDULED: "Subscription ends with its period",
    MessageKind.CARD_UPDATE: "Update your card",
    MessageKind.PACK_EXPIRING: "Pack expiring",
    MessageKind.CREDITS_LOW: "Credits low",
    MessageKind.RESERVATION_CONFIRMED: "Reservation confirmed",
    MessageKind.RESERVATION_CHANGED: "Reservation changed",
    MessageKind.RESERVATION_CANCELLED: "Reservation cancelled",
    MessageKind.PLACE_OFFERED: "Place offered",
    MessageKind.REFUND: "Refund",
}

PEOPLE: Mapping[str, str] = {
    By.CLOCK.value: "the clock",
    By.CUSTOMER.value: "the customer",
    By.STAFF.value: "staff",
}


def person(by: str) -> str:
    """Who did something: an address for a staff member who is known by name."""
    return PEOPLE.get(by, by)


def card(brand: str, last4: str) -> str:
    """`Visa 4242`."""
    return f"{BRANDS.get(brand.casefold(), brand.capitalize() or 'Card')} {last4}"


def kept_card(text: str) -> str:
    """A card as a timeline's event keeps it, `visa 4242`."""
    brand, _, last4 = text.rpartition(" ")
    return card(brand, last4) if text else "no card"


def decline(code: str | None) -> str:
    """`: not enough money on the card (insufficient_funds)`; empty without a code."""
    if not code:
        return ""
    return f": {DECLINES.get(code, code.replace('_', ' '))} ({code})"


def counted(number: int, unit: str) -> str:
    """`1 class`, `10 classes`."""
    return f"{number} {unit if number == 1 else many(unit)}"


def many(unit: str) -> str:
    return unit + ("es" if unit.endswith(("s", "x", "ch", "sh")) else "s")


def joined(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def times(quantity: int, name: str) -> str:
    """`2 \N{MULTIPLICATION SIGN} Yoga mat`; one is just named."""
    return name if quantity == 1 else f"{quantity} \N{MULTIPLICATION SIGN} {name}"
