"""A payment that a bank takes back days or months later, through HTTP and the clock ([REVERSE])."""

from datetime import timedelta

from infra.local.sandbox_faults import Fault, Operation
from shared.domain.charge import RefundState
from shared.domain.invoice import InvoiceState, PaymentKind, PaymentStatus
from shared.domain.message import NoticeKind
from shared.domain.outcome import Outcome
from shared.domain.pack import PackStatus
from shared.domain.reservation import ReservationState
from shared.store import accounts
from shared.store.reading import read
from tests.billing.conftest import Shop
from tests.billing.reversed_payments import (
    OPENING,
    THIRD,
    book,
    give_again,
    money_on,
    only_invoice,
    only_pack,
    take_back,
    taken_notices,
    ten_with_two_in_use,
)
from tests.console.office import customer, staff, told
from tests.shop_floor import (
    asked_of,
    buy,
    charges_of,
    customer_with_card,
    entries_of,
    go_to,
    invoices_of,
    notices,
    packs_of,
    reservation_rows,
    subscribed,
    subscription_of,
)

# --- a ten-pack ----------------------------------------------------------------------------------


def test_the_unused_credits_are_frozen_and_the_ledger_stays_as_it_is(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    before = entries_of(only_pack(ada))
    take_back(world, ada)
    pack = only_pack(ada)
    assert (pack.left, pack.frozen_at) == (8, world.now())
    assert pack.status(world.now()) is PackStatus.FROZEN
    assert entries_of(pack) == before


def test_the_invoice_is_open_again_and_keeps_its_number(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    number = only_invoice(ada).number
    assert number is not None
    take_back(world, ada)
    invoice = only_invoice(ada)
    assert (invoice.state, invoice.status) == (InvoiceState.OPEN, PaymentStatus.REVERSED)
    assert invoice.number == number
    # Worked example 12: 250.00 plus 8.25%.
    assert money_on(invoice) == [(PaymentKind.CARD, 27_063), (PaymentKind.REVERSAL, -27_063)]
    assert invoice.owed.minor == 27_063
    (charge,) = charges_of(ada)
    (attempt,) = charge.attempts
    assert attempt.reversed is not None
    assert (attempt.outcome, attempt.reversed.minor) == (Outcome.SUCCEEDED, 27_063)
    assert attempt.reversed_at == world.now()
    go_to(world, "2026-03-12 15:00")
    assert only_invoice(ada).number == number


def test_staff_are_told_who_how_much_and_which_credits_were_used(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    take_back(world, ada)
    (notice,) = taken_notices()
    assert (notice.customer_id, notice.location_id) == (ada, "ny")
    for said in (
        "Ada (ada@example.com)",
        "$270.63",
        "10 credits granted",
        "1 credit used: First class on March 3, 2026",
        "1 credit held for what is booked: Second class on March 20, 2026",
        "8 credits unused",
        "on hold",
    ):
        assert said in notice.detail, said
    assert "Third class" not in notice.detail


def test_nothing_of_it_can_be_booked_and_the_reason_is_said(shop: Shop) -> None:
    world = shop(OPENING)
    ada, desk = ten_with_two_in_use(world)
    take_back(world, ada)
    pack = only_pack(ada)
    refused = book(desk, THIRD.id)
    assert refused.status == 409
    assert "On hold" in refused.json()["detail"]
    named = book(desk, THIRD.id, pack=pack.id)
    assert (named.status, named.json()["code"]) == (409, "pack_frozen")
    assert only_pack(ada) == pack


def test_what_is_booked_stays_booked_until_somebody_cancels_it(shop: Shop) -> None:
    world = shop(OPENING)
    ada, desk = ten_with_two_in_use(world)
    take_back(world, ada)
    states = {row.value.name: row.value.state for row in reservation_rows(ada)}
    assert states == {
        "First class": ReservationState.REDEEMED,
        "Second class": ReservationState.BOOKED,
    }
    (booked,) = [
        row.value for row in reservation_rows(ada) if row.value.state is ReservationState.BOOKED
    ]
    done = desk.ask("POST", f"/reservations/{booked.id}/cancel", Idempotency_Key="cancel-1")
    assert done.status == 200, done.body
    # The credit comes back to its pack, which is frozen all the same.
    pack = only_pack(ada)
    assert (pack.left, pack.status(world.now())) == (9, PackStatus.FROZEN)


def test_the_expiry_goes_on_while_it_is_frozen(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    expires_at = only_pack(ada).expires_at
    take_back(world, ada)
    # 90 days, the first counted, to 23:59 in New York.
    go_to(world, "2026-05-31 03:58")
    assert only_pack(ada).status(world.now()) is PackStatus.FROZEN
    go_to(world, "2026-05-31 03:59")
    pack = only_pack(ada)
    assert pack.expires_at == expires_at
    assert (pack.left, pack.status(world.now())) == (0, PackStatus.EXPIRED)


def test_a_dispute_that_is_won_brings_everything_back(shop: Shop) -> None:
    world = shop(OPENING)
    ada, desk = ten_with_two_in_use(world)
    number = only_invoice(ada).number
    take_back(world, ada)
    world.advance(timedelta(days=2))
    give_again(world, ada)
    invoice = only_invoice(ada)
    assert (invoice.state, invoice.status) == (InvoiceState.CLOSED, PaymentStatus.PAID)
    assert invoice.number == number
    assert money_on(invoice)[-1] == (PaymentKind.REINSTATED, 27_063)
    assert only_pack(ada).frozen_at is None
    (notice,) = notices(NoticeKind.PAYMENT_REINSTATED)
    assert "$270.63" in notice.detail
    desk = customer(world, ada)
    assert book(desk, THIRD.id).status == 201
    assert only_pack(ada).left == 7


# --- subscriptions -------------------------------------------------------------------------------


def test_a_period_that_is_taken_back_does_not_count_and_the_subscription_goes_on(
    shop: Shop,
) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-03-05 12:00")
    assert subscription_of(ada).payments_made == 2
    take_back(world, ada)
    assert subscription_of(ada).payments_made == 1
    assert packs_of(ada)[-1].frozen_at is not None
    go_to(world, "2026-04-05 12:00")
    # Charged at 23:59 of 30 March as ever; its credits are its own and not frozen.
    assert subscription_of(ada).payments_made == 2
    assert packs_of(ada)[-1].frozen_at is None
    assert [one.status for one in invoices_of(ada)] == [
        PaymentStatus.PAID,
        PaymentStatus.REVERSED,
        PaymentStatus.PAID,
    ]


def test_the_first_payment_of_a_subscription_counts_again_when_it_comes_again(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    take_back(world, ada)
    assert subscription_of(ada).payments_made == 0
    give_again(world, ada)
    assert subscription_of(ada).payments_made == 1


def test_of_money_that_nobody_wanted_staff_are_told_and_nothing_is_refunded(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.ERROR_AFTER)
    buy(world, ada, "ten")
    provider = world.wiring.provider("sandbox")
    whole = provider.look_up
    provider.look_up = lambda **_: None  # type: ignore[method-assign]
    go_to(world, "2026-02-02 12:00")
    provider.look_up = whole  # type: ignore[method-assign]
    # Taken for lost; it had succeeded, and the bank has taken it back before we heard of it.
    take_back(world, ada)
    world.sandbox.release_webhooks()
    world.advance(timedelta(hours=2))
    (charge,) = charges_of(ada)
    (seen,) = asked_of(world, ada)
    assert (charge.refund, seen.refunds, seen.kept) == (RefundState.DONE, (), False)
    assert packs_of(ada) == []


# --- what people see -----------------------------------------------------------------------------


def test_the_customer_sees_what_was_taken_back_and_what_is_on_hold(shop: Shop) -> None:
    world = shop(OPENING)
    ada, desk = ten_with_two_in_use(world)
    take_back(world, ada)
    statuses = {one["invoice_id"]: one["status"] for one in desk.data("/payments")["payments"]}
    assert statuses[only_invoice(ada).id] == "reversed"
    shown = desk.data(f"/invoices/{only_invoice(ada).id}")
    assert [one["kind"] for one in shown["payments"]] == ["card", "reversal"]
    page = desk.page(f"/invoices/{only_invoice(ada).id}")
    assert "took this payment back" in page
    assert "Taken back by the bank" in page
    (summary,) = desk.data("/packs")["packs"]
    assert (summary["status"], summary["left"]) == ("frozen", 8)
    assert summary["frozen_at"] == "2026-03-10T15:00:00Z"
    page = desk.page(f"/packs/{only_pack(ada).id}")
    assert "On hold" in page
    assert "took back what paid for it" in page
    assert "On hold" in desk.page("/packs?status=frozen")
    assert "on hold" in desk.page(f"/schedule/{THIRD.id}")


def test_staff_see_the_reversal_and_where_each_credit_went(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    take_back(world, ada)
    owner = staff(world)
    sentences = [line["what"] for line in told(owner, ada)]
    number = only_invoice(ada).number
    assert f"Invoice {number} is unpaid again: the bank took back $270.63 of Visa 4242" in sentences
    (charged,) = [line for line in told(owner, ada) if line["kind"] == "attempt"]
    assert "The bank took back $270.63 of it March 10, 2026" in charged["detail"]
    page = owner.data(f"/console/customers/{ada}")
    (shown,) = page["frozen"]
    assert shown["pack_id"] == only_pack(ada).id
    assert [(one["name"], one["over"]) for one in shown["uses"]] == [
        ("First class", True),
        ("Second class", False),
    ]
    html = owner.page(f"/console/customers/{ada}")
    assert "First class" in html
    assert "On hold since" in html
    assert "A payment was taken back" in owner.page("/console")


def test_staff_elsewhere_see_nothing_of_it(shop: Shop) -> None:
    world = shop(OPENING)
    ada, _ = ten_with_two_in_use(world)
    take_back(world, ada)
    berlin = staff(world, email="be@happypaws.example", locations=("be",))
    assert berlin.ask("GET", f"/console/customers/{ada}").status == 404
    assert berlin.data("/console")["notices"] == []
    ref = accounts.notice(taken_notices()[0])
    assert read(ref).get(ref) is not None
