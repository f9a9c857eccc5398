"""Places given back: cancelled, or never paid ([PLACES], [BOOK], [LEDGER])."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from shared.domain import activity as places
from shared.domain import bought_place
from shared.domain.by import By
from shared.domain.errors import Conflict, Missing
from shared.domain.invoice import void
from shared.domain.reservation import Reservation, ReservationState, waiting
from shared.operations import place_invoices, tell
from shared.operations.holding import forfeit_all, offer_freed, read_all, release_all, seat_event
from shared.operations.racing import until_won
from shared.store import accounts, bookings
from shared.store.bookings import Besides, Credits
from shared.store.items import Row
from shared.store.reading import read

if TYPE_CHECKING:
    from shared.domain.activity import Activity
    from shared.domain.charge import Charge
    from shared.domain.invoice import Invoice
    from shared.domain.message import Notice
    from shared.domain.pack import Entry, Pack
    from shared.operations.context import Context
    from shared.operations.submissions import Press


def cancel(
    context: Context,
    customer_id: str,
    reservation_id: str,
    *,
    by_staff: str | None = None,
    press: Press | None = None,
    of_activity: str | None = None,
) -> Reservation:
    """Cancel a reservation, or leave the waiting list. Before the cutoff the credits come back to
    their packs; after it they stay used ([PLACES]). Staff always give them back, and it is written
    down who they were. Places that are freed are offered to whoever waits. Again answers the same;
    `Conflict` once it has begun. With `of_activity` one that was moved elsewhere is `Missing`."""
    return until_won(
        lambda: _cancel_once(context, customer_id, reservation_id, by_staff, press, of_activity)
    )


def _cancel_once(
    context: Context,
    customer_id: str,
    reservation_id: str,
    by_staff: str | None,
    press: Press | None,
    of_activity: str | None,
) -> Reservation:
    row, activity, customer = read_all(customer_id, reservation_id)
    value, now = row.value, context.now()
    if of_activity is not None and value.activity_id != of_activity:
        raise Missing("There is no such reservation.")
    if not value.live:
        if value.state is ReservationState.REDEEMED:
            raise Conflict("It has taken place.", code="reservation_over")
        return value
    if now >= value.starts_at and by_staff is None:
        raise Conflict("It has begun.", code="activity_begun")
    booked = value.state is ReservationState.BOOKED
    late = booked and by_staff is None and now >= value.cutoff_at
    state = ReservationState.CANCELLED_LATE if late else ReservationState.CANCELLED
    changed = value.model_copy(update={"state": state, "ended_at": now, "offered_until": None})
    if late:
        back = _too_late(context, changed, By.CUSTOMER.value)
    elif booked:
        back = _in_time(context, changed, by_staff or By.CUSTOMER.value)
    else:
        back = Back(changed, Credits())
    freed = (
        places.give_back(activity.value, value.participants)
        if booked
        else places.leave(activity.value, value.id)
    )
    freed, besides = offer_freed(context, freed)
    messages = [*besides.messages]
    if booked or by_staff is not None:
        messages.append(
            tell.reservation_cancelled(
                context,
                customer.value,
                back.reservation,
                before=value,
                by_merchant=by_staff is not None,
            )
        )
    bookings.change_reservation(
        reservation=row,
        changed=back.reservation,
        credits_=back.credits,
        activities=[(activity, freed)],
        besides=Besides(
            messages=messages,
            customer_id=customer_id,
            submission=press.record(now) if press else None,
            others=besides.others,
            events=[seat_event(context, by_staff, "seat:cancelled", changed)] if by_staff else (),
            invoice=back.invoice,
            charge=back.charge,
            notices=back.notices,
        ),
    )
    return back.reservation


class Back(NamedTuple):
    """What comes back with a place: its credits, and what becomes of the money behind it."""

    reservation: Reservation
    credits: Credits
    invoice: tuple[Row[Invoice] | None, Invoice] | None = None
    charge: tuple[Row[Charge] | None, Charge] | None = None
    notices: tuple[Notice, ...] = ()


def _too_late(context: Context, changed: Reservation, by: str) -> Back:
    """The credits are used up, and what was to be paid is owed ([PLACES])."""
    credits_ = forfeit_all(context, changed, by)
    owing = changed.model_copy(update={"outstanding": bool(changed.owes)})
    seen, invoice = place_invoices.of_visit(context, owing)
    return Back(seen, credits_, invoice=(None, invoice) if invoice else None)


def _in_time(context: Context, changed: Reservation, by: str) -> Back:
    """The credits come back. An invoice that nobody paid is void, with the pack that was bought on
    it; money that was paid for the place itself becomes credits of its service, and staff see it.
    """
    credits_ = release_all(context, changed, by)
    if changed.invoice_id is None:
        return Back(changed, credits_)
    ref = accounts.invoice(changed.customer_id, changed.invoice_id)
    invoice = read(ref).get(ref)
    if invoice is None:
        return Back(changed, credits_)
    if changed.invoiced is not None:
        return _not_asked_any_more(context, changed, credits_, invoice)
    if invoice.value.pack_id is not None:
        return Back(changed, credits_)
    return _made_up(context, changed, credits_)


def _not_asked_any_more(
    context: Context, changed: Reservation, credits_: Credits, invoice: Row[Invoice]
) -> Back:
    """What was never paid is asked for no more, also while a payment is under way: should that
    succeed, it is paid back. What was paid in part is for staff to look at."""
    kept = _bought(credits_, invoice.value)
    if invoice.value.paid or (invoice.value.pack_id is not None and kept is None):
        if not invoice.value.paid:
            return Back(changed, credits_)
        return Back(changed, credits_, notices=(tell.paid_place_given_back(context, changed),))
    charge_ref = accounts.charge(changed.customer_id, invoice.value.charged_under)
    charge = read(charge_ref).get(charge_ref)
    return Back(
        changed.model_copy(update={"invoiced": None}),
        revoked(context, credits_, invoice.value),
        invoice=(invoice, void(invoice.value, context.now())),
        charge=(charge, charge.value.model_copy(update={"given_up": True})) if charge else None,
    )


def _bought(credits_: Credits, invoice: Invoice) -> Pack | None:
    """The unpaid pack of an invoice, among packs that get their credits back."""
    packs = (pack for _, pack in credits_.packs if pack.id == invoice.pack_id)
    return next((pack for pack in packs if pack.unpaid), None)


def revoked(context: Context, credits_: Credits, invoice: Invoice) -> Credits:
    """The same, with the pack that was bought on the invoice brought to its end."""
    packs: list[tuple[Row[Pack], Pack]] = []
    entries: list[Entry] = [*credits_.entries]
    for row, pack in credits_.packs:
        if pack.id == invoice.pack_id and pack.unpaid:
            over, entry = bought_place.revoke(pack, entry_id=context.new_id(), now=context.now())
            packs.append((row, over))
            entries.append(entry)
        else:
            packs.append((row, pack))
    return Credits(packs=tuple(packs), entries=tuple(entries))


def _made_up(context: Context, changed: Reservation, credits_: Credits) -> Back:
    """Participants whose places were paid with money alone get a credit each; whatever credits
    can't make up for, staff are told of."""
    service = context.business.service(changed.service_id)
    hourly = service is not None and service.hourly
    hours = -(-int((changed.ends_at - changed.starts_at).total_seconds()) // 3600)
    alone = changed.participants - sum(one.participants for one in changed.held)
    notice = tell.paid_place_given_back(context, changed)
    if alone <= 0:
        return Back(changed, credits_, notices=(notice,))
    pack, entry = bought_place.make_up(
        changed,
        alone * (hours if hourly else 1),
        pack_id=context.new_id(),
        entry_id=context.new_id(),
        hourly=hourly,
        now=context.now(),
    )
    made = Credits(credits_.packs, (*credits_.entries, entry), made=(pack,))
    return Back(changed, made, notices=(notice,))


# --- a place that was booked on the condition that it is paid -------------------------------------


def give_up_place(
    context: Context,
    *,
    invoice: Row[Invoice],
    charge: Row[Charge],
    given_up: Charge,
    tell_of_it: bool,
) -> bool:
    """The place of an invoice that was not paid is free again, or goes on being offered; its pack
    and the invoice are gone, and the charge is over: one transaction ([BOOK]). False, and nothing
    is changed, when there is no such place any more, or it has begun."""
    value = invoice.value
    if value.reservation_id is None:
        return False
    row, activity, customer = read_all(value.customer_id, value.reservation_id)
    booked = row.value.state is ReservationState.BOOKED
    if not booked or context.now() >= row.value.starts_at:
        return False
    offered_again = _offered_again(row.value, activity.value, context.now())
    if offered_again is not None:
        changed, freed = offered_again
        besides, messages = Besides(), []
    else:
        gone = {"state": ReservationState.CANCELLED, "ended_at": context.now(), "invoiced": None}
        changed = row.value.model_copy(update={**gone, "offered_until": None})
        left = places.give_back(activity.value, row.value.participants)
        freed, besides = offer_freed(context, left)
        messages = [*besides.messages]
    if tell_of_it and offered_again is None:
        messages.append(
            tell.reservation_cancelled(
                context, customer.value, changed, before=row.value, by_merchant=False, not_paid=True
            )
        )
    bookings.change_reservation(
        reservation=row,
        changed=changed,
        credits_=revoked(context, release_all(context, row.value, ""), value),
        activities=[(activity, freed)],
        besides=Besides(
            messages=messages,
            customer_id=value.customer_id,
            others=besides.others,
            invoice=(invoice, void(value, context.now())),
            charge=(charge, given_up),
        ),
    )
    return True


def _offered_again(
    value: Reservation, activity: Activity, now: datetime
) -> tuple[Reservation, Activity] | None:
    """A place that was offered and could not be paid is offered as before, while its offer holds;
    None when it does not, or never did."""
    until = value.offered_until
    if until is None or until <= now or not activity.open_at(now):
        return None
    one = waiting(value).model_copy(update={"offered_until": until})
    update = {"state": ReservationState.OFFERED, "held": (), "invoiced": None}
    return value.model_copy(update=update), places.offer_again(activity, one)
