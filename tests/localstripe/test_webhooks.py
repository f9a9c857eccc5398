"""localstripe's webhooks, with the bytes and headers that it posts, at our webhook route."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.local.stripe_webhooks import WEBHOOK_PATH, stripe_signature
from tests.localstripe.service import LocalStripe
from tests.localstripe.shop import WEEKLY, Shop, open_shop
from tests.localstripe.webhooks import SIGNATURE
from tests.scenario.person import Person, header, move_clock

pytestmark = pytest.mark.xdist_group("localstripe")

MONDAY = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
SUNDAY = "2026-01-12T04:59:00Z"
"""23:59 in New York, before the second week starts."""

SUCCEEDED = "payment_intent.succeeded"


@pytest.fixture
def shop(localstripe: LocalStripe) -> Iterator[Shop]:
    with open_shop(localstripe, MONDAY) as opened:
        yield opened


@pytest.fixture
def shop_of_today(localstripe: LocalStripe) -> Iterator[Shop]:
    """Its clock stands at the time of this machine, by which localstripe signs."""
    with open_shop(localstripe, datetime.now(UTC).replace(microsecond=0)) as opened:
        yield opened


def about_to_pay(shop: Shop) -> Person:
    """Signed in, with a card on file and a week's subscription in the cart."""
    person = Person(shop.world, "ada@example.com")
    person.go("POST", "/cart/location", {"location": "ny", "next": "/shop"})
    person.add("weekly")
    person.sign_in()
    person.save_card("4242424242424242")
    return person


def subscribed(shop: Shop) -> Person:
    person = about_to_pay(shop)
    assert person.pay().status == 200
    return person


def packs_of(person: Person) -> int:
    return len(person.data("/packs")["packs"])


def test_a_webhook_as_it_came_settles_an_order_whose_answer_was_lost(shop_of_today: Shop) -> None:
    shop = shop_of_today
    ada = about_to_pay(shop)
    shop.front.misbehave("charge", "timeout_after")
    ada.pay()
    assert shop.paid() == [WEEKLY], "it was taken, and only localstripe knows"
    assert packs_of(ada) == 0

    arrived = shop.webhooks.waiting()
    assert SUCCEEDED in shop.webhooks.hand_on(shop.world, as_they_came=True)
    assert packs_of(ada) == 1
    assert len(ada.data("/payments")["payments"]) == 1

    for one in arrived:
        again = shop.world.request("POST", WEBHOOK_PATH, one.headers, one.body)
        assert again.status == 200
    assert packs_of(ada) == 1
    assert shop.paid() == [WEEKLY]


def test_a_webhook_is_refused_when_it_is_old_or_changed_or_of_another_secret(
    shop_of_today: Shop,
) -> None:
    shop = shop_of_today
    ada = about_to_pay(shop)
    shop.front.misbehave("charge", "timeout_after")
    ada.pay()
    (told,) = [one for one in shop.webhooks.waiting() if one.type == SUCCEEDED]
    changed = told.body.replace(b'"succeeded"', b'"Succeeded"')
    others = stripe_signature(told.body, shop.world.now(), ["whsec_of_somebody_else"])
    for headers, body in (
        (told.headers, changed),
        ({**told.headers, SIGNATURE: others}, told.body),
        ({name: one for name, one in told.headers.items() if name != SIGNATURE}, told.body),
    ):
        assert shop.world.request("POST", WEBHOOK_PATH, headers, body).status == 400
    assert packs_of(ada) == 0
    # By then our own check has asked for the outcome.
    shop.world.advance(timedelta(seconds=400))
    late = shop.world.request("POST", WEBHOOK_PATH, told.headers, told.body)
    assert late.status == 400
    ada.sign_in()
    assert packs_of(ada) == 1


@pytest.mark.parametrize("lost", ["timeout_before", "timeout_after"])
def test_without_a_webhook_a_lost_answer_is_asked_for_and_a_lost_request_sent_again(
    shop: Shop, lost: str
) -> None:
    ada = subscribed(shop)
    shop.front.misbehave("charge", lost)
    move_clock(shop.world, SUNDAY)
    assert shop.paid() == [WEEKLY] * (1 if lost == "timeout_before" else 2)
    move_clock(shop.world, "2026-01-12T12:00:00Z")
    ada.sign_in()
    assert packs_of(ada) == 2
    assert shop.paid() == [WEEKLY, WEEKLY]
    assert shop.localstripe.reached["POST payment_intents/{id}/confirm"] == 2


def test_a_late_success_after_a_cancellation_is_refunded_and_grants_nothing(shop: Shop) -> None:
    ada = subscribed(shop)
    shop.front.misbehave("charge", "timeout_after")
    move_clock(shop.world, SUNDAY)
    ada.sign_in()
    (subscription,) = ada.data("/subscriptions")["subscriptions"]
    path = f"/subscriptions/{subscription['id']}"
    ended = ada.ask("POST", f"{path}/cancel", {"when": "now", "idempotency_key": "enough-of-it"})
    assert ended.status == 303, ended.text
    assert header(ended, "location").startswith(path)
    assert shop.localstripe.all("refunds") == []

    assert SUCCEEDED in shop.webhooks.hand_on(shop.world)
    move_clock(shop.world, "2026-01-12T12:00:00Z")
    ada.sign_in()
    (refund,) = shop.localstripe.all("refunds")
    renewal = shop.localstripe.all("charges")[-1]
    assert (refund["charge"], refund["amount"]) == (renewal["id"], WEEKLY)
    assert packs_of(ada) == 1
    assert ada.data(path)["subscription"]["state"] == "cancelled"
    assert shop.localstripe.reached["POST refunds"] == 1
