"""Every change of state around money, by name, with its conditions in sight.

Each function is one transaction: all of it happens or none. `Lost` means that something else was
first: read again and decide again. A row that is replaced is, by that, on the condition that it
is still the version that was read; what is created must not exist yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from shared.store import accounts
from shared.store.commitments import commitment_writes
from shared.store.items import Row
from shared.store.writing import Write, absent, commit, create, put, remove, replace, unchanged

if TYPE_CHECKING:
    from shared.domain.cart import Cart
    from shared.domain.charge import Charge
    from shared.domain.customer import Customer
    from shared.domain.granting import Granted
    from shared.domain.invoice import Invoice
    from shared.domain.message import Message, Notice
    from shared.domain.pack import Entry, Pack
    from shared.domain.subscription import Subscription
    from shared.store.marks import Numbering
    from shared.store.records import Submission
    from shared.store.timeline import TimelineEvent


def _told(messages: Iterable[Message]) -> list[Write]:
    return [create(accounts.message(one.customer_id, one.to, one.key), one) for one in messages]


def _told_together(messages: Sequence[Message]) -> list[Write]:
    """Emails that tell of one thing to one person, as one item."""
    if not messages:
        return []
    from shared.domain.message import together

    return _told([together(messages)])


def _noticed(notices: Iterable[Notice]) -> list[Write]:
    return [create(accounts.notice(one), one) for one in notices]


def _granted(granted: Iterable[Granted]) -> list[Write]:
    writes = []
    for one in granted:
        pack, entry = one.pack, one.entry
        writes.append(create(accounts.pack(pack.customer_id, pack.id), pack))
        writes.append(create(accounts.entry(pack.customer_id, pack.id, entry.id), entry))
    return writes


def _happened(customer_id: str | None, events: Iterable[TimelineEvent]) -> list[Write]:
    if customer_id is None:
        return []
    return [create(accounts.timeline_event(customer_id, one.id), one) for one in events]


def _pressed(customer_id: str, submission: tuple[str, Submission] | None) -> list[Write]:
    if submission is None:
        return []
    key, record = submission
    return [create(accounts.submission(customer_id, key), record)]


def _changed(row: Row[Any] | None, value: Any) -> list[Write]:
    """A replacement, when there is a row and something about it changed or is not stored yet."""
    if row is None or value is None or (value == row.value and row.version):
        return []
    return [replace(row, value)]


def _held_to(row: Row[Any] | None, value: Any) -> list[Write]:
    """What was read is still so, and becomes `value` if that is another."""
    if row is None:
        return []
    return _changed(row, value) or [unchanged(row)]


# --- paying ----------------------------------------------------------------------------------


def open_checkout(
    *,
    cart: Row[Cart],
    claimed: Cart,
    charge: Row[Charge] | None,
    opened: Charge,
    submission_key: str,
    submission: Submission,
    customer: Row[Customer],
    reserved: Customer,
) -> None:
    """The intent of a checkout: the cart is still as it was seen and is claimed; there is no
    charge for this version of it, or the one there is stands as it was read, at a definite
    decline; the submission's key is new. A customer whose trial begins with it is changed too."""
    customer_id = opened.customer_id
    writes = [
        replace(cart, claimed),
        put(accounts.charge(customer_id, opened.source), charge, opened),
        create(accounts.submission(customer_id, submission_key), submission),
    ]
    commit([*writes, *_changed(customer, reserved)])


def open_order(*, opened: Charge, submission: tuple[str, Submission]) -> None:
    """The intent of an order that staff make for a customer: its charge and the press are new."""
    commit(
        [
            create(accounts.charge(opened.customer_id, opened.source), opened),
            *_pressed(opened.customer_id, submission),
        ]
    )


def settle_checkout(
    *,
    charge: Row[Charge] | None,
    settled: Charge,
    cart: Row[Cart] | None,
    emptied: Cart | None,
    customer: Row[Customer],
    changed: Customer,
    invoice: Invoice | None,
    granted: Sequence[Granted],
    subscriptions: Sequence[Subscription],
    renewed: Sequence[tuple[Row[Subscription], Subscription]],
    messages: Sequence[Message],
    events: Sequence[TimelineEvent] = (),
    submission: tuple[str, Submission] | None = None,
) -> None:
    """A checkout succeeded: the charge was unsettled as it was read (or, when nothing is to be
    paid, there was none), and everything that was bought comes to be at once. Subscriptions whose
    next pack it paid go on ([RECUR])."""
    customer_id = settled.customer_id
    writes = [put(accounts.charge(customer_id, settled.source), charge, settled)]
    if submission is not None:
        key, record = submission
        writes.append(create(accounts.submission(customer_id, key), record))
    if invoice is not None:
        writes.append(create(accounts.invoice(customer_id, invoice.id), invoice))
    writes += [create(accounts.subscription(customer_id, one.id), one) for one in subscriptions]
    writes += [replace(row, one) for row, one in renewed]
    commit(
        [
            *writes,
            *commitment_writes([*subscriptions, *(one for _, one in renewed)]),
            *_happened(customer_id, events),
            *_changed(cart, emptied),
            *_changed(customer, changed),
            *_granted(granted),
            *_told_together(messages),
        ]
    )


def release_checkout(
    *,
    charge: Row[Charge],
    declined: Charge,
    cart: Row[Cart] | None,
    released: Cart | None,
    customer: Row[Customer],
    changed: Customer,
    waiting: Sequence[Row[Subscription]] = (),
) -> None:
    """A checkout did not succeed: nothing was bought and the cart is the customer's again. The
    subscriptions whose next packs stay in it are as they were read ([RECUR])."""
    commit(
        [
            replace(charge, declined),
            *_changed(cart, released),
            *_changed(customer, changed),
            *(unchanged(row) for row in waiting),
        ]
    )


def open_period(
    *, subscription: Row[Subscription], collecting: Subscription, charge: Charge, invoice: Invoice
) -> None:
    """The intent of a period's charge: the subscription is as it was read (active, nothing being
    collected), and there has never been a charge for this period."""
    customer_id = charge.customer_id
    commit(
        [
            replace(subscription, collecting),
            create(accounts.charge(customer_id, charge.source), charge),
            create(accounts.invoice(customer_id, invoice.id), invoice),
        ]
    )


def begin_retry(
    *,
    charge: Row[Charge],
    attempting: Charge,
    subscription: Row[Subscription],
    collecting: Subscription,
    submission: tuple[str, Submission] | None = None,
) -> None:
    """The intent of a further try: charge and subscription are as they were read, the last try
    a definite decline; the submission's key, when a person asked, is new."""
    writes = [replace(charge, attempting)]
    writes.append(
        unchanged(subscription)
        if collecting == subscription.value
        else replace(subscription, collecting)
    )
    if submission is not None:
        key, record = submission
        writes.append(create(accounts.submission(attempting.customer_id, key), record))
    commit(writes)


def settle_period(
    *,
    charge: Row[Charge],
    settled: Charge,
    invoice: Row[Invoice],
    closed: Invoice,
    subscription: Row[Subscription],
    renewed: Subscription,
    customer: Row[Customer],
    changed: Customer,
    granted: Granted,
    cart: Row[Cart] | None = None,
    changed_cart: Cart | None = None,
    messages: Sequence[Message],
    notices: Sequence[Notice],
    events: Sequence[TimelineEvent] = (),
    submission: tuple[str, Submission] | None = None,
) -> None:
    """A period is paid: the charge was unsettled as it was read; its invoice is closed, its pack
    granted and the next period due. When nothing was to be paid, or it is paid ahead, charge and
    invoice are new; the submission's key is, when staff recorded it. A `cart` that held its next
    pack is as it was read ([RECUR])."""
    customer_id = settled.customer_id
    commit(
        [
            replace(charge, settled),
            *_pressed(customer_id, submission),
            *_happened(customer_id, events),
            replace(invoice, closed),
            replace(subscription, renewed),
            *commitment_writes([renewed]),
            *_changed(customer, changed),
            *_granted([granted]),
            *_held_to(cart, changed_cart),
            *_told_together(messages),
            *_noticed(notices),
        ]
    )


def record_try(
    *,
    charge: Row[Charge],
    recorded: Charge,
    invoice: Row[Invoice] | None = None,
    failed: Invoice | None = None,
    subscription: Row[Subscription] | None = None,
    changed_subscription: Subscription | None = None,
    customer: Row[Customer] | None = None,
    changed_customer: Customer | None = None,
    packs: Sequence[tuple[Row[Pack], Pack]] = (),
    messages: Sequence[Message] = (),
    notices: Sequence[Notice] = (),
) -> None:
    """What became of a try that did not pay, or of a period with nobody to ask: the charge was
    as it was read, or is new."""
    commit(
        [
            replace(charge, recorded),
            *_changed(invoice, failed),
            *_changed(subscription, changed_subscription),
            *commitment_writes([changed_subscription] if changed_subscription else []),
            *_changed(customer, changed_customer),
            *(replace(row, pack) for row, pack in packs),
            *_told(messages),
            *_noticed(notices),
        ]
    )


def notify(notices: Sequence[Notice]) -> None:
    commit(_noticed(notices))


def notify_once(notice: Notice) -> None:
    """A notice whose id says what it is about: `Lost` when it is there, or was and is done."""
    commit([create(accounts.notice(notice), notice), absent(accounts.notice_at("done", notice.id))])


def mark_notice_done(row: Row[Notice], done: Notice, events: Sequence[TimelineEvent] = ()) -> None:
    """A notice moves from the open ones to the done ones, once; `events` are of its customer."""
    commit(
        [
            remove(row),
            create(accounts.notice(done), done),
            *_happened(done.customer_id, events),
        ]
    )


def release_parked(
    *, item: Write, row: Row[Notice], done: Notice, events: Sequence[TimelineEvent]
) -> None:
    """A parked item is due again (`item`, from `due.release`: it is still parked), and its notice
    is done and says so. `row` may be a notice that was marked done before without that. `Lost` at
    `PARKED_ITEM` when the item is not parked any more; then nothing was changed."""
    ref = accounts.notice(done)
    moved = [replace(row, done)] if row.ref == ref else [remove(row), create(ref, done)]
    commit([item, *moved, *_happened(done.customer_id, events)])


PARKED_ITEM = 0
"""Which write of `release_parked` is the item's."""


def tell_customer(
    customer: Row[Customer], messages: Sequence[Message], events: Sequence[TimelineEvent]
) -> None:
    """Something is told to a customer by staff, and that it was."""
    commit([*_told(messages), *_happened(customer.value.id, events)])


# --- subscriptions ---------------------------------------------------------------------------


def change_subscription(
    *,
    subscription: Row[Subscription],
    changed: Subscription,
    charge: Row[Charge] | None = None,
    given_up: Charge | None = None,
    invoice: Row[Invoice] | None = None,
    void: Invoice | None = None,
    customer: Row[Customer] | None = None,
    changed_customer: Customer | None = None,
    packs: Sequence[tuple[Row[Pack], Pack]] = (),
    cart: Row[Cart] | None = None,
    changed_cart: Cart | None = None,
    messages: Sequence[Message] = (),
    notices: Sequence[Notice] = (),
    events: Sequence[TimelineEvent] = (),
    submission: tuple[str, Submission] | None = None,
) -> None:
    """A subscription is changed by a person or the clock, with all that follows from it. The
    charge that may be under way is given up in the same transaction ([CANCEL]). A `cart` that holds
    its next pack is as it was read, changed or not ([RECUR])."""
    customer_id = changed.customer_id
    writes = [
        *_changed(subscription, changed),
        *commitment_writes([changed]),
        *_changed(charge, given_up),
        *_changed(invoice, void),
        *_changed(customer, changed_customer),
        *(replace(row, pack) for row, pack in packs),
        *_held_to(cart, changed_cart),
        *_told(messages),
        *_noticed(notices),
        *_happened(customer_id, events),
    ]
    if submission is not None:
        key, record = submission
        writes.append(create(accounts.submission(customer_id, key), record))
    commit(writes)


def turn_pack(
    *,
    pack: Row[Pack],
    turned: Pack,
    subscription: Row[Subscription] | None,
    told: Subscription | None,
) -> None:
    """The moment of the next pack has come, once: the pack is as it was read, and so is the
    subscription that is told ([RECUR])."""
    commit([replace(pack, turned), *_changed(subscription, told)])


def change_customer(
    *, customer: Row[Customer], changed: Customer, events: Sequence[TimelineEvent] = ()
) -> None:
    commit([*_changed(customer, changed), *_happened(changed.id, events)])


# --- packs, numbers, webhooks ------------------------------------------------------------------


def end_pack(
    *,
    pack: Row[Pack],
    changed: Pack,
    entries: Sequence[Entry],
    others: Sequence[tuple[Row[Pack], Pack]] = (),
    messages: Sequence[Message] = (),
) -> None:
    """A pack's calendar moved on: what expired is in the ledger, in the same transaction."""
    commit(
        [
            replace(pack, changed),
            *(replace(row, other) for row, other in others),
            *(create(accounts.entry(one.customer_id, one.pack_id, one.id), one) for one in entries),
            *_told(messages),
        ]
    )


def move_expiry(
    *,
    pack: Row[Pack],
    moved: Pack,
    subscription: Row[Subscription] | None,
    expecting: Subscription | None,
    event: TimelineEvent,
    submission: tuple[str, Submission],
) -> None:
    """Staff move a pack's expiry: the pack is as it was read, and the submission's key is new; the
    subscription that recurs by it expects its next one accordingly ([PACK], [KEY])."""
    customer_id = moved.customer_id
    commit(
        [
            replace(pack, moved),
            *_changed(subscription, expecting),
            *_pressed(customer_id, submission),
            *_happened(customer_id, [event]),
        ]
    )


def adjust_pack(
    *,
    pack: Row[Pack],
    changed: Pack,
    entry: Entry,
    messages: Sequence[Message],
    events: Sequence[TimelineEvent],
    submission: tuple[str, Submission],
) -> None:
    """Staff add or take off credits: the pack is as it was read, the ledger has its new line, and
    the submission's key is new ([LEDGER], [KEY])."""
    key, record = submission
    commit(
        [
            replace(pack, changed),
            create(accounts.entry(entry.customer_id, entry.pack_id, entry.id), entry),
            create(accounts.submission(entry.customer_id, key), record),
            *_told(messages),
            *_happened(entry.customer_id, events),
        ]
    )


def number_invoices(
    *,
    location_id: str,
    numbering: Row[Numbering] | None,
    advanced: Numbering,
    invoices: Sequence[tuple[Row[Invoice], Invoice]],
) -> None:
    """A batch gets its numbers and the counter moves, both or neither ([NUMBER])."""
    commit(
        [
            put(accounts.numbering(location_id), numbering, advanced),
            *(replace(row, numbered) for row, numbered in invoices),
        ]
    )
