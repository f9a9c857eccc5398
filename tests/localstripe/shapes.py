"""localstripe's objects in the shape that Stripe documents for the version that we speak.

`noted` is what the front remembers of an object beside localstripe.
"""

from collections.abc import Mapping
from types import MappingProxyType

from infra.local.stripe_books import Kind, Object

LACKING: Mapping[Kind, frozenset[str]] = MappingProxyType(
    {
        Kind.PAYMENT_INTENT: frozenset(
            {"allowed_payment_method_types", "description", "payment_method_types", "receipt_email"}
        ),
        Kind.REFUND: frozenset({"reason"}),
    }
)
"""What a new object may come with that localstripe has no field for."""

EMBEDDED = ("sources", "subscriptions", "tax_ids")
"""What newer versions of the API show of a customer only when asked."""


def customer(found: Object, noted: Object) -> Object:
    kept = {name: value for name, value in found.items() if name not in EMBEDDED}
    return {**kept, "created": noted["created"]}


def payment_method(found: Object, noted: Object) -> Object:
    return {**found, "allow_redisplay": "unspecified", "created": noted["created"]}


def payment_intent(found: Object, noted: Object) -> Object:
    """Stripe forgets the payment method of a payment that failed, and knows the last Charge of one
    that is tried again."""
    status = found["status"]
    if noted.get("failed_authentication") and status == "requires_confirmation":
        status = "requires_payment_method"
    latest = found["latest_charge"]
    shown = {
        name: value
        for name, value in found.items()
        if name not in ("charges", "invoice", "latest_charge", "next_action")
    }
    return {
        **shown,
        "allowed_payment_method_types": noted.get("allowed_payment_method_types"),
        "amount": int(found["amount"]),
        "amount_received": int(found["amount"]) if status == "succeeded" else 0,
        "canceled_at": noted.get("canceled_at"),
        "cancellation_reason": noted.get("cancellation_reason"),
        "created": noted["created"],
        "description": noted.get("description"),
        "last_payment_error": noted.get("last_payment_error"),
        "latest_charge": noted.get("latest_charge") if latest is None else latest["id"],
        "next_action": noted["next_action"] if status == "requires_action" else None,
        "payment_method": (
            None if status == "requires_payment_method" else found["payment_method"]
        ),
        "payment_method_types": noted.get("payment_method_types", ["card"]),
        "processing": None,
        "receipt_email": noted.get("receipt_email"),
        "status": status,
    }


def charge(found: Object, noted: Object, method: Object, *, disputed: bool) -> Object:
    """`refunds` are shown when asked for."""
    worked = found["status"] == "succeeded"
    shown = {name: value for name, value in found.items() if name not in ("invoice", "refunds")}
    return {
        **shown,
        "amount": int(found["amount"]),
        "amount_captured": int(found["amount"]) if worked else 0,
        "captured": worked,
        "created": noted["created"],
        "disputed": disputed,
        "payment_method_details": {"type": "card", "card": dict(method["card"])},
    }


def refund(found: Object, noted: Object) -> Object:
    return {
        **found,
        "amount": int(found["amount"]),
        "created": noted["created"],
        "reason": noted.get("reason"),
    }
