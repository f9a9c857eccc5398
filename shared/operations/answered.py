"""What became of a try to pay, as it is answered to who pressed the button ([KEY])."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from shared.domain.outcome import Outcome

if TYPE_CHECKING:
    from shared.domain.charge import Attempt, Charge


class Checked(StrEnum):
    """What became of a submission."""

    PAID = "paid"
    DECLINED = "declined"
    PROCESSING = "processing"
    """Money may have moved and nobody has said yet, or it settles later."""
    CONFIRM = "confirm"
    """The customer's bank asks for a confirmation."""


class Answered(NamedTuple):
    """`charge` holds the order; `attempt` is the try that this submission made or found."""

    state: Checked
    charge: Charge
    attempt: Attempt | None


def answer_of(charge: Charge, attempt_id: str | None) -> Answered:
    """What a charge says to the submission that made `attempt_id` (None: its last one)."""
    attempt = charge.attempt(attempt_id) if attempt_id else charge.last
    if charge.settled_at is not None:
        return Answered(Checked.PAID, charge, attempt)
    match attempt.outcome if attempt else None:
        case Outcome.ATTEMPTING | Outcome.UNKNOWN | Outcome.PROCESSING | Outcome.SUCCEEDED:
            return Answered(Checked.PROCESSING, charge, attempt)
        case Outcome.AUTHENTICATION_REQUIRED:
            return Answered(Checked.CONFIRM, charge, attempt)
        case Outcome.DECLINED | Outcome.DECLINED_FINAL | Outcome.REFUSED | Outcome.CANCELLED | None:
            return Answered(Checked.DECLINED, charge, attempt)
