"""What began unpaid: staff ask for it, let it go, or trust ([BOOK], [PACK], [ACCESS], [KEY])."""

import json
from datetime import timedelta
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.activity import Activity
from shared.domain.business import Service
from shared.domain.charge import Charge
from shared.domain.invoice import InvoiceState, LineKind
from shared.domain.message import MessageKind
from shared.domain.pack import EntryKind, Pack, PackStatus
from shared.domain.reservation import Reservation, ReservationState
from shared.operations import giving_back
from shared.store import catalogue as catalogues
from shared.store.staff import Role
from tests import shop_floor as shop
from tests.buying import (
    buy_place,
    class_in,
    invoice_now,
    pack_now,
    pay_invoice,
    reservation_now,
    total_of,
)
from tests.console.office import Desk, book, code_of, events_of, mails_to, staff, told

PAGE = "/console/outstanding?location=ny"
WITH_TAX = 2_165
"""A class of 20.00 with 8.25% tax."""


@pytest.fixture
def world(world: LocalWorld) -> LocalWorld:
    """Places are taxed."""
    yoga = Service(id="yoga", name="Yoga", unit="class", taxed=True)
    catalogues.publish(shop.catalogue_of().model_copy(update={"services": (yoga,)}))
    return world


def began_unpaid(world: LocalWorld, **values: Any) -> Reservation:
    """A class that Ada booked to pay later, and that has begun."""
    ada = shop.customer_with_card(world)
    one = book(world, ada, class_in(world, **values).id, pay_later=True)
    shop.go_to(world, "2026-02-03 15:10")
    return reservation_now(one)


def with_unpaid_pack(
    world: LocalWorld, email: str = "ada@example.com"
) -> tuple[Reservation, Pack, Activity]:
    """A class that Ada booked by buying a ten-pack that she pays later."""
    ada = shop.customer_with_card(world, email=email)
    yoga = class_in(world)
    one = buy_place(world, ada, yoga, "ten", total=total_of(world, ada, yoga, "ten")).reservation
    (pack,) = shop.packs_of(ada)
    return one, pack, yoga


def ask(desk: Desk, one: Reservation, key: str = "key-of-asking") -> Response:
    path = f"/console/outstanding/{one.customer_id}/{one.id}/invoice"
    return desk.post(path, idempotency_key=key)


def let_go(
    desk: Desk, one: Reservation, reason: str = "She was ill", key: str = "key-of-letting-go"
) -> Response:
    path = f"/console/outstanding/{one.customer_id}/{one.id}/waive"
    return desk.post(path, reason=reason, idempotency_key=key)


def activate(
    desk: Desk, pack: Pack, reason: str = "Pays on Friday", key: str = "key-of-activating"
) -> Response:
    path = f"/console/customers/{pack.customer_id}/packs/{pack.id}/activate"
    return desk.post(path, reason=reason, idempotency_key=key)


def listed(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.data(PAGE)["outstanding"]
    return found


def charge_of(customer_id: str) -> Charge:
    (charge,) = shop.charges_of(customer_id)
    return charge


# --- the list --------------------------------------------------------------------------------


def test_the_list_says_what_is_owed_with_tax_and_which_invoice_asks_for_it(
    world: LocalWorld,
) -> None:
    one, olga = began_unpaid(world), staff(world)
    (row,) = listed(olga)
    assert row["amount"] == {"minor": WITH_TAX, "currency": "USD"}
    assert (row["invoice_id"], row["order_id"], row["for_pack"]) == (None, None, False)
    assert "Nobody has asked for it yet" in olga.page(PAGE)
    assert ask(olga, one).status == 201
    (row,) = listed(olga)
    invoice = invoice_now(one)
    assert (row["invoice_id"], row["order_id"]) == (invoice.id, invoice.order_id)
    page = olga.page(PAGE)
    assert f'href="/console/customers/{one.customer_id}#invoice-{invoice.id}"' in page
    assert f"order {invoice.order_id}" in page


def test_a_pack_that_was_bought_with_a_place_is_outstanding_at_its_own_price(
    world: LocalWorld,
) -> None:
    one, _, _ = with_unpaid_pack(world)
    assert listed(staff(world)) == [], "it has not begun"
    shop.go_to(world, "2026-02-03 15:10")
    (row,) = listed(staff(world))
    assert row["amount"]["minor"] == invoice_now(one).total.minor
    assert (row["for_pack"], row["invoice_id"]) == (True, invoice_now(one).id)
    refused = ask(staff(world), one)
    assert (refused.status, code_of(refused)) == (409, "invoiced_already")


# --- ask -------------------------------------------------------------------------------------


def test_an_invoice_asks_for_what_began_unpaid_and_the_customer_pays_it(
    world: LocalWorld,
) -> None:
    one, clerk = began_unpaid(world), staff(world, Role.CLERK)
    answer = json.loads(ask(clerk, one).body)
    assert answer["owed"]["minor"] == WITH_TAX
    invoice = invoice_now(one)
    assert (invoice.state, invoice.owed.minor) == (InvoiceState.OPEN, WITH_TAX)
    assert [(line.kind, line.amount.minor, line.tax.minor) for line in invoice.lines] == [
        (LineKind.SERVICE, 2_000, 165)
    ]
    world.run_due()
    assert len(shop.messages_of(one.customer_id, MessageKind.INVOICE)) == 1
    assert "$21.65" in mails_to(world, "ada@example.com")[0].text
    (event,) = events_of(one.customer_id, "place:invoiced")
    assert (event.by, event.after) == ("clerk@happypaws.example", invoice.order_id)
    pay_invoice(world, invoice)
    assert invoice_now(one).state is InvoiceState.CLOSED
    assert not reservation_now(one).outstanding
    assert listed(staff(world)) == []
    assert len(shop.messages_of(one.customer_id, MessageKind.INVOICE)) == 1, "it went out before"
    shop.books_hold(world)


def test_the_same_press_asks_once_and_another_is_refused(world: LocalWorld) -> None:
    one, olga = began_unpaid(world), staff(world)
    first, again = ask(olga, one), ask(olga, one)
    assert first.status == again.status == 201
    assert json.loads(first.body) == json.loads(again.body)
    other = ask(olga, one, "another-key-of-asking")
    assert (other.status, code_of(other)) == (409, "invoiced_already")
    assert len(shop.invoices_of(one.customer_id)) == 1
    world.run_due()
    assert len(shop.messages_of(one.customer_id, MessageKind.INVOICE)) == 1


def test_a_press_without_a_key_is_refused(world: LocalWorld) -> None:
    one, olga = began_unpaid(world), staff(world)
    for path in ("invoice", "waive"):
        at = f"/console/outstanding/{one.customer_id}/{one.id}/{path}"
        answer = olga.post(at, reason="Because")
        assert answer.status == 422
        assert set(json.loads(answer.body)["fields"]) == {"Idempotency-Key"}


def test_what_credits_paid_of_it_is_on_the_invoice_and_only_the_rest_is_asked_for(
    world: LocalWorld,
) -> None:
    """[VOUCHER]: two come, and one credit is left."""
    ada = shop.customer_with_card(world)
    shop.buy(world, ada, "ten")
    (pack,) = shop.packs_of(ada)
    yoga = class_in(world)
    taken = staff(world).post(
        f"/console/customers/{ada}/packs/{pack.id}/credits",
        delta=-9, reason="Lost the card", idempotency_key="key-of-the-nine",
    )  # fmt: skip
    assert taken.status == 201
    one = book(world, ada, yoga.id, participants=2, pay_later=True)
    shop.go_to(world, "2026-02-03 15:10")
    ask(staff(world), one)
    assert [(line.kind, line.amount.minor, line.tax.minor) for line in invoice_now(one).lines] == [
        (LineKind.SERVICE, 2_000, 165),
        (LineKind.CREDIT, -2_000, -165),
        (LineKind.SERVICE, 2_000, 165),
    ]
    assert invoice_now(one).owed.minor == WITH_TAX


def test_what_has_not_begun_is_not_asked_for(world: LocalWorld) -> None:
    ada = shop.customer_with_card(world)
    one = book(world, ada, class_in(world).id, pay_later=True)
    for answer in (ask(staff(world), one), let_go(staff(world), one)):
        assert (answer.status, code_of(answer)) == (409, "nothing_outstanding")
    assert shop.invoices_of(ada) == []


# --- let go ----------------------------------------------------------------------------------


def test_what_is_let_go_is_owed_no_more_and_the_timeline_says_by_whom(world: LocalWorld) -> None:
    one, olga = began_unpaid(world), staff(world)
    answer = json.loads(let_go(olga, one, "She was ill").body)
    assert (answer["waived"], answer["owed"]["minor"]) == (True, 0)
    assert listed(olga) == []
    assert shop.invoices_of(one.customer_id) == []
    lines = {line["what"]: line for line in told(olga, one.customer_id)}
    line = lines["What was owed for Yoga was let go"]
    assert (line["by"], line["detail"]) == ("owner@happypaws.example", "She was ill.")
    again = let_go(olga, one, "She was ill")
    assert json.loads(again.body) == answer
    shop.go_to(world, "2026-02-06 12:00")
    assert reservation_now(one).state is ReservationState.REDEEMED
    assert listed(staff(world)) == []
    shop.books_hold(world)


def test_an_invoice_that_is_let_go_is_void_and_can_not_be_paid(world: LocalWorld) -> None:
    one, olga = began_unpaid(world), staff(world)
    ask(olga, one)
    assert let_go(olga, one).status == 200
    assert invoice_now(one).state is InvoiceState.VOID
    with pytest.raises(Exception, match="Nothing is owed"):
        pay_invoice(world, invoice_now(one))
    lines = [line["what"] for line in told(olga, one.customer_id)]
    name = f"Order {invoice_now(one).order_id}"
    assert f"{name} opened: $21.65 to pay" in lines
    assert lines.index(f"{name} is void: $21.65 is not owed any more") > lines.index(
        f"{name} opened: $21.65 to pay"
    )
    world.run_due()
    shop.books_hold(world)


def test_a_payment_under_way_is_waited_for(world: LocalWorld) -> None:
    one, olga = began_unpaid(world), staff(world)
    ask(olga, one)
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave("charge", "timeout_after")
    pay_invoice(world, invoice_now(one))
    refused = let_go(olga, one)
    assert (refused.status, code_of(refused)) == (409, "payment_under_way")
    assert invoice_now(one).state is InvoiceState.OPEN
    world.sandbox.release_webhooks()
    world.run_due()
    assert invoice_now(one).state is InvoiceState.CLOSED
    assert listed(olga) == []
    shop.books_hold(world)


def test_a_declined_card_leaves_it_owed_and_it_can_be_let_go(world: LocalWorld) -> None:
    one, olga = began_unpaid(world), staff(world)
    ask(olga, one)
    world.sandbox.let_card_behave_as(shop.card_of(one.customer_id).token, shop.FAILS_LATER)
    pay_invoice(world, invoice_now(one))
    (row,) = listed(olga)
    assert row["amount"]["minor"] == WITH_TAX
    assert let_go(olga, one).status == 200
    assert charge_of(one.customer_id).given_up, "a late success would be paid back"
    shop.books_hold(world)


def test_letting_go_of_an_unpaid_pack_ends_it_and_the_visit_is_a_gift(world: LocalWorld) -> None:
    one, pack, _ = with_unpaid_pack(world)
    shop.go_to(world, "2026-02-03 15:10")
    olga = staff(world)
    assert let_go(olga, one).status == 200
    over = pack_now(pack)
    assert (over.status(world.now()), over.left, over.unpaid) == (PackStatus.EXPIRED, 0, False)
    assert invoice_now(one).state is InvoiceState.VOID
    shop.go_to(world, "2026-02-03 17:00")
    assert reservation_now(one).state is ReservationState.REDEEMED
    assert listed(staff(world)) == []
    shop.books_hold(world)


def test_letting_go_after_activating_leaves_the_pack(world: LocalWorld) -> None:
    one, pack, _ = with_unpaid_pack(world)
    assert activate(staff(world), pack).status == 200
    shop.go_to(world, "2026-02-03 15:10")
    assert let_go(staff(world), one).status == 200
    assert (pack_now(pack).left, pack_now(pack).status(world.now())) == (9, PackStatus.ACTIVE)
    assert invoice_now(one).state is InvoiceState.VOID


# --- trust -----------------------------------------------------------------------------------


def test_an_activated_pack_can_be_used_and_its_invoice_stays_open(world: LocalWorld) -> None:
    one, pack, _ = with_unpaid_pack(world)
    olga = staff(world)
    assert "Activate the pack" in olga.page(f"/console/customers/{pack.customer_id}")
    answer = json.loads(activate(olga, pack).body)
    assert (answer["pack"]["status"], answer["pack"]["left"]) == ("active", 9)
    assert invoice_now(one).state is InvoiceState.OPEN
    ledger = shop.entries_of(pack_now(pack))
    assert [(one.kind, one.delta, one.by) for one in ledger] == [
        (EntryKind.GRANT, 1, ""),
        (EntryKind.HOLD, -1, "customer"),
        (EntryKind.GRANT, 9, "owner@happypaws.example"),
    ]
    lines = {line["what"]: line for line in told(olga, pack.customer_id)}
    assert lines["Ten was activated before it was paid"]["detail"] == "Pays on Friday."
    assert book(world, pack.customer_id, class_in(world, 4).id).held
    again = activate(olga, pack)
    assert again.status == 200
    assert pack_now(pack).left == 8, "the same press activates once"
    other = activate(olga, pack, key="another-key-of-it")
    assert (other.status, code_of(other)) == (409, "pack_not_unpaid")
    pay_invoice(world, invoice_now(one))
    assert pack_now(pack).left == 8, "the payment brings nothing twice"
    shop.books_hold(world)


def test_a_paid_pack_is_not_activated(world: LocalWorld) -> None:
    one, pack, _ = with_unpaid_pack(world)
    pay_invoice(world, invoice_now(one))
    refused = activate(staff(world), pack)
    assert (refused.status, code_of(refused)) == (409, "pack_not_unpaid")
    assert pack_now(pack).left == 9


# --- who may ---------------------------------------------------------------------------------


def test_a_clerk_asks_but_neither_lets_go_nor_activates(world: LocalWorld) -> None:
    one, pack, _ = with_unpaid_pack(world)
    shop.go_to(world, "2026-02-03 15:10")
    clerk = staff(world, Role.CLERK)
    assert "Let it go" not in clerk.page(PAGE)
    assert "Activate the pack" not in clerk.page(f"/console/customers/{pack.customer_id}")
    for answer in (let_go(clerk, one), activate(clerk, pack)):
        assert (answer.status, code_of(answer)) == (403, "role_not_allowed")
    assert pack_now(pack).unpaid
    assert invoice_now(one).state is InvoiceState.OPEN


def test_staff_of_another_location_find_nothing(world: LocalWorld) -> None:
    one, pack, _ = with_unpaid_pack(world)
    shop.go_to(world, "2026-02-03 15:10")
    berlin = staff(world, email="berlin@happypaws.example", locations=("be",))
    for answer in (ask(berlin, one), let_go(berlin, one), activate(berlin, pack)):
        assert answer.status == 404
    assert berlin.ask("GET", PAGE).status == 404
    assert reservation_now(one).outstanding


def test_a_reason_is_needed_and_named(world: LocalWorld) -> None:
    one, pack, _ = with_unpaid_pack(world)
    shop.go_to(world, "2026-02-03 15:10")
    olga = staff(world)
    for reason in ("", "   ", "x" * 201):
        for answer in (let_go(olga, one, reason), activate(olga, pack, reason)):
            assert answer.status == 422
            assert set(json.loads(answer.body)["fields"]) == {"reason"}
    assert pack_now(pack).unpaid


def test_who_is_refused_sees_the_list_again_with_why(world: LocalWorld) -> None:
    one, olga = began_unpaid(world), staff(world)
    ask(olga, one)
    path = f"/console/outstanding/{one.customer_id}/{one.id}/invoice"
    again = olga.ask("POST", path, {"idempotency_key": "key-of-again"}, accept="text/html")
    assert again.status == 409
    assert "There is an invoice for it already." in again.body.decode()
    assert "Reservations that began unpaid" in again.body.decode()


def test_an_unpaid_place_that_is_cancelled_late_is_owed_all_the_same(world: LocalWorld) -> None:
    ada = shop.customer_with_card(world)
    yoga = class_in(world)
    one = book(world, ada, yoga.id, pay_later=True)
    shop.go_to(world, "2026-02-03 10:00")
    giving_back.cancel(shop.context_of(world), ada, one.id)
    world.advance(timedelta(minutes=1))
    (row,) = listed(staff(world))
    assert row["amount"]["minor"] == WITH_TAX


# --- other open invoices ---------------------------------------------------------------------


def test_an_invoice_of_what_has_not_begun_is_listed_by_itself_until_it_is_paid(
    world: LocalWorld,
) -> None:
    one, pack, _ = with_unpaid_pack(world)
    invoice = invoice_now(one)

    def others() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = staff(world).data(PAGE)["open_invoices"]
        return found

    (row,) = others()
    assert (row["invoice_id"], row["customer_name"], row["for_pack"]) == (invoice.id, "Ada", True)
    assert row["owed"] == row["total"] == {"minor": 27_063, "currency": "USD"}
    assert "Other open invoices" in staff(world).page(PAGE)
    berlin = staff(world, email="berlin@happypaws.example", locations=("be",))
    assert berlin.data("/console/outstanding")["open_invoices"] == []
    part = staff(world).post(
        f"/console/customers/{pack.customer_id}/invoices/{invoice.id}/payments",
        kind="cash", amount="100", idempotency_key="key-of-a-part",
    )  # fmt: skip
    assert part.status == 201
    assert others()[0]["owed"]["minor"] == 17_063
    shop.go_to(world, "2026-02-03 15:10")
    assert others() == [], "it is among what began unpaid"
    assert listed(staff(world))[0]["amount"]["minor"] == 17_063
    pay_invoice(world, invoice_now(one))
    assert others() == listed(staff(world)) == []


def test_what_is_paid_at_once_or_cancelled_is_no_open_invoice(world: LocalWorld) -> None:
    ada = shop.customer_with_card(world)
    yoga = class_in(world)
    total = total_of(world, ada, yoga, "ten")
    buy_place(world, ada, yoga, "ten", total=total, pay_now=True)
    one, _, _ = with_unpaid_pack(world, "ben@example.com")
    giving_back.cancel(shop.context_of(world), one.customer_id, one.id)
    assert staff(world).data(PAGE)["open_invoices"] == []
    refused = staff(world).ask("GET", f"{PAGE}&open_after=be%23x")
    assert refused.status == 422
