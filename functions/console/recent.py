"""The newest of one customer's books, read without the years before (decision 13).

Ids begin with the time of their making, so that what was made lately lies together, kind by kind;
charges are found with their invoices. What something happened to long after it was made is named by
the index `touched`. What may still change lies apart (decision 12) and is read whole. Together
these tell everything that happened after some moment, which follows from how much was read.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from shared.domain.charge import NEVER, Charge, found_since
from shared.domain.invoice import Invoice, PaymentKind, by_credits_alone, charge_source
from shared.domain.pack import Entry, Pack
from shared.domain.subscription import Subscription
from shared.store import accounts
from shared.store.collection import (
    BEYOND_IDS,
    Collection,
    Touched,
    TouchedPage,
    all_of,
    newest_of,
    ref_of,
    side_of,
    touched_of,
)
from shared.store.items import Ref, Row, places_of
from shared.store.made import ON_TIME, first_id_at, made_at
from shared.store.reading import MAX_BATCH_GET, Page, read
from shared.store.timeline import TimelineEvent
from shared.web.side_by_side import each_side_by_side, side_by_side

NEWEST = 12
"""Invoices, and past reservations, of the first reading."""

TOUCHED = 40
"""What something happened to later, of the first reading."""

ALL_AT_ONCE = 1_000
"""Of what is read whole: who has more is told of from everything."""

SINCE_THEN = 300
"""Items of a kind in the second reading."""

SECOND = timedelta(seconds=1)
"""The index knows moments to the second."""


class Limits(NamedTuple):
    """How much of each is read."""

    newest: int = NEWEST
    touched: int = TOUCHED
    since_then: int = SINCE_THEN
    by_key: int = MAX_BATCH_GET


class Recent(NamedTuple):
    """Everything that tells of what happened after `since`, and some that does not; None: there is
    nothing else."""

    found: Collection
    since: datetime | None


class _CannotTell(Exception):
    """What is new can't be told of without what is old."""


USUAL = Limits()

Rows = dict[str, Row[Any]]
Reading = Callable[[], Page[Any]]


class Begun(NamedTuple):
    """The first of two readings: what is read whole, the newest of what is not, and what something
    happened to lately."""

    customer_id: str
    limits: Limits
    whole: list[Page[Any]]
    newest: list[Page[Any]]
    touched: TouchedPage


def begin(customer_id: str, limits: Limits = USUAL) -> Begun:
    """Begin to read the newest of a customer's books: one round trip."""
    whole: list[Reading] = [
        partial(side_of, customer_id, "event", "head", limit=ALL_AT_ONCE),
        partial(side_of, customer_id, "pack", "subscription", limit=ALL_AT_ONCE),
        partial(all_of, customer_id, "asking", limit=ALL_AT_ONCE),
        partial(all_of, customer_id, "visit", limit=ALL_AT_ONCE),
    ]
    newest: list[Reading] = [
        partial(newest_of, customer_id, name, limit=limits.newest)
        for name in ("invoice", "used", "ended-visit")
    ]
    pages, touched = side_by_side(
        lambda: each_side_by_side([*whole, *newest]),
        lambda: touched_of(customer_id, limit=limits.touched),
    )
    return Begun(customer_id, limits, pages[: len(whole)], pages[len(whole) :], touched)


def finish(begun: Begun) -> Recent | None:
    """Read the rest: one more round trip, and a second where something old is named that was not
    read with the others. None when it takes everything to tell of what is new."""
    try:
        return _finish(begun)
    except _CannotTell:
        return None


def _finish(begun: Begun) -> Recent:
    if any(page.next for page in begun.whole):
        raise _CannotTell
    customer_id = begun.customer_id
    rows = {row.ref.sk: row for page in (*begun.whole, *begun.newest) for row in page.rows}
    floors = [*_floors(begun.newest), *_floor_of_index(begun.touched)]
    since = max(floors, default=None)
    touched = [one for one in begun.touched.items if since is None or one.at + SECOND > since]
    reach = _reach(touched, since)
    named, more_before = _named(begun, rows, touched, since, reach)
    floors += [more_before] if more_before is not None else []
    ranges, ledgers = _ranges(begun, reach), _ledgers(customer_id, rows)
    pages, known = side_by_side(lambda: each_side_by_side([*ranges, *ledgers]), lambda: _get(named))
    later = pages[: len(ranges)]
    if any(page.next for page in pages[len(ranges) :]):
        raise _CannotTell
    rows |= {row.ref.sk: row for page in pages for row in page.rows}
    rows |= {row.ref.sk: row for row in known}
    floors += [*_floors(later), *_floors_beyond(later, touched)]
    since = max(floors, default=None)
    rows |= {row.ref.sk: row for row in _get(_missing(customer_id, rows, since))}
    _check_reversals(rows, since)
    return Recent(Collection(_each_once(rows), None), since)


def _each_once(rows: Rows) -> tuple[Row[Any], ...]:
    """In the order of the whole collection. What moved meanwhile was read in both places: the later
    version is where it is."""
    latest: dict[str, Row[Any]] = {}
    for row in rows.values():
        usual_place = places_of(row.ref._replace(exact=False))[0]
        other = latest.get(usual_place)
        if other is None or other.version < row.version:
            latest[usual_place] = row
    return tuple(sorted(latest.values(), key=lambda row: row.ref.sk, reverse=True))


def _floors(pages: Iterable[Page[Any]]) -> Iterator[datetime]:
    """For each page that is cut: the moment after which nothing happened to what follows it, but
    for what the index names."""
    for page in pages:
        if page.next is not None:
            made = made_at(page.next)
            if made is None:
                raise _CannotTell
            yield made + ON_TIME


def _floors_beyond(pages: Iterable[Page[Any]], touched: Iterable[Touched]) -> Iterator[datetime]:
    """For what the index names and a page was cut before: when that happened."""
    for page in pages:
        if page.next is not None:
            name = page.next.partition("#")[0]
            yield from (
                one.at + SECOND for one in touched if one.name == name and one.sk < page.next
            )


def _floor_of_index(touched: TouchedPage) -> Iterator[datetime]:
    if not touched.whole:
        yield touched.items[-1].at + SECOND


class _Reach(NamedTuple):
    """From which id on the second reading has everything of a kind, as `newest_of` reads."""

    emails: str
    packs: str
    """And their entries."""

    def from_of(self, name: str) -> str:
        return self.emails if name == "message" else self.packs

    def holds(self, name: str, id_: str) -> bool:
        return name in RANGES and self.from_of(name) <= id_ < BEYOND_IDS


RANGES = ("ended-pack", "entry", "message")
NEAR = timedelta(days=62)
SEVERAL = 5
"""So many packs that the index names from so long before are read with all others of that time:
one by one they would cost more."""


def _reach(touched: Iterable[Touched], since: datetime | None) -> _Reach:
    first = _first_id(since)
    if since is None:
        return _Reach(first, first)
    near = first_id_at(since - NEAR)
    packs = {_pack_id(one) for one in touched if one.name == "entry" and near <= one.id < first}
    return _Reach(first, min(packs) if len(packs) >= SEVERAL else first)


def _pack_id(entry: Touched) -> str:
    return entry.id.partition("#")[0]


def _ranges(begun: Begun, reach: _Reach) -> list[Reading]:
    limit = begun.limits.since_then
    return [
        partial(newest_of, begun.customer_id, name, limit=limit, since=reach.from_of(name))
        for name in RANGES
    ]


def _ledgers(customer_id: str, rows: Rows) -> list[Reading]:
    """All of what happened to packs that are on hold: the page says where their credits went
    ([REVERSE])."""
    packs = [row.value for row in rows.values() if isinstance(row.value, Pack)]
    return [
        partial(accounts.ledger_of, customer_id, one.id, limit=ALL_AT_ONCE)
        for one in packs
        if one.frozen_at is not None
    ]


def _first_id(since: datetime | None) -> str:
    """The least id of what is told of after `since`, if nothing happened to it later."""
    return "" if since is None else first_id_at(since - ON_TIME)


def _named(
    begun: Begun,
    rows: Rows,
    touched: Iterable[Touched],
    since: datetime | None,
    reach: _Reach,
) -> tuple[list[Ref[Any]], datetime | None]:
    """What the second reading asks for by its key: the latest, as many as it may. Where there are
    more, also the moment after which there is nothing of them."""
    wanted: dict[str, Ref[Any]] = {}
    for source in _sources(rows, _first_id(since), since):
        ref = accounts.charge(begun.customer_id, source)
        wanted[ref.sk] = ref
    for one in touched:
        more = {ref.sk: ref for ref in _refs_of(begun.customer_id, one, rows, reach)}
        if more and len(wanted | more) > begun.limits.by_key:
            return list(wanted.values()), one.at + SECOND
        wanted |= more
    return list(wanted.values()), None


def _refs_of(customer_id: str, one: Touched, rows: Rows, reach: _Reach) -> Iterator[Ref[Any]]:
    """Something that the index names, unless it is read otherwise, and the pack of an entry."""
    if one.sk in rows or reach.holds(one.name, one.id):
        return
    ref = ref_of(customer_id, one)
    if ref is None:
        return
    yield ref
    # Packs that may still change were all read.
    if one.name == "entry" and f"pack#{_pack_id(one)}" not in rows:
        yield accounts.ended_pack(customer_id, _pack_id(one))


def _sources(rows: Rows, first: str, since: datetime | None) -> Iterator[str]:
    """Of the charges that lines may be told of: those of new invoices, of what is being collected,
    and of what was when a subscription ended."""
    for row in rows.values():
        match row.value:
            case Invoice() as invoice if invoice.id >= first and not by_credits_alone(invoice):
                if invoice.source is not None:
                    yield invoice.source
                if invoice.source is None or invoice.times_reversed:
                    for times in range(invoice.times_reversed + 1):
                        yield charge_source(invoice.id, times)
            case Subscription(ended_at=None) as one:
                if one.collection is not None:
                    yield one.collection.source
            case Subscription(ended_at=datetime() as ended) as one if not since or ended > since:
                yield accounts.period_source(one.id, one.next_period)


def _missing(customer_id: str, rows: Rows, since: datetime | None) -> Iterator[Ref[Any]]:
    """What lines name of what was not read."""
    packs = {row.value.id for row in rows.values() if isinstance(row.value, Pack)}
    invoices = {row.value.id for row in rows.values() if isinstance(row.value, Invoice)}

    def new(at: datetime) -> bool:
        return since is None or at > since

    wanted_packs: set[str | None] = set()
    wanted: set[str | None] = set()
    for row in rows.values():
        match row.value:
            case Charge() as charge:
                if found_since(charge) != NEVER:
                    wanted.add(charge.invoice_id)
            case Entry() as entry if new(entry.at):
                wanted_packs.add(entry.pack_id)
                wanted.add(entry.invoice_id)
            case TimelineEvent() as event if new(event.at):
                wanted_packs.add(event.pack_id)
    for pack_id in wanted_packs - packs - {None}:
        assert pack_id is not None
        yield accounts.pack(customer_id, pack_id)
    for invoice_id in wanted - invoices - {None}:
        assert invoice_id is not None
        yield accounts.invoice(customer_id, invoice_id)


def _get(refs: Iterable[Ref[Any]]) -> list[Row[Any]]:
    """Those of `refs` that there are. What an index named and is not there is on its way to
    another place."""
    asked = list(refs)
    if sum(len(places_of(ref)) for ref in asked) > MAX_BATCH_GET:
        raise _CannotTell
    found = read(*asked) if asked else None
    rows: list[Row[Any]] = []
    for ref in asked:
        row = found.get(ref) if found is not None else None
        if row is not None:
            rows.append(row)
        elif ref.exact:
            raise _CannotTell
    return rows


def _check_reversals(rows: Rows, since: datetime | None) -> None:
    """What a bank took back, or gave again, is told with the packs that it had paid, which may be
    older than everything that was read; and of a pack on hold the page says where its credits
    went, also when that has ended ([REVERSE])."""
    if since is None:
        return
    first = _first_id(since)
    old = [row.value for row in rows.values() if isinstance(row.value, Invoice)]
    payments = (payment for one in old if one.id < first for payment in one.payments)
    if any(one.kind in BY_A_BANK and one.at > since for one in payments):
        raise _CannotTell
    ended = [row.value for sk, row in rows.items() if sk.startswith("ended-pack#")]
    if any(one.frozen_at is not None for one in ended):
        raise _CannotTell


BY_A_BANK = frozenset({PaymentKind.REVERSAL, PaymentKind.REINSTATED})
