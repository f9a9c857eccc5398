"""Several providers at once: new cards go to the preferred one, each card is charged where it was
saved ([MANY])."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.local.sandbox import Sandbox
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.card import Card
from shared.domain.message import NoticeKind
from shared.domain.outcome import NEVER_REACHED, NOT_SET_UP, Outcome
from shared.domain.subscription import SubscriptionState
from shared.operations import cards, past_due
from shared.operations.answered import Checked
from shared.operations.audit import audit
from shared.store import accounts
from shared.store import catalogue as catalogues
from shared.store.reading import read
from shared.store.writing import commit, replace
from tests import second_provider
from tests.console import office
from tests.portal.customers import Customer
from tests.second_provider import NAME as SECOND
from tests.second_provider import add_card, enter_card, take_away
from tests.shop_floor import (
    NEEDS_AUTHENTICATION,
    Wanted,
    books_hold,
    buy,
    card_of,
    card_on_file,
    catalogue_of,
    charge_of_period,
    charges_of,
    context_of,
    customer_with_card,
    fill_cart,
    go_to,
    head,
    newcomer,
    notices,
    open_shop,
    packs_of,
    subscribed,
    subscription_of,
)

RENEWAL = "2026-02-28 05:00"
"""A minute after the first renewal of what was bought on 31 January in New York."""


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop("2026-01-31 15:00") as opened:
        yield opened


@pytest.fixture
def second(world: LocalWorld) -> Iterator[Sandbox]:
    """It is set up beside the sandbox, where new cards go; at the end all books have to hold."""
    bank = second_provider.set_up(world)
    yield bank
    world.run_due()
    books_hold(world, beside=(bank,))


def prefer(name: str) -> None:
    catalogues.publish(catalogue_of(preferred_provider=name))


def taken_by(bank: Sandbox) -> int:
    return sum(one.kept for one in bank.charges())


def at_second(world: LocalWorld, second: Sandbox, customer_id: str) -> Card:
    saved = add_card(world, customer_id, second, SECOND)
    assert saved.card is not None
    assert saved.card.provider == SECOND
    return saved.card


def pay(customer: Customer, key: str, card: str | None = None) -> Any:
    review = customer.read("/checkout")
    wanted = {name: review[name] for name in ("cart", "card", "expected_total")}
    return customer.post("/checkout", {**wanted, **({"card": card} if card else {})}, key=key)


# --- where a card is charged -----------------------------------------------------------------


def test_each_card_is_charged_where_it_was_saved_whatever_is_preferred_now(
    world: LocalWorld, second: Sandbox
) -> None:
    ada = customer_with_card(world)
    other = at_second(world, second, ada)
    assert buy(world, ada, "month").state is Checked.PAID
    assert buy(world, ada, "support", card_id=other.id).state is Checked.PAID
    assert (taken_by(world.sandbox), taken_by(second)) == (1, 1)
    prefer(SECOND)
    go_to(world, RENEWAL)
    assert (taken_by(world.sandbox), taken_by(second)) == (2, 2)
    prefer("sandbox")
    go_to(world, "2026-03-31 05:00")
    assert (taken_by(world.sandbox), taken_by(second)) == (3, 3)
    for charge in charges_of(ada):
        (attempt,) = charge.attempts
        known = head(ada).value.provider_customers
        assert attempt.provider_customer == known[attempt.card.provider]


def test_only_new_cards_move_with_the_setting(world: LocalWorld, second: Sandbox) -> None:
    ada = Customer(world, customer_with_card(world))
    prefer(SECOND)
    opened = ada.post("/cards")
    assert f"/_local/{SECOND}/" in opened.json()["url"]
    back = enter_card(second, opened.json()["url"], 2030)
    assert ada.see(back.removeprefix(world.public_url)).status == 303
    assert [one.provider for one in head(ada.id).value.cards] == ["sandbox", SECOND]
    assert card_of(ada.id).provider == "sandbox", "the default is for the customer to name"
    assert set(head(ada.id).value.provider_customers) == {"sandbox", SECOND}


def test_a_card_whose_page_was_open_when_the_setting_moved_is_saved_where_it_was_entered(
    world: LocalWorld, second: Sandbox
) -> None:
    ada = Customer(world, newcomer(world))
    prefer(SECOND)
    url = ada.post("/cards").json()["url"]
    prefer("sandbox")
    back = enter_card(second, url, 2030)
    assert ada.see(back.removeprefix(world.public_url)).status == 303
    assert card_of(ada.id).provider == SECOND
    fill_cart(world, ada.id, "ten")
    assert pay(ada, "key-0001").status == 201
    assert (taken_by(world.sandbox), taken_by(second)) == (0, 1)


def test_a_webhook_alone_brings_the_card_of_who_never_came_back(
    world: LocalWorld, second: Sandbox
) -> None:
    ada = Customer(world, newcomer(world))
    prefer(SECOND)
    enter_card(second, ada.post("/cards").json()["url"], 2030)
    world.run_due()
    assert card_of(ada.id).provider == SECOND


def test_a_payment_to_be_confirmed_is_confirmed_at_its_own_provider(
    world: LocalWorld, second: Sandbox
) -> None:
    ada = Customer(world, customer_with_card(world))
    card = at_second(world, second, ada.id)
    second.let_card_behave_as(card.token, NEEDS_AUTHENTICATION)
    fill_cart(world, ada.id, "ten")
    answer = pay(ada, "key-0001", card.id)
    assert answer.status == 202
    url = answer.json()["confirm_url"]
    path = url.partition(f"/_local/{SECOND}")[2]
    assert path, url
    status, _, _ = second.handle("POST", path, {}, b"answer=confirm")
    assert status == 303
    world.run_due()
    assert len(packs_of(ada.id)) == 1
    assert (taken_by(world.sandbox), taken_by(second)) == (0, 1)


def test_what_the_network_renews_is_still_charged_to_its_owner(
    world: LocalWorld, second: Sandbox
) -> None:
    ada = customer_with_card(world)
    card = at_second(world, second, ada)
    second.renew_card(card.token, "9999", 1, 2034)
    world.run_due()
    renewed = head(ada).value.card(card.id)
    assert renewed is not None
    assert (renewed.last4, renewed.provider) == ("9999", SECOND)
    assert renewed.provider_customer == head(ada).value.provider_customers[SECOND]
    assert buy(world, ada, "ten", card_id=card.id).state is Checked.PAID


# --- two first cards at once -----------------------------------------------------------------


def test_two_tabs_that_add_a_first_card_at_once_leave_two_that_can_be_charged(
    world: LocalWorld, second: Sandbox
) -> None:
    ada = Customer(world, newcomer(world))
    prefer(SECOND)
    urls = [ada.post("/cards").json()["url"] for _ in range(2)]
    for url in urls:
        back = enter_card(second, url, 2030)
        assert ada.see(back.removeprefix(world.public_url)).status == 303
    first, other = head(ada.id).value.cards
    assert first.provider_customer != other.provider_customer, "each tab made one of its own"
    for card in (first, other):
        assert buy(world, ada.id, "ten", card_id=card.id).state is Checked.PAID
    assert {one.customer for one in second.charges()} == {
        first.provider_customer,
        other.provider_customer,
    }
    for card in (first, other):
        assert ada.post(f"/cards/{card.id}/remove").status == 200
    assert head(ada.id).value.cards == ()
    audited = audit(context_of(world), shards=1)
    assert (audited.breaches, audited.unanswered) == ([], 0), "both names are looked up there"


@pytest.mark.usefixtures("second")
def test_a_card_of_before_stays_with_its_owner_when_another_comes_with_a_new_one(
    world: LocalWorld,
) -> None:
    ada = newcomer(world)
    old = card_on_file(world, ada)
    assert old.provider_customer is None, "as cards were stored before"
    owner = head(ada).value.provider_customers["sandbox"]
    stranger, token = world.sandbox.save_card("5555555555554444", "ada@example.com")
    with_new = head(ada).value.with_card(
        old.model_copy(update={"id": token, "token": token}), stranger
    )
    commit([replace(head(ada), with_new)])
    assert head(ada).value.provider_customers["sandbox"] == stranger
    for card_id, who in ((old.id, owner), (token, stranger)):
        assert buy(world, ada, "ten", card_id=card_id).state is Checked.PAID
        assert world.sandbox.charges()[-1].customer == who


# --- a provider that is not set up any more --------------------------------------------------


def test_a_renewal_on_a_card_of_a_provider_that_is_gone_is_refused_and_another_card_rescues_it(
    world: LocalWorld, second: Sandbox
) -> None:
    ada = Customer(world, newcomer(world))
    at_second(world, second, ada.id)
    assert buy(world, ada.id, "month").state is Checked.PAID
    take_away(world)
    go_to(world, RENEWAL)
    (attempt,) = charge_of_period(ada.id, 1).attempts
    assert (attempt.outcome, attempt.decline_code) == (Outcome.REFUSED, NOT_SET_UP)
    (notice,) = notices(NoticeKind.PROVIDER_REFUSES)
    assert SECOND in notice.title
    assert NOT_SET_UP in notice.detail
    (late,) = head(ada.id).value.past_due
    assert late.needs == "card", "only another card helps"
    mail = office.mails_to(world, "ada@example.com")[0]
    told = " ".join(mail.text.split())
    assert "This card can't be charged any more." in told
    assert "another card" in told
    assert "declined" not in told
    ada.sign_in()
    assert "Pay or change card" in ada.see("/account").text
    saved = cards.finish(context_of(world), "sandbox", card_page(world, ada), customer_id=ada.id)
    assert saved.card is not None
    assert subscription_of(ada.id).state is SubscriptionState.ACTIVE
    assert (taken_by(world.sandbox), taken_by(second)) == (1, 1)


def card_page(world: LocalWorld, customer: Customer) -> str:
    """The customer fills in the sandbox's card page; answers its id."""
    setup = customer.post("/cards").json()
    enter_card(world.sandbox, setup["url"], 2030)
    setup_id: str = setup["setup_id"]
    return setup_id


def test_a_checkout_on_such_a_card_keeps_the_cart_and_another_card_pays(
    world: LocalWorld, second: Sandbox
) -> None:
    ada = Customer(world, customer_with_card(world))
    gone = at_second(world, second, ada.id)
    take_away(world)
    fill_cart(world, ada.id, "ten")
    answer = pay(ada, "key-0001", gone.id)
    assert (answer.status, answer.json()["facts"]["reason"]) == (402, "not_chargeable")
    assert "Use another card" in answer.json()["detail"]
    assert (packs_of(ada.id), len(ada.read("/cart")["lines"])) == ([], 1)
    page = ada.see("/checkout").text
    assert "be charged any more" in page
    assert [one["chargeable"] for one in ada.read("/checkout")["cards"]] == [True, False]
    assert pay(ada, "key-0002").status == 201


def test_an_open_invoice_is_refused_on_such_a_card_and_paid_on_another(
    world: LocalWorld, second: Sandbox
) -> None:
    ada = Customer(world, customer_with_card(world))
    own = at_second(world, second, ada.id)
    assert buy(world, ada.id, Wanted("month"), card_id=own.id).state is Checked.PAID
    take_away(world)
    go_to(world, RENEWAL)
    ada.sign_in()
    path = f"/subscriptions/{subscription_of(ada.id).id}/pay"
    refused = ada.post(path, {"card": own.id}, key="key-0001")
    assert (refused.status, refused.json()["facts"]["reason"]) == (402, "not_chargeable")
    first = head(ada.id).value.cards[0]
    assert ada.post(path, {"card": first.id}, key="key-0002").status == 200
    assert (taken_by(world.sandbox), taken_by(second)) == (1, 1)


def test_the_portal_shows_such_a_card_plainly_and_lets_it_be_removed(
    world: LocalWorld, second: Sandbox
) -> None:
    ada = Customer(world, customer_with_card(world))
    gone = at_second(world, second, ada.id)
    take_away(world)
    shown = {one["card"]["id"]: one["card"]["chargeable"] for one in ada.read("/cards")["cards"]}
    assert shown == {card_of(ada.id).id: True, gone.id: False}
    page = ada.see("/cards").text
    assert "We have left the payment provider that keeps it" in page
    assert ada.post(f"/cards/{gone.id}/remove").status == 200
    assert [one.provider for one in head(ada.id).value.cards] == ["sandbox"]


def test_a_provider_that_comes_back_charges_its_cards_again(
    world: LocalWorld, second: Sandbox
) -> None:
    ada = newcomer(world)
    at_second(world, second, ada)
    assert buy(world, ada, "month").state is Checked.PAID
    adapter = world.wiring.provider_overrides[SECOND]
    take_away(world)
    go_to(world, RENEWAL)
    assert subscription_of(ada).state is SubscriptionState.PAST_DUE
    world.wiring.provider_overrides[SECOND] = adapter
    go_to(world, "2026-03-01 05:00")
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    assert taken_by(second) == 2


def test_what_it_never_answered_stays_open_while_it_is_gone(
    world: LocalWorld, second: Sandbox
) -> None:
    ada = newcomer(world)
    at_second(world, second, ada)
    assert buy(world, ada, "month").state is Checked.PAID
    second.webhooks(hold=True)
    second.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    adapter = world.wiring.provider_overrides[SECOND]
    go_to(world, "2026-02-28 04:59")
    take_away(world)
    go_to(world, "2026-03-03 05:00")
    charge = charge_of_period(ada, 1)
    assert [one.outcome for one in charge.attempts] == [Outcome.UNKNOWN]
    card = head(ada).value.cards[0]
    removed = Customer(world, ada).post(f"/cards/{card.id}/remove")
    assert removed.status == 409, "its owner would not know what became of the payment"
    world.wiring.provider_overrides[SECOND] = adapter
    go_to(world, "2026-03-04 12:00")
    assert charge_of_period(ada, 1).settled_at is not None
    assert taken_by(second) == 2
    second.discard_webhooks()


@pytest.mark.usefixtures("second")
def test_webhooks_of_a_provider_that_is_gone_are_not_ours(
    world: LocalWorld,
) -> None:
    take_away(world)
    assert world.request("POST", f"/webhooks/{SECOND}", {}, b"{}").status == 404


@pytest.mark.usefixtures("second")
def test_no_new_card_can_be_added_while_the_preferred_provider_is_gone(
    world: LocalWorld,
) -> None:
    ada = Customer(world, customer_with_card(world))
    prefer(SECOND)
    take_away(world)
    answer = ada.post("/cards")
    assert (answer.status, answer.json()["code"]) == (503, "unavailable")
    assert ada.see("/cards").status == 200
    fill_cart(world, ada.id, "ten")
    assert pay(ada, "key-0001").status == 201, "cards on file are charged all the same"


# --- tries of one charge at both -------------------------------------------------------------


def test_what_one_provider_reports_late_is_about_its_own_try_alone(
    world: LocalWorld, second: Sandbox
) -> None:
    """A try at the one was taken for lost, and one at the other is still open: the late success
    of the first is recorded as what it is."""
    ada = subscribed(world, "month")
    own = at_second(world, second, ada)
    charge_of_other = accounts.subscription(ada, subscription_of(ada).id)
    row = read(charge_of_other).get(charge_of_other)
    assert row is not None
    commit([replace(row, row.value.model_copy(update={"card_id": own.id}))])
    for bank in (world.sandbox, second):
        bank.webhooks(hold=True)
    second.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    go_to(world, "2026-02-28 04:59")
    _take_for_lost(ada)
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    world.sandbox.misbehave(Operation.LOOK_UP, Fault.TIMEOUT_BEFORE, times=50)
    past_due.pay_subscription(
        context_of(world), ada, subscription_of(ada).id, card_id=head(ada).value.cards[0].id
    )
    outcomes = [one.outcome for one in charge_of_period(ada, 1).attempts]
    assert outcomes == [Outcome.DECLINED, Outcome.UNKNOWN]
    second.release_webhooks()
    world.run_due()
    charge = charge_of_period(ada, 1)
    assert charge.attempts[0].outcome is Outcome.SUCCEEDED
    assert charge.attempts[1].outcome is Outcome.UNKNOWN
    world.sandbox.behave()
    world.advance(timedelta(days=2))
    paid = charge_of_period(ada, 1)
    assert [one.outcome for one in paid.attempts] == [Outcome.SUCCEEDED] * 2
    assert paid.refund == "done", "what came twice goes back once"
    assert len(packs_of(ada)) == 2


def _take_for_lost(customer_id: str) -> None:
    """As after a day in which the provider knew nothing of it."""
    ref = accounts.charge(customer_id, charge_of_period(customer_id, 1).source)
    row = read(ref).get(ref)
    subscription_ref = accounts.subscription(customer_id, subscription_of(customer_id).id)
    subscription = read(subscription_ref).get(subscription_ref)
    assert row is not None
    assert subscription is not None
    assert subscription.value.collection is not None
    lost = row.value.attempts[0].model_copy(
        update={
            "outcome": Outcome.DECLINED,
            "decline_code": NEVER_REACHED,
            "provider_charge_id": None,
        }
    )
    charge = row.value.model_copy(update={"attempts": (lost,), "next_check_at": None})
    failing = subscription.value.collection.model_copy(update={"failing": True})
    late = subscription.value.model_copy(
        update={"collection": failing, "state": SubscriptionState.PAST_DUE}
    )
    commit([replace(row, charge), replace(subscription, late)])
