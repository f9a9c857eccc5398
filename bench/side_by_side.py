"""The process in which our functions and the floor take turns; see `bench.overhead`.

Run as a module it hears, as JSON, the moment at which the clock stands and what to repeat, and
answers the CPU seconds of each turn.
"""

import gc
import json
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from bench import floor, function
from shared.store.items import AccessItem, AccountItem, CatalogueItem, connection

Request = tuple[str, dict[str, Any]]
"""An operation of DynamoDB and its body."""


class Recorder:
    """What the store's clients send while it is open."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        clients = [connection().client]
        clients += [
            model._get_connection().connection.client
            for model in (AccountItem, CatalogueItem, AccessItem)
        ]
        self._clients = {id(client): client for client in clients}.values()

    def __enter__(self) -> list[Request]:
        for client in self._clients:
            client.meta.events.register("before-call.dynamodb", self._note)
        return self.seen

    def __exit__(self, *_: object) -> None:
        for client in self._clients:
            client.meta.events.unregister("before-call.dynamodb", self._note)

    def _note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.seen.append((model.name, json.loads(params["body"])))


def main(told: dict[str, Any]) -> dict[str, Any]:
    function.install(datetime.fromisoformat(told["now"]))
    client = function.client()
    gc.disable()
    return {one["name"]: _measured(one, client) for one in told["pairs"]}


def _measured(one: dict[str, Any], client: Any) -> dict[str, Any]:
    """`events` are ours, each of one customer of its own where something is written; the first is
    recorded, and then asked for again by hand for each of `floor_customers`."""
    handle = function.handler(one["module"])
    first, *others = one["events"]
    recorder = Recorder()
    with recorder as seen:
        _good(handle(first))
    turns = [_by_hand(one, client, seen, customer_id) for customer_id in one["floor_customers"]]
    warm = one["warm"]
    ours: list[float] = []
    floors: list[float] = []
    for at, (event, by_hand) in enumerate(zip(others, turns, strict=True)):
        if at % 2:
            ours.append(_cpu(partial(_handled, handle, event)))
            floors.append(_cpu(by_hand))
        else:
            floors.append(_cpu(by_hand))
            ours.append(_cpu(partial(_handled, handle, event)))
    return {
        "ours": ours[warm:],
        "floor": floors[warm:],
        "calls": [operation for operation, _ in seen],
    }


def _cpu(call: Callable[[], object]) -> float:
    """CPU seconds of this process while it is called."""
    gc.collect()
    began = time.process_time()
    call()
    return time.process_time() - began


def _handled(handle: Callable[[Any], Any], event: dict[str, Any]) -> None:
    _good(handle(event))


def _good(answer: Any) -> None:
    if "statusCode" in answer:
        assert answer["statusCode"] < 400, answer
    else:
        assert answer and not set(answer) & {"nothing_due", "lost", "not_paid", "open"}, answer


def _by_hand(
    one: dict[str, Any], client: Any, seen: list[Request], customer_id: str
) -> Callable[[], object]:
    """The same requests for another customer, as the floor makes them."""
    text = json.dumps(seen).replace(one["first_customer"], customer_id)
    for ours, theirs in one["renamed"].get(customer_id, {}).items():
        text = text.replace(ours, theirs)
    requests: list[Request] = json.loads(text)
    keys: floor.Keys = {}
    asked: list[dict[str, Any]] = []
    written: list[list[floor.Written]] = []
    for operation, body in requests:
        match operation:
            case "BatchGetItem":
                keys = {name: part["Keys"] for name, part in body["RequestItems"].items()}
            case "Query":
                asked.append(body)
            case "TransactWriteItems":
                written.append([_written(entry["Put"]) for entry in body["TransactItems"]])
            case _:
                raise ValueError(f"the floor has no {operation}")
    match one["kind"]:
        case "page":
            return lambda: floor.page(client, keys, asked)
        case "checkout":
            intent, settled = written
            return lambda: floor.checkout(client, keys, intent, settled)
        case "renewal":
            intent, settled = written
            return lambda: floor.renewal(client, keys, intent, settled)
        case kind:
            raise ValueError(kind)


def _written(put: dict[str, Any]) -> floor.Written:
    attributes = dict(put["Item"])
    body: str = attributes.pop("body")["S"]
    document = json.loads(body) if body.startswith("{") else body
    values = put.get("ExpressionAttributeValues")
    replaces = int(values[":0"]["N"]) if values else None
    return floor.Written(put["TableName"], attributes, document, replaces)


if __name__ == "__main__":
    function.answer(main)
