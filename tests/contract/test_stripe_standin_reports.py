"""The Stripe stand-in reports as Stripe does: signed events, lists, expanded objects."""

import hashlib
import hmac
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from infra.local.stripe_books import API_VERSION
from infra.local.stripe_cards import ALWAYS_AUTHENTICATE, FAILS_LATER, WORKS
from infra.local.stripe_standin import Stripe
from tests.contract.stripe_standin_bench import KEY, RETURN_URL, SECRETS, Bench, brackets, payment

EMAIL = "ada@example.com"


@pytest.fixture
def bench() -> Bench:
    return Bench()


# Events


@pytest.mark.parametrize(
    ("number", "off_session", "types"),
    [
        (
            WORKS,
            True,
            ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"],
        ),
        (
            FAILS_LATER,
            True,
            ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"],
        ),
        (
            ALWAYS_AUTHENTICATE,
            False,
            ["payment_intent.created", "payment_intent.requires_action"],
        ),
    ],
)
def test_each_outcome_is_reported(
    bench: Bench, number: str, off_session: bool, types: list[str]
) -> None:
    saved = bench.stripe.save_card(number, EMAIL)
    bench.forget_events()
    if off_session:
        bench.pay(saved)
    else:
        bench.pay(saved, off_session=None, return_url=RETURN_URL)
    assert bench.types() == types


def test_an_event_carries_its_object_as_it_was_and_the_pinned_version(bench: Bench) -> None:
    saved = bench.stripe.save_card(FAILS_LATER, EMAIL)
    intent = bench.pay(saved).error["payment_intent"]
    bench.post(f"payment_intents/{intent['id']}", metadata={"attempt_id": "attempt-b"})
    event = bench.events()[-1]
    assert event["object"] == "event"
    assert event["api_version"] == API_VERSION
    assert event["livemode"] is False
    assert event["created"] == int(bench.now().timestamp())
    assert event["data"]["object"] == intent
    assert bench.get(f"events/{event['id']}") == event
    failed = bench.get("events", type="payment_intent.payment_failed")["data"]
    assert [one["id"] for one in failed] == [event["id"]]


def test_events_are_signed_with_every_secret_for_the_moment_of_their_arrival(bench: Bench) -> None:
    bench.stripe.misbehave("charge", "late", seconds=60)
    bench.pay(bench.stripe.save_card(WORKS, EMAIL))
    for due, path, headers, body in bench.posted:
        assert path == "/webhooks/stripe"
        moment, *made = headers["Stripe-Signature"].split(",")
        assert moment == f"t={int(due.timestamp())}"
        signed = moment.removeprefix("t=").encode() + b"." + body
        assert made == [
            "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
            for secret in SECRETS
        ]


def test_only_the_events_that_were_asked_for_are_sent() -> None:
    bench = Bench(enabled_events=("payment_intent.succeeded",))
    bench.pay(bench.stripe.save_card(WORKS, EMAIL))
    assert bench.types() == ["payment_intent.succeeded"]


def test_events_are_held_repeated_and_lost_as_told(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    bench.forget_events()
    bench.stripe.webhooks(hold=True, repeat=2)
    bench.pay(saved)
    assert bench.types() == []
    assert bench.stripe.release_webhooks() == 3
    assert len(bench.posted) == 6
    assert len({event["id"] for event in bench.events()}) == 3
    bench.stripe.webhooks(hold=True)
    bench.pay(saved)
    assert bench.stripe.discard_webhooks() == 3
    assert bench.stripe.release_webhooks() == 0


def test_the_receiver_of_a_webhook_may_call_back_at_once() -> None:
    seen: list[int] = []

    def deliver(_delay: int, _path: str, _headers: dict[str, str], body: bytes) -> None:
        about = json.loads(body)["data"]["object"]
        if about["object"] != "payment_intent":
            return
        path = f"/v1/payment_intents/{about['id']}"
        bearer = {"authorization": f"Bearer {KEY}"}
        with ThreadPoolExecutor(1) as another_thread:
            ask = another_thread.submit(stripe.handle, "GET", path, bearer, b"")
            seen.append(ask.result(timeout=5)[0])

    stripe = Stripe(lambda: datetime(2026, 1, 31, tzinfo=UTC), deliver, KEY, SECRETS)
    saved = stripe.save_card(WORKS, EMAIL)
    body = brackets(payment(saved)).encode()
    headers = {"Authorization": f"Bearer {KEY}"}
    assert stripe.handle("POST", "/v1/payment_intents", headers, body)[0] == 200
    assert seen == [200, 200]


# Lists


def test_lists_are_newest_first_and_come_in_pages(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    other = bench.stripe.save_card(WORKS, EMAIL)
    made = []
    for _ in range(5):
        made.append(bench.pay(saved).content["latest_charge"])
        bench.pay(other)
        bench.advance(seconds=10)
    newest_first = made[::-1]
    first = bench.get("charges", customer=saved[0], limit=2)
    assert first["object"] == "list"
    assert ([one["id"] for one in first["data"]], first["has_more"]) == (newest_first[:2], True)
    then = bench.get("charges", customer=saved[0], limit=3, starting_after=newest_first[1])
    assert ([one["id"] for one in then["data"]], then["has_more"]) == (newest_first[2:], False)
    before = bench.get("charges", customer=saved[0], limit=1, ending_before=newest_first[2])
    assert ([one["id"] for one in before["data"]], before["has_more"]) == ([newest_first[1]], True)
    since = int(bench.now().timestamp()) - 20
    late = bench.get("charges", customer=saved[0], created={"gte": since})
    assert [one["id"] for one in late["data"]] == newest_first[:2]
    later = bench.get("charges", customer=saved[0], created={"gt": since})
    assert [one["id"] for one in later["data"]] == newest_first[:1]


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"limit": 0}, "parameter_invalid_integer"),
        ({"limit": 101}, "parameter_invalid_integer"),
        ({"starting_after": "ch_none"}, "resource_missing"),
        ({"customer": "cus_none"}, "resource_missing"),
        ({"status": "failed"}, "parameter_unknown"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(
    bench: Bench, filters: dict[str, object], code: str
) -> None:
    assert bench.call("GET", "charges", filters).refused == (400, code)


def test_payments_refunds_and_disputes_are_found_by_what_they_belong_to(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    intent, other = bench.pay(saved).content, bench.pay(saved).content
    refund = bench.post("refunds", payment_intent=intent["id"], amount=100).content
    bench.stripe.reverse_charge(other["id"])
    found = bench.get("payment_intents", customer=saved[0])["data"]
    assert [one["id"] for one in found] == [other["id"], intent["id"]]
    for where in ({"payment_intent": intent["id"]}, {"charge": intent["latest_charge"]}):
        assert [one["id"] for one in bench.get("refunds", **where)["data"]] == [refund["id"]]
        assert bench.get("disputes", **where)["data"] == []
    (dispute,) = bench.get("disputes", charge=other["latest_charge"])["data"]
    assert bench.get(f"disputes/{dispute['id']}") == dispute


# Expanding


def test_ids_become_objects_where_it_is_asked_for(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    intent = bench.pay(saved, expand=["latest_charge", "customer"]).content
    assert intent["latest_charge"]["payment_intent"] == intent["id"]
    assert intent["customer"]["email"] == EMAIL
    listed = bench.get("payment_intents", expand=["data.latest_charge.refunds"])
    assert listed["data"][0]["latest_charge"]["refunds"]["data"] == []
    assert bench.get(f"payment_intents/{intent['id']}")["latest_charge"].startswith("ch_")
    deep = bench.get(
        f"charges/{intent['latest_charge']['id']}", expand=["payment_intent.payment_method"]
    )
    assert deep["payment_intent"]["payment_method"]["id"] == saved[1]


@pytest.mark.parametrize("path", ["amount", "nothing", "data", "customer.email", "a.b.c.d.e"])
def test_what_can_not_be_expanded_is_refused(bench: Bench, path: str) -> None:
    intent = bench.pay(bench.stripe.save_card(WORKS, EMAIL)).content
    answered = bench.call("GET", f"payment_intents/{intent['id']}", {"expand": [path]})
    assert (answered.status, answered.error["param"]) == (400, "expand")


def test_what_can_not_be_expanded_is_refused_before_anything_happens(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    assert bench.pay(saved, expand=["amount"]).status == 400
    assert bench.stripe.charges() == []


def test_a_list_expands_its_data(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    bench.pay(saved)
    (charge,) = bench.get("charges", expand=["data.refunds", "data.payment_intent"])["data"]
    assert charge["refunds"]["data"] == []
    assert charge["payment_intent"]["latest_charge"] == charge["id"]
    (card,) = bench.get(f"customers/{saved[0]}/payment_methods", expand=["data.customer"])["data"]
    assert card["customer"]["id"] == saved[0]
    for path in ("refunds", "data.amount"):
        assert bench.call("GET", "charges", {"expand": [path]}).status == 400


# As tests see it


def test_charges_tell_one_row_for_each_payment_with_the_attempt_that_paid(bench: Bench) -> None:
    saved = bench.stripe.save_card(FAILS_LATER, EMAIL)
    intent = bench.pay(saved).error["payment_intent"]
    (failed,) = bench.stripe.charges()
    assert (failed.id, failed.state, failed.kept) == (intent["id"], "failed", False)
    assert (failed.charge_ref, failed.attempt_id) == ("charge-1", "attempt-a")
    assert (failed.card, failed.decline_code) == (saved[1], "generic_decline")
    bench.stripe.let_card_behave_as(saved[1], WORKS)
    path = f"payment_intents/{intent['id']}"
    bench.post(path, metadata={"attempt_id": "attempt-b"}, payment_method=saved[1])
    bench.post(f"{path}/confirm", off_session="true")
    bench.post(path, metadata={"attempt_id": "attempt-c"})
    (seen,) = bench.stripe.charges()
    assert (seen.id, seen.state, seen.kept) == (intent["id"], "succeeded", True)
    assert (seen.attempt_id, seen.decline_code) == ("attempt-b", None)
    assert (seen.amount, seen.currency, seen.customer) == (4_900, "USD", saved[0])


def test_the_same_seed_makes_the_same_run() -> None:
    def run() -> list[bytes]:
        bench = Bench()
        bench.stripe.webhooks(shuffle=True)
        for _ in range(5):
            bench.pay(bench.stripe.save_card(WORKS, EMAIL))
        return [body for _, _, _, body in bench.posted]

    first, second = run(), run()
    assert first == second
    assert len(first) == 25


def test_ids_carry_96_random_bits() -> None:
    bench = Bench()
    cards = {bench.stripe.save_card(WORKS, EMAIL)[1] for _ in range(50)}
    assert len(cards) == 50
    assert all(re.fullmatch(r"pm_[0-9a-f]{24}", card) for card in cards)
