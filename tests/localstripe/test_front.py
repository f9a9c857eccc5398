"""The front: what goes on to localstripe, what is served before it, and by which rules."""

import pytest

from tests.contract.stripe_standin_bench import RETURN_URL, payment
from tests.localstripe.bench import FrontBench, setup

pytestmark = pytest.mark.xdist_group("localstripe")

WORKS = "4242424242424242"
FAILS_LATER = "4000000000000341"
ALWAYS_AUTHENTICATES = "4000002760003184"


def test_a_card_typed_into_the_page_is_localstripes_and_its_owners(bench: FrontBench) -> None:
    owner, card = bench.saved(WORKS)
    (found,) = bench.localstripe.all("payment_methods", customer=owner, type="card")
    assert found["id"] == card
    assert found["card"]["last4"] == "4242"
    assert bench.localstripe.call("GET", f"customers/{owner}")["metadata"] == {"reference": "ada"}


def test_a_card_that_cant_be_saved_never_gets_there(bench: FrontBench) -> None:
    owner = bench.post("customers", email="ada@example.com").content["id"]
    session = bench.post("checkout/sessions", **setup(owner)).content
    form = {"number": "4000000000000002", "expiry": "12/34", "cvc": "123"}
    assert bench.submit(session["url"], **form)[0] == 402
    assert bench.localstripe.all("payment_methods", customer=owner, type="card") == []


def test_a_payment_is_made_at_localstripe_and_seen_as_it_is_there(bench: FrontBench) -> None:
    saved = bench.saved(WORKS)
    paid = bench.pay(saved, description="Ten classes").content
    assert paid["status"] == "succeeded"
    assert paid["description"] == "Ten classes"
    (charge,) = bench.localstripe.all("charges", customer=saved[0])
    assert charge["id"] == paid["latest_charge"]
    assert (charge["amount"], charge["paid"]) == (4_900, True)
    assert charge["metadata"] == {"charge_ref": "charge-1", "attempt_id": "attempt-a"}
    assert bench.localstripe.reached["POST payment_intents/{id}/confirm"] == 1


def test_the_same_key_reaches_localstripe_once(bench: FrontBench) -> None:
    content = payment(bench.saved(WORKS))
    first, again = (
        bench.call("POST", "payment_intents", content, idempotency_key="a") for _ in range(2)
    )
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(bench.localstripe.all("charges")) == 1
    other = bench.call("POST", "payment_intents", {**content, "amount": 1_000}, idempotency_key="a")
    assert (other.status, other.error["type"]) == (400, "idempotency_error")
    assert len(bench.localstripe.all("payment_intents")) == 1


def test_a_decline_is_an_error_as_documented(bench: FrontBench) -> None:
    saved = bench.saved(FAILS_LATER)
    declined = bench.pay(saved)
    assert declined.status == 402
    assert declined.error["type"] == "card_error"
    assert declined.error["code"] == "card_declined"
    assert declined.error["decline_code"] == "generic_decline"
    intent = declined.error["payment_intent"]
    assert (intent["status"], intent["payment_method"]) == ("requires_payment_method", None)
    assert intent["last_payment_error"]["charge"] == declined.error["charge"]
    (charge,) = bench.localstripe.all("charges")
    assert (charge["id"], charge["status"]) == (declined.error["charge"], "failed")
    assert charge["metadata"]["attempt_id"] == "attempt-a"


def test_one_payment_is_confirmed_again_until_a_card_works(bench: FrontBench) -> None:
    owner, bad = bench.saved(FAILS_LATER)
    intent = bench.pay((owner, bad)).error["payment_intent"]["id"]
    path = f"payment_intents/{intent}"
    good = bench.typed(owner, WORKS)
    prepared = bench.post(path, payment_method=good, metadata={"attempt_id": "attempt-b"})
    assert prepared.content["last_payment_error"] is None
    assert prepared.content["status"] == "requires_confirmation"
    assert bench.post(f"{path}/confirm", off_session="true").content["status"] == "succeeded"
    failed, worked = bench.localstripe.all("charges")
    assert [failed["status"], worked["status"]] == ["failed", "succeeded"]
    assert {failed["payment_intent"], worked["payment_intent"]} == {intent}
    assert worked["metadata"]["attempt_id"] == "attempt-b"
    assert failed["metadata"]["attempt_id"] == "attempt-a"
    again = bench.post(f"{path}/confirm", off_session="true")
    assert again.refused == (400, "payment_intent_unexpected_state")
    assert len(bench.localstripe.all("charges")) == 2


def test_without_the_customer_authentication_is_a_refusal_and_with_her_a_redirect(
    bench: FrontBench,
) -> None:
    owner, card = bench.saved(ALWAYS_AUTHENTICATES)
    refused = bench.pay((owner, card))
    assert refused.refused == (402, "authentication_required")
    intent = refused.error["payment_intent"]
    assert intent["status"] == "requires_payment_method"
    path = f"payment_intents/{intent['id']}"
    assert bench.get(path)["last_payment_error"]["code"] == "authentication_required"
    asked = bench.post(f"{path}/confirm", payment_method=card, return_url=RETURN_URL).content
    assert asked["status"] == "requires_action"
    page = asked["next_action"]["redirect_to_url"]["url"]
    status, headers, _ = bench.submit(page, answer="confirm")
    assert status == 303
    assert headers["Location"].startswith(f"{RETURN_URL}&payment_intent={intent['id']}")
    assert headers["Location"].endswith("redirect_status=succeeded")
    assert bench.get(path)["status"] == "succeeded"
    (charge,) = bench.localstripe.all("charges")
    assert (charge["payment_intent"], charge["paid"]) == (intent["id"], True)


def test_a_customer_who_does_not_confirm_has_paid_nothing(bench: FrontBench) -> None:
    saved = bench.saved(ALWAYS_AUTHENTICATES)
    asked = bench.pay(saved, off_session=None, return_url=RETURN_URL).content
    _, headers, _ = bench.submit(asked["next_action"]["redirect_to_url"]["url"], answer="decline")
    assert headers["Location"].endswith("redirect_status=failed")
    found = bench.get(f"payment_intents/{asked['id']}")
    assert found["status"] == "requires_payment_method"
    assert found["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert bench.localstripe.all("charges") == []


def test_a_canceled_payment_is_canceled_there(bench: FrontBench) -> None:
    saved = bench.saved(ALWAYS_AUTHENTICATES)
    asked = bench.pay(saved, off_session=None, return_url=RETURN_URL).content
    path = f"payment_intents/{asked['id']}"
    assert bench.post(f"{path}/cancel").content["status"] == "canceled"
    assert bench.localstripe.call("GET", path)["status"] == "canceled"
    assert bench.post(f"{path}/confirm", off_session="true").status == 400


def test_a_refund_is_made_there_and_never_of_more_than_is_left(bench: FrontBench) -> None:
    paid = bench.pay(bench.saved(WORKS)).content["id"]
    assert bench.post("refunds", payment_intent=paid, amount=4_000).content["amount"] == 4_000
    too_much = bench.post("refunds", payment_intent=paid, amount=901)
    assert (too_much.status, too_much.error["param"]) == (400, "amount")
    assert bench.post("refunds", payment_intent=paid).content["amount"] == 900
    again = bench.post("refunds", payment_intent=paid)
    assert again.refused == (400, "charge_already_refunded")
    assert [one["amount"] for one in bench.localstripe.all("refunds")] == [4_000, 900]
    (charge,) = bench.localstripe.all("charges")
    assert (charge["amount_refunded"], charge["refunded"]) == (4_900, True)


def test_lists_are_of_one_customer_newest_first(bench: FrontBench) -> None:
    ada, bob = bench.saved(WORKS), bench.saved(WORKS)
    mine = [bench.pay(ada, amount=amount).content for amount in (1_000, 2_000, 3_000)]
    bench.pay(bob)
    page = bench.get("payment_intents", customer=ada[0], limit=2)
    assert [one["amount"] for one in page["data"]] == [3_000, 2_000]
    assert page["has_more"]
    rest = bench.get("payment_intents", customer=ada[0], starting_after=mine[1]["id"])
    assert [one["id"] for one in rest["data"]] == [mine[0]["id"]]
    charges = bench.get("charges", customer=ada[0])
    assert [one["payment_intent"] for one in charges["data"]] == [
        one["id"] for one in reversed(mine)
    ]


def test_moments_are_those_of_the_local_clock(bench: FrontBench) -> None:
    saved = bench.saved(WORKS)
    earlier = bench.pay(saved).content
    bench.advance(days=30)
    later = bench.pay(saved).content
    assert later["created"] - earlier["created"] == 30 * 24 * 3600
    since = {"gte": later["created"]}
    found = bench.get("charges", customer=saved[0], created=since)
    assert [one["id"] for one in found["data"]] == [later["latest_charge"]]


def test_an_undocumented_parameter_is_refused_before_localstripe_sees_it(
    bench: FrontBench,
) -> None:
    saved = bench.saved(WORKS)
    bench.localstripe.reached.clear()
    calls = (
        ("customers", {"surname": "Lovelace"}),
        ("payment_intents", {**payment(saved), "idempotency_key": "a"}),
        ("refunds", {"payment_intent": "pi_1", "because": "asked"}),
        ("checkout/sessions", {**setup(saved[0]), "return_to": "https://shop.example"}),
        (f"payment_methods/{saved[1]}/detach", {"customer": saved[0]}),
    )
    for path, content in calls:
        assert bench.call("POST", path, content).refused == (400, "parameter_unknown"), path
    assert not bench.localstripe.reached


def test_a_wrong_key_gets_nowhere(bench: FrontBench) -> None:
    assert bench.call("GET", "account", bearer="sk_test_other").status == 401
    missing = bench.call("GET", "payment_intents/pi_nobody")
    assert missing.refused == (404, "resource_missing")


def test_a_removed_card_is_not_charged_again(bench: FrontBench) -> None:
    owner, card = bench.saved(WORKS)
    assert bench.post(f"payment_methods/{card}/detach").content["customer"] is None
    assert bench.localstripe.call("GET", f"payment_methods/{card}")["customer"] is None
    assert bench.pay((owner, card)).status == 400
    assert bench.localstripe.all("charges") == []
