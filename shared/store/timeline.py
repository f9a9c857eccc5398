"""What happened, and who did it: beside customers, and beside the catalogue."""

from pydantic import AwareDatetime

from shared.domain.record import Record


class TimelineEvent(Record):
    """Something that happened to a customer beside money, packs and mail: who, when, what.

    `by` is `customer`, `staff`, `clock`, or the staff member's address. `about` says in words what
    it happened to, where no id does."""

    id: str
    at: AwareDatetime
    by: str
    what: str
    about: str = ""
    subscription_id: str | None = None
    pack_id: str | None = None
    reservation_id: str | None = None
    before: str = ""
    after: str = ""
