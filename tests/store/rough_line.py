"""A bad line to Amazon's own engine, by seed: DynamoDB Local never says `TransactionConflict`, and
calls that begin together mostly take their turns in the same order."""

import json
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, local

from infra.local.aws import Answer
from infra.local.dynamodb_local import DynamoDBLocal

CONFLICTS = 0.12
"""How many transactions are answered with a conflict, and nothing written."""
CONFLICTS_IN_A_ROW = 3
"""The store gives up after more; that is tried elsewhere."""
HELD_UP = 0.25
HELD_UP_SECONDS = 0.004
"""How many calls are held up, and for how long at most: so that others overtake them."""


class RoughLine:
    """The engine as a world gets it, whose closing is left to its owner. Rough only while `rough`
    is open; safe for threads. Which call is struck depends on the seed and on the order in which
    the calls come."""

    def __init__(self, engine: DynamoDBLocal, seed: int) -> None:
        self._engine = engine
        self._rng = random.Random(seed)
        self._lock = Lock()
        self._rough = False
        self._of_thread = local()
        self.first_due = engine.first_due
        self.reset = engine.reset
        self.conflicts = 0
        self.calls = 0

    def close(self) -> None:
        """Whoever started the engine does that."""

    @contextmanager
    def rough(self) -> Iterator[None]:
        """While it is open, calls are struck and held up."""
        self._rough = True
        try:
            yield
        finally:
            self._rough = False

    def call(self, operation: str, body: bytes) -> Answer:
        if not self._rough:
            return self._engine.call(operation, body)
        with self._lock:
            self.calls += 1
            conflict = operation == "TransactWriteItems" and self._rng.random() < CONFLICTS
            seconds = self._rng.uniform(0, HELD_UP_SECONDS) if self._rng.random() < HELD_UP else 0.0
        in_a_row = getattr(self._of_thread, "conflicts", 0)
        conflict = conflict and in_a_row < CONFLICTS_IN_A_ROW
        self._of_thread.conflicts = in_a_row + 1 if conflict else 0
        if seconds:
            time.sleep(seconds)
        if not conflict:
            return self._engine.call(operation, body)
        with self._lock:
            self.conflicts += 1
        return _conflict(body)


def _conflict(body: bytes) -> Answer:
    reasons = [{"Code": "None"} for _ in json.loads(body)["TransactItems"]]
    reasons[0] = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
    told = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    }
    return Answer(400, json.dumps(told).encode())
