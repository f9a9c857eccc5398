"""Whose turn it is: a turnstile before whatever many functions call, wherever they run.

It is one item that says when it will be free again. Whoever takes a turn moves that moment on by a
step, in one conditional write, and calls at the moment that stood there before. So turns are a step
apart, nobody polls, nobody is overtaken, and a turn costs one write. A turn that its taker does not
use is lost.

Moments come from the takers' own clocks. Clocks that are `d` seconds apart can bring the turns of
`d` seconds more into one second, never more in the long run. A clock that is far ahead stops
nobody: a moment beyond any honest one counts as free.
"""

from datetime import UTC, datetime, timedelta
from enum import Enum
from math import ceil
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from shared.store.items import AccessItem, StoreUnavailable, client

MAX_TRIES = 8
"""A try fails when the turnstile was taken or became free since the last was looked at."""

BEYOND_HONEST = timedelta(minutes=2)
"""A turnstile that is taken for longer than this was moved by a clock that is wrong. More than any
taker waits."""

KEPT = timedelta(days=1)
"""How long a turnstile is remembered that nobody goes through."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Turnstile(NamedTuple):
    """`per_second` turns a second for everyone who knows it by `name`."""

    name: str
    per_second: float

    @property
    def step(self) -> timedelta:
        return timedelta(microseconds=ceil(1_000_000 / self.per_second))


class State(Enum):
    """How a taker expects to find a turnstile: a guess that saves a write when it is right."""

    FREE = "free"
    TAKEN = "taken"


def take_turn(
    turnstile: Turnstile, now: datetime, longest: timedelta, expected: State = State.FREE
) -> datetime | None:
    """When (UTC) the caller's turn is: `now` or later, by the caller's clock. None when that would
    be more than `longest` from now; then no turn was taken. `StoreUnavailable` when nobody could be
    asked."""
    assert longest < BEYOND_HONEST
    for _ in range(MAX_TRIES):
        free_at, taken = _move_on(turnstile, now, longest, expected)
        if taken:
            return free_at - turnstile.step
        if now + longest < free_at <= now + BEYOND_HONEST:
            return None
        expected = State.TAKEN if now < free_at <= now + BEYOND_HONEST else State.FREE
    return None


def _move_on(
    turnstile: Turnstile, now: datetime, longest: timedelta, expected: State
) -> tuple[datetime, bool]:
    """When the turnstile is free, and whether it was moved on to there."""
    values = {":now": now, ":beyond": now + BEYOND_HONEST}
    match expected:
        case State.FREE:
            change = "SET free_at = :free, expires_at = :expires"
            condition = "attribute_not_exists(free_at) OR free_at <= :now OR free_at > :beyond"
            values[":free"] = now + turnstile.step
        case State.TAKEN:
            change = "SET free_at = free_at + :step, expires_at = :expires"
            condition = "free_at > :now AND free_at <= :latest"
            values = {":now": now, ":latest": now + longest, ":step": _EPOCH + turnstile.step}
    numbers = {name: _number(at) for name, at in values.items()}
    numbers[":expires"] = {"N": str(int((now + KEPT).timestamp()))}
    try:
        answer = client().update_item(
            TableName=AccessItem.Meta.table_name,
            Key={"pk": {"S": f"rate#pace#{turnstile.name}"}, "sk": {"S": "turnstile"}},
            UpdateExpression=change,
            ConditionExpression=condition,
            ExpressionAttributeValues=numbers,
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise StoreUnavailable(str(error)) from error
        stored: dict[str, Any] = error.response.get("Item", {})  # type: ignore[assignment]
        return (_moment(stored) if stored else now), False
    except BotoCoreError as error:
        raise StoreUnavailable(str(error)) from error
    return _moment(answer["Attributes"]), True


def _number(at: datetime) -> dict[str, str]:
    """Whole microseconds since 1970."""
    return {"N": str((at - _EPOCH) // _MICROSECOND)}


def _moment(stored: dict[str, Any]) -> datetime:
    return _EPOCH + int(stored["free_at"]["N"]) * _MICROSECOND
