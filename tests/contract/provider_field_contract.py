"""What providers promise that have a card field for a page of ours: a part of the one suite."""

from contextlib import suppress
from typing import Protocol
from urllib.parse import urlsplit

import pytest

from shared.domain.outcome import Outcome
from shared.providers.errors import ProviderUnavailable, RequestRefused
from shared.providers.port import CardFrame, CardSetup
from tests.contract.bench import Bench, Trouble, request_for

EVERY_CALL = 3
"""As many as saving a card that is known takes."""


class FieldBench(Bench, Protocol):
    """One whose field hands a token to the page around it."""

    def token(self, number: str) -> str:
        """What the field makes of a card's number."""


WORKS = "4242424242424242"
LOST = "4000000000009987"


def field(bench: FieldBench) -> CardFrame:
    assert bench.provider.card_frame is not None
    return bench.provider.card_frame


def put_on_file(
    bench: FieldBench,
    number: str = WORKS,
    *,
    provider_customer: str | None = None,
    exp_year: int = 2029,
) -> CardSetup:
    return field(bench).save(
        reference="customer-1",
        email="ada@example.com",
        provider_customer=provider_customer,
        token=bench.token(number),
        exp_month=8,
        exp_year=exp_year,
        idempotency_key="card-1",
    )


def test_the_field_is_at_a_full_address_of_the_providers(bench: FieldBench) -> None:
    parts = urlsplit(field(bench).url)
    assert parts.scheme == "https"
    assert parts.netloc
    assert parts.path.startswith("/")


def test_a_card_that_was_entered_is_complete_and_can_be_charged(bench: FieldBench) -> None:
    setup = put_on_file(bench)
    assert setup.complete
    assert setup.card is not None
    assert (setup.card.exp_month, setup.card.exp_year) == (8, 2029)
    assert bench.provider.charge(request_for(setup)).outcome is Outcome.SUCCEEDED


def test_a_card_that_the_bank_does_not_take_is_told_and_not_kept(bench: FieldBench) -> None:
    setup = put_on_file(bench, LOST)
    assert not setup.complete
    assert setup.card is None
    assert setup.failure


def test_the_same_card_again_is_the_same_card(bench: FieldBench) -> None:
    first = put_on_file(bench)
    again = put_on_file(bench, provider_customer=first.provider_customer, exp_year=2033)
    assert first.card is not None
    assert again.card is not None
    assert (again.card.id, again.card.token) == (first.card.id, first.card.token)
    assert again.card.exp_year == 2033


@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize("call", range(EVERY_CALL))
def test_a_card_is_saved_once_whichever_answer_was_lost(
    bench: FieldBench, trouble: Trouble, call: int
) -> None:
    first = put_on_file(bench)
    bench.trouble(trouble, after=call)
    with suppress(ProviderUnavailable, RequestRefused):
        put_on_file(bench, provider_customer=first.provider_customer)
    again = put_on_file(bench, provider_customer=first.provider_customer)
    assert again.card == first.card
