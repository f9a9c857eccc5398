"""Once a day: hold the books against the invariants."""

from typing import Any

from shared.domain.business import Business
from shared.events import count
from shared.log import logger
from shared.operations.audit import audit
from shared.store import snapshot
from shared.wiring import current


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    wiring = current()
    context = wiring.context(snapshot.load(Business, wiring.now()), paced=True)
    found = audit(context, shards=wiring.environment.due_shards)
    count("BreachedInvariants", len(found.breaches))
    for breach in found.breaches:
        logger.error("invariant breached", rule=breach.rule.value, item=breach.item)
    logger.info(
        "audited",
        customers=found.customers,
        unanswered=found.unanswered,
        breaches=len(found.breaches),
    )
    return {
        "customers": found.customers,
        "unanswered": found.unanswered,
        "breaches": [str(breach) for breach in found.breaches],
    }
