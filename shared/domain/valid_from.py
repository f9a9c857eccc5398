"""When a validity begins: apart from what is sold, since packs and bookings ask it."""

from enum import StrEnum


class ValidFrom(StrEnum):
    """From when a package's validity counts ([PACK])."""

    PAYMENT = "payment"
    BOOKING = "booking"
    FIRST_ACTIVITY = "first_activity"
