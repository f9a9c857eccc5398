"""The statement: every line of a customer's ledgers, for customers and staff alike ([LEDGER])."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field, StringConstraints

from shared.domain import statement
from shared.domain.business import Business
from shared.domain.errors import Invalid, Missing
from shared.domain.invoice import order_id
from shared.domain.pack import Entry, Pack
from shared.domain.statement import Life, Line, Whereabouts
from shared.operations.statement import CURSOR, PacksTold
from shared.web import accept
from shared.web.answer import Answer, Query, Raw, View
from shared.web.csv_file import CSV, Cell, csv_file
from shared.web.pages.entries import EntryView, entry_view, without_names
from shared.web.pages.names import place_name
from shared.web.request import Request

PAGE_LINES = 50
"""Lines that people see at once."""

EXPORT_LINES = 5_000
"""Lines of one file, or of one answer to a program: about half of what a function may answer. The
rest follows under `next`."""

MAX_SKIP = 100_000

Text = Annotated[str, StringConstraints(max_length=100)]


class Order(StrEnum):
    OLDEST = "oldest"
    NEWEST = "newest"


class FileFormat(StrEnum):
    CSV = "csv"
    JSON = "json"


class Told(StrEnum):
    """Which packs a page tells of."""

    ALL = "all"
    """All that were asked for."""
    IN_USE = "in_use"
    """All that something may still come of, and the latest that ended."""
    SOME_IN_USE = "some_in_use"
    """The latest that something may still come of, of more than a page tells of."""
    EARLIER = "earlier"
    """Those that follow after an earlier page."""


class StatementQuery(Query):
    """`pack` and `location` are ids; `from` and `until` local days, both in. `format` asks for a
    file. Without any of these it is told a page of packs at a time. `after` and `skip` come with
    `next`: which page of packs, and how many of its lines were shown."""

    pack: Text = ""
    location: Text = ""
    begins: date | None = Field(default=None, alias="from")
    until: date | None = None
    order: Order = Order.OLDEST
    format: FileFormat | None = None
    after: Annotated[str, StringConstraints(pattern=CURSOR)] | None = None
    skip: Annotated[int, Field(ge=0, le=MAX_SKIP)] = 0

    @property
    def looks_through_all(self) -> bool:
        """Whether it takes every line of every pack to find those that are asked for."""
        return bool(self.location or self.begins or self.until) and not self.pack


class StatementLine(EntryView):
    """A line of a ledger. `left` is what its pack had after it (None: unlimited), `balance` what
    all the packs told of had. Local times are those of the places, with their offset."""

    pack_id: str
    pack: str = ""
    location: str = ""
    zone: str
    at_local: AwareDatetime
    activity_local: AwareDatetime | None = None
    order_id: str | None = None
    balance: int


class LifeView(View):
    """Credits `first` to `last` of a pack, from 1, and where they are: for which activity, since
    when, why and by whom."""

    first: int
    last: int
    where: Whereabouts
    at: AwareDatetime
    activity_id: str = ""
    activity_name: str = ""
    activity_at: AwareDatetime | None = None
    activity_zone: str = ""
    reservation_id: str | None = None
    reason: str = ""
    by: str = ""


class PackChoice(View):
    """A pack that the statement can be narrowed down to."""

    id: str
    name: str
    bought_at: AwareDatetime
    zone: str
    selected: bool = False


class PlaceChoice(View):
    """A location that the statement can be narrowed down to."""

    id: str
    name: str
    selected: bool = False


class StatementPage(View):
    """Every line of the packs told of. `opening` is the balance before the first day asked for,
    `closing` after the last, over the packs told of; `count` how many lines these have in all. With
    one pack `lives` say where each of its credits is. `told` says which packs these are; `packs`
    are those and the one asked for. `next` leads to further lines of these packs, and then to
    `earlier` packs. `whole` False: there is more than could be read, so that balances are not from
    the beginning. `csv` and `json_file` are the addresses of the files, which tell of all packs."""

    path: str
    name: str = ""
    pack: str = ""
    location: str = ""
    begins: date | None = None
    until: date | None = None
    order: Order = Order.OLDEST
    packs: tuple[PackChoice, ...] = ()
    locations: tuple[PlaceChoice, ...] = ()
    opening: int = 0
    closing: int = 0
    count: int = 0
    lines: tuple[StatementLine, ...] = ()
    lives: tuple[LifeView, ...] = ()
    whole: bool = True
    told: Told = Told.ALL
    next: str | None = None
    earlier: bool = False
    csv: str
    json_file: str


# --- from what was read ----------------------------------------------------------------------


def life_view(life: Life, *, for_staff: bool) -> LifeView:
    entry = _shown(life.entry, for_staff=for_staff)
    kept = life.where is not Whereabouts.UNUSED
    return LifeView(
        first=life.first,
        last=life.last,
        where=life.where,
        at=entry.at,
        activity_id=entry.activity_id if kept else "",
        activity_name=entry.activity_name if kept else "",
        activity_at=entry.activity_at if kept else None,
        activity_zone=entry.activity_zone if kept else "",
        reservation_id=entry.reservation_id if kept else None,
        reason=entry.reason if kept else "",
        by=entry.by if kept else "",
    )


def lives_of(entries: Iterable[Entry], *, for_staff: bool = False) -> tuple[LifeView, ...]:
    """Where each credit of one pack is, by all of its entries."""
    return tuple(life_view(one, for_staff=for_staff) for one in statement.lives(entries))


def _shown(entry: Entry, *, for_staff: bool) -> EntryView:
    view = entry_view(entry)
    return view if for_staff else without_names(view)


def _line(line: Line, business: Business, *, for_staff: bool) -> StatementLine:
    entry, pack = line.entry, line.pack
    zone = pack.zone if pack else "UTC"
    return StatementLine(
        **_shown(entry, for_staff=for_staff).model_dump(),
        pack_id=entry.pack_id,
        pack=pack.name if pack else "",
        location=place_name(business, pack.location_id) if pack else "",
        zone=zone,
        at_local=entry.at.astimezone(ZoneInfo(zone)),
        activity_local=_there(entry.activity_at, entry.activity_zone or zone),
        order_id=order_id(entry.invoice_id) if entry.invoice_id else None,
        balance=line.balance,
    )


def _there(at: datetime | None, zone: str) -> datetime | None:
    return None if at is None else at.astimezone(ZoneInfo(zone))


def _asked_for(
    packs: Sequence[Pack], query: StatementQuery, business: Business
) -> Mapping[str, Pack]:
    """The packs that the statement tells of. `Missing` for one that is not theirs ([OWN])."""
    if query.until is not None and query.begins is not None and query.until < query.begins:
        said = {"until": "Not before the first day."}
        raise Invalid("The end is before the beginning.", fields=said)
    if query.location and business.location(query.location) is None:
        raise Invalid("There is no such location.", fields={"location": "Choose one of the list."})
    found = {
        one.id: one
        for one in packs
        if query.pack in ("", one.id) and query.location in ("", one.location_id)
    }
    if query.pack and query.pack not in {one.id for one in packs}:
        raise Missing("There is no such pack.")
    return found


def _address(path: str, query: StatementQuery, **more: str) -> str:
    asked = {
        "pack": query.pack,
        "location": query.location,
        "from": query.begins.isoformat() if query.begins else "",
        "until": query.until.isoformat() if query.until else "",
        "order": query.order.value if query.order is not Order.OLDEST else "",
        **more,
    }
    told = urlencode({name: value for name, value in asked.items() if value})
    return f"{path}?{told}" if told else path


def _next(
    path: str, query: StatementQuery, told: PacksTold | None, *, more: bool, skip: int
) -> tuple[str | None, bool]:
    """Where it goes on, and whether that is with other packs."""
    if more:
        after = query.after if told is not None and query.after else ""
        file = query.format.value if query.format else ""
        return _address(path, query, after=after, skip=str(skip), format=file), False
    if told is not None and told.next is not None:
        return _address(path, query, after=told.next), True
    return None, False


def _which(told: PacksTold | None) -> Told:
    if told is None or told.all_there_are:
        return Told.ALL
    if not told.begins:
        return Told.EARLIER
    return Told.SOME_IN_USE if told.more_in_use else Told.IN_USE


def statement_page(
    entries: Iterable[Entry],
    packs: Sequence[Pack],
    query: StatementQuery,
    business: Business,
    *,
    path: str,
    limit: int,
    whole: bool,
    told: PacksTold | None = None,
    places: Mapping[str, str] | None = None,
    for_staff: bool = False,
    name: str = "",
) -> StatementPage:
    """The lines that were asked for, `limit` of them; with `told` they are those of a page of
    packs. `places` are the locations that there may be packs of, where `packs` are not all. Raises
    `Missing` for an unknown pack, `Invalid` (`location`, `until`)."""
    known = _asked_for(packs, query, business)
    narrowed = bool(query.pack or query.location)
    own = [one for one in entries if one.pack_id in known or not narrowed]
    excerpt = statement.between(statement.lines(own, known), query.begins, query.until)
    ordered = excerpt.lines if query.order is Order.OLDEST else excerpt.lines[::-1]
    end = query.skip + limit
    following, earlier = _next(path, query, told, more=len(ordered) > end, skip=end)
    if places is None:
        places = {one.location_id: place_name(business, one.location_id) for one in packs}
    return StatementPage(
        path=path,
        name=name,
        pack=query.pack,
        location=query.location,
        begins=query.begins,
        until=query.until,
        order=query.order,
        packs=tuple(
            PackChoice(
                id=one.id,
                name=one.name,
                bought_at=one.bought_at,
                zone=one.zone,
                selected=one.id == query.pack,
            )
            for one in sorted(packs, key=lambda one: (one.bought_at, one.id), reverse=True)
        ),
        locations=tuple(
            PlaceChoice(id=id_, name=place, selected=id_ == query.location)
            for id_, place in sorted(places.items(), key=lambda item: item[1])
        ),
        opening=excerpt.opening,
        closing=excerpt.closing,
        count=len(ordered),
        lines=tuple(_line(one, business, for_staff=for_staff) for one in ordered[query.skip : end]),
        lives=lives_of(own, for_staff=for_staff) if query.pack and whole else (),
        whole=whole,
        told=_which(told),
        next=following,
        earlier=earlier,
        csv=_address(path, query, format=FileFormat.CSV.value),
        json_file=_address(path, query, format=FileFormat.JSON.value),
    )


# --- as a page, as JSON, as a file -----------------------------------------------------------

COLUMNS: Mapping[str, Callable[[StatementLine], Cell]] = {
    "at": lambda one: one.at.isoformat(),
    "at_local": lambda one: one.at_local.isoformat(),
    "zone": lambda one: one.zone,
    "location": lambda one: one.location,
    "pack": lambda one: one.pack,
    "pack_id": lambda one: one.pack_id,
    "kind": lambda one: one.kind.value,
    "credits": lambda one: one.delta,
    "left": lambda one: "unlimited" if one.left is None else one.left,
    "balance": lambda one: one.balance,
    "activity": lambda one: one.activity_name,
    "activity_id": lambda one: one.activity_id,
    "activity_at": lambda one: _iso(one.activity_at),
    "activity_local": lambda one: _iso(one.activity_local),
    "reservation_id": lambda one: one.reservation_id,
    "order_id": lambda one: one.order_id,
    "invoice_id": lambda one: one.invoice_id,
    "reason": lambda one: one.reason,
    "by": lambda one: one.by,
    "entry_id": lambda one: one.id,
}
"""Columns of the CSV file. Times are ISO 8601: in UTC, and local with their offset."""


def _iso(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()


def statement_csv(lines: Iterable[StatementLine]) -> bytes:
    return csv_file(list(COLUMNS), ([cell(one) for cell in COLUMNS.values()] for one in lines))


def file_wanted(request: Request) -> FileFormat | None:
    """The file that is asked for, by `format` or by `Accept`."""
    query: StatementQuery = request.query
    if query.format is None and accept.prefers_csv(request.headers.get("accept")):
        return FileFormat.CSV
    return query.format


def statement_answer(request: Request, page_of: Callable[[int], StatementPage]) -> Answer | Raw:
    """The statement as it was asked for: a page for people, as JSON for programs, or as a file.
    `page_of` takes how many lines."""
    wanted = file_wanted(request)
    if wanted is None:
        return Answer(page_of(PAGE_LINES if request.wants_html else EXPORT_LINES))
    page = page_of(EXPORT_LINES)
    headers = {"Content-Disposition": f'attachment; filename="statement.{wanted.value}"'}
    if page.next is not None:
        headers["Link"] = f'<{request.public_url}{page.next}>; rel="next"'
    match wanted:
        case FileFormat.CSV:
            return Raw(statement_csv(page.lines), CSV, headers=headers)
        case FileFormat.JSON:
            body = page.model_dump_json().encode()
            return Raw(body, "application/json", headers=headers)
