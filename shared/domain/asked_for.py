"""What has to hold between places, packs that were bought with one, and the invoices that ask for
them ([BOOK]). Pure: each function names what is wrong, and how; `invariants` says which rule that
breaks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from shared.domain.charge import Charge, Purpose
from shared.domain.invoice import Invoice, InvoiceState
from shared.domain.outcome import OPEN_OUTCOMES

if TYPE_CHECKING:
    from shared.domain.pack import Pack
    from shared.domain.reservation import Reservation

Wrong = tuple[str, str]
"""The id of what is wrong, and how."""


def unpaid_packs(packs: Iterable[Pack], invoices: Mapping[str, Invoice]) -> Iterator[Wrong]:
    """A pack that waits to be paid has an open invoice that asks for it, or is over; and of it no
    more is there than what was granted to hold its place."""
    for pack in packs:
        if not pack.unpaid or pack.ended_at is not None:
            continue
        invoice = invoices.get(pack.invoice_id or "")
        if invoice is None or invoice.state is not InvoiceState.OPEN or invoice.pack_id != pack.id:
            yield pack.id, "unpaid, and no open invoice asks for it"
        elif pack.left is not None and pack.left > pack.advanced:
            yield pack.id, f"unpaid, and {pack.left} are left of {pack.advanced} granted"


def reservations(
    reservations_: Iterable[Reservation], invoices: Mapping[str, Invoice]
) -> Iterator[Wrong]:
    """What a reservation says that its invoice asks is what that asks, and the reverse; what staff
    have let go is asked for by none."""
    for one in reservations_:
        invoice = invoices.get(one.invoice_id or "")
        if one.invoice_id is not None and invoice is None:
            yield one.id, f"its invoice {one.invoice_id} is not there"
            continue
        is_open = invoice is not None and invoice.state is InvoiceState.OPEN
        asks = invoice.owed if invoice is not None and is_open and invoice.owed.minor > 0 else None
        if one.invoiced != asks:
            yield one.id, f"says that {one.invoiced} is asked for, and it is {asks}"
        elif one.waived and (is_open or one.outstanding):
            yield one.id, "let go, and asked for all the same"


def charges(charges_: Iterable[Charge], invoices: Mapping[str, Invoice]) -> Iterator[Wrong]:
    """A payment of an open invoice that is under way is of one that is still open, or its money is
    to go back."""
    for one in charges_:
        wanted = one.purpose is Purpose.INVOICE and not one.given_up
        if not wanted or one.settled_at is not None or one.outcome not in OPEN_OUTCOMES:
            continue
        invoice = invoices.get(one.invoice_id)
        if invoice is None or invoice.state is not InvoiceState.OPEN:
            yield one.source, "under way, and its invoice is not open"
