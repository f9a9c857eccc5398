"""Who did it."""

from enum import StrEnum


class By(StrEnum):
    """Who started a try. Only those of the clock use up slots ([HARD])."""

    CLOCK = "clock"
    CUSTOMER = "customer"
    STAFF = "staff"
