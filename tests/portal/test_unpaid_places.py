"""Places that are paid later, or never, and what is an estimate until then ([BOOK] [HISTORY]
[VOUCHER])."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from infra.local.world import LocalWorld
from shared.domain.charge import RefundState
from shared.domain.invoice import InvoiceState
from shared.domain.message import MessageKind, NoticeKind
from shared.domain.pack import EntryKind, PackStatus
from tests.portal.customers import Customer
from tests.portal.places_for_sale import (
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
    charges_of,
    customer_with_card,
    go_to,
    invoices_of,
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
