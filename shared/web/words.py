"""Data in plain words. Every page says the same thing the same way.

Templates call these as `w`; what they give is text, and is escaped where it is shown.
"""

from collections.abc import Mapping
from typing import Any

from shared.domain.card_brands import BRANDS

PLAIN = "plain"
"""The tone of what is neither good nor bad."""

PER: Mapping[str | None, str] = {
    "weekly": "a week",
    "biweekly": "every 2 weeks",
    "monthly": "a month",
    "annual": "a year",
}
OFTEN: Mapping[str, str] = {
    "weekly": "Every week",
    "biweekly": "Every 2 weeks",
    "monthly": "Every month",
    "annual": "Every year",
}
RECURS: Mapping[str, str] = {
    "pack_expires": "before the pack expires",
    "no_credits_remain": "when the credits are used up or about to expire",
}
SUBSCRIPTION_STATES: Mapping[str, str] = {
    "scheduled": "Starts later",
    "trialing": "Free trial",
    "active": "Active",
    "past_due": "Payment failed",
    "paused": "Paused",
    "cancelled": "Cancelled",
    "ended": "Ended",
}
SUBSCRIPTION_TONES: Mapping[str, str] = {
    "scheduled": "note",
    "trialing": "note",
    "active": "good",
    "past_due": "bad",
    "paused": "warn",
}
PACK_STATUSES: Mapping[str, str] = {
    "upcoming": "Usable later",
    "active": "Active",
    "used_up": "Used up",
    "unpaid": "Not paid yet",
    "frozen": "On hold",
    "expired": "Expired",
}
PACK_TONES: Mapping[str, str] = {
    "upcoming": "note",
    "active": "good",
    "unpaid": "warn",
    "frozen": "bad",
}
RESERVATION_STATES: Mapping[str, str] = {
    "waiting": "Waiting",
    "offered": "Place offered",
    "booked": "Booked",
    "redeemed": "Taken place",
    "cancelled": "Cancelled",
    "cancelled_late": "Cancelled late",
    "lapsed": "No place",
}
RESERVATION_TONES: Mapping[str, str] = {"waiting": "note", "offered": "warn", "booked": "good"}
PAYMENT_STATUSES: Mapping[str, str] = {
    "paid": "Paid",
    "unpaid": "Not paid yet",
    "processing": "On its way",
    "failed": "Failed",
    "refunded": "Refunded",
    "reversed": "Taken back",
    "void": "Void",
}
PAYMENT_TONES: Mapping[str, str] = {
    "paid": "good",
    "unpaid": "warn",
    "processing": "note",
    "failed": "bad",
    "refunded": "warn",
    "reversed": "bad",
}
PAYMENT_KINDS: Mapping[str, str] = {
    "card": "Card payment",
    "cash": "Cash",
    "transfer": "Bank transfer",
    "nothing_due": "Nothing to pay",
    "refund": "Refund",
    "reversal": "Taken back by the bank",
    "reinstated": "Given again by the bank",
}
INVOICE_STATES: Mapping[str, str] = {"open": "Open", "closed": "Closed", "void": "Void"}
OUTCOMES: Mapping[str, str] = {
    "attempting": "Under way",
    "unknown": "No answer yet",
    "processing": "On its way",
    "authentication_required": "To be confirmed",
    "succeeded": "Paid",
    "declined": "Declined",
    "declined_final": "Declined for good",
    "refused": "Not taken",
    "cancelled": "Given up",
}
OUTCOME_TONES: Mapping[str, str] = {
    "succeeded": "good",
    "declined": "bad",
    "declined_final": "bad",
    "refused": "warn",
    "authentication_required": "warn",
    "attempting": "note",
    "unknown": "note",
    "processing": "note",
}
DECLINE_CODES: Mapping[str, str] = {
    "card_declined": "the bank said no",
    "generic_decline": "the bank said no",
    "do_not_honor": "the bank said no",
    "insufficient_funds": "not enough money on the card",
    "lost_card": "the card is reported lost",
    "stolen_card": "the card is reported stolen",
    "expired_card": "the card has expired",
    "authentication_required": "the bank asks for a confirmation",
    "provider_not_set_up": "the card can\u2019t be charged any more",
}
STARTERS: Mapping[str, str] = {
    "clock": "Automatic try",
    "customer": "Started by the customer",
    "staff": "Started by staff",
}
ENTRY_KINDS: Mapping[str, str] = {
    "grant": "Credits added",
    "hold": "Held for a booking",
    "release": "Given back",
    "redeem": "Used",
    "restore": "Restored",
    "deduct": "Taken off",
    "expire": "Expired",
    "revoke": "Taken back",
}
WHEREABOUTS: Mapping[str, str] = {
    "unused": "Unused",
    "held": "Held",
    "used": "Used",
    "expired": "Expired",
    "deducted": "Taken off",
    "revoked": "Taken back",
}
WHEREABOUTS_TONES: Mapping[str, str] = {"unused": "good", "held": "note"}
END_REASONS: Mapping[str, str] = {
    "by_customer": "You cancelled it.",
    "by_staff": "Our team cancelled it.",
    "payment_failed": "It was cancelled because the payment failed.",
    "until": "It ran until the day you chose.",
}

# --- numbers ---------------------------------------------------------------------------------


def plural(unit: str) -> str:
    """`classes`, `parties`, `days`."""
    if unit.endswith(("s", "x", "ch", "sh")):
        return f"{unit}es"
    if unit.endswith("y") and not unit.endswith(("ay", "ey", "oy", "uy")):
        return f"{unit[:-1]}ies"
    return f"{unit}s"


def counted(n: int, unit: str) -> str:
    """`1 class`, `10 classes`."""
    return f"{n} {unit if n == 1 else plural(unit)}"


def holds(n: int | None, unlimited: bool, unit: str) -> str:
    """What a pack holds; nothing when it has no credits."""
    if unlimited:
        return f"Unlimited {plural(unit)}"
    return "" if n is None else counted(n, unit)


# --- cards -----------------------------------------------------------------------------------


def card_name(card: Any) -> str:
    """`Visa ending in 4242`."""
    brand = BRANDS.get(card.brand.lower(), card.brand.capitalize() or "Card")
    return f"{brand} ending in {card.last4}"


def card_expiry(card: Any) -> str:
    """`Expires 08/27`; what has no such month is a bank account."""
    if not (card.exp_month and card.exp_year):
        return "Bank account"
    word = "Expired" if card.expired else "Expires"
    return f"{word} {card.exp_month:02}/{card.exp_year % 100:02}"


def paid_with(charge: Any) -> str:
    """On which card a charge to come is made, or how it is paid."""
    if charge.collected_by == "recording":
        return "In cash or by transfer"
    return card_name(charge.card) if charge.card else "No card on file"


# --- products and subscriptions --------------------------------------------------------------


def per(frequency: str | None) -> str:
    """After a price: `a month`, and `a pack` for what recurs without a calendar ([RECUR])."""
    return PER.get(frequency, "a pack")


def often(frequency: str) -> str:
    return OFTEN[frequency]


def recurs(when: str) -> str:
    """When the next pack comes ([RECUR])."""
    return RECURS[when]


def next_payment(payment: str) -> str:
    """How the next pack is paid ([RECUR])."""
    by_hand = payment == "by_hand"
    return (
        "We put it into your cart, and you pay there" if by_hand else "Your default card is debited"
    )


def expiry(policy: str, days: int | None, months: int | None, each: bool = False) -> str:
    """How long credits are valid; `each`: those of every period of a subscription."""
    match policy:
        case "days" | "after_days" | "months" | "after_months":
            span = counted(days, "day") if days else counted(months or 0, "month")
            return (
                f"Each period\u2019s credits are valid for {span}" if each else f"Valid for {span}"
            )
        case "next_renewal":
            return "Unused credits expire when the next ones arrive"
        case "period_end":
            return "Valid to the end of each paid period"
        case "never":
            return "Never expires"
        case _:
            return ""


def subscription_state(state: str, collected_by: str = "card") -> str:
    if state == "past_due" and collected_by == "recording":
        return "Payment due"
    return SUBSCRIPTION_STATES[state]


def subscription_tone(state: str) -> str:
    return SUBSCRIPTION_TONES.get(state, PLAIN)


def end_reason(reason: str | None) -> str:
    """Why a subscription ended, for its customer."""
    return END_REASONS[reason] if reason else ""


# --- packs, credits, reservations ------------------------------------------------------------


def pack_status(status: str) -> str:
    return PACK_STATUSES[status]


def pack_tone(status: str) -> str:
    return PACK_TONES.get(status, PLAIN)


def reservation_state(state: str) -> str:
    return RESERVATION_STATES[state]


def reservation_tone(state: str) -> str:
    return RESERVATION_TONES.get(state, PLAIN)


def entry_kind(kind: str) -> str:
    """What a line of the ledger did."""
    return ENTRY_KINDS[kind]


def entry_by(by: str, for_staff: bool = False) -> str:
    """By whom, after what was done: nothing when nobody is known."""
    if not by:
        return ""
    known = {
        "customer": "by the customer" if for_staff else "by you",
        "clock": "automatically",
        "staff": "by our team",
    }
    return f" · {known.get(by, f'by {by}')}"


def whereabouts(where: str) -> str:
    """Where a credit is."""
    return WHEREABOUTS[where]


def whereabouts_tone(where: str) -> str:
    return WHEREABOUTS_TONES.get(where, PLAIN)


# --- payments --------------------------------------------------------------------------------


def payment_status(status: str) -> str:
    return PAYMENT_STATUSES[status]


def payment_tone(status: str) -> str:
    return PAYMENT_TONES.get(status, PLAIN)


def payment_kind(kind: str) -> str:
    return PAYMENT_KINDS[kind]


def invoice_state(state: str) -> str:
    return INVOICE_STATES[state]


def outcome(of: str | None) -> str:
    """What came of an attempt to collect; None: there was none."""
    return OUTCOMES[of] if of else "Not tried yet"


def outcome_tone(of: str | None) -> str:
    return OUTCOME_TONES.get(of or "", PLAIN)


def decline_code(code: str) -> str:
    """Why a card did not work; a code that is not known, as it is."""
    return DECLINE_CODES.get(code, code.replace("_", " "))


def started_by(by: str) -> str:
    """Who tried to collect, for staff."""
    return STARTERS[by]
