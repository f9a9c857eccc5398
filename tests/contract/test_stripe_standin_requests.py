"""The Stripe stand-in takes requests as Stripe documents them: keys, parameters, idempotency, rate
limits, and what goes wrong when it is told to."""

from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from infra.local.sandbox_faults import Fault, Operation
from infra.local.stripe_books import API_VERSION
from infra.local.stripe_cards import FAILS_LATER, WORKS
from infra.local.stripe_keys import LIVE_CALLS_PER_SECOND, TEST_CALLS_PER_SECOND
from infra.local.stripe_standin import TIMED_OUT_HEADER, in_process
from shared.providers.transport import TransportTimeout
from tests.contract.stripe_standin_bench import KEY, Bench, Content, payment

EMAIL = "ada@example.com"


@pytest.fixture
def bench() -> Bench:
    return Bench()


# Keys and modes


@pytest.mark.parametrize("bearer", ["", "sk_test_standi", "sk_test_standin2", "é"])
def test_without_a_right_key_nothing_is_answered(bench: Bench, bearer: str) -> None:
    answered = bench.call("GET", "account", bearer=bearer)
    assert answered.refused == (401, None)
    assert answered.error["type"] == "invalid_request_error"


def test_the_key_may_be_the_user_of_http_basic(bench: Bench) -> None:
    basic = b64encode(f"{KEY}:".encode()).decode()
    answered = bench.call("GET", "account", headers={"Authorization": f"Basic {basic}"})
    assert answered.status == 200


def test_a_revoked_key_has_expired(bench: Bench) -> None:
    bench.stripe.revoke(KEY)
    assert bench.call("GET", "account").refused == (401, "api_key_expired")


def test_a_restricted_key_may_not_do_everything(bench: Bench) -> None:
    bench.stripe.forbid("refunds", "disputes")
    assert bench.post("refunds", payment_intent="pi_none").refused == (403, None)
    assert bench.call("GET", "disputes").status == 403
    assert bench.call("GET", "charges").status == 200
    bench.stripe.forbid()
    assert bench.call("GET", "disputes").status == 200


def test_what_was_made_in_one_mode_is_missing_in_the_other(bench: Bench) -> None:
    customer = bench.post("customers", email=EMAIL).content
    assert customer["livemode"] is False
    live = bench.stripe.other_mode_key
    assert live == "sk_live_standin"
    answered = bench.call("GET", f"customers/{customer['id']}", bearer=live)
    assert answered.refused == (404, "resource_missing")
    assert "exists in test mode, but a live mode key was used" in answered.error["message"]
    other = bench.call("POST", "customers", {"email": EMAIL}, bearer=live).content
    assert other["livemode"] is True
    wrong = bench.pay((other["id"], "pm_none"))
    assert wrong.refused == (400, "resource_missing")
    assert "exists in live mode, but a test mode key was used" in wrong.error["message"]


def test_a_publishable_key_is_no_secret_key() -> None:
    with pytest.raises(ValueError, match="sk_test_"):
        Bench(key="pk_test_standin")


def test_it_speaks_one_version(bench: Bench) -> None:
    for version, status in ((API_VERSION, 200), ("2019-01-01", 400), ("newest", 400)):
        answered = bench.call("GET", "account", headers={"Stripe-Version": version})
        assert answered.status == status


# Parameters


@pytest.mark.parametrize(
    ("path", "content", "code", "param"),
    [
        ("customers", {"surprise": "1"}, "parameter_unknown", "surprise"),
        ("customers", {"api_key": "1"}, "parameter_unknown", "api_key"),
        ("customers", {"metadata": "x"}, None, "metadata"),
        ("customers", {"metadata": {"k" * 41: "x"}}, None, "metadata"),
        ("customers", {"metadata": {"k": "x" * 501}}, None, "metadata[k]"),
        ("customers", {"metadata": {str(n): "x" for n in range(1, 52)}}, None, "metadata"),
        ("payment_intents", {"currency": "usd"}, "parameter_missing", "amount"),
        ("payment_intents", {"amount": "4900"}, "parameter_missing", "currency"),
        ("payment_intents", {"amount": "4.9"}, "parameter_invalid_integer", "amount"),
        ("payment_intents", {"confirm": "yes"}, None, "confirm"),
        ("payment_intents", {"off_session": "maybe"}, None, "off_session"),
        ("payment_intents", {"customer": ""}, "parameter_invalid_empty", "customer"),
        ("payment_intents", {"customer": {"id": "x"}}, None, "customer"),
        ("payment_intents", {"payment_method_types": ["card"]}, "parameter_unknown", None),
        ("payment_intents", {"allowed_payment_method_types": ["cart"]}, None, None),
        ("checkout/sessions", {"mode": "paying"}, None, "mode"),
        (
            "checkout/sessions",
            {"setup_intent_data": {"surprise": "1"}},
            "parameter_unknown",
            "setup_intent_data[surprise]",
        ),
    ],
)
def test_what_the_documentation_does_not_allow_is_refused(
    bench: Bench, path: str, content: Content, code: str | None, param: str | None
) -> None:
    whole = {"amount": "4900", "currency": "usd", **content}
    asked = content if path != "payment_intents" or code == "parameter_missing" else whole
    answered = bench.call("POST", path, asked)
    assert answered.refused == (400, code), answered.content
    if param is not None:
        assert answered.error["param"] == param


def test_what_is_documented_and_not_done_here_is_refused_and_not_ignored(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    answered = bench.pay(saved, capture_method="manual")
    assert answered.refused == (400, "not_kept_by_the_stand_in")
    assert bench.stripe.charges() == []


def test_a_call_that_does_not_exist_is_not_found(bench: Bench) -> None:
    for method, path in (("GET", "nothing"), ("POST", "charges"), ("DELETE", "payment_intents/pi")):
        assert bench.call(method, path).status == 404


def test_requests_are_forms_and_not_json(bench: Bench) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    assert bench.stripe.handle("POST", "/v1/customers", headers, b"{}")[0] == 400


@pytest.mark.parametrize(
    "body", [b"a[b]=1&a=2", b"a=1&a[b]=2", b"[x]=1", b"a" + b"[b]" * 9 + b"=1"]
)
def test_brackets_that_make_no_sense_are_refused(bench: Bench, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    assert bench.stripe.handle("POST", "/v1/customers", headers, body)[0] == 400


# Idempotency


def pay(bench: Bench, saved: tuple[str, str], key: str, **changes: Any) -> Any:
    content = payment(saved, **changes)
    return bench.call("POST", "payment_intents", content, idempotency_key=key)


def test_the_same_key_answers_the_same_for_24_hours(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    first = pay(bench, saved, "k")
    assert "Idempotent-Replayed" not in first.headers
    bench.advance(seconds=86_399)
    again = pay(bench, saved, "k")
    assert (again.status, again.content) == (first.status, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    bench.advance(seconds=1)
    assert pay(bench, saved, "k").content["id"] != first.content["id"]
    assert len(bench.stripe.charges()) == 2


def test_a_decline_is_kept_under_its_key(bench: Bench) -> None:
    saved = bench.stripe.save_card(FAILS_LATER, EMAIL)
    first = pay(bench, saved, "k")
    bench.stripe.let_card_behave_as(saved[1], WORKS)
    assert pay(bench, saved, "k").content == first.content
    assert pay(bench, saved, "other").status == 200


@pytest.mark.parametrize("fault", [Fault.ERROR_BEFORE, Fault.ERROR_AFTER])
def test_a_500_is_kept_under_its_key(bench: Bench, fault: Fault) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    bench.stripe.misbehave(Operation.CHARGE, fault)
    first, second = pay(bench, saved, "k"), pay(bench, saved, "k")
    assert (first.status, second.status) == (500, 500)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert len(bench.stripe.charges()) == (fault is Fault.ERROR_AFTER)


def test_what_the_call_itself_refuses_is_kept(bench: Bench) -> None:
    """ "As long as an API method began execution", the results are kept, a 400 too."""
    owner, card = bench.stripe.save_card(WORKS, EMAIL)
    first = pay(bench, ("cus_none", card), "k")
    assert first.refused == (400, "resource_missing")
    assert pay(bench, ("cus_none", card), "k").headers["Idempotent-Replayed"] == "true"
    assert pay(bench, (owner, card), "k").error["type"] == "idempotency_error"


def test_parameters_that_are_not_valid_leave_the_key_free(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    assert pay(bench, saved, "k", amount="x").status == 400
    assert pay(bench, saved, "k").status == 200


def test_a_key_is_for_one_call_with_one_content(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    intent = pay(bench, saved, "k").content
    refund = {"payment_intent": intent["id"]}
    others = [
        pay(bench, saved, "k", amount=5_000),
        bench.call("POST", "refunds", refund, idempotency_key="k"),
    ]
    for other in others:
        assert (other.status, other.error["type"]) == (400, "idempotency_error")
    assert [(one.amount, one.refunds) for one in bench.stripe.charges()] == [(4_900, ())]


def test_a_key_in_use_is_a_conflict_until_the_first_request_has_ended(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    bench.stripe.hold_key("k")
    assert pay(bench, saved, "k").refused == (409, "idempotency_key_in_use")
    bench.stripe.hold_key("k", held=False)
    assert pay(bench, saved, "k").status == 200


def test_a_locked_payment_times_out_and_the_key_stays_free(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    intent = bench.pay(saved, confirm=None, off_session=None).content
    confirm = f"payment_intents/{intent['id']}/confirm"
    bench.stripe.hold_object(intent["id"])
    for key in ("k", None):
        locked = bench.call("POST", confirm, {"off_session": "true"}, idempotency_key=key)
        assert locked.refused == (429, "lock_timeout")
    bench.stripe.hold_object(intent["id"], held=False)
    answered = bench.call("POST", confirm, {"off_session": "true"}, idempotency_key="k")
    assert answered.content["status"] == "succeeded"


def test_keys_have_at_most_255_characters(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    assert pay(bench, saved, "k" * 256).status == 400
    assert pay(bench, saved, "k" * 255).status == 200


def test_each_mode_has_keys_of_its_own(bench: Bench) -> None:
    made = [
        bench.call("POST", "customers", {}, idempotency_key="k", bearer=bearer).content["id"]
        for bearer in (KEY, bench.stripe.other_mode_key)
    ]
    assert len(set(made)) == 2


def test_many_at_once_under_one_key_pay_once(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: pay(bench, saved, "k").content["id"], range(40)))
    assert len(set(found)) == 1
    assert len(bench.stripe.charges()) == 1


# Rate limits


def test_beyond_the_limit_of_a_second_calls_are_refused() -> None:
    assert (TEST_CALLS_PER_SECOND, LIVE_CALLS_PER_SECOND) == (25, 100)
    bench = Bench(calls_per_second=TEST_CALLS_PER_SECOND)
    statuses = [bench.call("GET", "account").status for _ in range(27)]
    assert statuses == [200] * 25 + [429] * 2
    answered = bench.call("GET", "account")
    assert answered.refused == (429, "rate_limit")
    assert answered.headers["Stripe-Rate-Limited-Reason"] == "global-rate"
    assert bench.stripe.rate_limit.most == 28
    bench.advance(seconds=1)
    assert bench.call("GET", "account").status == 200


def test_the_limit_comes_before_the_keys(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    bench.stripe.misbehave(Operation.CHARGE, Fault.RATE_LIMIT)
    assert pay(bench, saved, "k").refused == (429, "rate_limit")
    assert pay(bench, saved, "k").status == 200


# Going wrong when told to


def test_a_lost_answer_is_there_under_the_same_key(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    bench.stripe.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    assert TIMED_OUT_HEADER in pay(bench, saved, "k").headers
    again = pay(bench, saved, "k")
    assert again.content["status"] == "succeeded"
    assert len(bench.stripe.charges()) == 1


def test_a_lost_request_did_nothing(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    bench.stripe.misbehave(Operation.CHARGE, Fault.TIMEOUT_BEFORE)
    assert TIMED_OUT_HEADER in pay(bench, saved, "k").headers
    assert bench.stripe.charges() == []


def test_over_a_transport_a_time_out_is_raised(bench: Bench) -> None:
    send = in_process(bench.stripe)
    headers = {"Authorization": f"Bearer {KEY}"}
    assert send("GET", "/v1/account", headers, b"")[0] == 200
    bench.stripe.misbehave(Operation.ANY, Fault.TIMEOUT_AFTER)
    with pytest.raises(TransportTimeout):
        send("GET", "/v1/account", headers, b"")


def test_only_the_card_that_is_named_goes_wrong(bench: Bench) -> None:
    spared, struck = (bench.stripe.save_card(WORKS, EMAIL) for _ in range(2))
    bench.stripe.misbehave(
        Operation.CHARGE, Fault.DECLINE, card=struck[1], decline_code="lost_card"
    )
    assert bench.pay(spared).status == 200
    error = bench.pay(struck).error
    assert (error["decline_code"], error["advice_code"]) == ("lost_card", "do_not_try_again")
    assert bench.pay(struck).status == 200


def test_a_preparation_is_no_payment(bench: Bench) -> None:
    saved = bench.stripe.save_card(FAILS_LATER, EMAIL)
    intent = bench.pay(saved).error["payment_intent"]
    bench.stripe.misbehave(Operation.CHARGE, Fault.ERROR_BEFORE)
    path = f"payment_intents/{intent['id']}"
    assert bench.post(path, payment_method=saved[1]).status == 200
    assert bench.post(f"{path}/confirm", off_session="true").status == 500
    bench.stripe.misbehave(Operation.PREPARE_CHARGE, Fault.ERROR_BEFORE)
    assert bench.post(path, payment_method=saved[1]).status == 500


def test_good_behaviour_ends_all_trouble(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    bench.stripe.misbehave(Operation.ANY, Fault.ERROR_BEFORE, times=99)
    bench.stripe.hold_key("k")
    bench.stripe.webhooks(hold=True)
    bench.stripe.behave()
    assert pay(bench, saved, "k").status == 200
    assert "payment_intent.succeeded" in bench.types()
