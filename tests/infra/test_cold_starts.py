"""Cold starts are forced, read from what Lambda reports, and leave the stack as it was."""

import argparse
import base64
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra import cold_starts
from infra.cold_starts import CannotMeasure, Start, Stopwatch, reported
from infra.local import template

SERVED = template.load({"PublicUrl": "https://a.example", "SenderAddress": "a@a.example"})
STACK = "punchcard-test"
STUCK = 1_000_000
TEXT = (
    "START RequestId: 1 Version: $LATEST\n"
    "END RequestId: 1\n"
    "REPORT RequestId: 1\tDuration: 412.50 ms\tBilled Duration: 1205 ms\tMemory Size: 1024 MB\t"
    "Max Memory Used: 131 MB\tInit Duration: 791.75 ms\t\n"
)
WARM = TEXT.replace("\tInit Duration: 791.75 ms", "")


def json_log(init: float | None, first: float = 412.5) -> str:
    metrics = {
        "durationMs": first,
        "billedDurationMs": round(first + (init or 0)),
        "memorySizeMB": 1024,
        "maxMemoryUsedMB": 131,
    }
    if init is not None:
        metrics["initDurationMs"] = init
    lines = [
        {"time": "t", "type": "platform.start", "record": {"requestId": "1"}},
        {"level": "INFO", "message": "request", "service": "punchcard"},
        {
            "time": "t",
            "type": "platform.report",
            "record": {"requestId": "1", "metrics": metrics, "status": "success"},
        },
    ]
    return "\n".join(json.dumps(line) for line in lines) + "\n"


class Account:
    """Stands in for Lambda and CloudFormation: a changed environment makes the next start cold,
    once it has been looked at often enough to be there."""

    def __init__(self, polls: int = 2) -> None:
        self.variables = {
            f"{STACK}-{one.name}": {"PUBLIC_URL": "https://a.example"} for one in SERVED.functions
        }
        self.polls = polls
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.error_at: int | None = None
        self.stuck_from = 10_000
        self._updates = 0
        self._cold: set[str] = set()
        self._pending: dict[str, int] = {}

    def list_stack_resources(self, **asked: str) -> dict[str, Any]:
        assert asked["StackName"] == STACK
        ours = sorted(self.variables)
        half = len(ours) // 2
        page = ours[half:] if "NextToken" in asked else ours[:half]
        listed = [
            {
                "ResourceType": "AWS::Lambda::Function",
                "LogicalResourceId": name.removeprefix(f"{STACK}-"),
                "PhysicalResourceId": name,
            }
            for name in page
        ]
        listed.append(
            {
                "ResourceType": "AWS::DynamoDB::Table",
                "LogicalResourceId": "AccountsTable",
                "PhysicalResourceId": "punchcard-accounts",
            }
        )
        answer: dict[str, Any] = {"StackResourceSummaries": listed}
        return answer if "NextToken" in asked else {**answer, "NextToken": "more"}

    def get_function_configuration(self, *, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        left = self._pending.get(FunctionName, 0)
        if left and left < STUCK:
            self._pending[FunctionName] = left - 1
        return {
            "Environment": {"Variables": dict(self.variables[FunctionName])},
            "LastUpdateStatus": "InProgress" if left else "Successful",
        }

    def update_function_configuration(
        self,
        *,
        FunctionName: str,  # noqa: N803
        Environment: dict[str, dict[str, str]],  # noqa: N803
    ) -> None:
        if self.variables[FunctionName] != Environment["Variables"]:
            self._cold.add(FunctionName)
            self._updates += 1
            is_stuck = self._updates == self.stuck_from
            self._pending[FunctionName] = STUCK if is_stuck else self.polls
        self.variables[FunctionName] = Environment["Variables"]

    def invoke(self, **asked: Any) -> dict[str, Any]:
        name = asked["FunctionName"]
        assert not self._pending.get(name), "it was asked before it was ready"
        assert asked["LogType"] == "Tail"
        self.asked.append((name, json.loads(asked["Payload"])))
        if self.error_at is not None and len(self.asked) > self.error_at:
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"{}"), "LogResult": ""}
        init = 700.0 + len(self.asked) if name in self._cold else None
        self._cold.discard(name)
        log = base64.b64encode(json_log(init).encode()).decode()
        return {"LogResult": log, "Payload": io.BytesIO(b"{}")}


def given(**changes: Any) -> argparse.Namespace:
    return argparse.Namespace(
        **{"stack": STACK, "function": [], "times": 3, "json": None, **changes}
    )


def measure(account: Account, **changes: Any) -> int:
    return cold_starts.run(given(**changes), Stopwatch(account, lambda _: None), account)


def test_a_report_is_read_in_both_formats_of_lambda() -> None:
    expected = Start(
        init=791.75, first=412.5, billed=1205, memory_megabytes=1024, used_megabytes=131
    )
    assert reported(TEXT) == expected
    assert reported(json_log(791.75)).init == 791.75
    assert reported(json_log(791.75)).whole == 1204.25


@pytest.mark.parametrize("log", [WARM, json_log(None), "", "REPORT", '{"type": "platform.report"'])
def test_what_was_no_cold_start_is_not_taken_for_one(log: str) -> None:
    with pytest.raises(CannotMeasure, match="no cold start"):
        reported(log)


def test_every_start_is_a_new_one_and_the_stack_is_left_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account()
    before = {name: dict(variables) for name, variables in account.variables.items()}
    assert measure(account, times=20, json=tmp_path / "starts.json") == 0
    assert account.variables == before
    found = json.loads((tmp_path / "starts.json").read_text())
    assert set(found) == {
        one.name
        for one in SERVED.functions
        if one.handler.startswith(("functions.portal", "functions.console"))
        or one.handler == "functions.webhooks.receive.handler"
    }
    for one in found.values():
        assert one["times"] == len(one["starts"]) == 20
        assert 0 < one["init"]["min"] <= one["init"]["median"] <= one["init"]["max"]
    told = capsys.readouterr().out
    assert all(name in told for name in found)
    assert f"{20 * len(found)} cold starts for 0.00" in told


def test_functions_take_turns(capsys: pytest.CaptureFixture[str]) -> None:
    account = Account()
    assert measure(account, function=["ShopFunction", "RenewalsFunction"], times=2) == 0
    assert [name for name, _ in account.asked] == [
        f"{STACK}-{name}" for name in ("ShopFunction", "RenewalsFunction")
    ] * 2
    assert "4 cold starts" in capsys.readouterr().out


def test_what_is_asked_changes_nothing() -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    acting = set()
    for function in SERVED.functions:
        event = cold_starts.event_for(function, SERVED, now)
        if event is None:
            acting.add(function.name)
        elif "requestContext" in event:
            method = event["requestContext"]["http"]["method"]
            assert method == "GET" or event["rawPath"] == "/webhooks/nobody"
            assert "cookies" not in event
        else:
            assert event["detail"] == {"due": []}
    assert acting == {"SweepFunction", "AuditFunction"}


def test_a_failure_in_the_middle_leaves_the_stack_as_it_was_and_tells_what_there_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    account = Account()
    account.error_at = 3
    assert measure(account, function=["ShopFunction", "SignInFunction"]) == 1
    assert all("COLD_START" not in one for one in account.variables.values())
    told = capsys.readouterr()
    assert "SignInFunction failed" in told.err
    assert "3 cold starts" in told.out


def test_what_a_killed_run_left_behind_is_taken_out() -> None:
    account = Account()
    account.variables[f"{STACK}-ShopFunction"]["COLD_START"] = "7"
    assert measure(account, function=["ShopFunction"], times=1) == 0
    assert account.variables[f"{STACK}-ShopFunction"] == {"PUBLIC_URL": "https://a.example"}


def test_a_function_that_does_not_get_ready_is_given_up_and_the_others_are_put_back(
    capsys: pytest.CaptureFixture[str],
) -> None:
    account = Account()
    account.stuck_from = 3
    assert measure(account, function=["ShopFunction", "SignInFunction", "BookingFunction"]) == 1
    told = capsys.readouterr()
    assert "take COLD_START out of the environment of punchcard-test-BookingFunction" in told.err
    left = {name for name, one in account.variables.items() if "COLD_START" in one}
    assert left == {f"{STACK}-BookingFunction"}
    assert "2 cold starts" in told.out


@pytest.mark.parametrize("name", ["SweepFunction", "NoSuchFunction"])
def test_what_cant_be_measured_is_said_and_nothing_is_touched(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    account = Account()
    assert measure(account, function=[name]) == 1
    assert account.asked == []
    assert f"{name} can't be measured" in capsys.readouterr().err


def test_a_gigabyte_for_a_second_and_a_fifth_costs_what_lambda_asks() -> None:
    # 1.205 GB-seconds at 0.0000133334 dollars, and one request at 0.0000002.
    assert reported(TEXT).usd == pytest.approx(0.00001626675, rel=1e-4)
