"""Where something that goes on by itself stands."""

from pydantic import AwareDatetime

from shared.domain.record import Record


class Numbering(Record):
    """The last invoice number given at a location ([NUMBER])."""

    last: int = 0


class AuditMark(Record):
    """Where the daily audit stopped: it goes on from here the next day. A round is from the first
    customer to the last, over as many days as that takes."""

    after: str | None = None
    round_began_at: AwareDatetime | None = None
    last_round_began_at: AwareDatetime | None = None
