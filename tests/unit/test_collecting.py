"""How a period is collected: slots, failing, settled, ended."""

from datetime import date

import pytest

from shared.domain.collecting import (
    end,
    mark_failing,
    open_collection,
    pass_slot,
    settle_period,
    skip_ended,
    unlimited_pack_ends_at,
    use_slot,
    with_past_due,
    without_past_due,
)
from shared.domain.customer import Customer, PastDue
from shared.domain.dunning import FirstSlot, RetryPolicy
from shared.domain.ending import EndReason
from shared.domain.money import Money
from shared.domain.period_cost import period_line
from shared.domain.product import Catalogue
from shared.domain.settings import Settings
from shared.domain.subscription import SubscriptionState, next_moment, next_slot_at, reminder_at
from tests.unit.subscription_samples import (
    NEW_YORK,
    collected,
    pack_of,
    subscription_of,
    terms_of,
    utc,
)

LATE_PACK = pack_of(id="late", subscription_id="s", period=1, expires_with_next=True)


def catalogue_of(*, taxes_packages: bool) -> Catalogue:
    settings = Settings(
        merchant_name="Paws", support_email="a@example.com", taxes_packages=taxes_packages
    )
    return Catalogue(settings=settings, locations=(NEW_YORK,))


@pytest.mark.parametrize(
    ("taxed", "taxes_packages", "tax"), [(True, True, 404), (True, False, 0), (False, True, 0)]
)
def test_a_period_is_taxed_when_product_and_setting_say_so(
    taxed: bool, taxes_packages: bool, tax: int
) -> None:
    line = period_line(
        terms_of(taxed=taxed), NEW_YORK, catalogue_of(taxes_packages=taxes_packages), ""
    )
    # 8.25% of 49.00 is 4.0425, half-up 4.04.
    assert (line.amount.minor, line.tax.minor) == (4900, tax)


def test_each_slot_comes_on_the_day_after_at_2359_and_the_sixth_is_the_last() -> None:
    subscription = collected(subscription_of())
    found = []
    for _ in range(5):
        at = next_slot_at(subscription)
        assert at is not None
        found.append(at)
        subscription = use_slot(subscription, at)
    assert found == [utc(f"2026-03-0{day} 04:59") for day in range(1, 6)]
    assert next_slot_at(subscription) is None


def test_of_slots_that_passed_while_nothing_ran_all_are_used_by_one_try() -> None:
    subscription = use_slot(collected(subscription_of()), utc("2026-03-03 12:00"))
    assert next_slot_at(subscription) == utc("2026-03-04 04:59")
    gone = use_slot(collected(subscription_of()), utc("2026-03-20 12:00"))
    assert gone.collection is not None
    assert gone.collection.slots_used == 6


TRY, PASS = True, False


@pytest.mark.parametrize(
    ("slots", "passed"),
    [
        pytest.param([TRY] * 6, 0, id="declined in every slot"),
        pytest.param([TRY, PASS, PASS, PASS, PASS, PASS], 5, id="declined for good"),
        pytest.param([TRY, TRY, PASS, PASS, PASS, PASS], 4, id="the third try is to be confirmed"),
        pytest.param([PASS] * 6, 6, id="no card at all"),
        pytest.param([TRY, PASS, PASS, TRY, TRY, TRY], 2, id="another card after three days"),
    ],
)
def test_a_slot_is_used_with_a_try_or_without_one(slots: list[bool], passed: int) -> None:
    subscription = collected(subscription_of())
    for slot, tries in enumerate(slots):
        if slot:
            at = next_slot_at(subscription)
            assert at is not None
            subscription = use_slot(subscription, at)
        if not tries:
            subscription = pass_slot(subscription)
        assert subscription.collection is not None
        assert subscription.collection.slots_used == slot + 1
        # [HARD]: slots pass and still count.
        assert subscription.collection.slots_passed == slots[: slot + 1].count(PASS)
    assert next_slot_at(subscription) is None
    over = end(
        mark_failing(subscription),
        SubscriptionState.CANCELLED,
        EndReason.PAYMENT_FAILED,
        utc("2026-03-05 04:59"),
    )
    assert over.failed_collection is not None
    assert (over.failed_collection.slots_used, over.failed_collection.slots_passed) == (6, passed)


@pytest.mark.parametrize(
    ("now", "used", "passed"),
    [
        # The slots of 1, 2, 3, 4 and 5 March come at 04:59.
        ("2026-03-01 04:59", 2, 0),
        ("2026-03-02 04:58", 2, 0),
        ("2026-03-02 04:59", 3, 1),
        ("2026-03-03 12:00", 4, 2),
        ("2026-03-05 04:58", 5, 3),
        ("2026-03-20 12:00", 6, 4),
    ],
)
def test_of_several_slots_that_came_while_nothing_ran_all_but_the_one_tried_pass(
    now: str, used: int, passed: int
) -> None:
    subscription = use_slot(collected(subscription_of()), utc(now))
    assert subscription.collection is not None
    assert subscription.collection.slots_used == used
    assert subscription.collection.slots_passed == passed
    # Nothing is tried in that one either.
    without = pass_slot(subscription).collection
    assert without is not None
    assert (without.slots_used, without.slots_passed) == (used, passed + 1)


def test_no_slot_passes_where_nothing_is_collected() -> None:
    with pytest.raises(ValueError, match="no period of s"):
        pass_slot(subscription_of())


@pytest.mark.parametrize(
    "reason", [EndReason.BY_CUSTOMER, EndReason.BY_STAFF, EndReason.UNTIL, EndReason.PAYMENT_FAILED]
)
def test_only_a_last_slot_that_failed_leaves_its_collection_behind(reason: EndReason) -> None:
    failing = mark_failing(collected(subscription_of()))
    over = end(failing, SubscriptionState.CANCELLED, reason, utc("2026-03-02 12:00"))
    kept = failing.collection if reason is EndReason.PAYMENT_FAILED else None
    assert over.failed_collection == kept
    assert over.collection is None


def test_a_charge_that_came_late_within_its_night_keeps_its_days() -> None:
    subscription = collected(subscription_of(), utc("2026-02-28 05:10"))
    assert next_slot_at(subscription) == utc("2026-03-01 04:59")


def test_one_that_had_to_wait_for_weeks_counts_from_its_own_day() -> None:
    subscription = collected(subscription_of(), utc("2026-03-15 12:00"))
    assert next_slot_at(subscription) == utc("2026-03-17 03:59")


def test_a_later_start_has_its_first_slot_at_the_day_s_start_and_the_others_at_2359() -> None:
    scheduled = subscription_of(
        state=SubscriptionState.SCHEDULED,
        anchor=date(2026, 2, 1),
        first=FirstSlot.AT_DAY_START,
        next_period=0,
    )
    subscription = collected(scheduled)
    assert next_slot_at(subscription) == utc("2026-02-03 04:59")
    second = open_collection(
        scheduled.model_copy(update={"next_period": 1}),
        source="s.1",
        invoice_id="i",
        policy=RetryPolicy(),
        reminds=True,
        now=utc("2026-03-01 04:59"),
    )
    assert next_slot_at(second) == utc("2026-03-02 04:59")


def test_a_failing_charge_is_past_due_and_a_pause_stays_a_pause() -> None:
    failing = mark_failing(collected(subscription_of()))
    assert failing.state is SubscriptionState.PAST_DUE
    paused = collected(subscription_of(state=SubscriptionState.PAUSED))
    still = mark_failing(paused)
    assert still.state is SubscriptionState.PAUSED
    assert next_moment(still) is None


def test_a_settled_period_makes_the_next_one_due_and_leaves_the_anchor() -> None:
    failing = mark_failing(collected(subscription_of()))
    settled, skipped = settle_period(failing, LATE_PACK, utc("2026-03-02 12:00"))
    assert (settled.state, settled.next_period, skipped) == (SubscriptionState.ACTIVE, 2, 0)
    assert settled.anchor == date(2026, 1, 31)
    assert settled.payments_made == 2
    assert settled.last_pack_id == "late"
    assert reminder_at(settled) == utc("2026-03-24 03:59")


def test_a_reminder_whose_moment_came_while_past_due_is_not_sent_later() -> None:
    failing = mark_failing(collected(subscription_of()))
    settled, _ = settle_period(failing, LATE_PACK, utc("2026-03-25 12:00"))
    assert reminder_at(settled) is None
    # A charge that was merely unknown until then was never past due.
    settled, _ = settle_period(collected(subscription_of()), LATE_PACK, utc("2026-03-25 12:00"))
    assert reminder_at(settled) == utc("2026-03-24 03:59")


@pytest.mark.parametrize(
    ("settled_at", "next_period"),
    [
        ("2026-04-30 03:59", 2),
        ("2026-04-30 04:00", 3),
        ("2026-06-15 12:00", 4),
    ],
)
def test_periods_that_ended_before_an_earlier_one_was_paid_are_skipped(
    settled_at: str, next_period: int
) -> None:
    settled, skipped = settle_period(collected(subscription_of()), LATE_PACK, utc(settled_at))
    assert (settled.next_period, skipped) == (next_period, next_period - 2)


def test_what_nobody_charged_while_it_ran_is_left_out() -> None:
    following, skipped = skip_ended(subscription_of(), utc("2026-05-10 12:00"))
    assert (following.next_period, skipped) == (3, 2)


def test_what_is_over_has_nothing_left_to_do() -> None:
    subscription = collected(subscription_of(cancel_at_period_end=True))
    over = end(
        subscription, SubscriptionState.CANCELLED, EndReason.BY_CUSTOMER, utc("2026-03-01 12:00")
    )
    assert over.over
    assert over.collection is None
    assert next_moment(over) is None


@pytest.mark.parametrize(
    ("credits_left", "ends_at"), [(None, utc("2026-02-28 05:00")), (8, None), (0, None)]
)
def test_only_an_unlimited_last_pack_ends_with_the_paid_period(
    credits_left: int | None, ends_at: object
) -> None:
    subscription = subscription_of(
        terms=terms_of(credits=credits_left), last_pack_id="p", last_pack_period=0
    )
    assert unlimited_pack_ends_at(subscription) == ends_at


def test_the_banner_shows_each_failing_subscription_once() -> None:
    customer = Customer(id="ada", email="a@example.com", created_at=utc("2026-01-01 00:00"))
    owed = PastDue(
        subscription_id="s",
        name="Month",
        owed=Money(minor=5304, currency="USD"),
        next_try_at=utc("2026-03-01 04:59"),
    )
    later = owed.model_copy(update={"next_try_at": utc("2026-03-02 04:59")})
    other = owed.model_copy(update={"subscription_id": "t"})
    shown = with_past_due(with_past_due(with_past_due(customer, owed), other), later)
    assert [(one.subscription_id, one.next_try_at) for one in shown.past_due] == [
        ("t", owed.next_try_at),
        ("s", later.next_try_at),
    ]
    assert [one.subscription_id for one in without_past_due(shown, "s").past_due] == ["t"]
