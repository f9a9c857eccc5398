"""What providers promise that tell of payments which a bank takes back ([REVERSE]): a part of the
one suite."""

from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.providers.events import EventKind
from shared.providers.port import ChargeRequest, RefundOutcome
from tests.contract.bench import PRICE, ReversingBench, listed, look_up, request_for, save


def charged(bench: ReversingBench) -> tuple[ChargeRequest, str]:
    """A payment that went through, and its id at the provider."""
    request = request_for(save(bench))
    result = bench.provider.charge(request)
    assert result.provider_charge_id is not None
    return request, result.provider_charge_id


def taken_back(
    bench: ReversingBench, request: ChargeRequest, charge_id: str
) -> tuple[Outcome, int]:
    """How the payment stands, and how much of it a bank took back, in minor units."""
    found = look_up(bench, request, charge_id)
    assert found is not None
    return found.outcome, 0 if found.reversed is None else found.reversed.minor


def test_a_payment_that_a_bank_takes_back_stays_a_success_and_says_so(
    bench: ReversingBench,
) -> None:
    request, charge_id = charged(bench)
    assert taken_back(bench, request, charge_id) == (Outcome.SUCCEEDED, 0)
    bench.advance(40 * 86_400)
    bench.reverse(charge_id)
    assert taken_back(bench, request, charge_id) == (Outcome.SUCCEEDED, PRICE.minor)
    found = look_up(bench, request)
    assert found is not None
    assert found.reversed == PRICE


def test_a_dispute_that_is_won_brings_the_money_again(bench: ReversingBench) -> None:
    request, charge_id = charged(bench)
    bench.reverse(charge_id)
    bench.reinstate(charge_id)
    assert taken_back(bench, request, charge_id) == (Outcome.SUCCEEDED, 0)
    bench.reverse(charge_id)
    assert taken_back(bench, request, charge_id) == (Outcome.SUCCEEDED, PRICE.minor)


def test_each_change_is_told_by_an_event_that_only_says_where_to_look(
    bench: ReversingBench,
) -> None:
    _, charge_id = charged(bench)
    for change in (bench.reverse, bench.reinstate):
        bench.deliveries()
        change(charge_id)
        told = [bench.provider.read_webhook(*delivery) for delivery in bench.deliveries()]
        assert {(one.kind, one.object_id) for one in told} == {(EventKind.REVERSAL, charge_id)}
        assert len({one.event_id for one in told}) == len(told)


def test_whose_a_payment_is_that_was_taken_back_can_be_asked(bench: ReversingBench) -> None:
    request, charge_id = charged(bench)
    assert bench.provider.find_charge_ref(charge_id) == request.charge_ref
    assert bench.provider.find_charge_ref("ch_unknown") is None


def test_only_the_payment_that_was_taken_back_is(bench: ReversingBench) -> None:
    setup = save(bench)
    requests = [request_for(setup, charge_ref=ref) for ref in ("one", "two")]
    ids = [bench.provider.charge(request).provider_charge_id for request in requests]
    assert ids[0] is not None
    bench.reverse(ids[0])
    found = [look_up(bench, request) for request in requests]
    assert [one.reversed if one else None for one in found] == [PRICE, None]


def test_the_list_says_what_was_taken_back_and_that_it_is_not_kept(bench: ReversingBench) -> None:
    setup = save(bench)
    result = bench.provider.charge(request_for(setup))
    assert result.provider_charge_id is not None
    told = []
    for change in (bench.reverse, bench.reinstate):
        change(result.provider_charge_id)
        told += [(one.succeeded, one.reversed_minor, one.kept) for one in listed(bench, setup)]
    assert told == [(True, PRICE.minor, False), (True, 0, True)]


def test_what_a_bank_took_back_cant_be_refunded_as_well(bench: ReversingBench) -> None:
    _, charge_id = charged(bench)
    bench.reverse(charge_id, 4_000)
    refunded = bench.provider.refund(
        provider_charge_id=charge_id,
        amount=Money(minor=4_000, currency="USD"),
        idempotency_key="refund-1",
    )
    assert refunded is RefundOutcome.REFUSED


def test_a_bank_may_take_back_a_part(bench: ReversingBench) -> None:
    request, charge_id = charged(bench)
    bench.reverse(charge_id, 1_000)
    assert taken_back(bench, request, charge_id) == (Outcome.SUCCEEDED, 1_000)
