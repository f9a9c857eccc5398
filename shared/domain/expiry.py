"""Moving a pack's expiry by hand ([PACK])."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from shared.domain.calendar import local_date, minute_before_midnight
from shared.domain.errors import Conflict, Invalid
from shared.domain.pack import Pack, PackStatus, next_turn

if TYPE_CHECKING:
    from shared.domain.subscription import Subscription

AHEAD_AT_MOST = timedelta(days=3_660)
"""How far from today an expiry can be moved."""


def move_expiry(pack: Pack, to: date, *, reason: str, now: datetime) -> Pack:
    """The pack with its expiry at 23:59 of the local day `to`, whatever its bookings say from now
    on. It is announced again when it comes later ([PACKMAIL]).

    Raises `Invalid` for a day that has passed and without a reason; `Conflict` when the pack has
    expired, has no expiry that could be moved, or something booked with it would not start before.
    """
    if not reason.strip():
        raise Invalid("A reason is needed.", fields={"reason": "Say why, in a few words."})
    if pack.status(now) is PackStatus.EXPIRED:
        raise Conflict("This pack has expired, and that can't be undone.", code="pack_expired")
    if pack.expires_at is None:
        raise Conflict("This pack has no expiry that could be moved.", code="pack_without_expiry")
    today = local_date(now, pack.zone)
    # The furthest day comes first: further ones may be beyond what a calendar knows.
    if to > today + AHEAD_AT_MOST:
        sentence = "Choose a day within ten years."
        raise Invalid(sentence, fields={"expires_on": sentence})
    expires_at = minute_before_midnight(to, pack.zone)
    if expires_at <= now:
        sentence = "Choose a day that has not passed."
        raise Invalid(sentence, fields={"expires_on": sentence})
    stranded = [one for one in pack.booked if one.starts_at >= expires_at]
    if stranded:
        raise Conflict(
            "Something booked with it starts after that day. Cancel or move that first.",
            code="would_strand",
            booked=len(stranded),
        )
    if expires_at == pack.expires_at:
        return pack
    later = expires_at > pack.expires_at
    return pack.model_copy(
        update={
            "expires_at": expires_at,
            "expires_with_next": False,
            "expiry_moves": pack.expiry_moves + 1,
            "expiry_announced": pack.expiry_announced and not later,
        }
    )


def expected_with(pack: Pack, subscription: Subscription) -> Subscription:
    """What recurs by this pack's expiry expects its next one accordingly ([RECUR])."""
    recurring = subscription.recurring
    if recurring is None or recurring.turn is not None or subscription.over:
        return subscription
    if pack.period is None or subscription.next_period != pack.period + 1:
        return subscription
    turn = next_turn(pack)
    expected = {"expected_at": turn.at if turn else None}
    return subscription.model_copy(update={"recurring": recurring.model_copy(update=expected)})


def expecting(subscription: Subscription, packs: Iterable[Pack]) -> Subscription:
    """The subscription that expects its next pack as the latest of its packs now says, used up or
    not; as it is where that is not among them ([RECUR])."""
    latest = subscription.packs[-1] if subscription.packs else None
    pack = next((one for one in packs if one.id == latest), None)
    return subscription if pack is None else expected_with(pack, subscription)
