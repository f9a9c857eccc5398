"""The process in which a function runs again and again while its calls, units and CPU are counted;
see `bench.growth`. Run as a module it hears, as JSON, when the clock stands where and which events
to handle, and answers what each took.
"""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from bench import function
from shared.store.items import AccessItem, AccountItem, CatalogueItem, connection

MAX_TICKS = 2_000


class Counter:
    """Calls and capacity units of the store's clients, as the engine reports them. No transaction
    is among what is counted here."""

    def __init__(self) -> None:
        self.calls = 0
        self.units = 0.0
        clients = [connection().client]
        clients += [
            model._get_connection().connection.client
            for model in (AccountItem, CatalogueItem, AccessItem)
        ]
        for client in {id(client): client for client in clients}.values():
            events = client.meta.events
            events.register("provide-client-params.dynamodb", self._ask)
            events.register("after-call.dynamodb", self._note)

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def _note(self, parsed: dict[str, Any], **_: Any) -> None:
        self.calls += 1
        found = parsed.get("ConsumedCapacity") or []
        self.units += sum(
            one["CapacityUnits"] for one in (found if isinstance(found, list) else [found])
        )

    @contextmanager
    def counting(self) -> Iterator[dict[str, float]]:
        """Filled with calls, units and CPU seconds at its end."""
        took: dict[str, float] = {}
        calls, units = self.calls, self.units
        gc.collect()
        began = time.process_time()
        yield took
        took["cpu"] = time.process_time() - began
        took["calls"], took["units"] = self.calls - calls, self.units - units


def main(told: dict[str, Any]) -> list[dict[str, float]]:
    function.install(datetime.fromisoformat(told["now"]))
    counter = Counter()
    gc.disable()
    if told["what"] == "sweep":
        return [_sweep(counter)]
    if told["what"] == "ticks":
        return [_tick(counter, told["repeats"])]
    return [_page(counter, one, told["repeats"]) for one in told["pages"]]


def _sweep(counter: Counter) -> dict[str, float]:
    """Ticks until nothing is due any more."""
    handle = function.handler("billing.sweep")
    leased = 0
    with counter.counting() as took:
        for _ in range(MAX_TICKS):
            taken = sum(handle({})["leased"].values())
            leased += taken
            if not taken:
                break
    return {**took, "leased": leased}


def _tick(counter: Counter, repeats: int) -> dict[str, float]:
    """The least CPU of ticks that find nothing."""
    handle = function.handler("billing.sweep")
    found = []
    for _ in range(repeats):
        with counter.counting() as took:
            handle({})
        found.append(took)
    return min(found, key=lambda one: one["cpu"])


def _page(counter: Counter, one: dict[str, Any], repeats: int) -> dict[str, float]:
    """The least CPU of so many times; calls and units are the same each time."""
    handle = function.handler(one["module"])
    least: dict[str, float] = {}
    for _ in range(repeats):
        with counter.counting() as took:
            answer = handle(one["event"])
        assert answer["statusCode"] == 200, answer
        least = {name: min(least.get(name, value), value) for name, value in took.items()}
    return least


if __name__ == "__main__":
    function.answer(main)
