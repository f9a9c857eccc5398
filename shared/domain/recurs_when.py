"""When the next pack comes where no calendar says it: packs and orders keep it."""

from enum import StrEnum

DAYS_BEFORE_EXPIRY = 2
"""How many days before the day of the expiry the next pack comes, at 23:59 ([RECUR])."""


class RecursWhen(StrEnum):
    PACK_EXPIRES = "pack_expires"
    NO_CREDITS_REMAIN = "no_credits_remain"
    """Or the expiry, if that is first."""
