"""Runs a function's handler in this process, as Lambda would ([RUN])."""

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.template import ACCOUNT_ID, REGION, Function


class Died(BaseException):
    """The process that ran a handler is gone, in the middle of everything: nothing of it goes on,
    not even what it does about errors. Raised by tests of faults, through a `line.Line`."""


@dataclass(frozen=True)
class LambdaContext:
    """What Lambda hands to a handler beside the event."""

    function_name: str
    memory_limit_in_mb: int
    aws_request_id: str
    timeout_seconds: int
    function_version: str = "$LATEST"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        return "local"

    def get_remaining_time_in_millis(self) -> int:
        return self.timeout_seconds * 1000


def run(function: Function, event: Mapping[str, Any], request_id: str) -> Any:
    """What the handler answers to a copy of `event`; what it raises goes through."""
    module_name, _, attribute = function.handler.rpartition(".")
    handler = getattr(importlib.import_module(module_name), attribute)
    context = LambdaContext(
        function_name=function.name,
        memory_limit_in_mb=function.memory_megabytes,
        aws_request_id=request_id,
        timeout_seconds=function.timeout_seconds,
    )
    return handler(json.loads(json.dumps(event)), context)


def schedule_event(now_text: str) -> dict[str, Any]:
    """What EventBridge Scheduler sends when the template gives no input."""
    return {
        "version": "0",
        "id": "local",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT_ID,
        "time": now_text,
        "region": REGION,
        "resources": [],
        "detail": "{}",
    }
