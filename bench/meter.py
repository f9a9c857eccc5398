"""What a function asks of DynamoDB: round trips, and capacity units.

A `Meter` is the line of a world (`infra.local.line`), so it sees what functions ask and nothing
else. Plain reads and writes are as Amazon's engine reports them; transactions are counted by
`bench.units`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast

from bench.units import Item, Written, written
from infra.local.aws import Answer
from infra.local.dynamodb_local import DynamoDBLocal
from infra.local.line import Call as OutsideCall
from shared.web import side_by_side

READS = ("GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems")
TRANSACTION = "TransactWriteItems"

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """One request to DynamoDB. `reads` and `writes` are capacity units; `items` are those of a
    transaction."""

    operation: str
    reads: float
    writes: float
    items: tuple[Written, ...] = ()


@dataclass
class Run:
    """One run of a handler. `waits` are its round trips one after the other: of two that wait side
    by side, the longer row counts. `events` are the calls of the event bus."""

    handler: str
    calls: list[Call] = field(default_factory=list)
    events: int = 0
    began: int = 0
    ended: int = 0

    @property
    def waits(self) -> int:
        return self.ended - self.began

    @property
    def reads(self) -> float:
        return sum(call.reads for call in self.calls)

    @property
    def writes(self) -> float:
        return sum(call.writes for call in self.calls)


class Meter:
    """Counts what functions ask of `engine`; `runs` are by the number of the invocation."""

    def __init__(self, engine: DynamoDBLocal) -> None:
        self._engine = engine
        self.runs: dict[int, Run] = {}
        self.waited = 0
        """Round trips so far, one after the other."""

    def carry(self, call: OutsideCall, forward: Callable[[], T]) -> T:
        """See `infra.local.line.Line`."""
        if call.service == "eventbridge":
            self._run(call).events += 1
        if call.service != "dynamodb":
            return forward()
        run = self._run(call)
        answer, counted = self._counted(call.operation, call.body)
        run.calls.append(counted)
        self.waited += 1
        run.ended = max(run.ended, self.waited)
        return cast(T, answer)

    def _run(self, call: OutsideCall) -> Run:
        new = Run(call.function, began=self.waited, ended=self.waited)
        return self.runs.setdefault(call.invocation, new)

    @contextmanager
    def watching(self) -> Iterator[list[Run]]:
        """The runs of handlers that begin meanwhile, in their order."""
        before = set(self.runs)
        found: list[Run] = []
        try:
            with the_longer_counts(self):
                yield found
        finally:
            found += [run for number, run in self.runs.items() if number not in before]

    def _counted(self, operation: str, body: bytes) -> tuple[Answer, Call]:
        asked = json.loads(body)
        if operation == TRANSACTION:
            return self._transaction(asked["TransactItems"], body)
        answer = self._engine.call(
            operation, json.dumps({**asked, "ReturnConsumedCapacity": "INDEXES"}).encode()
        )
        units = _reported(answer)
        is_read = operation in READS
        return answer, Call(operation, units if is_read else 0, 0 if is_read else units)

    def _transaction(self, entries: list[Mapping[str, Any]], body: bytes) -> tuple[Answer, Call]:
        places = [_place(one) for one in entries]
        before = [self._stored(*place) for place in places]
        answer = self._engine.call(TRANSACTION, body)
        after = [self._stored(*place) for place in places]
        items = tuple(
            written(next(iter(one)), key, old, new)
            for one, (_, key), old, new in zip(entries, places, before, after, strict=True)
        )
        return answer, Call(TRANSACTION, 0, sum(one.units for one in items), items)

    def _stored(self, table: str, key: Item) -> Item | None:
        answer = self._engine.ask("GetItem", TableName=table, Key=key, ConsistentRead=True)
        found: Item | None = answer.get("Item")
        return found


class Waited(Protocol):
    """What counts round trips, one after the other."""

    waited: int


@contextmanager
def the_longer_counts(clock: Waited) -> Iterator[None]:
    """While it is open, of two readings side by side the longer row counts."""
    usual = side_by_side.executor
    side_by_side.executor = lambda: cast(Any, _Beside(clock))
    try:
        yield
    finally:
        side_by_side.executor = usual


class _Beside:
    """Stands for the thread that reads the other one: here it reads first, and whoever asks for
    what it read has waited for the longer of the two."""

    def __init__(self, clock: Waited) -> None:
        self._clock = clock

    def submit(self, call: Callable[..., T], *arguments: Any) -> "Future[T]":
        began = self._clock.waited
        done: Future[T] = _Read(self._clock)
        try:
            done.set_result(call(*arguments))
        except BaseException as error:  # noqa: BLE001 - as a thread: whoever asks is told
            done.set_exception(error)
        cast(_Read, done).ended, self._clock.waited = self._clock.waited, began
        return done


class _Read(Future[Any]):
    """What was read beside, and when that had ended, in round trips."""

    def __init__(self, clock: Waited) -> None:
        super().__init__()
        self._clock = clock
        self.ended = 0

    def result(self, timeout: float | None = None) -> Any:
        self._clock.waited = max(self._clock.waited, self.ended)
        return super().result(timeout)


def _place(entry: Mapping[str, Any]) -> tuple[str, Item]:
    (asked,) = entry.values()
    key = asked.get("Key") or {name: asked["Item"][name] for name in ("pk", "sk")}
    return asked["TableName"], key


def _reported(answer: Answer) -> float:
    found = answer.content.get("ConsumedCapacity") or []
    tables = found if isinstance(found, list) else [found]
    return sum(float(one["CapacityUnits"]) for one in tables)
