"""What a renewal and an idle month cost, from counted units, sizes and durations and stated prices.

Units, requests, events and log bytes are counted. How long a function runs on AWS can't be counted
here: it is the CPU that was measured, slowed to the share of a processor that its memory buys, and
waits that are stated below. Emails and the provider's fees are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from bench import prices
from bench.operations import WHOLE, Night
from bench.prices import Price
from infra.local.template import Template

DATABASE_WAIT_SECONDS = 0.008
"""One call of DynamoDB from a function in its region; a transaction takes the longest."""

PROVIDER_WAIT_SECONDS = 0.8
"""One payment at a card provider, from asking to its answer."""

EVENTS_WAIT_SECONDS = 0.015
"""One call of EventBridge, or of the mail service."""

MEGABYTES_OF_A_PROCESSOR = 1769
"""What Lambda's memory setting has to be for one whole processor."""

PLATFORM_LOG_BYTES = 700
"""What Lambda itself writes for an invocation: start, report."""

GB = 1024**3
KB = 1024
THOUSAND = 1000
MINUTES_OF_A_MONTH = 30 * 24 * 60
DAYS_OF_A_MONTH = 30

STORED_GB = 0.05
"""What a small business keeps: some hundred customers with a year's history."""

HANDLERS = {
    "lease": "sweep",
    "lease_of_the_pack": "sweep",
    "expiries": "expiries",
    "renewals": "renewals",
    "receive": "receive",
    "apply": "apply",
    "number": "number",
    "deliver": "deliver",
}
"""Which function does what `operations.Night` counts."""


@dataclass
class Bill:
    """So many units of each price."""

    units: dict[str, float] = field(default_factory=dict)
    prices: dict[str, Price] = field(default_factory=dict)

    def add(self, price: Price, units: float) -> None:
        self.prices[price.what] = price
        self.units[price.what] = self.units.get(price.what, 0.0) + units

    def dollars(self, *, allowed: bool) -> float:
        return sum(self.lines(allowed=allowed).values())

    def lines(self, *, allowed: bool) -> dict[str, float]:
        return {
            what: price.of(self.units[what], allowed=allowed) for what, price in self.prices.items()
        }


def memory(template: Template) -> Mapping[str, int]:
    """Megabytes of each function, by the last part of its module."""
    return {one.handler.split(".")[2]: one.memory_megabytes for one in template.functions}


def seconds(cpu: float, megabytes: int, waits: float) -> float:
    """How long a function with so much memory runs that computes and waits for so long."""
    return cpu / min(1.0, megabytes / MEGABYTES_OF_A_PROCESSOR) + waits


def renewals(night: Night, template: Template, cpu_of_a_call: float) -> Bill:
    """A thousand renewals as in `night`, each whole. `cpu_of_a_call`: the CPU seconds that one of
    our functions takes for each call of DynamoDB."""
    bill = Bill()
    sizes = memory(template)
    for name in WHOLE:
        asked = night.asked.get(name)
        if asked is None:
            continue
        bill.add(prices.WRITES, asked.writes * THOUSAND)
        bill.add(prices.READS, asked.reads * THOUSAND)
        bill.add(prices.EVENTS, asked.events * THOUSAND)
        bill.add(prices.INVOCATIONS, asked.invocations * THOUSAND)
        waits = asked.waits * DATABASE_WAIT_SECONDS + asked.events * EVENTS_WAIT_SECONDS
        if name == "renewals":
            waits += PROVIDER_WAIT_SECONDS
        if name == "deliver":
            waits += EVENTS_WAIT_SECONDS * MAILS_OF_A_RENEWAL
        megabytes = sizes[HANDLERS[name]]
        took = seconds(asked.calls * cpu_of_a_call, megabytes, waits)
        bill.add(prices.COMPUTE, took * megabytes / KB * THOUSAND)
    whole = night.whole()
    log_bytes = night.log_bytes + whole.invocations * PLATFORM_LOG_BYTES
    bill.add(prices.LOGS, log_bytes * THOUSAND / GB)
    bill.add(prices.REQUESTS, THOUSAND)
    return bill


MAILS_OF_A_RENEWAL = 2


def idle_month(template: Template, tick_cpu: float, tick_log_bytes: float) -> Bill:
    """Nothing falls due and nobody comes: the sweep's ticks, the daily audit, what is watched."""
    bill = Bill()
    sizes = memory(template)
    lanes = 3
    took = seconds(tick_cpu, sizes["sweep"], lanes * DATABASE_WAIT_SECONDS)
    runs = MINUTES_OF_A_MONTH + DAYS_OF_A_MONTH
    bill.add(prices.SCHEDULES, runs)
    bill.add(prices.INVOCATIONS, runs)
    bill.add(prices.COMPUTE, took * sizes["sweep"] / KB * MINUTES_OF_A_MONTH)
    bill.add(prices.READS, lanes * 0.5 * MINUTES_OF_A_MONTH + DAYS_OF_A_MONTH * AUDIT_READS)
    logged = (tick_log_bytes + PLATFORM_LOG_BYTES) * MINUTES_OF_A_MONTH / GB
    bill.add(prices.LOGS, logged)
    bill.add(prices.LOGS_KEPT, logged * MONTHS_LOGS_ARE_KEPT)
    bill.add(prices.STORAGE, STORED_GB)
    bill.add(prices.RECOVERY, STORED_GB)
    kinds = resources()
    bill.add(prices.ALARMS, kinds.get("AWS::CloudWatch::Alarm", 0))
    bill.add(prices.DASHBOARDS, kinds.get("AWS::CloudWatch::Dashboard", 0))
    bill.add(prices.METRICS, OWN_METRICS)
    bill.add(prices.PARAMETERS, 1)
    return bill


AUDIT_READS = 500
"""Units of one day's audit of a small business."""

MONTHS_LOGS_ARE_KEPT = 3
OWN_METRICS = 6
"""Those that our functions count (docs/operations.md)."""

TEMPLATE = Path(__file__).parents[1] / "template.yaml"


class _AnyTag(yaml.SafeLoader):
    """YAML whose short forms don't matter."""


_AnyTag.add_multi_constructor("!", lambda *_: None)


def resources() -> dict[str, int]:
    """How many resources of each type the template has, conditional ones too."""
    found: dict[str, int] = {}
    document = yaml.load(TEMPLATE.read_text(), _AnyTag)  # noqa: S506 - a safe loader
    for one in document["Resources"].values():
        found[one["Type"]] = found.get(one["Type"], 0) + 1
    return found
