"""How a payment of the Stripe stand-in ends: its Charge, its PaymentIntent, its error, its events.

docs.stripe.com/api/errors (what a 402 carries), docs.stripe.com/declines/codes, and
docs.stripe.com/api/payment_intents/object (`latest_charge`, `last_payment_error`).
"""

import copy

from infra.local.stripe_books import Books, Kind, Object
from infra.local.stripe_cards import CODES_OF_THEIR_OWN, MESSAGES
from infra.local.stripe_errors import DOC_ROOT, StripeRefusal

DO_NOT_TRY_AGAIN = frozenset({"lost_card", "stolen_card", "fraudulent"})


class Outcomes:
    """Ends payments in `books`. A `delay` is by how many seconds the events come later; None for
    no events."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def add_charge(self, intent: Object) -> Object:
        method = self._books.get(Kind.PAYMENT_METHOD, intent["payment_method"])
        charge = self._books.add(
            Kind.CHARGE,
            amount=intent["amount"],
            amount_captured=0,
            amount_refunded=0,
            balance_transaction=None,
            billing_details=method["billing_details"],
            captured=False,
            currency=intent["currency"],
            customer=intent["customer"],
            description=intent["description"],
            disputed=False,
            failure_code=None,
            failure_message=None,
            metadata=dict(intent["metadata"]),
            outcome=None,
            paid=False,
            payment_intent=intent["id"],
            payment_method=intent["payment_method"],
            payment_method_details={
                "type": method["type"],
                method["type"]: copy.deepcopy(method[method["type"]]),
            },
            receipt_email=intent["receipt_email"],
            receipt_url=None,
            refunded=False,
            status="pending",
        )
        intent["latest_charge"] = charge["id"]
        return charge

    def succeed(self, intent: Object, charge: Object, delay: int | None) -> None:
        charge.update(
            status="succeeded",
            paid=True,
            captured=True,
            amount_captured=charge["amount"],
            outcome={"network_status": "approved_by_network", "type": "authorized"},
        )
        intent.update(
            status="succeeded", amount_received=intent["amount"], processing=None, next_action=None
        )
        if delay is not None:
            self._books.report("charge.succeeded", charge, delay)
            self._books.report("payment_intent.succeeded", intent, delay)

    def decline(self, intent: Object, code: str, decline_code: str | None) -> StripeRefusal:
        """402: the bank has declined. The answer carries the PaymentIntent as it is then."""
        charge = self.add_charge(intent)
        error = self.fail(intent, charge, code, decline_code, 0)
        return StripeRefusal(
            402,
            error["message"],
            type_=error["type"],
            **{name: value for name, value in error.items() if name not in ("message", "type")},
            payment_intent=copy.deepcopy(intent),
        )

    def fail(
        self,
        intent: Object,
        charge: Object,
        code: str,
        decline_code: str | None,
        delay: int | None,
    ) -> Object:
        message = MESSAGES.get(decline_code or code, MESSAGES["generic_decline"])
        if code == "authentication_required":
            message = "Your card was declined. This transaction requires authentication."
        charge.update(
            status="failed",
            failure_code=code,
            failure_message=message,
            outcome={
                "network_status": "declined_by_network",
                "reason": decline_code,
                "type": "issuer_declined",
            },
        )
        error: Object = {
            "charge": charge["id"],
            "code": code,
            "doc_url": DOC_ROOT + code.replace("_", "-"),
            "message": message,
            "type": "card_error" if decline_code is not None else "invalid_request_error",
        }
        if decline_code is not None:
            error["decline_code"] = decline_code
            error["advice_code"] = advice(decline_code)
        self.back_to_the_start(intent, error)
        if delay is not None:
            self._books.report("charge.failed", charge, delay)
            self._books.report("payment_intent.payment_failed", intent, delay)
        return dict(intent["last_payment_error"])

    def back_to_the_start(self, intent: Object, error: Object) -> None:
        """docs.stripe.com/payments/paymentintents/lifecycle: after a failure another payment
        method is waited for."""
        method = self._books.get(Kind.PAYMENT_METHOD, intent["payment_method"])
        intent.update(
            status="requires_payment_method",
            payment_method=None,
            processing=None,
            next_action=None,
            last_payment_error={**error, "payment_method": copy.deepcopy(method)},
        )


def code_of(decline_code: str) -> str:
    alone = decline_code in CODES_OF_THEIR_OWN or decline_code == "authentication_required"
    return decline_code if alone else "card_declined"


def advice(decline_code: str) -> str:
    """docs.stripe.com/declines/card#retrying-issuer-declines"""
    if decline_code in DO_NOT_TRY_AGAIN:
        return "do_not_try_again"
    if decline_code in CODES_OF_THEIR_OWN - {"processing_error"}:
        return "confirm_card_data"
    return "try_again_later"
