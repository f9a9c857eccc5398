"""A retry policy tried against a pattern of answers ([FORECAST], [RETRY], [HARD])."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from shared.domain.calendar import Frequency
from shared.domain.dunning import FirstSlot, RetryPolicy, Then
from shared.domain.errors import Invalid
from shared.domain.outcome import Outcome
from shared.domain.policy_trial import (
    PolicyEnd,
    PolicyTrial,
    SlotResult,
    read_pattern,
    try_policy,
)

NEW_YORK = "America/New_York"
ANCHOR = date(2026, 1, 31)

DECLINED = SlotResult.DECLINED
FINAL = SlotResult.DECLINED_FINAL
AFTER_FINAL = SlotResult.PASSED_AFTER_FINAL
TO_CONFIRM = SlotResult.TO_CONFIRM
UNCONFIRMED = SlotResult.PASSED_TO_CONFIRM
PAID = SlotResult.PAID


def february(pattern: str, policy: RetryPolicy | None = None) -> PolicyTrial:
    """The February renewal of worked example 1."""
    answers = read_pattern(pattern)
    return try_policy(policy or RetryPolicy(), Frequency.MONTHLY, ANCHOR, 1, NEW_YORK, answers)


def walls(trial: PolicyTrial, zone: str = NEW_YORK) -> list[str]:
    return [one.at.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M") for one in trial.slots]


def results(trial: PolicyTrial) -> list[SlotResult]:
    return [one.result for one in trial.slots]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_example_2_fails_until_4_march_and_is_cancelled_at_the_last_try() -> None:
    trial = february("decline")
    assert walls(trial) == [
        "02-27 23:59",
        "02-28 23:59",
        "03-01 23:59",
        "03-02 23:59",
        "03-03 23:59",
        "03-04 23:59",
    ]
    assert results(trial) == [DECLINED] * 6
    assert [one.number for one in trial.slots] == [1, 2, 3, 4, 5, 6]
    assert trial.end is PolicyEnd.CANCELLED
    assert trial.ended_at == utc("2026-03-05T04:59")
    assert trial.next_renewal_at == utc("2026-03-31T03:59")


def test_a_success_ends_the_tries_and_the_anchor_stays() -> None:
    trial = february("decline, decline, success")
    assert walls(trial) == ["02-27 23:59", "02-28 23:59", "03-01 23:59"]
    assert results(trial) == [DECLINED, DECLINED, PAID]
    assert trial.end is PolicyEnd.PAID
    assert trial.ended_at == utc("2026-03-02T04:59")
    assert trial.next_renewal_at == utc("2026-03-31T03:59")


def test_example_4_a_weekly_one_is_paid_at_its_last_try_before_sunday_18_january() -> None:
    trial = try_policy(
        RetryPolicy(), Frequency.WEEKLY, date(2026, 1, 5), 1, NEW_YORK, read_pattern("ddddds")
    )
    assert walls(trial)[0] == "01-11 23:59"
    assert trial.ended_at == utc("2026-01-17T04:59")
    assert trial.next_renewal_at == utc("2026-01-19T04:59")


def test_after_a_final_decline_slots_pass_and_still_count() -> None:
    trial = february("dfs")
    assert results(trial) == [DECLINED, FINAL, *[AFTER_FINAL] * 4]
    assert trial.end is PolicyEnd.CANCELLED
    assert trial.ended_at == utc("2026-03-05T04:59")


def test_while_the_customer_is_to_confirm_nothing_is_tried_and_the_slots_go_on() -> None:
    trial = february("as")
    assert results(trial) == [TO_CONFIRM, *[UNCONFIRMED] * 5]
    assert trial.end is PolicyEnd.CANCELLED
    assert trial.ended_at == utc("2026-03-05T04:59")


def test_a_last_try_that_waits_for_the_customer_has_not_failed() -> None:
    trial = february("da", RetryPolicy(tries=2))
    assert results(trial) == [DECLINED, TO_CONFIRM]
    assert trial.end is PolicyEnd.STILL_TO_CONFIRM


@pytest.mark.parametrize(
    ("then", "end"),
    [
        (Then.CANCEL, PolicyEnd.CANCELLED),
        (Then.PAUSE, PolicyEnd.PAUSED),
        (Then.LEAVE_OPEN, PolicyEnd.LEFT_OPEN),
    ],
)
def test_when_the_last_slot_fails_the_policy_says_what_then(then: Then, end: PolicyEnd) -> None:
    trial = february("d", RetryPolicy(tries=3, days_between=4, then=then))
    assert walls(trial) == ["02-27 23:59", "03-03 23:59", "03-07 23:59"]
    assert trial.end is end
    assert february("dds", RetryPolicy(tries=3, then=then)).end is PolicyEnd.PAID


def test_the_first_charge_of_a_later_start_comes_when_its_day_starts() -> None:
    trial = try_policy(
        RetryPolicy(tries=2),
        Frequency.WEEKLY,
        date(2026, 1, 5),
        0,
        NEW_YORK,
        (Outcome.DECLINED,),
        first=FirstSlot.AT_DAY_START,
    )
    assert walls(trial) == ["01-05 00:00", "01-06 23:59"]
    assert trial.next_renewal_at == utc("2026-01-12T04:59")


def test_a_policy_that_reaches_the_next_renewal_is_refused_and_names_the_field() -> None:
    with pytest.raises(Invalid) as refused:
        try_policy(RetryPolicy(tries=7), Frequency.WEEKLY, ANCHOR, 1, NEW_YORK, read_pattern("d"))
    assert refused.value.fields.keys() == {"tries"}
    assert try_policy(
        RetryPolicy(tries=7), Frequency.BIWEEKLY, ANCHOR, 1, NEW_YORK, read_pattern("d")
    ).slots


@pytest.mark.parametrize(
    "text",
    [
        "dfas",
        "D F A S",
        "decline, final, authentication, success",
        "soft decline, final decline, authentication, success",
    ],
)
def test_answers_are_letters_or_words(text: str) -> None:
    assert read_pattern(text) == (
        Outcome.DECLINED,
        Outcome.DECLINED_FINAL,
        Outcome.AUTHENTICATION_REQUIRED,
        Outcome.SUCCEEDED,
    )


@pytest.mark.parametrize("text", ["", " , ", "dx", "decline, perhaps"])
def test_what_is_no_answer_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_pattern(text)
    assert refused.value.fields.keys() == {"pattern"}


def test_what_no_bank_answers_is_no_pattern() -> None:
    for wrong in ((), (Outcome.UNKNOWN,)):
        with pytest.raises(ValueError, match="pattern"):
            try_policy(RetryPolicy(), Frequency.MONTHLY, ANCHOR, 1, NEW_YORK, wrong)
