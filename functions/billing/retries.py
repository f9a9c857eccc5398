"""The next slots of failing charges ([RETRY])."""

from typing import Any

from shared.events import each, key_of
from shared.operations.collect import retry
from shared.store import businesses
from shared.wiring import current


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    wiring = current()
    context = wiring.context(businesses.load(wiring.now()), paced=True)
    return each(event, lambda pk, sk: retry(context, *key_of(pk, sk)), now=wiring.now())
