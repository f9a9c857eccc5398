"""The calendar of packs: what expires, what replaces what, what is announced ([PACK], [GRANT])."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain.by import By
from shared.domain.pack import Entry, EntryKind, Pack, calendar_moment
from shared.operations import tell
from shared.store import accounts, transactions
from shared.store.items import Lost, Row
from shared.store.reading import read

if TYPE_CHECKING:
    from shared.domain.message import Message
    from shared.operations.context import Context


class Expired(StrEnum):
    NOTHING_DUE = "nothing_due"
    DONE = "done"
    LOST = "lost"


def run_out(pack: Pack, entry_id: str, at: datetime, now: datetime, why: str) -> tuple[Pack, Entry]:
    """The pack at its end: what is left expires, and the ledger says so. It can't be undone."""
    entry = Entry(
        id=entry_id,
        pack_id=pack.id,
        customer_id=pack.customer_id,
        kind=EntryKind.EXPIRE,
        delta=-(pack.left or 0),
        left=None if pack.unlimited else 0,
        at=now,
        reason=why,
        by=By.CLOCK.value,
    )
    ended = pack.model_copy(
        update={
            "left": None if pack.unlimited else 0,
            "expires_at": pack.expires_at or at,
            "ended_at": now,
        }
    )
    return ended, entry


def expire(context: Context, customer_id: str, pack_id: str) -> Expired:
    """Whatever the calendar brings to this pack now: it replaces the last period's, its expiry
    is announced, or it expires."""
    ref, head_ref = accounts.pack(customer_id, pack_id), accounts.head(customer_id)
    found = read(ref, head_ref)
    row, customer = found.get(ref), found.get(head_ref)
    now = context.now()
    moment = calendar_moment(row.value) if row else None
    if row is None or customer is None or moment is None or moment.at > now:
        return Expired.NOTHING_DUE
    pack = row.value
    entries: list[Entry] = []
    messages: list[Message] = []
    others: list[tuple[Row[Pack], Pack]] = []
    if pack.replaces is not None and not pack.replaced and pack.usable_from <= now:
        pack = pack.model_copy(update={"replaced": True})
        former_ref = accounts.pack(customer_id, pack.replaces or "")
        former = read(former_ref).get(former_ref)
        if former is not None and former.value.ended_at is None:
            ended, entry = run_out(former.value, context.new_id(), pack.usable_from, now, "Renewed")
            others.append((former, ended))
            entries.append(entry)
    if pack.expires_at is not None and pack.expires_at <= now:
        pack, entry = run_out(pack, context.new_id(), pack.expires_at, now, "Expired")
        entries.append(entry)
    elif (
        not pack.expiry_announced
        and pack.expiry_email_at is not None
        and pack.expiry_email_at <= now
    ):
        pack = pack.model_copy(update={"expiry_announced": True})
        # Of one that is frozen there is nothing to use before it expires.
        if pack.left != 0 and pack.frozen_at is None:
            messages.append(tell.pack_expiring(context, customer.value, pack))
    try:
        transactions.end_pack(
            pack=row, changed=pack, entries=entries, others=others, messages=messages
        )
    except Lost:
        return Expired.LOST
    return Expired.DONE
