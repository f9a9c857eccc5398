"""Charge the periods that are due ([2359])."""

from typing import Any

from shared.events import each, key_of
from shared.operations.collect import renew
from shared.store import catalogue
from shared.wiring import current


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    wiring = current()
    context = wiring.context(catalogue.load(wiring.now()))
    return each(event, lambda pk, sk: renew(context, *key_of(pk, sk)), now=wiring.now())
