"""The Stripe stand-in: debits that take days, refunds, disputes."""

import pytest

from infra.local.sandbox_faults import Fault, Operation
from infra.local.stripe_cards import (
    ACH_NO_FUNDS,
    ACH_WORKS,
    DISPUTED,
    FAILS_LATER,
    INQUIRED,
    REFUNDS_FAIL,
    REFUNDS_LATE,
    SEPA_DISPUTED,
    SEPA_FAILS,
    SEPA_WORKS,
    WORKS,
)
from infra.local.stripe_errors import StripeRefusal
from tests.contract.stripe_standin_bench import Bench, Content

EMAIL = "ada@example.com"


@pytest.fixture
def bench() -> Bench:
    return Bench()


def paid(bench: Bench, number: str = WORKS, **changes: str) -> Content:
    answered = bench.pay(bench.stripe.save_card(number, EMAIL), **changes)
    assert answered.status == 200, answered.content
    return answered.content


# Decided later


@pytest.mark.parametrize(
    ("number", "currency", "days", "state", "code"),
    [
        (SEPA_WORKS, "eur", 5, "succeeded", None),
        (SEPA_FAILS, "eur", 5, "requires_payment_method", "payment_intent_payment_attempt_failed"),
        (ACH_WORKS, "usd", 4, "succeeded", None),
        (ACH_NO_FUNDS, "usd", 4, "requires_payment_method", "insufficient_funds"),
    ],
)
def test_a_debit_is_under_way_for_days(
    bench: Bench, number: str, currency: str, days: int, state: str, code: str | None
) -> None:
    intent = paid(bench, number, currency=currency)
    assert intent["status"] == "processing"
    assert bench.types()[-2:] == ["payment_intent.processing", "charge.pending"]
    bench.advance(days=days, seconds=-1)
    path = f"payment_intents/{intent['id']}"
    assert bench.get(path)["status"] == "processing"
    bench.advance(seconds=1)
    decided = bench.get(path, expand=["latest_charge"])
    assert decided["status"] == state
    error = decided["last_payment_error"]
    assert (error and error["code"]) == code
    assert decided["latest_charge"]["status"] == ("failed" if code else "succeeded")
    ended = "payment_intent.payment_failed" if code else "payment_intent.succeeded"
    assert bench.types()[-1] == ended
    about = bench.events()[-1]["data"]["object"]
    assert (about["id"], about["status"]) == (intent["id"], state)


def test_a_debit_is_in_the_currency_of_its_country(bench: Bench) -> None:
    saved = bench.stripe.save_card(SEPA_WORKS, EMAIL)
    answered = bench.pay(saved, currency="usd")
    assert answered.refused == (400, "payment_intent_invalid_parameter")


def test_a_payment_takes_only_the_methods_that_it_allows(bench: Bench) -> None:
    saved = bench.stripe.save_card(SEPA_WORKS, EMAIL)
    answered = bench.pay(saved, currency="eur", allowed_payment_method_types=["card"])
    assert answered.refused == (400, "payment_intent_incompatible_payment_method")
    intent = bench.pay(saved, currency="eur", confirm=None, off_session=None).content
    confirm = f"payment_intents/{intent['id']}/confirm"
    only = {"off_session": "true", "allowed_payment_method_types": ["sepa_debit"]}
    confirmed = bench.call("POST", confirm, only)
    assert confirmed.content["status"] == "processing"
    assert confirmed.content["payment_method_types"] == ["sepa_debit"]


@pytest.mark.parametrize(("number", "state"), [(WORKS, "succeeded"), (FAILS_LATER, "failed")])
def test_a_card_may_be_decided_late(bench: Bench, number: str, state: str) -> None:
    bench.stripe.misbehave(Operation.CHARGE, Fault.LATE, seconds=60)
    paid(bench, number)
    assert [one.state for one in bench.stripe.charges()] == ["processing"]
    bench.advance(seconds=60)
    assert [one.state for one in bench.stripe.charges()] == [state]


def test_what_is_decided_late_is_reported_once_and_found_then(bench: Bench) -> None:
    bench.stripe.misbehave(Operation.CHARGE, Fault.LATE, seconds=60)
    paid(bench)
    (_, _, _, body) = bench.posted[-1]
    assert b"payment_intent.succeeded" in body
    event = body.decode().split('"id": "')[1].split('"')[0]
    assert bench.call("GET", f"events/{event}").status == 404
    bench.advance(seconds=60)
    assert bench.get(f"events/{event}")["type"] == "payment_intent.succeeded"
    assert bench.types().count("payment_intent.succeeded") == 1


# Refunds


def test_a_payment_is_refunded_in_parts_and_never_beyond_what_is_left(bench: Bench) -> None:
    intent = paid(bench)
    part = bench.post("refunds", payment_intent=intent["id"], amount=1_900)
    assert (part.content["status"], part.content["amount"]) == ("succeeded", 1_900)
    beyond = bench.post("refunds", payment_intent=intent["id"], amount=3_001)
    assert (beyond.status, beyond.error["param"]) == (400, "amount")
    rest = bench.post("refunds", charge=intent["latest_charge"])
    assert rest.content["amount"] == 3_000
    again = bench.post("refunds", payment_intent=intent["id"])
    assert again.refused == (400, "charge_already_refunded")
    charge = bench.get(f"charges/{intent['latest_charge']}", expand=["refunds"])
    assert (charge["amount_refunded"], charge["refunded"]) == (4_900, True)
    assert [one["amount"] for one in charge["refunds"]["data"]] == [3_000, 1_900]
    (seen,) = bench.stripe.charges()
    assert (seen.refunds, seen.kept) == ((1_900, 3_000), False)
    assert bench.types()[-2:] == ["refund.created", "charge.refunded"]


def test_a_refund_says_why_only_in_documented_words(bench: Bench) -> None:
    intent = paid(bench)
    wrong = bench.post("refunds", payment_intent=intent["id"], reason="because")
    assert (wrong.status, wrong.error["param"]) == (400, "reason")
    right = bench.post("refunds", payment_intent=intent["id"], reason="requested_by_customer")
    assert right.content["reason"] == "requested_by_customer"


def test_what_was_not_paid_can_not_be_refunded(bench: Bench) -> None:
    bench.pay(bench.stripe.save_card(FAILS_LATER, EMAIL))
    (failed,) = bench.get("charges")["data"]
    assert bench.post("refunds", charge=failed["id"]).refused == (400, "charge_not_refundable")
    assert bench.post("refunds", payment_intent=failed["payment_intent"]).status == 400
    assert bench.post("refunds", payment_intent="pi_none").refused == (400, "resource_missing")
    assert bench.post("refunds").status == 400


@pytest.mark.parametrize("amount", [0, -1])
def test_a_refund_is_of_something(bench: Bench, amount: int) -> None:
    answered = bench.post("refunds", payment_intent=paid(bench)["id"], amount=amount)
    assert answered.refused == (400, "parameter_invalid_integer")


def test_a_late_refund_is_pending_first(bench: Bench) -> None:
    refund = bench.post("refunds", payment_intent=paid(bench, REFUNDS_LATE)["id"]).content
    assert refund["status"] == "pending"
    bench.advance(minutes=3)
    assert bench.get(f"refunds/{refund['id']}")["status"] == "succeeded"
    assert bench.types()[-1] == "refund.updated"


def test_a_failed_refund_is_owed_again(bench: Bench) -> None:
    intent = paid(bench, REFUNDS_FAIL)
    refund = bench.post("refunds", payment_intent=intent["id"]).content
    bench.advance(minutes=3)
    failed = bench.get(f"refunds/{refund['id']}")
    assert (failed["status"], failed["failure_reason"]) == ("failed", "unknown")
    assert bench.get(f"charges/{intent['latest_charge']}")["amount_refunded"] == 0
    assert bench.stripe.charges()[0].kept
    assert bench.types()[-1] == "refund.failed"


def test_the_refund_of_a_debit_takes_days(bench: Bench) -> None:
    intent = paid(bench, ACH_WORKS)
    bench.advance(days=4)
    refund = bench.post("refunds", payment_intent=intent["id"]).content
    assert refund["status"] == "pending"
    bench.advance(days=5)
    assert bench.get(f"refunds/{refund['id']}")["status"] == "succeeded"


# Disputes


def disputes_of(bench: Bench, intent: Content) -> list[Content]:
    found = bench.get("disputes", payment_intent=intent["id"])["data"]
    assert isinstance(found, list)
    return found


def test_a_dispute_takes_the_money_until_it_is_won(bench: Bench) -> None:
    intent = paid(bench)
    bench.stripe.reverse_charge(intent["id"])
    (dispute,) = disputes_of(bench, intent)
    assert (dispute["status"], dispute["amount"]) == ("needs_response", 4_900)
    assert bench.get(f"charges/{intent['latest_charge']}")["disputed"] is True
    assert [(one.reversed, one.kept) for one in bench.stripe.charges()] == [(4_900, False)]
    bench.stripe.reinstate_charge(intent["latest_charge"])
    assert [one["status"] for one in disputes_of(bench, intent)] == ["won"]
    assert [(one.reversed, one.kept) for one in bench.stripe.charges()] == [(0, True)]
    assert bench.types()[-4:] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]
    about = bench.events()[-1]["data"]["object"]
    assert (about["payment_intent"], about["charge"]) == (intent["id"], intent["latest_charge"])


def test_a_lost_dispute_keeps_the_money_away(bench: Bench) -> None:
    intent = paid(bench)
    bench.stripe.reverse_charge(intent["id"], 1_000)
    bench.stripe.lose_dispute(intent["id"])
    assert [one["status"] for one in disputes_of(bench, intent)] == ["lost"]
    assert [(one.reversed, one.kept) for one in bench.stripe.charges()] == [(1_000, True)]
    assert bench.types()[-1] == "charge.dispute.closed"
    with pytest.raises(StripeRefusal):
        bench.stripe.lose_dispute(intent["id"])


def test_what_is_disputed_can_not_be_refunded(bench: Bench) -> None:
    intent = paid(bench)
    bench.stripe.reverse_charge(intent["id"])
    refund = bench.post("refunds", payment_intent=intent["id"])
    assert refund.refused == (400, "charge_disputed")
    bench.stripe.reinstate_charge(intent["id"])
    assert bench.post("refunds", payment_intent=intent["id"]).status == 200


def test_no_more_can_be_disputed_than_is_left(bench: Bench) -> None:
    intent = paid(bench)
    bench.post("refunds", payment_intent=intent["id"], amount=4_000)
    with pytest.raises(StripeRefusal):
        bench.stripe.reverse_charge(intent["id"], 901)
    bench.stripe.reverse_charge(intent["id"])
    assert [one["amount"] for one in disputes_of(bench, intent)] == [900]


def test_an_inquiry_takes_nothing(bench: Bench) -> None:
    intent = paid(bench)
    bench.stripe.inquire_about(intent["id"])
    assert [one["status"] for one in disputes_of(bench, intent)] == ["warning_needs_response"]
    assert [one.reversed for one in bench.stripe.charges()] == [0]
    assert "charge.dispute.funds_withdrawn" not in bench.types()
    assert bench.post("refunds", payment_intent=intent["id"]).status == 200
    bench.stripe.close_inquiry(intent["id"])
    assert [one["status"] for one in disputes_of(bench, intent)] == ["warning_closed"]


@pytest.mark.parametrize(
    ("number", "currency", "status"),
    [
        (DISPUTED, "usd", "needs_response"),
        (INQUIRED, "usd", "warning_needs_response"),
        (SEPA_DISPUTED, "eur", "lost"),
    ],
)
def test_some_test_numbers_are_disputed_by_themselves(
    bench: Bench, number: str, currency: str, status: str
) -> None:
    intent = paid(bench, number, currency=currency)
    bench.advance(days=5)
    assert [one["status"] for one in disputes_of(bench, intent)] == [status]


def test_the_dispute_of_a_debit_is_final(bench: Bench) -> None:
    intent = paid(bench, ACH_WORKS)
    with pytest.raises(StripeRefusal):
        bench.stripe.reverse_charge(intent["id"])
    bench.advance(days=4)
    bench.stripe.reverse_charge(intent["id"])
    assert [one["status"] for one in disputes_of(bench, intent)] == ["lost"]
    assert bench.types()[-1] == "charge.dispute.closed"
