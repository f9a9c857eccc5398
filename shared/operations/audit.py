"""Hold stored books against the invariants and the provider's, a bounded number a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

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
from shared.domain.reversal import taken_back
from shared.providers.errors import ProviderUnavailable, RequestRefused
from shared.store import accounts, transactions
from shared.store.accounts import audit_mark
from shared.store.collection import collection_of
from shared.store.due import Entry, due, standing
from shared.store.items import Lost, Row, out_of_place
from shared.store.marks import AuditMark
from shared.store.people import customer_pk
from shared.store.reading import moment_of, read
from shared.store.writing import commit, overwrite, replace

if TYPE_CHECKING:
    from shared.domain.provider_charge import ProviderCharge
    from shared.operations.context import Context

MAX_CUSTOMERS = 500
"""Customers a day: the audit goes round and costs the same however many there are."""

MAX_PAGES = 4
"""A collection longer than this is checked as far as it was read."""

MOVED_AT_ONCE = 500
"""Items of one customer that a round of the audit moves to where they lie by now."""

MAX_ENTRIES = 100
"""Entries of each lane and shard of the due index that are looked at, the oldest first."""

MAX_UNANSWERED = 10
"""Customers about whom a provider may not answer before it is asked no more today."""

ONE_SECOND = timedelta(seconds=1)
"""`due` has what is due at its moment itself, which is not overdue yet."""

REVERSALS_WITHIN = timedelta(days=180)
"""How far before the last round's beginning the provider's books are read again: a bank takes a
payment back within 120 days as a rule, and the report of it may be lost ([REVERSE])."""


@dataclass
class Audited:
    """`unanswered` counts the customers about whom a provider was asked and gave no answer;
    `silent` the same for each provider."""

    customers: int = 0
    unanswered: int = 0
    breaches: list[Breach] = field(default_factory=list)
    silent: Counter[str] = field(default_factory=Counter)

    @property
    def quiet(self) -> frozenset[str]:
        """The providers that are asked no more today; the others go on being asked ([MANY])."""
        return frozenset(one for one, times in self.silent.items() if times >= MAX_UNANSWERED)


def books_of(customer_id: str) -> CustomerBooks | None:
    """A customer's collection as the invariants look at it; None when there is no head."""
    return _books(*_rows_of(customer_id))


def _rows_of(customer_id: str) -> tuple[list[Row[Any]], bool]:
    """A customer's collection, and whether that is all of it."""
    after: str | None = None
    rows: list[Row[Any]] = []
    for _ in range(MAX_PAGES):
        page = collection_of(customer_id, after=after)
        rows.extend(page.rows)
        after = page.next
        if after is None:
            return rows, True
    return rows, False


def put_in_place(rows: Iterable[Row[Any]]) -> int:
    """Move what an earlier version wrote where it lies by now: at most `MOVED_AT_ONCE`, the others
    the next time. How many were moved; what is leased or changes meanwhile moves by itself."""
    astray = [row for row in rows if row.due_for is None and out_of_place(row)][:MOVED_AT_ONCE]
    moved = 0
    for row in astray:
        with suppress(Lost):
            commit([replace(row, row.value)])
            moved += 1
    return moved


def _books(rows: Sequence[Row[Any]], whole: bool) -> CustomerBooks | None:
    head = next((row.value for row in rows if isinstance(row.value, Customer)), None)
    if head is None:
        return None
    books = CustomerBooks(customer=head, whole=whole)
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
    mark_ref = audit_mark()
    row = read(mark_ref).get(mark_ref)
    mark = row.value if row else AuditMark()
    now = context.now()
    if mark.after is None:
        mark = AuditMark(round_began_at=now, last_round_began_at=mark.round_began_at)
    since = mark.last_round_began_at and mark.last_round_began_at - REVERSALS_WITHIN
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
    commit([overwrite(mark_ref, mark.model_copy(update={"after": after}))])
    # What lies about is found by the index and again by its owner.
    found.breaches = list(dict.fromkeys(found.breaches))
    if found.breaches:
        transactions.notify([_notice(context, found.breaches)])
    return found


def _look_at(context: Context, customer_id: str, since: datetime | None, found: Audited) -> None:
    """Pages of one collection are read one after the other, and the providers' after them, so
    something may have moved between: what is wrong twice is wrong. A reversal whose report was
    lost is recorded instead. Books that can't be read at all are wrong, and no other customer
    waits for them."""
    quiet = found.quiet
    try:
        wrong, silent = _wrong(context, customer_id, since, quiet)
        if wrong:
            if any(one.rule is Rule.PROVIDER_AGREES for one in wrong):
                _record_reversals(context, customer_id, since, quiet)
            wrong, silent_again = _wrong(context, customer_id, since, quiet)
            silent |= silent_again
    except ValidationError as error:
        named = Breach(Rule.READABLE, customer_pk(customer_id), f"{error.title} can't be read")
        wrong, silent = [named], set()
    found.breaches += wrong
    found.unanswered += bool(silent)
    found.silent.update(silent)


def _wrong(
    context: Context, customer_id: str, since: datetime | None, quiet: frozenset[str]
) -> tuple[list[Breach], set[str]]:
    """What does not hold now, and which providers were asked and have not answered."""
    rows, whole = _rows_of(customer_id)
    put_in_place(rows)
    books = _books(rows, whole)
    if books is None:
        return [], set()
    wrong = breaches(books, context.now())
    silent: set[str] = set()
    if not books.whole:
        return wrong, silent
    for name, names in _known_as(books).items():
        if name in quiet:
            continue
        try:
            listed = _listed(context, name, names, since)
        except (ProviderUnavailable, RequestRefused):
            silent.add(name)
            continue
        if listed is not None:
            wrong += provider_breaches(
                books.charges, listed, since=since, now=context.now(), provider=name
            )
    return wrong, silent


def _record_reversals(
    context: Context, customer_id: str, since: datetime | None, quiet: frozenset[str]
) -> None:
    """What banks took back of a customer's payments, or gave again, without our having heard. A
    provider that does not answer now is asked again right after, for what is wrong."""
    books = books_of(customer_id)
    if books is None:
        return
    ours = {one.ref: one for one in books.charges}
    for name, names in _known_as(books).items():
        if name in quiet:
            continue
        try:
            listed = _listed(context, name, names, since) or ()
        except (ProviderUnavailable, RequestRefused):
            continue
        for one in listed:
            charge = ours.get(one.charge_ref)
            attempt = charge.attempt_at(one.id) if charge else None
            if charge and attempt and taken_back(attempt).minor != one.reversed_minor:
                from shared.operations import reversing

                reversing.look(context, customer_id, charge.source, one.id)


def _known_as(books: CustomerBooks) -> dict[str, list[str]]:
    """What each provider that may have money of this customer calls them ([MANY])."""
    asked = (one for charge in books.charges for one in charge.attempts)
    pairs = [
        *books.customer.provider_customers.items(),
        *((one.card.provider, one.provider_customer) for one in asked),
    ]
    names: dict[str, list[str]] = {}
    for provider, provider_customer in dict.fromkeys(pairs):
        names.setdefault(provider, []).append(provider_customer)
    return names


def _listed(
    context: Context, name: str, provider_customers: Sequence[str], since: datetime | None
) -> Sequence[ProviderCharge] | None:
    """Everything that a provider has of this customer; None where it can't list."""
    provider = context.provider(name)
    found: list[ProviderCharge] = []
    for one in provider_customers:
        listed = provider.list_charges(provider_customer=one, since=since)
        if listed is None:
            return None
        found += listed
    return found


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
