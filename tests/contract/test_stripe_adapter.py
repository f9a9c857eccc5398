"""What our side makes of each of Stripe's answers: never a failure of what may have happened, never
a card's fault that is the merchant's."""

import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
import stripe

from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.providers.errors import NotSent, ProviderUnavailable, RequestRefused
from shared.providers.port import RefundOutcome
from shared.providers.stripe import StripeProvider
from shared.providers.stripe_http import API_VERSION, TRIES_PER_CALL, endpoint_of
from shared.providers.transport import TransportTimeout
from tests.contract.bench import PRICE, CardKind, look_up, request_for, save
from tests.contract.stripe_bench import KEY, SECRETS, Clock, StripeBench

SECRETIVE = "No such customer: ada@example.com, 12 Analytical Row, card 4242424242424242"
"""What Stripe may write into the message of an error."""


@pytest.fixture
def bench() -> StripeBench:
    return StripeBench()


class Answering:
    """The adapter before a Stripe that always answers this, and what it was sent."""

    def __init__(self, status: int, content: Any) -> None:
        self.status = status
        self.body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.sent: list[tuple[str, str, Mapping[str, str], bytes]] = []
        self.paused: list[float] = []
        self.paced: list[str] = []
        self.unknown: list[str] = []
        self.provider = StripeProvider(
            key=KEY,
            webhook_secrets=SECRETS,
            now=Clock(),
            transport=self._send,
            pace=self.paced.append,
            pause=self.paused.append,
            unknown_code=self.unknown.append,
        )

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        self.sent.append((method, path, headers, body))
        return self.status, self.body


def refusing(status: int, **error: Any) -> Answering:
    return Answering(status, {"error": {"message": SECRETIVE, **error}})


def charged(bench: StripeBench, stripe: Answering) -> tuple[Outcome, str | None, bool]:
    result = stripe.provider.charge(request_for(save(bench)))
    return result.outcome, result.decline_code, result.repeatable


# Errors, one by one


@pytest.mark.parametrize(
    ("status", "error", "outcome", "code", "repeatable"),
    [
        (402, {"code": "card_declined", "decline_code": "insufficient_funds"}, "declined",
         "insufficient_funds", False),
        (402, {"code": "card_declined", "decline_code": "lost_card"}, "declined_final",
         "lost_card", False),
        (402, {"code": "card_declined", "decline_code": "generic_decline",
               "advice_code": "do_not_try_again"}, "declined_final", "generic_decline", False),
        (402, {"code": "expired_card"}, "declined", "expired_card", False),
        (402, {"code": "testmode_charges_only"}, "refused", "testmode_charges_only", False),
        (400, {"code": "amount_too_small", "param": "amount"}, "refused", "amount_too_small",
         False),
        (400, {"param": "currency"}, "refused", "invalid_currency", False),
        (400, {"code": "parameter_unknown", "param": "x"}, "refused", "parameter_unknown", False),
        (401, {"type": "invalid_request_error"}, "refused", "key_refused", False),
        (401, {"code": "api_key_expired"}, "refused", "api_key_expired", False),
        (403, {"type": "invalid_request_error"}, "refused", "key_refused", False),
        (400, {"code": "account_closed"}, "declined_final", "account_closed", False),
        (400, {"type": "idempotency_error"}, "unknown", None, False),
        (409, {"code": "idempotency_key_in_use", "type": "idempotency_error"}, "unknown", None,
         True),
        (409, {"code": "lock_timeout"}, "unknown", None, True),
        (429, {"code": "rate_limit"}, "unknown", None, True),
        (429, {"code": "lock_timeout"}, "unknown", None, True),
        (500, {"type": "api_error"}, "unknown", None, False),
        (503, {"type": "api_error"}, "unknown", None, False),
        (418, {"code": "something_new"}, "unknown", None, False),
    ],
)  # fmt: skip
def test_each_error_is_what_it_says(
    bench: StripeBench,
    status: int,
    error: dict[str, Any],
    outcome: str,
    code: str | None,
    repeatable: bool,
) -> None:
    found = charged(bench, refusing(status, **error))
    assert found == (Outcome(outcome), code, repeatable)


def test_a_code_that_stripe_has_not_published_may_be_tried_again_and_is_told(
    bench: StripeBench,
) -> None:
    answering = refusing(402, code="card_declined_anew", decline_code="sunspots")
    assert charged(bench, answering) == (Outcome.DECLINED, "sunspots", False)
    assert answering.unknown == ["sunspots"]
    known = refusing(402, code="card_declined", decline_code="lost_card")
    charged(bench, known)
    assert known.unknown == []


UNREADABLE = [b"", b"<html>", b"[]", b"null", b"1", b"\xff\xfe", b"[" * 100_000, b'{"id": "pi_1"']


@pytest.mark.parametrize("body", UNREADABLE)
@pytest.mark.parametrize("status", [200, 302, 400, 402, 404, 500])
def test_an_answer_that_cannot_be_read_settles_nothing(
    bench: StripeBench, status: int, body: bytes
) -> None:
    answering = Answering(status, body)
    request = request_for(save(bench))
    assert answering.provider.charge(request).outcome is Outcome.UNKNOWN
    refunded = answering.provider.refund(
        provider_charge_id="pi_1", amount=PRICE, idempotency_key="refund-1"
    )
    assert refunded is RefundOutcome.UNKNOWN
    for asks in questions(answering.provider):
        with pytest.raises(ProviderUnavailable):
            asks()


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"id": 7, "status": "succeeded"},
        {"id": "pi_1"},
        {"id": "pi_1", "status": None},
        {"id": "pi_1", "status": "succeeded", "metadata": 7},
        {"id": "pi_1", "status": "succeeded", "latest_charge": {"id": "ch_1"}},
        {"id": "pi_1", "status": "something_new", "metadata": {}},
        {"id": "pi_1", "status": "requires_payment_method", "metadata": {}},
        {"object": "list", "data": [{"id": 7}], "has_more": False},
        {"error": "none"},
    ],
)
def test_an_object_that_is_not_what_it_should_be_settles_nothing(
    bench: StripeBench, content: Any
) -> None:
    assert charged(bench, Answering(200, content))[0] is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "error",
    [None, 7, [], "no", {"code": 7}, {"code": ["lost_card"], "decline_code": {}}, {"type": None}],
)
def test_an_error_of_another_shape_never_passes_for_a_final_decline(
    bench: StripeBench, error: Any
) -> None:
    outcome, _, _ = charged(bench, Answering(402, {"error": error}))
    assert outcome in (Outcome.UNKNOWN, Outcome.DECLINED)


def questions(provider: StripeProvider) -> list[Any]:
    """The calls that only ask."""
    return [
        lambda: provider.fetch_card_setup("cs_1"),
        lambda: provider.fetch_card("pm_1"),
        lambda: provider.find_charge_ref("pi_1"),
        lambda: provider.list_charges(provider_customer="cus_1", since=None),
        lambda: provider.check_setup(["USD"]),
        lambda: provider.cancel_charge(provider_charge_id="pi_1", idempotency_key="c"),
        *(
            (
                lambda known=known: provider.look_up(
                    charge_ref="charge-1",
                    attempt_id="attempt-a",
                    provider_charge_id=known,
                    provider_customer="cus_1",
                )
            )
            for known in ("pi_1", None)
        ),
    ]


@pytest.mark.parametrize("status", [409, 429, 500, 502])
def test_asking_without_an_answer_is_no_answer(status: int) -> None:
    for asks in questions(refusing(status, type="api_error").provider):
        with pytest.raises(ProviderUnavailable):
            asks()


def test_a_key_of_the_other_mode_does_not_make_anything_not_found() -> None:
    message = "No such thing; a similar object exists in live mode, but a test mode key was used"
    provider = refusing(404, code="resource_missing", message=message).provider
    for asks in questions(provider):
        with pytest.raises((ProviderUnavailable, RequestRefused)):
            asks()


# What every call is


def test_every_call_bears_the_pinned_version_and_the_key(bench: StripeBench) -> None:
    request = request_for(save(bench))
    paid = bench.provider.charge(request)
    look_up(bench, request, paid.provider_charge_id)
    bench.provider.check_setup(["USD"])
    assert len(bench.sent) > 5
    for method, path, headers, body in bench.sent:
        assert headers["Stripe-Version"] == API_VERSION
        assert headers["Authorization"] == f"Bearer {KEY}"
        assert "X-Stripe-Client-Telemetry" not in headers
        assert path.startswith("/v1/")
        assert KEY not in path + body.decode()
        assert method == "GET" or headers["Idempotency-Key"]


def test_the_pinned_version_is_the_one_that_the_locked_package_describes() -> None:
    assert stripe.api_version == API_VERSION


def test_a_first_attempt_is_one_call_under_its_own_key(bench: StripeBench) -> None:
    setup = save(bench)
    bench.sent.clear()
    request = request_for(setup)
    bench.provider.charge(request)
    ((method, path, headers, body),) = bench.sent
    assert (method, path) == ("POST", "/v1/payment_intents")
    assert headers["Idempotency-Key"] == request.attempt_id
    assert b"off_session=true" in body
    assert b"confirm=true" in body


def test_a_customer_who_is_there_is_not_said_to_be_away(bench: StripeBench) -> None:
    setup = save(bench)
    bench.sent.clear()
    bench.provider.charge(request_for(setup, customer_present=True))
    assert b"off_session" not in bench.sent[0][3]


# Too many calls


def test_429_is_waited_out_with_growing_and_uneven_waits(bench: StripeBench) -> None:
    request = request_for(save(bench))
    bench.sent.clear()
    bench.stripe.misbehave("charge", "rate_limit", times=TRIES_PER_CALL - 1)
    assert bench.provider.charge(request).outcome is Outcome.SUCCEEDED
    assert len(bench.sent) == TRIES_PER_CALL
    assert {call[2]["Idempotency-Key"] for call in bench.sent} == {request.attempt_id}
    assert len(bench.paused) == TRIES_PER_CALL - 1
    for n, seconds in enumerate(bench.paused):
        assert 0.125 * 2**n <= seconds <= 0.25 * 2**n
    first = bench.paused.copy()
    bench.paused.clear()
    bench.stripe.misbehave("charge", "rate_limit", times=TRIES_PER_CALL - 1)
    bench.provider.charge(request_for(save(bench), charge_ref="charge-2"))
    assert bench.paused != first


def test_429_is_not_waited_out_for_ever(bench: StripeBench) -> None:
    answering = refusing(429, code="rate_limit")
    assert charged(bench, answering) == (Outcome.UNKNOWN, None, True)
    assert len(answering.sent) == TRIES_PER_CALL
    assert sum(answering.paused) < 2


def test_an_object_that_another_call_has_is_waited_for(bench: StripeBench) -> None:
    declined = bench.provider.charge(request_for(save(bench, CardKind.DECLINES)))
    assert declined.provider_charge_id
    bench.stripe.hold_object(declined.provider_charge_id)
    again = request_for(save(bench), continues=declined.provider_charge_id)
    result = bench.provider.charge(again)
    assert (result.outcome, result.repeatable) == (Outcome.UNKNOWN, True)
    bench.stripe.hold_object(declined.provider_charge_id, held=False)
    assert bench.provider.charge(again).outcome is Outcome.SUCCEEDED


def test_every_call_waits_for_its_turn_repeats_too(bench: StripeBench) -> None:
    answering = refusing(429, code="rate_limit")
    answering.provider.charge(request_for(save(bench)))
    assert answering.paced == ["POST /v1/payment_intents"] * TRIES_PER_CALL


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/payment_intents", "GET /v1/payment_intents"),
        ("/v1/payment_intents?customer=cus_1", "GET /v1/payment_intents"),
        ("/v1/payment_intents/pi_1", "GET /v1/payment_intents"),
        ("/v1/payment_intents/pi_1/confirm", "GET /v1/payment_intents/confirm"),
        ("/v1/checkout/sessions/cs_1?expand[0]=x", "GET /v1/checkout/sessions"),
    ],
)
def test_an_endpoint_is_named_without_ids(path: str, named: str) -> None:
    assert endpoint_of("GET", path) == named


def test_a_call_for_which_there_is_no_room_was_never_sent(bench: StripeBench) -> None:
    request = request_for(save(bench))

    def no_room(_endpoint: str) -> None:
        raise NotSent("no room")

    def nothing_is_sent(*_call: object) -> tuple[int, bytes]:
        raise AssertionError("it was sent")

    provider = StripeProvider(KEY, SECRETS, bench.now, transport=nothing_is_sent, pace=no_room)
    result = provider.charge(request)
    assert (result.outcome, result.repeatable) == (Outcome.UNKNOWN, True)
    for asks in questions(provider):
        with pytest.raises(ProviderUnavailable):
            asks()


# What is kept to ourselves


def test_neither_errors_nor_logs_name_keys_people_or_cards(
    bench: StripeBench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    for status in (200, 400, 401, 404, 500):
        answering = refusing(status, code="resource_missing", email="ada@example.com")
        result = answering.provider.charge(request_for(save(bench)))
        told.append(str(result))
        for asks in questions(answering.provider):
            try:
                asks()
            except (ProviderUnavailable, RequestRefused) as error:
                told += [str(error), repr(error), repr(error.__cause__)]
        with pytest.raises((ProviderUnavailable, RequestRefused)) as raised:
            answering.provider.start_card_setup(
                reference="customer-1",
                email="ada@example.com",
                provider_customer=None,
                return_url="https://shop.example",
                idempotency_key="setup-1",
            )
        told += [str(raised.value), repr(raised.value.__cause__)]
    everything = "\n".join([*told, caplog.text])
    for secret in (KEY, "ada@", "Analytical", "4242424242424242", *SECRETS):
        assert secret not in everything


@pytest.mark.parametrize("secrets", [(), ("",), ("good", "")])
def test_an_empty_webhook_secret_is_refused(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="secrets"):
        StripeProvider(KEY, secrets, Clock())


def test_a_connection_that_breaks_is_unknown_and_may_be_repeated(bench: StripeBench) -> None:
    def broken(method: str, path: str, *_rest: object) -> tuple[int, bytes]:
        raise TransportTimeout(f"{method} {path}")

    provider = StripeProvider(KEY, SECRETS, bench.now, transport=broken)
    result = provider.charge(request_for(save(bench)))
    assert (result.outcome, result.repeatable) == (Outcome.UNKNOWN, True)


def test_an_amount_in_a_currency_that_the_account_does_not_take_is_refused(
    bench: StripeBench,
) -> None:
    request = request_for(save(bench))
    for amount, code in (
        (Money(minor=49, currency="USD"), "amount_too_small"),
        (Money(minor=4_900, currency="XAU"), "invalid_currency"),
        (Money(minor=1_001, currency="KWD"), "invalid_amount"),
    ):
        other = request._replace(amount=amount, attempt_id=f"a-{code}")
        result = bench.provider.charge(other)
        assert (result.outcome, result.decline_code) == (Outcome.REFUSED, code)
    assert bench.stripe.charges() == []
