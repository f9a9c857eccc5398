"""PaymentIntents of the front: localstripe decides what becomes of each.

Beside what it answers, the front keeps the documented rules that localstripe does not know: what
is possible in which state (`Payments`), what a 402 carries, that `authentication_required` is the
answer to a payment without the customer, where `next_action` leads, and that a payment which failed
can be confirmed again. Without the last, each PaymentIntent of localstripe would have one try; its
update lets us take the failed Charge off it, so that the same PaymentIntent goes on.
"""

from typing import Any

from infra.local.stripe_books import Kind, Object
from infra.local.stripe_errors import DOC_ROOT, StripeRefusal
from infra.local.stripe_outcomes import advice
from infra.local.stripe_params import Params, is_true
from infra.local.stripe_payments import (
    AUTHENTICATION_FAILED,
    FREE_TO_CHANGE,
    NOTHING_FORCED,
    Forced,
    Payments,
    is_off_session,
)
from tests.localstripe.books import BooksAtLocalstripe
from tests.localstripe.service import Refused

AUTHENTICATION_REQUIRED = "authentication_required"


class PaymentsAtLocalstripe(Payments):
    """Those of `books`. Links to the authentication page begin with `root`."""

    def __init__(self, books: BooksAtLocalstripe, root: str) -> None:
        super().__init__(books, root)
        self._at = books

    def _add(self, params: Params, amount: int, currency: str, types: list[str] | None) -> Object:
        return self.intent(super()._add(params, amount, currency, types)["id"])

    def update(self, id_: str, params: Params) -> Object:
        """The rules of `Payments.update` on a copy; then localstripe's."""
        changed = super().update(id_, params)
        noted = self._at.noted[id_]
        for name in ("allowed_payment_method_types", "description", "receipt_email"):
            noted[name] = changed[name]
        noted["last_payment_error"] = None
        self._at.change(Kind.PAYMENT_INTENT, id_, metadata=changed["metadata"])
        if params.keys() - FREE_TO_CHANGE:
            fields = ("amount", "currency", "customer", "payment_method")
            self._begin_anew(id_, **{name: changed[name] for name in fields})
        return self.intent(id_)

    def cancel(self, id_: str, params: Params) -> Object:
        canceled = super().cancel(id_, params)
        self._tell(id_, "cancel")
        for name in ("canceled_at", "cancellation_reason"):
            self._at.noted[id_][name] = canceled[name]
        return self.intent(id_)

    def _begin_anew(self, id_: str, **fields: Any) -> None:
        """Let the PaymentIntent wait for its confirmation, with these fields changed."""
        noted = self._at.noted[id_]
        noted["latest_charge"] = self.intent(id_)["latest_charge"]
        noted["failed_authentication"] = False
        self._at.change(Kind.PAYMENT_INTENT, id_, latest_charge=None, next_action=None, **fields)

    def _confirm(self, intent: Object, params: Params, forced: Forced) -> Object:
        assert forced == NOTHING_FORCED, "localstripe decides, by the card's number"
        id_, method = intent["id"], intent["payment_method"]
        noted = self._at.noted[id_]
        noted |= {
            "return_url": params.get("return_url"),
            "last_payment_error": None,
            "next_action": self._redirect(id_, params),
        }
        self._begin_anew(id_, payment_method=method)
        try:
            self._tell(id_, "confirm")
        except Refused as refused:
            raise self._declined(id_, method, refused) from None
        finally:
            self._copy_metadata(id_)
        if self._waits_for_the_customer(id_):
            if is_off_session(params) or is_true(params, "error_on_requires_action"):
                raise self._without_the_customer(id_, method)
            self._books.report("payment_intent.requires_action", self.intent(id_))
        return self.intent(id_)

    def answer(self, intent: Object, *, confirmed: bool) -> None:
        id_, method = intent["id"], intent["payment_method"]
        content = {"client_secret": intent["client_secret"], "success": confirmed}
        try:
            self._tell(id_, "_authenticate", content)
        except Refused as refused:
            self._declined(id_, method, refused)
        finally:
            self._copy_metadata(id_)
        if not confirmed:
            self._note_failure(id_, method, AUTHENTICATION_FAILED, _NOT_AUTHENTICATED)
            self._books.report("payment_intent.payment_failed", self.intent(id_))
        intent.clear()
        intent.update(self.intent(id_))

    def return_url(self, intent: Object) -> str | None:
        found: str | None = self._at.noted[intent["id"]].get("return_url")
        return found

    # What localstripe said

    def _tell(self, id_: str, what: str, content: Params | None = None) -> None:
        self._at.localstripe.call("POST", f"payment_intents/{id_}/{what}", content or {})

    def _copy_metadata(self, id_: str) -> None:
        """Stripe copies it to a Charge when it is made; localstripe leaves the Charge's empty."""
        intent = self.intent(id_)
        if intent["latest_charge"] is not None and intent["metadata"]:
            self._at.change(Kind.CHARGE, intent["latest_charge"], metadata=intent["metadata"])

    def _waits_for_the_customer(self, id_: str) -> bool:
        found = self._at.localstripe.call("GET", f"payment_intents/{id_}")
        return bool(found["status"] == "requires_action")

    def _redirect(self, id_: str, params: Params) -> Object:
        """The bank's page, to which localstripe has no link."""
        address = f"{self._root}/authenticate/{id_}"
        return {
            "type": "redirect_to_url",
            "redirect_to_url": {"url": address, "return_url": params.get("return_url")},
        }

    def _without_the_customer(self, id_: str, method: str) -> StripeRefusal:
        """docs.stripe.com/payments/without-card-authentication: 402, and another payment method
        or the customer is waited for. (Stripe has a failed Charge for it too; this has none.)"""
        self._begin_anew(id_, payment_method=method)
        self._at.noted[id_]["failed_authentication"] = True
        refusal = self._note_failure(
            id_,
            method,
            AUTHENTICATION_REQUIRED,
            "Your card was declined. This transaction requires authentication.",
            decline_code=AUTHENTICATION_REQUIRED,
        )
        self._books.report("payment_intent.payment_failed", self.intent(id_))
        return refusal

    def _declined(self, id_: str, method: str, refused: Refused) -> StripeRefusal:
        """localstripe says that the card was declined, and leaves open why."""
        if refused.status != 402:
            raise refused
        error = refused.error
        return self._note_failure(
            id_,
            method,
            error["code"],
            error["message"],
            decline_code="generic_decline",
            charge=error["charge"],
        )

    def _note_failure(
        self, id_: str, method: str, code: str, message: str, **more: str
    ) -> StripeRefusal:
        """docs.stripe.com/api/errors: what `last_payment_error` and a 402 say."""
        error: Object = {"code": code, "doc_url": DOC_ROOT + code.replace("_", "-"), **more}
        if "decline_code" in more:
            error["advice_code"] = advice(more["decline_code"])
        type_ = "card_error" if "decline_code" in more else "invalid_request_error"
        error["payment_method"] = self._books.get(Kind.PAYMENT_METHOD, method)
        whole = {**error, "message": message, "type": type_}
        self._at.noted[id_]["last_payment_error"] = whole
        return StripeRefusal(402, message, type_=type_, **error, payment_intent=self.intent(id_))


_NOT_AUTHENTICATED = "The provided PaymentMethod has failed authentication."
