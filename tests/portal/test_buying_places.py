"""Places that are paid for as they are booked: a pack bought there, or the one session ([BOOK]
[PLACES] [ONCE] [KEY] [VOUCHER])."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.charge import RefundState
from shared.domain.invoice import InvoiceState
from shared.domain.message import MessageKind, NoticeKind
from shared.domain.pack import Entry, EntryKind, PackStatus
from shared.domain.product import Catalogue, Location, Product, ProductKind, Service, Settings
from shared.store import accounts
from shared.store import catalogue as catalogues
from shared.store.engine import commit, create
from tests.portal.customers import Customer, confirm, hidden_fields
from tests.portal.people import CountingEngine
from tests.portal.studio import START, class_of, give, pack_of, put_on, stored
from tests.shop_floor import (
    FAILS_LATER,
    NEEDS_AUTHENTICATION,
    books_hold,
    card_of,
    charged_at,
    charges_of,
    customer_with_card,
    entries_of,
    go_to,
    invoices_of,
    messages_of,
    newcomer,
    notices,
    open_shop,
    packs_of,
    text,
)

YOGA = class_of(places=2)
"""On 4 March from 15:00 UTC, to be cancelled until 12 hours before; two places."""

WORKSHOP = class_of("2026-03-05 15:00", name="Workshop", prepay_online=True)
EMAIL = "ada@example.com"
PLACE, TEN = 3_248, 27_063
"""30.00 and 250.00 with 8.25% tax, rounded half up."""

CATALOGUE = Catalogue(
    settings=Settings(merchant_name="Happy Paws", support_email="help@example.com"),
    locations=(
        Location(
            id="ny",
            name="Brooklyn",
            zone="America/New_York",
            currency="USD",
            tax_name="Sales tax",
            tax_rate=Decimal("0.0825"),
            service_rates={"yoga": 3_000, "bath": 5_000},
        ),
    ),
    services=(
        Service(id="yoga", name="Yoga", unit="class", taxed=True),
        Service(id="bath", name="Bath", unit="bath"),
    ),
    products=(
        Product(
            id="ten",
            name="Ten classes",
            kind=ProductKind.PACKAGE,
            prices={"USD": 25_000},
            service="yoga",
            taxed=True,
            credits=10,
            validity_days=90,
        ),
        Product(
            id="gift",
            name="First class on us",
            kind=ProductKind.PACKAGE,
            prices={"USD": 0},
            service="yoga",
            credits=1,
        ),
        Product(
            id="baths",
            name="Five baths",
            kind=ProductKind.PACKAGE,
            prices={"USD": 9_000},
            service="bath",
            credits=5,
        ),
        Product(
            id="desk",
            name="Only at the desk",
            kind=ProductKind.PACKAGE,
            prices={"USD": 1_000},
            service="yoga",
            credits=10,
            sell_online=False,
        ),
        Product(id="mat", name="A mat", kind=ProductKind.RETAIL, prices={"USD": 3_000}, taxed=True),
    ),
)


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop(START, engine=CountingEngine()) as opened:
        catalogues.publish(CATALOGUE)
        put_on(YOGA, WORKSHOP)
        yield opened
        opened.run_due()
        books_hold(opened)


@pytest.fixture
def ada(world: LocalWorld) -> Customer:
    """She has a card and no credits."""
    return Customer(world, customer_with_card(world))


def ask(customer: Customer, key: str = "key-0001", **more: Any) -> Response:
    wanted = {"activity": YOGA.id, "expected_total_minor": PLACE, **more}
    return customer.post("/reservations", wanted, key=key)


def buy_ten(customer: Customer, key: str = "key-0001", **more: Any) -> Response:
    return ask(customer, key, **{"buy": "ten", "expected_total_minor": TEN, **more})


def page_of(answer: Response, status: int = 201) -> Any:
    assert answer.status == status, answer.text
    return answer.json()


def code(answer: Response) -> tuple[int, str]:
    return answer.status, answer.json()["code"]


def free(customer: Customer, activity: Any = YOGA) -> int:
    found: int = customer.read(f"/schedule/{activity.id}")["activity"]["free"]
    return found


def ledger(customer: Customer, number: int = 0) -> list[tuple[EntryKind, int]]:
    return [(one.kind, one.delta) for one in entries_of(packs_of(customer.id)[number])]


def cancel(customer: Customer, page: Any, key: str = "key-cancel") -> Any:
    path = f"/reservations/{page['reservation']['id']}/cancel"
    return page_of(customer.post(path, key=key), 200)


def told(customer: Customer, kind: MessageKind) -> int:
    customer.world.run_due()
    return len(messages_of(customer.id, kind))


def in_hand(customer: Customer, **more: Any) -> None:
    """A pack for yoga, with its line in the ledger."""
    pack = pack_of(customer.id, customer.world.now(), **more)
    entry = Entry(
        id="grant",
        pack_id=pack.id,
        customer_id=customer.id,
        kind=EntryKind.GRANT,
        delta=pack.granted or 0,
        left=pack.left,
        at=pack.bought_at,
    )
    give([pack])
    commit([create(accounts.entry(customer.id, pack.id, entry.id), entry)])


def unknown_outcome(world: LocalWorld, fault: str) -> None:
    """The provider's next answer does not come, and no webhook tells of it."""
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave("charge", fault)


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


# --- never paid -----------------------------------------------------------------------------------


def test_an_unpaid_one_cancelled_in_time_voids_the_invoice_and_ends_the_pack(
    world: LocalWorld, ada: Customer
) -> None:
    page = page_of(buy_ten(ada, pay="later"))
    after = cancel(ada, page)
    assert (after["payment"], after["reservation"]["owes"]["minor"]) == ("nothing", 0)
    assert [one.state for one in invoices_of(ada.id)] == [InvoiceState.VOID]
    assert packs_of(ada.id)[0].status(world.now()) is PackStatus.EXPIRED
    assert ledger(ada)[-1] == (EntryKind.REVOKE, -1)
    assert free(ada) == 2
    refused = ada.post(f"/invoices/{page['invoice']['id']}/pay", {}, key="key-pay-1")
    assert code(refused) == (409, "nothing_owed")


def test_a_success_after_it_was_cancelled_is_paid_back(world: LocalWorld, ada: Customer) -> None:
    unknown_outcome(world, "timeout_after")
    page = page_of(ask(ada, pay="now"), 202)
    cancel(ada, page)
    world.advance(timedelta(hours=1))
    (charge,) = charges_of(ada.id)
    assert charge.refund is RefundState.DONE
    assert told(ada, MessageKind.REFUND) == 1
    assert [one.kind for one in notices()] == [NoticeKind.LATE_SUCCESS_REFUNDED]
    assert packs_of(ada.id) == []
    assert [one.state for one in invoices_of(ada.id)] == [InvoiceState.VOID]
    world.sandbox.webhooks(hold=False)


def test_a_place_bought_on_the_schedule_and_never_paid_is_outstanding_from_its_start(
    world: LocalWorld, ada: Customer
) -> None:
    page = page_of(buy_ten(ada, pay="later"))
    path = f"/reservations/{page['reservation']['id']}"
    go_to(world, "2026-03-04 14:59")
    ada.sign_in()
    assert ada.read(path)["reservation"]["outstanding"] is False
    go_to(world, "2026-03-04 15:00")
    ada.sign_in()
    begun = ada.read(path)
    assert begun["reservation"]["outstanding"] is True
    assert (begun["payment"], begun["reservation"]["owes"]["minor"]) == ("to_pay", TEN)
    go_to(world, "2026-03-04 16:00")
    ada.sign_in()
    assert ada.read(path)["reservation"]["state"] == "redeemed"
    assert packs_of(ada.id)[0].status(world.now()) is PackStatus.UNPAID
    # It stays so until somebody pays: then the other nine are usable, and nothing is outstanding.
    go_to(world, "2026-03-20 12:00")
    ada.sign_in()
    invoice_id = page["invoice"]["id"]
    assert ada.read(path)["reservation"]["outstanding"] is True
    assert page_of(ada.post(f"/invoices/{invoice_id}/pay", {}, key="key-pay-1"), 200)
    after = ada.read(path)
    assert (after["payment"], after["reservation"]["outstanding"]) == ("paid", False)
    (pack,) = packs_of(ada.id)
    assert (pack.left, text(pack.expires_at)) == (9, "2026-06-18 03:59"), "90 days from the payment"


def test_a_place_to_be_paid_at_the_start_is_an_estimate_until_then(
    world: LocalWorld, ada: Customer
) -> None:
    page = page_of(ask(ada, pay="later"))
    assert (page["payment"], page["invoice"]) == ("at_start", None)
    assert (page["reservation"]["owes"]["minor"], page["totals"]["total"]["minor"]) == (
        PLACE,
        PLACE,
    )
    listed = ada.read("/invoices")
    (estimate,) = listed["estimates"]
    assert estimate["reservation_id"] == page["reservation"]["id"]
    assert estimate["totals"]["total"]["minor"] == PLACE
    assert listed["invoices"] == []
    assert "Estimates" in ada.see("/invoices").text
    go_to(world, "2026-03-04 15:00")
    ada.sign_in()
    after = ada.read(f"/reservations/{page['reservation']['id']}")
    assert after["payment"] == "outstanding"
    assert ada.read("/invoices")["estimates"][0]["outstanding"] is True


def test_what_credits_pay_for_is_an_estimate_then_an_invoice_and_no_payment(
    world: LocalWorld, ada: Customer
) -> None:
    in_hand(ada)
    page_of(ada.post("/reservations", {"activity": YOGA.id}, key="key-0001"))
    (estimate,) = ada.read("/invoices")["estimates"]
    assert [(one["kind"], one["amount"]["minor"]) for one in estimate["lines"]] == [
        ("service", 3_000),
        ("credit", -3_000),
    ]
    assert estimate["totals"]["total"]["minor"] == 0
    go_to(world, "2026-03-04 16:00")
    ada.sign_in()
    listed = ada.read("/invoices")
    assert listed["estimates"] == []
    (invoice,) = listed["invoices"]
    assert (invoice["state"], invoice["total"]["minor"]) == ("closed", 0)
    assert ada.read("/payments")["payments"] == []
    shown = ada.read(f"/invoices/{invoice['id']}")
    assert shown["reservation_id"] is not None
    assert shown["pay"] is None


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


# --- pressed twice, and changed meanwhile ---------------------------------------------------------


def test_a_double_click_books_and_charges_once_and_answers_the_same(
    world: LocalWorld, ada: Customer
) -> None:
    first = page_of(buy_ten(ada, pay="now"))
    before = stored(world, ada.id, YOGA.id)
    again = page_of(buy_ten(ada, pay="now"))
    assert again["reservation"] == first["reservation"]
    assert stored(world, ada.id, YOGA.id) == before
    assert code(ask(ada, pay="now")) == (409, "idempotency_key_reused")
    assert code(buy_ten(ada, pay="later")) == (409, "idempotency_key_reused")
    assert len(charged_at(world, ada.id)) == 1


def test_a_declined_press_answers_the_same_again_and_asks_nobody(
    world: LocalWorld, ada: Customer
) -> None:
    world.sandbox.let_card_behave_as(card_of(ada.id).token, FAILS_LATER)
    assert code(buy_ten(ada, pay="now")) == (402, "card_declined")
    world.sandbox.let_card_behave_as(card_of(ada.id).token, "4242424242424242")
    assert code(buy_ten(ada, pay="now")) == (402, "card_declined")
    assert charged_at(world, ada.id) == []


@pytest.mark.parametrize(
    "wanted",
    [
        {"pay": "now", "expected_total_minor": PLACE - 1},
        {"pay": "later", "expected_total_minor": PLACE - 1},
        {"buy": "ten", "pay": "now", "expected_total_minor": 25_000},
        {"buy": "ten", "pay": "later", "expected_total_minor": TEN + 1},
    ],
)
def test_a_price_that_changed_is_refused_and_shown_again(
    world: LocalWorld, ada: Customer, wanted: dict[str, Any]
) -> None:
    before = stored(world, ada.id, YOGA.id)
    refused = ask(ada, **wanted)
    assert code(refused) == (409, "price_changed")
    assert refused.json()["facts"]["total_minor"] == (TEN if "buy" in wanted else PLACE)
    assert stored(world, ada.id, YOGA.id) == before


@pytest.mark.parametrize(
    ("wanted", "status", "why"),
    [
        ({"activity": WORKSHOP.id, "buy": "ten", "pay": "later"}, 409, "prepay_online"),
        ({"activity": WORKSHOP.id, "pay": "later", "expected_total_minor": 1}, 409, "no_credits"),
        ({"buy": "desk"}, 409, "not_offered"),
        ({"buy": "baths"}, 409, "pack_does_not_cover"),
        ({"buy": "mat"}, 404, "not_found"),
        ({"buy": "nothing"}, 404, "not_found"),
        ({"participants": 3}, 409, "activity_full"),
    ],
)  # fmt: skip
def test_what_can_not_be_bought_is_refused_and_nothing_changes(
    world: LocalWorld, ada: Customer, wanted: dict[str, Any], status: int, why: str
) -> None:
    before = stored(world, ada.id, YOGA.id, WORKSHOP.id)
    refused = buy_ten(ada, **wanted) if "expected_total_minor" not in wanted else ask(ada, **wanted)
    assert code(refused) == (status, why)
    assert stored(world, ada.id, YOGA.id, WORKSHOP.id) == before


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"buy": "ten", "expected_total_minor": None}, "expected_total_minor"),
        ({"pay": "now", "expected_total_minor": None}, "expected_total_minor"),
        ({"pay": "now", "wait": True}, "wait"),
        ({"pay": "now", "pack": "pack-1"}, "pack"),
        ({"pay": "now", "pay_later": True}, "pay_later"),
        ({"pay": "now", "card": "card-of-another"}, "card"),
        ({"pay": "sometime"}, "pay"),
        ({"pay": "now", "expected_total_minor": -1}, "expected_total_minor"),
        ({"choice": "ten"}, "choice"),
        ({"choice": f".{PLACE}", "buy": "ten"}, "choice"),
        ({"pay": "now", "participants": 0}, "participants"),
    ],
)
def test_what_does_not_go_together_is_named(
    world: LocalWorld, ada: Customer, wanted: dict[str, Any], field: str
) -> None:
    before = stored(world, ada.id, YOGA.id)
    refused = ask(ada, **wanted)
    assert refused.status == 422, refused.text
    assert field in refused.json()["fields"]
    assert stored(world, ada.id, YOGA.id) == before


def test_a_card_of_somebody_else_pays_for_nothing(world: LocalWorld, ada: Customer) -> None:
    bea = customer_with_card(world, email="bea@example.com")
    refused = ask(ada, pay="now", card=card_of(bea).id)
    assert refused.status == 422
    assert refused.json()["fields"] == {"card": "This card is not on file."}
    assert (free(ada), charged_at(world, bea)) == (2, [])


def test_without_a_card_the_page_leads_to_adding_one_and_back(world: LocalWorld) -> None:
    poor = Customer(world, newcomer(world, "cleo@example.com"))
    refused = ask(poor, pay="now")
    assert refused.json()["fields"] == {"card": "There is no card on file."}
    page = poor.see(f"/schedule/{YOGA.id}?participants=2")
    assert "Book and pay now" not in page.text
    assert f'name="next" value="/schedule/{YOGA.id}?participants=2"' in page.text
    assert "Book, and pay later" in page.text


def test_what_credits_pay_for_is_not_bought(world: LocalWorld, ada: Customer) -> None:
    in_hand(ada)
    assert ada.read(f"/schedule/{YOGA.id}")["choices"] == []
    assert code(ask(ada, pay="now")) == (409, "credits_in_hand")
    assert charged_at(world, ada.id) == []


def test_an_unpaid_pack_moves_with_its_place(ada: Customer) -> None:
    friday = class_of("2026-03-06 15:00", name="Friday yoga")
    put_on(friday)
    page = page_of(buy_ten(ada, pay="later"))
    path = f"/reservations/{page['reservation']['id']}"
    assert friday.id in [one["id"] for one in ada.read(f"{path}/move")["activities"]]
    moved = page_of(ada.post(f"{path}/move", {"activity": friday.id}, key="key-move-1"), 200)
    assert moved["reservation"]["activity_id"] == friday.id
    assert moved["reservation"]["owes"]["minor"] == TEN


def test_a_paid_place_moves_and_stays_paid(ada: Customer) -> None:
    friday = class_of("2026-03-06 15:00", name="Friday yoga")
    longer = class_of("2026-03-06 17:00", name="Bath", service_id="bath")
    put_on(friday, longer)
    page = page_of(ask(ada, pay="now"))
    path = f"/reservations/{page['reservation']['id']}"
    listed = [one["id"] for one in ada.read(f"{path}/move")["activities"]]
    assert friday.id in listed
    assert longer.id not in listed
    moved = page_of(ada.post(f"{path}/move", {"activity": friday.id}, key="key-move-1"), 200)
    assert (moved["payment"], moved["reservation"]["owes"]["minor"]) == ("paid", 0)
    assert len(charges_of(ada.id)) == 1


@pytest.mark.parametrize(
    ("pay", "notice", "held"),
    [
        ("now", "Credits that held it are back in their pack.", "Given back to"),
        ("later", "What becomes of the money is said below.", "Was held by"),
    ],
)
def test_the_page_says_what_came_back_of_a_pack(
    ada: Customer, pay: str, notice: str, held: str
) -> None:
    made = page_of(buy_ten(ada, pay=pay))
    path = f"/reservations/{made['reservation']['id']}"
    fields = hidden_fields(ada.see(path), f"{path}/cancel")
    there = ada.press(f"{path}/cancel", **fields).header("location") or ""
    said = ada.see(there).text
    assert notice in said
    assert held in said
    assert ("its invoice is void" in said) == (pay == "later")


# --- round trips ----------------------------------------------------------------------------------


def test_the_page_waits_twice_and_a_purchase_six_times(ada: Customer) -> None:
    ada.read(f"/schedule/{YOGA.id}")
    _, calls = ada.calls("GET", f"/schedule/{YOGA.id}")
    assert sum(calls.values()) == 3, "two of them side by side"
    wanted = {"activity": YOGA.id, "buy": "ten", "pay": "now", "expected_total_minor": TEN}
    answer, calls = ada.calls("POST", "/reservations", wanted, key="key-0001")
    assert answer is not None and answer.status == 201, answer
    assert calls == {"BatchGetItem": 3, "Query": 1, "TransactWriteItems": 2}
