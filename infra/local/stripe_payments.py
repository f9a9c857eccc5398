"""PaymentIntents of the Stripe stand-in, and the Charges that they make.

docs.stripe.com/payments/paymentintents/lifecycle and docs.stripe.com/api/payment_intents:

- `requires_payment_method` → `requires_confirmation` → confirmed: `succeeded`, `requires_action`,
  `processing`, or back to `requires_payment_method` with `last_payment_error` and without the
  payment method.
- Whatever is not possible in a state is `payment_intent_unexpected_state`.
- `last_payment_error` is cleared by any update, and by the next confirmation.
- A PaymentIntent makes at most one successful Charge; each attempt that a bank declines makes a
  failed one. The metadata is copied to a Charge when it is made.
"""

import copy
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.local.stripe_amounts import check_amount
from infra.local.stripe_books import Books, Kind, Object, merged
from infra.local.stripe_cards import CURRENCY_OF_DEBIT, KnownMethod, asks_for_authentication
from infra.local.stripe_errors import DOC_ROOT, StripeRefusal, invalid, unexpected_state
from infra.local.stripe_outcomes import Outcomes, code_of
from infra.local.stripe_params import Params, is_true

NOT_FINAL = ("requires_payment_method", "requires_confirmation", "requires_action")
FREE_TO_CHANGE = frozenset({"metadata", "description", "receipt_email", "expand"})
"""What may still be changed of a payment that is under way or made."""

AUTHENTICATION_FAILED = "payment_intent_authentication_failure"


@dataclass(frozen=True)
class Forced:
    """What a fault forces on a confirmation: a delay of the decision, or a decline."""

    late_seconds: int | None = None
    decline_code: str | None = None


NOTHING_FORCED = Forced()


@dataclass(frozen=True)
class _Underway:
    """A payment that is `processing`: when it is decided, and why it fails if it does."""

    settles_at: datetime
    method: KnownMethod
    code: str | None
    decline_code: str | None


@dataclass(frozen=True)
class _Terms:
    """How a PaymentIntent was confirmed last."""

    return_url: str | None
    forced: Forced


class Payments:
    """The PaymentIntents in `books`. Links to the authentication page begin with `root`."""

    def __init__(self, books: Books, root: str) -> None:
        self._books = books
        self._root = root
        self._outcomes = Outcomes(books)
        self._underway: dict[str, _Underway] = {}
        self._terms: dict[str, _Terms] = {}
        self._confirmations: dict[str, int] = {}
        self.confirmation_limit: int | None = None
        self.charges_enabled = True
        self.disputes_wanted: list[str] = []
        """Charges whose card is one that disputes them."""

    # The calls

    def create(self, params: Params, forced: Forced = NOTHING_FORCED) -> Object:
        confirm = is_true(params, "confirm")
        for name in ("off_session", "return_url", "error_on_requires_action"):
            if name in params and not confirm:
                raise invalid(f"{name} can only be used with confirm=true.", param=name)
        amount, currency = int(params["amount"]), params["currency"].lower()
        check_amount(amount, currency)
        customer = params.get("customer")
        if customer is not None:
            self._books.customer(customer, "customer")
        types = params.get("allowed_payment_method_types")
        method = params.get("payment_method")
        if method is not None:
            self._check_method(method, customer, types, currency)
        if confirm:
            if method is None:
                message = "You must provide a payment method to confirm this PaymentIntent."
                raise invalid(message, param="payment_method", code="parameter_missing")
            self._check_confirmable(params)
        intent = self._add(params, amount, currency, types)
        self._books.report("payment_intent.created", intent)
        return self._confirm(intent, params, forced) if confirm else intent

    def _add(self, params: Params, amount: int, currency: str, types: list[str] | None) -> Object:
        method = params.get("payment_method")
        intent = self._books.add(
            Kind.PAYMENT_INTENT,
            allowed_payment_method_types=types,
            amount=amount,
            amount_capturable=0,
            amount_received=0,
            automatic_payment_methods={"allow_redirects": "always", "enabled": True},
            canceled_at=None,
            cancellation_reason=None,
            capture_method="automatic_async",
            confirmation_method="automatic",
            currency=currency,
            customer=params.get("customer"),
            description=params.get("description"),
            last_payment_error=None,
            latest_charge=None,
            metadata=merged({}, params.get("metadata")),
            next_action=None,
            payment_method=method,
            payment_method_types=types or ["card"],
            processing=None,
            receipt_email=params.get("receipt_email"),
            setup_future_usage=None,
            status="requires_payment_method" if method is None else "requires_confirmation",
        )
        intent["client_secret"] = f"{intent['id']}_secret_{self._books.new_id(Kind.EVENT)[4:]}"
        return intent

    def intent(self, id_: str, param: str = "intent") -> Object:
        return self._books.get(Kind.PAYMENT_INTENT, id_, param)

    def update(self, id_: str, params: Params) -> Object:
        """Any update clears `last_payment_error` (docs.stripe.com/api/payment_intents/object)."""
        intent = self.intent(id_)
        status = intent["status"]
        if status not in NOT_FINAL and (status == "canceled" or params.keys() - FREE_TO_CHANGE):
            raise unexpected_state(copy.deepcopy(intent), "update")
        amount = int(params["amount"] if "amount" in params else intent["amount"])
        currency = str(params.get("currency", intent["currency"])).lower()
        check_amount(amount, currency)
        customer = params.get("customer", intent["customer"])
        if customer is not None and status in NOT_FINAL:
            self._books.customer(customer, "customer")
        types = params.get("allowed_payment_method_types", intent["allowed_payment_method_types"])
        method = params.get("payment_method", intent["payment_method"])
        if method is not None and "payment_method" in params:
            self._check_method(method, customer, types, currency)
        if intent["customer"] is None and customer is not None:
            self._books.give_customer(intent, customer)
        intent.update(
            amount=amount,
            currency=currency,
            customer=customer,
            description=params.get("description", intent["description"]),
            allowed_payment_method_types=types,
            payment_method_types=types or ["card"],
            payment_method=method,
            metadata=merged(intent["metadata"], params.get("metadata")),
            receipt_email=params.get("receipt_email", intent["receipt_email"]),
            last_payment_error=None,
        )
        if status in NOT_FINAL and params.keys() - FREE_TO_CHANGE:
            intent["next_action"] = None
            intent["status"] = (
                "requires_payment_method" if method is None else "requires_confirmation"
            )
        return intent

    def confirm(self, id_: str, params: Params, forced: Forced = NOTHING_FORCED) -> Object:
        intent = self.intent(id_)
        if intent["status"] not in NOT_FINAL:
            raise unexpected_state(copy.deepcopy(intent), "confirm")
        types = params.get("allowed_payment_method_types", intent["allowed_payment_method_types"])
        method = params.get("payment_method", intent["payment_method"])
        if method is None:
            raise StripeRefusal(
                400,
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                code="payment_intent_unexpected_state",
                payment_intent=copy.deepcopy(intent),
            )
        self._check_method(method, intent["customer"], types, intent["currency"])
        self._check_confirmable(params)
        if self._has_reached_its_limit(intent):
            return self.cancel(id_, {"cancellation_reason": "automatic"})
        intent.update(
            payment_method=method,
            allowed_payment_method_types=types,
            payment_method_types=types or ["card"],
        )
        return self._confirm(intent, params, forced)

    def _has_reached_its_limit(self, intent: Object) -> bool:
        """docs.stripe.com/api/payment_intents/confirm: how often a PaymentIntent can be confirmed
        has a variable limit; after that it is canceled."""
        count = self._confirmations.get(intent["id"], 0)
        return self.confirmation_limit is not None and count >= self.confirmation_limit

    def cancel(self, id_: str, params: Params) -> Object:
        """While it needs something of us. The "rare cases" in which one that is `processing` can
        be canceled are left out."""
        intent = self.intent(id_)
        if intent["status"] not in NOT_FINAL:
            raise unexpected_state(copy.deepcopy(intent), "cancel")
        intent.update(
            status="canceled",
            canceled_at=self._books.moment(),
            cancellation_reason=params.get("cancellation_reason"),
            next_action=None,
        )
        self._books.report("payment_intent.canceled", intent)
        return intent

    # Confirmation

    def _check_method(
        self, method: str, customer: str | None, types: list[str] | None, currency: str
    ) -> None:
        known = self._books.usable(method, customer)
        if types is not None and known.type not in types:
            message = f"The PaymentMethod provided ({known.type}) is not allowed for this payment."
            raise invalid(message, code="payment_intent_incompatible_payment_method")
        needed = CURRENCY_OF_DEBIT.get(known.type, currency)
        if needed != currency:
            message = f"The currency provided ({currency}) is invalid for {known.type}."
            raise invalid(message, param="currency", code="payment_intent_invalid_parameter")

    def _check_confirmable(self, params: Params) -> None:
        if not self.charges_enabled:
            message = "Your account cannot currently make charges."
            raise invalid(message, code="testmode_charges_only")
        if "return_url" not in params and not is_off_session(params):
            message = (
                "This PaymentIntent accepts payment methods that might redirect your customer "
                "off of your page, so you must provide a `return_url`."
            )
            raise invalid(message, param="return_url")

    def _confirm(self, intent: Object, params: Params, forced: Forced) -> Object:
        books, off_session = self._books, is_off_session(params)
        known = books.behaviours[intent["payment_method"]]
        self._confirmations[intent["id"]] = self._confirmations.get(intent["id"], 0) + 1
        self._terms[intent["id"]] = _Terms(params.get("return_url"), forced)
        intent.update(last_payment_error=None, next_action=None)
        set_up = intent["payment_method"] in books.set_up
        if forced.decline_code is None and asks_for_authentication(
            known, off_session=off_session, set_up=set_up
        ):
            if off_session or is_true(params, "error_on_requires_action"):
                raise self._outcomes.decline(
                    intent, "authentication_required", "authentication_required"
                )
            return self._ask(intent)
        return self._attempt(intent, known, forced)

    def _ask(self, intent: Object) -> Object:
        """docs.stripe.com/payments/3d-secure/authentication-flow: the customer is sent to the
        page of the bank, and comes back to `return_url`."""
        return_url = self._terms[intent["id"]].return_url
        address = f"{self._root}/authenticate/{intent['id']}"
        intent["status"] = "requires_action"
        intent["next_action"] = {
            "type": "redirect_to_url",
            "redirect_to_url": {"url": address, "return_url": return_url},
        }
        self._books.report("payment_intent.requires_action", intent)
        return intent

    def answer(self, intent: Object, *, confirmed: bool) -> None:
        """The customer has authenticated, or failed to. What the bank says then is in the
        PaymentIntent."""
        assert intent["status"] == "requires_action"
        terms = self._terms[intent["id"]]
        intent["next_action"] = None
        if confirmed:
            known = self._books.behaviours[intent["payment_method"]]
            with suppress(StripeRefusal):  # What is raised is in `last_payment_error` too.
                self._attempt(intent, known, terms.forced)
            return
        self._outcomes.back_to_the_start(
            intent,
            {
                "code": AUTHENTICATION_FAILED,
                "doc_url": DOC_ROOT + AUTHENTICATION_FAILED.replace("_", "-"),
                "message": "The provided PaymentMethod has failed authentication.",
                "type": "invalid_request_error",
            },
        )
        self._books.report("payment_intent.payment_failed", intent)

    def return_url(self, intent: Object) -> str | None:
        terms = self._terms.get(intent["id"])
        return None if terms is None else terms.return_url

    def _attempt(self, intent: Object, known: KnownMethod, forced: Forced) -> Object:
        """Ask the bank."""
        code, decline_code = known.code, known.decline_code
        if forced.decline_code is not None:
            code, decline_code = code_of(forced.decline_code), forced.decline_code
        takes = known.settles_after
        if forced.late_seconds is not None:
            takes = timedelta(seconds=forced.late_seconds)
        if takes is not None:
            return self._begin(intent, takes, known, code, decline_code)
        if code is not None:
            raise self._outcomes.decline(intent, code, decline_code)
        charge = self._outcomes.add_charge(intent)
        self._outcomes.succeed(intent, charge, 0)
        self._want_dispute(known, charge)
        return intent

    def _begin(
        self,
        intent: Object,
        takes: timedelta,
        known: KnownMethod,
        code: str | None,
        decline_code: str | None,
    ) -> Object:
        """The bank takes its time: `processing` until then. The events of the decision are made
        now, to arrive then."""
        charge = self._outcomes.add_charge(intent)
        intent["status"] = "processing"
        underway = _Underway(self._books.now() + takes, known, code, decline_code)
        self._underway[intent["id"]] = underway
        self._books.report("payment_intent.processing", intent)
        self._books.report("charge.pending", charge)
        later_intent, later_charge = copy.deepcopy(intent), copy.deepcopy(charge)
        self._decide(underway, later_intent, later_charge, int(takes.total_seconds()))
        return intent

    def settle_what_is_due(self) -> None:
        """Decide what was `processing` until now; its events are on their way since then."""
        now = self._books.now()
        due = [id_ for id_, one in self._underway.items() if one.settles_at <= now]
        for id_ in due:
            underway = self._underway.pop(id_)
            intent = self.intent(id_)
            charge = self._books.get(Kind.CHARGE, intent["latest_charge"])
            self._decide(underway, intent, charge, None)
            if underway.code is None:
                self._want_dispute(underway.method, charge)

    def _decide(
        self, underway: _Underway, intent: Object, charge: Object, delay: int | None
    ) -> None:
        if underway.code is None:
            self._outcomes.succeed(intent, charge, delay)
        else:
            self._outcomes.fail(intent, charge, underway.code, underway.decline_code, delay)

    def _want_dispute(self, known: KnownMethod, charge: Object) -> None:
        if known.dispute is not None:
            self.disputes_wanted.append(charge["id"])


def is_off_session(params: Params) -> bool:
    return str(params.get("off_session", "false")) != "false"
