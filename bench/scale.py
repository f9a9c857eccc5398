"""What a night of many renewals takes: the tables of docs/scale.md, from stated numbers.

`python -m bench.scale` prints them, `--write` puts them into the page. Nothing here is measured:
the units are those that `make bench` counts and holds to its limits, the seconds are stated, and
quotas and prices are quoted, with their sources in the page.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from bench import prices
from shared.domain.admission import FOR_A_CHARGE
from shared.domain.due import Worker
from shared.operations.sweep import ITEMS_A_SWEEP, ITEMS_PER_EVENT

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"

# --- of one renewal, whole -----------------------------------------------------------------------

WRITES = 39.4
"""Write units: `write_units.renewal_whole` of `make bench`, as counted on 2026-11-23."""

READS = 7.8
"""Read units: `read_units.renewal_whole`."""

INDEX_WRITES_A_LANE = 16
"""Writes of the due index in its busiest lane, `later`: for two emails and a pack an entry each
that comes, is leased (two writes), and moves on (two) or goes; `money` has 6, `now` 8 to 10. An
upper bound: emails of one moment are one entry, and nearly always need no lease."""

EMAILS = 2
WEBHOOKS = 1
RENEWAL_SECONDS = 1.0
"""How long a worker is at one renewal: the provider's 0.8 seconds, three calls of the database."""

AFTER_SECONDS = 0.4
"""Of functions besides: webhook, number, two emails, the share of a sweep."""

WORKER_GB = 0.5
LOG_KB = 4

LEASES_A_SECOND = 200
"""How many items one sweep leases in a second, at five milliseconds each."""

SWEEP_SECONDS = 45
"""What a sweep has before it must stop (55 seconds less what it keeps)."""

# --- limits, with sources in the page -------------------------------------------------------------

STRIPE = 20.0
"""Charges a second: four fifths of what Stripe takes of one endpoint."""

STRIPE_RAISED = 80.0
"""The same where Stripe has raised an endpoint to the 100 of the account."""

NEW_ACCOUNT_CONCURRENCY = 10
CONCURRENCY = 1_000
NEW_TABLE_WRITES = 4_000
TABLE_WRITES = 40_000
PARTITION_WRITES = 1_000
RULE_INVOCATIONS = 18_750
EMAILS_A_SECOND = 14.0
API_REQUESTS = 50
NUMBERS_A_TRANSACTION = ITEMS_PER_EVENT[Worker.NUMBER]
NUMBERING_A_SECOND = 50
"""Transactions on one location's counter: one after the other, twenty milliseconds each."""

MAX_SHARDS = 256
NIGHT_HOURS = 8

CHARGES_FOR_A_TURN = 50
"""How many charges a tick admits for each turn a second: worked off before the next tick."""

EVENTS = (
    1 / ITEMS_PER_EVENT[Worker.RENEWALS]
    + 1 / ITEMS_PER_EVENT[Worker.NUMBER]
    + EMAILS / ITEMS_PER_EVENT[Worker.DELIVER]
    + WEBHOOKS
)
"""Events on the bus for one renewal; the webhook's is put by who receives it."""

INVOCATIONS = EVENTS + WEBHOOKS


def dollars(renewals: int) -> float:
    """What `renewals` whole ones cost, without emails, the provider's fees and free allowances."""
    gb_seconds = (RENEWAL_SECONDS + AFTER_SECONDS) * WORKER_GB
    each = (
        WRITES * prices.WRITES.dollars
        + READS * prices.READS.dollars
        + gb_seconds * prices.COMPUTE.dollars
        + INVOCATIONS * prices.INVOCATIONS.dollars
        + EVENTS * prices.EVENTS.dollars
        + WEBHOOKS * prices.REQUESTS.dollars
        + LOG_KB / 1024**2 * prices.LOGS.dollars
    )
    return each * renewals


@dataclass(frozen=True)
class Night:
    """`due` subscriptions at one minute, and `per_second` charges that the provider takes."""

    due: int
    per_second: float
    why: str

    @property
    def minutes(self) -> float:
        """By what ticks admit, which is a sixth less than the turns of a minute."""
        return self.due / self.charges_a_minute

    @property
    def charges_a_minute(self) -> int:
        """`ChargesPerMinute`."""
        return ceil(self.per_second * CHARGES_FOR_A_TURN)

    @property
    def writes(self) -> float:
        """Write units a second."""
        return self.per_second * WRITES

    @property
    def partitions(self) -> int:
        return ceil(self.writes / PARTITION_WRITES)

    @property
    def shards(self) -> int:
        """Shards that the index needs, were each on one partition."""
        return max(1, ceil(self.per_second * INDEX_WRITES_A_LANE / PARTITION_WRITES))

    @property
    def working(self) -> int:
        """Functions that charge at once: `WorkerConcurrency`."""
        return ceil(self.per_second * RENEWAL_SECONDS)

    @property
    def waiting(self) -> int:
        """Functions of a tick, working or waiting for a turn, where none are reserved."""
        return ceil(self.charges_a_minute / ITEMS_PER_EVENT[Worker.RENEWALS])

    @property
    def sweeps(self) -> int:
        """Sweeps beside each other in a tick."""
        items = self.charges_a_minute * (1 + FOR_A_CHARGE + EMAILS)
        return ceil(items / ITEMS_A_SWEEP)

    @property
    def mail_hours(self) -> float:
        return self.due * EMAILS / EMAILS_A_SECOND / 3600


def in_a_night(due: int) -> float:
    """Turns a second with which a night is enough."""
    return due / (NIGHT_HOURS * 60 * CHARGES_FOR_A_TURN)


NIGHTS = tuple(
    Night(due, rate, why)
    for due in (10_000, 1_000_000, 100_000_000)
    for rate, why in (
        (STRIPE, "Stripe as it comes"),
        (STRIPE_RAISED, "Stripe, endpoint raised"),
        (in_a_night(due), f"done in {NIGHT_HOURS} hours"),
    )
    if rate >= 1
)


@dataclass(frozen=True)
class Limit:
    """What gives way at so many charges a second, and what to change then."""

    what: str
    per_second: float
    then: str


def limits() -> list[Limit]:
    """Everything that holds a night up, the narrowest first."""
    found = [
        Limit(
            "SES, emails of the night at 14 a second",
            EMAILS_A_SECOND / EMAILS,
            "nothing breaks: they go out later (`later`), what is awaited goes first; ask SES for "
            "more, then raise `SweepLimit`",
        ),
        Limit(
            "Lambda in a new account, 10 at once",
            NEW_ACCOUNT_CONCURRENCY / RENEWAL_SECONDS,
            "and visitors find none free: ask for 1,000, or set `ChargesPerMinute` to 200",
        ),
        Limit(
            "Stripe, one endpoint",
            STRIPE,
            "ask Stripe; then both settings of the secrets and `ChargesPerMinute`",
        ),
        Limit(
            "SSM, 40 reads a second: one sweep starts as many workers",
            ITEMS_A_SWEEP / CHARGES_FOR_A_TURN,
            "where one sweep is not enough for the charges, reserve `WorkerConcurrency`: a worker "
            "reads the secrets once in five minutes; or SSM's higher throughput",
        ),
        Limit(
            "the API's own throttle, one webhook a charge",
            API_REQUESTS / WEBHOOKS,
            "Stripe sends again what got 429, visitors don't: `RequestsPerSecond`",
        ),
        Limit(
            "one shard of the due index",
            PARTITION_WRITES / INDEX_WRITES_A_LANE,
            "writes of the table are throttled with it: `DueShards` = 2, then one for each 60",
        ),
        Limit("Stripe, the account", STRIPE_RAISED, "ask Stripe, or a second account"),
        Limit(
            "a new table",
            NEW_TABLE_WRITES / WRITES,
            "it doubles within half an hour by itself; at once with `WarmWritesPerSecond`",
        ),
        Limit(
            "one sweep for one shard of `money`",
            SWEEP_SECONDS * LEASES_A_SECOND / CHARGES_FOR_A_TURN,
            "`DueShards`: each shard's charges are leased beside the others'",
        ),
        Limit(
            "the table's quota",
            TABLE_WRITES / WRITES,
            "ask AWS for more writes a second of one table",
        ),
        Limit(
            "Lambda, 1,000 at once",
            CONCURRENCY / RENEWAL_SECONDS,
            "ask AWS; `WorkerConcurrency` keeps a share for visitors long before",
        ),
        Limit(
            "one turnstile, one partition's writes",
            PARTITION_WRITES,
            "several turnstiles for one provider (not built), or a provider that limits itself (0)",
        ),
        Limit(
            "invoice numbers of one location",
            NUMBERING_A_SECOND * NUMBERS_A_TRANSACTION,
            "numbers come later; locations don't wait for each other",
        ),
        Limit(
            f"{MAX_SHARDS} shards of the due index",
            MAX_SHARDS * PARTITION_WRITES / INDEX_WRITES_A_LANE,
            "another `MaxValue` in the template: nothing in the code counts on it",
        ),
        Limit(
            "EventBridge, rules' invocations",
            RULE_INVOCATIONS / EVENTS,
            "ask AWS; it delays and loses nothing",
        ),
    ]
    return sorted(found, key=lambda one: one.per_second)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def span(minutes: float) -> str:
    """Minutes, as people say them."""
    if minutes < 120:
        return f"{minutes:,.0f} min"
    if minutes < 60 * 48:
        return f"{minutes / 60:,.1f} h"
    return f"{minutes / 60 / 24:,.1f} days"


def nights() -> str:
    head = (
        "due", "turns a second", "takes", "`ChargesPerMinute`", "writes a second", "partitions",
        "`DueShards`", "working at once", "in a tick, waiting too", "sweeps a tick",
    )  # fmt: skip
    rows = [
        (
            f"{one.due:,}",
            f"{one.per_second:,.0f} ({one.why})",
            span(one.minutes),
            f"{one.charges_a_minute:,}",
            f"{one.writes:,.0f}",
            f"{one.partitions:,}",
            f"{one.shards:,}",
            f"{one.working:,}",
            f"{one.waiting:,}",
            f"{one.sweeps:,}",
        )
        for one in NIGHTS
    ]
    return "\n".join(table(head, rows))


def bills() -> str:
    head = ("due", "AWS", "emails besides", "the night's emails at 14 a second")
    rows = []
    for due in sorted({one.due for one in NIGHTS}):
        night = next(one for one in NIGHTS if one.due == due)
        rows.append(
            (
                f"{due:,}",
                f"{dollars(due):,.2f} USD",
                f"{due * EMAILS * EMAIL_DOLLARS:,.2f} USD",
                span(night.mail_hours * 60),
            )
        )
    return "\n".join(table(head, rows))


EMAIL_DOLLARS = 0.10 / 1_000


def breaks() -> str:
    rows = [
        (
            f"{one.per_second:,.0f}",
            f"{one.per_second * NIGHT_HOURS * 60 * CHARGES_FOR_A_TURN:,.0f}",
            one.what,
            one.then,
        )
        for one in limits()
    ]
    head = ("turns a second", f"due, in {NIGHT_HOURS} hours", "what gives way", "what then")
    return "\n".join(table(head, rows))


def parts() -> dict[str, str]:
    """What the page has between its marks, by their names."""
    return {"nights": nights(), "bills": bills(), "breaks": breaks()}


def marked(name: str, text: str) -> str:
    return f"<!-- {name}: python -m bench.scale -->\n\n{text}\n\n<!-- end of {name} -->"


def written(page: str) -> str:
    """The page with its tables made anew. `ValueError` when it lacks the marks of one."""
    for name, text in parts().items():
        begin, end = f"<!-- {name}: python -m bench.scale -->", f"<!-- end of {name} -->"
        before, found, rest = page.partition(begin)
        _, ended, after = rest.partition(end)
        if not found or not ended:
            raise ValueError(f"the page has no place for {name}")
        page = before + marked(name, text) + after
    return page


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scale.md")
    if parser.parse_args().write:
        PAGE.write_text(written(PAGE.read_text()))
    else:
        print("\n\n".join(parts().values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
