"""What staff do in the console ([ACCESS], [NOTICE], [OWN]).

A staff member sees and changes what belongs to their locations and to none; anything else is
`Missing`. Everyone may look, mark notices done, send customers a sign-in or card-update email and
record payments. Owners and managers may also cancel, undo, pause and resume, start subscriptions,
change credits, move expiries and set parked work going again. Every change is written down with
who, when, before and after.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from shared.domain.by import By
from shared.domain.errors import Conflict, Forbidden, Missing
from shared.domain.ledger import adjust, announce_low
from shared.operations import cancel as cancelling
from shared.operations import tell
from shared.operations.cancel import When
from shared.operations.submissions import Press, once
from shared.store import accounts, due, transactions
from shared.store.items import Lost, Ref, Row
from shared.store.reading import Found, read
from shared.store.staff import Role, StaffMember
from shared.store.timeline import TimelineEvent
from shared.store.writing import Write

if TYPE_CHECKING:
    from shared.domain.customer import Customer
    from shared.domain.message import Notice, Parked
    from shared.domain.pack import Entry, Pack
    from shared.domain.subscription import Subscription
    from shared.operations.context import Context
    from shared.store.records import Submission

STAFF_TRIES = 5
MAY_CHANGE = frozenset({Role.OWNER, Role.MANAGER})


# --- who may what ----------------------------------------------------------------------------


def may_change(staff: StaffMember) -> bool:
    """Whether this person may cancel, change credits and set parked work going again."""
    return staff.role in MAY_CHANGE


def require_change(staff: StaffMember) -> None:
    """Raises `Forbidden` for a clerk."""
    if not may_change(staff):
        raise Forbidden("Only an owner or a manager may do this.", code="role_not_allowed")


def sees_customer(staff: StaffMember, customer: Customer) -> bool:
    """Whether this person works at a location that the customer chose or shopped at. A customer
    who belongs to none yet is everybody's."""
    belongs = {*customer.cart_counts, *([customer.location] if customer.location else [])}
    return not belongs or any(staff.works_at(one) for one in belongs)


def sees_notice(staff: StaffMember, notice: Notice, customer: Customer | None = None) -> bool:
    """A permission gives a kind of notice for some locations or all ([NOTICE]). One that names no
    location belongs where its `customer` does; one without either is everybody's."""
    of_kind = staff.notices is None or notice.kind.value in staff.notices
    if notice.location_id is None and customer is not None:
        return of_kind and sees_customer(staff, customer)
    return of_kind and staff.works_at(notice.location_id)


def written_down(
    context: Context,
    staff: StaffMember,
    what: str,
    *,
    about: str = "",
    subscription_id: str | None = None,
    pack_id: str | None = None,
    before: str = "",
    after: str = "",
) -> TimelineEvent:
    """What a staff member did, for the customer's timeline ([ACCESS])."""
    return TimelineEvent(
        id=context.new_id(),
        at=context.now(),
        by=staff.email,
        what=what,
        about=about,
        subscription_id=subscription_id,
        pack_id=pack_id,
        before=before,
        after=after,
    )


# --- notices ---------------------------------------------------------------------------------


def notice_refs(notice_id: str) -> tuple[Ref[Notice], Ref[Notice]]:
    """Where a notice is while it is open, and once it is done."""
    return accounts.notice_at("open", notice_id), accounts.notice_at("done", notice_id)


def _their_notice(staff: StaffMember, notice_id: str, found: Found) -> Row[Notice]:
    """The notice, open or done. `Missing` for what is not there or not theirs ([OWN])."""
    open_ref, done_ref = notice_refs(notice_id)
    row = found.get(done_ref) or found.get(open_ref)
    if row is None:
        # One reading of two items is not one moment: it may have moved between them, once.
        found = read(open_ref, done_ref)
        row = found.get(done_ref) or found.get(open_ref)
    if row is None or not sees_notice(staff, row.value):
        raise Missing("There is no such notice.")
    customer_id = row.value.customer_id
    if staff.locations is not None and row.value.location_id is None and customer_id is not None:
        ref = accounts.head(customer_id)
        head = read(ref).get(ref)
        if head is not None and not sees_notice(staff, row.value, head.value):
            raise Missing("There is no such notice.")
    return row


def mark_notice_done(context: Context, staff: StaffMember, notice_id: str, found: Found) -> Notice:
    """Mark a notice done, once; again answers with who did it first. `found` holds its refs."""
    for tries_left in reversed(range(STAFF_TRIES)):
        row = _their_notice(staff, notice_id, found)
        if row.value.done_at is not None:
            return row.value
        try:
            return _mark_done(context, staff, row)
        except Lost:
            if not tries_left:
                raise
            found = read(*notice_refs(notice_id))
    raise AssertionError("unreachable")


def _mark_done(context: Context, staff: StaffMember, row: Row[Notice]) -> Notice:
    marked = row.value.model_copy(update={"done_at": context.now(), "done_by": staff.email})
    about = row.value.title
    event = written_down(context, staff, "notice:done", about=about, before="open", after="done")
    transactions.mark_notice_done(row, marked, [event])
    return marked


class Released(StrEnum):
    """What became of setting parked work going again."""

    SET_GOING = "set_going"
    """It is due, and the next sweep takes it; also when it was this notice that did so before."""
    NOT_PARKED = "not_parked"
    """It is not set aside any more: it was done, goes on by itself, or is gone. The notice is done,
    nothing else was touched."""
    NOT_KNOWN = "not_known"
    """This version does not know who would do it. Nothing was changed, the notice stays."""


def can_release(notice: Notice) -> bool:
    """Whether there is anything to set going again that this version knows, from this notice."""
    parked = notice.parked
    return parked is not None and not parked.released and parked.known_worker is not None


def release_parked(
    context: Context, staff: StaffMember, notice_id: str, found: Found, *, shards: int
) -> tuple[Released, Notice]:
    """Set the work going again that a notice says was set aside, once: its tries count from zero,
    and if they fail it is parked again with a notice of its own. `found` holds the notice's refs.

    Pressed twice, by two, or long after, it touches nothing that has moved on, and workers do
    nothing that is not due. It also works for a notice that was marked done without it. Raises
    `Conflict` for one that is about nothing parked."""
    for tries_left in reversed(range(STAFF_TRIES)):
        row = _their_notice(staff, notice_id, found)
        require_change(staff)
        parked = row.value.parked
        if parked is None:
            raise Conflict("This notice is about nothing to try again.", code="nothing_parked")
        if parked.released:
            return Released.SET_GOING, row.value
        worker = parked.known_worker
        if worker is None:
            return Released.NOT_KNOWN, row.value
        item = due.release(parked, worker, context.now(), shards)
        try:
            return Released.SET_GOING, _release(context, staff, row, parked, item)
        except Lost as lost:
            if not tries_left:
                raise
            found = read(*notice_refs(notice_id))
            if lost.at == (transactions.PARKED_ITEM,):
                return _left_alone(mark_notice_done(context, staff, notice_id, found))
    raise AssertionError("unreachable")


def _release(
    context: Context, staff: StaffMember, row: Row[Notice], parked: Parked, item: Write
) -> Notice:
    value = row.value
    done = value.model_copy(
        update={
            "done_at": value.done_at or context.now(),
            "done_by": value.done_by or staff.email,
            "parked": parked.model_copy(update={"released": True}),
        }
    )
    event = written_down(
        context, staff, "notice:released", about=value.title, before="parked", after="due"
    )
    transactions.release_parked(item=item, row=row, done=done, events=[event])
    return done


def _left_alone(done: Notice) -> tuple[Released, Notice]:
    """The item was not parked any more: perhaps because somebody was first with this notice."""
    first = done.parked is not None and done.parked.released
    return (Released.SET_GOING if first else Released.NOT_PARKED), done


# --- subscriptions ---------------------------------------------------------------------------


def their_subscription(staff: StaffMember, row: Row[Subscription] | None) -> Subscription:
    """`Missing` for what is not there or belongs to another location ([OWN])."""
    if row is None or not staff.works_at(row.value.location_id):
        raise Missing("There is no such subscription.")
    return row.value


def cancel_subscription(
    context: Context, staff: StaffMember, row: Row[Subscription] | None, when: When
) -> Subscription:
    """End a customer's subscription now or with its period ([CANCEL]): staff always may, whatever
    the setting for customers and the commitment say ([COMMIT])."""
    value = their_subscription(staff, row)
    require_change(staff)
    if when is When.REQUEST:
        raise Conflict("Staff end a subscription; they don't ask to.", code="cancel_not_allowed")
    return cancelling.cancel(
        context, value.customer_id, value.id, when, by=By.STAFF, actor=staff.email
    )


def undo_cancel(
    context: Context, staff: StaffMember, row: Row[Subscription] | None
) -> Subscription:
    """Take back a cancellation at period end, whoever asked for it."""
    value = their_subscription(staff, row)
    require_change(staff)
    return cancelling.undo(context, value.customer_id, value.id, by=By.STAFF, actor=staff.email)


# --- emails ----------------------------------------------------------------------------------


def their_customer(staff: StaffMember, row: Row[Customer] | None) -> Row[Customer]:
    """`Missing` for who is not there or belongs to another location ([OWN])."""
    if row is None or not sees_customer(staff, row.value):
        raise Missing("There is no such customer.")
    return row


def record_sign_in_email(context: Context, staff: StaffMember, customer: Row[Customer]) -> None:
    """Write down that a sign-in email was sent ([AUTOLOGIN]); the email itself belongs to the
    address and is written by `sign_in.ask`."""
    event = written_down(context, staff, "email:sign_in", after=customer.value.email)
    transactions.tell_customer(customer, [], [event])


def send_card_update(context: Context, staff: StaffMember, customer: Row[Customer]) -> str:
    """Email a link that leads only to updating a card ([CARDS]), about what is past due at this
    person's locations, if anything is. Returns the address."""
    subscription, owed = None, None
    for late in customer.value.past_due:
        ref = accounts.subscription(customer.value.id, late.subscription_id)
        row = read(ref).get(ref)
        if row is not None and staff.works_at(row.value.location_id):
            subscription, owed = row.value, late.owed
            break
    message = tell.card_update(
        context,
        customer.value,
        request_id=context.new_id(),
        subscription=subscription,
        owed=owed,
    )
    event = written_down(context, staff, "email:card_update", after=customer.value.email)
    transactions.tell_customer(customer, [message], [event])
    return customer.value.email


# --- credits ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class CreditChange:
    """Credits to add to a pack (`delta` above 0) or to take off, and why."""

    customer_id: str
    pack_id: str
    delta: int
    reason: str

    def press(self, staff_email: str, key: str, entry_id: str) -> Press:
        """The press of the button; keys are each staff member's own ([KEY])."""
        return Press(
            customer_id=self.customer_id,
            key=f"staff:{staff_email}:{key}",
            operation="staff_credits",
            content=(self.pack_id, self.delta, self.reason),
            answer=entry_id,
        )

    def refs(self, press: Press) -> tuple[Ref[Any], ...]:
        """What `change_credits` has to have read."""
        return (
            accounts.head(self.customer_id),
            accounts.pack(self.customer_id, self.pack_id),
            press.ref,
        )


def change_credits(
    context: Context, staff: StaffMember, change: CreditChange, press: Press, found: Found
) -> Entry:
    """Change a pack's credits: the new line of its ledger ([LEDGER]). Never below 0, never on an
    expired pack. When the credits fall to the number that the product names, the email about it
    is written in the same transaction ([PACKMAIL])."""
    _their_pack(staff, change, found)
    require_change(staff)
    made: list[Entry] = []
    seen = [found]

    def do(record: tuple[str, Submission]) -> None:
        now_found = seen.pop() if seen else read(*change.refs(press))
        customer, pack = _their_pack(staff, change, now_found)
        made.append(_adjust(context, staff, customer, pack, change, record))

    earlier = once(press, found.get(press.ref), context.now(), do)
    if earlier is None:
        return made[-1]
    ref = accounts.entry(change.customer_id, change.pack_id, earlier.value.answer)
    row = read(ref).get(ref)
    assert row is not None, "a ledger's entries are never removed"
    return row.value


def _their_pack(
    staff: StaffMember, change: CreditChange, found: Found
) -> tuple[Row[Customer], Row[Pack]]:
    customer = found.get(accounts.head(change.customer_id))
    pack = found.get(accounts.pack(change.customer_id, change.pack_id))
    if customer is None or pack is None or not staff.works_at(pack.value.location_id):
        raise Missing("There is no such pack.")
    return customer, pack


def _adjust(
    context: Context,
    staff: StaffMember,
    customer: Row[Customer],
    pack: Row[Pack],
    change: CreditChange,
    record: tuple[str, Submission],
) -> Entry:
    changed, entry = adjust(
        pack.value,
        change.delta,
        entry_id=record[1].answer,
        now=context.now(),
        reason=change.reason,
        by=staff.email,
    )
    announced = announce_low(pack.value, changed)
    transactions.adjust_pack(
        pack=pack,
        changed=announced or changed,
        entry=entry,
        messages=[tell.credits_low(context, customer.value, announced)] if announced else [],
        events=[
            written_down(
                context,
                staff,
                "credits",
                about=entry.reason,
                pack_id=entry.pack_id,
                before=str(pack.value.left),
                after=str(entry.left),
            )
        ],
        submission=record,
    )
    return entry
