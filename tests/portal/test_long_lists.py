"""Lists of somebody who has been here for years: each thing once, sums that are right, and no more
read for the first page than it shows ([HISTORY] [LEDGER] [BOOK])."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.invoice import Invoice, InvoiceLine, InvoiceState, Payment, PaymentKind
from shared.domain.money import Money
from shared.domain.pack import Booked, Pack, put_away
from shared.domain.recurs_when import RecursWhen
from shared.domain.reservation import Reservation, ReservationState
from shared.operations.audit import audit
from shared.store import accounts
from shared.store.items import AccountItem, Lost, Ref, connection, item_of
from shared.store.reading import read
from shared.store.writing import commit, create, replace
from tests.portal.customers import Customer, pages_of
from tests.shop_floor import (
    books_hold,
    buy,
    context_of,
    customer_with_card,
    head,
    open_shop,
    packs_of,
)

START = "2026-01-31 15:00"
PRICE = Money(minor=1_000, currency="USD")
MANY = 30
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop(START) as opened:
        yield opened


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    return Customer(world, customer_with_card(world))


def ids_in(pages: list[list[Any]], name: str = "id") -> list[str]:
    return [one[name] for page in pages for one in page]


def invoice(world: LocalWorld, customer_id: str, **more: Any) -> Invoice:
    """A closed one of 10.00, of its own minute."""
    world.advance(timedelta(minutes=1))
    now = world.now()
    line = InvoiceLine(name="Mat", unit=PRICE, amount=PRICE, tax=Money.zero("USD"))
    paid = Payment(kind=PaymentKind.CASH, at=now, amount=PRICE)
    made = Invoice(
        id=world.wiring.new_id(),
        customer_id=customer_id,
        location_id="ny",
        state=InvoiceState.CLOSED,
        created_at=now,
        lines=(line,),
        payments=(paid,),
        number=f"NY-{now:%H%M}",
        closed_at=now,
    ).model_copy(update=more)
    commit([create(accounts.invoice(customer_id, made.id), made)])
    return made


def asking(world: LocalWorld, customer_id: str) -> Invoice:
    """One whose last try was declined."""
    return invoice(
        world,
        customer_id,
        state=InvoiceState.OPEN,
        payments=(),
        number=None,
        closed_at=None,
        failed_at=world.now(),
    )


def pack(world: LocalWorld, customer_id: str, **more: Any) -> Pack:
    world.advance(timedelta(minutes=1))
    now = world.now()
    made = Pack(
        id=f"{world.wiring.new_id()}-00-00",
        customer_id=customer_id,
        location_id="ny",
        zone="America/New_York",
        product_id="ten",
        name="Ten",
        service_id="yoga",
        granted=10,
        left=10,
        bought_at=now,
        usable_from=now,
    ).model_copy(update=more)
    commit([create(accounts.pack(customer_id, made.id), made)])
    return made


def ended(world: LocalWorld, customer_id: str) -> Pack:
    return pack(world, customer_id, left=0, ended_at=world.now())


def as_before(ref: Ref[Any]) -> None:
    """What lies apart lies where an earlier version wrote it."""
    row = read(ref).get(ref)
    assert row is not None
    client: Any = connection().client
    table = AccountItem.Meta.table_name
    key = {"pk": {"S": row.ref.pk}, "sk": {"S": row.ref.sk}}
    client.delete_item(TableName=table, Key=key)
    client.put_item(TableName=table, Item=item_of(ref, row.value, 1))


def lies_under(customer_id: str, name: str) -> int:
    """How many items of a customer lie under `name#`."""
    client: Any = connection().client
    answer = client.query(
        TableName=AccountItem.Meta.table_name,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={
            ":pk": {"S": f"customer#{customer_id}"},
            ":sk": {"S": f"{name}#"},
        },
    )
    return len(answer["Items"])


# --- invoices and payments -----------------------------------------------------------------------


def test_every_invoice_is_on_one_page_the_newest_first(world: LocalWorld, ada: Customer) -> None:
    made = []
    for at in range(MANY):
        one = asking(world, ada.id) if at % 7 == 3 else invoice(world, ada.id)
        made.append(one.id)
    ada.sign_in()
    for path, name, key in (
        ("/invoices", "invoices", "id"),
        ("/payments", "payments", "invoice_id"),
    ):
        pages = pages_of(ada, path, name)
        assert [len(page) for page in pages] == [12, 12, 6]
        assert ids_in(pages, key) == made[::-1]
    by_price = pages_of(ada, "/payments?sort=price&descending=false", "payments")
    assert sorted(ids_in(by_price, "invoice_id")) == made


def test_what_is_owed_counts_an_open_invoice_however_old(world: LocalWorld, ada: Customer) -> None:
    old = asking(world, ada.id)
    for _ in range(MANY):
        invoice(world, ada.id)
    ada.sign_in()
    first = ada.read("/invoices")
    assert first["owed"] == [{"minor": 1_000, "currency": "USD"}]
    assert old.id not in [one["id"] for one in first["invoices"]]
    assert [one["id"] for one in ada.read("/invoices?state=open")["invoices"]] == [old.id]
    assert ada.read(f"/invoices/{old.id}")["invoice"]["state"] == "open"


def test_a_list_that_goes_on_beyond_the_page_does_not_pretend_to_count(
    world: LocalWorld, ada: Customer
) -> None:
    for _ in range(3):
        invoice(world, ada.id)
    ada.sign_in()
    few = {one["value"]: one["count"] for one in ada.read("/invoices")["states"]}
    assert few == {"": 3, "closed": 3}
    for _ in range(MANY):
        invoice(world, ada.id)
    ada.sign_in()
    many = {one["value"]: one["count"] for one in ada.read("/invoices")["states"]}
    assert many == {"": None, "open": None, "closed": None, "void": None}
    assert "None" not in ada.see("/invoices").text


def test_the_audit_moves_what_an_earlier_version_wrote_elsewhere(
    world: LocalWorld, ada: Customer
) -> None:
    old = asking(world, ada.id)
    as_before(accounts.invoice(ada.id, old.id))
    for _ in range(MANY):
        invoice(world, ada.id)
    ada.sign_in()
    assert ada.read("/invoices")["owed"] == []
    audit(context_of(world), shards=1)
    assert (lies_under(ada.id, "asking"), lies_under(ada.id, "invoice")) == (1, MANY)
    assert ada.read("/invoices")["owed"] == [{"minor": 1_000, "currency": "USD"}]
    assert ids_in(pages_of(ada, "/invoices?state=open", "invoices")) == [old.id]


# --- packs ---------------------------------------------------------------------------------------


def test_credits_of_an_old_pack_count_behind_many_that_ended(
    world: LocalWorld, ada: Customer
) -> None:
    old = pack(world, ada.id)
    gone = [ended(world, ada.id).id for _ in range(MANY)]
    ada.sign_in()
    for path in ("/packs", "/account"):
        (left,) = ada.read(path)["credits"]
        assert (left["left"], left["packs"]) == (10, 1), path
    pages = pages_of(ada, "/packs", "packs")
    assert [len(page) for page in pages] == [12, 12, 7]
    assert ids_in(pages) == [old.id, *gone[::-1]]
    assert ids_in(pages_of(ada, "/packs?status=active", "packs")) == [old.id]
    assert ids_in(pages_of(ada, "/packs?status=expired", "packs")) == gone[::-1]
    assert ada.read(f"/packs/{gone[0]}")["pack"]["status"] == "expired"


def test_packs_of_an_earlier_version_that_ended_where_they_lay_are_listed_once(
    world: LocalWorld, ada: Customer
) -> None:
    made = [ended(world, ada.id).id for _ in range(20)]
    for pack_id in made[::2]:
        as_before(accounts.pack(ada.id, pack_id))
    ada.sign_in()
    assert sorted(ids_in(pages_of(ada, "/packs", "packs"))) == made
    (row_,) = [one for one in packs_of(ada.id) if one.id == made[0]]
    assert ada.read(f"/packs/{made[0]}")["pack"]["id"] == row_.id


def test_a_pack_lies_apart_once_nothing_comes_of_it_and_comes_back_with_a_credit(
    world: LocalWorld, ada: Customer
) -> None:
    buy(world, ada.id, "ten")
    (bought,) = packs_of(ada.id)
    ref = accounts.pack(ada.id, bought.id)
    row = read(ref).get(ref)
    assert row is not None
    endless = bought.model_copy(update={"expires_at": None})
    commit([replace(row, endless.model_copy(update={"left": 0}))])
    assert (lies_under(ada.id, "pack"), lies_under(ada.id, "ended-pack")) == (0, 1)
    moved = read(ref).get(ref)
    assert moved is not None and moved.version == row.version + 1
    commit([replace(moved, endless)])
    assert (lies_under(ada.id, "pack"), lies_under(ada.id, "ended-pack")) == (1, 0)
    back = read(ref).get(ref)
    assert back is not None and back.value == endless
    commit([replace(back, bought)])
    books_hold(world)


# --- reservations --------------------------------------------------------------------------------


def reservation(world: LocalWorld, customer_id: str, **more: Any) -> Reservation:
    """One that took place, and was booked in a minute of its own."""
    world.advance(timedelta(minutes=1))
    now = world.now()
    made = Reservation(
        id=world.wiring.new_id(),
        customer_id=customer_id,
        activity_id=f"ny.{now:%Y%m%dT%H%M}.yoga",
        location_id="ny",
        zone="America/New_York",
        service_id="yoga",
        name="Yoga",
        starts_at=now - timedelta(days=2),
        ends_at=now - timedelta(days=2, hours=-1),
        cutoff_at=now - timedelta(days=3),
        participants=1,
        state=ReservationState.REDEEMED,
        charge=PRICE,
        booked_at=now,
        ended_at=now,
    ).model_copy(update=more)
    commit([create(accounts.reservation(customer_id, made.id), made)])
    return made


def test_a_place_to_come_is_first_however_long_ago_it_was_booked(
    world: LocalWorld, ada: Customer
) -> None:
    soon = world.now() + timedelta(days=300)
    comes = reservation(
        world,
        ada.id,
        state=ReservationState.BOOKED,
        starts_at=soon,
        ends_at=soon + timedelta(hours=1),
        cutoff_at=soon,
    )
    past = [reservation(world, ada.id).id for _ in range(MANY)]
    row = head(ada.id)
    commit([replace(row, row.value.model_copy(update={"has_reservations": True}))])
    ada.sign_in()
    pages = pages_of(ada, "/reservations", "reservations")
    assert [len(page) for page in pages] == [13, 12, 6]
    assert ids_in(pages) == [comes.id, *past[::-1]]
    estimates = ada.read("/invoices")["estimates"]
    assert [one["reservation_id"] for one in estimates] == [comes.id]
    assert ada.read(f"/reservations/{past[0]}")["reservation"]["state"] == "redeemed"


def test_who_read_it_before_it_moved_loses_and_changes_nothing(
    world: LocalWorld, ada: Customer
) -> None:
    one = pack(world, ada.id)
    ref = accounts.pack(ada.id, one.id)
    seen = read(ref).get(ref)
    assert seen is not None
    gone = one.model_copy(update={"left": 0})
    beside = pack(world, ada.id)
    other = read(accounts.pack(ada.id, beside.id)).get(accounts.pack(ada.id, beside.id))
    assert other is not None
    commit([replace(seen, gone)])
    for late in (one.model_copy(update={"left": 9}), gone):
        with pytest.raises(Lost) as lost:
            commit([replace(other, beside.model_copy(update={"left": 5})), replace(seen, late)])
        assert lost.value.at == (1,)
    assert sorted(kept.left or 0 for kept in packs_of(ada.id)) == [0, 10]


@pytest.mark.parametrize(
    ("changed", "away"),
    [
        ({}, False),
        ({"left": 0}, True),
        ({"left": 0, "unpaid": True}, False),
        ({"left": 0, "frozen_at": NOON}, False),
        ({"left": 0, "granted": 0}, False),
        ({"left": 0, "ended_at": NOON}, True),
        ({"left": 0, "expires_at": NOON}, False),
        ({"left": 0, "recurs_when": RecursWhen.NO_CREDITS_REMAIN}, False),
        ({"left": 0, "recurs_when": RecursWhen.NO_CREDITS_REMAIN, "turned": True}, True),
        ({"left": None, "granted": None, "ended_at": NOON}, True),
        ({"left": 0, "booked": (Booked(reservation_id="r", starts_at=NOON, credits=1),)}, False),
    ],
)
def test_a_pack_is_put_away_when_nothing_comes_of_it(changed: dict[str, Any], away: bool) -> None:
    ten = Pack(
        id="p",
        customer_id="c",
        location_id="ny",
        zone="America/New_York",
        product_id="ten",
        name="Ten",
        granted=10,
        left=10,
        bought_at=NOON,
        usable_from=NOON,
    )
    assert put_away(ten.model_copy(update=changed)) is away
