"""The calls of Stripe's API that the stand-in answers: which is meant, which parameters it takes,
what it does.

Each call names the class of the official package that documents its parameters, and those of them
that the stand-in heeds. Undocumented ones are refused as Stripe refuses them; documented ones that
the stand-in does not do are refused too (`not_kept_by_the_stand_in`), and never ignored.
"""

from collections.abc import Callable
from dataclasses import dataclass

from infra.local.sandbox_faults import Operation
from infra.local.stripe_afterwards import Afterwards
from infra.local.stripe_amounts import country_spec
from infra.local.stripe_books import Books, Kind, Object
from infra.local.stripe_checkout import Checkout, not_kept
from infra.local.stripe_errors import StripeRefusal, invalid
from infra.local.stripe_expand import LIST_OF, Expansion, check
from infra.local.stripe_lists import page
from infra.local.stripe_params import Documented, Params
from infra.local.stripe_payments import Forced, Payments

PAGING = frozenset({"limit", "starting_after", "ending_before", "created"})

CUSTOMER_FIELDS = frozenset(
    {"description", "email", "metadata", "name", "phone", "preferred_locales"}
)
CONFIRM_FIELDS = frozenset(
    {
        "allowed_payment_method_types",
        "error_on_requires_action",
        "off_session",
        "payment_method",
        "return_url",
    }
)
UPDATE_FIELDS = frozenset(
    {
        "allowed_payment_method_types",
        "amount",
        "currency",
        "customer",
        "description",
        "metadata",
        "payment_method",
        "receipt_email",
    }
)
SESSION_FIELDS = frozenset(
    {
        "allowed_payment_method_types",
        "cancel_url",
        "client_reference_id",
        "currency",
        "customer",
        "customer_email",
        "expires_at",
        "locale",
        "metadata",
        "mode",
        "setup_intent_data",
        "success_url",
        "ui_mode",
    }
)

Subject = tuple[str | None, str | None]
"""The customer and the payment method that a call is about, where known."""

Do = Callable[[Params, Forced], Object]


@dataclass(frozen=True)
class Account:
    """The merchant's account. `currency` is lower case."""

    id: str = "acct_1StandIn00000000"
    country: str = "US"
    currency: str = "usd"
    name: str = "Stand-in"


@dataclass(frozen=True)
class Call:
    """A request that was understood and may be carried out. `locks` is the object that it
    changes."""

    operation: Operation
    params: Params
    subject: Callable[[], Subject]
    locks: str | None
    do: Callable[[Forced], Object]


@dataclass(frozen=True)
class _Route:
    operation: Operation
    documented: Documented
    heeded: frozenset[str]
    do: Do
    about: str | None = None


class Api:
    """Reads requests into calls on the books of one mode."""

    def __init__(
        self,
        books: Books,
        payments: Payments,
        afterwards: Afterwards,
        checkout: Checkout,
        account: Account,
    ) -> None:
        self._books = books
        self._payments = payments
        self._afterwards = afterwards
        self._checkout = checkout
        self._account = account
        self._expansion = Expansion(books, afterwards.refunds_of)

    def route(self, method: str, path: str, params: Params) -> Call:
        """The call that is meant. Raises `StripeRefusal`: 404 for one that does not exist, 400 for
        parameters that are not documented or that the stand-in does not heed."""
        steps = [method, *path.removeprefix("/v1/").split("/")]
        route = (
            self._find_customer_call(steps)
            or self._find_setup_call(steps)
            or self._find_intent_call(steps)
            or self._find_money_call(steps)
        )
        if route is None:
            message = f"Unrecognized request URL ({method}: {path})."
            raise StripeRefusal(404, message)
        route.documented.check(params)
        for name in params:
            if name not in route.heeded and name != "expand":
                raise not_kept(name)
        check(answered_by(method, path), params.get("expand", []))
        found = route

        def do(forced: Forced) -> Object:
            answer = found.do(params, forced)
            return self._expansion.answer(answer, params.get("expand", []))

        locks = route.about if method == "POST" else None
        return Call(route.operation, params, lambda: self._subject(route.about, params), locks, do)

    def _subject(self, about: str | None, params: Params) -> Subject:
        customer, method = params.get("customer"), params.get("payment_method")
        about = about or params.get("payment_intent")
        if about is not None and self._books.knows("payment_intent", about):
            intent = self._payments.intent(about)
            return intent["customer"], method or intent["payment_method"]
        if about is not None and self._books.knows("payment_method", about):
            found = self._books.get(Kind.PAYMENT_METHOD, about)
            return found["customer"], about
        return customer, method

    def _find_customer_call(self, steps: list[str]) -> _Route | None:
        books = self._books
        match steps:
            case ["POST", "customers"]:
                return _Route(
                    Operation.START_CARD_SETUP,
                    Documented("_customer_create_params", "CustomerCreateParams"),
                    CUSTOMER_FIELDS,
                    lambda params, _: books.add_customer(params),
                )
            case ["GET", "customers", id_]:
                return _Route(
                    Operation.FETCH_CARD_SETUP,
                    Documented("_customer_retrieve_params", "CustomerRetrieveParams"),
                    frozenset(),
                    lambda *_: books.get(Kind.CUSTOMER, id_),
                )
            case ["POST", "customers", id_]:
                return _Route(
                    Operation.START_CARD_SETUP,
                    Documented("_customer_update_params", "CustomerUpdateParams"),
                    CUSTOMER_FIELDS,
                    lambda params, _: books.update_customer(id_, params),
                )
            case ["DELETE", "customers", id_]:
                return _Route(
                    Operation.REMOVE_CARD,
                    Documented("_customer_delete_params", "CustomerDeleteParams"),
                    frozenset(),
                    lambda *_: books.delete_customer(id_),
                )
            case ["GET", "account"]:
                return _Route(
                    Operation.LOOK_UP,
                    Documented("_account_retrieve_current_params", "AccountRetrieveCurrentParams"),
                    frozenset(),
                    lambda *_: self._account_json(),
                )
            case _:
                return None

    def _find_setup_call(self, steps: list[str]) -> _Route | None:
        books, checkout = self._books, self._checkout
        match steps:
            case ["POST", "checkout", "sessions"]:
                return _Route(
                    Operation.START_CARD_SETUP,
                    Documented("checkout._session_create_params", "SessionCreateParams"),
                    SESSION_FIELDS,
                    lambda params, _: checkout.create(params),
                )
            case ["GET", "checkout", "sessions", id_]:
                return _Route(
                    Operation.FETCH_CARD_SETUP,
                    Documented("checkout._session_retrieve_params", "SessionRetrieveParams"),
                    frozenset(),
                    lambda *_: checkout.session(id_),
                )
            case ["POST", "checkout", "sessions", id_, "expire"]:
                return _Route(
                    Operation.START_CARD_SETUP,
                    Documented("checkout._session_expire_params", "SessionExpireParams"),
                    frozenset(),
                    lambda *_: checkout.expire(id_),
                )
            case ["GET", "setup_intents", id_]:
                return _Route(
                    Operation.FETCH_CARD_SETUP,
                    Documented("_setup_intent_retrieve_params", "SetupIntentRetrieveParams"),
                    frozenset(),
                    lambda *_: books.get(Kind.SETUP_INTENT, id_, "intent"),
                )
            case [method, "payment_methods", *rest]:
                return self._find_method_call(method, rest)
            case ["GET", "customers", id_, "payment_methods"]:
                return _Route(
                    Operation.FETCH_CARD_SETUP,
                    Documented(
                        "_customer_list_payment_methods_params", "CustomerListPaymentMethodsParams"
                    ),
                    PAGING | {"type"},
                    lambda params, _: self._list_methods(params, id_, "id"),
                )
            case _:
                return None

    def _find_method_call(self, method: str, rest: list[str]) -> _Route | None:
        books = self._books
        match [method, *rest]:
            case ["GET"]:
                return _Route(
                    Operation.FETCH_CARD_SETUP,
                    Documented("_payment_method_list_params", "PaymentMethodListParams"),
                    PAGING | {"customer", "type"},
                    lambda params, _: self._list_methods(
                        params, params.get("customer"), "customer"
                    ),
                )
            case ["GET", id_]:
                return _Route(
                    Operation.FETCH_CARD_SETUP,
                    Documented("_payment_method_retrieve_params", "PaymentMethodRetrieveParams"),
                    frozenset(),
                    lambda *_: books.get(Kind.PAYMENT_METHOD, id_),
                    id_,
                )
            case ["POST", id_, "attach"]:
                return _Route(
                    Operation.START_CARD_SETUP,
                    Documented("_payment_method_attach_params", "PaymentMethodAttachParams"),
                    frozenset({"customer"}),
                    lambda params, _: books.attach(id_, _required(params, "customer")),
                    id_,
                )
            case ["POST", id_, "detach"]:
                return _Route(
                    Operation.REMOVE_CARD,
                    Documented("_payment_method_detach_params", "PaymentMethodDetachParams"),
                    frozenset(),
                    lambda *_: books.detach(id_),
                    id_,
                )
            case _:
                return None

    def _find_intent_call(self, steps: list[str]) -> _Route | None:
        payments = self._payments
        match steps:
            case ["POST", "payment_intents"]:
                return _Route(
                    Operation.CHARGE,
                    Documented("_payment_intent_create_params", "PaymentIntentCreateParams"),
                    UPDATE_FIELDS | CONFIRM_FIELDS | {"confirm"},
                    payments.create,
                )
            case ["GET", "payment_intents"]:
                return _Route(
                    Operation.LOOK_UP,
                    Documented("_payment_intent_list_params", "PaymentIntentListParams"),
                    PAGING | {"customer"},
                    lambda params, _: self._list(
                        Kind.PAYMENT_INTENT, params, "/v1/payment_intents", ("customer",)
                    ),
                )
            case ["GET", "payment_intents", id_]:
                return _Route(
                    Operation.LOOK_UP,
                    Documented("_payment_intent_retrieve_params", "PaymentIntentRetrieveParams"),
                    frozenset(),
                    lambda *_: payments.intent(id_),
                    id_,
                )
            case ["POST", "payment_intents", id_]:
                return _Route(
                    Operation.PREPARE_CHARGE,
                    Documented("_payment_intent_update_params", "PaymentIntentUpdateParams"),
                    UPDATE_FIELDS,
                    lambda params, _: payments.update(id_, params),
                    id_,
                )
            case ["POST", "payment_intents", id_, "confirm"]:
                return _Route(
                    Operation.CHARGE,
                    Documented("_payment_intent_confirm_params", "PaymentIntentConfirmParams"),
                    CONFIRM_FIELDS,
                    lambda params, forced: payments.confirm(id_, params, forced),
                    id_,
                )
            case ["POST", "payment_intents", id_, "cancel"]:
                return _Route(
                    Operation.CANCEL_CHARGE,
                    Documented("_payment_intent_cancel_params", "PaymentIntentCancelParams"),
                    frozenset({"cancellation_reason"}),
                    lambda params, _: payments.cancel(id_, params),
                    id_,
                )
            case _:
                return None

    def _find_money_call(self, steps: list[str]) -> _Route | None:
        books, afterwards = self._books, self._afterwards
        match steps:
            case ["POST", "refunds"]:
                return _Route(
                    Operation.REFUND,
                    Documented("_refund_create_params", "RefundCreateParams"),
                    frozenset({"amount", "charge", "metadata", "payment_intent", "reason"}),
                    lambda params, _: afterwards.refund(params),
                )
            case ["GET", "country_specs", country]:
                return _Route(
                    Operation.LOOK_UP,
                    Documented("_country_spec_retrieve_params", "CountrySpecRetrieveParams"),
                    frozenset(),
                    lambda *_: country_spec(country),
                )
            case ["GET", ("charges" | "refunds" | "disputes" | "events") as name]:
                return self._list_route(name)
            case ["GET", ("charges" | "refunds" | "disputes" | "events") as name, id_]:
                kind = Kind(name.removesuffix("s"))
                title = kind.value.capitalize()
                return _Route(
                    Operation.LOOK_UP,
                    Documented(f"_{kind.value}_retrieve_params", f"{title}RetrieveParams"),
                    frozenset(),
                    lambda *_: self._happened(books.get(kind, id_)),
                )
            case _:
                return None

    def _list_route(self, name: str) -> _Route:
        kind = Kind(name.removesuffix("s"))
        belongs = {
            Kind.CHARGE: ("customer", "payment_intent"),
            Kind.REFUND: ("charge", "payment_intent"),
            Kind.DISPUTE: ("charge", "payment_intent"),
            Kind.EVENT: ("type",),
        }[kind]
        return _Route(
            Operation.LOOK_UP,
            Documented(f"_{kind.value}_list_params", f"{kind.value.capitalize()}ListParams"),
            PAGING | frozenset(belongs),
            lambda params, _: self._list(kind, params, f"/v1/{name}", belongs),
        )

    def _happened(self, found: Object) -> Object:
        """An event of the future is not there yet."""
        if found["created"] > self._books.moment():
            raise StripeRefusal(404, f"No such event: '{found['id']}'", code="resource_missing")
        return found

    # Lists

    def _list_methods(self, params: Params, customer: str | None, param: str) -> Object:
        """docs.stripe.com/api/payment_methods/list: those of one customer."""
        if customer is None:
            raise invalid("You must give a customer.", param=param, code="parameter_missing")
        self._books.customer(customer, param)
        found = self._books.methods_of(customer)
        kept = [one for one in found if params.get("type") in (None, one["type"])]
        return page(kept, params, "/v1/payment_methods")

    def _list(self, kind: Kind, params: Params, url: str, belongs: tuple[str, ...]) -> Object:
        if "customer" in params:
            self._books.get(Kind.CUSTOMER, params["customer"], "customer")
        if kind is Kind.EVENT:
            wanted = params.get("type")
            now = self._books.moment()
            found = [e for e in self._books.all(kind) if e["created"] <= now]
            return page([e for e in found if wanted in (None, e["type"])], params, url)
        where = {name: params.get(name) for name in belongs}
        return page(self._books.all(kind, **where), params, url)

    def _account_json(self) -> Object:
        account, able = self._account, self._payments.charges_enabled
        return {
            "id": account.id,
            "object": "account",
            "business_profile": {"name": account.name},
            "capabilities": {"card_payments": "active" if able else "inactive"},
            "charges_enabled": able,
            "country": account.country,
            "default_currency": account.currency,
            "details_submitted": True,
            "email": None,
            "payouts_enabled": able,
            "requirements": {"disabled_reason": None if able else "requirements.past_due"},
            "settings": {"dashboard": {"display_name": account.name}},
            "type": "standard",
        }


def _required(params: Params, name: str) -> str:
    if name not in params:
        message = f"Missing required param: {name}."
        raise invalid(message, param=name, code="parameter_missing")
    return str(params[name])


def answered_by(method: str, path: str) -> str:
    """The kind of object that a call answers, or that a list is of."""
    steps = path.removeprefix("/v1/").removeprefix("checkout/").split("/")
    belongs = len(steps) == 3 and steps[2] == "payment_methods"
    name = steps[2] if belongs else steps[0]
    kind = "checkout.session" if name == "sessions" else name.removesuffix("s")
    return LIST_OF + kind if method == "GET" and (belongs or len(steps) == 1) else kind
