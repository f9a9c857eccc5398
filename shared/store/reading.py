"""Reading items, by their keys or as pages of a collection: each a round trip, consistently."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar, cast

from pydantic import BaseModel

from shared.domain.due import Moment
from shared.store.items import (
    Item,
    Ref,
    Row,
    StoreUnavailable,
    client,
    kind_of,
    model_of,
    places_of,
    row_of,
)
from shared.store.tries import CONFLICT_TRIES, pause

MAX_BATCH_GET = 100
PAGE_LIMIT = 50
"""Items of one page of a list, where nothing else is said."""

E = TypeVar("E", bound=BaseModel)


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
    return ref.table.Meta.table_name, ref.pk, places_of(ref)[0]


def read(*refs: Ref[Any]) -> Found:
    """Read items of any table, consistently, in one round trip (at most 100 keys: one for each
    place of what may lie apart). What was on its way from one to another is asked for once more."""
    found = Found(_read(refs))
    missed = [
        ref
        for ref in refs
        if len(places_of(ref)) > 1 and found.get(ref) is None and not ref.sk.endswith(NOTHING)
    ]
    return found.with_also(_read(missed)) if missed else found


def _read(refs: Iterable[Ref[Any]]) -> dict[tuple[str, str, str], Row[Any]]:
    wanted = {_identity(ref): ref for ref in refs if not ref.sk.endswith(NOTHING)}
    keys = {
        (ref.table.Meta.table_name, ref.pk, sk): ref
        for ref in wanted.values()
        for sk in places_of(ref)
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
            pause(attempt)
        answer = client().batch_get_item(RequestItems=tables)
        for table, items in answer["Responses"].items():
            for raw in items:
                ref = keys[table, raw["pk"]["S"], raw["sk"]["S"]]
                row = row_of(ref._replace(sk=raw["sk"]["S"]), raw)
                before = rows.get(_identity(ref))
                # Seen in both places it moved meanwhile: the later version is where it is.
                if before is None or before.version < row.version:
                    rows[_identity(ref)] = row
        tables = answer.get("UnprocessedKeys") or {}
    if tables:
        raise StoreUnavailable("items were left unread")
    return rows


class Page(NamedTuple, Generic[E]):
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
    answer = client().query(**request)
    rows: list[Row[E]] = []
    for raw in answer["Items"]:
        model = model_at(raw["sk"]["S"])
        if model is not None:
            rows.append(row_of(Ref(table, pk, raw["sk"]["S"], model), raw))
    last = answer.get("LastEvaluatedKey")
    return Page(rows=tuple(rows), next=last["sk"]["S"] if last else None)


def query_between(
    table: type[Item],
    pk: str,
    first: str,
    last: str,
    model: type[E],
    *,
    limit: int,
    newest_first: bool = False,
    after: str | None = None,
) -> Page[E]:
    """At most `limit` items of one collection from sort key `first` to `last`, both possibly in,
    in their order or the other way round: one round trip. `after` is a former page's `next`."""
    request: dict[str, Any] = {
        "TableName": table.Meta.table_name,
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
        "ExpressionAttributeValues": {
            ":pk": {"S": pk},
            ":first": {"S": first},
            ":last": {"S": last},
        },
        "ConsistentRead": True,
        "ScanIndexForward": not newest_first,
        "Limit": limit,
    }
    if after is not None:
        request["ExclusiveStartKey"] = {"pk": {"S": pk}, "sk": {"S": after}}
    answer = client().query(**request)
    end = answer.get("LastEvaluatedKey")
    return Page(
        rows=tuple(row_of(Ref(table, pk, raw["sk"]["S"], model), raw) for raw in answer["Items"]),
        next=end["sk"]["S"] if end else None,
    )


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
    answer = client().query(**request)
    last = answer.get("LastEvaluatedKey")
    return Page(
        rows=tuple(
            row_of(Ref(table, pk, raw["sk"]["S"], kinds[raw["sk"]["S"].partition("#")[0]]), raw)
            for raw in answer["Items"]
        ),
        next=last["sk"]["S"] if last else None,
    )


def read_any(table: type[Item], pk: str, sk: str) -> Row[Any] | None:
    """An item of whatever kind, consistently; None when it is gone or of a kind unknown here."""
    keys = [{"pk": {"S": pk}, "sk": {"S": sk}}]
    name = table.Meta.table_name
    asked = {name: {"Keys": keys, "ConsistentRead": True}}
    answer = client().batch_get_item(RequestItems=asked)
    if answer.get("UnprocessedKeys"):
        raise StoreUnavailable("an item was left unread")
    for raw in answer["Responses"].get(name, ()):
        model = model_of(raw["kind"]["S"])
        return None if model is None else row_of(Ref(table, pk, sk, model), raw)
    return None
