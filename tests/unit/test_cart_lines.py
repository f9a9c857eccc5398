"""What a line of a cart may ask for, and what a cart holds ([CART] [PWYW] [COMMIT])."""

from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.calendar import Frequency
from shared.domain.cart import MAX_LINES, CartLine
from shared.domain.cart_lines import Wanted, add_to, check_line, earliest_until
from shared.domain.customer import Customer
from shared.domain.errors import Invalid
from shared.domain.product import MAX_PRICE_MINOR, Product
from shared.domain.product_kind import ProductKind
from shared.domain.shopping import MAX_QUANTITY
from tests.unit.shopping_samples import (
    NEW_YORK,
    NOBODY,
    TODAY,
    cart_line,
    catalogue,
    customer,
    product,
    subscription,
)

# --- a line ([CART] [PWYW] [COMMIT]) ---------------------------------------------------------


def line_of(what: Product, who: Customer | None = NOBODY, **wanted: Any) -> CartLine:
    asked = Wanted(product_id=what.id, **wanted)
    return check_line(what, NEW_YORK, asked, today=TODAY, customer=who, line_id="l1")


def refused(what: Product, who: Customer | None = NOBODY, **wanted: Any) -> set[str]:
    """The fields that the answer names."""
    with pytest.raises(Invalid) as caught:
        line_of(what, who, **wanted)
    assert all(caught.value.fields.values())
    return set(caught.value.fields)


@pytest.mark.parametrize("quantity", [-1, 0, MAX_QUANTITY + 1, 10**12])
def test_a_quantity_is_from_1_to_99(quantity: int) -> None:
    assert refused(product("mat"), quantity=quantity) == {"quantity"}


def test_the_quantity_of_retail_and_packages_is_kept() -> None:
    assert line_of(product("mat"), quantity=MAX_QUANTITY).quantity == MAX_QUANTITY
    assert line_of(product("p", ProductKind.PACKAGE), quantity=2).quantity == 2


@pytest.mark.parametrize("kind", [ProductKind.SUBSCRIPTION, ProductKind.ACCESS])
def test_a_subscription_and_a_digital_product_have_quantity_1(kind: ProductKind) -> None:
    assert refused(product("one", kind), quantity=2) == {"quantity"}


def test_the_product_gives_the_default_frequency_and_those_allowed() -> None:
    what = subscription(frequencies=(Frequency.WEEKLY, Frequency.MONTHLY))
    assert line_of(what).frequency is Frequency.MONTHLY
    assert line_of(what, frequency="weekly").frequency is Frequency.WEEKLY
    assert refused(what, frequency="annual") == {"frequency"}
    assert refused(what, frequency="hourly") == {"frequency"}


@pytest.mark.parametrize(
    "choice",
    [{"frequency": "monthly"}, {"starts_on": TODAY}, {"until": TODAY}],
)
def test_only_a_subscription_line_takes_frequency_start_and_until(choice: dict[str, Any]) -> None:
    assert refused(product("p", ProductKind.PACKAGE), **choice) == set(choice)


def test_a_start_is_not_in_the_past_and_at_most_a_year_ahead() -> None:
    what = subscription()
    assert refused(what, starts_on=TODAY - timedelta(days=1)) == {"starts_on"}
    assert line_of(what, starts_on=date(2027, 3, 10)).starts_on == date(2027, 3, 10)
    assert refused(what, starts_on=date(2027, 3, 11)) == {"starts_on"}


def test_a_start_today_means_the_day_of_purchase() -> None:
    assert line_of(subscription(), starts_on=TODAY).starts_on is None


def test_until_is_not_before_the_start() -> None:
    what = subscription()
    assert line_of(what, until=TODAY).until == TODAY
    assert refused(what, until=TODAY - timedelta(days=1)) == {"until"}
    start = TODAY + timedelta(days=20)
    assert refused(what, starts_on=start, until=start - timedelta(days=1)) == {"until"}


def test_an_until_before_the_last_payment_of_the_commitment_is_refused() -> None:
    what = subscription(minimum_payments=3)
    # Paid for the periods from 10 March, 10 April and 10 May.
    assert refused(what, until=date(2026, 5, 9)) == {"until"}
    assert line_of(what, until=date(2026, 5, 10)).until == date(2026, 5, 10)


def test_a_trial_moves_the_earliest_until_of_a_commitment() -> None:
    what = subscription(minimum_payments=2, trial_days=14)
    # Anchor 24 March, second period from 24 April.
    assert refused(what, until=date(2026, 4, 23)) == {"until"}
    assert line_of(what, until=date(2026, 4, 24)).until == date(2026, 4, 24)
    had_it = customer(trials_used=("membership",))
    assert line_of(what, had_it, until=date(2026, 4, 10)).until == date(2026, 4, 10)


def test_the_earliest_until_keeps_the_anchors_day() -> None:
    what = subscription(minimum_payments=2)
    assert earliest_until(what, date(2026, 1, 31), Frequency.MONTHLY) == date(2026, 2, 28)


def test_a_price_for_a_product_with_a_fixed_price_is_refused() -> None:
    for kind in ProductKind:
        assert refused(product("p", kind), price_minor=1) == {"price"}
    assert refused(product("p"), price_minor=1000) == {"price"}


def test_a_chosen_price_is_at_least_the_minimum_which_may_be_0() -> None:
    free = product("talk", pay_what_you_want=True)
    assert line_of(free, price_minor=0).seen_minor == 0
    assert refused(free, price_minor=-1) == {"price"}
    least = product("class", pay_what_you_want=True, minimum_prices={"USD": 500})
    assert refused(least, price_minor=499) == {"price"}
    assert line_of(least, price_minor=500).seen_minor == 500
    assert refused(least, price_minor=MAX_PRICE_MINOR + 1) == {"price"}


def test_without_a_chosen_price_the_suggestion_holds() -> None:
    assert line_of(product("talk", pay_what_you_want=True)).seen_minor == 1000


def test_each_wrong_field_is_named() -> None:
    wrong = refused(subscription(), quantity=0, price_minor=5, frequency="never", until=TODAY)
    assert wrong == {"quantity", "price", "frequency"}


# --- lines of a cart -------------------------------------------------------------------------


def added(*lines: CartLine, products: tuple[Product, ...]) -> tuple[CartLine, ...]:
    result: tuple[CartLine, ...] = ()
    for line in lines:
        result = add_to(result, line, catalogue(*products))
    return result


def test_the_same_product_with_the_same_choices_joins_its_line() -> None:
    lines = added(
        cart_line("mat", 1, quantity=2), cart_line("mat", 2, quantity=3), products=(product("mat"),)
    )
    assert [(line.id, line.quantity) for line in lines] == [("mat-1", 5)]


def test_another_chosen_price_is_a_line_of_its_own() -> None:
    lines = added(
        cart_line("talk", 1, price_minor=0, seen_minor=0),
        cart_line("talk", 2, price_minor=500, seen_minor=500),
        products=(product("talk", pay_what_you_want=True),),
    )
    assert [line.price_minor for line in lines] == [0, 500]


def test_a_subscription_added_twice_stays_one() -> None:
    lines = added(
        cart_line("membership", 1, frequency=Frequency.MONTHLY),
        cart_line("membership", 2, frequency=Frequency.MONTHLY),
        products=(subscription(),),
    )
    assert [line.quantity for line in lines] == [1]


def test_a_cart_holds_at_most_20_lines() -> None:
    products = tuple(product(f"p{n}") for n in range(MAX_LINES + 1))
    lines = [cart_line(f"p{n}") for n in range(MAX_LINES + 1)]
    assert len(added(*lines[:MAX_LINES], products=products)) == MAX_LINES
    with pytest.raises(Invalid) as caught:
        added(*lines, products=products)
    assert caught.value.code == "cart_full"


def test_quantities_that_add_up_past_99_are_refused() -> None:
    with pytest.raises(Invalid) as caught:
        added(
            cart_line("mat", 1, quantity=60),
            cart_line("mat", 2, quantity=40),
            products=(product("mat"),),
        )
    assert set(caught.value.fields) == {"quantity"}


def test_more_packs_than_one_payment_can_grant_are_refused() -> None:
    pack = product("pack", ProductKind.PACKAGE)
    assert added(cart_line("pack", quantity=20), products=(pack,))
    with pytest.raises(Invalid):
        added(cart_line("pack", quantity=21), products=(pack,))
