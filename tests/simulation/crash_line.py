"""A line on which chosen calls of our functions go wrong, each in one way; it counts all of them.

A call is known by its place: the n-th since the line was armed. In a world that was given a seed
the calls up to the first fault are the same in every run.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar, cast

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from infra.local.aws import Answer
from infra.local.lambdas import Died
from infra.local.line import PROVIDER, Call
from shared.providers.transport import TransportTimeout

T = TypeVar("T")

READS = frozenset({"BatchGetItem", "GetItem", "Query"})


class Fault(StrEnum):
    """How one call goes wrong."""

    FAILS = "fails before it arrives"
    LOST = "takes effect, and the answer is lost"
    TIMES_OUT = "times out without effect"
    THROTTLED = "is throttled"
    CONFLICT = "conflicts with another transaction"
    UNREAD = "leaves its items unread"
    NOT_TAKEN = "is not taken by the bus"
    BROKEN = "is answered 500 without effect"
    BROKEN_AFTER = "takes effect, and is answered 500"
    DIES_BEFORE = "is not made: the process dies before"
    DIES_AFTER = "takes effect, and the process dies"


_ANYWHERE = (Fault.FAILS, Fault.THROTTLED, Fault.DIES_BEFORE)
_WRITES = (*_ANYWHERE, Fault.LOST, Fault.DIES_AFTER)


def faults_of(call: Call) -> tuple[Fault, ...]:
    """Every fault that differs from every other for whoever makes this call, and for the world.

    A read has no effect, so that its lost answer is its time-out, and dying after it is dying
    before it. The transport to a provider raises the same for every answer that does not come.
    """
    if call.service == PROVIDER:
        reads = call.operation.startswith("GET ")
        return (*_ANYWHERE, Fault.BROKEN) if reads else (*_WRITES, Fault.BROKEN_AFTER)
    if call.service == "eventbridge":
        return (*_WRITES, Fault.TIMES_OUT, Fault.NOT_TAKEN)
    match call.operation:
        case "BatchGetItem":
            return (*_ANYWHERE, Fault.TIMES_OUT, Fault.UNREAD)
        case "TransactWriteItems":
            return (*_WRITES, Fault.TIMES_OUT, Fault.CONFLICT)
        case operation if operation in READS:
            return (*_ANYWHERE, Fault.TIMES_OUT)
        case _:
            return (*_WRITES, Fault.TIMES_OUT)


THROTTLED_AS: Mapping[str, tuple[tuple[int, str], ...]] = {
    "dynamodb": (
        (400, "ThrottlingException"),
        (400, "ProvisionedThroughputExceededException"),
    ),
    "sesv2": ((429, "TooManyRequestsException"),),
    "eventbridge": ((400, "ThrottlingException"),),
    "ssm": ((400, "ThrottlingException"),),
}
"""What a service says then; where there are several, calls take turns."""


@dataclass(frozen=True)
class Seen:
    """A call that was recorded."""

    name: str
    faults: tuple[Fault, ...]
    function: str
    invocation: int


@dataclass(frozen=True)
class Strike:
    """What goes wrong at the `at`-th call. `name` is what that call has to be, where known."""

    at: int
    fault: Fault
    name: str | None = None


@dataclass
class CrashLine:
    """Use `arm` when what is tried begins. `broken_after` carries a call to the provider, which
    answers 500 although it did what it was asked for, and says so again to the same key."""

    broken_after: Callable[[Callable[[], Any]], Any] = lambda forward: forward()
    armed: bool = False
    calls: list[Seen] = field(default_factory=list)
    struck: list[Strike] = field(default_factory=list)
    wrong_name: list[str] = field(default_factory=list)
    may_repeat: set[str] = field(default_factory=set)
    """Emails (by their X-Message-Key) that a fault hit between their handing over and the mark
    that they were sent: only these may be sent again ([OUTBOX])."""
    _strikes: dict[int, Strike] = field(default_factory=dict)
    _in_hand: dict[int, set[str]] = field(default_factory=dict)

    def arm(self, *strikes: Strike) -> None:
        self.armed = True
        self._strikes = {one.at: one for one in strikes}

    def carry(self, call: Call, forward: Callable[[], T]) -> T:
        if not self.armed:
            return forward()
        at = len(self.calls)
        self.calls.append(Seen(call.name, faults_of(call), call.function, call.invocation))
        strike = self._strikes.get(at)
        if strike is None or strike.fault not in faults_of(call):
            answer = forward()
            self._follow_the_mail(call, answer)
            return answer
        self.struck.append(strike)
        if strike.name not in (None, call.name):
            self.wrong_name.append(f"call {at} is {call.name}, not {strike.name}")
        try:
            return cast("T", self._go_wrong(call, strike, forward))
        finally:
            self.may_repeat |= self._in_hand.get(call.invocation, set())

    def _follow_the_mail(self, call: Call, answer: Any) -> None:
        if call.service == "sesv2" and answer.status == 200:
            self._in_hand.setdefault(call.invocation, set()).add(_message_key(call.body))
        elif call.operation in ("PutItem", "TransactWriteItems") and answer.status == 200:
            self._in_hand.pop(call.invocation, None)

    def _go_wrong(self, call: Call, strike: Strike, forward: Callable[[], Any]) -> Any:
        match strike.fault:
            case Fault.FAILS:
                raise _away(call)
            case Fault.TIMES_OUT:
                raise _no_answer(call)
            case Fault.LOST:
                self._follow_the_mail(call, forward())
                raise _no_answer(call)
            case Fault.DIES_BEFORE:
                raise Died
            case Fault.DIES_AFTER:
                self._follow_the_mail(call, forward())
                raise Died
            case Fault.BROKEN_AFTER:
                return self.broken_after(forward)
            case _:
                return REFUSALS[strike.fault](call, strike.at)


def _message_key(body: bytes) -> str:
    raw = base64.b64decode(json.loads(body)["Content"]["Raw"]["Data"])
    found = re.search(rb"^X-Message-Key: (\w+)", raw, re.MULTILINE)
    assert found is not None, "every email carries its key"
    return found[1].decode()


def _away(call: Call) -> Exception:
    if call.service == PROVIDER:
        return TransportTimeout(call.operation)
    return EndpointConnectionError(endpoint_url=f"https://{call.service}")


def _no_answer(call: Call) -> Exception:
    if call.service == PROVIDER:
        return TransportTimeout(call.operation)
    return ReadTimeoutError(endpoint_url=f"https://{call.service}")


def _throttled(call: Call, at: int) -> Any:
    if call.service == PROVIDER:
        said = {"error": {"code": "rate_limit", "message": "Too many requests; try again."}}
        return 429, json.dumps(said).encode()
    ways = THROTTLED_AS[call.service]
    status, code = ways[at % len(ways)]
    return Answer(status, content={"__type": code, "message": "Rate exceeded"})


def _broken(_call: Call, _at: int) -> Any:
    return 500, b'{"error": {"code": "internal_error", "message": "Something broke."}}'


def _unread(call: Call, _at: int) -> Answer:
    asked = json.loads(call.body)["RequestItems"]
    return Answer(200, content={"Responses": {}, "UnprocessedKeys": asked})


def _conflict(call: Call, _at: int) -> Answer:
    reasons = [{"Code": "None"} for _ in json.loads(call.body)["TransactItems"]]
    reasons[-1] = {"Code": "TransactionConflict"}
    told = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons,
    }
    return Answer(400, json.dumps(told).encode())


def _not_taken(call: Call, _at: int) -> Answer:
    entries = json.loads(call.body)["Entries"]
    refused = {"ErrorCode": "InternalFailure", "ErrorMessage": "Try again."}
    return Answer(
        200, content={"FailedEntryCount": len(entries), "Entries": [refused for _ in entries]}
    )


REFUSALS: Mapping[Fault, Callable[[Call, int], Any]] = {
    Fault.THROTTLED: _throttled,
    Fault.BROKEN: _broken,
    Fault.UNREAD: _unread,
    Fault.CONFLICT: _conflict,
    Fault.NOT_TAKEN: _not_taken,
}
"""What is answered without anything having happened."""
