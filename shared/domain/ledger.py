"""Changes of a pack's credits by hand ([PACK], [LEDGER])."""

from datetime import datetime

from shared.domain.errors import Conflict, Invalid
from shared.domain.pack import Entry, EntryKind, Pack, PackStatus, used

MAX_ADJUSTMENT = 1_000
"""Credits that one change may add or take off."""

MAX_LEFT = 100_000
"""Credits that a pack may hold."""


def adjust(
    pack: Pack, delta: int, *, entry_id: str, now: datetime, reason: str, by: str
) -> tuple[Pack, Entry]:
    """Add credits (`delta` above 0) or take some off, with a reason: the pack and the line of its
    ledger. Never below 0. Raises `Invalid`, or `Conflict` for an expired or unlimited pack."""
    if delta == 0 or abs(delta) > MAX_ADJUSTMENT:
        raise Invalid(
            "That number of credits can't be changed.",
            fields={"delta": f"A whole number up to {MAX_ADJUSTMENT}, not 0; negative takes off."},
        )
    if not reason.strip():
        raise Invalid("A reason is needed.", fields={"reason": "Say why, in a few words."})
    if pack.status(now) is PackStatus.EXPIRED:
        raise Conflict("This pack has expired, and that can't be undone.", code="pack_expired")
    if pack.unpaid:
        raise Conflict("This pack is not paid yet: activate it first.", code="pack_unpaid")
    if pack.left is None:
        raise Conflict("This pack is unlimited: there is nothing to count.", code="pack_unlimited")
    left = pack.left + delta
    if left < 0:
        raise Conflict(
            f"Only {pack.left} credits are left on this pack.",
            code="not_enough_credits",
            left=pack.left,
        )
    if left > MAX_LEFT:
        raise Conflict(f"A pack holds at most {MAX_LEFT} credits.", code="too_many_credits")
    entry = Entry(
        id=entry_id,
        pack_id=pack.id,
        customer_id=pack.customer_id,
        kind=EntryKind.GRANT if delta > 0 else EntryKind.DEDUCT,
        delta=delta,
        left=left,
        at=now,
        reason=reason.strip(),
        by=by,
    )
    changed = pack.model_copy(update={"left": left})
    return used(changed, now) if delta < 0 else changed, entry


def announce_low(before: Pack, after: Pack) -> Pack | None:
    """The pack with its mark when its credits have just fallen to the number that its product
    names; None when there is nothing to tell ([PACKMAIL]: once per pack)."""
    if before.left is None or after.left is None or after.left >= before.left:
        return None
    if not after.low or after.low_announced:
        return None
    return after.model_copy(update={"low_announced": True})
