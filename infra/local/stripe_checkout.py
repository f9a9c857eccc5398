"""Checkout Sessions of the Stripe stand-in in `setup` mode, and their SetupIntents.

docs.stripe.com/payments/save-and-reuse?platform=checkout and docs.stripe.com/api/checkout/sessions:
a session is open for 24 hours unless `expires_at` says otherwise (30 minutes at least); when the
card is saved it is `complete`, and the customer goes to `success_url`, where
`{CHECKOUT_SESSION_ID}` was put in; `cancel_url` is a link back and changes nothing.
"""

from datetime import timedelta

from infra.local.stripe_amounts import check_amount
from infra.local.stripe_books import Books, Kind, Object, merged
from infra.local.stripe_cards import CURRENCY_OF_DEBIT, MESSAGES, Authentication, Entered
from infra.local.stripe_errors import DOC_ROOT, StripeRefusal, invalid
from infra.local.stripe_params import Params
from infra.local.stripe_payments import AUTHENTICATION_FAILED

LIFETIME = timedelta(hours=24)
SHORTEST_LIFETIME = timedelta(minutes=30)
MAX_REFERENCE = 200
PLACE_OF_ID = "{CHECKOUT_SESSION_ID}"
ENOUGH = 1_000_000
"""An amount that every currency takes: only the currency is to be checked."""


class Checkout:
    """The sessions in `books`. Their pages begin with `root`."""

    def __init__(self, books: Books, root: str) -> None:
        self._books = books
        self._root = root
        self._entered: dict[str, Entered] = {}
        """The cards that wait for their owner's authentication, by session."""

    def create(self, params: Params) -> Object:
        self._check(params)
        customer = params.get("customer")
        email = params.get("customer_email")
        if customer is not None:
            email = self._books.customer(customer, "customer")["email"]
        types = params.get("allowed_payment_method_types") or self._types_for(params["currency"])
        about = params.get("setup_intent_data", {})
        intent = self._books.add(
            Kind.SETUP_INTENT,
            customer=customer,
            description=about.get("description"),
            last_setup_error=None,
            latest_attempt=None,
            mandate=None,
            metadata=merged({}, about.get("metadata")),
            next_action=None,
            payment_method=None,
            payment_method_types=types,
            status="requires_payment_method",
            usage="off_session",
        )
        expires = params.get("expires_at")
        session = self._books.add(
            Kind.SESSION,
            allowed_payment_method_types=params.get("allowed_payment_method_types"),
            amount_total=None,
            cancel_url=params.get("cancel_url"),
            client_reference_id=params.get("client_reference_id"),
            currency=params.get("currency"),
            customer=customer,
            customer_details=None if email is None else {"email": email},
            customer_email=params.get("customer_email"),
            expires_at=int(expires or (self._books.now() + LIFETIME).timestamp()),
            locale=params.get("locale"),
            metadata=merged({}, params.get("metadata")),
            mode="setup",
            payment_intent=None,
            payment_method_types=types,
            payment_status="no_payment_required",
            setup_intent=intent["id"],
            status="open",
            success_url=params["success_url"],
            ui_mode="hosted_page",
        )
        session["url"] = f"{self._root}/c/pay/{session['id']}"
        self._books.report("setup_intent.created", intent)
        return session

    def _check(self, params: Params) -> None:
        """Raises `StripeRefusal` for what the documentation does not allow together."""
        if params.get("mode") != "setup":
            raise not_kept("mode")
        if params.get("ui_mode", "hosted_page") != "hosted_page":
            raise not_kept("ui_mode")
        if "success_url" not in params:
            message = "Missing required param: success_url."
            raise invalid(message, param="success_url", code="parameter_missing")
        self._check_customer(params)
        if "currency" in params:
            check_amount(ENOUGH, params["currency"].lower())
        elif "allowed_payment_method_types" not in params:
            message = "Missing required param: currency."
            raise invalid(message, param="currency", code="parameter_missing")
        for name in ("success_url", "cancel_url"):
            if not params.get(name, "https://").startswith(("https://", "http://")):
                raise invalid("Not a valid URL", param=name, code="url_invalid")
        if "expires_at" in params:
            ahead = int(params["expires_at"]) - self._books.moment()
            if not SHORTEST_LIFETIME.total_seconds() <= ahead <= LIFETIME.total_seconds():
                message = "The `expires_at` timestamp must be from 30 minutes to 24 hours ahead."
                raise invalid(message, param="expires_at")

    def _check_customer(self, params: Params) -> None:
        if "customer" in params and "customer_email" in params:
            raise invalid("You may only specify one of these parameters: customer, customer_email.")
        if len(params.get("client_reference_id", "")) > MAX_REFERENCE:
            message = f"Invalid string: must be at most {MAX_REFERENCE} characters"
            raise invalid(message, param="client_reference_id")

    def _types_for(self, currency: str) -> list[str]:
        debits = [type_ for type_, in_ in CURRENCY_OF_DEBIT.items() if in_ == currency.lower()]
        return ["card", *debits]

    def session(self, id_: str) -> Object:
        session = self._books.get(Kind.SESSION, id_, "session")
        if session["status"] == "open" and self._books.moment() >= session["expires_at"]:
            self._end(session)
        return session

    def expire(self, id_: str) -> Object:
        session = self.session(id_)
        if session["status"] != "open":
            message = f"Only Checkout Sessions with a status of open can be expired: {id_}."
            raise invalid(message)
        self._end(session)
        return session

    def _end(self, session: Object) -> None:
        session.update(status="expired", url=None)
        self.setup_intent(session)["status"] = "canceled"
        self._books.report("checkout.session.expired", session)

    def setup_intent(self, session: Object) -> Object:
        return self._books.get(Kind.SETUP_INTENT, session["setup_intent"])

    # What the customer does on the page

    def enter(self, session: Object, entered: Entered) -> None:
        """The customer gives a card or an account; then the SetupIntent is `succeeded`,
        `requires_action`, or again `requires_payment_method` with `last_setup_error`."""
        known, intent = entered.method, self.setup_intent(session)
        if not known.saves:
            assert known.code is not None
            message = MESSAGES.get(known.decline_code or "", MESSAGES["generic_decline"])
            self._refuse(intent, known.code, known.decline_code, message)
        elif known.authentication in (Authentication.ALWAYS, Authentication.UNLESS_SET_UP):
            self._entered[session["id"]] = entered
            intent.update(status="requires_action", last_setup_error=None)
            self._books.report("setup_intent.requires_action", intent)
        else:
            self._complete(session, intent, entered)

    def authenticate(self, session: Object, *, confirmed: bool) -> None:
        intent = self.setup_intent(session)
        assert intent["status"] == "requires_action"
        entered = self._entered.pop(session["id"])
        if confirmed:
            self._complete(session, intent, entered)
        else:
            message = "We are unable to authenticate your payment method."
            code = AUTHENTICATION_FAILED.replace("payment_intent", "setup_intent")
            self._refuse(intent, code, None, message)

    def _refuse(self, intent: Object, code: str, decline_code: str | None, message: str) -> None:
        error = {
            "code": code,
            "doc_url": DOC_ROOT + code.replace("_", "-"),
            "message": message,
            "type": "invalid_request_error" if decline_code is None else "card_error",
        }
        if decline_code is not None:
            error["decline_code"] = decline_code
        intent.update(status="requires_payment_method", last_setup_error=error)
        self._books.report("setup_intent.setup_failed", intent)

    def _complete(self, session: Object, intent: Object, entered: Entered) -> None:
        method = self._books.add_method(entered, session["customer"], set_up=True)
        intent.update(status="succeeded", payment_method=method["id"], last_setup_error=None)
        session.update(status="complete", url=None)
        self._books.report("setup_intent.succeeded", intent)
        self._books.report("checkout.session.completed", session)


def success_url(session: Object) -> str:
    """Where the customer goes then; the id is put in only where its place is unescaped."""
    return str(session["success_url"]).replace(PLACE_OF_ID, session["id"])


def not_kept(param: str) -> StripeRefusal:
    """Stripe documents it, but the stand-in does not do it: better refused than ignored."""
    message = f"{param}: this stand-in does not do what is asked for."
    return invalid(message, param=param, code="not_kept_by_the_stand_in")
