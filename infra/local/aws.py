"""AWS calls of this process, caught where botocore would send them.

botocore runs `before-send` handlers of every client made after this module is imported, also of
PynamoDB's. One of them is `switchboard` here: it hands each request to whoever serves that
service at the moment. The code under test is untouched and knows nothing of it; a call that nobody
serves is an error that names it, so nothing ever leaves this machine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Protocol

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.handlers import BUILTIN_HANDLERS


@dataclass(frozen=True)
class Answer:
    """What a service answers: JSON, as AWS sends it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(
        default_factory=lambda: {"Content-Type": "application/x-amz-json-1.0"}
    )


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


class Switchboard:
    """Knows who serves each service of AWS in this process; see the module."""

    def __init__(self) -> None:
        self._services: dict[str, Service] = {}
        self.calls = 0

    def connect(self, services: Mapping[str, Service]) -> None:
        """From now on `services` (by botocore's event name: `dynamodb`, `sesv2`, …) answer."""
        self._services = dict(services)

    def disconnect(self) -> None:
        """From now on nobody answers."""
        self._services = {}

    def __call__(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        service_name, operation = event_name.split(".")[1:3]
        service = self._services.get(service_name)
        if service is None:
            raise NotServed(f"{service_name}:{operation} is not served on this machine")
        self.calls += 1
        body: Any = request.body or b""
        answer = service(operation, body.encode() if isinstance(body, str) else bytes(body))
        headers = HTTPHeaders()
        for name, value in answer.headers.items():
            headers[name] = value
        return AWSResponse(request.url, answer.status, headers, _Body(answer.body))


switchboard = Switchboard()
BUILTIN_HANDLERS.append(("before-send", switchboard))
