"""Hold stored books against the invariants and the provider's, a bounded number a day."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.domain.customer import Customer
from shared.domain.due import Lane
from shared.domain.invariants import (
    TICKS,
    Breach,
    CustomerBooks,
    Queued,
    Rule,
    breaches,
    provider_breaches,
)
from shared.domain.message import Notice, NoticeKind
from shared.operations.context import Context
from shared.providers.port import ProviderUnavailable, RequestRefused
from shared.store import accounts, transactions
from shared.store.accounts import AUDIT_MARK, AuditMark
from shared.store.collection import collection_of
from shared.store.due import Entry, due, standing
from shared.store.engine import Row, commit, moment_of, overwrite, read

MAX_CUSTOMERS = 500
"""Customers a day: the audit goes round and costs the same however many there are."""

MAX_PAGES = 4
"""A collection longer than this is checked as far as it was read."""

MAX_ENTRIES = 100
"""Entries of each lane and shard of the due index that are looked at, the oldest first."""

MAX_UNANSWERED = 10
"""Calls that a provider may leave unanswered before it is asked no more today."""

ONE_SECOND = timedelta(seconds=1)
"""`due` has what is due at its moment itself, which is not overdue yet."""

OVERLAP = timedelta(days=1)
"""How far before the last round's beginning the provider's books are read again."""


@dataclass
class Audited:
    """`unanswered` is how many customers the provider was not to be asked about."""

    customers: int = 0
    unanswered: int = 0
    breaches: list[Breach] = field(default_factory=list)


def books_of(customer_id: str) -> CustomerBooks | None:
    """A customer's collection as the invariants look at it; None when there is no head."""
    after: str | None = None
    rows: list[Row[Any]] = []
    for _ in range(MAX_PAGES):
        page = collection_of(customer_id, after=after)
        rows.extend(page.rows)
        after = page.next
        if after is None:
            break
    head = next((row.value for row in rows if isinstance(row.value, Customer)), None)
    if head is None:
        return None
    books = CustomerBooks(customer=head, whole=after is None)
    for row in rows:
        books.add(row.value)
        books.queue.append(
            Queued(
                item=f"{row.ref.pk}/{row.ref.sk}",
                moment=moment_of(row.value),
                due_at=row.due_at,
                due_for=row.due_for,
            )
        )
    return books


def audit(context: Context, *, shards: int) -> Audited:
    """Check the due index and the next customers, go on tomorrow where this ended, and tell staff
    of breaches."""
    row = read(AUDIT_MARK).get(AUDIT_MARK)
    mark = row.value if row else AuditMark()
    now = context.now()
    if mark.after is None:
        mark = AuditMark(round_began_at=now, last_round_began_at=mark.round_began_at)
    since = mark.last_round_began_at and mark.last_round_began_at - OVERLAP
    found = Audited(breaches=queue_breaches(shards, now))
    after = mark.after
    while found.customers < MAX_CUSTOMERS:
        page = accounts.customers_by_address("", after=after)
        for one in page.rows:
            found.customers += 1
            _look_at(context, one.value.customer_id, since, found)
        after = page.next
        if after is None:
            break
    commit([overwrite(AUDIT_MARK, mark.model_copy(update={"after": after}))])
    if found.breaches:
        transactions.notify([_notice(context, found.breaches)])
    return found


def _look_at(context: Context, customer_id: str, since: datetime | None, found: Audited) -> None:
    """Pages of one collection are read one after the other, and the provider's after them, so
    something may have moved between: what is wrong twice is wrong."""
    books = books_of(customer_id)
    if books is not None and _wrong(context, books, since, found):
        again = books_of(customer_id)
        found.breaches += [] if again is None else _wrong(context, again, since, found)


def _wrong(
    context: Context, books: CustomerBooks, since: datetime | None, found: Audited
) -> list[Breach]:
    wrong = breaches(books, context.now())
    if not books.whole or found.unanswered >= MAX_UNANSWERED:
        return wrong
    try:
        return wrong + at_providers(context, books, since)
    except (ProviderUnavailable, RequestRefused, KeyError):
        found.unanswered += 1
        return wrong


def at_providers(context: Context, books: CustomerBooks, since: datetime | None) -> list[Breach]:
    """What every provider that knows this customer says otherwise than our books."""
    wrong: list[Breach] = []
    for name, provider_customer in books.customer.provider_customers.items():
        listed = context.provider(name).list_charges(
            provider_customer=provider_customer, since=since
        )
        if listed is not None:
            own = [one for one in books.charges if _is_at(name, one)]
            wrong += provider_breaches(own, listed, since=since, now=context.now())
    return wrong


def _is_at(provider: str, charge: Any) -> bool:
    return any(one.card.provider == provider for one in charge.attempts)


def queue_breaches(shards: int, now: datetime) -> list[Breach]:
    """The oldest entries of the due index: each has its item, and none is left lying. Only what
    has been due for two ticks is looked at, and an entry without its item twice: the index
    follows its items a moment later."""
    lying, astray = _oldest(shards, now)
    if astray:
        astray &= _oldest(shards, now)[1]
    return [
        *(Breach(Rule.NOT_OVERDUE, f"{one.pk}/{one.sk}", one.due_at) for one in sorted(lying)),
        *(Breach(Rule.INDEX_HAS_ITEM, f"{one.pk}/{one.sk}", one.due_at) for one in sorted(astray)),
    ]


def _oldest(shards: int, now: datetime) -> tuple[set[Entry], set[Entry]]:
    """Entries that are overdue, and those that stand for nothing."""
    found = [
        entry
        for lane in Lane
        for shard in range(shards)
        for entry in due(lane, shard, now - TICKS - ONE_SECOND, MAX_ENTRIES)
    ]
    lying: set[Entry] = set()
    for at in range(0, len(found), MAX_ENTRIES):
        lying |= standing(found[at : at + MAX_ENTRIES])
    return lying, set(found) - lying


def _notice(context: Context, found: list[Breach]) -> Notice:
    shown = "; ".join(str(breach) for breach in found[:10])
    return Notice(
        id=context.new_id(),
        kind=NoticeKind.INVARIANT_BREACHED,
        title=f"The books do not add up in {len(found)} place(s)",
        detail=shown,
        created_at=context.now(),
    )
