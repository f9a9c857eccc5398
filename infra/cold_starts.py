"""Measures real cold starts on AWS: `python -m infra.cold_starts --stack punchcard`.

Each function is started anew and asked once, 20 times over, one function after the other in each
round. A new start is forced by changing one environment variable of the function, `COLD_START`,
which nothing reads; it is taken out again at the end, whatever happens. What is asked changes
nothing: a page that anybody may open, or an event in which nothing is due. Meanwhile customers of
this stack meet cold starts too, so measure a stack of your own. It takes some ten minutes and costs
less than a cent; it says how much.

It measures the functions themselves, without the API before them and the network to you.
"""

import argparse
import base64
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.http_api import Request, Routes, event_of
from infra.local.template import Function, Template, load

TIMES = 20
MAX_TIMES = 100
MARK = "COLD_START"
"""The environment variable that is changed."""

POLL_SECONDS = 1.0
MAX_POLLS = 120
"""How long a function may take to have its new environment."""

READ_TIMEOUT_SECONDS = 130
MAX_PAGES = 20
USD_PER_GB_SECOND = 0.0000133334
USD_PER_REQUEST = 0.0000002
"""https://aws.amazon.com/lambda/pricing/, arm64, us-east-1, read on 23 November 2026."""

ASKED = {
    "functions.portal.sign_in": ("GET", "/sign-in"),
    "functions.portal.shop": ("GET", "/shop"),
    "functions.portal.cart": ("GET", "/cart"),
    "functions.portal.checkout": ("GET", "/checkout"),
    "functions.portal.cards": ("GET", "/cards"),
    "functions.portal.account": ("GET", "/account"),
    "functions.portal.packs": ("GET", "/packs"),
    "functions.portal.subscriptions": ("GET", "/subscriptions"),
    "functions.portal.invoices": ("GET", "/invoices"),
    "functions.portal.schedule": ("GET", "/schedule"),
    "functions.portal.activity": ("GET", "/schedule/none"),
    "functions.portal.booking": ("GET", "/reservations"),
    "functions.console.console": ("GET", "/console"),
    "functions.webhooks.receive": ("POST", "/webhooks/nobody"),
}
"""What a stranger asks each function of the API."""


class CannotMeasure(Exception):
    """Why nothing, or nothing more, was measured, in a sentence."""


FAILURES = (CannotMeasure, BotoCoreError, ClientError)


@dataclass(frozen=True)
class Start:
    """One cold start, in milliseconds as Lambda reports them: loading the function, then answering
    the first request. `billed` is what is paid for."""

    init: float
    first: float
    billed: float
    memory_megabytes: int
    used_megabytes: int

    @property
    def whole(self) -> float:
        return self.init + self.first

    @property
    def usd(self) -> float:
        return self.billed / 1000 * self.memory_megabytes / 1024 * USD_PER_GB_SECOND + (
            USD_PER_REQUEST
        )


# --- what is asked ---------------------------------------------------------------------------


def event_for(function: Function, template: Template, now: datetime) -> dict[str, Any] | None:
    """What the function is asked with; None for those that act by themselves when they are asked
    (the sweep and the audit)."""
    asked = ASKED.get(function.handler.rpartition(".")[0])
    if asked is not None:
        method, path = asked
        headers = [("Host", "localhost"), ("Accept", "text/html"), ("User-Agent", "cold-starts")]
        match = Routes(template.routes, template.elsewhere).find(method, path)
        if match is None or match.function.name != function.name:
            raise CannotMeasure(f"{method} {path} is not {function.name}'s any more")
        return event_of(Request(method, path, headers), match, now, "cold-start")
    if any(one.function.name == function.name for one in template.schedules):
        return None
    rule = next((rule for rule in template.rules if rule.function.name == function.name), None)
    if rule is None:
        return None
    return {
        "source": "punchcard",
        "detail-type": rule.pattern["detail-type"][0],
        "detail": {"due": []},
    }


def measurable(template: Template, names: Sequence[str]) -> list[Function]:
    """The functions called so in the template, or all that people and providers wait for."""
    now = datetime.now(UTC)
    known = {one.name: one for one in template.functions if event_for(one, template, now)}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise CannotMeasure(
            f"{', '.join(unknown)} can't be measured; these can: {', '.join(sorted(known))}"
        )
    if names:
        return [known[name] for name in names]
    return [one for one in known.values() if one.handler.rpartition(".")[0] in ASKED]


# --- what Lambda reports ---------------------------------------------------------------------


def reported(log: str) -> Start:
    """The cold start that the end of a log tells of, in either of Lambda's two formats.

    Raises `CannotMeasure` when it was none, or was too long ago to be in there.
    """
    for line in reversed(log.splitlines()):
        found = _from_json(line) if line.startswith("{") else _from_text(line)
        if found is not None:
            return found
    raise CannotMeasure("the log reports no cold start: was the environment really new?")


def _from_json(line: str) -> Start | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    if not isinstance(told, dict) or told.get("type") != "platform.report":
        return None
    metrics = told["record"]["metrics"]
    if "initDurationMs" not in metrics:
        return None
    return Start(
        init=float(metrics["initDurationMs"]),
        first=float(metrics["durationMs"]),
        billed=float(metrics["billedDurationMs"]),
        memory_megabytes=int(metrics["memorySizeMB"]),
        used_megabytes=int(metrics["maxMemoryUsedMB"]),
    )


def _from_text(line: str) -> Start | None:
    if not line.startswith("REPORT ") or "Init Duration" not in line:
        return None
    told = {name: float(value) for name, value in re.findall(r"([A-Z][\w ]*): ([\d.]+) ", line)}
    return Start(
        init=told["Init Duration"],
        first=told["Duration"],
        billed=told["Billed Duration"],
        memory_megabytes=int(told["Memory Size"]),
        used_megabytes=int(told["Max Memory Used"]),
    )


# --- measuring -------------------------------------------------------------------------------


@dataclass
class Measured:
    """One function of the stack: its name in the template and in the account."""

    function: Function
    name: str
    event: Mapping[str, Any]
    variables: Mapping[str, str]
    starts: list[Start]


class Stopwatch:
    """Forces and times cold starts through a client of Lambda's API. `wait` takes seconds."""

    def __init__(self, client: Any, wait: Callable[[float], None] = time.sleep) -> None:
        self._lambda = client
        self._wait = wait

    def measure(self, measured: Sequence[Measured], times: int) -> Iterator[tuple[Measured, Start]]:
        """`times` rounds over all functions. Each has its former environment again at the end,
        also when something fails in the middle."""
        try:
            for number in range(times):
                for one in measured:
                    self._set(one.name, {**one.variables, MARK: str(number + 1)})
                    start = self._start(one)
                    one.starts.append(start)
                    yield one, start
        finally:
            self._leave_as_it_was(measured)

    def _leave_as_it_was(self, measured: Sequence[Measured]) -> None:
        """One that can't be put back stops no other."""
        failed = []
        for one in measured:
            try:
                self._set(one.name, one.variables)
            except FAILURES:
                failed.append(one.name)
        if failed:
            raise CannotMeasure(
                f"take {MARK} out of the environment of {', '.join(failed)} by hand"
            )

    def variables_of(self, name: str) -> dict[str, str]:
        """The function's environment, without what a run that was killed may have left in it."""
        found = self._lambda.get_function_configuration(FunctionName=name)
        variables = dict(found.get("Environment", {}).get("Variables", {}))
        variables.pop(MARK, None)
        return variables

    def _set(self, name: str, variables: Mapping[str, str]) -> None:
        self._ready(name)
        self._lambda.update_function_configuration(
            FunctionName=name, Environment={"Variables": dict(variables)}
        )
        self._ready(name)

    def _ready(self, name: str) -> None:
        for _ in range(MAX_POLLS):
            now = self._lambda.get_function_configuration(FunctionName=name)
            status = now.get("LastUpdateStatus")
            if status == "Successful":
                return
            if status == "Failed":
                raise CannotMeasure(f"{name}: {now.get('LastUpdateStatusReason', 'not updated')}")
            self._wait(POLL_SECONDS)
        raise CannotMeasure(f"{name} was not ready within {MAX_POLLS * POLL_SECONDS:.0f} seconds")

    def _start(self, one: Measured) -> Start:
        answer = self._lambda.invoke(
            FunctionName=one.name,
            InvocationType="RequestResponse",
            LogType="Tail",
            Payload=json.dumps(one.event).encode(),
        )
        if "FunctionError" in answer:
            raise CannotMeasure(f"{one.function.name} failed: {answer['Payload'].read()[:300]!r}")
        return reported(base64.b64decode(answer["LogResult"]).decode(errors="replace"))


def names_in(stack: str, client: Any) -> dict[str, str]:
    """The functions' names in the account by those in the template."""
    found: dict[str, str] = {}
    more: dict[str, str] = {}
    for _ in range(MAX_PAGES):
        answer = client.list_stack_resources(StackName=stack, **more)
        for one in answer["StackResourceSummaries"]:
            if one["ResourceType"] == "AWS::Lambda::Function":
                found[one["LogicalResourceId"]] = one["PhysicalResourceId"]
        if "NextToken" not in answer:
            break
        more = {"NextToken": answer["NextToken"]}
    return found


# --- telling ---------------------------------------------------------------------------------


def summary(milliseconds: Iterable[float]) -> dict[str, float]:
    ordered = sorted(milliseconds)
    return {
        "min": round(ordered[0], 1),
        "median": round(statistics.median(ordered), 1),
        "max": round(ordered[-1], 1),
    }


def as_json(measured: Sequence[Measured]) -> dict[str, Any]:
    """Everything that was measured, in milliseconds and megabytes, by the functions' names."""
    return {
        one.function.name: {
            "times": len(one.starts),
            "memory_megabytes": one.starts[0].memory_megabytes,
            "init": summary(start.init for start in one.starts),
            "first": summary(start.first for start in one.starts),
            "whole": summary(start.whole for start in one.starts),
            "starts": [asdict(start) for start in one.starts],
        }
        for one in measured
        if one.starts
    }


def table(measured: Sequence[Measured]) -> Iterator[str]:
    """Milliseconds, a line at a time: min, median, max of loading, of the first answer, of both."""
    yield f"{'function':20} {'times':>5}  {'loading':>20}  {'first answer':>20}  {'both':>20}"
    for name, found in as_json(measured).items():
        cells = [
            "{min:6.0f} {median:6.0f} {max:6.0f}".format(**found[key])
            for key in ("init", "first", "whole")
        ]
        yield f"{name:20} {found['times']:5}  " + "  ".join(cells)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.cold_starts", description=__doc__)
    parser.add_argument("--stack", required=True, help="the stack's name")
    parser.add_argument("--function", action="append", default=[], metavar="ShopFunction")
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args(arguments)
    if not 1 <= given.times <= MAX_TIMES:
        parser.error(f"--times is 1 to {MAX_TIMES}")
    config = Config(read_timeout=READ_TIMEOUT_SECONDS, retries={"total_max_attempts": 1})
    stopwatch = Stopwatch(boto3.client("lambda", config=config))
    return run(given, stopwatch, boto3.client("cloudformation"))


def run(given: argparse.Namespace, stopwatch: Stopwatch, stacks: Any) -> int:
    """Measure what was asked for, and tell; 1 when it could not be done."""
    served = load({"PublicUrl": "https://localhost", "SenderAddress": "nobody@localhost"})
    measured: list[Measured] = []
    code = 0
    try:
        names = names_in(given.stack, stacks)
        for function in measurable(served, given.function):
            event = event_for(function, served, datetime.now(UTC))
            assert event is not None
            if function.name not in names:
                raise CannotMeasure(f"the stack {given.stack} has no {function.name}")
            name = names[function.name]
            measured.append(Measured(function, name, event, stopwatch.variables_of(name), []))
        for one, start in stopwatch.measure(measured, given.times):
            print(f"{one.function.name}: {start.whole:.0f} ms", file=sys.stderr)
    except FAILURES as why:
        print(why, file=sys.stderr)
        code = 1
    starts = [start for one in measured for start in one.starts]
    if starts:
        print(*table(measured), sep="\n")
        print(f"{len(starts)} cold starts for {sum(start.usd for start in starts):.4f} dollars.")
        if given.json is not None:
            given.json.write_text(json.dumps(as_json(measured), indent=1) + "\n")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
