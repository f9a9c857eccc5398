"""Every credit's life, as the customer sees it and takes it along ([LEDGER] [OWN])."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.pack import Entry, EntryKind
from shared.store import accounts
from shared.store.writing import commit, create
from shared.web.csv_file import csv_file, harmless
from tests.portal.customers import Customer
from tests.portal.people import CountingEngine
from tests.portal.studio import START, class_of, give, pack_of, put_on
from tests.shop_floor import (
    buy,
    customer_with_card,
    entries_of,
    go_to,
    moment,
    newcomer,
    open_shop,
    packs_of,
)

MONDAY = class_of("2026-03-09 15:00", name="Reformer")
TUESDAY = class_of("2026-03-10 15:00", name="Mat class")
FRIDAY = class_of("2026-03-13 15:00", name="Barre")


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop(START, engine=CountingEngine()) as opened:
        put_on(MONDAY, TUESDAY, FRIDAY)
        yield opened
        assert opened.errors == []


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    """She bought ten classes."""
    made = Customer(world, customer_with_card(world))
    buy(world, made.id, "ten")
    return made


def book(customer: Customer, activity: Any, **more: Any) -> str:
    key = f"key-of-{activity.id}"
    answer = customer.post("/reservations", {"activity": activity.id, **more}, key=key)
    assert answer.status == 201, answer.text
    found: str = answer.json()["reservation"]["id"]
    return found


def cancel(customer: Customer, reservation: str) -> None:
    answer = customer.post(f"/reservations/{reservation}/cancel", key=f"back-{reservation}")
    assert answer.status == 200, answer.text


def lived(world: LocalWorld, ada: Customer) -> tuple[str, str, str]:
    """One class was used, one given back, one given up too late; the reservations."""
    used = book(ada, MONDAY)
    back = book(ada, TUESDAY)
    late = book(ada, FRIDAY, participants=2)
    go_to(world, "2026-03-09 17:00")
    ada.sign_in()
    cancel(ada, back)
    go_to(world, "2026-03-13 14:00")
    ada.sign_in()
    cancel(ada, late)
    return used, back, late


def table(answer: Response) -> list[dict[str, str]]:
    assert answer.header("content-type") == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.body.decode("utf-8"), newline="")))


# --- every line ----------------------------------------------------------------------------------


def test_every_line_is_told_in_order_with_what_was_behind_it(
    world: LocalWorld, ada: Customer
) -> None:
    used, back, late = lived(world, ada)
    (pack,) = packs_of(ada.id)
    page = ada.read("/packs/statement")
    told = [
        (one["kind"], one["delta"], one["left"], one["balance"], one["reservation_id"], one["by"])
        for one in page["lines"]
    ]
    assert told == [
        ("grant", 10, 10, 10, None, ""),
        ("hold", -1, 9, 9, used, "customer"),
        ("hold", -1, 8, 8, back, "customer"),
        ("hold", -2, 6, 6, late, "customer"),
        ("redeem", 0, 6, 6, used, "clock"),
        ("release", 1, 7, 7, back, "customer"),
        ("redeem", 0, 7, 7, late, "customer"),
    ]
    assert (page["opening"], page["closing"], page["count"], page["whole"]) == (0, 7, 7, True)
    grant, first = page["lines"][:2]
    order = ada.read(f"/invoices/{pack.invoice_id}")["invoice"]["order_id"]
    assert (grant["invoice_id"], grant["order_id"]) == (pack.invoice_id, order)
    assert (first["activity_name"], first["activity_local"]) == (
        "Reformer",
        "2026-03-09T11:00:00-04:00",
    )
    assert page["lines"][-1]["reason"] == "Cancelled too late"
    assert datetime.fromisoformat(first["at_local"]) == datetime.fromisoformat(first["at"])
    assert first["at_local"].endswith("-05:00"), "local: before the clocks change on the 8th"
    assert page["closing"] == pack.left == sum(one.delta for one in entries_of(pack))


def test_a_place_that_moved_is_told_at_both_its_times(ada: Customer) -> None:
    reservation = book(ada, MONDAY)
    answer = ada.post(f"/reservations/{reservation}/move", {"activity": FRIDAY.id}, key="key-move")
    assert answer.status == 200, answer.text
    told = [
        (one["kind"], one["activity_name"], one["left"])
        for one in ada.read("/packs/statement")["lines"]
    ]
    assert told == [
        ("grant", "", 10),
        ("hold", "Reformer", 9),
        ("release", "Reformer", 10),
        ("hold", "Barre", 9),
    ]


def test_people_read_it_in_plain_words(world: LocalWorld, ada: Customer) -> None:
    lived(world, ada)
    words = ada.see("/packs/statement").text
    for said in (
        "Held for a booking",
        "Given back",
        "Cancelled too late",
        "by you",
        "\N{MINUS SIGN}2",
    ):
        assert said in words, said
    assert "Mon, Mar 9, 11:00" in words, "the class, in the studio's time"
    assert "/packs/statement" in ada.see("/packs").text


def test_lines_of_an_unlimited_pack_are_unlimited_and_count_nothing(
    world: LocalWorld, ada: Customer
) -> None:
    buy(world, ada.id, "open")
    book(ada, MONDAY)
    page = ada.read("/packs/statement")
    assert [(one["pack"], one["delta"], one["left"]) for one in page["lines"][1:]] == [
        ("Open", 0, None),
        ("Open", 0, None),
    ]
    assert page["closing"] == 10
    assert ">Unlimited<" in ada.see("/packs/statement").text
    unlimited = next(one for one in packs_of(ada.id) if one.unlimited)
    assert ada.read(f"/packs/{unlimited.id}")["lives"] == []
    rows = table(ada.get("/packs/statement?format=csv"))
    assert [one["left"] for one in rows] == ["10", "unlimited", "unlimited"]


def test_a_line_that_only_knows_its_reservation_leads_there(ada: Customer) -> None:
    """Such as credits for a place that was paid with money and given back."""
    (pack,) = packs_of(ada.id)
    (grant,) = entries_of(pack)
    other = grant.model_copy(update={"id": "zz", "delta": 0, "reservation_id": "res-9"})
    commit([create(accounts.entry(ada.id, pack.id, other.id), other)])
    for path in ("/packs/statement", f"/packs/{pack.id}"):
        assert 'href="/reservations/res-9"' in ada.see(path).text


# --- narrowed down -------------------------------------------------------------------------------


def test_it_can_be_narrowed_down_to_a_pack_to_days_and_turned_around(
    world: LocalWorld, ada: Customer
) -> None:
    lived(world, ada)
    buy(world, ada.id, "ten")
    old, new = sorted(packs_of(ada.id), key=lambda one: one.bought_at)
    both = ada.read("/packs/statement")
    assert (both["closing"], both["lines"][-1]["pack_id"]) == (17, new.id)
    one = ada.read(f"/packs/statement?pack={old.id}")
    assert (one["closing"], {line["pack_id"] for line in one["lines"]}) == (7, {old.id})
    days = ada.read("/packs/statement?from=2026-03-09&until=2026-03-12")
    assert [line["kind"] for line in days["lines"]] == ["redeem", "release"]
    assert (days["opening"], days["closing"]) == (6, 7)
    turned = ada.read("/packs/statement?order=newest")
    assert turned["lines"] == both["lines"][::-1]
    assert ada.read("/packs/statement?location=be")["lines"] == []
    assert "No entries" in ada.see("/packs/statement?until=2026-03-01").text


def test_a_day_is_the_packs_own_in_its_zone(world: LocalWorld) -> None:
    eve = Customer(world, newcomer(world, "eve@example.com"))
    late = pack_of(eve.id, moment("2026-03-05 04:30"))
    give([late])
    entry = Entry(
        id="e1",
        pack_id=late.id,
        customer_id=eve.id,
        kind=EntryKind.GRANT,
        delta=10,
        left=10,
        at=moment("2026-03-05 04:30"),
    )
    commit([create(accounts.entry(eve.id, late.id, entry.id), entry)])
    for day, count in (("2026-03-04", 1), ("2026-03-05", 0)):
        assert ada_count(eve, f"?from={day}&until={day}") == count, day


def ada_count(customer: Customer, query: str) -> int:
    found: int = customer.read(f"/packs/statement{query}")["count"]
    return found


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-03-09&until=2026-03-08", "until"),
        ("from=yesterday", "from"),
        ("until=2026-02-30", "until"),
        ("location=nowhere", "location"),
        ("order=sideways", "order"),
        ("format=pdf", "format"),
        ("skip=-1", "skip"),
        ("skip=half", "skip"),
        ("pack=" + "x" * 101, "pack"),
    ],
)
def test_what_can_not_be_asked_for_is_named(ada: Customer, query: str, field: str) -> None:
    answer = ada.get(f"/packs/statement?{query}")
    assert (answer.status, set(answer.json()["fields"])) == (422, {field})
    assert ada.see(f"/packs/statement?{query}").status == 422


def test_somebody_elses_pack_and_statement_are_not_there(world: LocalWorld, ada: Customer) -> None:
    eve = Customer(world, customer_with_card(world, email="eve@example.com"))
    (pack,) = packs_of(ada.id)
    assert eve.read("/packs/statement")["lines"] == []
    for query in (f"pack={pack.id}", "pack=nothing", f"pack={pack.id}&format=csv"):
        assert eve.get(f"/packs/statement?{query}").status == 404
    nobody = [("accept", "text/csv")]
    assert world.request("GET", "/packs/statement", nobody).status == 401


# --- where each credit went ----------------------------------------------------------------------


def test_the_pack_page_shows_where_each_credit_went(world: LocalWorld, ada: Customer) -> None:
    used, _, late = lived(world, ada)
    (pack,) = packs_of(ada.id)
    lives = ada.read(f"/packs/{pack.id}")["lives"]
    assert [(one["first"], one["last"], one["where"], one["reservation_id"]) for one in lives] == [
        (1, 1, "used", used),
        (2, 2, "unused", None),
        (3, 4, "used", late),
        (5, 10, "unused", None),
    ]
    words = ada.see(f"/packs/{pack.id}").text
    for said in ("Credit 1<", "Credits 3 to 4", "Reformer", "Mon, Mar 9, 11:00", "Not used yet"):
        assert said in words, said
    assert ada.read(f"/packs/statement?pack={pack.id}")["lives"] == lives


def test_credits_that_expire_are_told_beside_those_that_were_used(
    world: LocalWorld, ada: Customer
) -> None:
    used = book(ada, MONDAY)
    (pack,) = packs_of(ada.id)
    assert pack.expires_at is not None
    world.advance_to(pack.expires_at)
    ada.sign_in()
    lives = ada.read(f"/packs/{pack.id}")["lives"]
    assert [(one["first"], one["last"], one["where"], one["by"]) for one in lives] == [
        (1, 1, "used", "clock"),
        (2, 10, "expired", "clock"),
    ]
    assert lives[0]["reservation_id"] == used


# --- to take along -------------------------------------------------------------------------------


def test_the_whole_statement_is_one_csv_file_by_address_or_by_accept(
    world: LocalWorld, ada: Customer
) -> None:
    lived(world, ada)
    answer = ada.see("/packs/statement?format=csv")
    assert answer.header("content-disposition") == 'attachment; filename="statement.csv"'
    rows = table(answer)
    page = ada.read("/packs/statement")
    assert [(one["kind"], int(one["credits"]), int(one["balance"])) for one in rows] == [
        (one["kind"], one["delta"], one["balance"]) for one in page["lines"]
    ]
    assert rows[1]["at"].endswith("+00:00")
    assert rows[1]["at_local"].endswith("-05:00")
    assert rows[1]["activity_local"] == "2026-03-09T11:00:00-04:00"
    asked = ada.world.request("GET", "/packs/statement", ada.headers("text/csv"))
    assert asked.body == answer.body
    either = ada.headers("text/html,application/json;q=0.9,text/csv;q=0.8")
    assert ada.world.request("GET", "/packs/statement", either).text.startswith("<!doctype")


def test_people_can_take_it_along_as_json_too(ada: Customer) -> None:
    answer = ada.see("/packs/statement?format=json")
    assert answer.header("content-type") == "application/json"
    assert answer.header("content-disposition") == 'attachment; filename="statement.json"'
    assert json.loads(answer.body)["lines"] == ada.read("/packs/statement")["lines"]


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://evil.example";"Click")',
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\uff1d1+1",
        "  =1+1",
    ],
)
def test_a_reason_that_is_a_formula_is_text_in_the_file(ada: Customer, text: str) -> None:
    (pack,) = packs_of(ada.id)
    (grant,) = entries_of(pack)
    bad = grant.model_copy(update={"id": "zz", "reason": text, "by": text, "delta": 0})
    commit([create(accounts.entry(ada.id, pack.id, bad.id), bad)])
    row = table(ada.get("/packs/statement?format=csv"))[-1]
    assert row["reason"] == f"'{text}"
    assert row["credits"] == "0"


@pytest.mark.parametrize("number", ["-1", "+3", "12", "-0.5", ""])
def test_numbers_stay_numbers(number: str) -> None:
    assert harmless(number) == number


def test_a_file_has_one_header_row_and_keeps_commas_quotes_and_breaks() -> None:
    body = csv_file(["a", "b"], [["x,y", 'say "hi"\nand go'], [None, -3], ["Zoë", "“”"]])
    rows = list(csv.reader(io.StringIO(body.decode("utf-8"), newline="")))
    assert rows == [["a", "b"], ["x,y", 'say "hi"\nand go'], ["", "-3"], ["Zoë", "“”"]]


# --- long ones -----------------------------------------------------------------------------------


def with_many_lines(customer: Customer, count: int) -> None:
    """Lines of one pack, the first of which grants; each a minute after the last."""
    pack = pack_of(customer.id, moment(START), number=None)
    give([pack])
    lines = [
        Entry(
            id=f"e{number:06d}",
            pack_id=pack.id,
            customer_id=customer.id,
            kind=EntryKind.HOLD if number else EntryKind.GRANT,
            delta=0,
            left=None,
            at=moment(START),
        )
        for number in range(count)
    ]
    for at in range(0, count, 100):
        commit(
            create(accounts.entry(customer.id, pack.id, one.id), one) for one in lines[at:][:100]
        )


def test_a_page_is_fifty_lines_and_a_program_gets_them_all(world: LocalWorld) -> None:
    eve = Customer(world, newcomer(world, "eve@example.com"))
    with_many_lines(eve, 120)
    ids = [one["id"] for one in eve.read("/packs/statement")["lines"]]
    assert ids == [f"e{number:06d}" for number in range(120)]
    page = eve.see("/packs/statement?order=newest")
    assert page.text.count("Held for a booking") == 50
    assert 'href="/packs/statement?order=newest&amp;skip=50"' in page.text
    assert eve.see("/packs/statement?skip=100").text.count("Held for a booking") == 20
    assert len(table(eve.get("/packs/statement?format=csv"))) == 120


def test_a_file_that_is_too_long_says_where_it_goes_on(world: LocalWorld) -> None:
    eve = Customer(world, newcomer(world, "eve@example.com"))
    with_many_lines(eve, 5_010)
    first = eve.get("/packs/statement?format=csv")
    link = first.header("link") or ""
    assert link == f'<{world.public_url}/packs/statement?skip=5000&format=csv>; rel="next"'
    rest = eve.get(link[1 : link.index(">")].removeprefix(world.public_url))
    assert rest.header("link") is None
    ids = [one["entry_id"] for one in [*table(first), *table(rest)]]
    assert ids == [f"e{number:06d}" for number in range(5_010)]
    page = eve.read("/packs/statement")
    assert (len(page["lines"]), page["next"]) == (5_000, "/packs/statement?skip=5000")
    assert len(eve.read(page["next"])["lines"]) == 10


# --- round trips ---------------------------------------------------------------------------------


def test_the_statement_takes_two_round_trips(world: LocalWorld, ada: Customer) -> None:
    """The queries are side by side: none waits for another."""
    lived(world, ada)
    (pack,) = packs_of(ada.id)
    for query in ({}, {"pack": pack.id}, {"format": "csv"}):
        _, calls = ada.calls("GET", f"/packs/statement?{urlencode(query)}")
        assert calls == {"BatchGetItem": 1, "Query": 3}
    _, calls = ada.calls("GET", f"/packs/{pack.id}")
    assert calls == {"BatchGetItem": 1, "Query": 1}
