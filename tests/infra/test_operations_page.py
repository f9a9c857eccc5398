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
STACK = {"Ref": "AWS::StackName"}
FREE_ALARMS = 10
FREE_METRICS = 10

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


def counted_by_us() -> set[str]:
    """The metrics that our functions write."""
    files = (path for name in ("functions", "shared") for path in (ROOT / name).rglob("*.py"))
    return {name for one in files for name in re.findall(r'count\("(\w+)"', one.read_text())}


def rows(heading: str) -> Iterator[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


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
    known = {*document["Resources"], *document["Parameters"], *document["Outputs"]}
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


def test_errors_of_every_function_are_counted_by_one_alarm(resources: Resources) -> None:
    alarm = of_type(resources, "AWS::CloudWatch::Alarm")["FunctionErrorsAlarm"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "Errors")
    assert "Dimensions" not in alarm, "Lambda counts all functions together under no dimension"


def test_every_alarm_tells_somebody_and_hears_a_number_that_is_counted(
    resources: Resources,
) -> None:
    ours: set[str] = set()
    for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmActions"] == [{"Ref": "Alarms"}], name
        if alarm["Namespace"] == "Punchcard":
            assert alarm["Dimensions"] == [{"Name": "service", "Value": STACK}], name
            ours.add(alarm["MetricName"])
    assert ours == counted_by_us()


def test_what_is_counted_is_counted_under_the_stack_s_name(document: dict[str, Resources]) -> None:
    variables = document["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_SERVICE_NAME"] == STACK


def test_watching_costs_nothing(resources: Resources) -> None:
    """AWS gives ten alarms and ten metrics of one's own; an expression counts for each of its."""
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    assert all("MetricName" in alarm for alarm in alarms.values())
    assert len(alarms) <= FREE_ALARMS
    assert len(counted_by_us()) <= FREE_METRICS


def test_the_audit_that_stops_is_heard(resources: Resources) -> None:
    """It counts what it found, also when that is nothing; a day without a count is an alarm."""
    alarm = of_type(resources, "AWS::CloudWatch::Alarm")["AuditMissedAlarm"]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("BreachedInvariants", "SampleCount")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"
    hours = alarm["EvaluationPeriods"] * alarm["Period"] / 3600
    assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"]
    # The audit comes daily, and may be an hour late.
    assert 25 < hours <= 7 * 24


def test_the_sweep_that_stops_is_heard(resources: Resources) -> None:
    alarm = of_type(resources, "AWS::CloudWatch::Alarm")["OldestDueAlarm"]
    assert alarm["TreatMissingData"] == "breaching"
