"""The statement of somebody who has been here for years: a page of packs at a time, every line
once, and balances that are right ([LEDGER])."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.pack import Entry, EntryKind, Pack, period_pack_id, put_away
from shared.store import accounts
from shared.store.items import AccountItem, connection, item_of
from shared.store.staff import Role
from shared.store.writing import commit, create
from tests.console.office import Desk, staff
from tests.portal.customers import Customer
from tests.portal.people import CountingEngine
from tests.portal.studio import give, pack_of
from tests.shop_floor import entries_of, newcomer, open_shop, packs_of

START = "2026-01-31 15:00"
MANY = 30
NOW = timedelta(0)
NEXT = re.compile(r'class="more"><a class="button button-second" href="([^"]+)">([^<]+)<')
KIND = re.compile(r'<span class="row-title">([^<]+)</span>')
NUMBERS = re.compile(r"E\d{6}")


class Shelf:
    """Gives packs with lines as they would have been written, a minute after one another."""

    def __init__(self, world: LocalWorld, customer_id: str) -> None:
        self.world, self.customer_id = world, customer_id
        self.made: list[Pack] = []
        self.lines = 0

    def _pack(self, pack_id: str | None, **more: Any) -> Pack:
        self.world.advance(timedelta(minutes=1))
        named = pack_id or f"{self.world.wiring.new_id()}-00-00"
        made = pack_of(self.customer_id, self.world.now(), id=named, **more)
        give([made])
        self.made.append(made)
        return made

    def _write(self, pack: Pack, lines: list[tuple[EntryKind, int, timedelta]]) -> None:
        """Each so long after it was bought."""
        left, written = 0, []
        for kind, delta, after in lines:
            left += delta
            number = f"E{self.lines:06d}"
            self.lines += 1
            entry = Entry(
                id=number,
                pack_id=pack.id,
                customer_id=pack.customer_id,
                kind=kind,
                delta=delta,
                left=None if pack.unlimited else left,
                at=pack.bought_at + after,
                reason=number,
            )
            written.append(create(accounts.entry(pack.customer_id, pack.id, number), entry))
        assert left == (pack.left or 0)
        for begins in range(0, len(written), 100):
            commit(written[begins:][:100])

    def living(self, pack_id: str | None = None, **more: Any) -> Pack:
        """With nine left of ten; its last line comes two days later."""
        made = self._pack(pack_id, left=9, **more)
        self._write(made, [(EntryKind.GRANT, 10, NOW), (EntryKind.HOLD, -1, timedelta(days=2))])
        return made

    def ended(self, pack_id: str | None = None, **more: Any) -> Pack:
        made = self._pack(pack_id, left=0, ended_at=self.world.now(), **more)
        lines = [
            (EntryKind.GRANT, 10, NOW),
            (EntryKind.HOLD, -2, timedelta(seconds=5)),
            (EntryKind.REDEEM, 0, timedelta(minutes=7)),
            (EntryKind.EXPIRE, -8, timedelta(minutes=8)),
        ]
        self._write(made, lines)
        return made

    def unlimited(self, count: int, **more: Any) -> Pack:
        made = self._pack(None, number=None, **more)
        held = [(EntryKind.HOLD, 0, timedelta(seconds=one)) for one in range(1, count)]
        self._write(made, [(EntryKind.GRANT, 0, NOW), *held])
        return made

    @property
    def numbers(self) -> list[str]:
        return [f"E{number:06d}" for number in range(self.lines)]


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop(START, engine=CountingEngine()) as opened:
        yield opened
        assert opened.errors == []


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    return Customer(world, newcomer(world, "ada@example.com"))


@pytest.fixture
def shelf(world: LocalWorld, ada: Customer) -> Shelf:
    return Shelf(world, ada.id)


def statements(
    shelf: Shelf, reader: Customer | Desk, path: str = "/packs/statement"
) -> list[dict[str, Any]]:
    """What a program reads that follows `next` to the end. Each page is right by itself."""
    left = {one.id: one.left for one in packs_of(shelf.customer_id)}
    read = reader.read if isinstance(reader, Customer) else reader.data
    pages: list[dict[str, Any]] = []
    following: str | None = path
    while following is not None:
        assert len(pages) < 100, following
        page = read(following)
        pages.append(page)
        following = page["next"]
        lines = page["lines"][::-1] if page["order"] == "newest" else page["lines"]
        assert [one["at"] for one in lines] == sorted(one["at"] for one in lines)
        balance = page["opening"]
        for line in lines:
            balance += line["delta"]
            assert line["balance"] == balance
        assert (page["closing"], page["count"]) == (balance, len(lines))
        last = {one["pack_id"]: one["left"] for one in lines}
        assert last == {one["id"]: left[one["id"]] for one in page["packs"]}
    return pages


def numbers_of(pages: list[dict[str, Any]]) -> list[str]:
    return [one["id"] for page in pages for one in page["lines"]]


def years(shelf: Shelf) -> Pack:
    """A pack that lives on however old, behind and among those of two subscriptions that ended and
    others; the oldest."""
    first, second = (shelf.world.wiring.new_id() for _ in range(2))
    old = shelf.living()
    for period in range(MANY):
        shelf.ended(period_pack_id(first, period), subscription_id=first, period=period)
        if period % 3 == 0:
            shelf.ended(period_pack_id(second, period), subscription_id=second, period=period)
        if period == 20:
            shelf.living()
            shelf.unlimited(5)
            shelf.unlimited(4, ended_at=shelf.world.now())
    shelf.living(period_pack_id(first, MANY), subscription_id=first, period=MANY)
    return old


def test_every_line_is_told_once_by_pages_of_packs_and_what_is_in_use_comes_first(
    ada: Customer, shelf: Shelf
) -> None:
    old = years(shelf)
    ada.sign_in()
    pages = statements(shelf, ada)
    assert sorted(numbers_of(pages)) == shelf.numbers
    first, *others = pages
    assert [len(page["packs"]) for page in pages] == [12, 12, 12, 9]
    told = {one["id"] for one in first["packs"]}
    in_use = {one.id for one in shelf.made if not put_away(one)}
    assert old.id in in_use < told
    now = sum(one.left or 0 for one in packs_of(ada.id))
    assert (first["closing"], first["told"], now) == (27, "in_use", 27)
    assert {(one["told"], one["opening"], one["closing"]) for one in others} == {("earlier", 0, 0)}
    assert [one["earlier"] for one in pages] == [True, True, True, False]
    turned = statements(shelf, ada, "/packs/statement?order=newest")
    assert [one["lines"] for one in turned] == [one["lines"][::-1] for one in pages]


def test_people_see_every_line_once_too_and_which_packs_they_are_told_of(
    ada: Customer, shelf: Shelf
) -> None:
    years(shelf)
    shelf.unlimited(120)
    ada.sign_in()
    following, seen, labels, texts = "/packs/statement", [], [], []
    while following:
        text = ada.see(following).text
        lines = text.partition('id="lines-title"')[2]
        assert 0 < len(KIND.findall(lines)) <= 50
        seen += NUMBERS.findall(lines)
        texts.append(text)
        found = NEXT.search(text)
        following = unescape(found[1]) if found else ""
        labels += [found[2]] if found else []
    assert sorted(seen) == shelf.numbers
    assert set(labels) == {"Show more", "Earlier packs"}
    assert "all the packs in use and the latest that ended" in texts[0]
    assert "These are earlier packs." in texts[-1]
    assert "format=csv" in texts[-1] and "after" not in re.findall(r'href="([^"]*csv)"', texts[-1])


def test_more_packs_in_use_than_a_page_tells_of_all_come_before_those_that_ended(
    ada: Customer, shelf: Shelf
) -> None:
    for _ in range(5):
        shelf.ended()
        for _ in range(3):
            shelf.living()
    ada.sign_in()
    pages = statements(shelf, ada)
    assert sorted(numbers_of(pages)) == shelf.numbers
    assert [(page["told"], page["closing"]) for page in pages] == [
        ("some_in_use", 12 * 9),
        ("earlier", 3 * 9),
    ]
    assert "the latest of the packs in use" in ada.see("/packs/statement").text


@pytest.mark.parametrize(("ended", "pages"), [(0, 1), (11, 1), (12, 2), (23, 2), (24, 3)])
def test_the_last_page_is_the_last(ada: Customer, shelf: Shelf, ended: int, pages: int) -> None:
    for _ in range(ended):
        shelf.ended()
    shelf.living()
    ada.sign_in()
    told = statements(shelf, ada)
    assert sorted(numbers_of(told)) == shelf.numbers
    assert len(told) == pages
    assert (told[0]["told"] == "all") is (pages == 1)


def test_who_bought_nothing_yet_is_told_so(ada: Customer, shelf: Shelf) -> None:
    (page,) = statements(shelf, ada)
    assert (page["lines"], page["told"], page["closing"]) == ([], "all", 0)
    assert "No entries" in ada.see("/packs/statement").text


def test_what_an_earlier_version_left_among_those_in_use_is_told_of_once_and_after_them(
    ada: Customer, shelf: Shelf
) -> None:
    gone = [shelf.ended() for _ in range(MANY)]
    for one in gone[::2]:
        as_before(one)
    shelf.living()
    ada.sign_in()
    pages = statements(shelf, ada)
    assert sorted(numbers_of(pages)) == shelf.numbers
    assert (pages[0]["told"], pages[0]["closing"]) == ("in_use", 9)


def as_before(pack: Pack) -> None:
    """It lies where an earlier version wrote it."""
    client: Any = connection().client
    ref = accounts.pack(pack.customer_id, pack.id)
    table = AccountItem.Meta.table_name
    key = {"pk": {"S": ref.pk}, "sk": {"S": f"ended-pack#{pack.id}"}}
    client.delete_item(TableName=table, Key=key)
    client.put_item(TableName=table, Item=item_of(ref, pack, 1))


# --- what was asked for --------------------------------------------------------------------------


def test_days_places_and_files_look_through_all_packs(
    world: LocalWorld, ada: Customer, shelf: Shelf
) -> None:
    years(shelf)
    ada.sign_in()
    for answer in (
        ada.get("/packs/statement?format=csv"),
        world.request("GET", "/packs/statement", ada.headers("text/csv")),
    ):
        rows = csv.DictReader(io.StringIO(answer.body.decode(), newline=""))
        assert sorted(one["entry_id"] for one in rows) == shelf.numbers
    for query in ("format=json", "from=2026-01-01", "until=2026-12-31", "location=ny"):
        page = ada.read(f"/packs/statement?{query}")
        assert sorted(one["id"] for one in page["lines"]) == shelf.numbers, query
        assert (page["closing"], page["told"], page["next"]) == (27, "all", None)
    days = ada.read("/packs/statement?from=2026-02-02")
    assert (days["opening"], days["closing"], len(days["lines"])) == (30, 27, 3)


def test_one_pack_is_told_without_the_others_and_can_be_chosen_however_old(
    ada: Customer, shelf: Shelf
) -> None:
    oldest = shelf.ended()
    years(shelf)
    ada.sign_in()
    for pack in (oldest, shelf.made[1], shelf.made[-1]):
        page = ada.read(f"/packs/statement?pack={pack.id}")
        kept = next(one for one in packs_of(ada.id) if one.id == pack.id)
        assert [one["id"] for one in page["lines"]] == sorted(one.id for one in entries_of(kept))
        assert (page["closing"], page["told"], page["next"]) == (kept.left, "all", None)
        assert page["lives"][0]["first"] == 1
        assert [one["id"] for one in page["packs"] if one["selected"]] == [pack.id]
        assert ada.read(f"/packs/{pack.id}")["lives"] == page["lives"]
    day = f"/packs/statement?pack={shelf.made[-1].id}&from=2026-02-02"
    assert (ada.read(day)["opening"], ada.read(day)["closing"]) == (10, 9)
    words = ada.see(f"/packs/statement?pack={oldest.id}").text
    assert f'<option value="{oldest.id}" selected>' in words


def test_every_place_can_be_chosen_while_only_some_packs_are_told_of(
    ada: Customer, shelf: Shelf
) -> None:
    shelf.ended(location_id="be", zone="Europe/Berlin")
    for _ in range(MANY):
        shelf.ended()
    ada.sign_in()
    offered = [one["id"] for one in ada.read("/packs/statement")["locations"]]
    assert sorted(offered) == ["be", "ny"]
    (line, *_) = ada.read("/packs/statement?location=be")["lines"]
    assert line["location"] == "Berlin"


@pytest.mark.parametrize("after", ["x", "3.abc", "0.", "0.a#b", "0." + "x" * 91, "0.%E2%82%AC"])
def test_a_page_that_can_not_be_is_refused(ada: Customer, after: str) -> None:
    answer = ada.get(f"/packs/statement?after={after.replace('#', '%23')}")
    assert (answer.status, set(answer.json()["fields"])) == (422, {"after"})


# --- what it costs -------------------------------------------------------------------------------


def test_the_first_page_asks_as_often_after_years_as_after_a_month(
    ada: Customer, shelf: Shelf
) -> None:
    shelf.ended()
    shelf.living()
    ada.sign_in()
    _, few = ada.calls("GET", "/packs/statement")
    for _ in range(MANY):
        shelf.ended()
    ada.sign_in()
    _, many = ada.calls("GET", "/packs/statement")
    assert few == {"BatchGetItem": 1, "Query": 3}
    assert many == {"BatchGetItem": 1, "Query": 4}, "one more for the pack that lives behind them"
    _, one = ada.calls("GET", f"/packs/statement?pack={shelf.made[0].id}")
    assert one == {"BatchGetItem": 1, "Query": 3}


# --- staff ---------------------------------------------------------------------------------------


def test_staff_are_told_the_same_of_the_packs_of_their_locations(
    world: LocalWorld, ada: Customer, shelf: Shelf
) -> None:
    years(shelf)
    for _ in range(3):
        shelf.ended(location_id="be", zone="Europe/Berlin")
    ada.sign_in()
    path = f"/console/customers/{ada.id}/statement"
    whole = statements(shelf, staff(world), path)
    assert [numbers_of([one]) for one in whole] == [
        numbers_of([one]) for one in statements(shelf, ada)
    ]
    assert sorted(numbers_of(whole)) == shelf.numbers
    berlin = [one for one in shelf.made if one.location_id == "be"]
    theirs = sorted(one.id for pack in berlin for one in entries_of(pack))
    max_ = staff(world, Role.CLERK, locations=("be",))
    pages = statements(shelf, max_, path)
    assert sorted(numbers_of(pages)) == theirs
    assert {one["id"] for page in pages for one in page["packs"]} == {one.id for one in berlin}
    assert {one["id"] for page in pages for one in page["locations"]} <= {"be"}
    for page in pages:
        assert shelf.made[0].id not in str(page)
    other = f"{path}?pack={shelf.made[0].id}"
    assert max_.ask("GET", other).status == 404


def test_staff_of_a_place_find_who_was_there_once_and_long_ago(
    world: LocalWorld, ada: Customer, shelf: Shelf
) -> None:
    old = shelf.ended(location_id="be", zone="Europe/Berlin")
    for _ in range(MANY):
        shelf.ended()
    path = f"/console/customers/{ada.id}/statement"
    max_ = staff(world, Role.CLERK, locations=("be",))
    pages = statements(shelf, max_, path)
    assert sorted(numbers_of(pages)) == sorted(one.id for one in entries_of(old))
    assert "Earlier packs" in max_.page(path)
