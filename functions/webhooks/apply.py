"""Do what a stored event is about ([VERIFY], [SETTLE])."""

from typing import Any

from shared.domain.business import Business
from shared.events import each
from shared.operations.webhooks import apply
from shared.store import accounts, snapshot
from shared.wiring import current


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    wiring = current()
    context = wiring.context(snapshot.load(Business, wiring.now()), paced=True)
    return each(event, lambda pk, sk: apply(context, accounts.webhook_at(pk, sk)), now=wiring.now())
