"""Cards at Stripe: its hosted page in `setup` mode, on a customer who bears our reference."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from shared.providers.errors import ProviderUnavailable
from shared.providers.port import CardSeen, CardSetup
from shared.providers.stripe_http import Refused, StripeApi, asked, found_or_none, refusal
from shared.providers.stripe_objects import (
    REFERENCE,
    CustomerSeen,
    MethodSeen,
    SessionSeen,
    SetupIntentSeen,
    read_as,
)

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams

PLACE_OF_ID = "{CHECKOUT_SESSION_ID}"
"""Where Stripe puts in the id of the page, when it stands there unescaped."""


class Cards:
    """The port's calls about cards. `method_types` are what the hosted page offers."""

    def __init__(self, api: StripeApi, method_types: Sequence[str]) -> None:
        self._api = api
        self._method_types: list[Any] = list(method_types)

    def start(
        self, *, reference: str, email: str, customer: str | None, return_url: str, key: str
    ) -> CardSetup:
        """Open the page. A customer whom Stripe does not have any more is made anew."""
        known = customer or self._make_customer(reference, email)
        try:
            return self._open(known, reference, return_url, key)
        except Refused as refused:
            if customer is None or not refused.is_missing or refused.error.of_other_mode:
                raise refusal(refused) from None
        made = self._make_customer(reference, email, key=f"{key}-customer")
        try:
            return self._open(made, reference, return_url, f"{key}-anew")
        except Refused as refused:
            raise refusal(refused) from None

    def _make_customer(self, reference: str, email: str, key: str | None = None) -> str:
        digest = hashlib.sha256(email.encode()).hexdigest()[:16]
        try:
            found = asked(
                self._api,
                lambda stripe: stripe.v1.customers.create(
                    {"email": email, "metadata": {REFERENCE: reference}},
                    {"idempotency_key": key or f"customer-{reference}-{digest}"},
                ),
            )
        except Refused as refused:
            raise refusal(refused) from None
        return read_as(CustomerSeen, found).id

    def _open(self, customer: str, reference: str, return_url: str, key: str) -> CardSetup:
        joint = "&" if urlsplit(return_url).query else "?"
        params: SessionCreateParams = {
            "mode": "setup",
            "customer": customer,
            "client_reference_id": reference,
            "allowed_payment_method_types": self._method_types,
            "success_url": f"{return_url}{joint}setup={PLACE_OF_ID}",
            "cancel_url": return_url,
        }
        found = asked(
            self._api,
            lambda stripe: stripe.v1.checkout.sessions.create(params, {"idempotency_key": key}),
        )
        return _setup(read_as(SessionSeen, found), reference)

    def fetch_setup(self, setup_id: str) -> CardSetup | None:
        """Pages that others opened at this account are not ours."""
        found = found_or_none(
            self._api,
            lambda stripe: stripe.v1.checkout.sessions.retrieve(
                setup_id, {"expand": ["setup_intent.payment_method"]}
            ),
        )
        session = None if found is None else read_as(SessionSeen, found)
        if session is None or session.mode != "setup" or session.client_reference_id is None:
            return None
        return _setup(session, session.client_reference_id)

    def fetch(self, token: str) -> CardSeen | None:
        """None too for one that belongs to nobody of ours."""
        method = self._method(token)
        if method is None or not isinstance(method.customer, CustomerSeen):
            return None
        reference = method.customer.metadata.get(REFERENCE)
        return None if reference is None else CardSeen(reference=reference, card=method.as_card())

    def remove(self, customer: str, token: str) -> None:
        """One that is gone, or belongs to somebody else by now, is left alone."""
        method = self._method(token)
        if method is None or method.customer_id != customer:
            return
        try:
            asked(self._api, lambda stripe: stripe.v1.payment_methods.detach(token))
        except Refused as refused:
            if self._method(token) is not None:
                raise refusal(refused) from None

    def _method(self, token: str) -> MethodSeen | None:
        """One that belongs to a customer."""
        found = found_or_none(
            self._api,
            lambda stripe: stripe.v1.payment_methods.retrieve(token, {"expand": ["customer"]}),
        )
        method = None if found is None else read_method(found)
        return None if method is None or method.customer is None else method


def _setup(session: SessionSeen, reference: str) -> CardSetup:
    """Complete once the card can be charged: some accounts are to be verified days later."""
    intent = session.setup_intent
    card, failure = None, None
    if isinstance(intent, SetupIntentSeen):
        if intent.status == "succeeded" and isinstance(intent.payment_method, Mapping):
            card = read_method(intent.payment_method).as_card()
        if intent.last_setup_error is not None:
            failure = intent.last_setup_error.word
    if session.status == "expired":
        failure = failure or session.status
    return CardSetup(
        setup_id=session.id,
        url=session.url,
        reference=reference,
        complete=card is not None,
        provider_customer=session.customer,
        card=card,
        failure=None if card is not None else failure,
    )


def read_method(found: Mapping[str, Any]) -> MethodSeen:
    """Raises `ProviderUnavailable`."""
    try:
        return MethodSeen.read(found)
    except ValidationError:
        raise ProviderUnavailable("a card that cannot be read") from None
