"""The due index as a queue: what waits, its leases, and what is parked.

An entry is leased by moving its `due_at` on, on the condition that it is what was seen, so that
of many sweeps one gets it. Whatever then changes the item writes its true next moment; a crash
anywhere costs one lease. `due_for` keeps the true moment while a lease runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from shared.domain.due import (
    Lane,
    Moment,
    Worker,
    due_moment,
    due_shard,
    due_text,
    is_lease,
    lease_text,
    utc_text,
)
from shared.store import accounts
from shared.store.items import AccountItem, Lost, StoreUnavailable, client
from shared.store.reading import moment_of, read_any
from shared.store.writing import Action, Write, commit, create, replace

if TYPE_CHECKING:
    from shared.domain.message import Notice, Parked

LEASE = timedelta(minutes=5)
"""How long a worker has before an item is due again: the maximum age of its event."""

MAX_TRIES = 5
"""Leases after which an item that is still due is parked."""

PAGE = 100
COUNTED_A_PAGE = 1_000


@dataclass(frozen=True, order=True)
class Entry:
    """One entry of the due index."""

    pk: str
    sk: str
    due_at: str
    shard: str

    @property
    def moment(self) -> datetime:
        return due_moment(self.due_at)[0]

    @property
    def worker(self) -> Worker:
        return due_moment(self.due_at)[1]

    @property
    def readable(self) -> bool:
        """Whether this version of the code knows the moment and the worker."""
        try:
            due_moment(self.due_at)
        except ValueError:
            return False
        return True


def due(lane: Lane, shard: int, now: datetime, limit: int) -> Iterator[Entry]:
    """What is due at `now` or was before, oldest first, at most `limit`. It reads what is due and
    nothing else; what is due exactly now is in."""
    # "$" sorts after "#": what is due in this very second comes before the bound.
    bound = f"{now:%Y-%m-%dT%H:%M:%SZ}$"
    start: dict[str, object] = {}
    while limit > 0:
        answer = client().query(
            TableName=AccountItem.Meta.table_name,
            IndexName="due",
            KeyConditionExpression="due_shard = :shard AND due_at < :bound",
            ExpressionAttributeValues={
                ":shard": {"S": f"{lane.value}#{shard}"},
                ":bound": {"S": bound},
            },
            Limit=min(limit, PAGE),
            **start,
        )
        for raw in answer["Items"]:
            limit -= 1
            yield Entry(raw["pk"]["S"], raw["sk"]["S"], raw["due_at"]["S"], raw["due_shard"]["S"])
        last = answer.get("LastEvaluatedKey")
        if last is None:
            return
        start = {"ExclusiveStartKey": last}


def on_lease(lane: Lane, shard: int, now: datetime, looked_at: int) -> int:
    """How many leases of one lane and shard end within the time that a first one lasts: what
    workers have in hand, and have not done. It looks at no more than `looked_at` entries, so where
    a crowd falls due just then it may count too few."""
    found = 0
    start: dict[str, object] = {}
    while looked_at > 0:
        answer = client().query(
            TableName=AccountItem.Meta.table_name,
            IndexName="due",
            KeyConditionExpression="due_shard = :shard AND due_at BETWEEN :now AND :until",
            ExpressionAttributeValues={
                ":shard": {"S": f"{lane.value}#{shard}"},
                ":now": {"S": f"{utc_text(now)}$"},
                ":until": {"S": f"{utc_text(now + LEASE)}$"},
            },
            Limit=min(looked_at, COUNTED_A_PAGE),
            **start,
        )
        looked_at -= len(answer["Items"])
        found += sum(is_lease(raw["due_at"]["S"]) for raw in answer["Items"])
        last = answer.get("LastEvaluatedKey")
        if last is None:
            break
        start = {"ExclusiveStartKey": last}
    return found


def standing(entries: Sequence[Entry]) -> set[Entry]:
    """Those of at most 100 entries whose item is due as they say: one round trip."""
    if not entries:
        return set()
    table = AccountItem.Meta.table_name
    asked: dict[str, Any] = {
        "Keys": [{"pk": {"S": one.pk}, "sk": {"S": one.sk}} for one in entries],
        "ProjectionExpression": "pk, sk, due_at",
        "ConsistentRead": True,
    }
    answer = client().batch_get_item(RequestItems={table: asked})
    if answer.get("UnprocessedKeys"):
        raise StoreUnavailable("items were left unread")
    due_at = {
        (raw["pk"]["S"], raw["sk"]["S"]): raw.get("due_at", {}).get("S")
        for raw in answer["Responses"].get(table, ())
    }
    return {one for one in entries if due_at.get((one.pk, one.sk)) == one.due_at}


class Leased(NamedTuple):
    entry: Entry
    due_at: str
    tries: int


def lease(entry: Entry, now: datetime) -> Leased | None:
    """Take an entry for one lease, longer with each try. None when it is no longer what was seen:
    another sweep has it, or the item has moved on. `StoreUnavailable` when it could not be asked
    for; it then stays due."""
    until = lease_text(Moment(at=now + LEASE, worker=entry.worker), f"{entry.pk}/{entry.sk}")
    request = AccountItem(entry.pk, entry.sk).get_update_kwargs_from_instance(
        actions=[
            AccountItem.due_at.set(until),
            AccountItem.due_for.set(AccountItem.due_for | entry.due_at),
            AccountItem.due_tries.set((AccountItem.due_tries | 0) + 1),
        ],
        condition=AccountItem.due_at == entry.due_at,
    )
    leased = _updated(request)
    if leased is None:
        return None
    return Leased(entry=entry, due_at=until, tries=int(leased["due_tries"]["N"]))


def _updated(request: dict[str, Any]) -> dict[str, Any] | None:
    """The item as it then is; None when it was not as the update's condition wants it. Over the
    one connection: the model would make a session and a client of its own."""
    try:
        answer = client().update_item(**request, ReturnValues="ALL_NEW")
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return None
        raise StoreUnavailable(str(error)) from error
    except BotoCoreError as error:
        raise StoreUnavailable(str(error)) from error
    attributes: dict[str, Any] = answer["Attributes"]
    return attributes


def back_off(leased: Leased, now: datetime) -> None:
    """Lengthen the lease of an item that has failed before: 5, 10, 20, 40, 80 minutes."""
    wait = LEASE * 2 ** (leased.tries - 1)
    until = lease_text(
        Moment(at=now + wait, worker=leased.entry.worker), f"{leased.entry.pk}/{leased.entry.sk}"
    )
    item = AccountItem(leased.entry.pk, leased.entry.sk)
    _updated(
        item.get_update_kwargs_from_instance(
            actions=[AccountItem.due_at.set(until)],
            condition=AccountItem.due_at == leased.due_at,
        )
    )


def put_back(pk: str, sk: str, now: datetime) -> bool:
    """Give an item that is on lease, and not due yet by its own content, its true moment again.
    Its moment may have moved by itself: new rules of a time zone, a new version of the code.
    Whether it was; harmless for every other item. Raises `StoreUnavailable`."""
    row = read_any(AccountItem, pk, sk)
    if row is None or row.due_for is None or row.due_at is None:
        return False
    moment = moment_of(row.value)
    if moment is not None and moment.at <= now:
        return False
    try:
        commit([replace(row, row.value)])
    except Lost:
        return False
    return True


def park(leased: Leased, notice: Notice) -> bool:
    """Take an item out of the queue that was not done in `MAX_TRIES` leases, and tell staff, in
    one transaction. It keeps `due_for`, so `release` can set it going again."""
    entry = leased.entry
    try:
        commit(
            [
                Write(
                    Action.UPDATE,
                    table=AccountItem,
                    key=(entry.pk, entry.sk),
                    actions=(
                        AccountItem.due_at.remove(),
                        AccountItem.due_shard.remove(),
                        AccountItem.due_for.set(AccountItem.due_for | entry.due_at),
                    ),
                    condition=AccountItem.due_at == leased.due_at,
                ),
                create(accounts.notice(notice), notice),
            ]
        )
    except Lost:
        return False
    return True


def release(parked: Parked, worker: Worker, now: datetime, shards: int) -> Write:
    """What sets a parked item going again, for a transaction: it is due at `now` (UTC), and its
    tries count from zero. On the condition that it is still parked and waits for `worker`: one
    that has moved on, or is gone, is not touched.

    It keeps `due_for`, its true first moment. `due_at` is not that moment, so until work is done
    on it the item is like one whose lease ends now: the next sweep takes it, and one that no sweep
    takes is overdue by `due_at` like any other."""
    item_id = f"{parked.pk}/{parked.sk}"
    moment = Moment(at=now, worker=worker)
    return Write(
        Action.UPDATE,
        table=AccountItem,
        key=(parked.pk, parked.sk),
        actions=(
            AccountItem.due_at.set(due_text(moment, item_id)),
            AccountItem.due_shard.set(due_shard(moment.lane, item_id, shards)),
            AccountItem.due_tries.set(0),
        ),
        condition=AccountItem.due_at.does_not_exist()
        & AccountItem.due_for.contains(f"#{worker.value}#"),
    )


__all__ = [
    "LEASE",
    "Entry",
    "Leased",
    "back_off",
    "due",
    "lease",
    "on_lease",
    "park",
    "put_back",
    "release",
    "standing",
]
