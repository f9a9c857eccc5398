"""What lies between our functions and all that stands outside them.

On one machine it carries every call at once and whole. Tests of faults put one of their own in its
place: it sees each call of a function to AWS or to the payment provider, by name, and may lose it
on the way there or back, let something else happen first, or end the process that made it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")

PROVIDER = "provider"
"""The service's name of a call to a payment provider; those of AWS go by botocore's."""


@dataclass(frozen=True)
class Call:
    """One call: `function` is the handler that makes it, `operation` as the service names it, for
    a provider `{method} {path}`."""

    function: str
    invocation: int
    """Counts the runs of handlers: calls of one run have the same number."""
    service: str
    operation: str
    body: bytes

    @property
    def name(self) -> str:
        return f"{self.service}:{self.operation.partition('?')[0]}"


class Line(Protocol):
    def carry(self, call: Call, forward: Callable[[], T]) -> T:
        """Answer `call`; `forward` carries it out, and may be called never, once or again. What is
        raised reaches the caller as what botocore or the transport raises."""


class Good:
    """Every call arrives, and its answer comes back."""

    def carry(self, call: Call, forward: Callable[[], T]) -> T:  # noqa: ARG002 - as any line
        return forward()
