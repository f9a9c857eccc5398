"""Which credits in hand would pay for places ([BOOK] [LEDGER]): what is shown before anything is
booked, and what booking decides by."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.domain import spending
from shared.domain.activity import Activity
from shared.domain.business import Location
from shared.domain.errors import Conflict, Missing
from shared.domain.money import Money
from shared.domain.pack import Pack
from shared.domain.reservation import estimated
from shared.domain.spending import Spending, WhyNotUsable
from shared.operations.context import Context
from shared.store import holdings
from shared.store.items import Row
from shared.store.reading import read

WHY_NOT_THIS_PACK: Mapping[WhyNotUsable, str] = {
    WhyNotUsable.EXPIRED: "This pack has expired.",
    WhyNotUsable.FROZEN: "This pack is on hold, because a payment for it was reversed.",
    WhyNotUsable.UNPAID: "This pack is not paid yet.",
    WhyNotUsable.USED_UP: "No credits are left on this pack.",
    WhyNotUsable.SERVICE: "This pack is for another service.",
    WhyNotUsable.LOCATION: "This pack is for another location.",
    WhyNotUsable.STAFF: "This pack is for activities of other staff members.",
    WhyNotUsable.NOT_YET: "This pack can't be used that early.",
    WhyNotUsable.FULL: "This pack holds as many places as one pack can.",
    WhyNotUsable.EXPIRES_BEFORE: "This pack expires before it begins.",
    WhyNotUsable.STRANDS: "This pack would then expire before something you have booked.",
}


def location_of(context: Context, location_id: str) -> Location:
    location = context.business.location(location_id)
    if location is None:
        raise Missing("There is no such activity.")
    return location


def packs_in_hand(customer_id: str, named: str | None = None) -> tuple[Row[Pack], ...]:
    """All of a customer's packs that something may still come of: mostly one round trip, and one
    more where the one that is `named` is not among them."""
    rows = holdings.live_packs_of(customer_id)
    if named is None or any(row.value.id == named for row in rows):
        return rows
    ref = holdings.pack(customer_id, named)
    row = read(ref).get(ref)
    return rows if row is None else (*rows, row)


def plan_for(
    context: Context, activity: Activity, packs: Sequence[Row[Pack]], participants: int
) -> Spending:
    """Which credits would pay for which participants."""
    return spending.plan(
        [row.value for row in packs],
        activity,
        participants,
        location_of(context, activity.location_id),
        context.business,
        context.now(),
    )


def estimate(activity: Activity, plan: Spending, participants: int, now: datetime) -> Money:
    """What is left to pay of places that are booked with `plan`, tax included."""
    return estimated(
        spending.reserved(
            activity, plan, None, reservation_id="", participants=participants, now=now
        )
    )


def only_named(
    context: Context, activity: Activity, packs: Sequence[Row[Pack]], pack_id: str | None
) -> Sequence[Row[Pack]]:
    """The one pack that the customer named, or all when none is named. `Missing` for what is not
    theirs ([OWN]), `Conflict` with the reason as its code for one that can't pay for this."""
    if pack_id is None:
        return packs
    named = [row for row in packs if row.value.id == pack_id]
    if not named:
        raise Missing("There is no such pack.")
    why_not = spending.why_not_usable(
        named[0].value, activity, context.business.settings, context.now()
    )
    if why_not is not None:
        raise Conflict(WHY_NOT_THIS_PACK[why_not], code=why_not.value)
    return named
