"""A retry policy tried against a pattern of answers, before anybody lives by it ([FORECAST]).

The moments are the clock's own (`dunning.slot_moment`), and so is what refuses a policy
(`dunning.check_policy`). What a slot does follows [RETRY] and [HARD].
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.calendar import Frequency, charge_moment, local_date, start_of_day
from shared.domain.dunning import FirstSlot, RetryPolicy, Then, check_policy, slot_moment
from shared.domain.errors import Invalid
from shared.domain.outcome import Outcome
from shared.domain.record import Record

PATTERN_MAX = 1_000
"""Characters of a pattern as it is written."""

ANSWERS = (
    Outcome.DECLINED,
    Outcome.DECLINED_FINAL,
    Outcome.AUTHENTICATION_REQUIRED,
    Outcome.SUCCEEDED,
)
"""What a bank may say to a try."""

_LETTERS: Mapping[str, Outcome] = dict(zip("dfas", ANSWERS, strict=True))

_WORDS: Mapping[str, Outcome] = {
    "decline": Outcome.DECLINED,
    "declined": Outcome.DECLINED,
    "soft": Outcome.DECLINED,
    "final": Outcome.DECLINED_FINAL,
    "authentication": Outcome.AUTHENTICATION_REQUIRED,
    "confirm": Outcome.AUTHENTICATION_REQUIRED,
    "success": Outcome.SUCCEEDED,
    "paid": Outcome.SUCCEEDED,
}

_KINDS_OF_DECLINE = re.compile(r"\b(soft|final)\s+declined?\b")


class SlotResult(StrEnum):
    """What happened in one slot. The two `PASSED` were not tried, and count ([HARD])."""

    PAID = "paid"
    DECLINED = "declined"
    DECLINED_FINAL = "declined_final"
    TO_CONFIRM = "to_confirm"
    PASSED_AFTER_FINAL = "passed_after_final"
    PASSED_TO_CONFIRM = "passed_to_confirm"


class PolicyEnd(StrEnum):
    """What has become of the subscription. `STILL_TO_CONFIRM`: the last slot's own try waits for
    the customer, which is not a decline; nothing more is tried by itself."""

    PAID = "paid"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    LEFT_OPEN = "left_open"
    STILL_TO_CONFIRM = "still_to_confirm"


class SlotLine(Record):
    """One slot, the first charge included, which is number 1; `at` in UTC."""

    number: int
    at: AwareDatetime
    result: SlotResult


class PolicyTrial(Record):
    """What a policy does. `ended_at` is the moment of the last of `slots`, `next_renewal_at` when
    the period after this one is charged, if the subscription still goes on then."""

    slots: tuple[SlotLine, ...]
    end: PolicyEnd
    ended_at: AwareDatetime
    next_renewal_at: AwareDatetime


def read_pattern(text: str) -> tuple[Outcome, ...]:
    """The answers that `text` names, in order: letters ("dds") or words ("decline, success").
    Raises `Invalid`, which names the field `pattern`."""
    found: list[Outcome] = []
    for part in _KINDS_OF_DECLINE.sub(r"\1", text.casefold()).replace(",", " ").split():
        if part in _WORDS:
            found.append(_WORDS[part])
        elif set(part) <= set(_LETTERS):
            found.extend(_LETTERS[letter] for letter in part)
        else:
            raise _wrong_pattern(f"“{part}” is none of the answers that a bank gives.")
    if not found:
        raise _wrong_pattern("At least one answer is needed.")
    return tuple(found)


def _wrong_pattern(reason: str) -> Invalid:
    sentence = f"{reason} Write decline, final, authentication or success, or d, f, a or s."
    return Invalid(sentence, fields={"pattern": sentence}, code="wrong_pattern")


def try_policy(
    policy: RetryPolicy,
    frequency: Frequency,
    anchor: date,
    period: int,
    zone: str,
    pattern: Sequence[Outcome],
    *,
    first: FirstSlot = FirstSlot.AT_2359,
) -> PolicyTrial:
    """Period `period` of a subscription from `anchor` (local days of `zone`), collected under
    `policy`, when the bank answers the tries with `pattern`, one answer each ([RETRY], [HARD]).

    The last answer is repeated when there are more tries. The customer does nothing meanwhile: no
    other card, no confirmation. `first` AT_DAY_START is the first charge of a later start.
    Raises `Invalid` for a policy that the frequency refuses, `ValueError` for what is no answer
    of a bank.
    """
    check_policy(policy, frequency)
    if not pattern or not set(pattern) <= set(ANSWERS):
        raise ValueError("a pattern has one or more answers that a bank may give")
    slots: list[SlotLine] = []
    blocked_by: SlotResult | None = None
    tried = 0
    first_day = _first_day(frequency, anchor, period, zone, first)
    for k in range(policy.tries):
        at = slot_moment(first_day, k, policy, zone, first=first)
        if blocked_by is not None:
            result = blocked_by
        else:
            result = _RESULTS[pattern[min(tried, len(pattern) - 1)]]
            tried += 1
            blocked_by = _BLOCKS.get(result)
        slots.append(SlotLine(number=k + 1, at=at, result=result))
        if result is SlotResult.PAID:
            break
    return PolicyTrial(
        slots=tuple(slots),
        end=_end(slots[-1].result, policy.then),
        ended_at=slots[-1].at,
        next_renewal_at=charge_moment(anchor, frequency, period + 1, zone),
    )


def _first_day(
    frequency: Frequency, anchor: date, period: int, zone: str, first: FirstSlot
) -> date:
    if first is FirstSlot.AT_2359:
        return local_date(charge_moment(anchor, frequency, period, zone), zone)
    if period != 0:
        raise ValueError("only the first period is charged when its day starts")
    return local_date(start_of_day(anchor, zone), zone)


_RESULTS: Mapping[Outcome, SlotResult] = {
    Outcome.DECLINED: SlotResult.DECLINED,
    Outcome.DECLINED_FINAL: SlotResult.DECLINED_FINAL,
    Outcome.AUTHENTICATION_REQUIRED: SlotResult.TO_CONFIRM,
    Outcome.SUCCEEDED: SlotResult.PAID,
}

_BLOCKS: Mapping[SlotResult, SlotResult] = {
    SlotResult.DECLINED_FINAL: SlotResult.PASSED_AFTER_FINAL,
    SlotResult.TO_CONFIRM: SlotResult.PASSED_TO_CONFIRM,
}
"""After what the slots that follow pass, and as what."""


def _end(last: SlotResult, then: Then) -> PolicyEnd:
    if last is SlotResult.PAID:
        return PolicyEnd.PAID
    if last is SlotResult.TO_CONFIRM:
        return PolicyEnd.STILL_TO_CONFIRM
    match then:
        case Then.CANCEL:
            return PolicyEnd.CANCELLED
        case Then.PAUSE:
            return PolicyEnd.PAUSED
        case Then.LEAVE_OPEN:
            return PolicyEnd.LEFT_OPEN
