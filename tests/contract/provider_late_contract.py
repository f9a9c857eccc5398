"""What providers promise whose payments may be decided days later: a part of the one suite."""

from shared.domain.outcome import Outcome
from shared.providers.events import EventKind
from tests.contract.bench import CardKind, LateBench, events, look_up, request_for, save

LATE_SECONDS = 7_200


def test_a_late_success_is_processing_until_the_webhook_says_what_came(bench: LateBench) -> None:
    request = request_for(save(bench))
    bench.answer_late(LATE_SECONDS)
    begun = bench.provider.charge(request)
    assert (begun.outcome, begun.attempt_id) == (Outcome.PROCESSING, request.attempt_id)
    events(bench)
    bench.advance(LATE_SECONDS - 1)
    early = look_up(bench, request)
    assert early is not None
    assert early.outcome is Outcome.PROCESSING
    assert events(bench) == []
    assert bench.succeeded("charge-1") == 0
    bench.advance(1)
    assert [event.kind for event in events(bench)] == [EventKind.CHARGE]
    late = look_up(bench, request)
    assert late is not None
    assert (late.outcome, late.attempt_id) == (Outcome.SUCCEEDED, request.attempt_id)


def test_a_late_failure_is_a_decline_of_that_attempt(bench: LateBench) -> None:
    request = request_for(save(bench, CardKind.DECLINES))
    bench.answer_late(LATE_SECONDS)
    begun = bench.provider.charge(request)
    assert begun.outcome is Outcome.PROCESSING
    events(bench)
    bench.advance(LATE_SECONDS)
    assert [event.kind for event in events(bench)] == [EventKind.CHARGE]
    late = look_up(bench, request, begun.provider_charge_id)
    assert late is not None
    assert (late.outcome, late.attempt_id) == (Outcome.DECLINED, request.attempt_id)
    assert late.decline_code
    assert bench.succeeded("charge-1") == 0


def test_while_a_payment_settles_asking_again_with_its_key_begins_no_other(
    bench: LateBench,
) -> None:
    request = request_for(save(bench))
    bench.answer_late(LATE_SECONDS)
    begun = bench.provider.charge(request)
    assert bench.provider.charge(request) == begun
    bench.advance(LATE_SECONDS)
    assert bench.succeeded("charge-1") == 1
