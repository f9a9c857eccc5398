"""The calendar of packs ([PACK], [PACKMAIL])."""

from typing import Any

from shared.domain.business import Business
from shared.events import each, key_of
from shared.operations.packs import expire
from shared.store import snapshot
from shared.wiring import current


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    wiring = current()
    context = wiring.context(snapshot.load(Business, wiring.now()))
    return each(event, lambda pk, sk: expire(context, *key_of(pk, sk)), now=wiring.now())
