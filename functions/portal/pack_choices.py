"""Which of several packs in hand pays for places, as people choose it ([LEDGER] [BOOK]). Pure."""

from collections.abc import Sequence

from functions.portal.pages.activity_models import PackToUse
from shared.domain import spending
from shared.domain.activity import Activity
from shared.domain.errors import Conflict
from shared.domain.pack import Pack
from shared.operations import planning
from shared.operations.context import Context
from shared.operations.visit import Row

PACKS_TO_CHOOSE_FROM = 10


def packs_to_use(
    context: Context, activity: Activity, packs: Sequence[Row[Pack]], participants: int
) -> tuple[PackToUse, ...]:
    """The packs of which each alone would pay for all of it, in the order in which they are spent;
    none where there is nothing to choose."""
    in_order = spending.in_order(row.value for row in packs)[:PACKS_TO_CHOOSE_FROM]
    by_id = {row.value.id: row for row in packs}
    fit = [
        one
        for one in in_order
        if not planning.plan_for(context, activity, [by_id[one.id]], participants).due
    ]
    if len(fit) < 2:
        return ()
    return tuple(
        PackToUse(
            pack_id=one.id,
            name=one.name,
            left=one.left,
            expires_at=one.expires_at,
            zone=one.zone,
        )
        for one in fit
    )


def chosen(
    context: Context,
    activity: Activity,
    packs: Sequence[Row[Pack]],
    participants: int,
    pack_id: str | None,
) -> Sequence[Row[Pack]]:
    """The packs to plan with. `Missing` for one that is not theirs, `Conflict` for one that can't
    be used, or does not pay for all of it (`not_enough_credits`)."""
    named = planning.only_named(context, activity, packs, pack_id)
    if pack_id is not None and planning.plan_for(context, activity, named, participants).due:
        raise Conflict("This pack does not pay for all of it.", code="not_enough_credits")
    return named
