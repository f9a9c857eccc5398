"""What customers and staff have submitted."""

from pydantic import AwareDatetime

from shared.domain.record import Record


class Submission(Record):
    """An `Idempotency-Key` that was used: for what content, and where its answer stands ([KEY])."""

    content: str
    """A hash of what was submitted."""
    operation: str
    answer: str = ""
    """The charge's source, or another reference from which the same answer is given again."""
    attempt: str | None = None
    at: AwareDatetime
