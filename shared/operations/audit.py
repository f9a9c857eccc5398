"""Hold stored books against the invariants, a bounded number of customers a day."""

from dataclasses import dataclass, field
from typing import Any

from shared.domain.customer import Customer
from shared.domain.invariants import Breach, CustomerBooks, Queued, breaches
from shared.domain.message import Notice, NoticeKind
from shared.operations.context import Context
from shared.store import accounts, transactions
from shared.store.accounts import AUDIT_MARK, AuditMark
from shared.store.collection import collection_of
from shared.store.engine import Row, commit, moment_of, overwrite, read

MAX_CUSTOMERS = 500
"""Customers a day: the audit goes round and costs the same however many there are."""

MAX_PAGES = 4
"""A collection longer than this is checked as far as it was read."""


@dataclass
class Audited:
    customers: int = 0
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


def audit(context: Context) -> Audited:
    """Check the next customers, go on tomorrow where this ended, and tell staff of breaches."""
    mark = read(AUDIT_MARK).get(AUDIT_MARK)
    after = mark.value.after if mark else None
    found = Audited()
    while found.customers < MAX_CUSTOMERS:
        page = accounts.customers_by_address("", after=after)
        for row in page.rows:
            found.customers += 1
            books = books_of(row.value.customer_id)
            if books is not None:
                found.breaches += _breaches_still_there(books, row.value.customer_id, context)
        after = page.next
        if after is None:
            break
    commit([overwrite(AUDIT_MARK, AuditMark(after=after))])
    if found.breaches:
        transactions.notify([_notice(context, found.breaches)])
    return found


def _breaches_still_there(books: CustomerBooks, customer_id: str, context: Context) -> list[Breach]:
    """Pages of one collection are read one after the other, so something may have moved between
    them; what is wrong twice is wrong."""
    if not breaches(books, context.now()):
        return []
    again = books_of(customer_id)
    return [] if again is None else breaches(again, context.now())


def _notice(context: Context, found: list[Breach]) -> Notice:
    shown = "; ".join(str(breach) for breach in found[:10])
    return Notice(
        id=context.new_id(),
        kind=NoticeKind.INVARIANT_BREACHED,
        title=f"The books do not add up in {len(found)} place(s)",
        detail=shown,
        created_at=context.now(),
    )
