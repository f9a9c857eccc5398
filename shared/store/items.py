"""Items, which are the same in every table: where they lie, and how they are written down.

An item is one entity. Its content is one JSON document in `body`, packed when the item would be
larger than a KB; beside it stands only what DynamoDB itself must see. `due_at` and `due_shard` are
set on every write from the entity's own next moment, so the due index can't disagree with the item
([RETRY], docs/architecture.md). So is `touched_at`, of what something happens to long after its id
was made: what is new of a customer is found by ids and by that (decision 13).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any, Generic, NamedTuple, TypeVar, cast

from pydantic import BaseModel
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.models import Model

from shared.domain.due import Moment, due_shard, due_text, utc_text
from shared.store.made import is_late, made_at
from shared.store.packing import packed, unpacked

WRITE_UNIT_BYTES = 1024
"""What one write unit covers of an item: of more its document is packed."""
CALL_TIMEOUT_SECONDS = 5
E = TypeVar("E", bound=BaseModel)


class Item(Model):
    """One stored entity, whatever its kind."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute()
    version = NumberAttribute(default=1)
    state = UnicodeAttribute(null=True)
    body = UnicodeAttribute()
    due_at = UnicodeAttribute(null=True)
    due_shard = UnicodeAttribute(null=True)
    due_for = UnicodeAttribute(null=True)
    due_tries = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)


class AccountItem(Item):
    class Meta:
        table_name = os.environ.get("ACCOUNTS_TABLE", "punchcard-accounts")
        region = os.environ.get("AWS_REGION", os.environ.get("AWS_DEFAULT_REGION", "us-east-1"))
        connect_timeout_seconds = CALL_TIMEOUT_SECONDS
        read_timeout_seconds = CALL_TIMEOUT_SECONDS


class CatalogueItem(Item):
    class Meta:
        table_name = os.environ.get("CATALOGUE_TABLE", "punchcard-catalogue")
        region = AccountItem.Meta.region
        connect_timeout_seconds = CALL_TIMEOUT_SECONDS
        read_timeout_seconds = CALL_TIMEOUT_SECONDS


class AccessItem(Item):
    class Meta:
        table_name = os.environ.get("ACCESS_TABLE", "punchcard-access")
        region = AccountItem.Meta.region
        connect_timeout_seconds = CALL_TIMEOUT_SECONDS
        read_timeout_seconds = CALL_TIMEOUT_SECONDS


class Ref(NamedTuple, Generic[E]):
    """Where an entity lives, and as what it is read. One of a kind of which some lie apart is
    found wherever it lies, but for an `exact` one, which is found there or not at all."""

    table: type[Item]
    pk: str
    sk: str
    model: type[E]
    exact: bool = False


class Row(NamedTuple, Generic[E]):
    """An entity as it was read: `version` is the condition of the next change; 0 says that it is
    not stored yet, so that replacing it creates it (`unsaved`)."""

    ref: Ref[E]
    value: E
    version: int
    due_at: str | None = None
    due_for: str | None = None
    due_tries: int = 0
    touched_at: str | None = None


class Apart(NamedTuple, Generic[E]):
    """Some entities of a kind lie apart from the others, so that each sort is read without the
    rest: under `{name}#{id}` with the one of `names` that `where` says, the usual one first. The
    write that changes what `where` says moves the item, in its transaction; reading it by its id
    finds it wherever it lies."""

    names: tuple[str, ...]
    where: Callable[[E], str]

    def places(self, sk: str) -> tuple[str, ...]:
        """Where the entity may lie of which `sk` is one place, the usual one first."""
        name, _, rest = sk.partition("#")
        return tuple(f"{one}#{rest}" for one in self.names) if name in self.names else (sk,)


class Kind(NamedTuple, Generic[E]):
    """How entities of one model are stored. `moment` is the pure next moment of the item,
    `touched_at` when something last happened to it that a customer's story tells of, `made_at`
    since when it is found without the index of that, where its id does not say so."""

    name: str
    moment: Callable[[E], Moment | None] = lambda _: None
    state: Callable[[E], str | None] = lambda _: None
    expires_at: Callable[[E], datetime | None] = lambda _: None
    apart: Apart[E] | None = None
    touched_at: Callable[[E], datetime | None] = lambda _: None
    made_at: Callable[[E], datetime | None] = lambda _: None


class Lost(Exception):
    """A condition did not hold: somebody else was first. `at` are the positions of the writes."""

    def __init__(self, at: Sequence[int]) -> None:
        super().__init__(f"lost the race at {list(at)}")
        self.at = tuple(at)


class StoreUnavailable(Exception):
    """DynamoDB gave no answer within the limits; it is open whether the change was made."""


_kinds: dict[str, Kind[Any]] = {}


def register(model: type[E], kind: Kind[E]) -> None:
    """Say how entities of `model` are stored. Once per model, at import."""
    register_name(name_of(model), kind)


def register_name(model: str, kind: Kind[Any]) -> None:
    """The same for a model that need not be loaded for it: by its full name."""
    _kinds[model] = kind


def name_of(model: type[BaseModel]) -> str:
    return f"{model.__module__}.{model.__qualname__}"


def kind_of(value: BaseModel) -> Kind[Any]:
    """How an entity is stored."""
    return _kinds[name_of(type(value))]


def model_of(kind: str) -> type[BaseModel] | None:
    """As what items of a kind are read, by the name that they carry; None for one unknown here."""
    home = next((model for model, known in _kinds.items() if known.name == kind), None)
    if home is None:
        return None
    module, _, name = home.rpartition(".")
    model: type[BaseModel] = getattr(import_module(module), name)
    return model


def places_of(ref: Ref[Any]) -> tuple[str, ...]:
    """The sort keys under which it may lie, the usual one first."""
    known = _kinds.get(name_of(ref.model))
    if ref.exact or known is None or known.apart is None:
        return (ref.sk,)
    return known.apart.places(ref.sk)


def elsewhere(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """The other sort keys under which the entity of an item, as DynamoDB gives it, may lie."""
    sk = raw["sk"]["S"]
    known = next((one for one in _kinds.values() if one.name == raw["kind"]["S"]), None)
    if known is None or known.apart is None:
        return ()
    return tuple(one for one in known.apart.places(sk) if one != sk)


def home_of(ref: Ref[E], value: E) -> Ref[E]:
    """Where `value` is to lie, of the places that `ref` stands for."""
    apart = kind_of(value).apart
    name, _, rest = ref.sk.partition("#")
    if apart is None or name not in apart.names or apart.where(value) == name:
        return ref
    return Ref(ref.table, ref.pk, f"{apart.where(value)}#{rest}", ref.model)


@cache
def connection() -> Connection:
    """One connection for all tables; its client is made at first use."""
    return Connection(
        region=AccountItem.Meta.region,
        connect_timeout_seconds=CALL_TIMEOUT_SECONDS,
        read_timeout_seconds=CALL_TIMEOUT_SECONDS,
    )


def session() -> Any:
    """The session of botocore that PynamoDB made: what it has read serves other clients too."""
    return connection().session


def client() -> Any:
    """The low-level client: one BatchGetItem reads several tables, which models can't."""
    return connection().client


def _due_shards() -> int:
    return int(os.environ.get("DUE_SHARDS", "1"))


Attributes = dict[str, dict[str, str]]
"""An item as DynamoDB's JSON has it."""


def item_of(ref: Ref[E], value: E, version: int) -> Attributes:
    kind = kind_of(value)
    item = {
        "pk": {"S": ref.pk},
        "sk": {"S": ref.sk},
        "kind": {"S": kind.name},
        "version": {"N": str(version)},
        "body": {"S": value.model_dump_json(exclude_defaults=True)},
    }
    if (state := kind.state(value)) is not None:
        item["state"] = {"S": state}
    if (expires_at := kind.expires_at(value)) is not None:
        item["expires_at"] = {"N": str(int(expires_at.timestamp()))}
    if (moment := kind.moment(value)) is not None:
        item_id = f"{ref.pk}/{ref.sk}"
        item["due_at"] = {"S": due_text(moment, item_id)}
        item["due_shard"] = {"S": due_shard(moment.lane, item_id, _due_shards())}
    if (touched_at := touched_text(ref, value)) is not None:
        item["touched_at"] = {"S": touched_at}
    return fitted(item)


def touched_text(ref: Ref[E], value: E) -> str | None:
    """When something last happened to it, where the time of its making gives no hint of that."""
    kind = kind_of(value)
    touched = kind.touched_at(value)
    if touched is None or not is_late(touched, kind.made_at(value) or made_at(ref.sk)):
        return None
    return utc_text(touched)


def fitted(item: Attributes) -> Attributes:
    """The item, its document packed when it would be larger than a KB ([decision 9])."""
    if _size(item) <= WRITE_UNIT_BYTES:
        return item
    return {**item, "body": {"S": packed(item["body"]["S"])}}


def plain(item: Attributes) -> Attributes:
    """The item with its document as JSON."""
    return {**item, "body": {"S": document(item)}}


def _size(item: Attributes) -> int:
    """At least what DynamoDB counts of an item, in bytes: the names of its attributes and what
    they hold, and what a lease will add."""
    size = 0
    for name, value in item.items():
        (text,) = value.values()
        size += len(name) + len(text.encode())
    if "due_at" in item:
        size += len("due_for") + len(item["due_at"]["S"]) + len("due_tries") + len("1")
    return size


def document(raw: Mapping[str, Any]) -> str:
    """The JSON of an item's entity, as DynamoDB gives the item ([decision 9])."""
    return unpacked(raw["body"]["S"])


def row_of(ref: Ref[E], raw: dict[str, Any]) -> Row[E]:
    def text(name: str) -> str | None:
        return cast(str, raw[name]["S"]) if name in raw else None

    return Row(
        ref=ref,
        # What a later version wrote beside it is passed over, so that one can go back to this one.
        value=ref.model.model_validate_json(document(raw), extra="ignore"),
        version=int(raw["version"]["N"]),
        due_at=text("due_at"),
        due_for=text("due_for"),
        due_tries=int(raw["due_tries"]["N"]) if "due_tries" in raw else 0,
        touched_at=text("touched_at"),
    )


def out_of_place(row: Row[Any]) -> bool:
    """Whether an earlier version wrote it, before its kind lay apart or was indexed by when
    something last happened to it: replacing it puts it where it belongs."""
    touched_at = touched_text(row.ref, row.value)
    return home_of(row.ref, row.value) != row.ref or row.touched_at != touched_at
