"""Writing items. Every change is a transaction of whole items, each on a condition: "there is none
yet", or "still the version that was read". A lost race is a normal answer, `Lost`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel
from pynamodb.expressions.update import Update
from pynamodb.models import Model

from shared.store.items import (
    Attributes,
    Lost,
    Ref,
    Row,
    StoreUnavailable,
    client,
    home_of,
    item_of,
)
from shared.store.tries import CONFLICT_TRIES, pause

MAX_TRANSACTION_ITEMS = 100
WORTH_ANOTHER_TRY = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
"""Why DynamoDB cancels a transaction that may well succeed in a moment."""

CONFLICTS = {"TransactionConflictException", "ProvisionedThroughputExceededException"}
"""The same for a plain write."""

E = TypeVar("E", bound=BaseModel)


class Action(StrEnum):
    """What a part of a transaction does, as DynamoDB calls it."""

    CHECK = "ConditionCheck"
    DELETE = "Delete"
    PUT = "Put"
    UPDATE = "Update"


Asked = Mapping[str, Any]
"""A condition written out, as DynamoDB is asked for it."""

THERE_IS_NONE: Asked = MappingProxyType({"ConditionExpression": "attribute_not_exists(pk)"})


def _is_still(version: int) -> Asked:
    return {
        "ConditionExpression": "#0 = :0",
        "ExpressionAttributeNames": {"#0": "version"},
        "ExpressionAttributeValues": {":0": {"N": str(version)}},
    }


class Write(NamedTuple):
    """One part of a transaction: an action of `TransactWriteItems` and its parameters. The
    `condition` is PynamoDB's, or written out (`Asked`), as the usual ones are."""

    action: Action
    table: type[Model]
    key: tuple[str, str]
    item: Attributes | None = None
    condition: Any = None
    actions: tuple[Any, ...] = ()
    moved_from: "Write | None" = None
    """The other half, where an item moves: it goes from where it lay."""


def _put(ref: Ref[E], value: E, version: int, condition: Any) -> Write:
    item = item_of(ref, value, version)
    return Write(Action.PUT, ref.table, (ref.pk, ref.sk), item=item, condition=condition)


def create(ref: Ref[E], value: E) -> Write:
    """Put `value`, on the condition that there is none under this key."""
    home = home_of(ref, value)
    return _put(home, value, 1, THERE_IS_NONE)


def overwrite(ref: Ref[E], value: E) -> Write:
    """Put `value` whatever was there. Only for what has one writer or where the last wins."""
    return _put(ref, value, 1, None)


def unsaved(ref: Ref[E], value: E) -> Row[E]:
    """The row of something that is about to be written for the first time."""
    return Row(ref=ref, value=value, version=0)


def written(ref: Ref[E], value: E, version: int) -> Row[E]:
    """The row of something that was just written with this version: where it lies by now, if some
    of its kind lie apart."""
    return Row(ref=home_of(ref, value), value=value, version=version)


def replace(row: Row[E], value: E) -> Write:
    """Put `value` in place of what `row` read, on the condition that it is still that version.
    Where it is to lie apart, or no more, it moves (`Apart`)."""
    if row.version == 0:
        return create(row.ref, value)
    home = home_of(row.ref, value)
    if home == row.ref:
        return _put(home, value, row.version + 1, _is_still(row.version))
    moved = _put(home, value, row.version + 1, THERE_IS_NONE)
    return moved._replace(moved_from=remove(row))


def put(ref: Ref[E], row: Row[E] | None, value: E) -> Write:
    """`create` when nothing was read, else `replace`."""
    return create(ref, value) if row is None else replace(row, value)


def unchanged(row: Row[E]) -> Write:
    """Nothing is written; the condition is that `row` is still the version that was read."""
    condition = _is_still(row.version)
    return Write(Action.CHECK, row.ref.table, (row.ref.pk, row.ref.sk), condition=condition)


def absent(ref: Ref[Any]) -> Write:
    """Nothing is written; the condition is that there is none under this key."""
    return Write(Action.CHECK, ref.table, (ref.pk, ref.sk), condition=THERE_IS_NONE)


def remove(row: Row[E]) -> Write:
    """Delete, on the condition that `row` is still the version that was read."""
    condition = _is_still(row.version)
    return Write(Action.DELETE, row.ref.table, (row.ref.pk, row.ref.sk), condition=condition)


def discard(ref: Ref[Any]) -> Write:
    """Delete whatever is there, or nothing. Only for what has one writer."""
    return Write(Action.DELETE, ref.table, (ref.pk, ref.sk))


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
    order, listed = [at for at, _ in given], [write for _, write in given]
    if len(listed) > MAX_TRANSACTION_ITEMS:
        raise ValueError(f"{len(listed)} items in one transaction")
    asked = [{write.action.value: _request_of(write)} for write in listed]
    for attempt in range(CONFLICT_TRIES):
        if attempt:
            pause(attempt)
        try:
            client().transact_write_items(TransactItems=asked)
        except ClientError as error:
            reasons = [one["Code"] for one in error.response.get("CancellationReasons", ())]
            lost = [
                order[at] for at, code in enumerate(reasons) if code == "ConditionalCheckFailed"
            ]
            if lost:
                raise Lost(sorted(set(lost))) from error
            if not WORTH_ANOTHER_TRY.intersection(reasons):
                raise StoreUnavailable(str(error)) from error
        except BotoCoreError as error:
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
            pause(attempt)
        try:
            client().put_item(**put)
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
    if isinstance(write.condition, Mapping):
        request.update(write.condition)
    elif write.condition is not None:
        request["ConditionExpression"] = write.condition.serialize(names, values)
    if write.actions:
        request["UpdateExpression"] = Update(*write.actions).serialize(names, values)
    if names:
        request["ExpressionAttributeNames"] = {short: name for name, short in names.items()}
    if values:
        request["ExpressionAttributeValues"] = values
    return request
