"""Staff pause and resume a subscription ([PAUSE]), by the console and the clock."""

import json
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.dunning import RetryPolicy, Then
from shared.domain.ending import EndReason
from shared.domain.invoice import InvoiceState
from shared.domain.message import MessageKind
from shared.domain.subscription import SubscriptionState
from shared.store.staff import Role
from tests.billing.conftest import Shop
from tests.console.office import Desk, code_of, customer, events_of, staff, told
from tests.shop_floor import (
    FAILS_LATER,
    WORKS,
    Wanted,
    buy,
    card_of,
    charge_of_period,
    charged_at,
    customer_with_card,
    go_to,
    head,
    invoices_of,
    moment,
    new_card,
    newcomer,
    packs_of,
    subscribed,
    subscription_of,
    text,
    told_at,
    tried_at,
)

BOUGHT = "2026-01-31 15:00"


def press(world: LocalWorld, ada: str, what: str, desk: Desk | None = None) -> Response:
    """An owner presses `pause` or `resume`."""
    path = f"/console/customers/{ada}/subscriptions/{subscription_of(ada).id}/{what}"
    answer = (desk or staff(world)).post(path)
    world.run_due()
    return answer


def pause(world: LocalWorld, ada: str) -> None:
    answer = press(world, ada, "pause")
    assert (answer.status, json.loads(answer.body)["state"]) == (200, "paused"), answer.body


def resume(world: LocalWorld, ada: str) -> None:
    answer = press(world, ada, "resume")
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["state"] != "paused"


def next_charge(world: LocalWorld, ada: str) -> str:
    """As the customer's own page has it."""
    page = customer(world, ada).data(f"/subscriptions/{subscription_of(ada).id}")
    ahead = page["subscription"]["next_charge"]
    return "" if ahead is None else ahead["at"]


# --- charges -------------------------------------------------------------------------------------


def test_worked_example_7_the_charge_inside_the_pause_is_skipped_and_the_anchor_stays(
    shop: Shop,
) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    go_to(world, "2026-02-20 15:00")
    pause(world, ada)
    go_to(world, "2026-02-28 15:00")
    assert charged_at(world, ada) == ["2026-01-31 15:00"]
    resume(world, ada)
    assert next_charge(world, ada) == "2026-03-31T03:59:00Z"
    go_to(world, "2026-05-10 15:00")
    assert charged_at(world, ada) == ["2026-01-31 15:00", "2026-03-31 03:59", "2026-04-30 03:59"]
    third = packs_of(ada)[1]
    assert text(third.usable_from) == "2026-03-31 04:00"
    assert subscription_of(ada).anchor.isoformat() == "2026-01-31"


@pytest.mark.parametrize(
    ("resumed_at", "charged"),
    [("2026-02-28 04:59", ["2026-02-28 04:59"]), ("2026-02-28 05:00", [])],
)
def test_a_charge_at_the_moment_of_resuming_is_made(
    shop: Shop, resumed_at: str, charged: list[str]
) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    go_to(world, "2026-02-20 15:00")
    pause(world, ada)
    # Nothing of the same minute is done before the button is pressed.
    world.clock.move_to(moment(resumed_at))
    resume(world, ada)
    assert charged_at(world, ada)[1:] == charged


def test_a_pause_at_the_moment_of_the_charge_comes_first(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    go_to(world, "2026-02-28 04:58")
    world.clock.move_to(moment("2026-02-28 04:59"))
    pause(world, ada)
    go_to(world, "2026-03-10 15:00")
    resume(world, ada)
    go_to(world, "2026-03-31 03:59")
    assert charged_at(world, ada) == ["2026-01-31 15:00", "2026-03-31 03:59"]


def test_a_pause_between_two_charges_skips_nothing(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    go_to(world, "2026-02-05 15:00")
    pause(world, ada)
    go_to(world, "2026-02-10 15:00")
    resume(world, ada)
    go_to(world, "2026-02-28 04:59")
    assert charged_at(world, ada) == ["2026-01-31 15:00", "2026-02-28 04:59"]


def test_months_of_a_pause_are_never_caught_up(shop: Shop) -> None:
    world = shop("2026-01-05 15:00")
    ada = subscribed(world, "five_days")
    go_to(world, "2026-01-20 15:00")
    pause(world, ada)
    go_to(world, "2026-06-17 15:00")
    resume(world, ada)
    go_to(world, "2026-06-22 15:00")
    assert charged_at(world, ada) == [
        "2026-01-05 15:00",
        "2026-01-12 04:59",
        "2026-01-19 04:59",
        "2026-06-22 03:59",
    ]
    assert len(packs_of(ada)) == 4


def test_no_period_after_until_is_charged_and_a_pause_ends_with_it(shop: Shop) -> None:
    world = shop("2026-01-05 15:00")
    until = moment("2026-02-02 12:00").date()
    ada = subscribed(world, "five_days", until=until)
    go_to(world, "2026-01-20 15:00")
    pause(world, ada)
    # The last period that `until` allows begins on 2 February, the first it forbids on the 9th.
    go_to(world, "2026-02-09 04:58")
    assert subscription_of(ada).state is SubscriptionState.PAUSED
    go_to(world, "2026-02-09 04:59")
    over = subscription_of(ada)
    assert (over.state, over.end_reason) == (SubscriptionState.ENDED, EndReason.UNTIL)
    assert len(charged_at(world, ada)) == 3


def test_until_still_holds_after_a_pause(shop: Shop) -> None:
    world = shop("2026-01-05 15:00")
    until = moment("2026-02-02 12:00").date()
    ada = subscribed(world, "five_days", until=until)
    go_to(world, "2026-01-20 15:00")
    pause(world, ada)
    go_to(world, "2026-01-28 15:00")
    resume(world, ada)
    go_to(world, "2026-03-10 15:00")
    assert charged_at(world, ada)[3:] == ["2026-02-02 04:59"]
    assert subscription_of(ada).state is SubscriptionState.ENDED


# --- before the first charge ---------------------------------------------------------------------


def test_a_later_start_inside_the_pause_is_passed_over_and_the_next_renewal_is_charged(
    shop: Shop,
) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    buy(world, ada, Wanted("month", starts_on=moment("2026-02-10 12:00").date()))
    pause(world, ada)
    go_to(world, "2026-02-20 15:00")
    resume(world, ada)
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    go_to(world, "2026-03-20 15:00")
    assert charged_at(world, ada) == ["2026-03-10 03:59"]
    assert [text(one.usable_from) for one in packs_of(ada)] == ["2026-03-10 04:00"]


def test_a_later_start_after_the_pause_is_charged_as_it_was_agreed(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = customer_with_card(world)
    buy(world, ada, Wanted("month", starts_on=moment("2026-02-10 12:00").date()))
    pause(world, ada)
    go_to(world, "2026-02-05 15:00")
    resume(world, ada)
    assert subscription_of(ada).state is SubscriptionState.SCHEDULED
    go_to(world, "2026-02-12 15:00")
    assert charged_at(world, ada) == ["2026-02-10 05:00"]


def test_a_trial_that_ends_inside_the_pause_is_not_charged_for_and_not_announced(
    shop: Shop,
) -> None:
    world = shop("2026-03-10 15:00")
    ada = subscribed(world, "trial")
    pause(world, ada)
    go_to(world, "2026-03-30 15:00")
    assert told_at(ada, MessageKind.TRIAL_ENDING) == []
    assert [pack.left for pack in packs_of(ada)] == [0], "the free pack ends by its own calendar"
    resume(world, ada)
    go_to(world, "2026-04-24 15:00")
    assert charged_at(world, ada) == ["2026-04-24 03:59"]
    assert told_at(ada, MessageKind.TRIAL_ENDING) == []
    assert told_at(ada, MessageKind.RENEWAL_REMINDER) == ["2026-04-17 03:59"]


# --- reminders -----------------------------------------------------------------------------------


def test_no_reminder_goes_out_in_a_pause_or_for_a_moment_that_passed_in_it(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    go_to(world, "2026-02-20 15:00")
    pause(world, ada)
    # The reminder for 27 February would have gone out on the 20th at 23:59.
    go_to(world, "2026-02-22 15:00")
    resume(world, ada)
    go_to(world, "2026-02-28 15:00")
    assert told_at(ada, MessageKind.RENEWAL_REMINDER) == []
    assert charged_at(world, ada)[1:] == ["2026-02-28 04:59"], "the charge itself lay after it"
    go_to(world, "2026-03-31 15:00")
    assert told_at(ada, MessageKind.RENEWAL_REMINDER) == ["2026-03-24 03:59"]


# --- an open retry -------------------------------------------------------------------------------


def test_an_open_retry_freezes_and_its_slots_go_on_from_the_day_of_resuming(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-01 15:00")
    before = ["2026-02-28 04:59", "2026-03-01 04:59"]
    assert tried_at(world, ada, "failed") == before
    pause(world, ada)
    go_to(world, "2026-03-08 15:00")
    assert tried_at(world, ada, "failed") == before
    resume(world, ada)
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    go_to(world, "2026-03-20 15:00")
    # 23:59 of 8 March is after the clocks went forward: four slots were left.
    assert tried_at(world, ada, "failed") == [
        *before,
        "2026-03-09 03:59",
        "2026-03-10 03:59",
        "2026-03-11 03:59",
        "2026-03-12 03:59",
    ]
    assert subscription_of(ada).state is SubscriptionState.CANCELLED
    lines = [one["what"] for one in told(staff(world), ada) if one["kind"] == "charge"]
    assert lines == [], "no slot passed without a try, and the timeline says of none that it did"


def test_paid_after_the_pause_the_periods_that_lay_inside_it_are_skipped_as_well(
    shop: Shop,
) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-01 15:00")
    pause(world, ada)
    go_to(world, "2026-04-02 15:00")
    resume(world, ada)
    world.sandbox.let_card_behave_as(card_of(ada).token, WORKS)
    go_to(world, "2026-04-03 15:00")
    # The slot of 2 April pays for February; March's charge, on the 30th, lay inside the pause.
    assert charged_at(world, ada)[1:] == ["2026-04-03 03:59"]
    assert subscription_of(ada).next_period == 3
    go_to(world, "2026-04-30 15:00")
    assert charged_at(world, ada)[2:] == ["2026-04-30 03:59"]


def test_a_new_card_in_a_pause_waits_and_the_customer_may_pay_at_any_time(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-01 15:00")
    pause(world, ada)
    new_card(world, ada)
    world.run_due()
    assert len(charged_at(world, ada)) == 1, "nothing is charged by itself"
    portal = customer(world, ada)
    page = portal.data(f"/subscriptions/{subscription_of(ada).id}")
    assert page["failing"]["next_try_at"] is None
    portal.post(f"/subscriptions/{subscription_of(ada).id}/pay", idempotency_key=page["pay_key"])
    world.run_due()
    assert len(charged_at(world, ada)) == 2
    stands = subscription_of(ada)
    assert (stands.state, stands.collection) == (SubscriptionState.PAUSED, None)
    assert head(ada).value.past_due == ()
    go_to(world, "2026-04-02 15:00")
    resume(world, ada)
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    go_to(world, "2026-04-30 15:00")
    assert charged_at(world, ada)[2:] == ["2026-04-30 03:59"]


def test_a_late_success_is_settled_and_the_pause_stands(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    go_to(world, "2026-02-28 04:58")
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    world.sandbox.misbehave(Operation.ANY, Fault.TIMEOUT_BEFORE, times=1000)
    go_to(world, "2026-02-28 05:30")
    pause(world, ada)
    world.sandbox.behave()
    go_to(world, "2026-03-02 15:00")
    stands = subscription_of(ada)
    assert (stands.state, stands.next_period) == (SubscriptionState.PAUSED, 2)
    assert charge_of_period(ada, 1).settled_at is not None
    assert [pack.left for pack in packs_of(ada)] == [0, 8]
    go_to(world, "2026-04-05 15:00")
    assert len(charged_at(world, ada)) == 2, "the pause goes on"
    resume(world, ada)
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    go_to(world, "2026-04-30 15:00")
    assert charged_at(world, ada)[2:] == ["2026-04-30 03:59"]


def test_a_late_decline_makes_it_past_due_and_the_pause_stands(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-02-28 04:58")
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    world.sandbox.misbehave(Operation.ANY, Fault.TIMEOUT_BEFORE, times=1000)
    go_to(world, "2026-02-28 05:30")
    pause(world, ada)
    world.sandbox.behave()
    go_to(world, "2026-03-10 15:00")
    assert subscription_of(ada).state is SubscriptionState.PAUSED
    (late,) = head(ada).value.past_due
    assert (late.paused, late.next_try_at) == (True, None)
    resume(world, ada)
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    (late,) = head(ada).value.past_due
    assert (late.paused, text(late.next_try_at)) == (False, "2026-03-11 03:59")


# --- a pause by the retry policy -----------------------------------------------------------------


def test_staff_resume_what_the_policy_paused_and_what_is_owed_waits_to_be_paid(shop: Shop) -> None:
    world = shop(BOUGHT, retry=RetryPolicy(then=Then.PAUSE))
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-10 15:00")
    assert subscription_of(ada).state is SubscriptionState.PAUSED
    resume(world, ada)
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    go_to(world, "2026-04-05 15:00")
    assert len(tried_at(world, ada, "failed")) == 6
    new_card(world, ada)
    world.run_due()
    # The renewal of 30 March came after the pause: it has waited for what was owed.
    assert charged_at(world, ada)[1:] == ["2026-04-05 15:00", "2026-04-05 15:00"]
    assert subscription_of(ada).next_period == 3


def test_paying_ends_a_pause_by_the_policy_and_what_lay_inside_it_is_not_caught_up(
    shop: Shop,
) -> None:
    world = shop(BOUGHT, retry=RetryPolicy(then=Then.PAUSE))
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-04-10 15:00")
    new_card(world, ada)
    world.run_due()
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    assert charged_at(world, ada)[1:] == ["2026-04-10 15:00"]
    go_to(world, "2026-04-30 15:00")
    assert charged_at(world, ada)[2:] == ["2026-04-30 03:59"]


# --- packs ---------------------------------------------------------------------------------------


def test_an_unlimited_pack_ends_with_the_paid_period_while_its_subscription_is_paused(
    shop: Shop,
) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "open")
    go_to(world, "2026-02-20 15:00")
    pause(world, ada)
    (pack,) = packs_of(ada)
    assert text(pack.expires_at) == "2026-02-28 05:00"
    go_to(world, "2026-03-10 15:00")
    (pack,) = packs_of(ada)
    assert pack.ended_at is not None
    resume(world, ada)
    go_to(world, "2026-03-31 15:00")
    assert [one.ended_at is None for one in packs_of(ada)] == [False, True]


def test_resumed_before_the_paid_period_is_over_it_lasts_until_the_next_pack_again(
    shop: Shop,
) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "open")
    go_to(world, "2026-02-20 15:00")
    pause(world, ada)
    go_to(world, "2026-02-25 15:00")
    resume(world, ada)
    (pack,) = packs_of(ada)
    assert (pack.expires_at, pack.expires_with_next) == (None, True)
    go_to(world, "2026-03-05 15:00")
    assert [one.ended_at is None for one in packs_of(ada)] == [False, True]


def test_counted_credits_stay_usable_in_a_pause(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    go_to(world, "2026-02-20 15:00")
    pause(world, ada)
    go_to(world, "2026-05-20 15:00")
    (pack,) = packs_of(ada)
    assert (pack.left, pack.expires_at, pack.ended_at) == (8, None, None)


# --- cancelling ----------------------------------------------------------------------------------


def test_cancelling_while_paused_ends_it_at_once(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    pause(world, ada)
    path = f"/console/customers/{ada}/subscriptions/{subscription_of(ada).id}/cancel"
    staff(world).post(path, when="now")
    over = subscription_of(ada)
    assert (over.state, over.pause) == (SubscriptionState.CANCELLED, None)
    refused = press(world, ada, "resume")
    assert (refused.status, code_of(refused)) == (409, "already_ended")
    assert press(world, ada, "pause").status == 409


def test_the_end_of_the_period_comes_in_a_pause_too(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    pause(world, ada)
    path = f"/console/customers/{ada}/subscriptions/{subscription_of(ada).id}/cancel"
    staff(world).post(path, when="period_end")
    assert subscription_of(ada).state is SubscriptionState.PAUSED
    go_to(world, "2026-02-28 04:59")
    assert subscription_of(ada).state is SubscriptionState.CANCELLED
    assert len(charged_at(world, ada)) == 1


def test_once_the_paid_period_is_over_its_end_is_now(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    pause(world, ada)
    go_to(world, "2026-03-10 15:00")
    path = f"/console/customers/{ada}/subscriptions/{subscription_of(ada).id}/cancel"
    staff(world).post(path, when="period_end")
    assert subscription_of(ada).state is SubscriptionState.CANCELLED


def test_cancelling_a_failing_one_in_a_pause_voids_what_was_owed(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-01 15:00")
    pause(world, ada)
    path = f"/console/customers/{ada}/subscriptions/{subscription_of(ada).id}/cancel"
    staff(world).post(path, when="now")
    assert invoices_of(ada)[-1].state is InvoiceState.VOID
    assert head(ada).value.past_due == ()


# --- who, and what is seen -----------------------------------------------------------------------


def test_pages_say_that_it_is_paused_and_nothing_is_forecast(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-03-01 15:00")
    pause(world, ada)
    portal, olga = customer(world, ada), staff(world)
    own = f"/subscriptions/{subscription_of(ada).id}"
    assert portal.data("/account")["forecast"] == []
    assert portal.data(own)["forecast"] == []
    assert "is paused: nothing is charged for it" in portal.page("/account")
    assert "Paused by our team since March 1, 2026" in portal.page(own)
    assert "It is paused: nothing is tried until it goes on." in portal.page("/packs")
    page = olga.page(f"/console/customers/{ada}")
    assert "Paused: nothing is tried until it is resumed." in page
    assert "Resume" in page
    lines = [one for one in told(olga, ada) if "was paused" in one["what"]]
    assert [one["by"] for one in lines] == ["owner@happypaws.example"]


def test_it_is_written_down_with_who_and_before_and_after_and_once_more_changes_nothing(
    shop: Shop,
) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    mails = len(world.mailbox)
    pause(world, ada)
    pause(world, ada)
    resume(world, ada)
    resume(world, ada)
    for what, before, after in (("pause", "active", "paused"), ("resume", "paused", "active")):
        (event,) = events_of(ada, what)
        assert (event.by, event.before, event.after) == (
            "owner@happypaws.example",
            before,
            after,
        )
    assert len(world.mailbox) == mails, "no email is sent of it"


def test_clerks_may_not_and_other_locations_see_nothing(shop: Shop) -> None:
    world = shop(BOUGHT)
    ada = subscribed(world, "month")
    for what in ("pause", "resume"):
        refused = press(world, ada, what, staff(world, Role.CLERK))
        assert (refused.status, code_of(refused)) == (403, "role_not_allowed")
        berlin = staff(world, Role.MANAGER, locations=("be",))
        assert press(world, ada, what, berlin).status == 404
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    other = newcomer(world, "ben@example.com")
    path = f"/console/customers/{other}/subscriptions/{subscription_of(ada).id}/pause"
    assert staff(world).post(path).status == 404


def test_several_pauses_in_one_retry_each_pass_over_their_own_periods(shop: Shop) -> None:
    policy: dict[str, Any] = {"retry": RetryPolicy(tries=1, then=Then.LEAVE_OPEN)}
    world = shop("2026-01-05 15:00", **policy)
    ada = subscribed(world, "five_days", number=FAILS_LATER)
    # The charge of 11 January fails and stays open: the 18th waits, the 25th lies in a pause.
    go_to(world, "2026-01-24 15:00")
    pause(world, ada)
    go_to(world, "2026-01-27 15:00")
    resume(world, ada)
    world.sandbox.let_card_behave_as(card_of(ada).token, WORKS)
    new_card(world, ada)
    go_to(world, "2026-02-03 15:00")
    assert charged_at(world, ada)[1:] == ["2026-01-27 15:00", "2026-02-02 04:59"]
