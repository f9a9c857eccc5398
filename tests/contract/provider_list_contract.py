"""What providers promise that can list all that they have of a customer: a part of the one
suite."""

from datetime import timedelta

import pytest

from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.providers.errors import ProviderUnavailable
from tests.contract.bench import (
    PRICE,
    Bench,
    CardKind,
    ConfirmingBench,
    Trouble,
    listed,
    look_up,
    request_for,
    save,
)

MORE_THAN_A_PAGE = 120


def test_what_is_listed_of_a_customer_says_what_was_taken_and_what_went_back(
    bench: Bench,
) -> None:
    good = save(bench)
    bad = save(bench, CardKind.DECLINES, provider_customer=good.provider_customer)
    ids = {}
    for ref, setup in (("paid", good), ("declined", bad), ("some", good), ("all", good)):
        result = bench.provider.charge(request_for(setup, charge_ref=ref))
        assert result.provider_charge_id
        ids[ref] = result.provider_charge_id
    for ref, minor in (("some", 1_000), ("all", PRICE.minor)):
        bench.provider.refund(
            provider_charge_id=ids[ref],
            amount=Money(minor=minor, currency="USD"),
            idempotency_key=f"refund-{ref}",
        )
    found = listed(bench, good)
    assert {one.charge_ref: (one.succeeded, one.refunded_minor, one.kept) for one in found} == {
        "paid": (True, 0, True),
        "declined": (False, 0, False),
        "some": (True, 1_000, True),
        "all": (True, PRICE.minor, False),
    }
    assert {one.charge_ref: one.id for one in found} == ids
    assert {(one.amount, one.created_at) for one in found} == {(PRICE, bench.now())}


def test_what_was_asked_twice_with_one_key_is_listed_once(bench: Bench) -> None:
    setup = save(bench)
    request = request_for(setup)
    bench.trouble(Trouble.LOST_ANSWER)
    for _ in range(2):
        bench.provider.charge(request)
    assert [(one.charge_ref, one.kept) for one in listed(bench, setup)] == [("charge-1", True)]


def test_money_that_has_not_moved_yet_is_not_listed_as_taken(bench: ConfirmingBench) -> None:
    setup = save(bench, CardKind.NEEDS_AUTHENTICATION)
    waiting = bench.provider.charge(request_for(setup))
    assert waiting.confirm_url
    assert not any(one.kept for one in listed(bench, setup))
    bench.confirm(waiting.confirm_url)
    assert [one.kept for one in listed(bench, setup)] == [True]


def test_of_each_customer_only_their_own_is_listed(bench: Bench) -> None:
    one, other, third = (save(bench, reference=f"customer-{n}") for n in range(3))
    bench.provider.charge(request_for(one, charge_ref="of-one"))
    bench.provider.charge(request_for(other, charge_ref="of-other"))
    assert [seen.charge_ref for seen in listed(bench, one)] == ["of-one"]
    assert list(listed(bench, third)) == []


def test_a_list_begins_with_what_was_asked_for_at_that_moment(bench: Bench) -> None:
    setup = save(bench)
    moments = []
    for ref in ("first", "second", "third"):
        moments.append(bench.now())
        bench.provider.charge(request_for(setup, charge_ref=ref))
        bench.advance(3_600)
    for at, refs in enumerate([{"first", "second", "third"}, {"second", "third"}, {"third"}]):
        assert {one.charge_ref for one in listed(bench, setup, moments[at])} == refs
    assert list(listed(bench, setup, moments[2] + timedelta(seconds=1))) == []


def test_a_list_of_more_than_one_page_is_whole_and_has_nothing_twice(bench: Bench) -> None:
    setup = save(bench)
    for n in range(MORE_THAN_A_PAGE):
        bench.provider.charge(request_for(setup, charge_ref=f"charge-{n}"))
    noon = bench.now()
    bench.advance(60)
    for n in range(5):
        bench.provider.charge(request_for(setup, charge_ref=f"later-{n}"))
    refs = [one.charge_ref for one in listed(bench, setup)]
    assert len(refs) == len(set(refs)) == MORE_THAN_A_PAGE + 5
    assert len(listed(bench, setup, noon)) == MORE_THAN_A_PAGE + 5
    assert len(listed(bench, setup, noon + timedelta(seconds=1))) == 5


@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize("page", [0, 1])
def test_a_list_is_answered_whole_or_not_at_all(bench: Bench, trouble: Trouble, page: int) -> None:
    setup = save(bench)
    for n in range(MORE_THAN_A_PAGE):
        bench.provider.charge(request_for(setup, charge_ref=f"charge-{n}"))
    bench.trouble(trouble, after=page)
    with pytest.raises(ProviderUnavailable):
        listed(bench, setup)
    assert len(listed(bench, setup)) == MORE_THAN_A_PAGE


def test_a_look_up_tells_when_the_whole_amount_went_back(bench: Bench) -> None:
    request = request_for(save(bench))
    charged = bench.provider.charge(request)
    assert charged.provider_charge_id
    bench.let_settle()
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
