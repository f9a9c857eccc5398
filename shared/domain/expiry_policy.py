"""When what is sold runs out."""

from enum import StrEnum


class ExpiryPolicy(StrEnum):
    """When what was bought runs out ([PACK] [GRANT])."""

    NOTHING_TO_EXPIRE = "nothing_to_expire"
    NEVER = "never"
    AFTER_DAYS = "after_days"
    AFTER_MONTHS = "after_months"
    NEXT_RENEWAL = "next_renewal"
    """A subscription's credits, when the next period's pack becomes usable."""
    PERIOD_END = "period_end"
    """A subscription's unlimited pack."""
