"""What the flow of money asks of the database, with a warm function."""

from collections.abc import Callable

from infra.local.world import LocalWorld
from shared.domain.by import By
from shared.operations import cancel, checkout
from shared.operations.answered import Checked
from shared.operations.collect import Renewed, renew, retry
from shared.store import accounts
from shared.store.reading import read
from tests.billing.conftest import Shop
from tests.round_trips import round_trips
from tests.shop_floor import (
    FAILS_LATER,
    WORKS,
    card_of,
    context_of,
    customer_with_card,
    fill_cart,
    go_to,
    moment,
    press_pay,
    subscribed,
    subscription_of,
)


def stand_at(world: LocalWorld, when: str) -> None:
    """The clock there, nothing run; the catalogue is read again, as by a warm function."""
    world.clock.move_to(moment(when))
    context_of(world)


def counted(call: Callable[[], object]) -> list[str]:
    with round_trips() as made:
        call()
    return made


def test_a_renewal_is_read_intent_and_settling(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    subscription = subscription_of(ada).id
    go_to(world, "2026-02-28 04:58")
    stand_at(world, "2026-02-28 04:59")
    context = context_of(world)
    made = counted(lambda: renew(context, ada, subscription))
    assert made == ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"]


def test_a_renewal_that_is_declined_costs_no_more(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    subscription = subscription_of(ada).id
    go_to(world, "2026-02-28 04:58")
    stand_at(world, "2026-02-28 04:59")
    context = context_of(world)
    assert len(counted(lambda: renew(context, ada, subscription))) == 3


def test_a_free_renewal_is_read_and_written(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "gift")
    subscription = subscription_of(ada).id
    go_to(world, "2026-02-28 04:58")
    stand_at(world, "2026-02-28 04:59")
    context = context_of(world)
    assert len(counted(lambda: renew(context, ada, subscription))) == 2


def test_a_retry_reads_the_charge_besides(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    subscription = subscription_of(ada).id
    go_to(world, "2026-03-01 04:58")
    world.sandbox.let_card_behave_as(card_of(ada).token, WORKS)
    stand_at(world, "2026-03-01 04:59")
    context = context_of(world)
    assert len(counted(lambda: retry(context, ada, subscription))) <= 5


def test_an_event_that_comes_twice_reads_once_and_writes_nothing(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    subscription = subscription_of(ada).id
    go_to(world, "2026-02-28 12:00")
    context = context_of(world)
    made = counted(lambda: renew(context, ada, subscription))
    assert made == ["BatchGetItem"]
    assert renew(context, ada, subscription) is Renewed.NOTHING_DUE


def test_a_checkout_is_the_caller_s_read_the_intent_and_the_settling(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    cart = fill_cart(world, ada, "ten", "month", "mat")
    press = press_pay(world, ada, cart)
    context = context_of(world)
    head = accounts.head(ada)
    found = read(head, *checkout.refs(ada, "ny", press.submitted))
    row = found.get(head)
    assert row is not None

    def check_out() -> None:
        answered = checkout.check_out(
            context, customer=row, location=press.location, submitted=press.submitted, found=found
        )
        assert answered.state is Checked.PAID

    assert counted(check_out) == ["TransactWriteItems", "TransactWriteItems"]


def test_ending_at_the_period_s_end_is_read_and_written(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    subscription = subscription_of(ada).id
    cancel.cancel(context_of(world), ada, subscription, cancel.When.PERIOD_END, by=By.CUSTOMER)
    go_to(world, "2026-02-28 04:58")
    stand_at(world, "2026-02-28 04:59")
    context = context_of(world)
    assert len(counted(lambda: renew(context, ada, subscription))) == 2
