"""AWS calls of this process, caught where botocore would send them.

botocore runs `before-call` and `before-send` handlers of every client made after this module is
imported, also of PynamoDB's. `switchboard` here is one of them: it hands each request to whoever
serves that service at the moment. The code under test is untouched and knows nothing of it; a call
that nobody serves is an error that names it, so nothing ever leaves this machine.

A service in this process answers before the call is signed and sent, which saves most of a call's
time. What stands outside is asked where the request would go out, with botocore's retries.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, Protocol

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.handlers import BUILTIN_HANDLERS

HEADERS: Mapping[str, str] = {"Content-Type": "application/x-amz-json-1.0"}


class Answer:
    """What a service answers: JSON as AWS sends it, or the same as Python values. Whichever was
    not given is made when it is asked for."""

    def __init__(
        self, status: int, body: bytes | None = None, *, content: dict[str, Any] | None = None
    ) -> None:
        self.status = status
        self.headers = HEADERS
        self._body = body
        self._content = content

    @property
    def body(self) -> bytes:
        if self._body is None:
            self._body = json.dumps(self._content, default=_encode).encode()
        return self._body

    @property
    def content(self) -> dict[str, Any]:
        if self._content is None:
            read: dict[str, Any] = json.loads(self._body or b"{}")
            self._content = read
        return self._content


def _encode(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} in an answer")


Service = Callable[[str, bytes], Answer]
"""Answers one call: the operation's name and the request's body."""


class Engine(Protocol):
    """A DynamoDB: in this process (`engine.Embedded`) or Amazon's own (`dynamodb_local`)."""

    def call(self, operation: str, body: bytes) -> Answer: ...

    def first_due(self, table_name: str, index_name: str = "due") -> str | None:
        """The smallest `due_at` in the index, over every shard."""

    def reset(self) -> None:
        """Forget every table."""

    def close(self) -> None:
        """Let go of everything that was started."""


class NotServed(Exception):
    """A call to an AWS service that one machine does not serve."""


class _Body(BytesIO):
    """What urllib3 would give: botocore reads it with `stream`."""

    def stream(self, *_: Any, **__: Any) -> Any:
        chunk = self.read()
        while chunk:
            yield chunk
            chunk = self.read()


@dataclass(frozen=True)
class _Status:
    """All that botocore asks of an HTTP response that was parsed already."""

    status_code: int


def _parsed(answer: Answer) -> dict[str, Any]:
    """What botocore's parser would make of the answer."""
    metadata = {"HTTPStatusCode": answer.status, "HTTPHeaders": {}, "RetryAttempts": 0}
    if answer.status < 300:
        return {**answer.content, "ResponseMetadata": metadata}
    rest = dict(answer.content)
    code = str(rest.pop("__type", "Unknown")).rpartition("#")[2]
    messages = [rest.pop(name) for name in ("message", "Message") if name in rest]
    error = {"Code": code, "Message": messages[0] if messages else ""}
    return {**rest, "Error": error, "ResponseMetadata": metadata}


class Switchboard:
    """Knows who serves each service of AWS in this process; see the module."""

    def __init__(self) -> None:
        self._services: dict[str, Service] = {}
        self._direct: frozenset[str] = frozenset()
        self.calls = 0

    def connect(self, services: Mapping[str, Service], direct: Iterable[str] = ()) -> None:
        """From now on `services` (by botocore's event name: `dynamodb`, `sesv2`, …) answer; those
        in `direct` before the call is signed and sent."""
        self._services = dict(services)
        self._direct = frozenset(direct)

    def disconnect(self) -> None:
        """From now on nobody answers."""
        self.connect({})

    def before_call(
        self, event_name: str, params: Mapping[str, Any], **_: Any
    ) -> tuple[_Status, dict[str, Any]] | None:
        """botocore's `before-call`: an answer here ends the call."""
        service_name, operation = event_name.split(".")[1:3]
        if service_name not in self._direct:
            return None
        answer = self._ask(service_name, operation, params["body"])
        return _Status(answer.status), _parsed(answer)

    def before_send(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """botocore's `before-send`: an answer here stands for the network's."""
        service_name, operation = event_name.split(".")[1:3]
        answer = self._ask(service_name, operation, request.body)
        headers = HTTPHeaders()
        for name, value in answer.headers.items():
            headers[name] = value
        return AWSResponse(request.url, answer.status, headers, _Body(answer.body))

    def _ask(self, service_name: str, operation: str, body: Any) -> Answer:
        service = self._services.get(service_name)
        if service is None:
            raise NotServed(f"{service_name}:{operation} is not served on this machine")
        self.calls += 1
        return service(operation, body.encode() if isinstance(body, str) else bytes(body or b""))


switchboard = Switchboard()
BUILTIN_HANDLERS.append(("before-call", switchboard.before_call))
BUILTIN_HANDLERS.append(("before-send", switchboard.before_send))
