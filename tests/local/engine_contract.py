"""What our code relies on of DynamoDB, checked on whichever engine answers.

A module that imports these tests gives a fixture `client`, with the project's tables created.
"""

from collections.abc import Iterable
from typing import Any

import pytest
from botocore.exceptions import ClientError

TABLE = "punchcard-accounts"


def put(client: Any, pk: str, sk: str, **attributes: str) -> None:
    item = {name: {"S": value} for name, value in {"pk": pk, "sk": sk, **attributes}.items()}
    client.put_item(TableName=TABLE, Item=item)


def got(client: Any, pk: str, sk: str) -> dict[str, str] | None:
    key = {"pk": {"S": pk}, "sk": {"S": sk}}
    item = client.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")
    return None if item is None else {name: value["S"] for name, value in item.items()}


def queried(client: Any, condition: str, /, *, index: str | None = None, **more: Any) -> Any:
    values = {name: {"S": value} for name, value in more.pop("values").items()}
    if index is not None:
        more["IndexName"] = index
    return client.query(
        TableName=TABLE, KeyConditionExpression=condition, ExpressionAttributeValues=values, **more
    )


def sks(page: Any) -> list[str]:
    return [item["sk"]["S"] for item in page["Items"]]


def pks(page: Any) -> list[str]:
    return [item["pk"]["S"] for item in page["Items"]]


def due(client: Any, shard: str = "money#0", **more: Any) -> list[str]:
    page = queried(client, "due_shard = :shard", index="due", values={":shard": shard}, **more)
    return pks(page)


def _fill(client: Any, names: Iterable[str]) -> None:
    for name in names:
        put(client, "a", name)
    put(client, "b", "other")


def test_a_query_is_sorted_both_ways(client: Any) -> None:
    _fill(client, ["m", "b", "z", "a#2", "a#10", "é", "Z"])
    page = queried(client, "pk = :p", values={":p": "a"})
    assert sks(page) == ["Z", "a#10", "a#2", "b", "m", "z", "é"]
    backward = queried(client, "pk = :p", values={":p": "a"}, ScanIndexForward=False)
    assert sks(backward) == ["é", "z", "m", "b", "a#2", "a#10", "Z"]
    assert page["Count"] == page["ScannedCount"] == 7


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("sk = :x", {":x": "c"}, ["c"]),
        ("sk < :x", {":x": "c"}, ["a", "b"]),
        ("sk <= :x", {":x": "c"}, ["a", "b", "c"]),
        ("sk > :x", {":x": "c"}, ["ca", "cb", "d"]),
        ("sk >= :x", {":x": "c"}, ["c", "ca", "cb", "d"]),
        ("sk BETWEEN :x AND :y", {":x": "b", ":y": "ca"}, ["b", "c", "ca"]),
        ("begins_with(sk, :x)", {":x": "c"}, ["c", "ca", "cb"]),
        ("sk = :x", {":x": "none"}, []),
    ],
)
def test_a_query_returns_what_its_condition_says(
    client: Any, condition: str, values: dict[str, str], expected: list[str]
) -> None:
    _fill(client, ["a", "b", "c", "ca", "cb", "d"])
    assert (
        sks(queried(client, f"pk = :p AND {condition}", values={":p": "a", **values})) == expected
    )
    backward = queried(
        client, f"pk = :p AND {condition}", values={":p": "a", **values}, ScanIndexForward=False
    )
    assert sks(backward) == expected[::-1]


def _walk(client: Any, condition: str, **more: Any) -> list[list[str]]:
    pages: list[list[str]] = []
    start: dict[str, Any] = {}
    while True:
        page = queried(client, condition, **{**more, "values": dict(more["values"])}, **start)
        pages.append([f"{item['pk']['S']}{item['sk']['S']}" for item in page["Items"]])
        if "LastEvaluatedKey" not in page:
            return pages
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


@pytest.mark.parametrize("forward", [True, False])
def test_pages_follow_each_other_without_gap_or_repeat(client: Any, forward: bool) -> None:
    _fill(client, ["a", "b", "c", "d", "e"])
    pages = _walk(
        client, "pk = :p AND sk >= :x", values={":p": "a", ":x": "b"}, Limit=2,
        ScanIndexForward=forward,
    )  # fmt: skip
    expected = ["ab", "ac", "ad", "ae"]
    assert [name for page in pages for name in page] == (expected if forward else expected[::-1])
    # A page that its limit ended may say so when nothing follows: then an empty one comes last.
    assert [len(page) for page in pages] in ([2, 2], [2, 2, 0])


def test_a_page_that_is_not_full_is_the_last(client: Any) -> None:
    _fill(client, ["a", "b", "c"])
    assert [len(page) for page in _walk(client, "pk = :p", values={":p": "a"}, Limit=2)] == [2, 1]


def test_pages_go_on_where_an_item_was_deleted(client: Any) -> None:
    _fill(client, ["a", "b", "c", "d"])
    first = queried(client, "pk = :p", values={":p": "a"}, Limit=2)
    client.delete_item(TableName=TABLE, Key=first["LastEvaluatedKey"])
    rest = queried(
        client, "pk = :p", values={":p": "a"}, ExclusiveStartKey=first["LastEvaluatedKey"]
    )
    assert sks(rest) == ["c", "d"]


def test_a_filter_thins_out_a_page_and_does_not_lengthen_it(client: Any) -> None:
    for name in ("a", "b", "c", "d"):
        put(client, "a", name, state="open" if name in "bd" else "done")
    page = queried(
        client, "pk = :p", values={":p": "a", ":s": "open"}, Limit=3,
        FilterExpression="#s = :s", ExpressionAttributeNames={"#s": "state"},
    )  # fmt: skip
    assert sks(page) == ["b"]
    assert (page["Count"], page["ScannedCount"]) == (1, 3)
    assert page["LastEvaluatedKey"]["sk"] == {"S": "c"}


def test_a_page_ends_at_a_megabyte(client: Any) -> None:
    for number in range(4):
        put(client, "a", str(number), body="x" * 390_000)
    page = queried(client, "pk = :p", values={":p": "a"})
    assert 2 <= page["Count"] <= 3
    assert "LastEvaluatedKey" in page


def test_only_items_with_both_keys_are_in_the_index(client: Any) -> None:
    put(client, "1", "x", due_shard="money#0", due_at="2026-02")
    put(client, "2", "x", due_shard="money#0", due_at="2026-01")
    put(client, "3", "x", due_shard="money#0")
    put(client, "4", "x", due_at="2026-01")
    put(client, "5", "x", due_shard="later#0", due_at="2026-01")
    assert due(client) == ["2", "1"]
    assert due(client, ScanIndexForward=False) == ["1", "2"]


def test_the_index_holds_keys_only(client: Any) -> None:
    put(client, "1", "x", due_shard="money#0", due_at="2026-02", body="{}", kind="charge")
    (item,) = queried(client, "due_shard = :s", index="due", values={":s": "money#0"})["Items"]
    assert set(item) == {"pk", "sk", "due_shard", "due_at"}


def test_the_index_follows_an_item_that_moves_changes_lane_or_vanishes(client: Any) -> None:
    put(client, "1", "x", due_shard="money#0", due_at="2026-01")
    put(client, "2", "x", due_shard="money#0", due_at="2026-02")
    put(client, "3", "x", due_shard="money#0", due_at="2026-03")
    put(client, "1", "x", due_shard="money#0", due_at="2026-09")
    assert due(client) == ["2", "3", "1"]
    put(client, "2", "x", due_shard="later#0", due_at="2026-02")
    assert due(client) == ["3", "1"]
    assert due(client, "later#0") == ["2"]
    put(client, "3", "x")
    assert due(client) == ["1"]
    client.delete_item(TableName=TABLE, Key={"pk": {"S": "1"}, "sk": {"S": "x"}})
    assert due(client) == []


def test_the_index_follows_updates_of_one_attribute(client: Any) -> None:
    put(client, "1", "x", due_shard="money#0", due_at="2026-01")
    put(client, "2", "x", due_shard="money#0", due_at="2026-02")
    key = {"pk": {"S": "1"}, "sk": {"S": "x"}}
    client.update_item(
        TableName=TABLE, Key=key, UpdateExpression="SET due_at = :later",
        ExpressionAttributeValues={":later": {"S": "2026-03"}},
    )  # fmt: skip
    assert due(client) == ["2", "1"]
    client.update_item(TableName=TABLE, Key=key, UpdateExpression="REMOVE due_at")
    assert due(client) == ["2"]


def test_items_of_one_moment_are_all_in_the_index_and_paged_once_each(client: Any) -> None:
    for number in range(5):
        put(client, str(number), "x", due_shard="money#0", due_at="2026-01")
    pages = _walk(client, "due_shard = :s", index="due", values={":s": "money#0"}, Limit=2)
    found = [name for page in pages for name in page]
    assert sorted(found) == [f"{number}x" for number in range(5)]


def test_an_update_that_fails_changes_nothing(client: Any) -> None:
    put(client, "1", "x", due_shard="money#0", due_at="2026-01", state="a")
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        client.update_item(
            TableName=TABLE, Key={"pk": {"S": "1"}, "sk": {"S": "x"}},
            UpdateExpression="SET #s = :b, due_at = :t", ConditionExpression="#s = :c",
            ExpressionAttributeNames={"#s": "state"},
            ExpressionAttributeValues={
                ":b": {"S": "b"}, ":c": {"S": "c"}, ":t": {"S": "2027"},
            },
        )  # fmt: skip
    assert got(client, "1", "x") == {
        "pk": "1", "sk": "x", "due_shard": "money#0", "due_at": "2026-01", "state": "a",
    }  # fmt: skip
    with pytest.raises(ClientError, match="ValidationException"):
        client.update_item(
            TableName=TABLE, Key={"pk": {"S": "1"}, "sk": {"S": "x"}},
            UpdateExpression="SET due_at = :t, #s = missing_attribute",
            ExpressionAttributeNames={"#s": "state"},
            ExpressionAttributeValues={":t": {"S": "2027"}},
        )  # fmt: skip
    assert due(client) == ["1"]
    item = got(client, "1", "x")
    assert item is not None
    assert item["due_at"] == "2026-01"


def _put(pk: str, sk: str, condition: str | None = None, **attributes: str) -> dict[str, Any]:
    item = {name: {"S": value} for name, value in {"pk": pk, "sk": sk, **attributes}.items()}
    asked: dict[str, Any] = {"TableName": TABLE, "Item": item}
    if condition is not None:
        asked["ConditionExpression"] = condition
    return {"Put": asked}


def _reasons(error: ClientError) -> list[dict[str, Any]]:
    response: Any = error.response
    reasons: list[dict[str, Any]] = response["CancellationReasons"]
    return reasons


def test_a_transaction_does_all_or_nothing(client: Any) -> None:
    put(client, "old", "x", due_shard="money#0", due_at="2026-01", state="a")
    put(client, "gone", "x", due_shard="money#0", due_at="2026-02")
    put(client, "changed", "x", due_shard="money#0", due_at="2026-03", state="a")
    put(client, "in-the-way", "x")
    changes = [
        _put("new", "x", due_shard="money#0", due_at="2026-04"),
        _put("old", "x", due_shard="money#0", due_at="2026-09", state="b"),
        {"Delete": {"TableName": TABLE, "Key": {"pk": {"S": "gone"}, "sk": {"S": "x"}}}},
        {
            "Update": {
                "TableName": TABLE,
                "Key": {"pk": {"S": "changed"}, "sk": {"S": "x"}},
                "UpdateExpression": "SET #s = :b REMOVE due_at",
                "ExpressionAttributeNames": {"#s": "state"},
                "ExpressionAttributeValues": {":b": {"S": "b"}},
            }
        },
    ]
    condition = "attribute_not_exists(pk)"
    with pytest.raises(ClientError) as refused:
        client.transact_write_items(
            TransactItems=[*changes, _put("in-the-way", "x", condition, state="never")]
        )
    codes = [reason["Code"] for reason in _reasons(refused.value)]
    assert codes == ["None", "None", "None", "None", "ConditionalCheckFailed"]
    assert due(client) == ["old", "gone", "changed"]
    assert got(client, "new", "x") is None
    assert got(client, "in-the-way", "x") == {"pk": "in-the-way", "sk": "x"}
    for name in ("old", "changed"):
        item = got(client, name, "x")
        assert item is not None
        assert item["state"] == "a"
    assert sks(queried(client, "pk = :p", values={":p": "new"})) == []

    client.transact_write_items(TransactItems=[*changes, _put("free", "x", condition)])
    assert due(client) == ["new", "old"]
    assert got(client, "gone", "x") is None
    assert got(client, "free", "x") is not None


def test_a_condition_check_alone_can_stop_a_transaction(client: Any) -> None:
    put(client, "a", "head", state="closed")
    check = {
        "ConditionCheck": {
            "TableName": TABLE,
            "Key": {"pk": {"S": "a"}, "sk": {"S": "head"}},
            "ConditionExpression": "#s = :open",
            "ExpressionAttributeNames": {"#s": "state"},
            "ExpressionAttributeValues": {":open": {"S": "open"}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }
    with pytest.raises(ClientError) as refused:
        client.transact_write_items(TransactItems=[_put("a", "new"), check])
    assert _reasons(refused.value)[1]["Item"]["state"] == {"S": "closed"}
    assert got(client, "a", "new") is None
    put(client, "a", "head", state="open")
    client.transact_write_items(TransactItems=[_put("a", "new"), check])
    assert got(client, "a", "new") is not None


def test_a_transaction_names_an_item_only_once(client: Any) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        client.transact_write_items(TransactItems=[_put("a", "x"), _put("a", "x")])
    assert got(client, "a", "x") is None


def test_a_hundred_items_in_one_transaction_are_the_limit(client: Any) -> None:
    client.transact_write_items(TransactItems=[_put("a", f"{n:03}") for n in range(100)])
    assert queried(client, "pk = :p", values={":p": "a"})["Count"] == 100
    with pytest.raises(ClientError, match="ValidationException"):
        client.transact_write_items(TransactItems=[_put("b", f"{n:03}") for n in range(101)])
    assert queried(client, "pk = :p", values={":p": "b"})["Count"] == 0


def test_a_conditional_put_is_won_once(client: Any) -> None:
    item = {"pk": {"S": "a"}, "sk": {"S": "x"}}
    condition = "attribute_not_exists(pk)"
    client.put_item(TableName=TABLE, Item=item, ConditionExpression=condition)
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        client.put_item(TableName=TABLE, Item=item, ConditionExpression=condition)


def test_a_batch_brings_what_there_is(client: Any) -> None:
    put(client, "a", "x", body="1")
    put(client, "b", "y", body="2")
    keys = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in [("a", "x"), ("b", "y"), ("c", "z")]]
    answer = client.batch_get_item(RequestItems={TABLE: {"Keys": keys, "ConsistentRead": True}})
    assert {item["body"]["S"] for item in answer["Responses"][TABLE]} == {"1", "2"}
    assert answer["UnprocessedKeys"] == {}


def test_the_index_is_never_read_consistently(client: Any) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        queried(client, "due_shard = :s", index="due", values={":s": "x"}, ConsistentRead=True)
