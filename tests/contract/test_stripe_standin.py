"""The Stripe stand-in's PaymentIntents keep the documented rules."""

from typing import Any

import pytest

from infra.local.stripe_cards import (
    ALREADY_SET_UP,
    ALWAYS_AUTHENTICATE,
    AUTHENTICATE_THEN_DECLINED,
    AUTHENTICATE_UNLESS_SET_UP,
    FAILS_LATER,
    LOST_CARD,
    WORKS,
)
from tests.contract.stripe_standin_bench import RETURN_URL, Bench, Content, payment

EMAIL = "ada@example.com"


@pytest.fixture
def bench() -> Bench:
    return Bench()


def charges_of(bench: Bench, intent: Content) -> list[Content]:
    found = bench.get("charges", payment_intent=intent["id"])["data"]
    assert isinstance(found, list)
    return found


# Success and decline


def test_a_good_card_pays_at_once(bench: Bench) -> None:
    answered = bench.pay(bench.stripe.save_card(WORKS, EMAIL))
    assert answered.status == 200
    intent = answered.content
    assert (intent["status"], intent["amount_received"]) == ("succeeded", 4_900)
    (charge,) = charges_of(bench, intent)
    assert (charge["status"], charge["paid"], charge["captured"]) == ("succeeded", True, True)
    assert charge["id"] == intent["latest_charge"]
    assert charge["metadata"] == {"charge_ref": "charge-1", "attempt_id": "attempt-a"}


def test_a_decline_is_a_402_that_carries_the_payment_intent(bench: Bench) -> None:
    saved = bench.stripe.save_card(FAILS_LATER, EMAIL)
    answered = bench.pay(saved)
    assert answered.refused == (402, "card_declined")
    error = answered.error
    assert (error["type"], error["decline_code"]) == ("card_error", "generic_decline")
    intent = error["payment_intent"]
    assert intent["status"] == "requires_payment_method"
    assert intent["payment_method"] is None
    assert intent["last_payment_error"]["code"] == "card_declined"
    assert intent["last_payment_error"]["payment_method"]["id"] == saved[1]
    (charge,) = charges_of(bench, intent)
    assert (charge["status"], charge["failure_code"]) == ("failed", "card_declined")
    assert error["charge"] == charge["id"]


def test_each_attempt_makes_a_charge_of_its_own_and_at_most_one_succeeds(bench: Bench) -> None:
    saved = bench.stripe.save_card(FAILS_LATER, EMAIL)
    intent = bench.pay(saved).error["payment_intent"]
    path = f"payment_intents/{intent['id']}"
    second = bench.post(path, metadata={"attempt_id": "attempt-b"}, payment_method=saved[1])
    assert second.content["status"] == "requires_confirmation"
    assert bench.post(f"{path}/confirm", off_session="true").status == 402
    bench.stripe.let_card_behave_as(saved[1], WORKS)
    third = bench.post(f"{path}/confirm", off_session="true", payment_method=saved[1])
    assert third.content["status"] == "succeeded"
    assert third.content["last_payment_error"] is None
    seen = [(one["status"], one["metadata"]["attempt_id"]) for one in charges_of(bench, intent)]
    assert seen == [("succeeded", "attempt-b"), ("failed", "attempt-b"), ("failed", "attempt-a")]


def test_after_a_decline_the_payment_method_must_be_given_again(bench: Bench) -> None:
    saved = bench.stripe.save_card(FAILS_LATER, EMAIL)
    intent = bench.pay(saved).error["payment_intent"]
    answered = bench.post(f"payment_intents/{intent['id']}/confirm", off_session="true")
    assert answered.refused == (400, "payment_intent_unexpected_state")
    assert answered.error["payment_intent"]["id"] == intent["id"]


def test_any_update_clears_the_last_payment_error(bench: Bench) -> None:
    intent = bench.pay(bench.stripe.save_card(FAILS_LATER, EMAIL)).error["payment_intent"]
    path = f"payment_intents/{intent['id']}"
    assert bench.get(path)["last_payment_error"] is not None
    bench.post(path, metadata={"attempt_id": "attempt-b"})
    updated = bench.get(path)
    assert updated["last_payment_error"] is None
    assert updated["metadata"] == {"charge_ref": "charge-1", "attempt_id": "attempt-b"}
    assert updated["latest_charge"] == intent["latest_charge"]


# Authentication


def test_off_session_authentication_is_a_decline(bench: Bench) -> None:
    answered = bench.pay(bench.stripe.save_card(ALWAYS_AUTHENTICATE, EMAIL))
    assert answered.refused == (402, "authentication_required")
    assert answered.error["decline_code"] == "authentication_required"
    assert answered.error["payment_intent"]["status"] == "requires_payment_method"


def test_authentication_may_be_made_an_error_on_session_too(bench: Bench) -> None:
    saved = bench.stripe.save_card(ALWAYS_AUTHENTICATE, EMAIL)
    answered = bench.pay(
        saved, off_session=None, return_url=RETURN_URL, error_on_requires_action="true"
    )
    assert answered.refused == (402, "authentication_required")


def ask_for_authentication(bench: Bench) -> tuple[Content, str]:
    saved = bench.stripe.save_card(ALWAYS_AUTHENTICATE, EMAIL)
    answered = bench.pay(saved, off_session=None, return_url=RETURN_URL)
    assert answered.content["status"] == "requires_action"
    assert charges_of(bench, answered.content) == []
    action = answered.content["next_action"]
    assert action["type"] == "redirect_to_url"
    return answered.content, action["redirect_to_url"]["url"]


def test_a_customer_who_confirms_pays_and_is_sent_back(bench: Bench) -> None:
    intent, address = ask_for_authentication(bench)
    assert bench.look(address)[0] == 200
    status, headers, _ = bench.submit(address, answer="confirm")
    assert status == 303
    assert headers["Location"].startswith(RETURN_URL + "&payment_intent=" + intent["id"])
    assert f"payment_intent_client_secret={intent['client_secret']}" in headers["Location"]
    assert headers["Location"].endswith("redirect_status=succeeded")
    paid = bench.get(f"payment_intents/{intent['id']}")
    assert (paid["status"], paid["next_action"]) == ("succeeded", None)


def test_a_customer_who_refuses_has_failed_authentication(bench: Bench) -> None:
    intent, address = ask_for_authentication(bench)
    _, headers, _ = bench.submit(address, answer="decline")
    assert headers["Location"].endswith("redirect_status=failed")
    refused = bench.get(f"payment_intents/{intent['id']}")
    assert refused["status"] == "requires_payment_method"
    code = refused["last_payment_error"]["code"]
    assert code == "payment_intent_authentication_failure"
    assert charges_of(bench, intent) == []


def test_an_answer_counts_once(bench: Bench) -> None:
    intent, address = ask_for_authentication(bench)
    bench.submit(address, answer="confirm")
    bench.submit(address, answer="decline")
    assert bench.get(f"payment_intents/{intent['id']}")["status"] == "succeeded"
    assert bench.look(address)[0] == 410


def test_what_was_declined_off_session_can_be_confirmed_by_the_customer(bench: Bench) -> None:
    saved = bench.stripe.save_card(ALWAYS_AUTHENTICATE, EMAIL)
    intent = bench.pay(saved).error["payment_intent"]
    confirm = f"payment_intents/{intent['id']}/confirm"
    again = bench.post(confirm, payment_method=saved[1], return_url=RETURN_URL)
    assert again.content["status"] == "requires_action"
    assert again.content["last_payment_error"] is None
    bench.submit(again.content["next_action"]["redirect_to_url"]["url"], answer="confirm")
    assert bench.get(f"payment_intents/{intent['id']}")["status"] == "succeeded"


@pytest.mark.parametrize(
    ("number", "off_session", "on_session"),
    [
        (WORKS, "succeeded", "succeeded"),
        (AUTHENTICATE_UNLESS_SET_UP, "succeeded", "requires_action"),
        (ALREADY_SET_UP, "succeeded", "requires_action"),
        (ALWAYS_AUTHENTICATE, "authentication_required", "requires_action"),
        (AUTHENTICATE_THEN_DECLINED, "card_declined", "requires_action"),
    ],
)
def test_each_test_card_asks_for_authentication_when_it_is_documented_to(
    bench: Bench, number: str, off_session: str, on_session: str
) -> None:
    saved = bench.stripe.save_card(number, EMAIL)

    def outcome(**changes: Any) -> str:
        answered = bench.pay(saved, **changes)
        return str(answered.content.get("status") or answered.error["code"])

    assert outcome() == off_session
    assert outcome(off_session=None, return_url=RETURN_URL) == on_session


def test_a_card_may_be_declined_although_the_customer_confirmed(bench: Bench) -> None:
    saved = bench.stripe.save_card(AUTHENTICATE_THEN_DECLINED, EMAIL)
    intent = bench.pay(saved, off_session=None, return_url=RETURN_URL).content
    bench.submit(intent["next_action"]["redirect_to_url"]["url"], answer="confirm")
    declined = bench.get(f"payment_intents/{intent['id']}")
    assert declined["status"] == "requires_payment_method"
    assert declined["last_payment_error"]["decline_code"] == "insufficient_funds"


# What is possible in which state


def in_state(bench: Bench, state: str) -> Content:
    number = {"requires_payment_method": LOST_CARD, "requires_action": ALWAYS_AUTHENTICATE}
    saved = bench.stripe.save_card(number.get(state, WORKS), EMAIL)
    match state:
        case "requires_confirmation" | "canceled":
            made = bench.pay(saved, confirm=None, off_session=None).content
        case "requires_payment_method":
            made = bench.pay(saved).error["payment_intent"]
        case "processing":
            bench.stripe.misbehave("charge", "late")
            made = bench.pay(saved).content
        case _:
            made = bench.pay(saved, off_session=None, return_url=RETURN_URL).content
    if state == "canceled":
        made = bench.post(f"payment_intents/{made['id']}/cancel").content
    assert made["status"] == state
    return made


STATES = (
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
    "succeeded",
    "canceled",
)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", ["cancel", "confirm", "change"])
def test_only_what_has_not_ended_can_be_changed_confirmed_or_canceled(
    bench: Bench, state: str, verb: str
) -> None:
    intent = in_state(bench, state)
    path = f"payment_intents/{intent['id']}"
    other = bench.stripe.save_card(WORKS, EMAIL, customer=intent["customer"])[1]
    match verb:
        case "cancel":
            answered = bench.post(f"{path}/cancel", cancellation_reason="abandoned")
        case "confirm":
            answered = bench.post(f"{path}/confirm", off_session="true", payment_method=other)
        case _:
            answered = bench.post(path, amount=5_000)
    if state in ("processing", "succeeded", "canceled"):
        assert answered.refused == (400, "payment_intent_unexpected_state")
        assert answered.error["payment_intent"]["status"] == state
        assert bench.get(path) == intent
    else:
        assert answered.status == 200


def test_the_metadata_of_a_payment_can_be_changed_and_its_charge_keeps_its_own(
    bench: Bench,
) -> None:
    intent = in_state(bench, "succeeded")
    bench.post(f"payment_intents/{intent['id']}", metadata={"attempt_id": ""})
    changed = bench.get(f"payment_intents/{intent['id']}", expand=["latest_charge"])
    assert changed["metadata"] == {"charge_ref": "charge-1"}
    assert changed["latest_charge"]["metadata"]["attempt_id"] == "attempt-a"


def test_a_canceled_payment_says_so_and_is_reported(bench: Bench) -> None:
    intent = in_state(bench, "canceled")
    assert intent["canceled_at"] == int(bench.now().timestamp())
    assert bench.types()[-1] == "payment_intent.canceled"


def test_beyond_the_limit_of_confirmations_a_payment_is_canceled(bench: Bench) -> None:
    bench.stripe.limit_confirmations(2)
    saved = bench.stripe.save_card(FAILS_LATER, EMAIL)
    intent = bench.pay(saved).error["payment_intent"]
    confirm = f"payment_intents/{intent['id']}/confirm"
    again = {"off_session": "true", "payment_method": saved[1]}
    assert bench.post(confirm, **again).status == 402
    assert bench.post(confirm, **again).content["status"] == "canceled"
    assert len(charges_of(bench, intent)) == 2


# Amounts, currencies, whose card it is


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "usd", "amount_too_small"),
        (29, "gbp", "amount_too_small"),
        (49, "jpy", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
        (0, "usd", "parameter_invalid_integer"),
        (4_900, "xxx", None),
        (4_905, "kwd", None),
    ],
)
def test_what_can_not_be_charged_is_refused_and_leaves_nothing(
    bench: Bench, amount: int, currency: str, code: str | None
) -> None:
    answered = bench.pay(bench.stripe.save_card(WORKS, EMAIL), amount=amount, currency=currency)
    assert answered.refused == (400, code)
    assert answered.error["param"] in ("amount", "currency")
    assert bench.stripe.charges() == []


@pytest.mark.parametrize(("amount", "currency"), [(50, "usd"), (30, "gbp"), (99_999_999, "usd")])
def test_the_least_and_the_most_can_be_charged(bench: Bench, amount: int, currency: str) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    assert bench.pay(saved, amount=amount, currency=currency).status == 200


def test_a_card_is_charged_only_for_the_customer_that_it_belongs_to(bench: Bench) -> None:
    _, card = bench.stripe.save_card(WORKS, EMAIL)
    other, _ = bench.stripe.save_card(WORKS, EMAIL)
    for customer in (other, None):
        answered = bench.call("POST", "payment_intents", payment((other, card), customer=customer))
        assert answered.status == 400
        assert answered.error["param"] == "payment_method"


def test_a_removed_card_may_not_be_used_again(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    assert bench.post(f"payment_methods/{saved[1]}/detach").content["customer"] is None
    assert bench.pay(saved).status == 400
    assert bench.post(f"payment_methods/{saved[1]}/attach", customer=saved[0]).status == 400
    assert bench.post(f"payment_methods/{saved[1]}/detach").status == 400
    assert bench.stripe.charges() == []


def test_what_does_not_exist_is_missing(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    answered = bench.call("GET", "payment_intents/pi_none")
    assert answered.refused == (404, "resource_missing")
    for name, missing in (("customer", "cus_none"), ("payment_method", "pm_none")):
        answered = bench.pay(saved, **{name: missing})
        assert answered.refused == (400, "resource_missing")
        assert answered.error["param"] == name


def test_an_account_that_can_not_charge_refuses(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    assert bench.get("account")["charges_enabled"] is True
    bench.stripe.let_account_charge(False)
    assert bench.get("account")["charges_enabled"] is False
    assert bench.pay(saved).refused == (400, "testmode_charges_only")
    assert bench.stripe.charges() == []


def test_the_customer_must_be_there_or_be_said_to_be_away(bench: Bench) -> None:
    """Payment methods that redirect need a `return_url`."""
    answered = bench.pay(bench.stripe.save_card(WORKS, EMAIL), off_session=None)
    assert (answered.status, answered.error["param"]) == (400, "return_url")


def test_words_about_a_confirmation_need_one(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    answered = bench.pay(saved, confirm=None)
    assert (answered.status, answered.error["param"]) == (400, "off_session")
