"""Places that are paid for as they are booked: a pack bought there, or the one session ([BOOK]
[PLACES] [ONCE] [KEY] [VOUCHER])."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.local.world import LocalWorld
from shared.domain.invoice import InvoiceState
from shared.domain.message import MessageKind, NoticeKind
from shared.domain.pack import EntryKind, PackStatus
from tests.portal.customers import Customer, confirm, hidden_fields
from tests.portal.places_for_sale import (
    EMAIL,
    PLACE,
    TEN,
    WORKSHOP,
    YOGA,
    ask,
    buy_ten,
    cancel,
    code,
    free,
    in_hand,
    ledger,
    page_of,
    selling,
    told,
    unknown_outcome,
)
from tests.shop_floor import (
    FAILS_LATER,
    NEEDS_AUTHENTICATION,
    card_of,
    charged_at,
    charges_of,
    customer_with_card,
    entries_of,
    go_to,
    invoices_of,
    newcomer,
    notices,
    packs_of,
    text,
)


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with selling(YOGA, WORKSHOP) as opened:
        yield opened


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    """She has a card and no credits."""
    return Customer(world, customer_with_card(world))


# --- a pack that is bought with a place -----------------------------------------------------------


def test_of_a_pack_that_is_bought_and_paid_one_credit_holds_the_place_and_nine_are_usable(
    world: LocalWorld, ada: Customer
) -> None:
    page = page_of(buy_ten(ada, pay="now"))
    assert (page["reservation"]["state"], page["payment"]) == ("booked", "paid")
    assert [(one["name"], one["credits"]) for one in page["held"]] == [("Ten classes", 1)]
    (pack,) = packs_of(ada.id)
    assert (pack.left, pack.granted, pack.status(world.now())) == (9, 10, PackStatus.ACTIVE)
    assert ledger(ada) == [
        (EntryKind.GRANT, 1),
        (EntryKind.HOLD, -1),
        (EntryKind.GRANT, 9),
    ]
    assert text(pack.expires_at) == "2026-05-31 03:59", "90 days, today counted"
    (invoice,) = invoices_of(ada.id)
    assert (invoice.state, invoice.total.minor, invoice.paid.minor) == ("closed", TEN, TEN)
    assert len(charged_at(world, ada.id)) == 1
    assert free(ada) == 1
    assert told(ada, MessageKind.RESERVATION_CONFIRMED) == 1
    assert told(ada, MessageKind.ORDER_RECEIPT) == 1


def test_a_decline_gives_everything_back_and_the_place_is_free_for_the_next(
    world: LocalWorld, ada: Customer
) -> None:
    world.sandbox.let_card_behave_as(card_of(ada.id).token, FAILS_LATER)
    refused = buy_ten(ada, pay="now")
    assert code(refused) == (402, "card_declined")
    (made,) = ada.read("/reservations")["reservations"]
    assert (made["state"], made["owes"]["minor"]) == ("cancelled", 0)
    (pack,) = packs_of(ada.id)
    assert pack.status(world.now()) is PackStatus.EXPIRED
    assert (pack.left, sum(one.delta for one in entries_of(pack))) == (0, 0)
    assert [one.state for one in invoices_of(ada.id)] == [InvoiceState.VOID]
    assert free(ada) == 2
    assert told(ada, MessageKind.RESERVATION_CONFIRMED) == 0
    assert told(ada, MessageKind.RESERVATION_CANCELLED) == 0, "the page has said it"
    bea = Customer(world, customer_with_card(world, email="bea@example.com"))
    assert page_of(ask(bea, pay="now", participants=2, expected_total_minor=6_495))


def test_the_page_after_a_decline_says_it_at_the_card_with_a_new_key(
    world: LocalWorld, ada: Customer
) -> None:
    world.sandbox.let_card_behave_as(card_of(ada.id).token, FAILS_LATER)
    fields = hidden_fields(ada.see(f"/schedule/{YOGA.id}"), "/reservations")
    chosen = {"choice": f"ten.{TEN}", "card": card_of(ada.id).id, "pay": "now"}
    again = ada.press("/reservations", **fields, **chosen)
    assert again.status == 402
    assert "The card was declined by the bank. Nothing was charged." in again.text
    assert "key" not in again.text.partition("Nothing was charged.")[2].partition("<")[0]
    assert f'value="ten.{TEN}" required checked' in again.text
    once_more = hidden_fields(again, "/reservations")
    assert once_more["idempotency_key"] != fields["idempotency_key"]
    world.sandbox.let_card_behave_as(card_of(ada.id).token, "4242424242424242")
    booked = ada.press("/reservations", **once_more, **chosen)
    assert booked.status == 303, booked.text
    there = ada.see(booked.header("location") or "").text
    assert "Your place is booked and paid." in there


def test_an_unknown_outcome_holds_the_place_and_a_later_success_confirms_it(
    world: LocalWorld, ada: Customer
) -> None:
    unknown_outcome(world, "timeout_after")
    page = page_of(buy_ten(ada, pay="now"), 202)
    assert (page["reservation"]["state"], page["payment"]) == ("booked", "under_way")
    (pack,) = packs_of(ada.id)
    assert (pack.left, pack.status(world.now())) == (0, PackStatus.UNPAID)
    assert free(ada) == 1
    seen = ada.see(f"/reservations/{page['reservation']['id']}").text
    assert "is under way" in seen
    assert told(ada, MessageKind.RESERVATION_CONFIRMED) == 0
    world.advance(timedelta(hours=1))
    ada.sign_in()
    assert ada.read(f"/reservations/{page['reservation']['id']}")["payment"] == "paid"
    assert packs_of(ada.id)[0].left == 9
    assert told(ada, MessageKind.RESERVATION_CONFIRMED) == 1
    assert len(charged_at(world, ada.id)) == 1
    world.sandbox.webhooks(hold=False)


def test_an_unknown_outcome_that_turns_out_a_decline_gives_the_place_back_and_says_so(
    world: LocalWorld, ada: Customer
) -> None:
    unknown_outcome(world, "timeout_before")
    page = page_of(buy_ten(ada, pay="now"), 202)
    world.sandbox.let_card_behave_as(card_of(ada.id).token, FAILS_LATER)
    world.advance(timedelta(hours=2))
    ada.sign_in()
    assert ada.read(f"/reservations/{page['reservation']['id']}")["reservation"]["state"] == (
        "cancelled"
    )
    assert free(ada) == 2
    assert packs_of(ada.id)[0].status(world.now()) is PackStatus.EXPIRED
    assert [one.state for one in invoices_of(ada.id)] == [InvoiceState.VOID]
    assert told(ada, MessageKind.RESERVATION_CANCELLED) == 1
    assert charged_at(world, ada.id) == []
    world.sandbox.webhooks(hold=False)


def test_paid_later_a_pack_holds_the_place_and_the_rest_waits_for_the_payment(
    world: LocalWorld, ada: Customer
) -> None:
    page = page_of(buy_ten(ada, pay="later"))
    assert (page["payment"], page["reservation"]["owes"]["minor"]) == ("to_pay", TEN)
    (pack,) = packs_of(ada.id)
    assert (pack.left, pack.status(world.now()), pack.expires_at) == (0, PackStatus.UNPAID, None)
    other = ada.post("/reservations", {"activity": WORKSHOP.id}, key="key-0002")
    assert code(other) == (409, "no_credits"), "nothing more of it can be used"
    named = {"activity": WORKSHOP.id, "pack": pack.id}
    assert code(ada.post("/reservations", named, key="key-0003")) == (409, "pack_unpaid")
    shown = ada.see("/packs?status=unpaid").text
    assert "Holds your place on March 4, 2026; the other 9 classes are yours once it is paid" in (
        shown
    )
    (invoice,) = ada.read("/invoices")["invoices"]
    assert (invoice["state"], invoice["status"], invoice["owed"]["minor"]) == (
        "open",
        "unpaid",
        TEN,
    )
    paid = ada.post(f"/invoices/{invoice['id']}/pay", {}, key="key-pay-1")
    assert page_of(paid, 200)["invoice"]["state"] == "closed"
    assert packs_of(ada.id)[0].left == 9
    assert len(charged_at(world, ada.id)) == 1
    assert page_of(ada.post(f"/invoices/{invoice['id']}/pay", {}, key="key-pay-1"), 200)
    assert len(charged_at(world, ada.id)) == 1, "the same press moves money once"
    more = ada.post(f"/invoices/{invoice['id']}/pay", {}, key="key-pay-2")
    assert code(more) == (409, "nothing_owed")


def test_a_free_pack_is_the_customers_at_once_without_a_card(world: LocalWorld) -> None:
    poor = Customer(world, newcomer(world, "cleo@example.com"))
    page = page_of(ask(poor, buy="gift", expected_total_minor=0))
    assert (page["payment"], page["reservation"]["owes"]["minor"]) == ("nothing", 0)
    (pack,) = packs_of(poor.id)
    assert (pack.granted, pack.left, pack.unpaid) == (1, 0, False)
    assert [one.state for one in invoices_of(poor.id)] == [InvoiceState.CLOSED]
    assert charges_of(poor.id) == []


def test_credits_in_hand_pay_first_and_a_pack_pays_for_the_others(ada: Customer) -> None:
    in_hand(ada, number=1, id="old", name="Old pack")
    page = ada.read(f"/schedule/{YOGA.id}?participants=2")
    offered = [(one["product_id"], one["total"]["minor"], one["used"]) for one in page["choices"]]
    assert offered == [(None, PLACE, 0), ("ten", TEN, 1), ("gift", 0, 1)]
    made = page_of(buy_ten(ada, participants=2, pay="now"))
    assert [(one["name"], one["credits"]) for one in made["held"]] == [
        ("Old pack", 1),
        ("Ten classes", 1),
    ]
    assert made["totals"]["total"]["minor"] == 0


# --- paying for the one session -------------------------------------------------------------------


def test_the_one_session_is_paid_with_its_tax(world: LocalWorld, ada: Customer) -> None:
    page = page_of(ask(ada, pay="now"))
    assert (page["payment"], page["held"]) == ("paid", [])
    (invoice,) = invoices_of(ada.id)
    assert [(line.kind, line.amount.minor, line.tax.minor) for line in invoice.lines] == [
        ("service", 3_000, 248)
    ]
    assert (invoice.state, invoice.paid.minor) == ("closed", PLACE)
    assert packs_of(ada.id) == []
    world.run_due()
    mails = {mail.subject: " ".join(mail.text.split()) for mail in world.mailbox.sent(EMAIL)}
    confirmed = mails["Your reservation: Morning yoga on March 4, 2026"]
    assert "It is paid." in confirmed
    assert "still to be paid" not in confirmed
    receipt = mails["Your receipt from Happy Paws: $32.48"]
    assert "Morning yoga (2026-03-04 10:00): $30.00" in receipt
    assert "Sales tax: $2.48" in receipt
    go_to(world, "2026-03-04 16:00")
    ada.sign_in()
    after = ada.read(f"/reservations/{page['reservation']['id']}")
    assert (after["reservation"]["state"], after["reservation"]["outstanding"]) == (
        "redeemed",
        False,
    )
    assert len(invoices_of(ada.id)) == 1


def test_paid_and_cancelled_in_time_it_comes_back_as_a_credit_and_staff_see_it(
    ada: Customer,
) -> None:
    page = page_of(ask(ada, pay="now", participants=2, expected_total_minor=6_495))
    after = cancel(ada, page)
    assert (after["payment"], after["credits_back"]) == ("credits_back", 2)
    (pack,) = packs_of(ada.id)
    assert (pack.left, pack.service_id, pack.expires_at, pack.product_id) == (2, "yoga", None, "")
    assert [one.kind for one in notices(NoticeKind.PAID_PLACE_GIVEN_BACK)] == [
        NoticeKind.PAID_PLACE_GIVEN_BACK
    ]
    for path in ("/packs", f"/packs/{pack.id}", f"/reservations/{page['reservation']['id']}"):
        assert ada.see(path).status == 200, path
    assert (
        "2 places came back as credits"
        in ada.see(f"/reservations/{page['reservation']['id']}").text
    )
    used = page_of(ada.post("/reservations", {"activity": YOGA.id}, key="key-0002"))
    assert [one["pack_id"] for one in used["held"]] == [pack.id]


def test_paid_and_cancelled_too_late_nothing_comes_back(world: LocalWorld, ada: Customer) -> None:
    page = page_of(ask(ada, pay="now"))
    go_to(world, "2026-03-04 03:00")
    ada.sign_in()
    after = cancel(ada, page)
    assert (after["reservation"]["state"], after["payment"]) == ("cancelled_late", "paid")
    assert packs_of(ada.id) == []
    assert notices(NoticeKind.PAID_PLACE_GIVEN_BACK) == []


# --- the bank asks --------------------------------------------------------------------------------


def test_who_is_to_confirm_is_led_to_the_bank_and_back_to_the_invoice(
    world: LocalWorld, ada: Customer
) -> None:
    world.sandbox.let_card_behave_as(card_of(ada.id).token, NEEDS_AUTHENTICATION)
    world.sandbox.webhooks(hold=True)
    page = ada.see(f"/schedule/{WORKSHOP.id}")
    fields = hidden_fields(page, "/reservations")
    asked = ada.press("/reservations", **fields, choice=f".{PLACE}", pay="now")
    assert asked.status == 303
    (invoice,) = invoices_of(ada.id)
    back = confirm(world, asked.header("location") or "")
    assert back == f"/invoices/{invoice.id}"
    assert "Paid" in ada.see(back).text
    (made,) = ada.read("/reservations")["reservations"]
    assert (made["state"], made["owes"]["minor"]) == ("booked", 0)
    world.sandbox.webhooks(hold=False)


def test_a_program_is_told_where_to_confirm_and_who_refuses_gives_the_place_back(
    world: LocalWorld, ada: Customer
) -> None:
    world.sandbox.let_card_behave_as(card_of(ada.id).token, NEEDS_AUTHENTICATION)
    page = page_of(ask(ada, pay="now"), 202)
    assert page["payment"] == "to_be_confirmed"
    confirm(world, page["confirm_url"], answer="decline")
    after = ada.read(f"/reservations/{page['reservation']['id']}")
    assert after["reservation"]["state"] == "cancelled"
    assert free(ada) == 2


def test_nobody_who_confirms_loses_the_place_after_an_hour(
    world: LocalWorld, ada: Customer
) -> None:
    world.sandbox.let_card_behave_as(card_of(ada.id).token, NEEDS_AUTHENTICATION)
    page_of(ask(ada, pay="now"), 202)
    world.advance(timedelta(hours=2))
    ada.sign_in()
    assert ada.read("/reservations")["reservations"][0]["state"] == "cancelled"
    assert free(ada) == 2
    assert charged_at(world, ada.id) == []
