"""Money is whole minor units of one currency, rounded half-up ([MONEY])."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.money import Money, total

minors = st.integers(-(10**12), 10**12)


def usd(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


def test_example_12_a_pack_of_ten_for_250_with_tax_of_8_25_percent_is_270_63() -> None:
    price = usd(250_00)
    tax = price.share(Decimal("0.0825"))
    assert tax == usd(20_63)
    assert price + tax == usd(270_63)


def test_example_12_refunding_8_credits_and_then_the_rest_gives_back_what_was_paid() -> None:
    eight = usd(250_00).share(Decimal(8) / Decimal(10))
    first = eight + eight.share(Decimal("0.0825"))
    assert first == usd(216_50)
    assert usd(270_63) - first == usd(54_13)


@pytest.mark.parametrize(
    ("minor", "rate", "expected"),
    [
        (1, "0.5", 1),
        (3, "0.5", 2),
        (5, "0.5", 3),
        (1, "0.4999", 0),
        (10_00, "0.08255", 83),
        (10_00, "0.0824", 82),
        (-1, "0.5", -1),
        (-3, "0.5", -2),
        (-1, "0.4999", 0),
        (250_00, "0.0825", 20_63),
        (-250_00, "0.0825", -20_63),
        (99, "0", 0),
        (99, "1", 99),
    ],
)
def test_a_share_is_rounded_half_up_and_a_negative_one_like_its_opposite(
    minor: int, rate: str, expected: int
) -> None:
    assert usd(minor).share(Decimal(rate)) == usd(expected)


@settings(deadline=None)
@given(minors, st.integers(0, 1_000_000))
def test_a_share_is_the_nearest_unit_by_plain_integers(minor: int, millionths: int) -> None:
    size, sign = abs(minor), -1 if minor < 0 else 1
    expected = sign * ((2 * size * millionths + 1_000_000) // 2_000_000)
    assert usd(minor).share(Decimal(millionths) / 1_000_000) == usd(expected)


@settings(deadline=None)
@given(minors)
def test_taking_money_away_leaves_what_was_there_before(minor: int) -> None:
    assert usd(100) + usd(minor) - usd(minor) == usd(100)
    assert usd(minor) + -usd(minor) == Money.zero("USD")


def test_quantities_multiply_and_a_list_adds_up() -> None:
    assert usd(30_00) * 3 == usd(90_00)
    assert total([usd(1), usd(2), usd(-4)], "USD") == usd(-1)
    assert total([], "EUR") == Money.zero("EUR")


def test_only_zero_is_nothing() -> None:
    assert not usd(0)
    assert usd(1)
    assert usd(-1)


def test_amounts_of_one_currency_are_ordered() -> None:
    assert sorted([usd(3), usd(-1), usd(2)]) == [usd(-1), usd(2), usd(3)]
    assert usd(2) <= usd(2)
    assert usd(3) > usd(2)


def test_currencies_do_not_mix() -> None:
    dollar, euro = usd(1), Money(minor=1, currency="EUR")
    assert dollar != euro
    with pytest.raises(ValueError, match="do not mix"):
        dollar + euro  # the sum itself is what fails
    with pytest.raises(ValueError, match="do not mix"):
        dollar - euro
    with pytest.raises(ValueError, match="do not mix"):
        sorted([dollar, euro])
    with pytest.raises(ValueError, match="do not mix"):
        assert dollar <= euro
    with pytest.raises(ValueError, match="do not mix"):
        total([euro], "USD")


@pytest.mark.parametrize("minor", [1.0, 1.5, True, "1", None])
def test_what_is_not_a_whole_number_of_units_is_refused(minor: object) -> None:
    with pytest.raises(ValidationError, match="minor"):
        Money.model_validate({"minor": minor, "currency": "USD"})


@pytest.mark.parametrize("currency", ["usd", "US", "USDT", "", " USD", "USD\n"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValidationError, match="currency"):
        Money.model_validate({"minor": 1, "currency": currency})


def test_money_survives_being_written_down() -> None:
    assert Money.model_validate_json(usd(-250_00).model_dump_json()) == usd(-250_00)


def test_rounding_does_not_depend_on_the_surrounding_precision() -> None:
    with localcontext() as context:
        context.prec = 50
        expected = usd(10**20 + 1).share(Decimal("0.0825"))
    assert usd(10**20 + 1).share(Decimal("0.0825")) == expected
