"""The emailed link that leads only to updating a card ([CARDS] [SCAN])."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.subscription import SubscriptionState
from shared.operations import card_link
from tests.portal.customers import FORM, save_card
from tests.shop_floor import (
    FAILS_LATER,
    WORKS,
    books_hold,
    charged_at,
    customer_with_card,
    go_to,
    head,
    open_shop,
    subscribed,
    subscription_of,
)

TOKEN = "a-token-with-at-least-128-random-bits"
PATH = f"/card-update/{TOKEN}"


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop("2026-01-31 15:00") as opened:
        yield opened
        opened.run_due()
        books_hold(opened)


@pytest.fixture
def ada(world: LocalWorld) -> str:
    """Her renewal has just been declined, and she holds a link to update the card."""
    customer_id = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-02-28 04:59")
    mint(world, customer_id, subscription_of(customer_id).id)
    return customer_id


def mint(world: LocalWorld, customer_id: str, subscription_id: str | None) -> None:
    card_link.mint(
        customer_id=customer_id,
        subscription_id=subscription_id,
        now=world.now(),
        token=TOKEN,
        public_url=world.public_url,
    )


def see(world: LocalWorld, path: str = PATH) -> Response:
    return world.request("GET", path, [("accept", "text/html")])


def press(world: LocalWorld, path: str = PATH) -> Response:
    headers = [("accept", "text/html"), ("content-type", FORM)]
    return world.request("POST", path, headers, urlencode({}))


def state(world: LocalWorld) -> str:
    answer = world.request("GET", PATH, [("accept", "application/json")])
    found: str = answer.json()["state"]
    return found


def test_looking_at_the_link_uses_nothing_up(world: LocalWorld, ada: str) -> None:
    for _ in range(3):
        page = see(world)
        assert page.status == 200
        assert "$53.04" in page.text
        assert page.header("referrer-policy") == "strict-origin"
    assert world.request("HEAD", PATH, [("accept", "text/html")]).status == 200
    assert len(head(ada).value.cards) == 1
    assert press(world).status == 303


def test_a_new_card_pays_what_is_owed_at_once_and_the_link_is_dead(
    world: LocalWorld, ada: str
) -> None:
    back = save_card(world, press(world).header("location") or "", WORKS)
    page = see(world, back)
    assert page.status == 200
    assert "Nothing is owed any more" in page.text
    assert subscription_of(ada).state is SubscriptionState.ACTIVE
    assert len(charged_at(world, ada)) == 2
    assert see(world).status == 404
    assert press(world).status == 404


def test_a_card_that_fails_again_leaves_the_link_good(world: LocalWorld, ada: str) -> None:
    back = save_card(world, press(world).header("location") or "", FAILS_LATER)
    assert see(world, back).status == 200
    assert state(world) == "open"
    assert len(head(ada).value.cards) == 2
    assert len(charged_at(world, ada)) == 1


def test_when_it_was_paid_in_another_way_there_is_nothing_left_to_do(
    world: LocalWorld, ada: str
) -> None:
    world.sandbox.let_card_behave_as(head(ada).value.cards[0].token, WORKS)
    go_to(world, "2026-03-01 04:59")
    assert state(world) == "settled"
    assert press(world).status == 200
    assert len(head(ada).value.cards) == 1


def test_the_link_lives_seven_days(world: LocalWorld, ada: str) -> None:
    del ada
    world.advance(timedelta(days=7) - timedelta(seconds=1))
    minted_for_nothing = see(world)
    assert minted_for_nothing.status == 200
    world.advance(timedelta(seconds=1))
    assert see(world).status == 404


def test_an_unknown_link_leads_to_sign_in(world: LocalWorld) -> None:
    page = see(world, "/card-update/nobody-has-this-token")
    assert page.status == 404
    assert "/sign-in?next=/cards" in page.text
    assert press(world, "/card-update/nobody-has-this-token").status == 404


def test_the_link_opens_nothing_else(world: LocalWorld, ada: str) -> None:
    subscription = subscription_of(ada)
    for path in ("/account", "/cards", f"/subscriptions/{subscription.id}"):
        assert (see(world, path).header("location") or "").startswith("/sign-in")


def test_a_card_page_of_another_customer_does_not_count(world: LocalWorld, ada: str) -> None:
    world.sandbox.webhooks(hold=True)
    mine = press(world).header("location") or ""
    eve = customer_with_card(world, email="eve@example.com")
    back = save_card(world, mine, WORKS).replace(TOKEN, "token-of-eve-for-her-own-card")
    card_link.mint(
        customer_id=eve,
        subscription_id=None,
        now=world.now(),
        token="token-of-eve-for-her-own-card",
        public_url=world.public_url,
    )
    assert see(world, back).status == 404
    assert len(head(eve).value.cards) == 1
    assert len(head(ada).value.cards) == 1
    world.sandbox.webhooks(hold=False)


def test_a_link_for_the_default_card_works_while_nothing_is_owed(world: LocalWorld) -> None:
    bob = customer_with_card(world, email="bob@example.com")
    mint(world, bob, None)
    assert state(world) == "open"
    back = save_card(world, press(world).header("location") or "", WORKS)
    assert "Nothing is owed any more" in see(world, back).text
    assert len(head(bob).value.cards) == 2
    assert see(world).status == 404
