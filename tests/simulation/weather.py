"""What goes wrong between our functions and everything outside them, by seed."""

import base64
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar, cast

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from infra.local.aws import Answer
from infra.local.lambdas import Died
from infra.local.line import PROVIDER, Call
from shared.providers.transport import TransportTimeout

T = TypeVar("T")

USUAL = 0.03
"""Of a hundred calls so many go wrong on a usual day."""

KINDS_OF_DAYS = (0.3, 1.0, 1.0, 2.5)
BEHIND = 0.1
"""How often the due index lags behind when it is asked."""

BUSY = 0.03
"""How often somebody else does something in the middle of a handler's work."""

LISTS_LATE = 0.3
"""How often the provider's lists lack what it has just made."""

LISTED_AFTER_SECONDS = 3600
DYING = 0.3
"""How likely each call of a handler is its last while a deployment goes on."""

MAX_LATE_HOURS = 5


class Fault(StrEnum):
    """How one call goes wrong."""

    AWAY = "never arrives"
    ANSWER_LOST = "answer lost"
    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"
    THROTTLED = "throttled"
    CONFLICT = "conflict"
    UNREAD = "left unread"
    DROPPED = "dropped"
    REPEATED = "repeated"
    DELAYED = "delayed"
    REFUSED = "entry refused"
    BEHIND = "index behind"
    NOT_LISTED = "not listed yet"


ANYWHERE = (Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.AWAY, Fault.ANSWER_LOST)
READING = (Fault.DIES_BEFORE, Fault.DIES_AFTER, Fault.AWAY, Fault.THROTTLED)
LISTINGS = frozenset({"provider:GET /v1/charges", "provider:GET /v1/payment_intents"})
"""What providers are asked for a customer's payments."""

FAULTS = {
    "dynamodb:BatchGetItem": (*READING, Fault.UNREAD),
    "dynamodb:Query": READING,
    "dynamodb:TransactWriteItems": (
        *ANYWHERE, Fault.ANSWER_LOST, Fault.CONFLICT, Fault.CONFLICT, Fault.THROTTLED,
    ),
    "dynamodb:PutItem": (*ANYWHERE, Fault.ANSWER_LOST, Fault.THROTTLED),
    "dynamodb:UpdateItem": (*ANYWHERE, Fault.THROTTLED),
    "sesv2:SendEmail": (*ANYWHERE, Fault.THROTTLED),
    "eventbridge:PutEvents": (
        *ANYWHERE, Fault.DROPPED, Fault.REPEATED, Fault.DELAYED, Fault.REFUSED,
    ),
}  # fmt: skip
"""By the call; those of the payment provider, which has faults of its own besides, go any way."""


class Weather:
    """A `Line` that loses, repeats, delays and refuses by seed, and lets others in between.

    `meanwhile` answers what somebody else does in the middle of a call, `later` takes what is to
    be carried out hours from now.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._calm = 0
        self._inside = False
        self.roughness = rng.choice(KINDS_OF_DAYS)
        self.struck: Counter[str] = Counter()
        self.deaths_ahead = 0
        """So many handlers die at their next calls: a deployment in the middle of work."""
        self.meanwhile: Callable[[], Callable[[], None] | None] = lambda: None
        self.later: Callable[[int, Callable[[], None]], None] = lambda _, __: None
        self.now: Callable[[], datetime] = lambda: datetime.max.replace(tzinfo=UTC)
        self.noted: Callable[[str], None] = lambda _: None
        self.mails: list[tuple[str, int]] = []
        """Of each email that was taken in: its key, and the run of the handler that sent it."""
        self.struck_runs: set[int] = set()
        self._index_before: dict[tuple[str, str], list[Any]] = {}

    @contextmanager
    def calm(self) -> Iterator[None]:
        """Nothing goes wrong while it is open."""
        self._calm += 1
        try:
            yield
        finally:
            self._calm -= 1

    def carry(self, call: Call, forward: Callable[[], T]) -> T:
        if self._calm:
            return self._whole(call, forward)
        self._let_others_in()
        fault = self._fault(call)
        if fault is None:
            return self._whole(call, forward)
        self.struck[fault] += 1
        self.struck_runs.add(call.invocation)
        self.noted(f"    {call.function.split('.')[-2]} {call.name}: {fault}")
        return cast(T, self._strike(fault, call, cast(Callable[[], Any], forward)))

    def _whole(self, call: Call, forward: Callable[[], T]) -> T:
        answer = forward()
        if call.service == "sesv2":
            self.mails.append((_key_of_mail(call), call.invocation))
        if self._calm:
            return answer
        if call.operation == "Query" and b'"due"' in call.body:
            self._fall_behind(call, cast(Answer, answer))
        if call.name in LISTINGS and self._rng.random() < LISTS_LATE * self.roughness:
            return cast(T, self._without_the_newest(cast(tuple[int, bytes], answer)))
        return answer

    def _without_the_newest(self, answer: tuple[int, bytes]) -> tuple[int, bytes]:
        """A list of the provider that lacks what was made in the last hour."""
        status, body = answer
        content = json.loads(body)
        listed = content.get("data")
        if status != 200 or not listed:
            return answer
        now = self.now().timestamp()
        older = [one for one in listed if one["created"] < now - LISTED_AFTER_SECONDS]
        if len(older) == len(listed):
            return answer
        self.struck[Fault.NOT_LISTED] += 1
        return status, json.dumps({**content, "data": older}).encode()

    def _let_others_in(self) -> None:
        if self._inside or self._rng.random() > BUSY * self.roughness:
            return
        act = self.meanwhile()
        if act is None:
            return
        self._inside = True
        try:
            act()
        finally:
            self._inside = False

    # --- which ---

    def _fault(self, call: Call) -> Fault | None:
        if self.deaths_ahead and self._rng.random() < DYING:
            self.deaths_ahead -= 1
            return self._rng.choice((Fault.DIES_BEFORE, Fault.DIES_AFTER))
        if self._rng.random() > USUAL * self.roughness:
            return None
        return self._rng.choice(FAULTS.get(call.name, ANYWHERE))

    # --- what it does ---

    def _strike(self, fault: Fault, call: Call, forward: Callable[[], Any]) -> Any:
        if fault in (Fault.ANSWER_LOST, Fault.DIES_AFTER):
            self._whole(call, forward)
        if fault in (Fault.DIES_BEFORE, Fault.DIES_AFTER):
            raise Died
        if fault in (Fault.AWAY, Fault.ANSWER_LOST):
            raise _unreached(call, lost=fault is Fault.ANSWER_LOST)
        answers: dict[Fault, Callable[[], Any]] = {
            Fault.THROTTLED: _throttled,
            Fault.CONFLICT: lambda: self._conflict(call),
            Fault.UNREAD: lambda: self._left_unread(call, forward),
            Fault.DROPPED: lambda: _taken("lost"),
            Fault.REPEATED: lambda: (forward(), forward())[1],
            Fault.DELAYED: lambda: self._delay(forward),
            Fault.REFUSED: _entry_refused,
        }
        return answers[fault]()

    def _delay(self, forward: Callable[[], Any]) -> Answer:
        self.later(self._rng.randrange(1, MAX_LATE_HOURS * 60), forward)
        return _taken("late")

    def _conflict(self, call: Call) -> Answer:
        asked = json.loads(call.body)
        reasons = [{"Code": "None"} for _ in asked["TransactItems"]]
        reasons[self._rng.randrange(len(reasons))] = {"Code": "TransactionConflict"}
        told = {
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled",
            "CancellationReasons": reasons,
        }
        return Answer(400, json.dumps(told).encode())

    def _left_unread(self, call: Call, forward: Callable[[], Answer]) -> Answer:
        """Some keys come back unprocessed, and nothing was read of them."""
        asked = json.loads(call.body)["RequestItems"]
        whole = forward()
        if whole.status != 200:
            return whole
        table = self._rng.choice(sorted(asked))
        content = {**whole.content, "Responses": {**whole.content["Responses"], table: []}}
        return Answer(200, content={**content, "UnprocessedKeys": {table: asked[table]}})

    def _fall_behind(self, call: Call, answer: Answer) -> None:
        """The index answers as it stood a while ago: without what is new, with what is gone."""
        if answer.status != 200:
            return
        query = json.loads(call.body)
        asked = query["ExpressionAttributeValues"][":shard"]["S"], query["KeyConditionExpression"]
        before = self._index_before.get(asked, [])
        self._index_before[asked] = list(answer.content["Items"])
        if self._rng.random() > BEHIND * self.roughness:
            return
        now = answer.content["Items"]
        kept = [one for one in now if self._rng.random() < 0.5]
        gone = [one for one in before if one not in now]
        if len(kept) + len(gone) != len(now) or gone:
            self.struck[Fault.BEHIND] += 1
            answer.content["Items"] = sorted(
                [*kept, *gone], key=lambda one: str(one["due_at"]["S"])
            )


def _unreached(call: Call, *, lost: bool) -> Exception:
    """What the caller is told: whether anything happened it can't know."""
    if call.service == PROVIDER:
        return TransportTimeout(call.operation)
    where = f"https://{call.service}"
    error = ReadTimeoutError if lost else EndpointConnectionError
    return error(endpoint_url=where)


def _key_of_mail(call: Call) -> str:
    """The `X-Message-Key` of an email: it is the same when the same message is handed over."""
    raw = base64.b64decode(json.loads(call.body)["Content"]["Raw"]["Data"])
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii", "replace")
    line = next(one for one in head.split("\r\n") if one.lower().startswith("x-message-key:"))
    return line.partition(":")[2].strip()


def _throttled() -> Answer:
    said = {
        "__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException",
        "message": "Rate exceeded",
    }
    return Answer(400, json.dumps(said).encode())


def _taken(event_id: str) -> Answer:
    """What the bus says of one event that it took."""
    entries = [{"EventId": event_id}]
    return Answer(200, content={"FailedEntryCount": 0, "Entries": entries})


def _entry_refused() -> Answer:
    entries = [{"ErrorCode": "InternalFailure"}]
    return Answer(200, content={"FailedEntryCount": 1, "Entries": entries})
