"""What botocore does for the services that are called is all still done."""

from pathlib import Path
from typing import Any

import botocore.handlers
import botocore.session
import pytest
from botocore.hooks import HierarchicalEmitter

from infra import aws_data, aws_handlers
from infra.aws_handlers import NoHandlers

SOURCE = Path(botocore.handlers.__file__).read_text()

OF_A_CALL = (
    "provide-client-params",
    "before-parameter-build",
    "before-endpoint-resolution",
    "before-call",
    "request-created",
    "choose-signer",
    "before-sign",
    "before-send",
    "response-received",
    "before-parse",
    "needs-retry",
    "after-call",
    "after-call-error",
)
"""The kinds of events that botocore emits for a call of a service."""

OF_A_CLIENT = ("creating-client-class", "getattr")


def called() -> dict[str, frozenset[str]]:
    """What functions call, by the name that events have for the service."""
    session = botocore.session.Session()
    return {
        session.get_service_model(name).service_id.hyphenize(): calls
        for name, calls in aws_data.KEPT_CALLS.items()
    }


def handlers_in(source: str) -> list[Any]:
    module: dict[str, Any] = {"__name__": "botocore.handlers"}
    exec(compile(source, "handlers.py", "exec"), module)  # noqa: S102 - botocore's own module
    found: list[Any] = module["BUILTIN_HANDLERS"]
    return found


def registered(source: str) -> HierarchicalEmitter:
    """An emitter that gives each handler's name instead of calling it."""
    emitter = HierarchicalEmitter()
    for at, (event, handler, *_) in enumerate(handlers_in(source)):
        name = getattr(handler, "__name__", type(handler).__name__)
        emitter.register(event, lambda name=name, **_: name, unique_id=f"{at}{event}")
    return emitter


def test_every_event_of_a_service_that_is_called_has_the_handlers_that_it_had() -> None:
    services = called()
    before = registered(SOURCE)
    after = registered(aws_handlers.reduced(SOURCE, services))
    for service, calls in services.items():
        events = [f"{kind}.{service}" for kind in OF_A_CLIENT]
        events += [f"{kind}.{service}.{call}" for kind in OF_A_CALL for call in calls]
        for event in events:
            said = sorted(name for _, name in before.emit(event))
            assert sorted(name for _, name in after.emit(event)) == said, event
    token = "before-parameter-build.dynamodb.TransactWriteItems"
    assert "generate_idempotent_uuid" in [name for _, name in after.emit(token)]


def test_most_handlers_are_of_services_that_are_not_called() -> None:
    kept = handlers_in(aws_handlers.reduced(SOURCE, called()))
    assert len(kept) < len(handlers_in(SOURCE)) / 4


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        ("before-call", True),
        ("before-call.*.PutItem", True),
        ("before-call.dynamodb.PutItem", True),
        ("before-call.s3", False),
        ("docs.*.dynamodb.PutItem", False),
    ],
)
def test_what_concerns_a_call(event: str, wanted: bool) -> None:
    assert aws_handlers.concerns(event, {"dynamodb"}) is wanted


def test_another_kind_of_list_is_refused() -> None:
    for source in ("X = []", "BUILTIN_HANDLERS = made()", "BUILTIN_HANDLERS = [(1, 2)]"):
        with pytest.raises(NoHandlers):
            aws_handlers.reduced(source, {"dynamodb"})
