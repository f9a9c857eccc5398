"""What a cart costs ([CART] [TAX] [MONEY] [TRIAL] [CHECKOUT])."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.domain.business import Location
from shared.domain.calendar import Frequency
from shared.domain.cart import Cart, CartLine
from shared.domain.cart_lines import Wanted, check_line
from shared.domain.customer import Customer
from shared.domain.money import Money
from shared.domain.order import Due, invoice_lines
from shared.domain.pricing import ChangeKind, PricedCart, price_cart
from shared.domain.product import Product, RestrictTo
from shared.domain.product_kind import ProductKind
from shared.domain.shopping import (
    Hidden,
)
from tests.unit.shopping_samples import (
    BERLIN,
    NEW_YORK,
    NOBODY,
    NOW,
    TODAY,
    cart_line,
    catalogue,
    customer,
    product,
    subscription,
    usd,
)


def line_of(what: Product, who: Customer | None = NOBODY) -> CartLine:
    asked = Wanted(product_id=what.id)
    return check_line(what, NEW_YORK, asked, today=TODAY, customer=who, line_id="l1")


def priced(
    *lines: CartLine,
    products: tuple[Product, ...],
    who: Customer | None = NOBODY,
    where: Location = NEW_YORK,
    now: datetime = NOW,
    **settings: Any,
) -> PricedCart:
    cart = Cart(id="cart", location_id=where.id, lines=lines, changed_at=now)
    return price_cart(cart, catalogue(*products, **settings), where, who, now, provider_ready=True)


def test_tax_is_rounded_half_up_on_each_line() -> None:
    # 250.00 at 8.25% is 20.625; 0.02 is 0.00165: each line is rounded by itself.
    result = priced(
        cart_line("ten", seen_minor=25_000),
        cart_line("pin", seen_minor=2, quantity=3),
        products=(
            product("ten", ProductKind.PACKAGE, prices={"USD": 25_000}, taxed=True),
            product("pin", prices={"USD": 2}, taxed=True),
        ),
    )
    assert [line.tax for line in result.lines] == [usd(2063), usd(0)]
    assert result.subtotal == usd(25_006)
    assert result.total == usd(27_069)
    assert result.needs_card


def test_a_product_that_is_not_taxed_has_no_tax() -> None:
    assert priced(cart_line("mat"), products=(product("mat"),)).tax == usd(0)


def test_packages_and_subscriptions_are_taxed_only_when_the_setting_says_so() -> None:
    products = (
        product("ten", ProductKind.PACKAGE, taxed=True),
        subscription(taxed=True),
        product("mat", taxed=True),
    )
    lines = [cart_line(one.id) for one in products]
    with_tax = priced(*lines, products=products)
    assert [line.tax for line in with_tax.lines] == [usd(83), usd(83), usd(83)]
    without = priced(*lines, products=products, taxes_packages=False)
    assert [line.tax for line in without.lines] == [usd(0), usd(0), usd(83)]


def test_an_amount_is_in_the_locations_currency_and_tax() -> None:
    mat = product("mat", prices={"USD": 1000, "EUR": 900}, taxed=True)
    result = priced(cart_line("mat", seen_minor=900), products=(mat,), where=BERLIN)
    assert result.total == Money(minor=1071, currency="EUR")


def test_everything_in_one_cart_is_one_charge_and_what_starts_later_is_not_in_it() -> None:
    products = (
        product("mat"),
        product("ten", ProductKind.PACKAGE),
        subscription("now"),
        subscription("april"),
    )
    result = priced(
        cart_line("mat", quantity=2),
        cart_line("ten"),
        cart_line("now"),
        cart_line("april", starts_on=date(2026, 4, 1)),
        products=products,
    )
    assert result.total == usd(4000)
    assert [line.due for line in result.lines] == [Due.NOW, Due.NOW, Due.NOW, Due.LATER]
    assert len(invoice_lines(result.order)) == 3
    [later] = result.later
    # 1 April begins at 04:00Z in New York.
    assert (later.name, later.at) == ("april", datetime(2026, 4, 1, 4, tzinfo=UTC))
    assert later.amount == usd(1000)


def test_a_trial_is_not_charged_now_but_at_2359_of_the_day_before_its_anchor() -> None:
    what = subscription("trial", trial_days=14, taxed=True)
    result = priced(cart_line("trial"), products=(what,))
    [line] = result.lines
    assert (line.due, line.anchor) == (Due.AFTER_TRIAL, date(2026, 3, 24))
    # 23 March 23:59 in New York, summer time.
    assert line.first_charge_at == datetime(2026, 3, 24, 3, 59, tzinfo=UTC)
    assert result.later[0].amount == usd(1083)
    assert result.total == usd(0)
    assert result.order[0].line is None
    assert result.needs_card, "a subscription needs a card on file"


def test_a_trial_is_given_once_per_customer_and_product() -> None:
    what = subscription("trial", trial_days=14)
    had_it = customer(trials_used=("trial",))
    assert priced(cart_line("trial"), products=(what,), who=had_it).total == usd(1000)
    twice = priced(
        cart_line("trial", 1),
        cart_line("trial", 2, starts_on=date(2026, 4, 1)),
        products=(what,),
        who=customer(),
    )
    assert [line.due for line in twice.lines] == [Due.AFTER_TRIAL, Due.LATER]


def test_a_visitor_who_was_shown_a_trial_and_turns_out_to_have_had_it_is_told() -> None:
    what = subscription("trial", trial_days=14)
    line = line_of(what, NOBODY)
    result = priced(line, products=(what,), who=customer(trials_used=("trial",)))
    assert [change.kind for change in result.changes] == [ChangeKind.TRIAL_USED]


def test_a_free_cart_without_a_subscription_needs_no_card() -> None:
    talk = product("talk", pay_what_you_want=True)
    result = priced(cart_line("talk", price_minor=0, seen_minor=0), products=(talk,))
    assert result.total == usd(0)
    assert not result.needs_card
    assert len(invoice_lines(result.order)) == 1, "a 0 payment is on the invoice"


def test_a_changed_price_is_charged_as_it_is_now_and_named() -> None:
    result = priced(cart_line("mat", seen_minor=900), products=(product("mat"),))
    assert result.total == usd(1000)
    [change] = result.changes
    assert (change.kind, change.before, change.after) == (ChangeKind.PRICE, usd(900), usd(1000))
    assert not result.blocked


def test_what_is_not_offered_any_more_costs_nothing_and_blocks_the_cart() -> None:
    members = product("members", restrict_to=RestrictTo.ACTIVE_MEMBERS)
    result = priced(
        cart_line("members"),
        cart_line("gone"),
        cart_line("mat"),
        products=(members, product("mat")),
    )
    assert result.total == usd(1000)
    assert {change.hidden for change in result.changes} == {
        Hidden.ACTIVE_MEMBERS_ONLY,
        Hidden.DISABLED,
    }
    assert result.blocked


def test_a_start_that_has_passed_becomes_today_and_is_named() -> None:
    result = priced(
        cart_line("membership", starts_on=TODAY - timedelta(days=3)), products=(subscription(),)
    )
    assert [change.kind for change in result.changes] == [ChangeKind.START_PASSED]
    assert result.lines[0].starts_on == TODAY
    assert result.total == usd(1000)


def test_a_frequency_that_the_product_has_given_up_blocks_the_cart() -> None:
    result = priced(cart_line("membership", frequency=Frequency.ANNUAL), products=(subscription(),))
    assert [change.kind for change in result.changes] == [ChangeKind.CHOICE_REFUSED]
    assert result.lines == ()
    assert result.blocked


def test_today_is_the_locations_own_day() -> None:
    # 03:30Z on 11 March is still 10 March in New York.
    result = priced(
        cart_line("membership"),
        products=(subscription(),),
        now=datetime(2026, 3, 11, 3, 30, tzinfo=UTC),
    )
    assert result.lines[0].starts_on == date(2026, 3, 10)


def test_what_was_seen_has_another_name_once_anything_in_it_differs() -> None:
    products = (product("mat"),)
    one = priced(cart_line("mat"), products=products)
    assert one.seen == priced(cart_line("mat"), products=products).seen
    assert one.seen != priced(cart_line("mat", quantity=2), products=products).seen
    dearer = (product("mat", prices={"USD": 1001}),)
    assert one.seen != priced(cart_line("mat"), products=dearer).seen
    taxed = (product("mat", taxed=True),)
    assert one.seen != priced(cart_line("mat"), products=taxed).seen
