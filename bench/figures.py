"""Which figures there are, and how much each may be at most."""

import re
from collections.abc import Mapping
from typing import Any

from bench import growth
from bench.cost import Bill
from bench.growth import Grown
from bench.meter import Run
from bench.operations import Asked, Night
from bench.overhead import Ratio
from bench.report import Figure

PAGE, ADD_TO_CART, CHECKOUT, RENEWAL, ASK_TO_SIGN_IN = 2, 2, 5, 3, 1
OVERHEAD = 1.5
WRITES_OF_A_RENEWAL, WRITES_OF_THE_WHOLE, READS_OF_A_RENEWAL = 28, 42, 6
BY_STORED, BY_DUE, BY_HISTORY = 0.05, 1.05, 0.1
DOLLARS_OF_1000, DOLLARS_OF_A_MONTH = 0.04, 0.10
COLD_START = 1.3

MUTATES = {
    "GET /cards/return",
    "GET /card-update/{token}/return",
}
"""Where a provider sends the customer back: what was done there is recorded, then shown."""

HOW_ROUTE = (
    "Counted where the handler's requests leave it, on DynamoDB Local, warm. Waits one after the "
    "other; `calls` also counts those that wait side by side."
)
HOW_UNITS = (
    "Plain reads and writes as the engine reports them; transactions counted from the requests: "
    "2 for each begun KB of each item, and 1 for each entry of an index that comes or goes."
)
HOW_OVERHEAD = (
    "CPU (least of the repeats) of the handler, warm, ÷ that of the same requests by hand "
    "(bench/floor.py), taking turns in one process; median and spread (from the first to the third "
    "quartile) are of the pairs. The payment provider is on neither side."
)
HOW_GROWTH = (
    "Exponent of calls and capacity units together; `cpu` is that of the CPU, `work` what each "
    "size took."
)


def limit_of(route: str) -> int | None:
    """Round trips that a route may take."""
    match route:
        case "POST /cart/lines":
            return ADD_TO_CART
        case "POST /checkout":
            return CHECKOUT
        case "POST /sign-in" | "POST /console/sign-in":
            return ASK_TO_SIGN_IN
        case _ if route.startswith("GET ") and route not in MUTATES:
            return PAGE
        case _:
            return None


def key(route: str) -> str:
    """A route in a figure's name: `POST /cart/lines/{line}` is `POST./cart/lines/{line}`."""
    return re.sub(r"\s+", ".", route)


def of_routes(runs: Mapping[str, Run]) -> list[Figure]:
    trips, writes, reads = [], [], []
    for route, run in sorted(runs.items(), key=lambda one: one[0].split(" ")[::-1]):
        name = key(route)
        calls = {"calls": len(run.calls)}
        trips.append(Figure(f"round_trips.{name}", run.waits, HOW_ROUTE, limit_of(route), calls))
        reads.append(Figure(f"read_units.{name}", run.reads, HOW_UNITS))
        if run.writes:
            writes.append(Figure(f"write_units.{name}", run.writes, HOW_UNITS))
    return [*trips, *writes, *reads]


OPERATIONS = {
    "lease": "lease",
    "receive": "webhook_received",
    "apply": "webhook_applied",
    "number": "number",
    "deliver": "message",
    "expiries": "pack_ended",
}
"""What the parts of a renewal are called."""


def of_operations(
    night: Night, catalogue_reads: float, others: Mapping[str, Asked]
) -> list[Figure]:
    renewal, whole = night.asked["renewals"], night.whole()
    per_event = 1 / (renewal.invocations or 1)
    share = renewal.invocations
    how = (
        f"The mean of {night.renewals} that fall due in one minute, each with its share of what a "
        "batch has in common. "
    )
    own = (
        f"One of {per_event:.0f} in an event, without the catalogue, which a warm function keeps "
        "(`read_units.catalogue`). "
    )
    figures = [
        Figure("round_trips.renewal", renewal.waits - share, own + HOW_ROUTE, RENEWAL),
        Figure("write_units.renewal", renewal.writes, own + HOW_UNITS, WRITES_OF_A_RENEWAL),
        Figure(
            "read_units.renewal",
            renewal.reads - share * catalogue_reads,
            own + HOW_UNITS,
            READS_OF_A_RENEWAL,
        ),
        Figure("read_units.catalogue", catalogue_reads, "The snapshot of a small shop."),
        Figure(
            "write_units.renewal_whole",
            whole.writes,
            how + "Lease, renewal, webhook, number and both emails. " + HOW_UNITS,
            WRITES_OF_THE_WHOLE,
            {name: one.writes for name, one in night.asked.items()},
        ),
        Figure(
            "read_units.renewal_whole",
            whole.reads,
            how + HOW_UNITS,
            None,
            {name: one.reads for name, one in night.asked.items()},
        ),
    ]
    named = {OPERATIONS[name]: one for name, one in night.asked.items() if name in OPERATIONS}
    for name, one in {**named, **others}.items():
        figures += [
            Figure(f"round_trips.{name}", one.waits, how + HOW_ROUTE),
            Figure(f"write_units.{name}", one.writes, how + HOW_UNITS),
            Figure(f"read_units.{name}", one.reads, how + HOW_UNITS),
        ]
    return figures


def of_cold_starts(found: Mapping[str, Mapping[str, Any]]) -> list[Figure]:
    """Those of `bench.cold_start`: staff's console has no limit."""
    figures = []
    for name, one in found.items():
        more = {part: one[part] for part in ("min", "median", "spread")}
        limit = None if name.startswith("cold_start.console") else COLD_START
        figures.append(Figure(name, one["min"], one["how"], limit, more))
    return figures


def of_overhead(ratios: Mapping[str, Ratio]) -> list[Figure]:
    figures = []
    for name, ratio in ratios.items():
        more = {
            "min": ratio.least,
            "median": ratio.median,
            "spread": ratio.spread,
            "repeats": len(ratio.pairs),
            "ours_ms": min(ratio.ours) * 1000,
            "floor_ms": min(ratio.floor) * 1000,
        }
        figures.append(Figure(f"overhead.{name}", ratio.least, HOW_OVERHEAD, OVERHEAD, more))
    return figures


def of_speed(ratios: Mapping[str, Ratio]) -> Figure:
    renewal = ratios["renewal"]
    return Figure(
        "renewals_per_cpu_second",
        1 / min(renewal.ours),
        "One by the least CPU of a renewal, alone in its event, warm, on this machine; the "
        "payment provider answers at once.",
        None,
        {"median_ms": sorted(renewal.ours)[len(renewal.ours) // 2] * 1000},
    )


def of_growth(stored: Grown, due: Grown, pages: Mapping[str, Grown]) -> list[Figure]:
    def one(name: str, grown: Grown, limit: float) -> Figure:
        more = {
            "cpu": grown.exponent("cpu"),
            "sizes": list(grown.sizes),
            "work": [dict(part) for part in grown.work],
        }
        return Figure(f"growth.{name}", grown.counted, HOW_GROWTH, limit, more)

    each = [one(f"page_by_history{path}", grown, BY_HISTORY) for path, grown in pages.items()]
    worst = max(each, key=lambda figure: figure.value)
    return [
        one("sweep_by_stored", stored, BY_STORED),
        one("sweep_by_due", due, BY_DUE),
        Figure(
            "growth.page_by_history",
            worst.value,
            f"The worst of the lists below, of {growth.SHORT} and {growth.LONG} invoices. "
            + HOW_GROWTH,
            BY_HISTORY,
            {"worst": worst.name},
        ),
        *each,
    ]


def of_cost(thousand: Bill, idle: Bill) -> list[Figure]:
    how = (
        "Counted units, events and log bytes; measured CPU and stated waits (bench/cost.py) and "
        "prices (bench/prices.py)."
    )
    return [
        Figure(
            "cost_per_1000_renewals_usd",
            thousand.dollars(allowed=False),
            "Each whole, without emails, provider's fees and AWS's allowances. " + how,
            DOLLARS_OF_1000,
            {"parts": thousand.lines(allowed=False)},
        ),
        Figure(
            "idle_cost_per_month_usd",
            idle.dollars(allowed=True),
            "With AWS's allowances that never end. " + how,
            DOLLARS_OF_A_MONTH,
            {"parts": idle.lines(allowed=True)},
        ),
        Figure(
            "idle_cost_per_month_without_allowances_usd",
            idle.dollars(allowed=False),
            "As if the allowances were used up by others. " + how,
            None,
            {"parts": idle.lines(allowed=False)},
        ),
    ]
