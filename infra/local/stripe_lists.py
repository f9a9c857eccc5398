"""Lists of the Stripe stand-in, page by page (docs.stripe.com/api/pagination)."""

from typing import Any

from infra.local.stripe_books import Object
from infra.local.stripe_errors import StripeRefusal, invalid
from infra.local.stripe_expand import as_list
from infra.local.stripe_params import Params

MAX_PAGE = 100
DEFAULT_PAGE = 10


def page(found: list[Object], params: Params, url: str) -> Object:
    """Newest first, at most `limit` (docs.stripe.com/api/pagination). `found` is oldest first."""
    limit = int(params.get("limit", DEFAULT_PAGE))
    if not 1 <= limit <= MAX_PAGE:
        message = f"limit must be from 1 to {MAX_PAGE}."
        raise invalid(message, param="limit", code="parameter_invalid_integer")
    kept = [one for one in reversed(found) if _in_range(one["created"], params.get("created"))]
    if "starting_after" in params:
        kept = kept[_place(kept, params, "starting_after") + 1 :]
    if "ending_before" in params:
        before = kept[: _place(kept, params, "ending_before")]
        return as_list(before[-limit:], url, has_more=len(before) > limit)
    return as_list(kept[:limit], url, has_more=len(kept) > limit)


def _place(kept: list[Object], params: Params, name: str) -> int:
    ids = [one["id"] for one in kept]
    if params[name] not in ids:
        message = f"No such object: '{params[name]}'"
        raise StripeRefusal(400, message, code="resource_missing", param=name)
    return ids.index(params[name])


def _in_range(created: int, wanted: Any) -> bool:
    if wanted is None:
        return True
    if not isinstance(wanted, dict):
        return created == int(wanted)
    tests = {
        "gt": lambda limit: created > limit,
        "gte": lambda limit: created >= limit,
        "lt": lambda limit: created < limit,
        "lte": lambda limit: created <= limit,
    }
    return all(tests[name](int(value)) for name, value in wanted.items())
