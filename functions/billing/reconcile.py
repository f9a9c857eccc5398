"""Find out what became of charges whose outcome is open ([ONCE])."""

from typing import Any

from shared.domain.business import Business
from shared.events import count, each, key_of
from shared.operations.reconcile import Reconciled, reconcile
from shared.store import snapshot
from shared.wiring import current


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    wiring = current()
    context = wiring.context(snapshot.load(Business, wiring.now()), paced=True)
    outcomes = each(event, lambda pk, sk: reconcile(context, *key_of(pk, sk)), now=wiring.now())
    still_open = outcomes.get(Reconciled.STILL_OPEN.value, 0)
    if still_open:
        count("UnknownCharges", still_open)
    return outcomes
