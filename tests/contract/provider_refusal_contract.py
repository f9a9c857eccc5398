"""What providers promise of requests that they won't take: no money moves, no card is to blame, and
staff can be told why. A part of the one suite."""

from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.providers.port import SetupProblem
from tests.contract.bench import PRICE, RefusingBench, look_up, request_for, save


def test_a_key_that_was_revoked_is_refused_and_nothing_is_charged(bench: RefusingBench) -> None:
    request = request_for(save(bench))
    bench.revoke_key()
    result = bench.provider.charge(request)
    assert result.outcome is Outcome.REFUSED
    assert result.decline_code
    bench.restore_key()
    assert look_up(bench, request) is None
    assert bench.succeeded("charge-1") == 0
    assert bench.provider.charge(request).outcome is Outcome.SUCCEEDED


def test_an_amount_that_is_too_small_is_refused(bench: RefusingBench) -> None:
    request = request_for(save(bench))
    small = request._replace(amount=Money(minor=0, currency=PRICE.currency))
    result = bench.provider.charge(small)
    assert result.outcome is Outcome.REFUSED
    assert result.decline_code
    assert bench.succeeded("charge-1") == 0


def test_an_account_that_stands_well_has_no_problems(bench: RefusingBench) -> None:
    report = bench.provider.check_setup([PRICE.currency])
    assert report.problems == ()
    assert report.live is False
    assert report.account


def test_a_revoked_key_is_told_to_staff(bench: RefusingBench) -> None:
    bench.revoke_key()
    report = bench.provider.check_setup([PRICE.currency])
    assert [problem for problem, _ in report.problems] == [SetupProblem.KEY_REFUSED]
    assert all(sentence for _, sentence in report.problems)
