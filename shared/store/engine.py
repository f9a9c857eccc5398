"""Reading and writing items: the part of the store that is the same for every table.

An item is one entity. Its content is one JSON document in `body`, packed when the item would be
larger than a KB; beside it stands only what DynamoDB itself must see. Every change is a transaction
of whole items, each on a condition: "there is none yet", or "still the version that was read". A
lost race is a normal answer, `Lost`.

`due_at` and `due_shard` are set on every write from the entity's own next moment, so the due
index can't disagree with the item ([RETRY], docs/architecture.md).
"""

import os
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib import import_module
from typing import Any, Generic, TypeVar, cast

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBConnectionError, TransactWriteError
from pynamodb.expressions.update import Update
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from shared.domain.due import Moment, due_shard, due_text
from shared.store.packing import packed, unpacked

MAX_TRANSACTION_ITEMS = 100
MAX_BATCH_GET = 100
PAGE_LIMIT = 50
"""Items of one page of a list, where nothing else is said."""

WRITE_UNIT_BYTES = 1024
"""What one write unit covers of an item: of more its document is packed."""
CONFLICT_TRIES = 6
CONFLICT_BASE_SECONDS = 0.02
CALL_TIMEOUT_SECONDS = 5
WORTH_ANOTHER_TRY = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Why DynamoDB cancels a transaction that may well succeed in a moment."""

CONFLICTS = {"TransactionConflictException", "ProvisionedThroughputExceededException"}
"""The same for a plain write."""

E = TypeVar("E", bound=BaseModel)


class DueIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_shard = UnicodeAttribute(hash_key=True)
    due_at = UnicodeAttribute(range_key=True)


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

    due = DueIndex()


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


@dataclass(frozen=True)
class Ref(Generic[E]):
    """Where an entity lives, and as what it is read. One of a kind of which some lie apart is
    found wherever it lies, but for an `exact` one, which is found there or not at all."""

    table: type[Item]
    pk: str
    sk: str
    model: type[E]
    exact: bool = False


@dataclass(frozen=True)
class Row(Generic[E]):
    """An entity as it was read: `version` is the condition of the next change; 0 says that it is
    not stored yet, so that replacing it creates it (`unsaved`)."""

    ref: Ref[E]
    value: E
    version: int
    due_at: str | None = None
    due_for: str | None = None
    due_tries: int = 0


@dataclass(frozen=True)
class Apart(Generic[E]):
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


@dataclass(frozen=True)
class Kind(Generic[E]):
    """How entities of one model are stored. `moment` is the pure next moment of the item."""

    name: str
    moment: Callable[[E], Moment | None] = lambda _: None
    state: Callable[[E], str | None] = lambda _: None
    expires_at: Callable[[E], datetime | None] = lambda _: None
    apart: Apart[E] | None = None


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
    register_name(_name(model), kind)


def register_name(model: str, kind: Kind[Any]) -> None:
    """The same for a model that need not be loaded for it: by its full name."""
    _kinds[model] = kind


def _name(model: type[BaseModel]) -> str:
    return f"{model.__module__}.{model.__qualname__}"


def kind_of(value: BaseModel) -> Kind[Any]:
    """How an entity is stored."""
    return _kinds[_name(type(value))]


def model_of(kind: str) -> type[BaseModel] | None:
    """As what items of a kind are read, by the name that they carry; None for one unknown here."""
    home = next((model for model, known in _kinds.items() if known.name == kind), None)
    if home is None:
        return None
    module, _, name = home.rpartition(".")
    model: type[BaseModel] = getattr(import_module(module), name)
    return model


def _places(ref: Ref[Any]) -> tuple[str, ...]:
    """The sort keys under which it may lie, the usual one first."""
    known = _kinds.get(_name(ref.model))
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


def _home(ref: Ref[E], value: E) -> Ref[E]:
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


def _client() -> Any:
    """The low-level client: one BatchGetItem reads several tables, which models can't."""
    return connection().client


def _due_shards() -> int:
    return int(os.environ.get("DUE_SHARDS", "1"))


Attributes = dict[str, dict[str, str]]
"""An item as DynamoDB's JSON has it."""


def _item(ref: Ref[E], value: E, version: int) -> Attributes:
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
    return fitted(item)


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
    held = dict(item)
    if "due_at" in item:
        held |= {"due_for": item["due_at"], "due_tries": {"N": "1"}}
    return sum(
        len(name) + len(text.encode()) for name, value in held.items() for text in value.values()
    )


def document(raw: Mapping[str, Any]) -> str:
    """The JSON of an item's entity, as DynamoDB gives the item ([decision 9])."""
    return unpacked(raw["body"]["S"])


def _row(ref: Ref[E], raw: dict[str, Any]) -> Row[E]:
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
    )


def out_of_place(row: Row[Any]) -> bool:
    """Whether it was written before its kind lay apart: replacing it moves it."""
    return _home(row.ref, row.value) != row.ref


# --- reading ---------------------------------------------------------------------------------


NOTHING = "#none"
"""How the sort key ends of what is named where there need not be anything: nobody asks for it."""


class Found:
    """The answer of `read`: ask it for each ref."""

    def __init__(self, rows: dict[tuple[str, str, str], Row[Any]]) -> None:
        self._rows = rows

    def get(self, ref: Ref[E]) -> Row[E] | None:
        return cast("Row[E] | None", self._rows.get(_identity(ref)))

    def with_also(self, rows: Mapping[tuple[str, str, str], Row[Any]]) -> "Found":
        """The same answer, with what else was read."""
        return Found({**self._rows, **rows})

    def only(self, refs: Iterable[Ref[Any]]) -> "Found":
        """The same answer, without anything that is not among `refs`."""
        kept = {_identity(ref) for ref in refs}
        return Found({at: row for at, row in self._rows.items() if at in kept})


def _identity(ref: Ref[Any]) -> tuple[str, str, str]:
    """The same wherever it lies."""
    return ref.table.Meta.table_name, ref.pk, _places(ref)[0]


def read(*refs: Ref[Any]) -> Found:
    """Read items of any table, consistently, in one round trip (at most 100 keys: one for each
    place of what may lie apart). What was on its way from one to another is asked for once more."""
    found = Found(_read(refs))
    missed = [
        ref
        for ref in refs
        if len(_places(ref)) > 1 and found.get(ref) is None and not ref.sk.endswith(NOTHING)
    ]
    return found.with_also(_read(missed)) if missed else found


def _read(refs: Iterable[Ref[Any]]) -> dict[tuple[str, str, str], Row[Any]]:
    wanted = {_identity(ref): ref for ref in refs if not ref.sk.endswith(NOTHING)}
    keys = {
        (ref.table.Meta.table_name, ref.pk, sk): ref
        for ref in wanted.values()
        for sk in _places(ref)
    }
    if len(keys) > MAX_BATCH_GET:
        raise ValueError(f"{len(keys)} items at once")
    rows: dict[tuple[str, str, str], Row[Any]] = {}
    tables: dict[str, Any] = {}
    for table, pk, sk in keys:
        asked = tables.setdefault(table, {"Keys": [], "ConsistentRead": True})["Keys"]
        asked.append({"pk": {"S": pk}, "sk": {"S": sk}})
    for attempt in range(CONFLICT_TRIES):
        if not tables:
            return rows
        if attempt:
            _pause(attempt)
        answer = _client().batch_get_item(RequestItems=tables)
        for table, items in answer["Responses"].items():
            for raw in items:
                ref = keys[table, raw["pk"]["S"], raw["sk"]["S"]]
                row = _row(replaced(ref, sk=raw["sk"]["S"]), raw)
                before = rows.get(_identity(ref))
                # Seen in both places it moved meanwhile: the later version is where it is.
                if before is None or before.version < row.version:
                    rows[_identity(ref)] = row
        tables = answer.get("UnprocessedKeys") or {}
    if tables:
        raise StoreUnavailable("items were left unread")
    return rows


@dataclass(frozen=True)
class Page(Generic[E]):
    """Some rows of a collection, and where the next ones begin (None: there are no more)."""

    rows: tuple[Row[E], ...]
    next: str | None


def query(
    table: type[Item],
    pk: str,
    prefix: str,
    model: type[E],
    *,
    limit: int,
    newest_first: bool = True,
    after: str | None = None,
) -> Page[E]:
    """At most `limit` items of one collection whose sort key begins with `prefix`, in one round
    trip. `after` is a former page's `next`: the sort key that it ended with."""
    return query_mixed(
        table,
        pk,
        lambda _: model,
        prefix=prefix,
        limit=limit,
        newest_first=newest_first,
        after=after,
    )


def query_mixed(
    table: type[Item],
    pk: str,
    model_at: Callable[[str], type[E] | None],
    *,
    limit: int,
    prefix: str = "",
    newest_first: bool = True,
    after: str | None = None,
) -> Page[E]:
    """`query` for items of several kinds: `model_at` says by the sort key as what each is read;
    None leaves it out. Without a prefix it is the whole collection."""
    condition = "pk = :pk AND begins_with(sk, :prefix)" if prefix else "pk = :pk"
    values = {":pk": {"S": pk}, **({":prefix": {"S": prefix}} if prefix else {})}
    request: dict[str, Any] = {
        "TableName": table.Meta.table_name,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
        "ConsistentRead": True,
        "ScanIndexForward": not newest_first,
        "Limit": limit,
    }
    if after is not None:
        request["ExclusiveStartKey"] = {"pk": {"S": pk}, "sk": {"S": after}}
    answer = _client().query(**request)
    rows: list[Row[E]] = []
    for raw in answer["Items"]:
        model = model_at(raw["sk"]["S"])
        if model is not None:
            rows.append(_row(Ref(table, pk, raw["sk"]["S"], model), raw))
    last = answer.get("LastEvaluatedKey")
    return Page(rows=tuple(rows), next=last["sk"]["S"] if last else None)


def query_between(
    table: type[Item], pk: str, first: str, last: str, model: type[E], *, limit: int
) -> tuple[Row[E], ...]:
    """At most `limit` items of one collection from sort key `first` to `last`, both possibly in,
    in their order: one round trip."""
    answer = _client().query(
        TableName=table.Meta.table_name,
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={
            ":pk": {"S": pk},
            ":first": {"S": first},
            ":last": {"S": last},
        },
        ConsistentRead=True,
        Limit=limit,
    )
    return tuple(_row(Ref(table, pk, raw["sk"]["S"], model), raw) for raw in answer["Items"])


def moment_of(value: BaseModel) -> Moment | None:
    """When an entity next needs attention, as every write sets it."""
    return kind_of(value).moment(value)


def query_kinds(
    table: type[Item],
    pk: str,
    kinds: Mapping[str, type[BaseModel]],
    *,
    limit: int,
    after: str | None = None,
) -> Page[Any]:
    """At most `limit` items of several kinds of one collection, in one round trip, from the last
    sort key down. `kinds` are models by the part of the sort key before `#`; nothing else may lie
    between the first and the last of them. `after` is a former page's `next`."""
    request: dict[str, Any] = {
        "TableName": table.Meta.table_name,
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":pk": {"S": pk},
            ":first": {"S": f"{min(kinds)}#"},
            ":last": {"S": f"{max(kinds)}$"},
        },
        "ConsistentRead": True,
        "ScanIndexForward": False,
        "Limit": limit,
    }
    if after is not None:
        request["ExclusiveStartKey"] = {"pk": {"S": pk}, "sk": {"S": after}}
    answer = _client().query(**request)
    last = answer.get("LastEvaluatedKey")
    return Page(
        rows=tuple(
            _row(Ref(table, pk, raw["sk"]["S"], kinds[raw["sk"]["S"].partition("#")[0]]), raw)
            for raw in answer["Items"]
        ),
        next=last["sk"]["S"] if last else None,
    )


def read_any(table: type[Item], pk: str, sk: str) -> Row[Any] | None:
    """An item of whatever kind, consistently; None when it is gone or of a kind unknown here."""
    keys = [{"pk": {"S": pk}, "sk": {"S": sk}}]
    name = table.Meta.table_name
    asked = {name: {"Keys": keys, "ConsistentRead": True}}
    answer = _client().batch_get_item(RequestItems=asked)
    if answer.get("UnprocessedKeys"):
        raise StoreUnavailable("an item was left unread")
    for raw in answer["Responses"].get(name, ()):
        model = model_of(raw["kind"]["S"])
        return None if model is None else _row(Ref(table, pk, sk, model), raw)
    return None


# --- writing ---------------------------------------------------------------------------------


class Action(StrEnum):
    """What a part of a transaction does, in the order in which PynamoDB sends them."""

    CHECK = "check"
    DELETE = "delete"
    PUT = "put"
    UPDATE = "update"


@dataclass(frozen=True)
class Write:
    """One part of a transaction: an action of `TransactWriteItems` and its parameters."""

    action: Action
    table: type[Model]
    key: tuple[str, str]
    item: Attributes | None = None
    condition: Any = None
    actions: tuple[Any, ...] = ()
    moved_from: "Write | None" = None
    """The other half, where an item moves: it goes from where it lay."""


def _put(ref: Ref[E], value: E, version: int, condition: Any) -> Write:
    item = _item(ref, value, version)
    return Write(Action.PUT, ref.table, (ref.pk, ref.sk), item=item, condition=condition)


def create(ref: Ref[E], value: E) -> Write:
    """Put `value`, on the condition that there is none under this key."""
    home = _home(ref, value)
    return _put(home, value, 1, ref.table.pk.does_not_exist())


def overwrite(ref: Ref[E], value: E) -> Write:
    """Put `value` whatever was there. Only for what has one writer or where the last wins."""
    return _put(ref, value, 1, None)


def unsaved(ref: Ref[E], value: E) -> Row[E]:
    """The row of something that is about to be written for the first time."""
    return Row(ref=ref, value=value, version=0)


def written(ref: Ref[E], value: E, version: int) -> Row[E]:
    """The row of something that was just written with this version: where it lies by now, if some
    of its kind lie apart."""
    return Row(ref=_home(ref, value), value=value, version=version)


def replace(row: Row[E], value: E) -> Write:
    """Put `value` in place of what `row` read, on the condition that it is still that version.
    Where it is to lie apart, or no more, it moves (`Apart`)."""
    if row.version == 0:
        return create(row.ref, value)
    home = _home(row.ref, value)
    if home == row.ref:
        return _put(home, value, row.version + 1, row.ref.table.version == row.version)
    moved = _put(home, value, row.version + 1, row.ref.table.pk.does_not_exist())
    return replaced(moved, moved_from=remove(row))


def put(ref: Ref[E], row: Row[E] | None, value: E) -> Write:
    """`create` when nothing was read, else `replace`."""
    return create(ref, value) if row is None else replace(row, value)


def unchanged(row: Row[E]) -> Write:
    """Nothing is written; the condition is that `row` is still the version that was read."""
    condition = row.ref.table.version == row.version
    return Write(Action.CHECK, row.ref.table, (row.ref.pk, row.ref.sk), condition=condition)


def absent(ref: Ref[Any]) -> Write:
    """Nothing is written; the condition is that there is none under this key."""
    condition = ref.table.pk.does_not_exist()
    return Write(Action.CHECK, ref.table, (ref.pk, ref.sk), condition=condition)


def remove(row: Row[E]) -> Write:
    """Delete, on the condition that `row` is still the version that was read."""
    condition = row.ref.table.version == row.version
    return Write(Action.DELETE, row.ref.table, (row.ref.pk, row.ref.sk), condition=condition)


def discard(ref: Ref[Any]) -> Write:
    """Delete whatever is there, or nothing. Only for what has one writer."""
    return Write(Action.DELETE, ref.table, (ref.pk, ref.sk))


waits: Callable[[float], None] = time.sleep
"""What waits between two tries, for so many seconds. A world in which time stands still puts
something shorter here."""


def _pause(attempt: int) -> None:
    waits(random.uniform(0, CONFLICT_BASE_SECONDS * 2**attempt))  # noqa: S311 - jitter


def commit(writes: Iterable[Write]) -> None:
    """All of `writes` or none. Conflicts and throttling are tried again with jitter.

    Raises `Lost` with the positions whose condition did not hold, `StoreUnavailable` when no
    answer came: whether the change was made is then open, and a reader finds out.
    """
    given = [
        (at, part)
        for at, write in enumerate(writes)
        for part in (write, write.moved_from)
        if part is not None
    ]
    if not given:
        return
    # PynamoDB sends the actions grouped by kind; the reasons come back in that order.
    actions = list(Action)
    given.sort(key=lambda one: actions.index(one[1].action))
    order, listed = [at for at, _ in given], [write for _, write in given]
    if len(listed) > MAX_TRANSACTION_ITEMS:
        raise ValueError(f"{len(listed)} items in one transaction")
    for attempt in range(CONFLICT_TRIES):
        if attempt:
            _pause(attempt)
        try:
            _transact(listed)
        except TransactWriteError as error:
            reasons = [reason.code if reason else "None" for reason in error.cancellation_reasons]
            lost = [
                order[at] for at, code in enumerate(reasons) if code == "ConditionalCheckFailed"
            ]
            if lost:
                raise Lost(sorted(set(lost))) from error
            if not WORTH_ANOTHER_TRY.intersection(reasons):
                raise StoreUnavailable(str(error)) from error
        except PynamoDBConnectionError as error:
            raise StoreUnavailable(str(error)) from error
        else:
            return
    raise StoreUnavailable(f"conflicts in {CONFLICT_TRIES} tries")


def commit_alone(write: Write) -> None:
    """One item, put on its condition by a plain write: half of what a transaction costs.

    Raises as `commit` does. But when an answer is lost on the way and the write is sent again,
    what was written may come back as `Lost`: only for what then finds itself done.
    """
    assert write.moved_from is None
    put = _request_of(write)
    for attempt in range(CONFLICT_TRIES):
        if attempt:
            _pause(attempt)
        try:
            _client().put_item(**put)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code == "ConditionalCheckFailedException":
                raise Lost([0]) from error
            if code not in CONFLICTS:
                raise StoreUnavailable(str(error)) from error
        except BotoCoreError as error:
            raise StoreUnavailable(str(error)) from error
        else:
            return
    raise StoreUnavailable(f"conflicts in {CONFLICT_TRIES} tries")


def _transact(writes: Sequence[Write]) -> None:
    def of(action: Action) -> list[dict[str, Any]]:
        return [_request_of(one) for one in writes if one.action is action]

    connection().transact_write_items(
        condition_check_items=of(Action.CHECK),
        delete_items=of(Action.DELETE),
        put_items=of(Action.PUT),
        update_items=of(Action.UPDATE),
    )


def _request_of(write: Write) -> dict[str, Any]:
    """What DynamoDB is asked for one part. Items are written out here: as instances of their model
    each cost a tenth of a millisecond more."""
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    request: dict[str, Any] = {"TableName": write.table.Meta.table_name}
    if write.item is not None:
        request["Item"] = write.item
    else:
        pk, sk = write.key
        request["Key"] = {"pk": {"S": pk}, "sk": {"S": sk}}
    if write.condition is not None:
        request["ConditionExpression"] = write.condition.serialize(names, values)
    if write.actions:
        request["UpdateExpression"] = Update(*write.actions).serialize(names, values)
    if names:
        request["ExpressionAttributeNames"] = {short: name for name, short in names.items()}
    if values:
        request["ExpressionAttributeValues"] = values
    return request
