"""Invoices that no subscription collects: asked for, paid, let go ([BOOK], [PAY]).

Each function is one transaction, as in `transactions`: `Lost` means that something else was first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from shared.store import accounts
from shared.store.bookings import (
    Besides,
    Credits,
    beside_writes,
    credit_writes,
    invoice_writes,
    outstanding_writes,
)
from shared.store.commitments import commitment_writes
from shared.store.items import Row
from shared.store.writing import Write, commit, create, put, replace

if TYPE_CHECKING:
    from shared.domain.charge import Charge
    from shared.domain.invoice import Invoice
    from shared.domain.pack import Pack
    from shared.domain.reservation import Reservation
    from shared.domain.subscription import Subscription
    from shared.store.records import Submission
    from shared.store.timeline import TimelineEvent


class Reserved(NamedTuple):
    """A reservation as it was read, and as it becomes; its places stay as they are."""

    row: Row[Reservation]
    changed: Reservation


def _reserved(reserved: Reserved | None) -> list[Write]:
    if reserved is None or reserved.changed == reserved.row.value:
        return []
    return [
        replace(reserved.row, reserved.changed),
        *outstanding_writes(reserved.row.value, reserved.changed),
    ]


def ask_for(
    *, invoice: Row[Invoice], charge: Row[Charge] | None, opened: Charge,
    submission: tuple[str, Submission],
) -> None:  # fmt: skip
    """The intent of paying an invoice: it is open as it was read, and its charge is new or stands
    at a definite decline; the submission's key is new ([ONCE], [KEY]).

    The invoice is written too, so that whoever read it before knows nothing of the charge and can
    neither void it nor write down another payment of it."""
    key, record = submission
    commit(
        [
            replace(invoice, invoice.value),
            put(accounts.charge(opened.customer_id, opened.source), charge, opened),
            create(accounts.submission(opened.customer_id, key), record),
        ]
    )


def change_invoice(
    *,
    invoice: Row[Invoice] | None,
    changed: Invoice,
    reserved: Reserved | None,
    credits_: Credits,
    besides: Besides,
    subscriptions: Sequence[tuple[Row[Subscription], Subscription]] = (),
) -> None:
    """An invoice is made, paid in part or whole, reversed, or void, with what follows from it: the
    packs that waited for it or are frozen by it, the reservation that owes it, the list of what is
    outstanding, and the subscriptions whose payment it is ([BOOK], [REVERSE])."""
    commit(
        [
            *invoice_writes(invoice, changed),
            *_reserved(reserved),
            *credit_writes(credits_),
            *(replace(row, counted) for row, counted in subscriptions),
            *commitment_writes(counted for _, counted in subscriptions),
            *beside_writes(besides),
        ]
    )


def waive(*, reserved: Reserved, besides: Besides) -> None:
    """Staff let go what is outstanding of a reservation; its invoice, if any, is in `besides`."""
    commit([*_reserved(reserved), *beside_writes(besides)])


def release_pack(
    *, pack: Row[Pack], credits_: Credits, events: Sequence[TimelineEvent],
    submission: tuple[str, Submission],
) -> None:  # fmt: skip
    """Staff activate an unpaid pack: it is as it was read, and the press is new ([PACK])."""
    customer_id = pack.value.customer_id
    besides = Besides(customer_id=customer_id, events=events, submission=submission)
    commit([*credit_writes(credits_), *beside_writes(besides)])
