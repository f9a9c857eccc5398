"""Each minute: find what is due, lease it, put it on the event bus."""

from typing import Any

from shared.events import count, logger
from shared.operations.sweep import sweep
from shared.wiring import current


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    wiring = current()
    environment = wiring.environment
    swept = sweep(
        now=wiring.now(),
        new_id=wiring.new_id,
        events=wiring.events,
        bus=environment.event_bus,
        shards=environment.due_shards,
        limit=environment.sweep_limit,
        charges_a_minute=environment.charges_a_minute,
    )
    count("OldestDueSeconds", swept.oldest_seconds)
    if swept.parked:
        count("ParkedItems", swept.parked)
    if swept.leased or swept.parked:
        logger.info("swept", leased=swept.leased, lost=swept.lost, parked=swept.parked)
    if swept.refused:
        logger.error("items could not be leased", refused=swept.refused)
    return {"leased": swept.leased, "lost": swept.lost, "parked": swept.parked}
