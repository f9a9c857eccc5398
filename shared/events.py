"""What every worker of the due queue does with an event of the bus."""

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

MAX_ITEMS = 100
"""More than any event of ours holds; what is beyond comes back with its lease."""

NAMESPACE = "Punchcard"
SERVICE = "punchcard"

logger = Logger(service=SERVICE)


class NotAllDone(Exception):
    """Some items of the event failed. Each comes back by its lease; the event's own retry only
    tries them sooner. Raised so that the failure is counted and the event kept."""


def each(event: Mapping[str, Any], do: Callable[[str, str], Any]) -> dict[str, int]:
    """Call `do(pk, sk)` for every item that the event names, whatever becomes of the others.

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
        except Exception:
            failed += 1
            logger.exception("due item failed", pk=pk, sk=sk)
            continue
        name = str(getattr(outcome, "value", outcome))
        outcomes[name] = outcomes.get(name, 0) + 1
        logger.info("due item", worker=event.get("detail-type"), pk=pk, sk=sk, outcome=name)
    if failed:
        raise NotAllDone(f"{failed} of {len(items)} items failed")
    return outcomes


def key_of(pk: str, sk: str) -> tuple[str, str]:
    """The customer's id and the item's id, from its keys."""
    return pk.removeprefix("customer#"), sk.partition("#")[2]


def count(name: str, value: int) -> None:
    """One number to CloudWatch, by the log line that Lambda writes anyway."""
    with single_metric(
        name=name, unit=MetricUnit.Count, value=value, namespace=NAMESPACE
    ) as metric:
        metric.add_dimension(name="service", value=SERVICE)
