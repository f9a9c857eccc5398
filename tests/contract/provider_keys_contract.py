"""What providers promise that know idempotency keys: asking again with the same key is safe, and
the way to find out. A part of the one suite."""

from datetime import timedelta

import pytest

from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.providers.port import RefundOutcome
from tests.contract.bench import PRICE, Bench, Trouble, look_up, request_for, save


def test_keys_hold_for_as_long_as_attempts_are_repeated(bench: Bench) -> None:
    assert timedelta(hours=1) <= bench.provider.keys_hold_for < timedelta(hours=24)


def test_the_same_key_twice_charges_once_and_answers_the_same(bench: Bench) -> None:
    request = request_for(save(bench))
    first = bench.provider.charge(request)
    assert bench.provider.charge(request) == first
    assert bench.succeeded("charge-1") == 1


def test_the_same_key_with_another_amount_charges_nothing_more(bench: Bench) -> None:
    request = request_for(save(bench))
    bench.provider.charge(request)
    other = request._replace(amount=Money(minor=1, currency="USD"))
    assert bench.provider.charge(other).outcome is Outcome.UNKNOWN
    assert bench.succeeded("charge-1") == 1


@pytest.mark.parametrize("trouble", [Trouble.LOST_ANSWER, Trouble.LOST_REQUEST, Trouble.RATE_LIMIT])
def test_what_may_never_have_arrived_is_repeated_and_charges_once(
    bench: Bench, trouble: Trouble
) -> None:
    request = request_for(save(bench))
    bench.trouble(trouble)
    lost = bench.provider.charge(request)
    assert (lost.outcome, lost.repeatable) == (Outcome.UNKNOWN, True)
    assert bench.provider.charge(request).outcome is Outcome.SUCCEEDED
    assert bench.succeeded("charge-1") == 1


@pytest.mark.parametrize("trouble", [Trouble.SERVER_ERROR, Trouble.SERVER_ERROR_AFTERWARDS])
def test_a_server_error_stays_with_its_key_and_repeating_does_not_help(
    bench: Bench, trouble: Trouble
) -> None:
    request = request_for(save(bench))
    bench.trouble(trouble)
    for _ in range(2):
        result = bench.provider.charge(request)
        assert (result.outcome, result.repeatable) == (Outcome.UNKNOWN, False)
    happened = trouble is Trouble.SERVER_ERROR_AFTERWARDS
    assert (look_up(bench, request) is not None) == happened
    assert bench.succeeded("charge-1") == int(happened)


def test_a_refund_twice_with_the_same_key_is_one_refund(bench: Bench) -> None:
    charged = bench.provider.charge(request_for(save(bench)))
    assert charged.provider_charge_id
    for _ in range(2):
        outcome = bench.provider.refund(
            provider_charge_id=charged.provider_charge_id,
            amount=Money(minor=1_000, currency="USD"),
            idempotency_key="refund-1",
        )
        assert outcome is RefundOutcome.SUCCEEDED
    assert bench.refunded("charge-1") == 1_000


@pytest.mark.parametrize("trouble", [Trouble.LOST_ANSWER, Trouble.LOST_REQUEST, Trouble.RATE_LIMIT])
def test_a_refund_without_an_answer_is_unknown_and_repeats_safely(
    bench: Bench, trouble: Trouble
) -> None:
    charged = bench.provider.charge(request_for(save(bench)))
    assert charged.provider_charge_id
    bench.trouble(trouble)
    outcomes = [
        bench.provider.refund(
            provider_charge_id=charged.provider_charge_id, amount=PRICE, idempotency_key="refund-1"
        )
        for _ in range(2)
    ]
    assert outcomes == [RefundOutcome.UNKNOWN, RefundOutcome.SUCCEEDED]
    assert bench.refunded("charge-1") == PRICE.minor
