"""A customer's whole collection, or the newest of it: what the console's timeline is told from."""

from datetime import datetime
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
from shared.store.items import AccountItem, Ref, Row, client
from shared.store.people import customer_pk
from shared.store.reading import Page, query_between, query_kinds, query_mixed
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

BEYOND_IDS = ":"
"""What comes right after the digits: ULIDs begin with one."""

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


class Touched(NamedTuple):
    """What something happened to long after it was made, and when last, to the second."""

    sk: str
    at: datetime

    @property
    def name(self) -> str:
        """Of its kind, as the sort key begins."""
        return self.sk.partition("#")[0]

    @property
    def id(self) -> str:
        """What follows in the sort key."""
        return self.sk.partition("#")[2]


class TouchedPage(NamedTuple):
    """Some of these, the latest first; `whole` is False when there are more."""

    items: tuple[Touched, ...]
    whole: bool


def touched_of(customer_id: str, *, limit: int) -> TouchedPage:
    """The latest of a customer's items that something happened to at least `made.ON_TIME` after
    they were made: one round trip. It is an index, which may be a moment behind."""
    answer = client().query(
        TableName=AccountItem.Meta.table_name,
        IndexName="touched",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": customer_pk(customer_id)}},
        ScanIndexForward=False,
        Limit=limit,
    )
    return TouchedPage(
        items=tuple(
            Touched(raw["sk"]["S"], datetime.fromisoformat(raw["touched_at"]["S"]))
            for raw in answer["Items"]
        ),
        whole="LastEvaluatedKey" not in answer,
    )


def ref_of(customer_id: str, touched: Touched) -> Ref[BaseModel] | None:
    """Where it lies, and as what it is read; None for a kind unknown here."""
    model = _MODELS.get(touched.name)
    if model is None:
        return None
    return Ref(AccountItem, customer_pk(customer_id), touched.sk, model, exact=True)


def newest_of(customer_id: str, name: str, *, limit: int, since: str = "") -> Page[BaseModel]:
    """The newest items of a kind, by what their sort keys begin with, whose id is `since` or
    later, and a ULID: at most `limit`, in one round trip."""
    return _between(customer_id, f"{name}#{since}", f"{name}#{BEYOND_IDS}", limit)


def all_of(customer_id: str, name: str, *, limit: int) -> Page[BaseModel]:
    """The same, of whatever id."""
    return _between(customer_id, f"{name}#", f"{name}$", limit)


def _between(customer_id: str, first: str, last: str, limit: int) -> Page[BaseModel]:
    model, pk = _MODELS[first.partition("#")[0]], customer_pk(customer_id)
    return query_between(AccountItem, pk, first, last, model, limit=limit, newest_first=True)


def side_of(customer_id: str, first: str, last: str, *, limit: int) -> Page[BaseModel]:
    """All of the kinds from `first` to `last`, which lie side by side."""
    kinds = {name: model for name, model in _MODELS.items() if first <= name <= last}
    return query_kinds(AccountItem, customer_pk(customer_id), kinds, limit=limit)
