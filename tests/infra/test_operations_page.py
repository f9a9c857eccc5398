"""What `docs/operations.md` says of alarms is what `template.yaml` has, and nothing that runs by
itself fails unheard."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local import template
from shared.operations.staff import Released
from shared.store.due import LEASE
from shared.web.notices import NOTICES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
FAILED_EVENTS = {"Fn::GetAtt": ["FailedEvents", "Arn"]}
MAX_RETRIES = 2
"""Of one event; the due index brings everything back with its lease."""

Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def document() -> dict[str, Resources]:
    loaded: dict[str, Resources] = yaml.load(
        template.TEMPLATE.read_text(),
        Loader=template._Loader,  # noqa: S506 - a SafeLoader
    )
    return loaded


@pytest.fixture(scope="module")
def resources(document: dict[str, Resources]) -> Resources:
    return document["Resources"]


def of_type(resources: Resources, kind: str) -> dict[str, dict[str, Any]]:
    found = {name: one["Properties"] for name, one in resources.items() if one["Type"] == kind}
    assert found
    return found


def running_by_themselves(resources: Resources) -> dict[str, dict[str, Any]]:
    """Functions that nobody waits for: whatever starts them but the API is asynchronous."""
    functions = of_type(resources, "AWS::Serverless::Function")
    return {
        name: properties
        for name, properties in functions.items()
        if any(event["Type"] != "HttpApi" for event in properties["Events"].values())
    }


def rows(heading: str) -> Iterator[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def metrics_of(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from ([alarm] if "MetricName" in alarm else [])
    for one in alarm.get("Metrics", ()):
        if "MetricStat" in one:
            yield one["MetricStat"]["Metric"]


# --- the page --------------------------------------------------------------------------------


def test_every_alarm_has_its_row_with_what_it_means_and_what_to_do(resources: Resources) -> None:
    told = list(rows("Alarms"))
    assert sorted(row[0].strip("`") for row in told) == sorted(
        of_type(resources, "AWS::CloudWatch::Alarm")
    )
    for name, *cells in told:
        assert len(cells) == 2, name
        assert all(len(cell.split()) > 4 for cell in cells), name


def test_what_the_page_calls_by_name_is_there(document: dict[str, Resources]) -> None:
    """Resources, parameters and log lines that an operator is sent to look for."""
    files = [path for name in ("functions", "shared") for path in (ROOT / name).rglob("*.py")]
    sources = "\n".join(path.read_text() for path in files)
    known = {*document["Resources"], *document["Parameters"]}
    named = set(re.findall(r"`([^`]+)`", PAGE.split("## Alarms")[1].split("## Backup")[0]))
    assert len(named) > 20
    for one in named:
        if re.fullmatch(r"[A-Z][a-z]\w+", one):
            assert one in known, one
        elif re.fullmatch(r"[a-z]+( [a-z]+)+", one):
            assert f'"{one}"' in sources, f"no log line says {one!r}"


def test_the_page_explains_every_outcome_of_trying_again() -> None:
    section = "Trying again what was set aside"
    assert [row[0].strip("`") for row in rows(section)] == [one.value for one in Released]
    assert {f"work_{one.value}" for one in Released} <= set(NOTICES)


# --- nothing fails unheard -------------------------------------------------------------------


def test_every_function_that_runs_by_itself_keeps_what_failed_and_ends_in_time(
    resources: Resources,
) -> None:
    found = running_by_themselves(resources)
    assert len(found) >= 10
    for name, properties in found.items():
        invoked = properties["EventInvokeConfig"]
        assert invoked["DestinationConfig"]["OnFailure"] == {
            "Type": "SQS",
            "Destination": FAILED_EVENTS,
        }, name
        assert 0 <= invoked["MaximumRetryAttempts"] <= MAX_RETRIES, name
        for event in properties["Events"].values():
            policy = event["Properties"]["RetryPolicy"]
            assert policy["MaximumRetryAttempts"] <= MAX_RETRIES, name
            assert policy["MaximumEventAgeInSeconds"] == invoked["MaximumEventAgeInSeconds"], name


def test_every_rule_of_the_bus_keeps_what_it_cant_deliver_and_no_event_outlives_its_lease(
    resources: Resources,
) -> None:
    workers = [
        (name, properties, event["Properties"])
        for name, properties in running_by_themselves(resources).items()
        for event in properties["Events"].values()
        if event["Type"] == "EventBridgeRule"
    ]
    assert len(workers) >= 8
    for name, properties, rule in workers:
        assert rule["DeadLetterConfig"] == {"Arn": FAILED_EVENTS}, name
        age = properties["EventInvokeConfig"]["MaximumEventAgeInSeconds"]
        assert age <= LEASE.total_seconds(), name
        assert properties["Timeout"] < LEASE.total_seconds(), name


def test_what_lies_in_the_failure_destination_is_an_alarm(resources: Resources) -> None:
    queues = of_type(resources, "AWS::SQS::Queue")
    assert set(queues) == {"FailedEvents"}, "another queue needs an alarm of its own"
    (alarm,) = [
        one
        for one in of_type(resources, "AWS::CloudWatch::Alarm").values()
        if one.get("Namespace") == "AWS/SQS"
    ]
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["Dimensions"] == [
        {"Name": "QueueName", "Value": {"Fn::GetAtt": ["FailedEvents", "QueueName"]}}
    ]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (
        1,
        "GreaterThanOrEqualToThreshold",
    )


def test_errors_of_every_function_that_runs_by_itself_are_counted_by_an_alarm(
    resources: Resources,
) -> None:
    counted = {
        one["Value"]["Ref"]
        for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values()
        for metric in metrics_of(alarm)
        if (metric["Namespace"], metric["MetricName"]) == ("AWS/Lambda", "Errors")
        for one in metric["Dimensions"]
    }
    assert counted == set(running_by_themselves(resources))


def test_every_alarm_tells_somebody_and_hears_a_number_that_is_counted(
    resources: Resources,
) -> None:
    workers = (ROOT / "functions" / "billing").glob("*.py")
    counted = {name for one in workers for name in re.findall(r'count\("(\w+)"', one.read_text())}
    ours: set[str] = set()
    for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == [{"Ref": "Alarms"}], name
        for metric in metrics_of(alarm):
            if metric["Namespace"] == "Punchcard":
                assert metric["Dimensions"] == [{"Name": "service", "Value": "punchcard"}], name
                ours.add(metric["MetricName"])
    assert ours == counted


def test_the_sweep_that_stops_is_heard(resources: Resources) -> None:
    alarm = of_type(resources, "AWS::CloudWatch::Alarm")["OldestDueAlarm"]
    assert alarm["TreatMissingData"] == "breaching"
