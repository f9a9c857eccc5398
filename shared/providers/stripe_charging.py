"""Collecting at Stripe: one PaymentIntent for each charge, which every attempt confirms ([ONCE]).

The payment's metadata says whose attempt the last confirmation was. An attempt that goes on with a
payment changes it first, which clears the last error, and then confirms it; so what the payment
says of an attempt is exact, whichever answer was lost:

- another attempt's id in the metadata: this attempt's confirmation never arrived;
- its own id and no error: it has not arrived either;
- its own id and an error: that is what became of it.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from pydantic import ValidationError

from shared.domain.outcome import Outcome
from shared.providers.errors import ProviderUnavailable
from shared.providers.port import ChargeRequest, ChargeResult
from shared.providers.stripe_declines import Verdict, verdict_of
from shared.providers.stripe_events import CHARGE_REF
from shared.providers.stripe_http import (
    KEY_REFUSED,
    REFUSALS,
    NoAnswer,
    Refused,
    StripeApi,
    found_or_none,
)
from shared.providers.stripe_objects import (
    ATTEMPT_ID,
    RETURN_URL,
    ChargeSeen,
    CustomerSeen,
    ErrorSeen,
    IntentSeen,
    MethodSeen,
    read_as,
    stripe_amount,
)

if TYPE_CHECKING:
    from stripe.params import (
        PaymentIntentConfirmParams,
        PaymentIntentCreateParams,
        PaymentIntentUpdateParams,
    )

MAX_METADATA_CHARACTERS = 500

CARD_MISSING = "card_missing"
CUSTOMER_MISSING = "customer_missing"
GIVEN_UP = "payment_canceled"
UNEXPECTED_STATE = "payment_intent_unexpected_state"
OTHER_MODE = "livemode_mismatch"
WRONG_KEY = "key_refused"

logger = Logger(service="punchcard")


def log_unknown_code(code: str) -> None:
    """Staff find it in the log, and the next version of this list has it."""
    logger.warning("Stripe gave a code that is not on its lists", code=code)


class Charging:
    """`charge` of the port, and what a payment says of an attempt. `unknown_code` is told of codes
    that Stripe has not published."""

    def __init__(self, api: StripeApi, unknown_code: Callable[[str], None]) -> None:
        self._api = api
        self._unknown_code = unknown_code

    def charge(self, request: ChargeRequest) -> ChargeResult:
        """As the port promises. What Stripe's answers mean is told at `_refusal`."""
        try:
            if request.continues is None:
                return self._begin(request, request.attempt_id)
            return self._go_on(request, request.continues)
        except NoAnswer as nothing:
            return ChargeResult(outcome=Outcome.UNKNOWN, repeatable=nothing.repeatable)
        except Refused as refused:
            return self._refusal(request, refused)

    def _begin(self, request: ChargeRequest, key: str) -> ChargeResult:
        """A payment that is made and confirmed in one call."""
        params: PaymentIntentCreateParams = {
            "amount": stripe_amount(request.amount),
            "currency": request.amount.currency.lower(),
            "customer": request.provider_customer,
            "payment_method": request.card_token,
            "description": request.description,
            "metadata": _metadata(request),
            "confirm": True,
            "return_url": request.return_url,
        }
        if not request.customer_present:
            params["off_session"] = True
        return self._confirmed(
            request,
            lambda: self._api.call(
                lambda stripe: stripe.v1.payment_intents.create(params, {"idempotency_key": key})
            ),
        )

    def _go_on(self, request: ChargeRequest, intent_id: str) -> ChargeResult:
        """One more attempt of a payment. One that was given up before this attempt changed it, or
        that is not there, is begun anew; one that has gone on by itself says what it came to.

        One that was given up afterwards, since it was confirmed too often or by the merchant, has
        this attempt's id: it says that nothing was charged, and no other may be begun beside it
        that says something else. The next attempt begins anew."""
        try:
            self._prepare(request, intent_id)
        except Refused as refused:
            return self._instead(request, intent_id, refused)
        try:
            result = self._confirm(request, intent_id)
        except Refused as refused:
            if refused.error.code != UNEXPECTED_STATE:
                raise
            result = self._as_it_is(intent_id)
        return _given_up(result) if result.outcome is Outcome.CANCELLED else result

    def _instead(self, request: ChargeRequest, intent_id: str, refused: Refused) -> ChargeResult:
        """What is done with an attempt whose payment can't be changed any more."""
        anew = f"{request.attempt_id}-anew"
        if refused.is_missing and refused.error.of_other_mode:
            raise refused
        if refused.is_missing and refused.error.param not in ("payment_method", "customer"):
            return self._begin(request, anew)
        if refused.error.code != UNEXPECTED_STATE:
            raise refused
        intent = self.fetch(intent_id)
        if intent is None or intent.status != "canceled":
            return self._begin(request, anew) if intent is None else self.result(intent)
        if intent.attempt_id == request.attempt_id:
            return _given_up(self.result(intent))
        return self._begin(request, anew)

    def _prepare(self, request: ChargeRequest, intent_id: str) -> None:
        """Make the payment this attempt's. Moves no money; any change clears the last error. An
        answer of 500 stays with its key, and twice does no harm here: a second key is used then."""
        params: PaymentIntentUpdateParams = {
            "amount": stripe_amount(request.amount),
            "payment_method": request.card_token,
            "metadata": _metadata(request),
        }
        for key in (f"{request.attempt_id}-prepare", f"{request.attempt_id}-prepare-again"):
            try:
                self._change(intent_id, params, key)
            except NoAnswer as nothing:
                if nothing.repeatable or key.endswith("-again"):
                    raise
            else:
                return

    def _change(self, intent_id: str, params: "PaymentIntentUpdateParams", key: str) -> None:
        self._api.call(
            lambda stripe: stripe.v1.payment_intents.update(
                intent_id, params, {"idempotency_key": key}
            )
        )

    def _confirm(self, request: ChargeRequest, intent_id: str) -> ChargeResult:
        params: PaymentIntentConfirmParams = {
            "payment_method": request.card_token,
            "return_url": request.return_url,
        }
        if not request.customer_present:
            params["off_session"] = True
        return self._confirmed(
            request,
            lambda: self._api.call(
                lambda stripe: stripe.v1.payment_intents.confirm(
                    intent_id, params, {"idempotency_key": request.attempt_id}
                )
            ),
        )

    def _confirmed(
        self, request: ChargeRequest, ask: Callable[[], Mapping[str, Any]]
    ) -> ChargeResult:
        """What a confirmation came to. A card that the customer has to confirm is asked again as
        if they were there, which makes the page where they can."""
        try:
            return self.result(read_intent(ask()))
        except Refused as refused:
            error, id_ = refused.error, _intent_id(refused.error)
            if request.customer_present or id_ is None or not _asks_for_customer(refused):
                raise
            return self._authenticate(
                id_, request.attempt_id, error.card or request.card_token, request.return_url
            )

    def _authenticate(
        self, intent_id: str, attempt_id: str, card: str, return_url: str
    ) -> ChargeResult:
        """Let the customer confirm. Whatever keeps the page from being made, the attempt waits for
        them; the next look-up tries again."""
        waiting = ChargeResult(
            outcome=Outcome.AUTHENTICATION_REQUIRED,
            provider_charge_id=intent_id,
            attempt_id=attempt_id,
        )
        try:
            found = self._api.call(
                lambda stripe: stripe.v1.payment_intents.confirm(
                    intent_id,
                    {"payment_method": card, "return_url": return_url},
                    {"idempotency_key": f"{attempt_id}-authenticate"},
                )
            )
            return self.result(read_intent(found))
        except NoAnswer:
            return waiting
        except Refused as refused:
            if refused.status != 402:
                return waiting
            return self._declined(refused.error, intent_id, attempt_id)

    # What was refused

    def _refusal(self, request: ChargeRequest, refused: Refused) -> ChargeResult:
        """An attempt that Stripe answered with an error:

        - 402: a bank or Stripe's risk rules declined; the code decides (`stripe_declines`).
        - 429 (after waiting) and 409 (another request under this key is not done): repeatable.
        - An idempotency error: the key was used with another content; what that came to counts.
        - 401 and 403: the key. 400 and 404: what was asked for, or a card that is gone.
        - Anything else is not Stripe's documented way of refusing: unknown.
        """
        error, status = refused.error, refused.status
        if status in (409, 429):
            return ChargeResult(outcome=Outcome.UNKNOWN, repeatable=True)
        if refused.is_about_the_key or status not in REFUSALS:
            return ChargeResult(outcome=Outcome.UNKNOWN)
        if status in KEY_REFUSED:
            return ChargeResult(outcome=Outcome.REFUSED, decline_code=error.code or WRONG_KEY)
        id_ = _intent_id(error)
        verdict = _verdict(error)
        if verdict is Verdict.OPEN:
            return self._as_it_is(id_)
        if status == 402 or verdict in (Verdict.SOFT, Verdict.FINAL):
            return self._declined(error, id_, request.attempt_id if id_ else None)
        outcome, code = self._whose_fault(request, error)
        return ChargeResult(outcome=outcome, decline_code=code)

    def _as_it_is(self, intent_id: str | None) -> ChargeResult:
        """A payment in a state in which it can't be confirmed says itself what it came to."""
        try:
            intent = None if intent_id is None else self.fetch(intent_id)
        except (NoAnswer, Refused):
            intent = None
        return ChargeResult(outcome=Outcome.UNKNOWN) if intent is None else self.result(intent)

    def _declined(
        self, error: ErrorSeen, intent_id: str | None, attempt_id: str | None
    ) -> ChargeResult:
        verdict = _verdict(error)
        if verdict is None:
            self._unknown_code(error.word)
        match verdict:
            case Verdict.FINAL:
                outcome = Outcome.DECLINED_FINAL
            case Verdict.REFUSED:
                outcome = Outcome.REFUSED
            case Verdict.SOFT | Verdict.AUTHENTICATE | Verdict.OPEN | None:
                outcome = Outcome.DECLINED
        return ChargeResult(
            outcome=outcome,
            provider_charge_id=intent_id,
            attempt_id=attempt_id,
            decline_code=error.word,
        )

    def _whose_fault(self, request: ChargeRequest, error: ErrorSeen) -> tuple[Outcome, str]:
        """Nothing was charged. A card that the customer removed is not the merchant's fault; an
        account that does not know the customer at all is another account, or the other mode."""
        word = error.code or (f"invalid_{error.param}" if error.param else error.word)
        if error.of_other_mode:
            return Outcome.REFUSED, OTHER_MODE
        named = error.code in (None, "resource_missing", "payment_method_unexpected_state")
        if not named or error.param in ("amount", "currency"):
            return Outcome.REFUSED, word
        try:
            customer = self._find_customer(request.provider_customer)
            if customer is None:
                return Outcome.REFUSED, CUSTOMER_MISSING
            card = None if customer.deleted else self._find_card(request.card_token)
        except ProviderUnavailable:
            return Outcome.REFUSED, word
        if card is None or card.customer_id != request.provider_customer:
            return Outcome.DECLINED_FINAL, CARD_MISSING
        return Outcome.REFUSED, word

    def _find_customer(self, id_: str) -> CustomerSeen | None:
        found = found_or_none(self._api, lambda stripe: stripe.v1.customers.retrieve(id_))
        return None if found is None else read_as(CustomerSeen, found)

    def _find_card(self, id_: str) -> MethodSeen | None:
        found = found_or_none(self._api, lambda stripe: stripe.v1.payment_methods.retrieve(id_))
        return None if found is None else read_as(MethodSeen, found)

    # What a payment says

    def fetch(self, intent_id: str) -> IntentSeen | None:
        """A payment with its last charge, or None. Raises `Refused` and `NoAnswer`."""
        try:
            found = self._api.call(
                lambda stripe: stripe.v1.payment_intents.retrieve(
                    intent_id, {"expand": ["latest_charge"]}
                )
            )
        except Refused as refused:
            if refused.is_missing and not refused.error.of_other_mode:
                return None
            raise
        return read_intent(found)

    def said_of(self, intent: IntentSeen, attempt_id: str) -> ChargeResult | None:
        """What became of an attempt, or None while its confirmation has not arrived. A success is
        told whoever's it is: money that moved matters more than a try that did not."""
        if intent.status == "succeeded":
            return self.result(intent)
        if intent.attempt_id != attempt_id:
            return None
        error = intent.last_payment_error
        if intent.status == "requires_confirmation":
            return None
        if intent.status == "requires_payment_method":
            if error is None:
                return None
            return_url = intent.metadata.get(RETURN_URL)
            if _verdict(error) is Verdict.AUTHENTICATE and error.card and return_url:
                return self._authenticate(intent.id, attempt_id, error.card, return_url)
        return self.result(intent)

    def result(self, intent: IntentSeen) -> ChargeResult:
        """What a payment has come to for the attempt that its metadata names."""
        match intent.status:
            case "succeeded":
                outcome = Outcome.SUCCEEDED
            case "processing":
                outcome = Outcome.PROCESSING
            case "requires_action":
                outcome = Outcome.AUTHENTICATION_REQUIRED
            case "canceled":
                outcome = Outcome.CANCELLED
            case "requires_payment_method" if intent.last_payment_error is not None:
                return self._declined(intent.last_payment_error, intent.id, intent.attempt_id)
            case _:
                outcome = Outcome.UNKNOWN
        waits = outcome is Outcome.AUTHENTICATION_REQUIRED and intent.next_action is not None
        charge = intent.latest_charge
        return ChargeResult(
            outcome=outcome,
            provider_charge_id=intent.id,
            attempt_id=intent.attempt_id,
            confirm_url=intent.next_action.url if waits and intent.next_action else None,
            refunded=isinstance(charge, ChargeSeen) and charge.wholly_refunded,
        )


def _given_up(result: ChargeResult) -> ChargeResult:
    """Nobody's card said no, and it may be tried again."""
    return result._replace(outcome=Outcome.DECLINED, decline_code=GIVEN_UP)


def read_intent(found: Mapping[str, Any]) -> IntentSeen:
    """Raises `NoAnswer` for what is no payment."""
    try:
        return IntentSeen.model_validate(found)
    except ValidationError:
        raise NoAnswer("a payment that cannot be read", repeatable=False) from None


def _metadata(request: ChargeRequest) -> dict[str, str]:
    """The address to come back to is kept so that a look-up can make the customer's page."""
    found = {CHARGE_REF: request.charge_ref, ATTEMPT_ID: request.attempt_id}
    if len(request.return_url) <= MAX_METADATA_CHARACTERS:
        found[RETURN_URL] = request.return_url
    return found


def _intent_id(error: ErrorSeen) -> str | None:
    """Of the payment that the error is about."""
    found = error.payment_intent
    id_ = found.get("id") if isinstance(found, dict) else None
    return id_ if isinstance(id_, str) else None


def _verdict(error: ErrorSeen) -> Verdict | None:
    return verdict_of(error.code, error.decline_code, error.advice_code, error.network_advice_code)


def _asks_for_customer(refused: Refused) -> bool:
    return refused.status == 402 and _verdict(refused.error) is Verdict.AUTHENTICATE
