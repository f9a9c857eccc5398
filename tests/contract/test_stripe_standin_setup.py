"""The Stripe stand-in saves cards and accounts on a hosted page, as Checkout does in setup mode."""

from typing import Any

import pytest

from infra.local.stripe_cards import (
    ACH_WORKS,
    ALWAYS_AUTHENTICATE,
    AUTHENTICATE_UNLESS_SET_UP,
    FAILS_LATER,
    INSUFFICIENT_FUNDS,
    KNOWN_METHODS,
    SEPA_WORKS,
    WORKS,
    find,
)
from infra.local.stripe_errors import StripeRefusal
from tests.contract.stripe_standin_bench import (
    CANCEL_URL,
    MOUNT,
    PUBLIC_URL,
    SUCCESS_URL,
    Bench,
    Content,
)

EMAIL = "ada@example.com"
GOOD = {"expiry": "08 / 29", "cvc": "123"}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def start(bench: Bench, **changes: Any) -> Content:
    customer = bench.post("customers", email=EMAIL, metadata={"reference": "customer-1"}).content
    content = {
        "mode": "setup",
        "customer": customer["id"],
        "client_reference_id": "customer-1",
        "allowed_payment_method_types": ["card"],
        "success_url": SUCCESS_URL,
        "cancel_url": CANCEL_URL,
        **changes,
    }
    asked = {name: one for name, one in content.items() if one is not None}
    answered = bench.call("POST", "checkout/sessions", asked)
    assert answered.status == 200, answered.content
    return answered.content


def fetch(bench: Bench, session: Content) -> Content:
    return bench.get(f"checkout/sessions/{session['id']}", expand=["setup_intent.payment_method"])


def test_a_card_is_saved_and_the_customer_is_sent_back_with_the_id(bench: Bench) -> None:
    session = start(bench)
    assert session["status"] == "open"
    assert session["url"].startswith(f"{PUBLIC_URL}{MOUNT}/c/pay/cs_test_")
    status, headers, _ = bench.submit(session["url"], number="4242 4242 4242 4242", **GOOD)
    assert status == 303
    assert headers["Location"] == f"https://shop.example/saved?setup={session['id']}"
    done = fetch(bench, session)
    assert (done["status"], done["url"]) == ("complete", None)
    assert done["client_reference_id"] == "customer-1"
    card = done["setup_intent"]["payment_method"]
    assert (card["customer"], card["type"]) == (session["customer"], "card")
    assert (card["card"]["brand"], card["card"]["last4"]) == ("visa", "4242")
    assert (card["card"]["exp_month"], card["card"]["exp_year"]) == (8, 2029)
    assert bench.types()[-3:] == [
        "payment_method.attached",
        "setup_intent.succeeded",
        "checkout.session.completed",
    ]


def test_the_page_works_without_script_and_shows_the_test_numbers(bench: Bench) -> None:
    status, headers, page = bench.look(start(bench)["url"])
    assert status == 200
    assert "<script" not in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "form-action 'self' https://shop.example" in headers["Content-Security-Policy"]
    assert f'href="{CANCEL_URL}"' in page
    assert "4242 4242 4242 4242" in page
    assert SEPA_WORKS not in page
    assert bench.look("/style.css")[0] == 200


def test_going_back_changes_nothing(bench: Bench) -> None:
    """`cancel_url` is a link; the session stays open."""
    session = start(bench)
    bench.look(session["url"])
    assert fetch(bench, session)["status"] == "open"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"number": "", **GOOD}, "number"),
        ({"number": "4111111111111111", **GOOD}, "number"),
        ({"number": SEPA_WORKS}, "number"),
        ({"number": WORKS, "expiry": "12/25", "cvc": "123"}, "expiry"),
        ({"number": WORKS, "expiry": "13/29", "cvc": "123"}, "expiry"),
        ({"number": WORKS, "expiry": "08/29", "cvc": "12"}, "cvc"),
    ],
)
def test_what_is_typed_wrong_is_said_and_nothing_is_saved(
    bench: Bench, form: dict[str, str], field: str
) -> None:
    session = start(bench)
    status, _, page = bench.submit(session["url"], **form)
    assert status == 422
    assert f'id="{field}-error"' in page
    assert fetch(bench, session)["setup_intent"]["status"] == "requires_payment_method"


def test_a_declined_card_can_not_be_saved_and_another_can(bench: Bench) -> None:
    session = start(bench)
    status, _, page = bench.submit(session["url"], number=INSUFFICIENT_FUNDS, **GOOD)
    assert status == 402
    assert "insufficient funds" in page
    open_still = fetch(bench, session)
    assert open_still["status"] == "open"
    error = open_still["setup_intent"]["last_setup_error"]
    assert (error["code"], error["decline_code"]) == ("card_declined", "insufficient_funds")
    assert bench.types()[-1] == "setup_intent.setup_failed"
    assert bench.submit(session["url"], number=WORKS, **GOOD)[0] == 303
    assert fetch(bench, session)["setup_intent"]["last_setup_error"] is None


def test_a_card_that_is_declined_when_charged_is_saved(bench: Bench) -> None:
    session = start(bench)
    assert bench.submit(session["url"], number=FAILS_LATER, **GOOD)[0] == 303
    assert fetch(bench, session)["status"] == "complete"


def test_saving_some_cards_asks_for_authentication(bench: Bench) -> None:
    session = start(bench)
    _, headers, _ = bench.submit(session["url"], number=ALWAYS_AUTHENTICATE, **GOOD)
    address = headers["Location"]
    assert bench.look(address)[0] == 200
    assert fetch(bench, session)["setup_intent"]["status"] == "requires_action"
    status, headers, _ = bench.submit(address, answer="confirm")
    assert (status, headers["Location"].endswith(session["id"])) == (303, True)
    assert fetch(bench, session)["status"] == "complete"


def test_a_card_that_was_set_up_is_charged_without_the_customer(bench: Bench) -> None:
    """…3155 asks for authentication off-session "unless you set it up for future payments"."""
    session = start(bench)
    _, headers, _ = bench.submit(session["url"], number=AUTHENTICATE_UNLESS_SET_UP, **GOOD)
    bench.submit(headers["Location"], answer="confirm")
    card = fetch(bench, session)["setup_intent"]["payment_method"]["id"]
    assert bench.pay((session["customer"], card)).content["status"] == "succeeded"


def test_a_customer_who_refuses_authentication_saves_nothing(bench: Bench) -> None:
    session = start(bench)
    _, headers, _ = bench.submit(session["url"], number=ALWAYS_AUTHENTICATE, **GOOD)
    assert bench.submit(headers["Location"], answer="decline")[0] == 402
    found = fetch(bench, session)
    assert found["status"] == "open"
    assert found["setup_intent"]["last_setup_error"]["code"] == (
        "setup_intent_authentication_failure"
    )
    assert bench.get(f"customers/{session['customer']}/payment_methods")["data"] == []


def test_a_second_press_saves_nothing_more(bench: Bench) -> None:
    session = start(bench)
    first, second = (bench.submit(session["url"], number=WORKS, **GOOD) for _ in range(2))
    assert first == second
    methods = bench.get("payment_methods", customer=session["customer"])["data"]
    assert len(methods) == 1
    assert bench.look(session["url"])[0] == 410


def test_a_session_ends_after_24_hours(bench: Bench) -> None:
    session = start(bench)
    bench.advance(hours=24, seconds=-1)
    assert fetch(bench, session)["status"] == "open"
    bench.advance(seconds=1)
    assert bench.submit(session["url"], number=WORKS, **GOOD)[0] == 410
    assert (fetch(bench, session)["status"], fetch(bench, session)["url"]) == ("expired", None)
    assert bench.types()[-1] == "checkout.session.expired"


def test_a_session_can_be_ended_once(bench: Bench) -> None:
    session = start(bench)
    expire = f"checkout/sessions/{session['id']}/expire"
    assert bench.post(expire).content["status"] == "expired"
    assert bench.post(expire).status == 400


@pytest.mark.parametrize(
    ("minutes", "status"), [(29, 400), (30, 200), (1440, 200), (1441, 400), (10**30, 400)]
)
def test_a_session_may_last_from_half_an_hour_to_a_day(
    bench: Bench, minutes: int, status: int
) -> None:
    at = int(bench.now().timestamp()) + minutes * 60
    answered = bench.post(
        "checkout/sessions",
        mode="setup",
        currency="usd",
        success_url=SUCCESS_URL,
        expires_at=at,
    )
    assert answered.status == status


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "payment"},
        {"success_url": None},
        {"success_url": "javascript:alert(1)"},
        {"customer": "cus_none"},
        {"customer_email": EMAIL},
        {"client_reference_id": "r" * 201},
        {"allowed_payment_method_types": None},
        {"currency": "xxx"},
    ],
)
def test_a_session_that_makes_no_sense_is_refused(bench: Bench, changes: Content) -> None:
    customer = bench.post("customers", email=EMAIL).content["id"]
    content = {
        "mode": "setup",
        "customer": customer,
        "allowed_payment_method_types": ["card"],
        "success_url": SUCCESS_URL,
        **changes,
    }
    asked = {name: one for name, one in content.items() if one is not None}
    assert bench.call("POST", "checkout/sessions", asked).status == 400


@pytest.mark.parametrize(
    ("number", "type_", "currency"),
    [(SEPA_WORKS, "sepa_debit", "eur"), (ACH_WORKS, "us_bank_account", "usd")],
)
def test_an_account_is_saved_where_it_is_allowed(
    bench: Bench, number: str, type_: str, currency: str
) -> None:
    for changes in (
        {"allowed_payment_method_types": [type_]},
        {"allowed_payment_method_types": None, "currency": currency},
    ):
        session = start(bench, **changes)
        assert bench.submit(session["url"], number=number)[0] == 303
        method = fetch(bench, session)["setup_intent"]["payment_method"]
        assert (method["type"], method[type_]["last4"]) == (type_, number[-4:])


# Customers and payment methods


def test_a_customer_is_made_changed_and_deleted(bench: Bench) -> None:
    made = bench.post("customers", email=EMAIL, metadata={"reference": "c-1", "x": "1"}).content
    path = f"customers/{made['id']}"
    changed = bench.post(path, email="eve@example.com", metadata={"x": ""}).content
    assert (changed["email"], changed["metadata"]) == ("eve@example.com", {"reference": "c-1"})
    _, card = bench.stripe.save_card(WORKS, EMAIL, customer=made["id"])
    gone = bench.call("DELETE", path)
    assert gone.content == {"id": made["id"], "object": "customer", "deleted": True}
    assert bench.get(path)["deleted"] is True
    assert bench.post(path, email=EMAIL).refused == (404, "resource_missing")
    assert bench.get(f"payment_methods/{card}")["customer"] is None
    assert bench.pay((made["id"], card)).status == 400
    assert bench.types()[-2:] == ["payment_method.detached", "customer.deleted"]


def test_a_saved_card_is_listed_until_it_is_removed(bench: Bench) -> None:
    owner, card = bench.stripe.save_card(WORKS, EMAIL, reference="customer-1")
    assert bench.get(f"customers/{owner}")["metadata"] == {"reference": "customer-1"}
    bench.stripe.save_card(SEPA_WORKS, EMAIL, customer=owner)

    def listed(**filters: str) -> list[str]:
        found = bench.get("payment_methods", customer=owner, **filters)["data"]
        return [one["id"] for one in found]

    assert len(listed()) == 2
    assert listed(type="card") == [card]
    bench.post(f"payment_methods/{card}/detach")
    assert listed(type="card") == []


def test_the_network_renews_a_card_under_the_same_id(bench: Bench) -> None:
    saved = bench.stripe.save_card(WORKS, EMAIL)
    bench.stripe.renew_card(saved[1], "1881", 3, 2031)
    (event,) = [e for e in bench.events() if e["type"] == "payment_method.automatically_updated"]
    for card in (event["data"]["object"], bench.get(f"payment_methods/{saved[1]}")):
        details = card["card"]
        assert (card["id"], details["last4"]) == (saved[1], "1881")
        assert (details["exp_month"], details["exp_year"]) == (3, 2031)
    assert bench.pay(saved).status == 200


def test_only_documented_numbers_are_known(bench: Bench) -> None:
    for number in ("4111111111111111", "", "4242"):
        with pytest.raises(ValueError, match="test numbers"):
            bench.stripe.save_card(number, EMAIL)
    with pytest.raises(StripeRefusal):
        bench.stripe.let_card_behave_as("pm_none", WORKS)
    assert find("4242-4242 4242 4242") is KNOWN_METHODS[WORKS]
