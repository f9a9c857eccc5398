"""A customer's whole collection in one reading: what the console's timeline is told from."""

from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from shared.domain.cart import Cart
from shared.domain.charge import Charge
from shared.domain.customer import Customer
from shared.domain.invoice import Invoice
from shared.domain.message import Message
from shared.domain.pack import Entry, Pack
from shared.domain.reservation import Reservation
from shared.domain.subscription import Subscription
from shared.store.items import AccountItem, Row
from shared.store.people import customer_pk
from shared.store.reading import query_mixed
from shared.store.timeline import TimelineEvent

COLLECTION_LIMIT = 1000
"""Items of one reading. DynamoDB itself ends a page at 1 MB, which is about the same."""

_MODELS: dict[str, type[BaseModel]] = {
    "head": Customer,
    "subscription": Subscription,
    "pack": Pack,
    "ended-pack": Pack,
    "entry": Entry,
    "invoice": Invoice,
    "asking": Invoice,
    "used": Invoice,
    "charge": Charge,
    "message": Message,
    "event": TimelineEvent,
    "visit": Reservation,
    "ended-visit": Reservation,
    "cart": Cart,
}
"""By what the sort key begins with. Submissions tell no story."""

E = TypeVar("E", bound=BaseModel)


class Collection(NamedTuple):
    """Rows of every kind, and where the next ones begin (None: there are no more)."""

    rows: tuple[Row[BaseModel], ...]
    next: str | None

    def of(self, model: type[E]) -> tuple[E, ...]:
        """The entities of one kind, in the order of their keys: for most, newest first."""
        return tuple(row.value for row in self.rows if isinstance(row.value, model))

    def with_more(self, more: "Collection") -> "Collection":
        return Collection(rows=(*self.rows, *more.rows), next=more.next)


def collection_of(
    customer_id: str, *, limit: int = COLLECTION_LIMIT, after: str | None = None
) -> Collection:
    """At most `limit` items of a customer's collection, consistently, in one round trip. Kinds
    come one after the other, so what is missing from a cut reading is whole kinds, not old
    times: whoever needs the order of time reads on while there is a `next`."""
    page = query_mixed(
        AccountItem,
        customer_pk(customer_id),
        lambda sk: _MODELS.get(sk.partition("#")[0]),
        limit=limit,
        after=after,
    )
    return Collection(rows=page.rows, next=page.next)
