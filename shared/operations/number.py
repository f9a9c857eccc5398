"""Invoice numbers: per location, without gaps or repeats, given after settlement ([NUMBER])."""

from collections.abc import Sequence

from shared.domain.invoice import Invoice, InvoiceState
from shared.store import accounts, transactions
from shared.store.items import Lost, Ref, Row
from shared.store.marks import Numbering
from shared.store.reading import read

MAX_BATCH = 50
NUMBER_TRIES = 8


def number_text(location_id: str, number: int) -> str:
    return f"{location_id.upper()}-{number:06d}"


def number(refs: Sequence[Ref[Invoice]]) -> int:
    """Number the closed invoices among `refs` that have none, in the order they were closed, and
    move each location's counter in the same transaction. Returns how many got a number."""
    found = read(*refs)
    rows = [row for ref in refs if (row := found.get(ref)) is not None]
    by_location: dict[str, list[Row[Invoice]]] = {}
    for row in rows:
        by_location.setdefault(row.value.location_id, []).append(row)
    return sum(
        _number_location(location_id, waiting[at : at + MAX_BATCH])
        for location_id, waiting in by_location.items()
        for at in range(0, len(waiting), MAX_BATCH)
    )


def _number_location(location_id: str, rows: list[Row[Invoice]]) -> int:
    numbering_ref = accounts.numbering(location_id)
    for tries_left in reversed(range(NUMBER_TRIES)):
        found = read(numbering_ref, *(row.ref for row in rows))
        waiting = [
            fresh
            for row in rows
            if (fresh := found.get(row.ref)) is not None and _waits(fresh.value)
        ]
        if not waiting:
            return 0
        waiting.sort(key=lambda row: (row.value.closed_at or row.value.created_at, row.value.id))
        numbering = found.get(numbering_ref)
        last = numbering.value.last if numbering else 0
        numbered = [
            (row, row.value.model_copy(update={"number": number_text(location_id, last + at)}))
            for at, row in enumerate(waiting, start=1)
        ]
        try:
            transactions.number_invoices(
                location_id=location_id,
                numbering=numbering,
                advanced=Numbering(last=last + len(waiting)),
                invoices=numbered,
            )
        except Lost:
            if not tries_left:
                raise
            continue
        return len(waiting)
    raise AssertionError("unreachable")


def _waits(invoice: Invoice) -> bool:
    return invoice.state is InvoiceState.CLOSED and invoice.number is None
