"""What providers promise by what they lack: idempotency keys, a card page, webhooks, a list, and
payments that wait for a customer. Whoever builds on a promise that is not given finds out here. A
part of the one suite."""

import pytest

from shared.domain.outcome import Outcome
from shared.providers.errors import RequestRefused
from shared.providers.events import InvalidSignature
from tests.contract.bench import RETURN_URL, Bench, Trouble, look_up, request_for, save


def test_without_keys_no_attempt_may_be_repeated(bench: Bench) -> None:
    assert not bench.provider.keys_hold_for


@pytest.mark.parametrize("trouble", list(Trouble))
def test_without_keys_no_answer_asks_for_a_repeat(bench: Bench, trouble: Trouble) -> None:
    request = request_for(save(bench))
    bench.trouble(trouble)
    assert not bench.provider.charge(request).repeatable


@pytest.mark.parametrize("trouble", [Trouble.LOST_REQUEST, Trouble.LOST_ANSWER])
def test_what_came_of_a_lost_attempt_never_adds_to_the_next(bench: Bench, trouble: Trouble) -> None:
    setup = save(bench)
    lost = request_for(setup)
    bench.trouble(trouble)
    assert bench.provider.charge(lost).outcome is Outcome.UNKNOWN
    following = request_for(setup)._replace(unanswered=(lost.attempt_id,))
    assert bench.provider.charge(following).outcome is Outcome.SUCCEEDED
    assert bench.succeeded("charge-1") == 1
    found = look_up(bench, lost)
    assert found is None or found.outcome is Outcome.CANCELLED


def test_without_a_card_page_none_is_opened(bench: Bench) -> None:
    with pytest.raises(RequestRefused):
        bench.provider.start_card_setup(
            reference="customer-1",
            email="ada@example.com",
            provider_customer=None,
            return_url=RETURN_URL,
            idempotency_key="setup-1",
        )
    assert bench.provider.fetch_card_setup("any") is None
    assert bench.provider.hosted_origins == ()


def test_without_webhooks_nothing_is_taken_for_one(bench: Bench) -> None:
    for headers in ({}, {"signature": "t=1,v1=00"}):
        with pytest.raises(InvalidSignature):
            bench.provider.read_webhook(headers, b'{"id": "evt_1", "type": "charge.succeeded"}')


def test_without_a_list_that_is_said_and_not_an_empty_one_given(bench: Bench) -> None:
    setup = save(bench)
    bench.provider.charge(request_for(setup))
    assert setup.provider_customer is not None
    assert (
        bench.provider.list_charges(provider_customer=setup.provider_customer, since=None) is None
    )
