"""Whether an activity takes place: apart from what it is, since weekly places ask it."""

from enum import StrEnum


class ActivityState(StrEnum):
    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"
