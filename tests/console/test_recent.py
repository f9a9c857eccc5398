"""The first page of a customer's timeline is told from the newest of the books, whatever happened
to however old a thing, and says what all of them say (decision 13, [CONSOLE])."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product

import pytest

from functions.console.books import read_books
from functions.console.recent import Limits, begin, finish
from infra.local.sandbox import ChargeSeen
from infra.local.world import LocalWorld
from shared.domain.pack import EntryKind, Pack
from shared.store.collection import touched_of
from shared.store.items import client
from shared.store.people import customer_pk
from shared.store.staff import Role
from tests import banking
from tests import shop_floor as shop
from tests.billing.test_audit import audit
from tests.buying import buy_place, class_in, pay_invoice
from tests.console.office import book, staff, told
from tests.round_trips import waiting
from tests.told_lately import LITTLE, OWNER, compared, lines_of

A_FEW = Limits(newest=3, touched=8, since_then=60)
EVERYTHING_TOUCHED = 100


def newest(world: LocalWorld, customer_id: str, limits: Limits = A_FEW) -> list[str]:
    """What the newest of the books tell: a part, and as all of them tell it."""
    found = compared(customer_id, shop.catalogue_of(), world.now(), limits)
    assert found.wrong == ()
    assert found.cut, "this shows nothing: everything was read"
    return [line.what for line in found.lines]


def then_buys(world: LocalWorld, customer_id: str, days: int = 6) -> None:
    """An order a day."""
    for _ in range(days):
        shop.buy(world, customer_id, "mat")
        world.advance(timedelta(days=1))


def buys_ten(world: LocalWorld) -> tuple[str, ChargeSeen]:
    """A new customer, and how the provider knows the payment."""
    ada = shop.customer_with_card(world)
    shop.buy(world, ada, "ten")
    (paid,) = shop.asked_of(world, ada)
    return ada, paid


# --- something new happens to something old --------------------------------------------------


def a_credit_is_taken_off(world: LocalWorld) -> tuple[str, str]:
    ada = shop.customer_with_card(world)
    shop.buy(world, ada, "ten")
    (pack,) = shop.packs_of(ada)
    then_buys(world, ada)
    path = f"/console/customers/{ada}/packs/{pack.id}/credits"
    answer = staff(world).post(path, delta=-1, reason="Missed", idempotency_key="key-of-taking")
    assert answer.status in (201, 303)
    return ada, "1 class taken off Ten; 9 left"


def a_class_takes_place(world: LocalWorld) -> tuple[str, str]:
    ada = shop.customer_with_card(world)
    shop.buy(world, ada, "ten")
    book(world, ada, class_in(world, days=7).id)
    then_buys(world, ada)
    shop.go_to(world, "2026-02-07 17:00")
    assert "0 classes used of Ten; 9 left" in newest(world, ada), "they had been held"
    return ada, "took place"


def an_open_invoice_is_paid(world: LocalWorld) -> tuple[str, str]:
    ada = shop.customer_with_card(world)
    place = book(world, ada, class_in(world, days=1).id, pay_later=True)
    shop.go_to(world, "2026-02-02 12:00")
    path = f"/console/outstanding/{ada}/{place.id}/invoice"
    assert staff(world).post(path, idempotency_key="key-of-asking").status in (200, 201, 303)
    then_buys(world, ada)
    (asked,) = [one for one in shop.invoices_of(ada) if one.reservation_id]
    pay_invoice(world, asked)
    (paid,) = [one for one in shop.invoices_of(ada) if one.reservation_id]
    return ada, f"Invoice {paid.number} paid by Visa 4242: $20.00"


def an_open_invoice_is_paid_in_cash(world: LocalWorld) -> tuple[str, str]:
    ada = shop.customer_with_card(world)
    place = book(world, ada, class_in(world, days=1).id, pay_later=True)
    shop.go_to(world, "2026-02-02 12:00")
    desk = staff(world)
    desk.post(f"/console/outstanding/{ada}/{place.id}/invoice", idempotency_key="key-of-asking")
    then_buys(world, ada)
    (asked,) = [one for one in shop.invoices_of(ada) if one.reservation_id]
    path = f"/console/customers/{ada}/invoices/{asked.id}/payments"
    paid = staff(world).post(path, kind="cash", amount="20.00", idempotency_key="key-of-paying")
    assert paid.status == 201
    return ada, "paid in cash: $20.00"


def a_class_takes_place_after_later_ones(world: LocalWorld) -> tuple[str, str]:
    ada = shop.customer_with_card(world)
    shop.buy(world, ada, "ten")
    book(world, ada, class_in(world, days=9, name="Far off").id)
    for day in range(1, 6):
        book(world, ada, class_in(world, days=day).id)
    shop.go_to(world, "2026-02-09 17:00")
    return ada, "Far off, February 9, 2026"


def a_card_is_declined_at_checkout(world: LocalWorld) -> tuple[str, str]:
    """There is no invoice that leads to it."""
    ada = shop.customer_with_card(world)
    then_buys(world, ada, days=3)
    shop.let_card_behave_as(world, shop.card_of(ada), shop.FAILS_LATER)
    shop.buy(world, ada, "mat")
    world.advance(timedelta(hours=2))
    shop.let_card_behave_as(world, shop.card_of(ada), shop.WORKS)
    shop.buy(world, ada, "mat")
    return ada, "declined: the bank said no"


def a_place_is_paid_as_it_is_booked(world: LocalWorld) -> tuple[str, str]:
    ada = shop.customer_with_card(world)
    then_buys(world, ada)
    yoga = class_in(world)
    buy_place(world, ada, yoga, total=2_000, pay_now=True)
    return ada, "Charged $20.00 to Visa 4242"


def a_pack_expires(world: LocalWorld) -> tuple[str, str]:
    ada = shop.customer_with_card(world)
    shop.buy(world, ada, "ten")
    shop.go_to(world, "2026-04-27 12:00")
    then_buys(world, ada)
    return ada, "Ten expired; 10 classes had been left"


def a_slot_passes(world: LocalWorld) -> tuple[str, str]:
    """Nothing is written of the charge: its subscription alone says which slots are gone."""
    ada = shop.subscribed(world, "month", number=shop.LOST_CARD)
    shop.go_to(world, "2026-02-28 12:00")
    shop.let_card_behave_as(world, shop.card_of(ada), shop.WORKS)
    then_buys(world, ada, days=4)
    assert not shop.subscription_of(ada).over
    return ada, "Not tried for Month, period of Feb 28"


def the_last_slot_passes(world: LocalWorld) -> tuple[str, str]:
    ada, said = a_slot_passes(world)
    then_buys(world, ada, days=2)
    assert shop.subscription_of(ada).over
    return ada, said


def it_is_cancelled_while_slots_pass(world: LocalWorld) -> tuple[str, str]:
    ada, said = a_slot_passes(world)
    one = shop.subscription_of(ada)
    path = f"/console/customers/{ada}/subscriptions/{one.id}/cancel"
    staff(world).post(path, when="now", idempotency_key="key-of-cancelling")
    assert shop.subscription_of(ada).over
    return ada, said


HAPPENS = (
    a_credit_is_taken_off,
    a_class_takes_place,
    an_open_invoice_is_paid,
    an_open_invoice_is_paid_in_cash,
    a_class_takes_place_after_later_ones,
    a_card_is_declined_at_checkout,
    a_place_is_paid_as_it_is_booked,
    a_pack_expires,
    a_slot_passes,
    the_last_slot_passes,
    it_is_cancelled_while_slots_pass,
)


@pytest.mark.parametrize("happens", HAPPENS)
def test_what_happens_to_something_old_is_told_with_what_is_new(
    world: LocalWorld, happens: Callable[[LocalWorld], tuple[str, str]]
) -> None:
    ada, said = happens(world)
    assert any(said in line for line in newest(world, ada))


def test_a_payment_that_a_bank_takes_back_is_told_with_the_packs_that_it_had_paid(
    world: LocalWorld,
) -> None:
    """However old they are: so everything is read ([REVERSE])."""
    ada, paid = buys_ten(world)
    then_buys(world, ada)
    banking.reverse(world, paid)
    world.run_due()
    assert finish(begin(ada, A_FEW)) is None
    lines = {line["what"]: line["detail"] for line in told(staff(world), ada)}
    (detail,) = [said for what, said in lines.items() if "the bank took back" in what]
    assert detail == "The unused credits of Ten are on hold until it is paid."


def test_a_pack_on_hold_says_where_all_its_credits_went_however_long_ago(
    world: LocalWorld,
) -> None:
    ada, paid = buys_ten(world)
    book(world, ada, class_in(world, days=1).id)
    world.advance(timedelta(days=2))
    banking.reverse(world, paid)
    world.run_due()
    then_buys(world, ada)
    newest(world, ada, Limits(newest=3, touched=2, since_then=60))
    (frozen,) = staff(world).data(f"/console/customers/{ada}")["frozen"]
    assert [use["name"] for use in frozen["uses"]] == ["Yoga"]


def test_of_a_pack_on_hold_that_has_ended_everything_is_read(world: LocalWorld) -> None:
    """The page says where its credits went, and its ledger is old ([REVERSE])."""
    ada, paid = buys_ten(world)
    book(world, ada, class_in(world, days=1).id)
    world.advance(timedelta(days=2))
    banking.reverse(world, paid)
    shop.go_to(world, "2026-04-28 12:00")
    then_buys(world, ada, days=5)
    assert any(pack.ended_at for pack in shop.packs_of(ada))
    assert finish(begin(ada, A_FEW)) is None


# --- however much is read --------------------------------------------------------------------


@pytest.fixture
def eventful(world: LocalWorld) -> str:
    """Half a year of somebody whose renewals fail and are rescued, who books and buys."""
    ada = shop.subscribed(world, "month", number=shop.FAILS_LATER)
    shop.buy(world, ada, "ten")
    shop.go_to(world, "2026-03-02 12:00")
    shop.new_card(world, ada, shop.ALSO_WORKS)
    world.run_due()
    for days in (2, 9, 40, 100):
        book(world, ada, class_in(world, days=days).id)
    then_buys(world, ada)
    shop.go_to(world, "2026-07-01 12:00")
    shop.let_card_behave_as(world, shop.card_of(ada), shop.FAILS_LATER)
    shop.go_to(world, "2026-08-10 12:00")
    return ada


def test_however_little_is_read_it_is_told_as_everything_tells_it(
    world: LocalWorld, eventful: str
) -> None:
    found = [compared(eventful, shop.catalogue_of(), world.now(), limits) for limits in LITTLE]
    assert [one.wrong for one in found] == [()] * len(LITTLE)
    lines = [len(one.lines) for one in found]
    assert max(lines) == lines[-1], "who reads most tells most"
    assert 20 < lines[-1] < len(told(staff(world), eventful))
    assert found[-1].cut


MEASURES = [Limits(*each) for each in product((1, 3, 60), (2, 9, 60), (1, 4, 13, 60), (4, 100))]


def test_nor_does_it_matter_how_much_of_which_is_read(world: LocalWorld, eventful: str) -> None:
    found = [compared(eventful, shop.catalogue_of(), world.now(), each) for each in MEASURES]
    assert [one.wrong for one in found] == [()] * len(MEASURES)
    assert sum(len(one.lines) for one in found) > 300


def test_what_is_cut_is_no_part_of_it_also_where_nothing_is_old(world: LocalWorld) -> None:
    ada = shop.customer_with_card(world)
    then_buys(world, ada)
    lines = newest(world, ada, Limits(newest=60, touched=60, since_then=4))
    assert 0 < sum("Emailed" in line for line in lines) <= 2 * 4


def test_the_pages_have_every_line_once_though_the_first_is_told_from_less(
    world: LocalWorld, eventful: str
) -> None:
    everything = read_books(eventful, OWNER)
    assert everything is not None
    lines = lines_of(everything, shop.catalogue_of(), world.now())
    paged = told(staff(world), eventful)
    assert [line["id"] for line in paged] == [line.id for line in lines][::-1]


def test_a_first_page_of_less_than_some_lines_is_told_from_everything(world: LocalWorld) -> None:
    """Fifteen orders within an hour leave nothing that is surely all of what came after."""
    ada = shop.customer_with_card(world)
    for _ in range(15):
        shop.buy(world, ada, "mat")
    page = staff(world).data(f"/console/customers/{ada}")
    assert len(page["timeline"]) >= 15 * 3


def test_who_works_elsewhere_sees_the_same_as_before(world: LocalWorld, eventful: str) -> None:
    """What is hidden from somebody can only be told from everything ([OWN])."""
    shop.let_card_behave_as(world, shop.card_of(eventful), shop.WORKS)
    shop.buy(world, eventful, "mat", location="be")
    clerk = staff(world, Role.CLERK, locations=("be",))
    lines = told(clerk, eventful)
    (paid,) = [line for line in lines if line["kind"] == "payment"]
    assert paid["what"].endswith("€35.70")
    assert not any("Month" in line["what"] for line in lines)


def test_what_moves_while_it_is_read_is_there_once(world: LocalWorld) -> None:
    ada = shop.customer_with_card(world)
    shop.buy(world, ada, "ten")
    begun = begin(ada)
    shop.go_to(world, "2026-05-10 12:00")
    recent = finish(begun)
    assert recent is not None
    (found,) = recent.found.of(Pack)
    assert found.ended_at is not None, "it lies with those that ended"


def test_what_an_earlier_version_stored_is_in_the_index_after_the_daily_audit(
    world: LocalWorld,
) -> None:
    ada, said = a_credit_is_taken_off(world)
    for one in touched_of(ada, limit=EVERYTHING_TOUCHED).items:
        client().update_item(
            TableName=world.wiring.environment.accounts_table,
            Key={"pk": {"S": customer_pk(ada)}, "sk": {"S": one.sk}},
            UpdateExpression="REMOVE touched_at",
        )
    assert touched_of(ada, limit=EVERYTHING_TOUCHED).items == ()
    audit(world)
    assert said in newest(world, ada)


# --- what it costs ---------------------------------------------------------------------------


def test_a_page_waits_for_two_round_trips_however_long_the_story(
    world: LocalWorld, eventful: str
) -> None:
    desk, path = staff(world), f"/console/customers/{eventful}"
    desk.page(path)
    with waiting() as clock:
        desk.page(path)
    assert clock.waited == 2


def test_as_much_is_read_after_a_year_as_after_half_of_it(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "month")
    limits = Limits(newest=3, touched=8, since_then=60)
    read = []
    for day in ("2026-08-10 12:00", "2027-03-10 12:00"):
        shop.go_to(world, day)
        recent = finish(begin(ada, limits))
        assert recent is not None and recent.since is not None
        read.append(len(recent.found.rows))
    assert read[1] <= read[0] + 1


@pytest.mark.parametrize("product", ["month", "trial", "gift", "ten", "mat"])
def test_nor_does_it_take_a_third_for_what_was_just_bought(world: LocalWorld, product: str) -> None:
    ada = shop.customer_with_card(world)
    shop.buy(world, ada, product)
    begin(ada)
    with waiting() as clock:
        assert finish(begin(ada)) is not None
    assert clock.waited == 2


def test_nothing_of_a_renewal_on_time_is_in_the_index(world: LocalWorld) -> None:
    """Only the end of the pack before is, and the reminder, which tells of the subscription."""
    ada = shop.subscribed(world, "month")
    shop.go_to(world, "2026-06-10 12:00")
    touched = touched_of(ada, limit=EVERYTHING_TOUCHED)
    assert touched.whole
    expired = {
        f"entry#{pack.id}#{one.id}"
        for pack in shop.packs_of(ada)
        for one in shop.entries_of(pack)
        if one.kind is EntryKind.EXPIRE
    }
    others = {one.sk for one in touched.items} - expired
    assert len(expired) == len(touched.items) - len(others) == 4
    assert all(sk.endswith(":renewal_reminder") for sk in others)
