"""When renewals are charged, credited and announced, on the clock of both locations."""

from datetime import date

from shared.domain.calendar import Frequency
from shared.domain.message import MessageKind
from shared.domain.subscription import SubscriptionState
from tests.billing.conftest import Shop
from tests.shop_floor import (
    charged_at,
    go_to,
    packs_of,
    subscribed,
    subscription_of,
    text,
    told_at,
)

REMINDERS = MessageKind.RENEWAL_REMINDER


def test_a_month_anchored_on_the_31st_is_charged_on_the_last_days_in_new_york(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-12-31 12:00")
    assert charged_at(world, ada) == [
        "2026-01-31 15:00",
        "2026-02-28 04:59",
        "2026-03-31 03:59",
        "2026-04-30 03:59",
        "2026-05-31 03:59",
        "2026-06-30 03:59",
        "2026-07-31 03:59",
        "2026-08-31 03:59",
        "2026-09-30 03:59",
        "2026-10-31 03:59",
        "2026-11-30 04:59",
        "2026-12-31 04:59",
    ]
    assert subscription_of(ada).anchor == date(2026, 1, 31)


def test_its_credits_are_valid_from_the_start_of_the_day_to_the_next_ones(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-05-15 12:00")
    assert [(text(p.usable_from), text(p.expires_at), p.left) for p in packs_of(ada)] == [
        ("2026-01-31 05:00", "2026-02-28 05:00", 0),
        ("2026-02-28 05:00", "2026-03-31 04:00", 0),
        ("2026-03-31 04:00", "2026-04-30 04:00", 0),
        ("2026-04-30 04:00", "", 8),
    ]


def test_the_same_in_berlin_across_both_changes_of_the_clock(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", location="be")
    go_to(world, "2026-11-30 12:00")
    assert charged_at(world, ada) == [
        "2026-01-31 15:00",
        "2026-02-27 22:59",
        "2026-03-30 21:59",
        "2026-04-29 21:59",
        "2026-05-30 21:59",
        "2026-06-29 21:59",
        "2026-07-30 21:59",
        "2026-08-30 21:59",
        "2026-09-29 21:59",
        "2026-10-30 22:59",
        "2026-11-29 22:59",
    ]
    assert [text(pack.usable_from) for pack in packs_of(ada)][:4] == [
        "2026-01-30 23:00",
        "2026-02-27 23:00",
        "2026-03-30 22:00",
        "2026-04-29 22:00",
    ]


def test_reminders_come_seven_days_before_at_2359_and_no_other_day(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-11-30 12:00")
    assert told_at(ada, REMINDERS) == [
        "2026-02-21 04:59",
        "2026-03-24 03:59",
        "2026-04-23 03:59",
        "2026-05-24 03:59",
        "2026-06-23 03:59",
        "2026-07-24 03:59",
        "2026-08-24 03:59",
        "2026-09-23 03:59",
        "2026-10-24 03:59",
        "2026-11-23 04:59",
    ]


def test_a_weekly_ones_first_renewal_is_not_announced_before_the_purchase(shop: Shop) -> None:
    world = shop("2026-01-05 15:00")
    ada = subscribed(world, "five_days")
    go_to(world, "2026-01-27 12:00")
    assert charged_at(world, ada) == [
        "2026-01-05 15:00",
        "2026-01-12 04:59",
        "2026-01-19 04:59",
        "2026-01-26 04:59",
    ]
    assert told_at(ada, REMINDERS) == ["2026-01-12 04:59", "2026-01-19 04:59", "2026-01-26 04:59"]


def test_an_annual_one_from_the_leap_day(shop: Shop) -> None:
    world = shop("2028-02-29 15:00")
    ada = subscribed(world, "yearly")
    go_to(world, "2029-03-01 12:00")
    go_to(world, "2030-03-01 12:00")
    go_to(world, "2031-03-01 12:00")
    go_to(world, "2032-03-01 12:00")
    assert charged_at(world, ada) == [
        "2028-02-29 15:00",
        "2029-02-28 04:59",
        "2030-02-28 04:59",
        "2031-02-28 04:59",
        "2032-02-29 04:59",
    ]
    assert [text(pack.usable_from) for pack in packs_of(ada)][-1] == "2032-02-29 05:00"


def test_the_fortnightly_go_by_fourteen_days_of_the_local_calendar(shop: Shop) -> None:
    world = shop("2026-03-05 15:00")
    ada = subscribed(world, "month", frequency=Frequency.BIWEEKLY)
    go_to(world, "2026-04-05 12:00")
    assert charged_at(world, ada) == ["2026-03-05 15:00", "2026-03-19 03:59", "2026-04-02 03:59"]


def test_nothing_that_starts_after_until_is_charged_and_it_then_ends(shop: Shop) -> None:
    world = shop("2026-01-05 15:00")
    ada = subscribed(world, "five_days", until=date(2026, 2, 2))
    bob = subscribed(world, "five_days", until=date(2026, 2, 1), email="bob@example.com")
    go_to(world, "2026-03-15 12:00")
    four = ["2026-01-05 15:00", "2026-01-12 04:59", "2026-01-19 04:59", "2026-01-26 04:59"]
    assert charged_at(world, ada) == [*four, "2026-02-02 04:59"]
    assert charged_at(world, bob) == four
    for customer in (ada, bob):
        assert subscription_of(customer).state is SubscriptionState.ENDED
    # The charge that will not come is not announced either.
    assert told_at(bob, REMINDERS) == ["2026-01-12 04:59", "2026-01-19 04:59"]


def test_a_zero_credit_pack_is_there_and_listed_as_expired_at_the_next_renewal(shop: Shop) -> None:
    world = shop("2026-01-10 15:00")
    ada = subscribed(world, "support")
    go_to(world, "2026-02-10 04:59")
    (first, second) = packs_of(ada)
    assert first.status(world.now()).value == "active"
    assert second.status(world.now()).value == "upcoming"
    go_to(world, "2026-02-10 05:00")
    (first, second) = packs_of(ada)
    assert first.status(world.now()).value == "expired"
    assert second.status(world.now()).value == "active"


def test_a_subscription_of_nothing_calls_no_provider(shop: Shop) -> None:
    world = shop("2026-01-10 15:00")
    ada = subscribed(world, "gift")
    go_to(world, "2026-04-01 12:00")
    assert world.sandbox.charges() == []
    assert [text(pack.usable_from) for pack in packs_of(ada)] == [
        "2026-01-10 05:00",
        "2026-02-10 05:00",
        "2026-03-10 04:00",
    ]
