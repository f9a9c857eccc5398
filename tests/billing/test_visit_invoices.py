"""What a visit is charged, and what the credits pay of it, invoice by invoice ([VOUCHER], [TAX],
[NUMBER]): example 11 of the rules, and what is like it."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.business import Service
from shared.domain.invoice import Invoice, InvoiceState, LineKind, PaymentKind
from shared.domain.message import MessageKind
from shared.domain.pack import Entry, EntryKind, Pack
from shared.domain.product import Catalogue
from shared.domain.reservation import Reservation, ReservationState
from shared.domain.settings import Settings
from shared.domain.weekly import standing_of
from shared.operations import giving_back
from shared.store import accounts
from shared.store import catalogue as catalogues
from shared.store.writing import commit, create
from tests.billing.conftest import Shop
from tests.buying import class_in, reservation_now
from tests.console.office import customer, staff
from tests.shop_floor import (
    NEW_YORK,
    books_hold,
    catalogue_of,
    context_of,
    customer_with_card,
    go_to,
    invoices_of,
    messages_of,
    packs_of,
    reservation_rows,
    subscribed,
)

OPENING = "2026-03-02 15:00"
STARTS = "2026-03-04 15:00"
ENDED = "2026-03-04 18:00"

CATALOGUE = Catalogue(
    settings=Settings(
        merchant_name="Happy Paws", support_email="help@example.com", any_service=True
    ),
    locations=(
        NEW_YORK.model_copy(
            update={
                "service_rates": {
                    "daycare": 3_000,
                    "boarding": 5_000,
                    "bath": 2_000,
                    "room": 1_500,
                },
                "further_discounts": {"daycare": Decimal("0.10")},
            }
        ),
    ),
    services=(
        Service(id="daycare", name="Daycare", unit="day", taxed=True, account_code="4100"),
        Service(id="boarding", name="Boarding", unit="night", taxed=True, account_code="4200"),
        Service(id="bath", name="Bath", taxed=True),
        Service(id="room", name="Room", unit="hour", hourly=True, taxed=True),
    ),
)
"""Taxed at 8.25%."""


@pytest.fixture
def kennel(shop: Shop) -> Callable[[], LocalWorld]:
    def opened() -> LocalWorld:
        world = shop(OPENING)
        catalogues.publish(CATALOGUE)
        return world

    return opened


def give(
    world: LocalWorld, ada: str, pack_id: str = "p1", count: int | None = 5, **more: Any
) -> Pack:
    """A pack of daycare, with the line of its ledger."""
    values: dict[str, Any] = {
        "id": pack_id,
        "customer_id": ada,
        "location_id": "ny",
        "zone": "America/New_York",
        "product_id": "five",
        "name": f"Pack {pack_id}",
        "service_id": "daycare",
        "granted": count,
        "left": count,
        "bought_at": world.now(),
        "usable_from": world.now(),
        **more,
    }
    pack = Pack(**values)
    grant = Entry(
        id=f"e-{pack_id}",
        pack_id=pack_id,
        customer_id=ada,
        kind=EntryKind.GRANT,
        delta=count or 0,
        left=count,
        at=world.now(),
    )
    commit([
        create(accounts.pack(ada, pack_id), pack),
        create(accounts.entry(ada, pack_id, grant.id), grant),
    ])  # fmt: skip
    return pack


def visit(
    world: LocalWorld, ada: str, service: str = "daycare", *, participants: int = 1, **more: Any
) -> Reservation:
    """Ada books it on the page: a session of two hours in two days."""
    starts = world.now() + timedelta(days=2)
    one = class_in(
        world, 2, service_id=service, name=service.capitalize(),
        ends_at=starts + timedelta(hours=2),
    )  # fmt: skip
    answer = customer(world, ada).ask(
        "POST",
        "/reservations",
        {
            "activity": one.id,
            "participants": participants,
            "idempotency_key": f"key-of-{one.id}",
            **more,
        },
    )
    assert answer.status == 201, answer.body
    world.run_due()
    made: str = json.loads(answer.body)["reservation"]["id"]
    (row,) = [row for row in reservation_rows(ada) if row.value.id == made]
    return row.value


def said(invoice: Invoice) -> list[tuple[str, int, int, int]]:
    """Its lines: kind, quantity, amount, tax."""
    return [
        (line.kind.value, line.quantity, line.amount.minor, line.tax.minor)
        for line in invoice.lines
    ]


def closed_without_money(invoice: Invoice) -> None:
    assert invoice.state is InvoiceState.CLOSED
    assert (invoice.subtotal.minor, invoice.tax.minor, invoice.total.minor) == (0, 0, 0)
    assert [one.kind for one in invoice.payments] == [PaymentKind.NOTHING_DUE]
    assert invoice.number is not None, "numbered as every closed one is"


# --- paid with credits alone ---------------------------------------------------------------------


def test_a_visit_that_ends_is_invoiced_with_the_charge_and_the_credit(
    kennel: Callable[[], LocalWorld],
) -> None:
    world = kennel()
    ada = customer_with_card(world)
    give(world, ada)
    one = visit(world, ada)
    go_to(world, STARTS)
    assert invoices_of(ada) == [], "an estimate until then"
    go_to(world, ENDED)
    assert reservation_now(one).state is ReservationState.REDEEMED
    (invoice,) = invoices_of(ada)
    assert said(invoice) == [("service", 1, 3_000, 248), ("credit", 1, -3_000, -248)]
    closed_without_money(invoice)
    assert {line.account_code for line in invoice.lines} == {"4100"}
    assert invoice.lines[1].name == "Pack p1"
    assert (invoice.reservation_id, reservation_now(one).visit_invoice_id) == (one.id, invoice.id)
    assert messages_of(ada, MessageKind.INVOICE, MessageKind.ORDER_RECEIPT) == []
    books_hold(world)


def test_checking_in_invoices_it_at_once_and_the_end_adds_nothing(
    kennel: Callable[[], LocalWorld],
) -> None:
    world = kennel()
    ada = customer_with_card(world)
    give(world, ada)
    one = visit(world, ada)
    go_to(world, STARTS)
    desk = staff(world)
    path = f"/console/activities/{one.activity_id}/seats/{one.id}/check-in"
    assert desk.post(path).status == 200
    assert desk.post(path).status == 200, "again changes nothing"
    go_to(world, ENDED)
    (invoice,) = invoices_of(ada)
    assert said(invoice) == [("service", 1, 3_000, 248), ("credit", 1, -3_000, -248)]
    closed_without_money(invoice)
    books_hold(world)


def test_a_late_cancellation_invoices_the_credit_that_is_lost(
    kennel: Callable[[], LocalWorld],
) -> None:
    world = kennel()
    ada = customer_with_card(world)
    give(world, ada)
    one = visit(world, ada)
    go_to(world, "2026-03-04 14:00")
    giving_back.cancel(context_of(world), ada, one.id)
    go_to(world, ENDED)
    assert reservation_now(one).state is ReservationState.CANCELLED_LATE
    (invoice,) = invoices_of(ada)
    assert said(invoice) == [("service", 1, 3_000, 248), ("credit", 1, -3_000, -248)]
    closed_without_money(invoice)
    books_hold(world)


def test_what_is_cancelled_in_time_is_invoiced_by_nobody(
    kennel: Callable[[], LocalWorld],
) -> None:
    world = kennel()
    ada = customer_with_card(world)
    give(world, ada)
    giving_back.cancel(context_of(world), ada, visit(world, ada).id)
    go_to(world, ENDED)
    assert invoices_of(ada) == []
    books_hold(world)


def test_visits_are_numbered_in_one_row_without_a_gap(kennel: Callable[[], LocalWorld]) -> None:
    world = kennel()
    ada = customer_with_card(world)
    give(world, ada)
    for _ in range(3):
        visit(world, ada)
    go_to(world, ENDED)
    numbers = sorted(int((one.number or "").rpartition("-")[2]) for one in invoices_of(ada))
    assert numbers == [1, 2, 3]


def test_an_unlimited_pack_pays_all_of_it(kennel: Callable[[], LocalWorld]) -> None:
    world = kennel()
    ada = customer_with_card(world)
    give(world, ada, count=None)
    visit(world, ada)
    go_to(world, ENDED)
    (invoice,) = invoices_of(ada)
    assert said(invoice) == [("service", 1, 3_000, 248), ("credit", 1, -3_000, -248)]
    closed_without_money(invoice)


def test_on_a_cheaper_service_a_credit_is_worth_no_more_than_the_charge(
    kennel: Callable[[], LocalWorld],
) -> None:
    """Example 11: on a service of 20.00, nothing is due."""
    world = kennel()
    ada = customer_with_card(world)
    give(world, ada)
    visit(world, ada, "bath")
    go_to(world, ENDED)
    (invoice,) = invoices_of(ada)
    assert said(invoice) == [("service", 1, 2_000, 165), ("credit", 1, -2_000, -165)]
    closed_without_money(invoice)


def test_two_packs_pay_for_one_reservation_each_by_its_own_line(
    kennel: Callable[[], LocalWorld],
) -> None:
    world = kennel()
    ada = customer_with_card(world)
    give(world, ada, "p1", 1, expires_at=world.now() + timedelta(days=9))
    give(world, ada, "p2", 5)
    visit(world, ada, participants=2)
    go_to(world, ENDED)
    (invoice,) = invoices_of(ada)
    # The second of two is 10% off; half a cent of tax is rounded up on both sides alike.
    assert said(invoice) == [
        ("service", 1, 3_000, 248),
        ("credit", 1, -3_000, -248),
        ("service", 1, 2_700, 223),
        ("credit", 1, -2_700, -223),
    ]
    names = [line.name for line in invoice.lines if line.kind is LineKind.CREDIT]
    assert names == ["Pack p1", "Pack p2"]
    closed_without_money(invoice)
    books_hold(world)


def test_an_hourly_credit_pays_for_one_hour(kennel: Callable[[], LocalWorld]) -> None:
    world = kennel()
    ada = customer_with_card(world)
    give(world, ada, service_id="room", hourly=True)
    one = visit(world, ada, "room")
    assert [held.credits for held in one.held] == [2]
    go_to(world, ENDED)
    (invoice,) = invoices_of(ada)
    assert said(invoice) == [("service", 1, 3_000, 248), ("credit", 1, -3_000, -248)]
    closed_without_money(invoice)
    (pack,) = packs_of(ada)
    assert pack.left == 3


def test_a_weekly_place_is_taxed_as_any_other(shop: Shop) -> None:
    world = shop(OPENING)
    yoga = Service(id="yoga", name="Yoga", unit="class", taxed=True)
    catalogues.publish(catalogue_of().model_copy(update={"services": (yoga,)}))
    standing = standing_of(class_in(world, 2), 1, same_staff=False)
    ada = subscribed(world, "standing", standing=standing)
    go_to(world, ENDED)
    (invoice,) = [one for one in invoices_of(ada) if one.reservation_id is not None]
    assert said(invoice) == [("service", 1, 2_000, 165), ("credit", 1, -2_000, -165)]
    closed_without_money(invoice)
    books_hold(world)


# --- paid in part --------------------------------------------------------------------------------


def asked(world: LocalWorld, one: Reservation) -> Any:
    """Staff ask for what is left of it; what the customer then sees of the invoice."""
    path = f"/console/outstanding/{one.customer_id}/{one.id}/invoice"
    answer = staff(world).post(path, idempotency_key=f"key-of-{one.id}")
    assert answer.status == 201, answer.body
    invoice_id = json.loads(answer.body)["invoice_id"]
    return customer(world, one.customer_id).data(f"/invoices/{invoice_id}")


def test_a_daycare_credit_on_boarding_leaves_twenty_due(kennel: Callable[[], LocalWorld]) -> None:
    """Example 11, with tax, through the pages: booked, begun unpaid, asked for, seen, paid."""
    world = kennel()
    ada = customer_with_card(world)
    give(world, ada)
    one = visit(world, ada, "boarding", pay_later="true")
    go_to(world, ENDED)
    assert invoices_of(ada) == [], "nothing is closed while something is due"
    (row,) = staff(world).data("/console/outstanding?location=ny")["outstanding"]
    assert row["amount"] == {"minor": 2_165, "currency": "USD"}
    page = asked(world, one)
    (invoice,) = invoices_of(ada)
    assert said(invoice) == [("service", 1, 5_000, 413), ("credit", 1, -3_000, -248)]
    assert invoice.owed.minor == 2_165, "20.00 and 1.65 tax"
    shown = [(line["kind"], line["amount"]["minor"]) for line in page["lines"]]
    assert shown == [("service", 5_000), ("credit", -3_000)]
    paid = customer(world, ada).post(
        f"/invoices/{invoice.id}/pay", idempotency_key="key-of-paying-it"
    )
    assert paid.status == 200, paid.body
    world.run_due()
    (invoice,) = invoices_of(ada)
    assert (invoice.state, invoice.paid.minor) == (InvoiceState.CLOSED, 2_165)
    books_hold(world)


@pytest.mark.parametrize(("rules", "second", "due"), [(False, 3_000, 4_000), (True, 2_700, 4_300)])
def test_the_second_participants_credit_follows_its_own_services_rules_if_asked_to(
    kennel: Callable[[], LocalWorld], rules: bool, second: int, due: int
) -> None:
    """Example 11: worth 27.00 for the second of two where the product uses pricing rules."""
    world = kennel()
    ada = customer_with_card(world)
    give(world, ada, use_pricing_rules=rules)
    one = visit(world, ada, "boarding", participants=2, pay_later="true")
    assert one.due.minor == due
    go_to(world, ENDED)
    asked(world, one)
    (invoice,) = invoices_of(ada)
    assert invoice.subtotal.minor == due
    credit = [line.amount.minor for line in invoice.lines if line.kind is LineKind.CREDIT]
    assert sum(credit) == -(3_000 + second)
    world.run_due()
    books_hold(world)
