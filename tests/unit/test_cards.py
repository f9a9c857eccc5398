"""Whom a card is charged to: each where it was saved, and in whose name ([MANY])."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.domain.by import By
from shared.domain.card import Card
from shared.domain.charge import Attempt, Charge, Purpose
from shared.domain.collecting import waits_for
from shared.domain.customer import Attention, Customer
from shared.domain.money import Money
from shared.domain.outcome import NOT_SET_UP, Outcome

NOW = datetime(2026, 1, 31, 15, tzinfo=UTC)


def card(token: str, provider: str = "one", **more: Any) -> Card:
    return Card(id=token, provider=provider, token=token, brand="visa", last4="4242", **more)


def customer(*cards: Card, **more: Any) -> Customer:
    return Customer(id="ada", email="ada@example.com", created_at=NOW, cards=cards, **more)


def test_a_card_is_charged_to_whom_it_was_saved_for() -> None:
    ada = customer().with_card(card("a"), "cus_1").with_card(card("b"), "cus_2")
    assert [ada.at_provider(one) for one in ada.cards] == ["cus_1", "cus_2"]
    assert ada.provider_customers == {"one": "cus_2"}, "the next new card is added to the latest"


def test_cards_of_before_keep_the_name_that_was_on_file() -> None:
    stored = Customer.model_validate_json(
        customer(card("a"), provider_customers={"one": "cus_1"}).model_dump_json(
            exclude_defaults=True
        )
    )
    assert stored.at_provider(stored.cards[0]) == "cus_1"
    ada = stored.with_card(card("b"), "cus_2")
    assert [ada.at_provider(one) for one in ada.cards] == ["cus_1", "cus_2"]


def test_a_card_at_another_provider_changes_nothing_about_the_first() -> None:
    ada = customer(card("a"), provider_customers={"one": "cus_1"})
    both = ada.with_card(card("b", "two"), "profile-9")
    assert both.cards[0] == ada.cards[0]
    assert both.provider_customers == {"one": "cus_1", "two": "profile-9"}
    assert both.at_provider(both.cards[1]) == "profile-9"


def test_a_card_that_nobody_there_owns_can_not_be_charged() -> None:
    ada = customer(card("a"), provider_customers={"two": "cus_1"})
    assert ada.at_provider(ada.cards[0]) is None
    assert ada.at_provider(None) is None


def test_the_first_card_is_the_default_and_a_later_one_while_something_is_past_due() -> None:
    ada = customer().with_card(card("a"), "cus_1").with_card(card("b"), "cus_1")
    assert ada.default_card == "a"
    late: Any = object()
    owing = ada.model_copy(update={"past_due": (late,)})
    assert owing.with_card(card("c"), "cus_1").default_card == "c"


def test_one_token_at_two_providers_is_two_cards() -> None:
    ada = customer(card("a"), provider_customers={"one": "cus_1"})
    assert ada.card_kept_as("one", "a") == ada.cards[0]
    assert ada.card_kept_as("two", "a") is None


@pytest.mark.parametrize(
    ("outcome", "code", "needs"),
    [
        (Outcome.DECLINED, "insufficient_funds", Attention.CARD),
        (Outcome.DECLINED_FINAL, "lost_card", Attention.CARD),
        (Outcome.AUTHENTICATION_REQUIRED, None, Attention.AUTHENTICATION),
        (Outcome.REFUSED, "api_key_expired", Attention.MERCHANT),
        (Outcome.REFUSED, None, Attention.MERCHANT),
        (Outcome.REFUSED, NOT_SET_UP, Attention.CARD),
    ],
)
def test_who_has_to_do_something_about_a_failing_charge(
    outcome: Outcome, code: str | None, needs: Attention
) -> None:
    owed = Money(minor=4_900, currency="USD")
    attempt = Attempt(
        id="c-1",
        by=By.CLOCK,
        amount=owed,
        card=card("a"),
        provider_customer="cus_1",
        started_at=NOW,
        outcome=outcome,
        decline_code=code,
    )
    charge = Charge(
        id="c",
        source="sub.1",
        purpose=Purpose.PERIOD,
        customer_id="ada",
        location_id="ny",
        amount=owed,
        description="Yoga",
        invoice_id="inv",
        created_at=NOW,
        attempts=(attempt,),
    )
    assert waits_for(charge) is needs
