"""A few hundred renewals at one minute; `make renewals` plays ten thousand."""

from tests.pacing.renewals import Night, Plan

BASE = Plan(renewals=120, workers=24)


def test_renewals_keep_stripes_limit_and_all_are_collected_at_the_first_try() -> None:
    told = Night(BASE.but(renewals=300)).play()
    assert told.held, told
    assert told.collected == 300
    assert told.refused == 0
    assert told.busiest <= 25
    # Turns are not wasted: they come nearly as quickly as they may.
    assert told.seconds <= told.least_seconds * 1.15 + 5
    assert told.turn_writes <= 1.5 * told.calls


def test_customers_who_buy_meanwhile_are_paid_and_wait_for_no_turn() -> None:
    told = Night(BASE.but(purchases=3.0, seed=2)).play()
    assert told.held, told
    assert told.bought >= 10
    assert told.slowest_purchase < 3


def test_an_endpoints_own_limit_is_kept_where_the_whole_account_may_do_more() -> None:
    told = Night(BASE.but(live=True, purchases=2.0, workers=40)).play()
    assert told.held, told
    assert told.busiest_endpoint <= 25 + 3


def test_an_account_with_raised_limits_renews_four_times_as_quickly() -> None:
    raised = BASE.but(live=True, workers=64, calls_per_endpoint=80.0, endpoint_limit=100)
    told = Night(raised).play()
    assert told.held, told
    assert told.refused == 0
    assert told.seconds < 5


def test_reports_that_overtake_the_answers_keep_the_limit_too() -> None:
    told = Night(BASE.but(webhook_delay=0)).play()
    assert told.held, told
    assert told.refused == 0


def test_without_turns_stripe_refuses_more_than_repeating_can_mend() -> None:
    without = BASE.but(calls_per_second=0.0, calls_per_endpoint=0.0, workers=40)
    told = Night(without).play()
    assert told.refused > 100
    assert told.not_collected_at_once > 0
    # Later, and once each.
    assert (told.collected, told.twice, told.breached) == (120, 0, [])


def test_a_charge_that_gets_no_turn_in_time_is_not_sent_and_is_collected_later_once() -> None:
    told = Night(BASE.but(workers=40, calls_per_second=1.0)).play()
    assert told.not_collected_at_once > 0
    assert told.refused == 0
    assert told.busiest <= 2
    assert (told.collected, told.twice, told.breached, told.errors) == (120, 0, [], [])
