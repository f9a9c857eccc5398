"""A payment that a bank takes back, or gives again ([REVERSE]).

A report only says where to look: what the provider has of the payment is asked, and what differs
from our books is written in one transaction. So reports may come twice, late and in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pydantic import BaseModel

from shared.domain import reversal
from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.operations import credits_used, tell
from shared.providers.errors import ProviderUnavailable, RequestRefused
from shared.store import accounts, invoicing, transactions
from shared.store.bookings import Besides, Credits
from shared.store.invoicing import Reserved
from shared.store.items import Lost, Row
from shared.store.reading import Page, read

if TYPE_CHECKING:
    from shared.domain.charge import Attempt, Charge
    from shared.domain.customer import Customer
    from shared.domain.invoice import Invoice
    from shared.domain.message import Notice
    from shared.domain.pack import Pack
    from shared.domain.subscription import Subscription
    from shared.operations.context import Context

LOOKS = 12
"""How often a payment is looked at until the provider has nothing new to say, lost races too."""

PAGE = 200
MAX_PAGES = 10
"""Pages of a customer's packs and subscriptions that are read for those of one invoice."""

E = TypeVar("E", bound=BaseModel)


class Reversed(StrEnum):
    NOTHING_NEW = "nothing_new"
    RECORDED = "recorded"
    UNANSWERED = "unanswered"
    """The provider gave no answer, or others were always first: whoever asked has to come again."""


# --- what an invoice brought -----------------------------------------------------------------


class Follows(NamedTuple):
    """What changes with an invoice that is taken back or paid again, beside what was read."""

    packs: tuple[tuple[Row[Pack], Pack], ...] = ()
    subscriptions: tuple[tuple[Row[Subscription], Subscription], ...] = ()


def follows(customer_id: str, before: Invoice, after: Invoice, now: datetime) -> Follows:
    """The packs that are frozen or thawed, and the subscriptions whose payments count otherwise,
    when `before` becomes `after`: to be written in the same transaction. Whoever records a payment
    of an open invoice asks; where no bank took anything back it is nothing, and nothing is read."""
    if not (before.reversed or after.reversed):
        return Follows()
    brought = packs_on(customer_id, after.id)
    packs = [(row, reversal.frozen_as(after, row.value, now)) for row in brought]
    subscriptions = [
        (row, reversal.counted_as(before, after, [one.value for one in brought], row.value))
        for row in _all(lambda at: accounts.subscriptions_of(customer_id, limit=PAGE, after=at))
    ]
    return Follows(
        packs=tuple((row, pack) for row, pack in packs if pack != row.value),
        subscriptions=tuple((row, one) for row, one in subscriptions if one != row.value),
    )


def packs_on(customer_id: str, invoice_id: str) -> list[Row[Pack]]:
    """The packs that an invoice brought, wherever they lie."""
    rows = [
        *_all(lambda at: accounts.packs_of(customer_id, limit=PAGE, after=at)),
        *_all(lambda at: accounts.ended_packs_of(customer_id, limit=PAGE, after=at)),
    ]
    return [row for row in rows if row.value.invoice_id == invoice_id]


def _all(page_after: Callable[[str | None], Page[E]]) -> list[Row[E]]:
    rows: list[Row[E]] = []
    after: str | None = None
    for _ in range(MAX_PAGES):
        page = page_after(after)
        rows += page.rows
        after = page.next
        if after is None:
            break
    return rows


# --- looking ---------------------------------------------------------------------------------


def look(context: Context, customer_id: str, source: str, provider_charge_id: str) -> Reversed:
    """Ask what became of a payment that had settled, and record what a bank took back of it or
    gave again since. After something was recorded it is looked at again: two reports that are
    applied at the same time would otherwise leave the older one's word."""
    done = Reversed.NOTHING_NEW
    ref = accounts.charge(customer_id, source)
    for _ in range(LOOKS):
        row = read(ref).get(ref)
        attempt = row.value.attempt_at(provider_charge_id) if row else None
        if row is None or attempt is None or attempt.outcome is not Outcome.SUCCEEDED:
            return done
        try:
            taken = _taken_now(context, row.value, attempt)
        except (ProviderUnavailable, RequestRefused):
            return Reversed.UNANSWERED
        if taken is None:
            return done
        recorded = reversal.record_reversal(row.value, attempt.id, taken, context.now())
        if recorded is None:
            return done
        try:
            _write(context, row, recorded, attempt)
        except Lost:
            continue
        done = Reversed.RECORDED
    return done if done is Reversed.RECORDED else Reversed.UNANSWERED


def _taken_now(context: Context, charge: Charge, attempt: Attempt) -> Money | None:
    """What a bank holds of an attempt's money; None when the provider does not know of it."""
    found = context.provider(attempt.card.provider).look_up(
        charge_ref=charge.ref,
        attempt_id=attempt.id,
        provider_charge_id=attempt.provider_charge_id,
        provider_customer=attempt.provider_customer,
    )
    if found is None or found.provider_charge_id != attempt.provider_charge_id:
        return None
    if found.outcome is not Outcome.SUCCEEDED:
        return None
    return found.reversed or Money.zero(attempt.amount.currency)


# --- writing ---------------------------------------------------------------------------------


def _write(context: Context, charge: Row[Charge], recorded: Charge, attempt: Attempt) -> None:
    """What a bank took back or gave again, with all that follows from it. Of money that pays no
    invoice, since nobody wanted it, staff are only told."""
    value, now = charge.value, context.now()
    marked = recorded.attempt(attempt.id)
    assert marked is not None
    change = reversal.taken_back(marked) - reversal.taken_back(attempt)
    invoice_ref = accounts.invoice(value.customer_id, value.invoice_id)
    head_ref = accounts.head(value.customer_id)
    found = read(invoice_ref, head_ref)
    invoice, head = found.get(invoice_ref), found.get(head_ref)
    assert head is not None
    payer = reversal.settled_by(value)
    if invoice is None or payer is None or payer.id != attempt.id:
        notice = _notice(context, head.value, value, attempt, change, None)
        transactions.record_try(charge=charge, recorded=recorded, notices=[notice])
        return
    payment = reversal.reversed_payment(value, attempt, change, now)
    changed = reversal.with_payment(invoice.value, payment, now)
    following = follows(value.customer_id, invoice.value, changed, now)
    invoicing.change_invoice(
        invoice=invoice,
        changed=changed,
        reserved=_reserved(changed, now),
        credits_=Credits(packs=following.packs),
        subscriptions=following.subscriptions,
        besides=Besides(
            charge=(charge, recorded),
            notices=[_notice(context, head.value, value, attempt, change, changed)],
        ),
    )


def _reserved(changed: Invoice, now: datetime) -> Reserved | None:
    """The reservation that the invoice is about: it owes again, or no more."""
    if changed.reservation_id is None:
        return None
    ref = accounts.reservation(changed.customer_id, changed.reservation_id)
    row = read(ref).get(ref)
    return Reserved(row, reversal.owed_as(changed, row.value, now)) if row else None


def _notice(
    context: Context,
    customer: Customer,
    charge: Charge,
    attempt: Attempt,
    change: Money,
    invoice: Invoice | None,
) -> Notice:
    """What staff are told: of a reversal also which credits were used, pack by pack; when money
    came again also whether it had been paid otherwise meanwhile."""
    if change.minor < 0:
        too_much = -invoice.owed if invoice and invoice.owed.minor < 0 else None
        return tell.payment_reinstated(context, customer, charge, attempt, -change, too_much)
    brought = packs_on(customer.id, invoice.id) if invoice else []
    uses = credits_used.read_uses(row.value for row in brought)
    said = [credits_used.in_words(context, one) for one in uses]
    return tell.payment_reversed(context, customer, charge, attempt, change, said)
