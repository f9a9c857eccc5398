"""What the console's lists have in common: who may ask, cursors, and the customers named."""

from collections.abc import Sequence

from shared.domain.customer import Customer
from shared.domain.errors import Invalid, Unauthenticated
from shared.operations.visit import Ref
from shared.store import accounts
from shared.web.answer import STAFF_COOKIE
from shared.web.request import Request

HEADS_READ = 90
"""Customers that one page reads besides who is here."""


def signed_in_at_all(request: Request) -> None:
    """Nobody makes us read anything: those without a cookie are sent away first."""
    if STAFF_COOKIE not in request.cookies:
        raise Unauthenticated("Please sign in first.")


def check_cursor(after: str | None, prefix: str) -> None:
    """A cursor is a sort key of the list it came from. Raises `Invalid` for anything else."""
    if after is not None and not after.startswith(prefix):
        raise Invalid("There is no such page.", fields={"after": "This leads nowhere."})


def heads_of(customer_ids: Sequence[str | None]) -> dict[str, Ref[Customer]]:
    """Where the first `HEADS_READ` of these customers are, each once."""
    known = [one for one in dict.fromkeys(customer_ids) if one]
    return {one: accounts.head(one) for one in known[:HEADS_READ]}
