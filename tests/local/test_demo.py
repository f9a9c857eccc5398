"""The demo data is honest: what it shows is what the system itself would have come to ([RUN])."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.local import demo
from infra.local.demo_catalogue import CATALOGUE
from infra.local.world import LocalWorld
from shared.domain.charge import Charge
from shared.domain.customer import Customer
from shared.domain.invoice import Invoice, InvoiceState
from shared.domain.message import NoticeKind
from shared.domain.outcome import Outcome
from shared.domain.pack import Entry, Pack, PackStatus
from shared.domain.product import Catalogue, RestrictTo
from shared.domain.product_kind import ProductKind
from shared.domain.reservation import Reservation, ReservationState
from shared.domain.subscription import Subscription, SubscriptionState
from shared.operations.audit import audit
from shared.store import accounts, snapshot
from shared.store.collection import collection_of
from shared.store.reading import read
from shared.store.staff import staff_member
from tests.told_lately import LITTLE, compared

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
MOST_PAGES = 20


@pytest.fixture(scope="module")
def world() -> Iterator[LocalWorld]:
    with LocalWorld(start=demo.begins(NOW)) as opened:
        demo.load(opened, NOW)
        yield opened


def customer_ids() -> list[str]:
    ids: list[str] = []
    after: str | None = None
    for _ in range(MOST_PAGES):
        page = accounts.customers_by_address("", after=after)
        ids += [row.value.customer_id for row in page.rows]
        after = page.next
        if after is None:
            return ids
    raise AssertionError("more customers than pages")


def everything_of(customer_id: str) -> list[object]:
    found: list[object] = []
    after: str | None = None
    for _ in range(MOST_PAGES):
        page = collection_of(customer_id, after=after)
        found += [row.value for row in page.rows]
        after = page.next
        if after is None:
            return found
    raise AssertionError("a longer history than pages")


@pytest.fixture(scope="module")
def stored(world: LocalWorld) -> dict[str, list[object]]:
    """Everything that each customer has."""
    assert world.now() == NOW
    return {customer_id: everything_of(customer_id) for customer_id in customer_ids()}


def test_it_ends_now_and_nothing_went_wrong_on_the_way(world: LocalWorld) -> None:
    assert world.now() == NOW
    assert (world.errors, world.dead_letters) == ([], [])
    upcoming = world.next_moment()
    assert upcoming is not None
    assert upcoming > NOW


def test_the_business_has_two_zones_and_products_of_all_kinds() -> None:
    assert len({at.zone for at in CATALOGUE.locations}) == 2
    products = CATALOGUE.products
    assert len(products) >= 15
    assert {one.kind for one in products} == set(ProductKind)
    assert any(one.trial_days for one in products)
    assert any(one.minimum_payments == 12 for one in products)
    assert any(one.hidden for one in products)
    assert {RestrictTo.NEW_JOINERS, RestrictTo.ACTIVE_MEMBERS} <= {
        one.restrict_to for one in products
    }
    minimums = [one.minimum_prices["USD"] for one in products if one.pay_what_you_want]
    assert 0 in minimums
    assert any(minimums)
    subscribed = [one.credits for one in products if one.kind is ProductKind.SUBSCRIPTION]
    assert 0 in subscribed
    assert None in subscribed


def test_thirty_customers_are_in_every_state(stored: dict[str, list[object]]) -> None:
    assert len(stored) == 30
    of_all = [one for items in stored.values() for one in items]
    states = {one.state for one in of_all if isinstance(one, Subscription)}
    # Staff pause and resume from the console, which comes later.
    assert states == set(SubscriptionState) - {SubscriptionState.PAUSED}
    packs = {one.status(NOW) for one in of_all if isinstance(one, Pack)}
    assert packs >= {PackStatus.ACTIVE, PackStatus.EXPIRED, PackStatus.USED_UP}
    customers = [one for one in of_all if isinstance(one, Customer)]
    assert any(not one.cards for one in customers)
    assert any(one.past_due for one in customers)
    assert any(one.access for one in customers)
    assert any(one.cart_counts.get("riverside") for one in customers)


def test_a_packs_ledger_adds_up_to_what_is_left(stored: dict[str, list[object]]) -> None:
    for customer_id, items in stored.items():
        entries = [one for one in items if isinstance(one, Entry)]
        for pack in (one for one in items if isinstance(one, Pack)):
            balance = sum(one.delta for one in entries if one.pack_id == pack.id)
            assert balance == (pack.left or 0), f"{customer_id}: {pack.name}"


def test_both_houses_have_a_schedule_for_eight_weeks_with_seats_taken(
    world: LocalWorld, stored: dict[str, list[object]]
) -> None:
    assert world.now() == NOW
    for location in CATALOGUE.locations:
        for week in range(8):
            begins = NOW + timedelta(weeks=week)
            coming = accounts.schedule_of(location.id, begins, begins + timedelta(weeks=1))
            assert {row.value.service_id for row in coming} == {"daycare", "yoga"}
    reservations = [
        one for items in stored.values() for one in items if isinstance(one, Reservation)
    ]
    assert {one.state for one in reservations} == {
        ReservationState.BOOKED,
        ReservationState.REDEEMED,
        ReservationState.WAITING,
    }
    assert any(one.held and one.starts_at > NOW for one in reservations)
    rows = accounts.schedule_of("riverside", NOW, NOW + timedelta(weeks=1))
    assert [len(row.value.waiting) for row in rows if not row.value.free] == [1]
    assert len(accounts.outstanding_of("riverside").rows) == 1


def test_every_settled_charge_has_closed_its_invoice_for_the_same_amount(
    stored: dict[str, list[object]],
) -> None:
    settled = 0
    for items in stored.values():
        invoices = {one.id: one for one in items if isinstance(one, Invoice)}
        for charge in (one for one in items if isinstance(one, Charge)):
            if charge.settled_at is None or charge.invoice_id not in invoices:
                continue
            invoice = invoices[charge.invoice_id]
            assert invoice.state is InvoiceState.CLOSED
            assert invoice.total == charge.amount == invoice.paid
            assert invoice.number is not None
            settled += 1
    assert settled > 30


def test_the_provider_has_the_same_charges_in_its_books(
    world: LocalWorld, stored: dict[str, list[object]]
) -> None:
    ours = {
        (attempt.provider_charge_id, charge.amount.minor, attempt.outcome is Outcome.SUCCEEDED)
        for items in stored.values()
        for charge in items
        if isinstance(charge, Charge)
        for attempt in charge.attempts
    }
    theirs = {
        (charge.id, charge.amount, charge.state == "succeeded")
        for charge in world.sandbox.charges()
    }
    assert ours == theirs


def test_the_daily_audit_finds_nothing(world: LocalWorld) -> None:
    found = audit(world.wiring.context(snapshot.load(Catalogue, world.now())), shards=1)
    assert found.breaches == []
    assert found.customers == 30


def test_staff_find_a_failed_payment_among_the_notices(world: LocalWorld) -> None:
    assert world.now() == NOW
    kinds = {row.value.kind for row in accounts.open_notices().rows}
    assert NoticeKind.SUBSCRIPTION_FAILED_PAYMENT in kinds


def test_the_addresses_that_are_listed_can_sign_in(world: LocalWorld) -> None:
    staff = [
        one for one in world.sign_in_addresses if read(staff_member(one)).get(staff_member(one))
    ]
    customers = [
        one
        for one in world.sign_in_addresses
        if read(accounts.address(one)).get(accounts.address(one))
    ]
    assert len(staff) == 3
    assert len(customers) == 30
    assert "ada@example.com" in customers
    assert world.request("GET", "/_local").json()["sign_in_addresses"] == list(
        world.sign_in_addresses
    )


def test_staff_see_of_everybody_what_all_of_the_books_say(
    world: LocalWorld, stored: dict[str, list[object]]
) -> None:
    """However little of them is read (decision 13)."""
    found = [compared(one, CATALOGUE, world.now(), limits) for one in stored for limits in LITTLE]
    assert [wrong for one in found for wrong in one.wrong] == []
    assert sum(len(one.lines) for one in found if one.cut) > 100
