"""What every payment provider promises, stand-in or real: one suite for all.

A test module per provider brings a fixture `bench` and imports this part, which every provider
keeps, and of the others (`provider_*_contract`) those of what it can do. What it can't, it says by
contrary promises, which are tested too (`provider_lacks_contract`).
"""

import pytest

from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.providers.errors import ProviderUnavailable
from shared.providers.port import RefundOutcome
from tests.contract.bench import (
    PRICE,
    Bench,
    CardKind,
    Trouble,
    look_up,
    request_for,
    save,
)

# Cards


def test_a_saved_card_comes_back_with_its_reference(bench: Bench) -> None:
    setup = save(bench)
    assert setup.complete
    assert setup.reference == "customer-1"
    assert setup.card is not None
    assert setup.card.provider == bench.provider.name
    assert setup.card.last4 == "4242"
    assert setup.card.brand == "visa"
    assert "4242424242424242" not in str(setup)


def test_a_customer_can_have_several_cards(bench: Bench) -> None:
    first = save(bench)
    second = save(bench, CardKind.DECLINES, provider_customer=first.provider_customer)
    assert second.provider_customer == first.provider_customer
    assert first.card is not None
    assert second.card is not None
    assert first.card.token != second.card.token
    assert bench.provider.charge(request_for(first)).outcome is Outcome.SUCCEEDED
    declined = bench.provider.charge(request_for(second, charge_ref="charge-2"))
    assert declined.outcome is Outcome.DECLINED


def test_an_unknown_setup_is_not_found(bench: Bench) -> None:
    assert bench.provider.fetch_card_setup("cs_unknown/../x") is None


def test_removing_a_card_twice_is_a_success_and_it_is_never_charged_again(bench: Bench) -> None:
    setup = save(bench)
    assert setup.card is not None
    assert setup.provider_customer is not None
    for _ in range(2):
        bench.provider.remove_card(
            provider_customer=setup.provider_customer, card_token=setup.card.token
        )
    assert bench.provider.charge(request_for(setup)).outcome is Outcome.DECLINED_FINAL
    assert bench.succeeded("charge-1") == 0


# Charges


def test_a_good_card_is_charged_and_the_charge_is_found_again(bench: Bench) -> None:
    request = request_for(save(bench))
    result = bench.provider.charge(request)
    assert result.outcome is Outcome.SUCCEEDED
    assert result.provider_charge_id
    assert look_up(bench, request, result.provider_charge_id) == result
    assert look_up(bench, request) == result
    assert bench.succeeded("charge-1") == 1


def test_a_decline_is_an_outcome_that_carries_the_providers_word(bench: Bench) -> None:
    request = request_for(save(bench, CardKind.DECLINES))
    result = bench.provider.charge(request)
    assert result.outcome is Outcome.DECLINED
    assert result.decline_code
    found = look_up(bench, request)
    assert found is not None
    assert found.outcome is Outcome.DECLINED
    assert bench.succeeded("charge-1") == 0


def test_a_lost_card_is_a_final_decline(bench: Bench) -> None:
    result = bench.provider.charge(request_for(save(bench, CardKind.DECLINES_FINALLY)))
    assert result.outcome is Outcome.DECLINED_FINAL


def test_every_answer_says_whose_attempt_it_is_about(bench: Bench) -> None:
    for kind, ref in ((CardKind.WORKS, "charge-1"), (CardKind.DECLINES, "charge-2")):
        request = request_for(save(bench, kind), charge_ref=ref)
        result = bench.provider.charge(request)
        assert result.attempt_id == request.attempt_id
        found = look_up(bench, request, result.provider_charge_id)
        assert found is not None
        assert found.attempt_id == request.attempt_id


def test_a_new_attempt_after_a_decline_is_a_new_try(bench: Bench) -> None:
    setup = save(bench, CardKind.DECLINES)
    first = request_for(setup)
    declined = bench.provider.charge(first)
    second = request_for(save(bench))
    assert bench.provider.charge(second).outcome is Outcome.SUCCEEDED
    assert declined.outcome is Outcome.DECLINED


def test_after_a_decline_the_next_attempt_of_the_same_charge_may_pay(bench: Bench) -> None:
    bad = save(bench, CardKind.DECLINES)
    first = request_for(bad)
    declined = bench.provider.charge(first)
    good = save(bench, provider_customer=bad.provider_customer)
    second = request_for(good, continues=declined.provider_charge_id)
    paid = bench.provider.charge(second)
    assert (paid.outcome, paid.attempt_id) == (Outcome.SUCCEEDED, second.attempt_id)
    same = paid.provider_charge_id == declined.provider_charge_id
    assert same == bench.provider.one_object_per_charge
    assert bench.succeeded("charge-1") == 1
    assert look_up(bench, second, paid.provider_charge_id) == paid
    # Money that moved is what a look-up tells, whichever attempt was asked for.
    assert look_up(bench, first, declined.provider_charge_id) in (paid, declined)


def test_each_attempt_of_a_charge_has_an_outcome_of_its_own(bench: Bench) -> None:
    setup = save(bench, CardKind.DECLINES)
    first = request_for(setup)
    declined = bench.provider.charge(first)
    second = request_for(setup, continues=declined.provider_charge_id)
    # Not asked for yet: the first one's decline is not its own.
    assert look_up(bench, second, declined.provider_charge_id) is None
    again = bench.provider.charge(second)
    assert (again.outcome, again.attempt_id) == (Outcome.DECLINED, second.attempt_id)
    found = look_up(bench, second, again.provider_charge_id)
    assert found is not None
    assert (found.outcome, found.attempt_id) == (Outcome.DECLINED, second.attempt_id)
    assert bench.succeeded("charge-1") == 0


def test_an_earlier_attempts_id_does_not_pass_for_the_outcome_of_this_one(bench: Bench) -> None:
    setup = save(bench, CardKind.DECLINES)
    declined = bench.provider.charge(request_for(setup))
    second = request_for(setup)
    assert look_up(bench, second, declined.provider_charge_id) is None


def test_nothing_is_found_of_what_was_never_asked(bench: Bench) -> None:
    request = request_for(save(bench))
    assert look_up(bench, request) is None
    assert look_up(bench, request, "ch_unknown") is None


def test_charges_of_one_customer_are_told_apart(bench: Bench) -> None:
    setup = save(bench)
    requests = [request_for(setup, charge_ref=f"charge-{n}") for n in range(12)]
    results = [bench.provider.charge(request) for request in requests]
    assert [look_up(bench, request) for request in requests] == results


# When the answer is lost


def test_a_lost_answer_is_unknown_and_the_look_up_finds_the_charge(bench: Bench) -> None:
    request = request_for(save(bench))
    bench.trouble(Trouble.LOST_ANSWER)
    assert bench.provider.charge(request).outcome is Outcome.UNKNOWN
    found = look_up(bench, request)
    assert found is not None
    assert found.outcome is Outcome.SUCCEEDED
    assert bench.succeeded("charge-1") == 1


def test_a_lost_request_is_unknown_and_nothing_is_found_of_it(bench: Bench) -> None:
    request = request_for(save(bench))
    bench.trouble(Trouble.LOST_REQUEST)
    assert bench.provider.charge(request).outcome is Outcome.UNKNOWN
    assert look_up(bench, request) is None
    assert bench.succeeded("charge-1") == 0


def test_too_many_requests_are_no_decline_and_nothing_was_charged(bench: Bench) -> None:
    request = request_for(save(bench))
    bench.trouble(Trouble.RATE_LIMIT)
    outcome = bench.provider.charge(request).outcome
    # Without keys there is no repeating, so it is over; with them it is found out by repeating.
    has_keys = bool(bench.provider.keys_hold_for)
    assert outcome is (Outcome.UNKNOWN if has_keys else Outcome.REFUSED)
    assert look_up(bench, request) is None
    assert bench.succeeded("charge-1") == 0


def test_a_server_error_is_unknown(bench: Bench) -> None:
    request = request_for(save(bench))
    bench.trouble(Trouble.SERVER_ERROR)
    assert bench.provider.charge(request).outcome is Outcome.UNKNOWN
    assert look_up(bench, request) is None
    assert bench.succeeded("charge-1") == 0


def test_a_server_error_may_hide_a_success_that_the_look_up_finds(bench: Bench) -> None:
    request = request_for(save(bench))
    bench.trouble(Trouble.SERVER_ERROR_AFTERWARDS)
    assert bench.provider.charge(request).outcome is Outcome.UNKNOWN
    found = look_up(bench, request)
    assert found is not None
    assert found.outcome is Outcome.SUCCEEDED
    assert bench.succeeded("charge-1") == 1


@pytest.mark.parametrize("trouble", [Trouble.LOST_ANSWER, Trouble.SERVER_ERROR_AFTERWARDS])
def test_of_a_later_attempt_whose_answer_was_lost_nothing_else_is_told(
    bench: Bench, trouble: Trouble
) -> None:
    bad = save(bench, CardKind.DECLINES)
    declined = bench.provider.charge(request_for(bad))
    good = save(bench, provider_customer=bad.provider_customer)
    second = request_for(good, continues=declined.provider_charge_id)
    bench.trouble(trouble)
    bench.provider.charge(second)
    found = look_up(bench, second, declined.provider_charge_id)
    paid = bench.succeeded("charge-1")
    assert (found is not None) == bool(paid)
    if found is not None:
        assert (found.outcome, found.attempt_id) == (Outcome.SUCCEEDED, second.attempt_id)


@pytest.mark.parametrize("trouble", [Trouble.LOST_ANSWER, Trouble.SERVER_ERROR, Trouble.RATE_LIMIT])
def test_asking_that_fails_itself_is_not_an_answer(bench: Bench, trouble: Trouble) -> None:
    request = request_for(save(bench))
    result = bench.provider.charge(request)
    for known_id in (result.provider_charge_id, None):
        bench.trouble(trouble)
        with pytest.raises(ProviderUnavailable):
            look_up(bench, request, known_id)


# Giving back


def test_no_more_is_refunded_than_was_paid(bench: Bench) -> None:
    charged = bench.provider.charge(request_for(save(bench)))
    assert charged.provider_charge_id
    bench.let_settle()
    outcomes = [
        bench.provider.refund(
            provider_charge_id=charged.provider_charge_id,
            amount=Money(minor=minor, currency="USD"),
            idempotency_key=f"refund-{minor}",
        )
        for minor in (4_000, 901, 900)
    ]
    assert outcomes == [RefundOutcome.SUCCEEDED, RefundOutcome.REFUSED, RefundOutcome.SUCCEEDED]
    assert bench.refunded("charge-1") == PRICE.minor
