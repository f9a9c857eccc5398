"""An order: a cart's content frozen at the moment of paying, line by line.

Settling makes invoice, packs and subscriptions from it and from nothing else, so a price or a
product that changes while a payment is under way changes nothing.
"""

from datetime import date
from enum import StrEnum

from shared.domain.calendar import Frequency
from shared.domain.collected_by import CollectedBy
from shared.domain.invoice import InvoiceLine
from shared.domain.next_payment import NextPayment
from shared.domain.product_kind import ProductKind
from shared.domain.record import Record
from shared.domain.recurring import NextPack
from shared.domain.recurs_when import RecursWhen
from shared.domain.terms import Terms


class Due(StrEnum):
    """When a line is charged: with this order; when its later start comes; after its trial."""

    NOW = "now"
    LATER = "later"
    AFTER_TRIAL = "after_trial"


class OrderLine(Record):
    """`line` is what the invoice says; None when nothing of it is charged with this order.
    `starts_on` is the first day of a subscription or of its trial, local to the location."""

    product_id: str
    kind: ProductKind
    name: str
    quantity: int = 1
    due: Due = Due.NOW
    line: InvoiceLine | None = None
    terms: Terms | None = None
    """Of packages and subscriptions."""
    frequency: Frequency | None = None
    starts_on: date | None = None
    until: date | None = None
    trial_days: int | None = None
    reminds: bool = True
    recurs_when: RecursWhen | None = None
    """Of a package that begins to recur with this order, paid as `next_payment` says ([RECUR])."""
    next_payment: NextPayment | None = None
    next_pack: NextPack | None = None
    """The period of a subscription that recurs, which this pays by hand."""
    collected_by: CollectedBy = CollectedBy.CARD
    card_id: str | None = None
    """A subscription's own card; None is the customer's default."""


def invoice_lines(order: tuple[OrderLine, ...]) -> tuple[InvoiceLine, ...]:
    """What is charged with the order itself."""
    return tuple(one.line for one in order if one.line is not None)
