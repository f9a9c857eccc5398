"""Give invoices their numbers, a batch at a time ([NUMBER])."""

from typing import Any

from shared.events import MAX_ITEMS, key_of
from shared.operations.number import number
from shared.store import accounts


def handler(event: dict[str, Any], _context: object) -> dict[str, int]:
    items = (event.get("detail") or {}).get("due") or []
    refs = [
        accounts.invoice(*key_of(str(item["pk"]), str(item["sk"]))) for item in items[:MAX_ITEMS]
    ]
    return {"numbered": number(refs)}
