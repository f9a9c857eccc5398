"""Reading what belongs to the customer who is here, and leading people on ([OWN])."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from functions.portal.listing import Listed, ListQuery
from shared.domain.customer import Customer
from shared.operations.visit import Claims, Found, Ref
from shared.store import accounts
from shared.store.reading import Page
from shared.web.answer import View
from shared.web.request import Request

if TYPE_CHECKING:
    from shared.domain.invoice import Invoice
    from shared.domain.pack import Pack
    from shared.domain.reservation import Reservation

T = TypeVar("T", bound=BaseModel)
L = TypeVar("L", "Invoice", "Pack", "Reservation")


class Led(View):
    """Where people go on."""

    location: str


def load(request: Request, refs: Callable[[str], list[Ref[Any]]]) -> Found:
    """Read what belongs to the customer, together with who is here: one round trip."""

    def own(claims: Claims) -> list[Ref[Any]]:
        return refs(claims.customer_id) if claims.customer_id else []

    return request.load(own)


def cursor(query: ListQuery, kind: str) -> str | None:
    """Where the former reading of a collection ended."""
    return f"{kind}#{query.after}" if query.after else None


def listed(page: Page[L]) -> Listed[L]:
    """What was read of a list by ids."""
    return Listed(tuple(values(page)), page.next)


def ended_at(page: Page[Any]) -> str | None:
    """The id that a reading ended with; None when there is no more."""
    return page.next.partition("#")[2] if page.next else None


def values(page: Page[T]) -> list[T]:
    """What was read, without its places."""
    return [row.value for row in page.rows]


def customer_in(request: Request, found: Found) -> Customer:
    """The customer as `found` has them, when it was read again."""
    row = found.get(accounts.head(request.signed_in.value.id))
    return row.value if row else request.signed_in.value
