"""The dashboard shows every function, every alarm, and numbers that exist."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local import template
from shared.domain.due import Worker

ROOT = Path(__file__).resolve().parents[2]
FREE_DASHBOARDS = 3
FREE_METRICS_OF_A_DASHBOARD = 50
COLUMNS = 24

OF_AWS = {
    ("AWS/Lambda", "Errors"),
    ("AWS/Lambda", "Throttles"),
    ("AWS/Lambda", "ConcurrentExecutions"),
    ("AWS/ApiGateway", "Count"),
    ("AWS/ApiGateway", "4xx"),
    ("AWS/ApiGateway", "5xx"),
    ("AWS/ApiGateway", "Latency"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ("AWS/DynamoDB", "ReadThrottleEvents"),
    ("AWS/DynamoDB", "WriteThrottleEvents"),
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"),
    ("AWS/SES", "Send"),
    ("AWS/SES", "Bounce"),
    ("AWS/SES", "Complaint"),
    ("AWS/SES", "Reputation.BounceRate"),
    ("AWS/SES", "Reputation.ComplaintRate"),
}
"""Metrics that the services write by themselves, by the names of their documentation."""


@pytest.fixture(scope="module")
def resources() -> dict[str, dict[str, Any]]:
    document = yaml.load(
        template.TEMPLATE.read_text(),
        Loader=template._Loader,  # noqa: S506 - a SafeLoader
    )
    found: dict[str, dict[str, Any]] = document["Resources"]
    return found


def named(resources: dict[str, dict[str, Any]], kind: str) -> list[str]:
    return [name for name, one in resources.items() if one["Type"] == kind]


@pytest.fixture(scope="module")
def text(resources: dict[str, dict[str, Any]]) -> str:
    (name,) = named(resources, "AWS::CloudWatch::Dashboard")
    body: str = resources[name]["Properties"]["DashboardBody"]["Fn::Sub"]
    return body


@pytest.fixture(scope="module")
def widgets(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["widgets"]
    return found


def metrics(widgets: list[dict[str, Any]]) -> list[list[Any]]:
    return [one for each in widgets for one in each["properties"].get("metrics", ())]


def queries(widgets: list[dict[str, Any]]) -> list[str]:
    return [each["properties"]["query"] for each in widgets if each["type"] == "log"]


def test_whatever_it_names_is_in_the_template(
    resources: dict[str, dict[str, Any]], text: str
) -> None:
    for reference in re.findall(r"\$\{([^}]+)\}", text):
        name, _, attribute = reference.partition(".")
        assert name in resources or name in template.PSEUDO_PARAMETERS, reference
        assert attribute in ("", "Arn", "QueueName"), reference


def test_every_function_is_on_it_with_its_errors_its_run_times_and_what_failed(
    resources: dict[str, dict[str, Any]], widgets: list[dict[str, Any]]
) -> None:
    functions = named(resources, "AWS::Serverless::Function")
    shown = {
        one[3] for one in metrics(widgets) if one[:3] == ["AWS/Lambda", "Errors", "FunctionName"]
    }
    assert shown == {f"${{{name}}}" for name in functions}
    logs = {
        f"${{{resources[name]['Properties']['LoggingConfig']['LogGroup']['Ref']}}}"
        for name in functions
    }
    of_all = [set(re.findall(r"SOURCE '([^']+)'", query)) for query in queries(widgets)]
    assert of_all.count(logs) == 2


def test_what_the_workers_do_is_read_from_the_log_of_every_worker(
    resources: dict[str, dict[str, Any]], widgets: list[dict[str, Any]]
) -> None:
    workers = {f"'${{{one.value.capitalize()}Logs}}'" for one in Worker}
    (query,) = [query for query in queries(widgets) if "by worker, outcome" in query]
    assert set(re.findall(r"SOURCE ('[^']+')", query)) == workers
    assert {one.strip("'${}") for one in workers} <= set(resources)


def test_every_alarm_is_on_it(
    resources: dict[str, dict[str, Any]], widgets: list[dict[str, Any]]
) -> None:
    (shown,) = [each["properties"]["alarms"] for each in widgets if each["type"] == "alarm"]
    assert shown == [f"${{{name}.Arn}}" for name in named(resources, "AWS::CloudWatch::Alarm")]


def test_it_shows_only_numbers_that_somebody_counts(widgets: list[dict[str, Any]]) -> None:
    files = [path for name in ("functions", "shared") for path in (ROOT / name).rglob("*.py")]
    counted = {name for one in files for name in re.findall(r'count\("(\w+)"', one.read_text())}
    ours = set()
    for namespace, name, *dimensions in metrics(widgets):
        if namespace == "Punchcard":
            assert dimensions[:2] == ["service", "${AWS::StackName}"]
            ours.add(name)
        else:
            assert (namespace, name) in OF_AWS
    assert ours == counted


def test_what_it_looks_for_in_the_logs_is_written_there(widgets: list[dict[str, Any]]) -> None:
    sources = "\n".join(
        path.read_text() for name in ("functions", "shared") for path in (ROOT / name).rglob("*.py")
    )
    looked_for = set()
    for query in queries(widgets):
        looked_for |= set(re.findall(r"message = '([^']+)'", query))
        looked_for |= set(re.findall(r"strcontains\(message, '([^']+)'\)", query))
    assert looked_for == {"due item", "webhook stored", "webhook refused"}
    for line in looked_for:
        assert f'logger.info("{line}"' in sources
    assert set(re.findall(r"strcontains\(worker, '(\w+)'\)", " ".join(queries(widgets)))) <= {
        one.value for one in Worker
    }


def test_it_costs_nothing_and_nothing_lies_on_top_of_anything(
    resources: dict[str, dict[str, Any]], widgets: list[dict[str, Any]]
) -> None:
    assert len(named(resources, "AWS::CloudWatch::Dashboard")) <= FREE_DASHBOARDS
    assert len(metrics(widgets)) <= FREE_METRICS_OF_A_DASHBOARD
    taken: set[tuple[int, int]] = set()
    for each in widgets:
        columns = range(each["x"], each["x"] + each["width"])
        cells = {(x, y) for x in columns for y in range(each["y"], each["y"] + each["height"])}
        assert max(columns) < COLUMNS
        assert taken.isdisjoint(cells), each["properties"]["title"]
        taken |= cells
