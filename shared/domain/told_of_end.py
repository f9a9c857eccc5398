"""How a subscription's end is told to its customer."""

from shared.domain.ending import EndReason
from shared.domain.message import MessageKind

KIND_OF_END = {
    EndReason.BY_CUSTOMER: MessageKind.CANCELLED_BY_CUSTOMER,
    EndReason.BY_STAFF: MessageKind.CANCELLED_BY_STAFF,
    EndReason.PAYMENT_FAILED: MessageKind.CANCELLED_AFTER_FAILURES,
    # The end date is the customer's own; the email says that it was reached.
    EndReason.UNTIL: MessageKind.CANCELLED_BY_CUSTOMER,
}
"""Which email tells that a subscription ended."""
