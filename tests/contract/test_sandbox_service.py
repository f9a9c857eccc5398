"""The sandbox is as strict as real providers, and goes wrong only as it is told ([SANDBOX])."""

import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.local.sandbox import Sandbox
from infra.local.sandbox_cards import KNOWN_CARDS, passes_luhn
from infra.local.sandbox_faults import Fault, Operation
from shared.domain.outcome import Outcome
from shared.providers.port import RefundOutcome
from tests.contract.bench import (
    PRICE,
    RETURN_URL,
    CardKind,
    look_up,
    request_for,
    save,
)
from tests.contract.sandbox_bench import KEY, SECRETS, SandboxBench


@pytest.fixture
def bench() -> SandboxBench:
    return SandboxBench()


def call(
    bench: SandboxBench,
    method: str,
    path: str,
    content: Any = None,
    *,
    key: str = "",
    bearer: str = KEY,
) -> tuple[int, dict[str, Any]]:
    """One call of the JSON API."""
    headers = {"Authorization": f"Bearer {bearer}", "Idempotency-Key": key}
    body = b"" if content is None else json.dumps(content).encode()
    status, _, answer = bench.sandbox.handle(method, path, headers, body)
    found: dict[str, Any] = json.loads(answer)
    return status, found


def charge_content(customer: str, card: str, /, **changes: Any) -> dict[str, Any]:
    content = {
        "amount": 4_900,
        "currency": "USD",
        "customer": customer,
        "card": card,
        "return_url": RETURN_URL,
        "metadata": {"charge_ref": "charge-1", "attempt_id": "attempt-a"},
    }
    return {**content, **changes}


# Keys


def test_without_the_right_key_nothing_is_answered(bench: SandboxBench) -> None:
    for bearer in ("", "sandbox-ke", "sandbox-key2", "é"):
        for path in ("/v1/charges?customer=c", "/control"):
            status, found = call(bench, "GET", path, bearer=bearer)
            assert (status, found["error"]["code"]) == (401, "wrong_key")


def test_an_idempotency_key_is_remembered_for_24_hours(bench: SandboxBench) -> None:
    customer, card = bench.sandbox.save_card("4242424242424242", "ada@example.com")
    content = charge_content(customer, card)
    first = call(bench, "POST", "/v1/charges", content, key="k")
    bench.advance(86_399)
    assert call(bench, "POST", "/v1/charges", content, key="k") == first
    bench.advance(1)
    assert call(bench, "POST", "/v1/charges", content, key="k") != first
    assert bench.succeeded("charge-1") == 2


def test_a_key_with_another_content_or_call_is_an_error(bench: SandboxBench) -> None:
    customer, card = bench.sandbox.save_card("4242424242424242", "ada@example.com")
    status, charge = call(bench, "POST", "/v1/charges", charge_content(customer, card), key="k")
    assert status == 200
    other = charge_content(customer, card, amount=1)
    refund = {"charge": charge["id"], "amount": 1, "currency": "USD"}
    for path, content in (("/v1/charges", other), ("/v1/refunds", refund)):
        status, found = call(bench, "POST", path, content, key="k")
        assert (status, found["error"]["code"]) == (409, "idempotency_key_reused")


def test_the_order_of_fields_does_not_make_another_content(bench: SandboxBench) -> None:
    customer, card = bench.sandbox.save_card("4242424242424242", "ada@example.com")
    content = charge_content(customer, card)
    turned = dict(reversed(content.items()))
    first = call(bench, "POST", "/v1/charges", content, key="k")
    assert call(bench, "POST", "/v1/charges", turned, key="k") == first


def test_a_refused_request_leaves_its_key_free(bench: SandboxBench) -> None:
    customer, card = bench.sandbox.save_card("4242424242424242", "ada@example.com")
    wrong = charge_content(customer, card, amount=0)
    assert call(bench, "POST", "/v1/charges", wrong, key="k")[0] == 400
    assert call(bench, "POST", "/v1/charges", charge_content(customer, card), key="k")[0] == 200


def test_a_decline_is_replayed_under_its_key(bench: SandboxBench) -> None:
    customer, card = bench.sandbox.save_card("4000000000000341", "ada@example.com")
    content = charge_content(customer, card)
    first = call(bench, "POST", "/v1/charges", content, key="k")
    assert first[0] == 402
    assert call(bench, "POST", "/v1/charges", content, key="k") == first
    assert len(bench.sandbox.charges()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 0},
        {"amount": -1},
        {"amount": "4900"},
        {"amount": 49.5},
        {"amount": True},
        {"amount": 10**12},
        {"currency": "usd"},
        {"currency": "USD\n"},
        {"return_url": "javascript:alert(1)"},
        {"return_url": "/checkout"},
        {"return_url": "https://shop.example/\r\nSet-Cookie: a=b"},
        {"return_url": "https://shop.example; script-src *"},
        {"return_url": "https://[shop.example/"},
        {"metadata": {"charge_ref": 7}},
        {"surprise": 1},
        {"card": ""},
    ],
)
def test_a_charge_that_makes_no_sense_is_refused(
    bench: SandboxBench, changes: dict[str, Any]
) -> None:
    customer, card = bench.sandbox.save_card("4242424242424242", "ada@example.com")
    content = charge_content(customer, card, **changes)
    status, found = call(bench, "POST", "/v1/charges", content, key="k")
    assert (status, found["error"]["code"]) == (400, "invalid_request")
    assert next(iter(changes)) in found["error"]["message"]
    assert bench.sandbox.charges() == []


def test_money_moves_only_under_a_key(bench: SandboxBench) -> None:
    customer, card = bench.sandbox.save_card("4242424242424242", "ada@example.com")
    for key in ("", "k" * 256):
        status, found = call(bench, "POST", "/v1/charges", charge_content(customer, card), key=key)
        assert (status, found["error"]["code"]) == (400, "idempotency_key_missing")


def test_a_card_is_charged_only_for_its_own_customer(bench: SandboxBench) -> None:
    _, card = bench.sandbox.save_card("4242424242424242", "ada@example.com")
    other, _ = bench.sandbox.save_card("4242424242424242", "bob@example.com")
    status, found = call(bench, "POST", "/v1/charges", charge_content(other, card), key="k")
    assert (status, found["error"]["code"]) == (404, "card_missing")


def test_many_at_once_under_one_key_charge_once(bench: SandboxBench) -> None:
    request = request_for(save(bench))
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: bench.provider.charge(request), range(40)))
    assert len({result.provider_charge_id for result in results}) == 1
    assert bench.succeeded("charge-1") == 1


def test_the_receiver_of_a_webhook_may_call_back_at_once() -> None:
    seen: list[int] = []

    def deliver(_delay: int, _path: str, _headers: dict[str, str], body: bytes) -> None:
        charge = json.loads(body)["object"]["id"]
        bearer = {"authorization": f"Bearer {KEY}"}
        with ThreadPoolExecutor(1) as another_thread:
            ask = another_thread.submit(sandbox.handle, "GET", f"/v1/charges/{charge}", bearer, b"")
            seen.append(ask.result(timeout=5)[0])

    sandbox = Sandbox(lambda: datetime(2026, 1, 31, tzinfo=UTC), deliver, KEY, SECRETS)
    customer, card = sandbox.save_card("4242424242424242", "ada@example.com")
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "k"}
    body = json.dumps(charge_content(customer, card)).encode()
    assert sandbox.handle("POST", "/v1/charges", headers, body)[0] == 200
    assert seen == [200]


# Going wrong when told to


def test_only_the_next_n_calls_of_the_operation_and_card_go_wrong(bench: SandboxBench) -> None:
    spared, struck = save(bench), save(bench)
    assert struck.card is not None
    bench.sandbox.misbehave(Operation.CHARGE, Fault.DECLINE, times=2, card=struck.card.token)
    outcomes = [
        bench.provider.charge(request_for(setup)).outcome
        for setup in (spared, struck, spared, struck, struck)
    ]
    good, bad = Outcome.SUCCEEDED, Outcome.DECLINED
    assert outcomes == [good, bad, good, bad, good]


def test_an_operation_that_was_not_meant_is_spared(bench: SandboxBench) -> None:
    request = request_for(save(bench))
    bench.sandbox.misbehave(Operation.REFUND, Fault.TIMEOUT_BEFORE)
    charged = bench.provider.charge(request)
    assert charged.outcome is Outcome.SUCCEEDED
    assert look_up(bench, request) == charged
    assert charged.provider_charge_id
    refunds = [
        bench.provider.refund(
            provider_charge_id=charged.provider_charge_id, amount=PRICE, idempotency_key="r"
        )
        for _ in range(2)
    ]
    assert refunds == [RefundOutcome.UNKNOWN, RefundOutcome.SUCCEEDED]


def test_a_500_is_kept_under_its_key_and_a_429_is_not(bench: SandboxBench) -> None:
    customer, card = bench.sandbox.save_card("4242424242424242", "ada@example.com")
    content = charge_content(customer, card)
    bench.sandbox.misbehave("charge", "rate_limit")
    assert call(bench, "POST", "/v1/charges", content, key="k")[0] == 429
    bench.sandbox.misbehave("charge", "error_before")
    assert [call(bench, "POST", "/v1/charges", content, key="k")[0] for _ in "ab"] == [500, 500]
    assert call(bench, "POST", "/v1/charges", content, key="k2")[0] == 200


def test_a_time_out_over_http_is_a_504(bench: SandboxBench) -> None:
    bench.sandbox.misbehave("any", "timeout_before")
    assert call(bench, "GET", "/v1/charges/ch_1")[0] == 504


def test_a_late_charge_can_fail_in_the_end(bench: SandboxBench) -> None:
    request = request_for(save(bench, CardKind.DECLINES))
    bench.answer_late(seconds=60)
    assert bench.provider.charge(request).outcome is Outcome.PROCESSING
    bench.advance(60)
    found = look_up(bench, request)
    assert found is not None
    assert found.outcome is Outcome.DECLINED


def test_a_saved_card_can_go_bad_and_good_again(bench: SandboxBench) -> None:
    setup = save(bench)
    assert setup.card is not None
    outcomes = []
    for number in ("4000000000009995", "4000000000009987", "4242424242424242"):
        bench.sandbox.let_card_behave_as(setup.card.token, number)
        outcomes.append(bench.provider.charge(request_for(setup)).outcome)
    assert outcomes == [Outcome.DECLINED, Outcome.DECLINED_FINAL, Outcome.SUCCEEDED]


def test_the_control_api_tells_the_same_over_http(bench: SandboxBench) -> None:
    def tell(**told: Any) -> Any:
        status, found = call(bench, "POST", "/control", told)
        assert status == 200
        return found["result"]

    tell(action="misbehave", operation="charge", fault="decline", decline_code="stolen_card")
    tell(action="webhooks", hold=True, repeat=2)
    customer, card = tell(action="save_card", number="4000000000009987", email="ada@example.com")
    status, found = call(bench, "POST", "/v1/charges", charge_content(customer, card), key="k")
    assert (status, found["charge"]["decline_code"]) == (402, "stolen_card")
    tell(action="let_card_behave_as", card=card, number="4242424242424242")
    content = charge_content(customer, card)
    assert call(bench, "POST", "/v1/charges", content, key="k2")[0] == 200

    _, state = call(bench, "GET", "/control")
    assert state["misbehaviour"] == []
    assert state["webhooks"] == {"hold": True, "repeat": 2, "shuffle": False, "held": 2}
    assert [charge["state"] for charge in state["charges"]] == ["failed", "succeeded"]
    assert bench.deliveries() == []
    tell(action="misbehave", operation="any", fault="error_before", times=99)
    tell(action="behave")
    assert len(bench.deliveries()) == 2
    assert call(bench, "GET", "/control")[1]["misbehaviour"] == []


def test_a_payment_is_taken_back_and_given_again_over_the_control_api(bench: SandboxBench) -> None:
    customer, card = bench.sandbox.save_card("4242424242424242", "ada@example.com")
    _, charge = call(bench, "POST", "/v1/charges", charge_content(customer, card), key="k")
    told = []
    for action, status in (
        ("reinstate_charge", 400),
        ("reverse_charge", 200),
        ("reverse_charge", 400),
        ("reinstate_charge", 200),
    ):
        about = {"action": action, "charge_id": charge["id"]}
        assert call(bench, "POST", "/control", about)[0] == status, action
        (seen,) = bench.sandbox.charges()
        told.append((seen.reversed, seen.kept))
    assert told == [(0, True), (seen.amount, False), (seen.amount, False), (0, True)]
    types = [json.loads(body)["type"] for _, body in bench.deliveries()]
    assert types == ["charge.succeeded", "charge.reversed", "charge.reinstated"]


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"action": "explode"},
        {"action": ["misbehave"]},
        {"action": "misbehave"},
        {"action": "misbehave", "operation": "charge", "fault": "explode"},
        {"action": "misbehave", "operation": "charge", "fault": "decline", "times": 0},
        {"action": "misbehave", "operation": "charge", "fault": "decline", "times": "3"},
        {"action": "misbehave", "operation": "refund", "fault": "late"},
        {"action": "webhooks", "repeat": 0},
        {"action": "webhooks", "surprise": 1},
        {"action": "save_card", "number": "4111111111111111", "email": "a@example.com"},
        {"action": "let_card_behave_as", "card": "card_1", "number": "4242424242424242"},
        {"action": "reverse_charge", "charge_id": "ch_1"},
        {"action": "reinstate_charge", "charge_id": "ch_1"},
    ],
)
def test_what_the_control_api_does_not_understand_changes_nothing(
    bench: SandboxBench, told: dict[str, Any]
) -> None:
    before = call(bench, "GET", "/control")
    assert call(bench, "POST", "/control", told)[0] in (400, 404)
    assert call(bench, "GET", "/control") == before


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"[" * 60_000, b'"x"'])
def test_a_body_that_is_no_json_object_is_refused(bench: SandboxBench, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "k"}
    for path in ("/v1/charges", "/control"):
        assert bench.sandbox.handle("POST", path, headers, body)[0] == 400


# The numbers


def test_every_test_number_passes_luhn_and_every_slip_of_one_digit_fails() -> None:
    for number in KNOWN_CARDS:
        assert passes_luhn(number)
        for at, digit in enumerate(number):
            for other in "0123456789":
                if other != digit:
                    assert not passes_luhn(number[:at] + other + number[at + 1 :])


def test_ids_carry_128_random_bits_and_differ() -> None:
    def deliver(delay: int, path: str, headers: dict[str, str], body: bytes) -> None:
        """Nobody listens."""

    sandbox = Sandbox(lambda: datetime(2026, 1, 31, tzinfo=UTC), deliver, KEY, SECRETS)
    ids = {sandbox.save_card("4242424242424242", "a@example.com")[1] for _ in range(50)}
    assert len(ids) == 50
    assert all(re.fullmatch(r"card_[0-9a-f]{32}", id_) for id_ in ids)


def test_the_same_seed_makes_the_same_run() -> None:
    def run() -> list[str]:
        bench = SandboxBench()
        bench.sandbox.webhooks(shuffle=True)
        rng = random.Random(7)
        for _ in range(20):
            bench.provider.charge(request_for(save(bench), attempt_id=f"a-{rng.random()}"))
        return [f"{due} {body!r}" for due, _, _, body in bench.posted]

    first, second = run(), run()
    assert len(first) == 40
    assert [line.split("evt_")[1][:24] for line in first] == [
        line.split("evt_")[1][:24] for line in second
    ]
