"""Stripe's official package talks to the stand-in and understands every answer."""

from collections.abc import Mapping
from typing import Any

import pytest
import stripe
from stripe import HTTPClient, StripeClient

from infra.local.sandbox_faults import Fault, Operation
from infra.local.stripe_books import API_VERSION
from infra.local.stripe_cards import ALWAYS_AUTHENTICATE, FAILS_LATER, WORKS
from infra.local.stripe_standin import TIMED_OUT_HEADER
from tests.contract.stripe_standin_bench import KEY, RETURN_URL, SECRETS, SUCCESS_URL, Bench

EMAIL = "ada@example.com"
BASE = "https://api.stripe.com"


class InProcess(HTTPClient):
    """The package's HTTP client without a network: it hands requests to the stand-in."""

    name = "in-process"

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        body = (post_data or "").encode()
        path = url.removeprefix(BASE)
        status, answered, content = self._bench.stripe.handle(method, path, headers or {}, body)
        if TIMED_OUT_HEADER in answered:
            raise stripe.APIConnectionError("no answer")  # type: ignore[no-untyped-call]
        lower = {name.lower(): value for name, value in answered.items()}
        return content.decode(), status, lower

    def close(self) -> None:
        """There is nothing to close."""


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def client(bench: Bench) -> StripeClient:
    return StripeClient(KEY, http_client=InProcess(bench), max_network_retries=0)


def test_the_stand_in_speaks_the_version_of_the_package() -> None:
    assert stripe.api_version == API_VERSION


def test_a_card_is_saved_and_charged_through_the_package(
    bench: Bench, client: StripeClient
) -> None:
    customer = client.v1.customers.create(
        params={"email": EMAIL, "metadata": {"reference": "customer-1"}}
    )
    session = client.v1.checkout.sessions.create(
        params={
            "mode": "setup",
            "customer": customer.id,
            "allowed_payment_method_types": ["card"],
            "success_url": SUCCESS_URL,
        },
        options={"idempotency_key": "setup-1"},
    )
    assert session.url is not None
    bench.submit(session.url, number=WORKS, expiry="08/29", cvc="123")
    done = client.v1.checkout.sessions.retrieve(
        session.id, params={"expand": ["setup_intent.payment_method"]}
    )
    assert isinstance(done.setup_intent, stripe.SetupIntent)
    method = done.setup_intent.payment_method
    assert isinstance(method, stripe.PaymentMethod)
    assert method.card is not None
    assert (method.card.brand, method.card.last4) == ("visa", "4242")
    intent = client.v1.payment_intents.create(
        params={
            "amount": 4_900,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": method.id,
            "confirm": True,
            "off_session": True,
            "metadata": {"attempt_id": "attempt-a"},
        },
        options={"idempotency_key": "attempt-a"},
    )
    assert intent.status == "succeeded"
    refund = client.v1.refunds.create(params={"payment_intent": intent.id, "amount": 900})
    assert refund.status == "succeeded"
    found = [one.id for one in client.v1.charges.list(params={"customer": customer.id})]
    assert found == [intent.latest_charge]


def test_a_decline_is_a_card_error_with_its_payment(bench: Bench, client: StripeClient) -> None:
    customer, card = bench.stripe.save_card(FAILS_LATER, EMAIL)
    with pytest.raises(stripe.CardError) as caught:
        client.v1.payment_intents.create(
            params={
                "amount": 4_900,
                "currency": "usd",
                "customer": customer,
                "payment_method": card,
                "confirm": True,
                "off_session": True,
            }
        )
    assert caught.value.http_status == 402
    assert caught.value.code == "card_declined"
    error = caught.value.error
    assert error is not None
    assert error.decline_code == "generic_decline"
    assert error.payment_intent is not None
    assert error.payment_intent.status == "requires_payment_method"


def test_authentication_leads_to_an_address(bench: Bench, client: StripeClient) -> None:
    customer, card = bench.stripe.save_card(ALWAYS_AUTHENTICATE, EMAIL)
    intent = client.v1.payment_intents.create(
        params={
            "amount": 4_900,
            "currency": "usd",
            "customer": customer,
            "payment_method": card,
            "confirm": True,
            "return_url": RETURN_URL,
        }
    )
    assert intent.status == "requires_action"
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    assert intent.next_action.redirect_to_url.url is not None


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.RATE_LIMIT, stripe.RateLimitError),
        (Fault.ERROR_BEFORE, stripe.APIError),
        (Fault.TIMEOUT_BEFORE, stripe.APIConnectionError),
    ],
)
def test_trouble_is_the_packages_own_error(
    bench: Bench, client: StripeClient, fault: Fault, error: type[stripe.StripeError]
) -> None:
    bench.stripe.misbehave(Operation.ANY, fault)
    with pytest.raises(error):
        client.v1.payment_intents.retrieve("pi_none")


def test_refusals_are_the_packages_own_errors(bench: Bench, client: StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.retrieve("pi_none")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
    customer: Any = {"email": EMAIL}
    client.v1.customers.create(params=customer, options={"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create(params={}, options={"idempotency_key": "k"})
    bench.stripe.forbid("refunds")
    with pytest.raises(stripe.PermissionError):
        client.v1.refunds.list()
    bench.stripe.revoke(KEY)
    with pytest.raises(stripe.AuthenticationError) as refused:
        client.v1.accounts.retrieve_current()
    assert refused.value.error is not None
    assert refused.value.error.code == "api_key_expired"


def test_an_account_and_its_events_are_read(bench: Bench, client: StripeClient) -> None:
    account = client.v1.accounts.retrieve_current()
    assert (account.charges_enabled, account.default_currency) == (True, "usd")
    bench.stripe.reverse_charge(paid(bench))
    (dispute,) = client.v1.disputes.list().data
    assert dispute.status == "needs_response"
    event = client.v1.events.retrieve(bench.events()[-1]["id"])
    assert event.type == "charge.dispute.funds_withdrawn"


def paid(bench: Bench) -> str:
    return str(bench.pay(bench.stripe.save_card(WORKS, EMAIL)).content["id"])


def test_its_webhooks_pass_the_packages_own_check(bench: Bench) -> None:
    paid(bench)
    for due, _, headers, body in bench.posted:
        for secret in SECRETS:
            tolerance = int(bench.now().timestamp()) + 10**9
            event = stripe.Webhook.construct_event(
                body, headers["Stripe-Signature"], secret, tolerance
            )
            assert event.created == int(due.timestamp())
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, headers["Stripe-Signature"], "whsec_other")
