"""Charge the periods that are due ([2359]), and the next packs of what recurs ([RECUR])."""

from typing import Any

from shared.domain.business import Business
from shared.events import each, key_of
from shared.operations.collect import Renewed, renew
from shared.operations.context import Context
from shared.operations.recur import turn
from shared.store import snapshot
from shared.wiring import current


def _due(context: Context, pk: str, sk: str) -> Renewed:
    do = turn if sk.startswith("pack#") else renew
    return do(context, *key_of(pk, sk))


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    wiring = current()
    context = wiring.context(snapshot.load(Business, wiring.now()), paced=True)
    return each(event, lambda pk, sk: _due(context, pk, sk), now=wiring.now())
