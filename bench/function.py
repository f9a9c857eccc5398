"""Our functions in a process of their own, as Lambda runs them: real clients, a real connection to
Amazon's engine, nothing of the local runner. What is measured here is the CPU of that process.

Run by `bench.process.run`, which gives it the environment; only the provider is played: it answers
at once, and costs neither side of a comparison anything.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from shared import wiring
from shared.domain.outcome import Outcome
from shared.domain.product import Catalogue
from shared.providers.port import ChargeRequest, ChargeResult, PaymentProvider
from shared.store import snapshot

Event = dict[str, Any]


class AnswersAtOnce:
    """A provider that takes every payment, without a network."""

    name = "sandbox"
    hosted_origins: tuple[str, ...] = ()
    card_frame = None
    one_object_per_charge = False

    def charge(self, request: ChargeRequest) -> ChargeResult:
        return ChargeResult(
            outcome=Outcome.SUCCEEDED,
            provider_charge_id=f"ch_{abs(hash(request.attempt_id)):032x}",
        )


class Events:
    """An event bus that takes everything."""

    def put_events(self, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "-"} for _ in Entries]}


@dataclass(frozen=True)
class Context:
    """What Lambda hands to a handler beside the event."""

    function_name: str = "bench"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:bench"
    aws_request_id: str = "bench"


def install(now: datetime) -> wiring.Wiring:
    """The wiring of the environment, its clock standing at `now`, and the catalogue kept."""
    installed = wiring.Wiring(
        environment=wiring.Environment.read(os.environ),
        now=lambda: now,
        provider_overrides={"sandbox": cast(PaymentProvider, AnswersAtOnce())},
    )
    installed.__dict__["events"] = Events()
    wiring.install(installed)
    snapshot.load(Catalogue, now)
    return installed


def handler(module: str) -> Callable[[Event], Any]:
    """The handler of `functions.{module}`."""
    found = importlib.import_module(f"functions.{module}").handler
    context = Context()
    return lambda event: found(event, context)


def due(customer_id: str, sk: str) -> Event:
    """What the bus hands to a worker, for one item."""
    pk = f"customer#{customer_id}"
    return {"detail-type": "bench", "detail": {"due": [{"pk": pk, "sk": sk, "due_at": ""}]}}


def request(
    method: str, route: str, path: str, cookies: list[str], body: str = "", query: str = ""
) -> Event:
    """What API Gateway hands to a function (HTTP API, payload format 2.0)."""
    return {
        "version": "2.0",
        "routeKey": f"ANY {route}",
        "rawPath": path,
        "rawQueryString": query,
        "cookies": cookies,
        "headers": {
            "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "accept-language": "en-US,en;q=0.9",
            "content-type": "application/x-www-form-urlencoded" if method == "POST" else "",
            "host": "127.0.0.1:8000",
            "sec-fetch-site": "same-origin",
            "user-agent": "Mozilla/5.0 (X11; Linux x86_64) bench",
        },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "bench",
            "domainName": "127.0.0.1",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "bench",
            },
            "requestId": "bench",
            "routeKey": f"ANY {route}",
            "stage": "$default",
            "time": "01/Jan/2090:00:00:00 +0000",
            "timeEpoch": 0,
        },
        "body": body,
        "isBase64Encoded": False,
    }


def client() -> Any:
    """A client of boto3, as one writes it by hand."""
    import boto3

    return boto3.client("dynamodb")


def answer(main: Callable[[Any], Any]) -> None:
    """What a module that measures does: hear, measure with its log going nowhere, and answer."""
    told = json.load(sys.stdin)
    spoken = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    found = main(told)
    sys.stdout.flush()
    os.dup2(spoken, 1)
    os.write(1, (json.dumps(found) + "\n").encode())
