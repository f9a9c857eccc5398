"""Why a subscription ended: it stands apart from what a subscription is, since emails tell it."""

from enum import StrEnum


class EndReason(StrEnum):
    BY_CUSTOMER = "by_customer"
    BY_STAFF = "by_staff"
    PAYMENT_FAILED = "payment_failed"
    UNTIL = "until"
