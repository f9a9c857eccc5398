"""What providers promise that let the customer's bank ask the customer: a part of the one suite."""

from shared.domain.outcome import Outcome
from shared.providers.events import EventKind
from tests.contract.bench import CardKind, ConfirmingBench, events, look_up, request_for, save


def test_a_card_that_needs_authentication_succeeds_once_the_customer_confirms(
    bench: ConfirmingBench,
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


def test_a_customer_who_refuses_at_the_bank_has_declined(bench: ConfirmingBench) -> None:
    request = request_for(save(bench, CardKind.NEEDS_AUTHENTICATION))
    waiting = bench.provider.charge(request)
    assert waiting.confirm_url
    bench.refuse(waiting.confirm_url)
    found = look_up(bench, request, waiting.provider_charge_id)
    assert found is not None
    assert found.outcome is Outcome.DECLINED
    assert bench.succeeded("charge-1") == 0


def test_a_customer_who_is_there_is_asked_the_same(bench: ConfirmingBench) -> None:
    setup = save(bench, CardKind.NEEDS_AUTHENTICATION)
    request = request_for(setup, customer_present=True)
    waiting = bench.provider.charge(request)
    assert waiting.outcome is Outcome.AUTHENTICATION_REQUIRED
    assert waiting.attempt_id == request.attempt_id
    assert waiting.confirm_url
    bench.confirm(waiting.confirm_url)
    assert bench.succeeded("charge-1") == 1


def test_while_the_customer_has_not_confirmed_a_look_up_says_so_and_where(
    bench: ConfirmingBench,
) -> None:
    request = request_for(save(bench, CardKind.NEEDS_AUTHENTICATION))
    waiting = bench.provider.charge(request)
    for known in (waiting.provider_charge_id, None):
        assert look_up(bench, request, known) == waiting
    assert {event.kind for event in events(bench)} == {EventKind.CHARGE}


def test_a_charge_that_waits_for_authentication_can_be_given_up(bench: ConfirmingBench) -> None:
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


def test_giving_up_a_charge_that_has_just_succeeded_says_so(bench: ConfirmingBench) -> None:
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


def test_after_one_that_was_given_up_another_attempt_can_pay(bench: ConfirmingBench) -> None:
    setup = save(bench, CardKind.NEEDS_AUTHENTICATION)
    waiting = bench.provider.charge(request_for(setup))
    assert waiting.provider_charge_id
    bench.provider.cancel_charge(
        provider_charge_id=waiting.provider_charge_id, idempotency_key="cancel-1"
    )
    good = save(bench, provider_customer=setup.provider_customer)
    for continues in (None, waiting.provider_charge_id):
        request = request_for(good, charge_ref=f"charge-{continues}", continues=continues)
        assert bench.provider.charge(request).outcome is Outcome.SUCCEEDED
        assert bench.succeeded(f"charge-{continues}") == 1
