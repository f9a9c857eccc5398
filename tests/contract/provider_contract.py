"""What every payment provider promises, stand-in or real: one suite for all.

A test module per provider brings a fixture `bench` and imports these tests.
"""

import pytest

from shared.domain.charge import Outcome
from shared.domain.money import Money
from shared.providers.port import (
    EventKind,
    InvalidSignature,
    ProviderUnavailable,
    RefundOutcome,
)
from tests.contract.bench import (
    PRICE,
    RETURN_URL,
    Bench,
    CardKind,
    Trouble,
    events,
    look_up,
    request_for,
    save,
)
from tests.contract.provider_list_contract import *  # noqa: F403 (a part of the same suite)
from tests.contract.provider_reversal_contract import *  # noqa: F403 (another part)

# Cards


def test_a_card_saved_on_the_hosted_page_comes_back_with_its_reference(bench: Bench) -> None:
    setup = save(bench)
    assert setup.complete
    assert setup.reference == "customer-1"
    assert setup.card is not None
    assert setup.card.provider == bench.provider.name
    assert setup.card.last4 == "4242"
    assert setup.card.brand == "visa"
    assert "4242424242424242" not in setup.model_dump_json()


def test_a_setup_is_not_complete_before_a_card_was_entered(bench: Bench) -> None:
    started = bench.provider.start_card_setup(
        reference="customer-1",
        email="ada@example.com",
        provider_customer=None,
        return_url=RETURN_URL,
        idempotency_key="setup-open",
    )
    assert started.url
    found = bench.provider.fetch_card_setup(started.setup_id)
    assert found is not None
    assert not found.complete
    assert found.card is None


def test_a_customer_can_have_several_cards(bench: Bench) -> None:
    first = save(bench)
    second = bench.provider.start_card_setup(
        reference="customer-1",
        email="ada@example.com",
        provider_customer=first.provider_customer,
        return_url=RETURN_URL,
        idempotency_key="setup-second",
    )
    bench.enter_card(second, CardKind.DECLINES)
    finished = bench.provider.fetch_card_setup(second.setup_id)
    assert finished is not None
    assert finished.provider_customer == first.provider_customer
    assert bench.provider.charge(request_for(first)).outcome is Outcome.SUCCEEDED


def test_an_unknown_setup_is_not_found(bench: Bench) -> None:
    assert bench.provider.fetch_card_setup("cs_unknown/../x") is None


def test_the_saved_card_is_announced(bench: Bench) -> None:
    setup = save(bench)
    read = [bench.provider.read_webhook(*delivery) for delivery in bench.deliveries()]
    assert [(event.kind, event.setup_id) for event in read] == [
        (EventKind.CARD_SETUP, setup.setup_id)
    ]


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
    assert [event.object_id for event in events(bench)] == [result.provider_charge_id]


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


def test_a_card_that_needs_authentication_succeeds_once_the_customer_confirms(
    bench: Bench,
) -> None:
    request = request_for(save(bench, CardKind.NEEDS_AUTHENTICATION))
    waiting = bench.provider.charge(request)
    assert waiting.outcome is Outcome.AUTHENTICATION_REQUIRED
    assert waiting.confirm_url
    assert bench.succeeded("charge-1") == 0

    bench.confirm(waiting.confirm_url)
    found = look_up(bench, request, waiting.provider_charge_id)
    assert found is not None
    assert found.outcome is Outcome.SUCCEEDED
    assert bench.succeeded("charge-1") == 1
    assert events(bench)[-1].object_id == waiting.provider_charge_id


def test_a_customer_who_refuses_at_the_bank_has_declined(bench: Bench) -> None:
    request = request_for(save(bench, CardKind.NEEDS_AUTHENTICATION))
    waiting = bench.provider.charge(request)
    assert waiting.confirm_url
    bench.refuse(waiting.confirm_url)
    found = look_up(bench, request, waiting.provider_charge_id)
    assert found is not None
    assert found.outcome is Outcome.DECLINED
    assert bench.succeeded("charge-1") == 0


def test_the_same_key_twice_charges_once_and_answers_the_same(bench: Bench) -> None:
    request = request_for(save(bench))
    first = bench.provider.charge(request)
    assert bench.provider.charge(request) == first
    assert bench.succeeded("charge-1") == 1


def test_the_same_key_with_another_amount_charges_nothing_more(bench: Bench) -> None:
    request = request_for(save(bench))
    bench.provider.charge(request)
    other = request.model_copy(update={"amount": Money(minor=1, currency="USD")})
    assert bench.provider.charge(other).outcome is Outcome.UNKNOWN
    assert bench.succeeded("charge-1") == 1


def test_a_new_attempt_after_a_decline_is_a_new_try(bench: Bench) -> None:
    setup = save(bench, CardKind.DECLINES)
    first = request_for(setup)
    declined = bench.provider.charge(first)
    second = request_for(save(bench))
    assert bench.provider.charge(second).outcome is Outcome.SUCCEEDED
    assert declined.outcome is Outcome.DECLINED


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
    assert bench.provider.charge(request).outcome is Outcome.SUCCEEDED
    assert bench.succeeded("charge-1") == 1


def test_a_lost_request_is_unknown_and_the_same_key_charges_once(bench: Bench) -> None:
    request = request_for(save(bench))
    bench.trouble(Trouble.LOST_REQUEST)
    assert bench.provider.charge(request).outcome is Outcome.UNKNOWN
    assert look_up(bench, request) is None
    assert bench.provider.charge(request).outcome is Outcome.SUCCEEDED
    assert bench.succeeded("charge-1") == 1


def test_too_many_requests_are_unknown_and_the_same_key_charges_once(bench: Bench) -> None:
    request = request_for(save(bench))
    bench.trouble(Trouble.RATE_LIMIT)
    assert bench.provider.charge(request).outcome is Outcome.UNKNOWN
    assert bench.provider.charge(request).outcome is Outcome.SUCCEEDED
    assert bench.succeeded("charge-1") == 1


def test_a_server_error_is_unknown_and_stays_so_under_its_key(bench: Bench) -> None:
    request = request_for(save(bench))
    bench.trouble(Trouble.SERVER_ERROR)
    for _ in range(2):
        assert bench.provider.charge(request).outcome is Outcome.UNKNOWN
    assert look_up(bench, request) is None
    assert bench.succeeded("charge-1") == 0


def test_a_server_error_may_hide_a_success_that_the_look_up_finds(bench: Bench) -> None:
    request = request_for(save(bench))
    bench.trouble(Trouble.SERVER_ERROR_AFTERWARDS)
    for _ in range(2):
        assert bench.provider.charge(request).outcome is Outcome.UNKNOWN
    found = look_up(bench, request)
    assert found is not None
    assert found.outcome is Outcome.SUCCEEDED
    assert bench.succeeded("charge-1") == 1


@pytest.mark.parametrize("trouble", [Trouble.LOST_ANSWER, Trouble.SERVER_ERROR, Trouble.RATE_LIMIT])
def test_asking_that_fails_itself_is_not_an_answer(bench: Bench, trouble: Trouble) -> None:
    request = request_for(save(bench))
    result = bench.provider.charge(request)
    for known_id in (result.provider_charge_id, None):
        bench.trouble(trouble)
        with pytest.raises(ProviderUnavailable):
            look_up(bench, request, known_id)


def test_a_late_answer_is_processing_until_the_webhook_says_what_came(bench: Bench) -> None:
    request = request_for(save(bench))
    assert len(bench.deliveries()) == 1
    bench.answer_late(seconds=7_200)
    assert bench.provider.charge(request).outcome is Outcome.PROCESSING
    bench.advance(7_199)
    early = look_up(bench, request)
    assert early is not None
    assert early.outcome is Outcome.PROCESSING
    assert events(bench) == []
    bench.advance(1)
    assert [event.kind for event in events(bench)] == [EventKind.CHARGE]
    late = look_up(bench, request)
    assert late is not None
    assert late.outcome is Outcome.SUCCEEDED


# Giving back and giving up


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


def test_no_more_is_refunded_than_was_paid(bench: Bench) -> None:
    charged = bench.provider.charge(request_for(save(bench)))
    assert charged.provider_charge_id
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


def test_a_look_up_tells_when_the_whole_amount_went_back(bench: Bench) -> None:
    request = request_for(save(bench))
    charged = bench.provider.charge(request)
    assert charged.provider_charge_id
    told = []
    for minor in (4_000, 900):
        bench.provider.refund(
            provider_charge_id=charged.provider_charge_id,
            amount=Money(minor=minor, currency="USD"),
            idempotency_key=f"refund-{minor}",
        )
        found = look_up(bench, request)
        assert found is not None
        told.append((found.outcome, found.refunded))
    assert told == [(Outcome.SUCCEEDED, False), (Outcome.SUCCEEDED, True)]


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


def test_a_charge_that_waits_for_authentication_can_be_given_up(bench: Bench) -> None:
    request = request_for(save(bench, CardKind.NEEDS_AUTHENTICATION))
    waiting = bench.provider.charge(request)
    assert waiting.provider_charge_id
    assert waiting.confirm_url
    for key in ("cancel-1", "cancel-1", "cancel-2"):
        given_up = bench.provider.cancel_charge(
            provider_charge_id=waiting.provider_charge_id, idempotency_key=key
        )
        assert given_up.outcome is Outcome.CANCELLED
    bench.confirm(waiting.confirm_url)
    assert bench.succeeded("charge-1") == 0


def test_giving_up_a_charge_that_has_just_succeeded_says_so(bench: Bench) -> None:
    request = request_for(save(bench, CardKind.NEEDS_AUTHENTICATION))
    waiting = bench.provider.charge(request)
    assert waiting.provider_charge_id
    assert waiting.confirm_url
    bench.confirm(waiting.confirm_url)
    given_up = bench.provider.cancel_charge(
        provider_charge_id=waiting.provider_charge_id, idempotency_key="cancel-1"
    )
    assert given_up.outcome is Outcome.SUCCEEDED
    assert given_up.provider_charge_id == waiting.provider_charge_id


# Webhooks


def test_a_genuine_webhook_is_read(bench: Bench) -> None:
    result = bench.provider.charge(request_for(save(bench)))
    (event,) = events(bench)
    assert event.kind is EventKind.CHARGE
    assert event.object_id == result.provider_charge_id
    assert event.created_at == bench.now()
    assert event.event_id


def test_every_event_has_an_id_of_its_own(bench: Bench) -> None:
    setup = save(bench)
    for n in range(5):
        bench.provider.charge(request_for(setup, charge_ref=f"charge-{n}"))
    read = [bench.provider.read_webhook(*delivery) for delivery in bench.deliveries()]
    assert len({event.event_id for event in read}) == len(read) == 6


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_signature_may_be_300_seconds_away_either_way(bench: Bench, seconds: int) -> None:
    body, signed_at = bench.event_body("charge.succeeded"), bench.now()
    headers = bench.sign(body, signed_at)
    bench.advance(seconds)
    assert bench.provider.read_webhook(headers, body).kind is EventKind.CHARGE


@pytest.mark.parametrize("seconds", [-301, 301, 86_400, -86_400])
def test_an_old_or_future_signature_is_refused(bench: Bench, seconds: int) -> None:
    body, signed_at = bench.event_body("charge.succeeded"), bench.now()
    headers = bench.sign(body, signed_at)
    bench.advance(seconds)
    with pytest.raises(InvalidSignature):
        bench.provider.read_webhook(headers, body)


def test_a_signature_under_another_secret_is_refused(bench: Bench) -> None:
    body = bench.event_body("charge.succeeded")
    headers = bench.sign(body, bench.now(), "not the secret")
    with pytest.raises(InvalidSignature):
        bench.provider.read_webhook(headers, body)


def test_one_good_signature_among_several_is_enough(bench: Bench) -> None:
    body = bench.event_body("charge.succeeded")
    headers = bench.sign(body, bench.now(), "an older secret", "present", "another")
    assert bench.provider.read_webhook(headers, body).kind is EventKind.CHARGE


def test_while_secrets_rotate_each_of_them_is_good(bench: Bench) -> None:
    body = bench.event_body("charge.succeeded")
    for secret in ("present", "next"):
        headers = bench.sign(body, bench.now(), secret)
        assert bench.provider.read_webhook(headers, body).kind is EventKind.CHARGE


def test_a_body_that_was_changed_is_refused(bench: Bench) -> None:
    body = bench.event_body("charge.failed")
    headers = bench.sign(body, bench.now())
    with pytest.raises(InvalidSignature):
        bench.provider.read_webhook(headers, body.replace(b"failed", b"succeeded"))
    with pytest.raises(InvalidSignature):
        bench.provider.read_webhook(headers, body + b" ")


def test_a_webhook_without_a_signature_is_refused(bench: Bench) -> None:
    with pytest.raises(InvalidSignature):
        bench.provider.read_webhook({}, bench.event_body("charge.succeeded"))


def test_an_event_of_an_unknown_type_is_read_as_other(bench: Bench) -> None:
    body = bench.event_body("payout.something_new")
    event = bench.provider.read_webhook(bench.sign(body, bench.now()), body)
    assert event.kind is EventKind.OTHER
    assert event.type == "payout.something_new"
    assert event.event_id
