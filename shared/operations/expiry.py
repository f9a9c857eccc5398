"""Staff move the expiry of a customer's pack ([PACK])."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from shared.domain.calendar import local_date
from shared.domain.errors import Missing
from shared.domain.expiry import expected_with, move_expiry
from shared.operations.staff import require_change, written_down
from shared.operations.submissions import Press, once
from shared.store import accounts, transactions
from shared.store.items import Ref, Row
from shared.store.reading import Found, read

if TYPE_CHECKING:
    from shared.domain.pack import Pack
    from shared.operations.context import Context
    from shared.store.records import Submission
    from shared.store.staff import StaffMember


@dataclass(frozen=True)
class Move:
    """To which local day, and why."""

    customer_id: str
    pack_id: str
    to: date
    reason: str

    def press(self, staff_email: str, key: str) -> Press:
        """The press of the button; keys are each staff member's own ([KEY])."""
        return Press(
            customer_id=self.customer_id,
            key=f"staff:{staff_email}:{key}",
            operation="staff_expiry",
            content=(self.pack_id, self.to.isoformat(), self.reason),
            answer=self.pack_id,
        )

    @property
    def ref(self) -> Ref[Pack]:
        return accounts.pack(self.customer_id, self.pack_id)

    def refs(self, press: Press) -> tuple[Ref[Any], ...]:
        """What `move` has to have read."""
        return self.ref, press.ref


def move(context: Context, staff: StaffMember, wish: Move, press: Press, found: Found) -> Pack:
    """Move it, once; written down with who, when, why, before and after. The next pack of what
    recurs by it is expected accordingly. Returns the pack as it then stands."""
    _theirs(staff, found.get(wish.ref))
    require_change(staff)

    def do(record: tuple[str, Submission]) -> None:
        _move(context, staff, wish, _theirs(staff, read(wish.ref).get(wish.ref)), record)

    once(press, found.get(press.ref), context.now(), do)
    return _theirs(staff, read(wish.ref).get(wish.ref)).value


def _theirs(staff: StaffMember, row: Row[Pack] | None) -> Row[Pack]:
    if row is None or not staff.works_at(row.value.location_id):
        raise Missing("There is no such pack.")
    return row


def _move(
    context: Context,
    staff: StaffMember,
    wish: Move,
    row: Row[Pack],
    record: tuple[str, Submission],
) -> None:
    pack = row.value
    moved = move_expiry(pack, wish.to, reason=wish.reason, now=context.now())
    subscription = None
    if pack.recurs_when is not None and pack.subscription_id is not None:
        ref = accounts.subscription(pack.customer_id, pack.subscription_id)
        subscription = read(ref).get(ref)
    event = written_down(
        context,
        staff,
        "expiry",
        about=wish.reason.strip(),
        pack_id=pack.id,
        before=_day(pack.expires_at, pack.zone),
        after=_day(moved.expires_at, pack.zone),
    )
    transactions.move_expiry(
        pack=row,
        moved=moved,
        subscription=subscription,
        expecting=expected_with(moved, subscription.value) if subscription else None,
        event=event,
        submission=record,
    )


def _day(at: datetime | None, zone: str) -> str:
    return "" if at is None else local_date(at, zone).isoformat()
