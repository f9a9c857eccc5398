"""Each minute: find what is due, lease it, put it on the event bus."""

from functools import partial
from typing import Any

from shared.domain.admission import parts
from shared.events import count
from shared.log import logger
from shared.operations.sweep import SWEEP, Sweep, parts_of
from shared.wiring import current

LEFT_MILLISECONDS = 10_000
"""What a sweep keeps of its time to hand over what it has leased and what it has not."""


def _in_time(context: Any) -> bool:
    """Whether Lambda leaves time for more; where nobody says when it ends, there is."""
    left = getattr(context, "get_remaining_time_in_millis", None)
    return left is None or left() > LEFT_MILLISECONDS


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A tick of the clock, or the part of one that another sweep has handed over."""
    wiring = current()
    environment = wiring.environment
    sweep = Sweep(
        now=wiring.now(),
        new_id=wiring.new_id,
        events=wiring.events,
        bus=environment.event_bus,
        in_time=partial(_in_time, context),
    )
    if event.get("detail-type") == SWEEP:
        swept = sweep.some(parts_of(event))
    else:
        swept = sweep.tick(
            parts(
                shards=environment.due_shards,
                limit=environment.sweep_limit,
                charges_a_minute=environment.charges_a_minute,
            )
        )
    count("OldestDueSeconds", swept.oldest_seconds)
    if swept.parked:
        count("ParkedItems", swept.parked)
    if swept.leased or swept.parked:
        logger.info(
            "swept",
            leased=swept.leased,
            lost=swept.lost,
            parked=swept.parked,
            handed_over=swept.handed_over,
        )
    if swept.refused:
        logger.error("items could not be leased", refused=swept.refused)
    return {"leased": swept.leased, "lost": swept.lost, "parked": swept.parked}
