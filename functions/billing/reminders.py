"""Announce charges to come ([REMIND])."""

from typing import Any

from shared.domain.business import Business
from shared.events import each, key_of
from shared.operations.remind import remind
from shared.store import snapshot
from shared.wiring import current


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    wiring = current()
    context = wiring.context(snapshot.load(Business, wiring.now()))
    return each(event, lambda pk, sk: remind(context, *key_of(pk, sk)), now=wiring.now())
