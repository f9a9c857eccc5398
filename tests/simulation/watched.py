"""A DynamoDB whose every accepted write is also written down here.

So the simulation knows at any moment what has to be stored, without asking; what is really stored
is compared with it, so that a write that was acknowledged and lost shows too.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from infra.local.aws import Answer, Engine
from shared.domain.due import due_moment
from tests.simulation.holding import Item

Key = tuple[str, str]


class Watched:
    """`engine`, and a copy of one table of it. `touched` are the partitions that were written to
    since it was last emptied; `wrong` what was seen that may never happen."""

    def __init__(self, engine: Engine, table: str) -> None:
        self._engine = engine
        self.table = table
        self._due: dict[Key, str] = {}
        self.items: dict[Key, Item] = {}
        self.touched: set[str] = set()
        self.wrong: list[str] = []
        self.calls = 0
        self.now: Callable[[], datetime] | None = None

    def call(self, operation: str, body: bytes) -> Answer:
        self.calls += 1
        answer = self._engine.call(operation, body)
        if answer.status == 200:
            match operation:
                case "TransactWriteItems":
                    for entry in json.loads(body)["TransactItems"]:
                        self._write(entry)
                case "UpdateItem":
                    self._update(json.loads(body), answer)
                case "PutItem":
                    self._write({"Put": json.loads(body)})
                case "DeleteItem" | "BatchWriteItem":
                    raise AssertionError(f"{operation} is written down by nobody")
                case _:
                    pass
        return answer

    def first_due(self, table_name: str, index_name: str = "due") -> str | None:
        """The smallest `due_at` of all."""
        assert (table_name, index_name) == (self.table, "due")
        return min(self._due.values(), default=None)

    def reset(self) -> None:
        self._engine.reset()

    def close(self) -> None:
        self._engine.close()

    def of(self, pk: str) -> list[Item]:
        return [item for key, item in self.items.items() if key[0] == pk]

    def _write(self, entry: dict[str, Any]) -> None:
        ((action, asked),) = entry.items()
        if asked["TableName"] != self.table or action == "ConditionCheck":
            return
        if action == "Put":
            self._keep(asked["Item"])
            return
        key = asked["Key"]["pk"]["S"], asked["Key"]["sk"]["S"]
        if action == "Delete":
            self.items.pop(key, None)
            self._due.pop(key, None)
            self.touched.add(key[0])
        else:
            self._keep(self._read(asked["Key"]))

    def _update(self, asked: dict[str, Any], answer: Answer) -> None:
        if asked["TableName"] != self.table:
            return
        key = asked["Key"]["pk"]["S"], asked["Key"]["sk"]["S"]
        before = self.items.get(key, {})
        after = answer.content["Attributes"]
        if before.get("due_tries") != after.get("due_tries") and self._runs(before):
            self.wrong.append(f"{key} was leased while a lease ran to {before['due_at']['S']}")
        self._keep(after)

    def _runs(self, item: Item) -> bool:
        """Whether somebody has the item on lease now."""
        if "due_for" not in item or "due_at" not in item:
            return False
        assert self.now is not None
        return due_moment(item["due_at"]["S"])[0] > self.now()

    def _read(self, key: dict[str, Any]) -> Item:
        asked = {"TableName": self.table, "Key": key, "ConsistentRead": True}
        found: Item = self._engine.call("GetItem", json.dumps(asked).encode()).content["Item"]
        return found

    def _keep(self, item: Item) -> None:
        key = item["pk"]["S"], item["sk"]["S"]
        self.items[key] = item
        self.touched.add(key[0])
        due_at = item.get("due_at")
        if due_at is None:
            self._due.pop(key, None)
        else:
            self._due[key] = due_at["S"]
