"""How a subscription may be ended by its customer: apart from the settings that say it."""

from enum import StrEnum


class SelfCancel(StrEnum):
    """Whether and how customers end a subscription themselves ([CANCEL])."""

    OFF = "off"
    IMMEDIATE = "immediate"
    PERIOD_END = "period_end"
    CHOICE = "choice"
