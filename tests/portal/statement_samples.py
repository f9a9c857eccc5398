"""What the statement shows in tests, to customers and to staff."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from shared.domain.pack import EntryKind
from shared.domain.statement import Whereabouts
from shared.web.pages.statement import (
    LifeView,
    Order,
    PackChoice,
    PlaceChoice,
    StatementLine,
    StatementPage,
    Told,
)

ZONE = "America/New_York"


def _at(day: int, hour: int = 15) -> datetime:
    return datetime(2026, 2, day, hour, 30, tzinfo=UTC)


def _line(number: int, kind: EntryKind, delta: int, left: int | None, **more: Any) -> StatementLine:
    values = {
        "id": f"entry-{number}",
        "kind": kind,
        "delta": delta,
        "left": left,
        "at": _at(number),
        "at_local": _at(number).astimezone(ZoneInfo(ZONE)),
        "pack_id": "pack-1",
        "pack": "Ten-class pass",
        "location": "Riverside Studio",
        "zone": ZONE,
        "balance": left or 0,
        **more,
    }
    return StatementLine.model_validate(values)


_CLASS: Mapping[str, Any] = {
    "activity_id": "riverside.20260209T2330.reformer",
    "activity_name": "Reformer",
    "activity_at": _at(9, 23),
    "activity_zone": ZONE,
    "reservation_id": "res-1",
}

LINES = (
    _line(1, EntryKind.GRANT, 10, 10, invoice_id="inv-1", order_id="7KQ2-M4XA", reason="Bought"),
    _line(2, EntryKind.HOLD, -1, 9, by="customer", reason="Reformer", **_CLASS),
    _line(3, EntryKind.DEDUCT, -2, 7, by="staff", reason="Came with two friends"),
    _line(4, EntryKind.GRANT, 1, 1, reservation_id="res-9", reason="A paid place, given back"),
    _line(9, EntryKind.REDEEM, 0, 7, by="clock", reason="Reformer", **_CLASS),
    _line(10, EntryKind.HOLD, 0, None, pack_id="pack-2", pack="Unlimited month", balance=7),
)

LIVES = (
    LifeView(first=1, last=1, where=Whereabouts.USED, at=_at(9), by="clock", **_CLASS),
    LifeView(first=2, last=3, where=Whereabouts.HELD, at=_at(9), by="customer", **_CLASS),
    LifeView(first=4, last=7, where=Whereabouts.UNUSED, at=_at(1)),
    LifeView(first=8, last=8, where=Whereabouts.EXPIRED, at=_at(9), by="clock", reason="Expired"),
    LifeView(
        first=9,
        last=10,
        where=Whereabouts.DEDUCTED,
        at=_at(3),
        by="staff",
        reason="Came with two friends",
    ),
)

STATEMENT = StatementPage(
    path="/packs/statement",
    packs=(
        PackChoice(id="pack-2", name="Unlimited month", bought_at=_at(8), zone=ZONE),
        PackChoice(id="pack-1", name="Ten-class pass", bought_at=_at(1), zone=ZONE),
    ),
    locations=(
        PlaceChoice(id="riverside", name="Riverside Studio"),
        PlaceChoice(id="hill", name="Hill Studio"),
    ),
    opening=0,
    closing=7,
    count=60,
    lines=LINES,
    next="/packs/statement?skip=50",
    csv="/packs/statement?format=csv",
    json_file="/packs/statement?format=json",
)
ONE_PACK = STATEMENT.model_copy(
    update={
        "pack": "pack-1",
        "packs": (
            STATEMENT.packs[0],
            STATEMENT.packs[1].model_copy(update={"selected": True}),
        ),
        "begins": date(2026, 2, 1),
        "until": date(2026, 2, 28),
        "order": Order.NEWEST,
        "lives": LIVES,
        "next": None,
    }
)
IN_USE = STATEMENT.model_copy(
    update={"told": Told.IN_USE, "next": "/packs/statement?after=0.pack-1", "earlier": True}
)
EARLIER = STATEMENT.model_copy(update={"told": Told.EARLIER})
NOTHING_HERE = STATEMENT.model_copy(
    update={"told": Told.SOME_IN_USE, "lines": (), "count": 0, "closing": 0, "earlier": True}
)
NOTHING = StatementPage(
    path="/packs/statement",
    csv="/packs/statement?format=csv",
    json_file="/packs/statement?format=json",
)

_DESK = "/console/customers/cus-1/statement"
DESK = ONE_PACK.model_copy(
    update={
        "path": _DESK,
        "name": "Ana Ferreira",
        "whole": False,
        "lines": tuple(one.model_copy(update={"by": "sam@willowpaws.example"}) for one in LINES),
    }
)

FULL: Mapping[str, BaseModel] = {"statement": STATEMENT}
MORE: Mapping[str, tuple[str, BaseModel]] = {
    "statement, one pack": ("statement", ONE_PACK),
    "statement, packs in use": ("statement", IN_USE),
    "statement, earlier packs": ("statement", EARLIER),
    "statement, a page without lines": ("statement", NOTHING_HERE),
}
EMPTY: Mapping[str, BaseModel] = {"statement": NOTHING}
CONSOLE_FULL: Mapping[str, BaseModel] = {"console_statement": DESK}
CONSOLE_EMPTY: Mapping[str, BaseModel] = {
    "console_statement": NOTHING.model_copy(update={"path": _DESK, "name": "new@example.com"})
}
PATHS: Mapping[str, str] = {"statement": "/packs/statement", "console_statement": _DESK}
