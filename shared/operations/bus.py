"""The event bus: how work is handed to the functions that do it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.due import Worker

SOURCE = "punchcard"

EVENTS_PER_CALL = 10
"""EventBridge takes at most ten entries in one PutEvents call."""


def event(bus: str, worker: Worker, due_items: Sequence[dict[str, str]]) -> dict[str, str]:
    """One entry for PutEvents: the worker's name and what it is to look at."""
    return event_of(bus, worker.value, {"due": list(due_items)})


def event_of(bus: str, detail_type: str, detail: Mapping[str, Any]) -> dict[str, str]:
    """One entry for PutEvents."""
    return {
        "Source": SOURCE,
        "DetailType": detail_type,
        "EventBusName": bus,
        "Detail": json.dumps(detail),
    }


def put_events(events: Any, entries: Sequence[dict[str, str]]) -> int:
    """Put `entries` on the bus, ten a call; returns how many it did not take. Those come back
    with their leases."""
    failed = 0
    for at in range(0, len(entries), EVENTS_PER_CALL):
        answer = events.put_events(Entries=list(entries[at : at + EVENTS_PER_CALL]))
        failed += int(answer.get("FailedEntryCount", 0))
    return failed
