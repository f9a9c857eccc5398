"""What every worker of the due queue does with an event of the bus."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from shared.log import logger
from shared.store.due import put_back

MAX_ITEMS = 100
"""More than any event of ours holds; what is beyond comes back with its lease."""

NOTHING_DUE = "nothing_due"
"""What every operation answers for an item that needs nothing now."""

NAMESPACE = "Punchcard"


class NotAllDone(Exception):
    """Some items of the event failed. Each comes back by its lease; the event's own retry only
    tries them sooner. Raised so that the failure is counted and the event kept."""


def each(
    event: Mapping[str, Any], do: Callable[[str, str], Any], *, now: datetime
) -> dict[str, int]:
    """Call `do(pk, sk)` for every item that the event names, whatever becomes of the others. One
    of which nothing is due at `now` gets its true moment back, should it be on lease.

    Returns how often each outcome came. Raises `NotAllDone` at the end when some failed.
    """
    items = (event.get("detail") or {}).get("due") or []
    outcomes: dict[str, int] = {}
    failed = 0
    for item in items[:MAX_ITEMS]:
        pk = sk = ""
        try:
            pk, sk = str(item["pk"]), str(item["sk"])
            outcome = do(pk, sk)
            name = str(getattr(outcome, "value", outcome))
            if name == NOTHING_DUE and put_back(pk, sk, now):
                name = "put_back"
        except Exception:
            failed += 1
            logger.exception("due item failed", pk=pk, sk=sk)
            continue
        outcomes[name] = outcomes.get(name, 0) + 1
        logger.info("due item", worker=event.get("detail-type"), pk=pk, sk=sk, outcome=name)
    if failed:
        raise NotAllDone(f"{failed} of {len(items)} items failed")
    return outcomes


def key_of(pk: str, sk: str) -> tuple[str, str]:
    """The customer's id and the item's id, from its keys."""
    return pk.removeprefix("customer#"), sk.partition("#")[2]


def count(name: str, value: int) -> None:
    """One number to CloudWatch, by the log line that Lambda writes anyway. It is counted by stack,
    so that two stacks of one account don't answer for each other."""
    with single_metric(
        name=name, unit=MetricUnit.Count, value=value, namespace=NAMESPACE
    ) as metric:
        metric.add_dimension(name="service", value=logger.service)
