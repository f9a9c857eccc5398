"""Give invoices their numbers, a batch at a time ([NUMBER])."""

from typing import Any

from shared.events import MAX_ITEMS, each
from shared.log import logger
from shared.operations.number import number
from shared.store import accounts
from shared.wiring import current


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    """A batch that fails is numbered one by one, so that one bad invoice stops no other."""
    items = (event.get("detail") or {}).get("due") or []
    try:
        refs = [accounts.invoice_at(item["pk"], item["sk"]) for item in items[:MAX_ITEMS]]
        return {"numbered": number(refs)}
    except Exception:
        logger.exception("batch not numbered")
    return each(event, lambda pk, sk: number([accounts.invoice_at(pk, sk)]), now=current().now())
