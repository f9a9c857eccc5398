"""The embedded engine: what our code relies on, and that it stays quick."""

import inspect
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from infra.local.aws import switchboard
from infra.local.engine import Embedded
from infra.local.sorted_table import SortedTable
from infra.local.template import REGION, create_tables, load
from tests.local.engine_contract import *  # noqa: F403 - the contract's tests run here
from tests.local.engine_contract import TABLE, due, put

SLOWER_AT_MOST = 1.5
"""How much more a checkout's calls may cost with 10,000 stored items than with 100."""


@pytest.fixture(params=[True, False], ids=["direct", "as if sent"])
def engine(request: pytest.FixtureRequest) -> Iterator[Embedded]:
    """Answering before a call is signed, or where it would be sent: no difference may show."""
    opened = Embedded()
    switchboard.connect({"dynamodb": opened.call}, direct={"dynamodb"} if request.param else ())
    yield opened
    switchboard.disconnect()


def _client() -> Any:
    made = boto3.client(
        "dynamodb", region_name=REGION, aws_access_key_id="local", aws_secret_access_key="local"
    )
    create_tables(
        made, load({"PublicUrl": "http://127.0.0.1:8000", "SenderAddress": "a@example.com"})
    )
    return made


@pytest.fixture
def client(engine: Embedded) -> Any:
    assert engine is not None
    return _client()


def test_the_first_due_moment_is_read_over_all_shards(engine: Embedded, client: Any) -> None:
    assert engine.first_due(TABLE) is None
    put(client, "1", "x", due_shard="money#0", due_at="2026-02")
    put(client, "2", "x", due_shard="later#3", due_at="2026-01")
    assert engine.first_due(TABLE) == "2026-01"
    put(client, "2", "x")
    assert engine.first_due(TABLE) == "2026-02"


def test_a_reset_forgets_every_table(engine: Embedded, client: Any) -> None:
    assert len(client.list_tables()["TableNames"]) == 3
    engine.reset()
    assert client.list_tables()["TableNames"] == []


def test_of_many_simultaneous_conditional_puts_one_wins(client: Any) -> None:
    item = {"pk": {"S": "a"}, "sk": {"S": "x"}}
    together = threading.Barrier(8)

    def attempt(_: int) -> bool:
        together.wait(10)
        try:
            client.put_item(
                TableName=TABLE, Item=item, ConditionExpression="attribute_not_exists(pk)"
            )
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_no_simultaneous_write_is_lost_from_the_index(client: Any) -> None:
    def write(number: int) -> None:
        put(client, str(number), "x", due_shard="money#0", due_at=f"2026-{number:03}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(80)))
    assert due(client) == [str(number) for number in range(80)]


def test_an_operation_that_is_not_served_is_named(client: Any) -> None:
    with pytest.raises(NotImplementedError, match="ExecuteStatement"):
        client.execute_statement(Statement="SELECT * FROM x")


# Staying quick


def _fill(client: Any, count: int, start: int = 0) -> None:
    for first in range(start, count, 25):
        items = [
            {
                "pk": f"customer#{number // 50}",
                "sk": f"item#{number % 50:03}",
                "body": "x" * 500,
                "due_shard": "later#0",
                "due_at": f"2026-01-{number % 28 + 1:02}T00:00:00Z#x#{number}",
            }
            for number in range(first, min(first + 25, count))
        ]
        typed = [{name: {"S": value} for name, value in item.items()} for item in items]
        client.batch_write_item(
            RequestItems={TABLE: [{"PutRequest": {"Item": item}} for item in typed]}
        )


def _checkout(client: Any) -> None:
    """The calls of a checkout: read 4, change 8 at once, read a page, look at what is due."""
    keys = [{"pk": {"S": "customer#1"}, "sk": {"S": f"item#{n:03}"}} for n in range(4)]
    client.batch_get_item(RequestItems={TABLE: {"Keys": keys}})
    client.transact_write_items(
        TransactItems=[
            {
                "Put": {
                    "TableName": TABLE,
                    "Item": {
                        "pk": {"S": "customer#1"},
                        "sk": {"S": f"item#{number:03}"},
                        "body": {"S": "y" * 500},
                    },
                    "ConditionExpression": "attribute_exists(pk) OR attribute_not_exists(pk)",
                }
            }
            for number in range(8)
        ]
    )
    client.query(
        TableName=TABLE, KeyConditionExpression="pk = :p AND begins_with(sk, :s)", Limit=20,
        ExpressionAttributeValues={":p": {"S": "customer#1"}, ":s": {"S": "item#"}},
    )  # fmt: skip
    client.query(
        TableName=TABLE, IndexName="due", Limit=20,
        KeyConditionExpression="due_shard = :p AND due_at < :s",
        ExpressionAttributeValues={":p": {"S": "later#0"}, ":s": {"S": "2026-01-03T00:00:00Z$"}},
    )  # fmt: skip


def _calls(run: Callable[[], None]) -> int:
    """How many Python and C functions `run` calls: the same on every machine."""
    count = 0

    def note(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def _cpu_seconds(run: Callable[[], None], each: int = 5) -> float:
    start = time.thread_time()
    for _ in range(each):
        run()
    return time.thread_time() - start


def _stored(count: int) -> tuple[Embedded, Any]:
    """An engine with so many items, and a client; it is the one that answers now."""
    engine = Embedded()
    switchboard.connect({"dynamodb": engine.call}, direct={"dynamodb"})
    client = _client()
    _fill(client, count)
    _checkout(client)
    return engine, client


def test_a_checkouts_cost_does_not_grow_with_what_is_stored() -> None:
    kept = {count: _stored(count) for count in (100, 10_000)}
    calls = dict.fromkeys(kept, 0)
    seconds = dict.fromkeys(kept, float("inf"))
    # In turns, and the best of each, so that what others do on this machine matters little.
    for _ in range(12):
        for count, (engine, client) in kept.items():
            switchboard.connect({"dynamodb": engine.call}, direct={"dynamodb"})
            calls[count] = _calls(lambda client=client: _checkout(client))  # type: ignore[misc]
            spent = _cpu_seconds(lambda client=client: _checkout(client))  # type: ignore[misc]
            seconds[count] = min(seconds[count], spent)
    switchboard.disconnect()
    assert calls[10_000] <= calls[100] * SLOWER_AT_MOST, "function calls"
    assert seconds[10_000] <= seconds[100] * SLOWER_AT_MOST, "processor time"


# moto's shape: what `infra/local/engine.py` builds on. When one of these fails, moto has changed;
# read its new version before changing the expectation.


def _parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_motos_table_still_has_the_methods_that_ours_replaces() -> None:
    assert _parameters(Table.put_item)[:2] == ["self", "item_attrs"]
    assert _parameters(Table.delete_item) == ["self", "hash_key", "range_key"]
    assert _parameters(Table.get_item)[:3] == ["self", "hash_key", "range_key"]
    asked = set(_parameters(Table.query))
    assert asked == {*_parameters(SortedTable.query)} - {"conditions"} | {
        "hash_key_conditions",
        "range_key_conditions",
        "filter_kwargs",
    }


def test_motos_backend_still_writes_only_through_what_ours_replaces() -> None:
    assert _parameters(DynamoDBBackend.transact_write_items) == ["self", "transact_items"]
    assert _parameters(DynamoDBBackend.update_item)[:3] == ["self", "table_name", "key"]
    assert {"name", "schema", "attr", "global_indexes"} <= set(
        _parameters(DynamoDBBackend.create_table)
    )
    table = inspect.getsource(Table)
    assert table.count("self.items[hash_value]") == 2
    assert table.count(".pop(") == 2


def test_motos_handler_still_reads_its_body_and_names_its_backend() -> None:
    assert isinstance(inspect.getattr_static(DynamoHandler, "dynamodb_backend"), property)
    assert "self.body" in inspect.getsource(DynamoHandler.put_item)
