"""The bus, the clock and what they set going ([CLOCK])."""

import os
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from infra.local.aws import NotServed
from infra.local.bus import matches
from infra.local.clock import Backwards, BadMoment, LocalClock, after, moment
from infra.local.happened import NeverQuiet
from infra.local.schedules import UnknownExpression, next_after
from infra.local.world import LocalWorld
from shared import wiring
from tests.local import stand_ins

START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)


def _store_due(name: str, due_at: str) -> None:
    boto3.client("dynamodb").put_item(
        TableName="tested-accounts",
        Item={
            "pk": {"S": name},
            "sk": {"S": "x"},
            "due_at": {"S": due_at},
            "due_shard": {"S": "later#0"},
        },
    )


def _worked() -> list[tuple[str, str]]:
    return [(at, event["detail"]["name"]) for who, at, event in stand_ins.seen if who == "work"]


def _calls(handler: str) -> list[str]:
    return [at for who, at, _ in stand_ins.seen if who == handler]


# The bus


def test_what_a_request_sets_going_is_done_before_it_answers(world: LocalWorld) -> None:
    world.request("POST", "/put", {"Content-Type": "application/json"}, '{"name": "a"}')
    assert _worked() == [("2026-01-05T15:00:00Z", "a")]
    event = stand_ins.seen[-1][2]
    assert event["detail-type"] == "work"
    assert event["source"] == "punchcard"
    assert event["time"] == "2026-01-05T15:00:00Z"


def test_an_event_that_no_rule_matches_is_lost_without_a_word(world: LocalWorld) -> None:
    client = boto3.client("events")
    entry = {"EventBusName": "tested", "Source": "x", "DetailType": "work", "Detail": "{}"}
    assert client.put_events(Entries=[entry])["FailedEntryCount"] == 0
    entry = {"EventBusName": "other", "Source": "punchcard", "DetailType": "work", "Detail": "{}"}
    assert client.put_events(Entries=[entry])["FailedEntryCount"] == 0
    world.run_due()
    assert _worked() == []


@pytest.mark.usefixtures("world")
def test_more_than_ten_events_at_once_are_refused() -> None:
    client = boto3.client("events")
    entry = {"EventBusName": "tested", "Source": "x", "DetailType": "y", "Detail": "{}"}
    with pytest.raises(client.exceptions.ClientError, match="10"):
        client.put_events(Entries=[entry] * 11)


def test_a_detail_that_is_no_json_fails_alone(world: LocalWorld) -> None:
    good = {"EventBusName": "tested", "Source": "punchcard", "DetailType": "work"}
    answer = boto3.client("events").put_events(
        Entries=[{**good, "Detail": "{"}, {**good, "Detail": '{"name": "b"}'}]
    )
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "MalformedDetail"
    world.run_due()
    assert [name for _, name in _worked()] == ["b"]


def test_a_failed_event_is_tried_twice_more_and_then_given_up(world: LocalWorld) -> None:
    stand_ins.failing.add("bad")
    stand_ins.put_event({"name": "bad"})
    happened = world.advance(timedelta(hours=1))
    assert _worked() == [
        ("2026-01-05T15:00:00Z", "bad"),
        ("2026-01-05T15:01:00Z", "bad"),
        ("2026-01-05T15:03:00Z", "bad"),
    ]
    assert happened.dead_letters == len(world.dead_letters) == 1
    assert len(happened.errors) == 3
    assert "failing on purpose" in happened.errors[0]


def test_a_failed_event_that_then_succeeds_is_done(world: LocalWorld) -> None:
    stand_ins.failing.add("late")
    stand_ins.put_event({"name": "late"})
    world.run_due()
    stand_ins.failing.clear()
    world.advance(timedelta(hours=1))
    assert len(_worked()) == 2
    assert world.dead_letters == []


def test_patterns_match_as_eventbridge_does() -> None:
    event = {"source": "punchcard", "detail": {"kind": "a", "tags": ["x", "y"]}}
    assert matches({"source": ["other", "punchcard"]}, event)
    assert matches({"detail": {"kind": ["a"], "tags": ["y"]}}, event)
    assert matches({"source": [{"prefix": "punch"}]}, event)
    assert matches({"detail": {"missing": [{"exists": False}]}}, event)
    assert not matches({"source": ["punchcard"], "detail": {"kind": ["b"]}}, event)
    assert not matches({"detail": {"missing": ["a"]}}, event)
    assert not matches({"detail": {"kind": [{"exists": False}]}}, event)


# The clock


def test_everything_runs_in_order_at_its_own_moment(world: LocalWorld) -> None:
    _store_due("third", "2026-03-01T04:59:00Z#renewals#3")
    _store_due("first", "2026-01-06T04:59:00Z#renewals#1")
    _store_due("second", "2026-01-06T04:59:00Z#renewals#2")
    _store_due("never", "2027-01-01T00:00:00Z#renewals#4")
    happened = world.advance_to(datetime(2026, 6, 1, tzinfo=UTC))
    assert _worked() == [
        ("2026-01-06T04:59:00Z", "first"),
        ("2026-01-06T04:59:00Z", "second"),
        ("2026-03-01T04:59:00Z", "third"),
    ]
    assert world.now() == datetime(2026, 6, 1, tzinfo=UTC)
    assert happened.events["work"] == 3
    assert happened.invocations["tests.local.stand_ins.work"] == 3
    assert _calls("sweep") == ["2026-01-06T04:59:00Z", "2026-03-01T04:59:00Z"]


def test_the_daily_schedule_runs_daily_at_its_hour(world: LocalWorld) -> None:
    world.advance(timedelta(days=3))
    assert _calls("audit") == [
        "2026-01-06T03:30:00Z",
        "2026-01-07T03:30:00Z",
        "2026-01-08T03:30:00Z",
    ]


def test_what_is_due_exactly_at_the_target_is_done(world: LocalWorld) -> None:
    _store_due("edge", "2026-01-05T16:00:00Z#x#1")
    world.advance(timedelta(hours=1) - timedelta(seconds=1))
    assert _worked() == []
    world.advance(timedelta(seconds=1))
    assert _worked() == [("2026-01-05T16:00:00Z", "edge")]


def test_what_was_due_before_is_done_first(world: LocalWorld) -> None:
    _store_due("overdue", "2025-12-01T00:00:00Z#x#1")
    world.advance(timedelta(seconds=1))
    assert _worked() == [("2026-01-05T15:00:00Z", "overdue")]


def test_a_sweep_that_leaves_an_item_is_started_again_a_minute_later(world: LocalWorld) -> None:
    stand_ins.leaving.add("slow")
    _store_due("slow", "2026-01-05T15:10:00Z#x#1")
    world.advance(timedelta(minutes=12))
    assert _calls("sweep") == [f"2026-01-05T15:{minute}:00Z" for minute in (10, 11, 12)]
    stand_ins.leaving.clear()
    world.advance(timedelta(minutes=1))
    assert _worked() == [("2026-01-05T15:13:00Z", "slow")]


def test_an_item_that_is_never_taken_up_ends_the_journey_and_is_named(world: LocalWorld) -> None:
    stand_ins.leaving.add("stuck")
    _store_due("stuck", "2026-01-05T15:10:00Z#x#stuck-item")
    with pytest.raises(NeverQuiet, match="stuck-item"):
        world.advance(timedelta(days=30))
    assert world.now() < START + timedelta(days=1)


def test_the_clock_never_goes_back(world: LocalWorld) -> None:
    with pytest.raises(Backwards):
        world.advance_to(START - timedelta(seconds=1))
    assert world.now() == START


def test_the_clock_does_not_run_for_a_century(world: LocalWorld) -> None:
    with pytest.raises(BadMoment):
        world.advance(timedelta(days=36_500))
    assert world.now() == START


def test_the_code_sees_the_local_clock(world: LocalWorld) -> None:
    world.advance(timedelta(days=1))
    assert wiring.current().now() == START + timedelta(days=1)


def test_a_running_clock_goes_on_from_where_it_was_moved() -> None:
    seconds = [100.0]
    clock = LocalClock(START, running=True, elapsed=lambda: seconds[0])
    seconds[0] += 5
    assert clock.now() == START + timedelta(seconds=5)
    clock.move_to(START + timedelta(days=1))
    seconds[0] += 2
    assert clock.now() == START + timedelta(days=1, seconds=2)
    assert clock.stand_still()
    seconds[0] += 60
    assert clock.now() == START + timedelta(days=1, seconds=2)
    clock.go_on()
    seconds[0] += 1
    assert clock.now() == START + timedelta(days=1, seconds=3)


@pytest.mark.parametrize(
    ("duration", "reached"),
    [
        ("P30D", "2026-02-04T15:00:00Z"),
        ("P1M", "2026-02-05T15:00:00Z"),
        ("P1Y2M3DT4H5M6S", "2027-03-08T19:05:06Z"),
        ("P2W", "2026-01-19T15:00:00Z"),
        ("PT36H", "2026-01-07T03:00:00Z"),
    ],
)
def test_durations_are_those_of_iso_8601(duration: str, reached: str) -> None:
    assert after(START, duration) == moment(reached)


@pytest.mark.parametrize("text", ["", "P", "PT", "30D", "P-1D", "P1.5D", "1 day", "P1DT"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadMoment):
        after(START, text)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-01-05T15:00:00", "2026-13-01T00:00:00Z"])
def test_what_is_no_moment_with_its_offset_is_refused(text: str) -> None:
    with pytest.raises(BadMoment):
        moment(text)


def test_an_offset_is_understood() -> None:
    assert moment("2026-01-05T10:00:00-05:00") == START


def test_schedules_start_next_after_now() -> None:
    assert next_after("cron(30 3 * * ? *)", START) == datetime(2026, 1, 6, 3, 30, tzinfo=UTC)
    assert next_after("rate(2 hours)", START) == START + timedelta(hours=2)
    with pytest.raises(UnknownExpression):
        next_after("cron(0 12 ? * MON *)", START)


# Webhooks


def test_a_webhook_arrives_when_it_was_meant_to(world: LocalWorld) -> None:
    world.deliver(90, "/hooks/sandbox", {"Content-Type": "application/json"}, b'{"a":1}')
    world.deliver(0, "/hooks/sandbox", {"Content-Type": "application/json"}, b'{"b":1}')
    world.advance(timedelta(minutes=5))
    assert _calls("receive") == ["2026-01-05T15:00:00Z", "2026-01-05T15:01:30Z"]
    assert stand_ins.seen[-1][2]["body"] == '{"a":1}'
    assert stand_ins.seen[-1][2]["pathParameters"] == {"from": "sandbox"}


def test_a_webhook_that_we_fail_on_is_posted_again(world: LocalWorld) -> None:
    stand_ins.failing.add("receive")
    world.deliver(0, "/hooks/sandbox", {}, b"x")
    world.advance(timedelta(hours=1))
    assert len(_calls("receive")) == 3
    assert len(world.dead_letters) == 1


# The process


@pytest.mark.usefixtures("world")
def test_a_service_that_is_not_served_is_named_and_never_reached() -> None:
    with pytest.raises(NotServed, match="sqs"):
        boto3.client("sqs").list_queues()


@pytest.mark.usefixtures("world")
def test_providers_secrets_come_from_the_parameter_store() -> None:
    settings = wiring.current().secrets()["sandbox"]
    assert settings["url"] == "http://127.0.0.1:8000/_local/sandbox"
    client = boto3.client("ssm")
    with pytest.raises(client.exceptions.ClientError, match="ParameterNotFound"):
        client.get_parameter(Name="/other")


def test_a_closed_world_leaves_the_process_as_it_was(world: LocalWorld) -> None:
    assert os.environ["ACCOUNTS_TABLE"] == "tested-accounts"
    client = boto3.client("dynamodb")
    world.close()
    assert "ACCOUNTS_TABLE" not in os.environ
    with pytest.raises(NotServed):
        client.list_tables()
