"""What staff do about places that are not paid: ask, let go, trust ([BOOK], [PACK], [ACCESS])."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.domain import bought_place
from shared.domain.errors import Conflict, Forbidden, Invalid, Missing
from shared.domain.invoice import Invoice, InvoiceState, void
from shared.operations import tell
from shared.operations.place_invoices import of_place
from shared.operations.staff import may_change
from shared.operations.submissions import Press, once
from shared.store import accounts, invoicing
from shared.store.bookings import Besides, Credits
from shared.store.invoicing import Reserved
from shared.store.items import Ref, Row
from shared.store.reading import Found, read
from shared.store.timeline import TimelineEvent

if TYPE_CHECKING:
    from shared.domain.charge import Charge
    from shared.domain.pack import Pack
    from shared.domain.reservation import Reservation
    from shared.operations.context import Context
    from shared.store.records import Submission
    from shared.store.staff import StaffMember

REASON_MAX = 200
OPERATION_INVOICE, OPERATION_WAIVE, OPERATION_ACTIVATE = (
    "invoice_place",
    "waive_place",
    "activate_pack",
)


@dataclass(frozen=True)
class Owing:
    """A reservation that staff found among what is outstanding; `reason` says why it is let go."""

    customer_id: str
    reservation_id: str
    reason: str = ""

    def press(self, operation: str, staff_email: str, key: str) -> Press:
        """The press of a button; keys are each staff member's own ([KEY])."""
        return Press(
            customer_id=self.customer_id,
            key=f"staff:{staff_email}:{key}",
            operation=operation,
            content=(self.reservation_id, self.reason),
            answer=self.reservation_id,
        )

    @property
    def ref(self) -> Ref[Reservation]:
        return accounts.reservation(self.customer_id, self.reservation_id)


def _owing(staff: StaffMember, owing: Owing) -> Row[Reservation]:
    """`Missing` for what is not there or of another location ([OWN]); `Conflict` when nothing is
    outstanding of it any more."""
    row = read(owing.ref).get(owing.ref)
    if row is None or not staff.works_at(row.value.location_id):
        raise Missing("There is no such reservation.")
    if not row.value.outstanding or not row.value.owes:
        raise Conflict("Nothing of it is outstanding.", code="nothing_outstanding")
    return row


def _after(owing: Owing) -> Reservation:
    row = read(owing.ref).get(owing.ref)
    assert row is not None, "reservations are never removed"
    return row.value


def _event(
    context: Context,
    staff: StaffMember,
    what: str,
    reservation: Reservation,
    *,
    before: str,
    after: str,
) -> TimelineEvent:
    return TimelineEvent(
        id=context.new_id(),
        at=context.now(),
        by=staff.email,
        what=what,
        about=reservation.name,
        reservation_id=reservation.id,
        before=before,
        after=after,
    )


def invoice_place(
    context: Context,
    staff: StaffMember,
    owing: Owing,
    press: Press,
    earlier: Row[Submission] | None,
) -> Reservation:
    """An open invoice asks for what began unpaid, with the charge and the credits that paid of it;
    the customer is told by email and may pay it there ([BOOK]). Once: `Conflict` when there is one.
    """
    made: list[Reservation] = []

    def do(record: tuple[str, Submission]) -> None:
        made.append(_invoice(context, staff, owing, record))

    return made[0] if once(press, earlier, context.now(), do) is None else _after(owing)


def _invoice(
    context: Context, staff: StaffMember, owing: Owing, record: tuple[str, Submission]
) -> Reservation:
    row = _owing(staff, owing)
    value = row.value
    if value.invoice_id is not None:
        raise Conflict("There is an invoice for it already.", code="invoiced_already")
    head_ref = accounts.head(value.customer_id)
    customer = read(head_ref).get(head_ref)
    assert customer is not None, "a reservation has a customer"
    invoice = of_place(context, value, context.new_id()).model_copy(
        update={"asked_at": context.now()}
    )
    changed = value.model_copy(update={"invoice_id": invoice.id, "invoiced": invoice.owed})
    event = _event(
        context, staff, "place:invoiced", value, before="outstanding", after=invoice.order_id
    )
    invoicing.change_invoice(
        invoice=None,
        changed=invoice,
        reserved=Reserved(row, changed),
        credits_=Credits(),
        besides=Besides(
            messages=[tell.invoice(context, customer.value, invoice)],
            customer_id=value.customer_id,
            events=[event],
            submission=record,
        ),
    )
    return changed


def waive_place(
    context: Context,
    staff: StaffMember,
    owing: Owing,
    press: Press,
    earlier: Row[Submission] | None,
) -> Reservation:
    """Let go what is outstanding, with a reason: the open invoice that asks for it is void, and a
    pack that was bought on it and still waits is over. `Conflict` while a payment of it is under
    way, when it is paid in part, and when a bank took back what had paid for a pack."""
    if not may_change(staff):
        raise Forbidden("Only an owner or a manager may do this.", code="role_not_allowed")
    _check_reason(owing.reason)
    made: list[Reservation] = []

    def do(record: tuple[str, Submission]) -> None:
        made.append(_waive(context, staff, owing, record))

    return made[0] if once(press, earlier, context.now(), do) is None else _after(owing)


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > REASON_MAX:
        said = f"Say why, in at most {REASON_MAX} characters."
        raise Invalid("A reason is needed.", fields={"reason": said})


def _waive(
    context: Context, staff: StaffMember, owing: Owing, record: tuple[str, Submission]
) -> Reservation:
    row = _owing(staff, owing)
    value = row.value
    asked = _open_invoice(value)
    changed = value.model_copy(update={"waived": True, "outstanding": False, "invoiced": None})
    event = _event(
        context, staff, "place:waived", value, before="outstanding", after=owing.reason.strip()
    )
    besides = Besides(customer_id=value.customer_id, events=[event], submission=record)
    if asked is None:
        invoicing.waive(reserved=Reserved(row, changed), besides=besides)
        return changed
    charge = asked.charge
    given_up = charge.value.model_copy(update={"given_up": True}) if charge else None
    invoicing.change_invoice(
        invoice=asked.invoice,
        changed=void(asked.invoice.value, context.now()),
        reserved=Reserved(row, changed),
        credits_=_over(context, asked.pack, by=staff.email),
        besides=besides._replace(charge=(charge, given_up) if given_up else None),
    )
    return changed


@dataclass(frozen=True)
class _Asked:
    """The open invoice of a place, the charge of it and the pack on it, as they were read."""

    invoice: Row[Invoice]
    charge: Row[Charge] | None
    pack: Row[Pack] | None


def _open_invoice(value: Reservation) -> _Asked | None:
    """The open invoice of a place, where one may be void."""
    if value.invoice_id is None:
        return None
    ref = accounts.invoice(value.customer_id, value.invoice_id)
    invoice = read(ref).get(ref)
    if invoice is None or invoice.value.state is not InvoiceState.OPEN:
        return None
    if invoice.value.paid:
        raise Conflict("It is paid in part.", code="paid_in_part")
    if invoice.value.reversed and invoice.value.pack_id is not None:
        raise Conflict(
            "A bank took back what had paid for its pack, which is on hold until it is paid.",
            code="payment_reversed",
        )
    charge_ref = accounts.charge(value.customer_id, invoice.value.charged_under)
    pack_ref = accounts.pack(value.customer_id, invoice.value.pack_id or "none")
    found = read(charge_ref, pack_ref)
    charge = found.get(charge_ref)
    if charge is not None and charge.value.undecided:
        raise Conflict("A payment of it is under way.", code="payment_under_way")
    return _Asked(invoice, charge, found.get(pack_ref))


def _over(context: Context, pack: Row[Pack] | None, *, by: str) -> Credits:
    """A pack that still waits to be paid is over; one that staff activated stays as it is."""
    if pack is None or not pack.value.unpaid:
        return Credits()
    over, entry = bought_place.revoke(
        pack.value, entry_id=context.new_id(), now=context.now(), by=by
    )
    return Credits(packs=((pack, over),), entries=(entry,))


# --- a pack that was bought with a place ---------------------------------------------------------


@dataclass(frozen=True)
class Activation:
    """An unpaid pack to activate, and why."""

    customer_id: str
    pack_id: str
    reason: str

    def press(self, staff_email: str, key: str) -> Press:
        """The press of the button; keys are each staff member's own ([KEY])."""
        return Press(
            customer_id=self.customer_id,
            key=f"staff:{staff_email}:{key}",
            operation=OPERATION_ACTIVATE,
            content=(self.pack_id, self.reason),
            answer=self.pack_id,
        )

    @property
    def ref(self) -> Ref[Pack]:
        return accounts.pack(self.customer_id, self.pack_id)


def activate_pack(
    context: Context,
    staff: StaffMember,
    activation: Activation,
    press: Press,
    found: Found,
) -> Pack:
    """Release an unpaid pack: the rest of its credits become usable though its invoice stays open
    ([PACK], [BOOK]). `found` holds `activation.ref` and the press. `Conflict` when it is not
    unpaid any more."""
    their_pack(staff, found.get(activation.ref))
    if not may_change(staff):
        raise Forbidden("Only an owner or a manager may do this.", code="role_not_allowed")
    _check_reason(activation.reason)
    made: list[Pack] = []

    def do(record: tuple[str, Submission]) -> None:
        row = their_pack(staff, read(activation.ref).get(activation.ref))
        made.append(_activate(context, staff, row, activation.reason.strip(), record))

    earlier = once(press, found.get(press.ref), context.now(), do)
    if earlier is None:
        return made[-1]
    return their_pack(staff, read(activation.ref).get(activation.ref)).value


def their_pack(staff: StaffMember, row: Row[Pack] | None) -> Row[Pack]:
    """`Missing` for what is not there or belongs to another location ([OWN])."""
    if row is None or not staff.works_at(row.value.location_id):
        raise Missing("There is no such pack.")
    return row


def _activate(
    context: Context,
    staff: StaffMember,
    row: Row[Pack],
    reason: str,
    record: tuple[str, Submission],
) -> Pack:
    if not row.value.unpaid:
        raise Conflict("This pack is not waiting to be paid.", code="pack_not_unpaid")
    pack, entry = bought_place.activate(
        row.value, entry_id=context.new_id(), now=context.now(), reason=reason, by=staff.email
    )
    event = TimelineEvent(
        id=context.new_id(),
        at=context.now(),
        by=staff.email,
        what="pack:activated",
        about=reason,
        pack_id=pack.id,
        before="unpaid",
        after="active",
    )
    invoicing.release_pack(
        pack=row,
        credits_=Credits(packs=((row, pack),), entries=(entry,)),
        events=[event],
        submission=record,
    )
    return pack
