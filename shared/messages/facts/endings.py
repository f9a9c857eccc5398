"""What is told when a subscription ends, or will."""

from datetime import date

from pydantic import AwareDatetime

from shared.domain.ending import EndReason
from shared.domain.money import Money
from shared.messages.facts.agreement import Agreement
from shared.messages.facts.pack import PackShown
from shared.messages.opening import Facts


class CancelledFacts(Facts):
    """`waived` is what was still owed and is no longer; `pack` what is left of the credits.
    `refused`: the last try failed for reasons that are the merchant's."""

    agreement: Agreement
    reason: EndReason
    refused: bool = False
    ended_at: AwareDatetime
    waived: Money | None = None
    pack: PackShown | None = None


class CancellationFacts(Facts):
    """The subscription ends with `last_day`, and can be kept until `undo_before`. None, both of
    them: it ends when its next pack would come ([RECUR])."""

    agreement: Agreement
    last_day: date | None = None
    undo_before: AwareDatetime | None = None
