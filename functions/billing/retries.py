"""The next slots of failing charges ([RETRY])."""

from typing import Any

from shared.domain.business import Business
from shared.events import each, key_of
from shared.operations.collect import retry
from shared.store import snapshot
from shared.wiring import current


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    wiring = current()
    context = wiring.context(snapshot.load(Business, wiring.now()), paced=True)
    return each(event, lambda pk, sk: retry(context, *key_of(pk, sk)), now=wiring.now())
