"""What Stripe reports, through webhooks and the clock: disputes, which do not say what the payment
was for, cards that the network renews, debits that settle days later."""

from infra.local.banks import STRIPE
from infra.local.sandbox_faults import Fault, Operation
from infra.local.stripe_cards import ACH_NO_FUNDS, ACH_WORKS, REFUNDS_FAIL, REFUNDS_LATE
from infra.local.world import LocalWorld
from shared.domain.by import By
from shared.domain.charge import RefundState
from shared.domain.invoice import PaymentKind
from shared.domain.message import MessageKind, NoticeKind
from shared.domain.outcome import Outcome
from shared.domain.pack import PackStatus
from shared.operations import cancel
from tests import banking
from tests.billing.conftest import Shop
from tests.shop_floor import (
    WORKS,
    asked_of,
    buy,
    card_of,
    charge_of_period,
    charges_of,
    context_of,
    customer_with_card,
    go_to,
    invoices_of,
    let_card_behave_as,
    messages_of,
    notices,
    packs_of,
    subscribed,
    subscription_of,
)

OPENING = "2026-03-02 14:00"


def ten_at_stripe(world: LocalWorld) -> str:
    ada = customer_with_card(world)
    assert card_of(ada).provider == STRIPE
    buy(world, ada, "ten")
    return ada


def status_of_pack(world: LocalWorld, customer_id: str) -> PackStatus:
    (pack,) = packs_of(customer_id)
    return pack.status(world.now())


def test_a_dispute_freezes_what_was_bought_and_one_that_is_won_thaws_it(shop: Shop) -> None:
    world = shop(OPENING, preferred_provider=STRIPE)
    ada = ten_at_stripe(world)
    go_to(world, "2026-03-10 15:00")
    (seen,) = asked_of(world, ada)
    banking.reverse(world, seen)
    world.run_due()
    assert status_of_pack(world, ada) is PackStatus.FROZEN
    (invoice,) = invoices_of(ada)
    assert [one.kind for one in invoice.payments] == [PaymentKind.CARD, PaymentKind.REVERSAL]
    assert len(notices(NoticeKind.PAYMENT_REVERSED)) == 1
    go_to(world, "2026-03-20 15:00")
    banking.reinstate(world, seen)
    world.run_due()
    assert status_of_pack(world, ada) is PackStatus.ACTIVE


def test_a_dispute_about_which_stripe_does_not_answer_at_once_is_not_forgotten(
    shop: Shop,
) -> None:
    world = shop(OPENING, errors=True, preferred_provider=STRIPE)
    ada = ten_at_stripe(world)
    (seen,) = asked_of(world, ada)
    world.banks.stripe.misbehave(Operation.LOOK_UP, Fault.TIMEOUT_BEFORE, times=2)
    banking.reverse(world, seen)
    world.run_due()
    go_to(world, "2026-03-02 20:00")
    assert status_of_pack(world, ada) is PackStatus.FROZEN


def test_a_dispute_of_a_payment_that_is_none_of_ours_changes_nothing(shop: Shop) -> None:
    """The merchant takes other payments at the same account."""
    world = shop(OPENING, preferred_provider=STRIPE)
    ada = ten_at_stripe(world)
    stripe = world.banks.stripe
    owner, card = stripe.save_card(WORKS, "eve@example.com")
    form = (
        f"amount=4900&currency=usd&customer={owner}&payment_method={card}"
        "&confirm=true&off_session=true"
    )
    key = {"Authorization": f"Bearer {world.banks.settings[STRIPE]['key']}"}
    status, _, _ = stripe.handle("POST", "/v1/payment_intents", key, form.encode())
    assert status == 200
    foreign = stripe.charges()[-1]
    assert foreign.charge_ref is None
    stripe.reverse_charge(foreign.id)
    world.run_due()
    assert status_of_pack(world, ada) is PackStatus.ACTIVE
    assert notices() == []


def test_a_card_that_the_network_renews_shows_its_new_date(shop: Shop) -> None:
    world = shop(OPENING, preferred_provider=STRIPE)
    ada = customer_with_card(world)
    before = card_of(ada)
    world.banks.stripe.renew_card(before.token, "1111", 11, 2034)
    world.run_due()
    renewed = card_of(ada)
    assert (renewed.last4, renewed.exp_month, renewed.exp_year) == ("1111", 11, 2034)
    assert renewed.id == before.id


def test_a_renewal_by_debit_grants_only_when_it_has_settled(shop: Shop) -> None:
    world = shop(OPENING, preferred_provider=STRIPE)
    ada = subscribed(world, "month", number=ACH_WORKS)
    go_to(world, "2026-04-02 12:00")
    charge = charge_of_period(ada, 1)
    assert charge.outcome is Outcome.PROCESSING
    assert len(packs_of(ada)) == 1
    go_to(world, "2026-04-12 12:00")
    assert charge_of_period(ada, 1).outcome is Outcome.SUCCEEDED
    assert len(packs_of(ada)) == 2


def test_a_debit_that_fails_days_later_goes_on_in_the_slots_of_the_same_payment(
    shop: Shop,
) -> None:
    world = shop(OPENING, preferred_provider=STRIPE)
    ada = subscribed(world, "month", number=ACH_NO_FUNDS)
    go_to(world, "2026-04-02 12:00")
    assert charge_of_period(ada, 1).outcome is Outcome.PROCESSING
    let_card_behave_as(world, card_of(ada), WORKS)
    go_to(world, "2026-04-20 12:00")
    charge = charge_of_period(ada, 1)
    assert [one.outcome for one in charge.attempts] == [Outcome.DECLINED, Outcome.SUCCEEDED]
    assert len({one.provider_charge_id for one in charge.attempts}) == 1
    assert len(charges_of(ada)) == 2
    assert len(packs_of(ada)) == 2


def refunded_late_success(world: LocalWorld, number: str) -> str:
    """A renewal whose answer was lost, cancelled before it was known: its money went back."""
    ada = subscribed(world, "month", number=number)
    stripe = world.banks.stripe
    stripe.webhooks(hold=True)
    stripe.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    stripe.misbehave(Operation.LOOK_UP, Fault.TIMEOUT_BEFORE, times=2)
    go_to(world, "2026-04-02 04:00")
    cancel.cancel(context_of(world), ada, subscription_of(ada).id, cancel.When.NOW, by=By.CUSTOMER)
    stripe.release_webhooks()
    go_to(world, "2026-04-20 12:00")
    assert len(messages_of(ada, MessageKind.REFUND)) == 1
    return ada


def test_a_refund_that_a_bank_sends_back_days_later_is_told_to_staff(shop: Shop) -> None:
    world = shop(OPENING, preferred_provider=STRIPE)
    ada = refunded_late_success(world, REFUNDS_FAIL)
    assert charge_of_period(ada, 1).refund is RefundState.FAILED
    (notice,) = notices(NoticeKind.REFUND_FAILED)
    assert notice.customer_id == ada


def test_a_refund_that_takes_days_and_arrives_is_no_news_for_staff(shop: Shop) -> None:
    world = shop(OPENING, preferred_provider=STRIPE)
    ada = refunded_late_success(world, REFUNDS_LATE)
    assert charge_of_period(ada, 1).refund is RefundState.DONE
    assert notices(NoticeKind.REFUND_FAILED) == []
