"""The calendar of packs ([PACK], [PACKMAIL])."""

from typing import Any

from shared.events import each, key_of
from shared.operations.packs import expire
from shared.store import businesses
from shared.wiring import current


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    wiring = current()
    context = wiring.context(businesses.load(wiring.now()))
    return each(event, lambda pk, sk: expire(context, *key_of(pk, sk)), now=wiring.now())
