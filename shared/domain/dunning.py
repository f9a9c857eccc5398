"""How a failed charge of a period is tried again ([RETRY])."""

from datetime import date, datetime, timedelta
from enum import StrEnum

from pydantic import ConfigDict, Field

from shared.domain.calendar import Frequency, minute_before_midnight, start_of_day
from shared.domain.errors import Invalid
from shared.domain.record import Record

DAYS_BETWEEN_MAX = 365
TRIES_MAX = 365

_SHORTEST_PERIOD_DAYS = {
    Frequency.WEEKLY: 7,
    Frequency.BIWEEKLY: 14,
    # From 31 January to 28 February, or from there to 28 March.
    Frequency.MONTHLY: 28,
    Frequency.ANNUAL: 365,
}


class Then(StrEnum):
    """What happens to the subscription when the last slot has failed."""

    CANCEL = "cancel"
    PAUSE = "pause"
    LEAVE_OPEN = "leave_open"


class RetryPolicy(Record):
    """A merchant's setting for retries. `tries` counts all slots, the first charge included."""

    model_config = ConfigDict(extra="forbid")

    days_between: int = Field(default=1, ge=1, le=DAYS_BETWEEN_MAX)
    tries: int = Field(default=6, ge=1, le=TRIES_MAX)
    then: Then = Then.CANCEL

    @property
    def days_to_last_try(self) -> int:
        """Days from the day of the first charge to the day of the last slot."""
        return (self.tries - 1) * self.days_between


class FirstSlot(StrEnum):
    """When on its day slot 0 comes: at 23:59 for renewals and the first charge after a trial, at
    the day's start for the first charge of a later start ([2359])."""

    AT_2359 = "at_2359"
    AT_DAY_START = "at_day_start"


def slot_moment(
    first_day: date,
    k: int,
    policy: RetryPolicy,
    zone: str,
    *,
    first: FirstSlot = FirstSlot.AT_2359,
) -> datetime:
    """The moment of slot `k` in UTC. `first_day` is the local day of slot 0, which is the charge
    itself; slot k is at 23:59 of the day k times `days_between` later ([RETRY]).

    `ValueError` for a slot that the policy does not have.
    """
    if not 0 <= k < policy.tries:
        raise ValueError(f"slot {k} of a policy with {policy.tries}")
    if k == 0 and first is FirstSlot.AT_DAY_START:
        return start_of_day(first_day, zone)
    return minute_before_midnight(first_day + timedelta(days=k * policy.days_between), zone)


def check_policy(policy: RetryPolicy, frequency: Frequency) -> None:
    """Refuse a policy whose last try would reach the next renewal of `frequency` ([RETRY]).

    Measured by the shortest period that the frequency has, and by the first charge of a later
    start, whose next renewal is one day nearer than that of any other. Raises `Invalid`, which
    names the field to change and the reason.
    """
    next_renewal_days = _SHORTEST_PERIOD_DAYS[frequency] - 1
    if policy.days_to_last_try < next_renewal_days:
        return
    tries_that_fit = (next_renewal_days - 1) // policy.days_between + 1
    if tries_that_fit > 1:
        field, remedy = "tries", f"at most {tries_that_fit} tries fit"
    else:
        field, remedy = (
            "days_between",
            f"at most {next_renewal_days - 1} days between fit",
        )
    reason = (
        f"The last of {policy.tries} tries would come {policy.days_to_last_try} days after the "
        f"first charge, and the next renewal of a {frequency} subscription can come "
        f"{next_renewal_days} days after it; {remedy}."
    )
    raise Invalid(reason, fields={field: reason}, code="retries_reach_renewal")
