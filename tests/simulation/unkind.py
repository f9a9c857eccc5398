"""What a database and a worker do to us once in a while, by seed."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from infra.local.aws import Answer
from infra.local.engine import Embedded

READ_FAILS = 0.01
CONFLICTS = 0.08
WRITE_IS_LOST = 0.02
ANSWER_IS_LOST = 0.04
"""How often each happens to a call: an outage is worse, a normal day much better."""

READS = frozenset({"BatchGetItem", "Query"})


class Unkind:
    """The embedded engine behind a bad line: conflicts, calls that never arrive, and calls that
    do and whose answer never comes."""

    def __init__(self, rng: random.Random) -> None:
        self._engine = Embedded()
        self._rng = rng
        self._kind = 0
        self.first_due = self._engine.first_due
        self.reset = self._engine.reset
        self.close = self._engine.close
        self.struck = 0

    @contextmanager
    def kind(self) -> Iterator[None]:
        """Nothing goes wrong while it is open: for the test's own looking and arranging."""
        self._kind += 1
        try:
            yield
        finally:
            self._kind -= 1

    def call(self, operation: str, body: bytes) -> Answer:
        if self._kind:
            return self._engine.call(operation, body)
        luck = self._rng.random()
        if operation in READS:
            return self._engine.call(operation, body) if luck > READ_FAILS else self._away()
        if luck < WRITE_IS_LOST:
            return self._away()
        if luck < WRITE_IS_LOST + ANSWER_IS_LOST:
            self._engine.call(operation, body)
            self.struck += 1
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        if operation == "TransactWriteItems" and luck > 1 - CONFLICTS:
            return self._conflict(json.loads(body))
        return self._engine.call(operation, body)

    def _away(self) -> Answer:
        self.struck += 1
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    def _conflict(self, asked: dict[str, Any]) -> Answer:
        self.struck += 1
        reasons = [{"Code": "None"} for _ in asked["TransactItems"]]
        reasons[self._rng.randrange(len(reasons))] = {"Code": "TransactionConflict"}
        told = {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled",
            "CancellationReasons": reasons,
        }
        return Answer(400, json.dumps(told).encode())
