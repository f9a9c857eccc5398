"""DynamoDB round trips, counted where botocore would send them.

Counted are the calls of every client that the store has: its own for reading, and those that
PynamoDB keeps for transactions and leases. Nothing is hidden from it by what serves the calls.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.meter import the_longer_counts
from shared.store.items import AccessItem, AccountItem, CatalogueItem, connection

MODELS = (AccountItem, CatalogueItem, AccessItem)


def clients() -> list[Any]:
    """Every DynamoDB client of this process's store, each once."""
    found = [connection().client]
    found += [model._get_connection().connection.client for model in MODELS]
    return list({id(client): client for client in found}.values())


@contextmanager
def round_trips() -> Iterator[list[str]]:
    """The operations that are called while it is open, in their order: `["BatchGetItem", …]`.

    Warm up first: a function's first call reads the catalogue and makes its clients.
    """
    called: list[str] = []

    def note(event_name: str, **_: Any) -> None:
        called.append(event_name.rpartition(".")[2])

    with _listening("before-call.dynamodb", note):
        yield called


class Waited:
    """Round trips so far, one after the other."""

    waited = 0


@contextmanager
def waiting() -> Iterator[Waited]:
    """How many round trips are waited for while it is open: of two side by side, the longer row."""
    clock = Waited()

    def note(**_: Any) -> None:
        clock.waited += 1

    with the_longer_counts(clock), _listening("before-call.dynamodb", note):
        yield clock


@contextmanager
def consumed_units() -> Iterator[list[float]]:
    """What each query says that it consumed, as the engine counts it. Only Amazon's own does."""
    units: list[float] = []

    def ask(params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def note(parsed: dict[str, Any], **_: Any) -> None:
        units.append(parsed["ConsumedCapacity"]["CapacityUnits"])

    with (
        _listening("provide-client-params.dynamodb.Query", ask),
        _listening("after-call.dynamodb.Query", note),
    ):
        yield units


@contextmanager
def _listening(event: str, handler: Any) -> Iterator[None]:
    listened = clients()
    for client in listened:
        client.meta.events.register_first(event, handler)
    try:
        yield
    finally:
        for client in listened:
            client.meta.events.unregister(event, handler)
