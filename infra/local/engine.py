"""DynamoDB in this process: moto's reading of the language, with storage that stays quick.

moto knows the expressions, the checks and the errors. Its storage copies whole tables for every
transaction, scans for every query and is not safe between threads. Here the items are also kept
sorted, per key and per index, so that a query touches what it returns; a transaction remembers
only the items that it names; and one lock makes every call atomic. Nothing measured here says
anything about DynamoDB itself: races and units are looked at on DynamoDB Local.
"""

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import (
    MultipleTransactionsException,
    ResourceInUseException,
    TooManyTransactionsException,
    TransactionCanceledException,
    TransactWriteSingleOpException,
)
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from infra.local.aws import Answer
from infra.local.sorted_table import SortedTable, plain, shown
from infra.local.template import ACCOUNT_ID, REGION

MAX_TRANSACTION_ITEMS = 100


class SortedBackend(DynamoDBBackend):
    """moto's DynamoDB on `SortedTable`, with transactions that touch what they name."""

    def create_table(self, name: str, **kwargs: Any) -> Table:  # type: ignore[override]
        if name in self.tables:
            raise ResourceInUseException(f"Table already exists: {name}")
        table = SortedTable(  # type: ignore[abstract]  # as moto itself does
            name, account_id=self.account_id, region=self.region_name, **kwargs
        )
        self.tables[name] = table
        return table

    def sorted_table(self, name: str) -> SortedTable:
        table = self.get_table(name)
        if not isinstance(table, SortedTable):
            raise TypeError(f"{name} was not created here")
        return table

    def update_item(self, table_name: str, key: dict[str, Any], *args: Any, **kwargs: Any) -> Item:
        """moto changes the stored item in place, also when it then fails: undo that."""
        table = self.sorted_table(table_name)
        hash_key, range_key = self.get_keys_value(table, key)
        before = copy.deepcopy(table.get_item(hash_key, range_key))
        try:
            item = super().update_item(table_name, key, *args, **kwargs)
        except Exception:
            table.restore(hash_key, range_key, before)
            raise
        table.settle(hash_key, range_key)
        return item

    def transact_write_items(self, transact_items: list[dict[str, Any]]) -> None:
        """All conditions are looked at before anything is written; then all is, or nothing."""
        if len(transact_items) > MAX_TRANSACTION_ITEMS:
            raise TooManyTransactionsException
        steps = [self._step(entry) for entry in transact_items]
        if len({(step.table.name, step.key) for step in steps}) < len(steps):
            raise MultipleTransactionsException
        refusals = [step.refusal() for step in steps]
        if any(code is not None for code, _, _ in refusals):
            raise TransactionCanceledException(refusals)
        before = [(step, step.kept()) for step in steps]
        try:
            for step in steps:
                self._apply(step)
        except Exception:
            for step, item in before:
                step.table.restore(step.hash_key, step.range_key, item)
            raise

    def _step(self, entry: dict[str, Any]) -> "_Step":
        if len(entry) != 1:
            raise TransactWriteSingleOpException
        ((kind, asked),) = entry.items()
        table = self.sorted_table(asked["TableName"])
        hash_key, range_key = self.get_keys_value(table, asked.get("Key") or asked["Item"])
        return _Step(kind, asked, table, hash_key, range_key)

    def _apply(self, step: "_Step") -> None:
        match step.kind:
            case "Put":
                step.table.put_item(step.asked["Item"])
            case "Delete":
                step.table.delete_item(step.hash_key, step.range_key)
            case "Update":
                self.update_item(
                    step.table.name,
                    step.asked["Key"],
                    update_expression=step.asked["UpdateExpression"],
                    expression_attribute_names=step.asked.get("ExpressionAttributeNames"),
                    expression_attribute_values=step.asked.get("ExpressionAttributeValues"),
                )
            case _:
                assert step.kind == "ConditionCheck", step.kind


Refusal = tuple[str | None, str | None, dict[str, Any] | None]


@dataclass(frozen=True)
class _Step:
    """One item of a transaction, as it was asked for."""

    kind: str
    asked: Mapping[str, Any]
    table: SortedTable
    hash_key: DynamoType
    range_key: DynamoType | None

    @property
    def key(self) -> tuple[Any, Any]:
        return plain(self.hash_key), plain(self.range_key)

    def stored(self) -> Item | None:
        return self.table.get_item(self.hash_key, self.range_key)

    def kept(self) -> Item | None:
        """What to put back: a put replaces the stored item and a delete lets go of it, so only
        what an update would change has to be copied."""
        return copy.deepcopy(self.stored()) if self.kind == "Update" else self.stored()

    def refusal(self) -> Refusal:
        """Why this item stops the transaction: code, message and item; all None if it doesn't."""
        condition = get_filter_expression(
            self.asked.get("ConditionExpression"),
            self.asked.get("ExpressionAttributeNames"),
            self.asked.get("ExpressionAttributeValues"),
        )
        stored = self.stored()
        if condition.expr(stored):
            return None, None, None
        tell = self.asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        item = stored.to_json()["Attributes"] if tell and stored is not None else None
        return "ConditionalCheckFailed", "The conditional request failed", item


OPERATIONS: Mapping[str, Callable[[DynamoHandler], Any]] = {
    "BatchGetItem": DynamoHandler.batch_get_item,
    "BatchWriteItem": DynamoHandler.batch_write_item,
    "CreateTable": DynamoHandler.create_table,
    "DeleteItem": DynamoHandler.delete_item,
    "DescribeTable": DynamoHandler.describe_table,
    "GetItem": DynamoHandler.get_item,
    "ListTables": DynamoHandler.list_tables,
    "PutItem": DynamoHandler.put_item,
    "Query": DynamoHandler.query,
    "Scan": DynamoHandler.scan,
    "TransactGetItems": DynamoHandler.transact_get_items,
    "TransactWriteItems": DynamoHandler.transact_write_items,
    "UpdateItem": DynamoHandler.update_item,
    "UpdateTimeToLive": DynamoHandler.update_time_to_live,
}


class _Handler(DynamoHandler):
    """moto's operations on one backend of ours, given the request's body directly."""

    def __init__(self, backend: SortedBackend, body: dict[str, Any]) -> None:
        super().__init__()
        self._backend = backend
        self.body = body

    @property
    def dynamodb_backend(self) -> DynamoDBBackend:
        return self._backend


class Embedded:
    """The embedded engine. Every call is atomic; nothing outlives the process."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._backend = SortedBackend(REGION, ACCOUNT_ID)

    def call(self, operation: str, body: bytes) -> Answer:
        """Answer one request of the DynamoDB API, given as its JSON."""
        perform = OPERATIONS.get(operation)
        if perform is None:
            raise NotImplementedError(f"DynamoDB's {operation} is not served in this process")
        with self._lock:
            try:
                result: Any = perform(_Handler(self._backend, json.loads(body))).result
                if "Items" in result:
                    result["Items"] = [shown(attributes) for attributes in result["Items"]]
            except JsonRESTError as error:
                return Answer(int(error.code), str(error.description).encode())
            return Answer(200, content=result)

    def first_due(self, table_name: str, index_name: str = "due") -> str | None:
        """The smallest `due_at` in the index, over every shard."""
        with self._lock:
            least: str | None = self._backend.sorted_table(table_name).least(index_name)
            return least

    def reset(self) -> None:
        """Forget every table."""
        with self._lock:
            self._backend = SortedBackend(REGION, ACCOUNT_ID)

    def close(self) -> None:
        """Nothing to let go of."""
