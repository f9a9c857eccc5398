"""Lines of a pack's ledger, for people and programs ([LEDGER])."""

from pydantic import AwareDatetime

from shared.domain.by import By
from shared.domain.pack import Entry, EntryKind
from shared.web.answer import View


class EntryView(View):
    """A line of a pack's ledger ([LEDGER]). `left` None: unlimited. `by` is `customer`, `clock`, or
    for staff: `staff` where customers look, the address in the console; empty where a payment did
    it. What it was held for, given back from or used for is the `activity`."""

    id: str
    kind: EntryKind
    delta: int
    left: int | None
    at: AwareDatetime
    reason: str = ""
    by: str = ""
    invoice_id: str | None = None
    reservation_id: str | None = None
    activity_id: str = ""
    activity_name: str = ""
    activity_at: AwareDatetime | None = None
    activity_zone: str = ""


def entry_view(entry: Entry) -> EntryView:
    return EntryView(
        id=entry.id,
        kind=entry.kind,
        delta=entry.delta,
        left=entry.left,
        at=entry.at,
        reason=entry.reason,
        by=entry.by,
        invoice_id=entry.invoice_id,
        reservation_id=entry.reservation_id,
        activity_id=entry.activity_id,
        activity_name=entry.activity_name,
        activity_at=entry.activity_at,
        activity_zone=entry.activity_zone,
    )


def without_names(entry: EntryView) -> EntryView:
    """Without the address of the staff member behind it, which is for the console."""
    known = entry.by in ("", By.CUSTOMER.value, By.CLOCK.value)
    return entry if known else entry.model_copy(update={"by": By.STAFF.value})
