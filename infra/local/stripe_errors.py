"""What the Stripe stand-in answers when it refuses: Stripe's error object, and its statuses.

Documented at docs.stripe.com/api/errors and docs.stripe.com/error-codes: 400 for a request that
is not acceptable, 401 for a key that is not valid, 402 for a good request that failed (a decline),
403 for a key without the permission, 404 for what does not exist, 409 for a conflict of
idempotency keys, 429 for too many requests or an object that is locked, 500 for Stripe's troubles.
"""

from collections.abc import Mapping
from typing import Any

DOC_ROOT = "https://docs.stripe.com/error-codes#"


class StripeRefusal(Exception):
    """A request that Stripe answers with an error object."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type_: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.error: dict[str, Any] = {"message": message, "type": type_, **more}
        if code is not None:
            self.error["code"] = code
            self.error["doc_url"] = DOC_ROOT + code.replace("_", "-")
        if param is not None:
            self.error["param"] = param

    @property
    def content(self) -> dict[str, Any]:
        return {"error": self.error}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> StripeRefusal:
    """400: the request itself is not acceptable."""
    return StripeRefusal(400, message, param=param, code=code)


def missing(kind: str, id_: str, param: str, other_mode: str | None = None) -> StripeRefusal:
    """404 `resource_missing`; 400 when the id came as a parameter. `other_mode` is the mode in
    which an object of that id exists."""
    message = f"No such {kind}: '{id_}'"
    if other_mode is not None:
        used = "test" if other_mode == "live" else "live"
        message += (
            f"; a similar object exists in {other_mode} mode, "
            f"but a {used} mode key was used to make this request."
        )
    in_path = param in ("id", "intent", "session")
    return StripeRefusal(404 if in_path else 400, message, code="resource_missing", param=param)


def unexpected_state(intent: dict[str, Any], what: str) -> StripeRefusal:
    """400 `payment_intent_unexpected_state`, which carries the PaymentIntent as it is."""
    return StripeRefusal(
        400,
        f"You cannot {what} this PaymentIntent because it has a status of {intent['status']}.",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )


def rate_limited(reason: str = "global-rate") -> StripeRefusal:
    """429, before anything else of the request is looked at (docs.stripe.com/rate-limits)."""
    message = "Request rate limit exceeded."
    headers = {"Stripe-Rate-Limited-Reason": reason}
    return StripeRefusal(429, message, code="rate_limit", headers=headers)


def locked() -> StripeRefusal:
    """429 `lock_timeout`: another request has the object (docs.stripe.com/rate-limits)."""
    message = "This object cannot be accessed right now because another request is using it."
    return StripeRefusal(429, message, code="lock_timeout")


def server_error() -> StripeRefusal:
    return StripeRefusal(500, "An unknown error occurred.", type_="api_error")
