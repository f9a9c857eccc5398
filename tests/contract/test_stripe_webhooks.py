"""Stripe's webhooks ([VERIFY]): signatures made by Stripe's own package and by hand, and what each
event is about."""

import hashlib
import hmac
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import stripe

from shared.providers.events import EventKind, InvalidSignature, WebhookEvent
from shared.providers.stripe_events import HEARD, SIGNATURE_HEADER
from tests.contract.bench import PRICE, CardKind, events, request_for, save
from tests.contract.stripe_bench import SECRETS, StripeBench

PRESENT, NEXT = SECRETS


@pytest.fixture
def bench() -> StripeBench:
    return StripeBench()


def body_of(type_: str, about: dict[str, Any], **more: Any) -> bytes:
    event = {"id": "evt_1", "object": "event", "type": type_, "created": 1_769_860_800, **more}
    return json.dumps({**event, "data": {"object": about}}, indent=2).encode()


def by_the_package(body: bytes, at: datetime, secret: str = PRESENT) -> str:
    made = stripe.WebhookSignature.generate_signature_header(
        body.decode(), secret, timestamp=int(at.timestamp())
    )
    return str(made)


def by_hand(body: bytes, at: datetime, *secrets: str) -> str:
    moment = str(int(at.timestamp())).encode()
    made = (hmac.digest(s.encode(), moment + b"." + body, "sha256").hex() for s in secrets)
    return ",".join([f"t={moment.decode()}", *(f"v1={one}" for one in made)])


def read(bench: StripeBench, body: bytes, header: str) -> WebhookEvent:
    return bench.provider.read_webhook({SIGNATURE_HEADER: header}, body)


INTENT = {"id": "pi_7", "object": "payment_intent", "metadata": {"charge_ref": "charge-1"}}


def test_what_the_package_signs_is_accepted_and_what_we_accept_the_package_does_too(
    bench: StripeBench,
) -> None:
    body = body_of("payment_intent.succeeded", INTENT)
    header = by_the_package(body, bench.now())
    assert header == by_hand(body, bench.now(), PRESENT)
    found = read(bench, body, header)
    assert (found.kind, found.object_id) == (EventKind.CHARGE, "pi_7")
    assert (found.charge_ref, found.event_id) == ("charge-1", "evt_1")
    assert stripe.WebhookSignature.verify_header(body, header, PRESENT)


def test_the_signature_is_over_the_raw_bytes_whatever_they_are(bench: StripeBench) -> None:
    for body in (b"", b"\xff\xfe", '{"name": "Zoë 🐶"}'.encode(), b'{"a":1}\r\n'):
        found = read(bench, body, by_hand(body, bench.now(), PRESENT))
        assert found.kind is EventKind.OTHER
        with pytest.raises(InvalidSignature):
            read(bench, body + b"\n", by_hand(body, bench.now(), PRESENT))


def test_a_known_signature_is_the_documented_one(bench: StripeBench) -> None:
    # printf '1769860800.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
    documented = "73b5e2f9f42f93796b9524c21a92ac972d369922882068c4006dedc327c92768"
    expected = hmac.new(b"whsec_test", b'1769860800.{"id":"evt_1"}', hashlib.sha256).hexdigest()
    assert expected == documented
    body, moment = b'{"id":"evt_1"}', datetime.fromtimestamp(1_769_860_800, bench.now().tzinfo)
    assert by_the_package(body, moment, "whsec_test") == f"t=1769860800,v1={documented}"


def test_while_a_secret_is_rolled_both_are_good_and_both_may_sign(bench: StripeBench) -> None:
    body = body_of("payment_intent.succeeded", INTENT)
    for header in (
        by_the_package(body, bench.now(), PRESENT),
        by_the_package(body, bench.now(), NEXT),
        by_hand(body, bench.now(), "whsec_old", NEXT),
        by_hand(body, bench.now(), PRESENT, "whsec_new"),
        by_hand(body, bench.now(), PRESENT) + ",v0=" + "0" * 64,
    ):
        assert read(bench, body, header).kind is EventKind.CHARGE
    with pytest.raises(InvalidSignature):
        read(bench, body, by_the_package(body, bench.now(), "whsec_old"))


@pytest.mark.parametrize("seconds", [301, -301, 86_400, -86_400])
def test_old_and_future_signatures_are_refused(bench: StripeBench, seconds: int) -> None:
    body = body_of("payment_intent.succeeded", INTENT)
    at = bench.now() + timedelta(seconds=seconds)
    with pytest.raises(InvalidSignature):
        read(bench, body, by_the_package(body, at))
    near = bench.now() + timedelta(seconds=300 if seconds > 0 else -300)
    assert read(bench, body, by_the_package(body, near)).kind is EventKind.CHARGE


@pytest.mark.parametrize("header", [None, "", "v1=00", "t=1", "t=x,v1=" + "0" * 64, "garbage"])
def test_without_a_signature_that_can_be_read_nothing_is(
    bench: StripeBench, header: str | None
) -> None:
    body = body_of("payment_intent.succeeded", INTENT)
    headers = {} if header is None else {SIGNATURE_HEADER: header}
    with pytest.raises(InvalidSignature):
        bench.provider.read_webhook(headers, body)


SESSION = {"id": "cs_1", "object": "checkout.session", "mode": "setup"}
DISPUTE = {"id": "du_1", "object": "dispute", "payment_intent": "pi_7", "metadata": {}}
CHARGE = {"id": "ch_1", "payment_intent": "pi_7", "metadata": {"charge_ref": "charge-1"}}
METHOD = {"id": "pm_1", "object": "payment_method", "metadata": {}}


@pytest.mark.parametrize(
    ("type_", "about", "kind", "object_id"),
    [
        ("payment_intent.succeeded", INTENT, EventKind.CHARGE, "pi_7"),
        ("payment_intent.payment_failed", INTENT, EventKind.CHARGE, "pi_7"),
        ("payment_intent.processing", INTENT, EventKind.CHARGE, "pi_7"),
        ("payment_intent.requires_action", INTENT, EventKind.CHARGE, "pi_7"),
        ("payment_intent.canceled", INTENT, EventKind.CHARGE, "pi_7"),
        ("charge.refunded", CHARGE, EventKind.CHARGE, "pi_7"),
        ("charge.dispute.created", DISPUTE, EventKind.REVERSAL, "pi_7"),
        ("charge.dispute.updated", DISPUTE, EventKind.REVERSAL, "pi_7"),
        ("charge.dispute.closed", DISPUTE, EventKind.REVERSAL, "pi_7"),
        ("charge.dispute.funds_withdrawn", DISPUTE, EventKind.REVERSAL, "pi_7"),
        ("charge.dispute.funds_reinstated", DISPUTE, EventKind.REVERSAL, "pi_7"),
        ("checkout.session.completed", SESSION, EventKind.CARD_SETUP, "cs_1"),
        ("payment_method.automatically_updated", METHOD, EventKind.CARD, "pm_1"),
        ("payment_method.updated", METHOD, EventKind.CARD, "pm_1"),
        # Of other uses of the account, and of later versions of Stripe.
        ("checkout.session.completed", {**SESSION, "mode": "payment"}, EventKind.OTHER, "cs_1"),
        ("charge.refunded", {**CHARGE, "payment_intent": None}, EventKind.OTHER, None),
        ("charge.dispute.created", {"id": "du_2"}, EventKind.OTHER, None),
        ("payout.paid", {"id": "po_1"}, EventKind.OTHER, "po_1"),
        ("payment_intent.something_new", INTENT, EventKind.OTHER, "pi_7"),
    ],
)
def test_an_event_says_what_is_to_be_fetched_again(
    bench: StripeBench,
    type_: str,
    about: dict[str, Any],
    kind: EventKind,
    object_id: str | None,
) -> None:
    body = body_of(type_, about)
    found = read(bench, body, by_the_package(body, bench.now()))
    assert (found.kind, found.object_id, found.type) == (kind, object_id, type_)
    assert found.setup_id == (object_id if kind is EventKind.CARD_SETUP else None)


def test_the_manual_names_every_event_that_is_used() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "providers.md").read_text()
    assert {type_ for type_ in HEARD if f"`{type_}`" not in manual} == set()


@pytest.mark.parametrize("about", [None, 7, "pi_7", [], {}, {"id": 7}, {"id": "", "metadata": 1}])
def test_an_event_without_an_object_is_other(bench: StripeBench, about: Any) -> None:
    body = body_of("payment_intent.succeeded", about)
    found = read(bench, body, by_the_package(body, bench.now()))
    assert (found.kind, found.object_id, found.event_id) == (EventKind.OTHER, None, "evt_1")


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{}", b'{"id": 7}', b"[" * 100_000])
def test_a_signed_body_that_cannot_be_read_is_an_event_of_its_own(
    bench: StripeBench, body: bytes
) -> None:
    first, again = (read(bench, body, by_hand(body, bench.now(), PRESENT)) for _ in range(2))
    assert first.kind is EventKind.OTHER
    assert first.event_id == again.event_id


def test_an_event_of_another_merchants_account_is_stored_and_nothing_more(
    bench: StripeBench,
) -> None:
    body = body_of("payment_intent.succeeded", INTENT, account="acct_other")
    found = read(bench, body, by_the_package(body, bench.now()))
    assert found.kind is EventKind.OTHER


def test_a_moment_that_is_none_is_that_of_signing(bench: StripeBench) -> None:
    for created in (None, "x", True, 10**30):
        body = body_of("payment_intent.succeeded", INTENT, created=created)
        found = read(bench, body, by_the_package(body, bench.now()))
        assert found.created_at == bench.now()


def test_every_turn_of_a_payment_is_reported(bench: StripeBench) -> None:
    paid = bench.provider.charge(request_for(save(bench)))
    assert paid.provider_charge_id
    bench.provider.refund(
        provider_charge_id=paid.provider_charge_id, amount=PRICE, idempotency_key="refund-1"
    )
    types = [event.type for event in events(bench)]
    assert types == ["payment_intent.succeeded", "charge.refunded"]
    waiting = bench.provider.charge(
        request_for(save(bench, CardKind.NEEDS_AUTHENTICATION), charge_ref="charge-2")
    )
    assert waiting.confirm_url
    bench.refuse(waiting.confirm_url)
    types = [event.type for event in events(bench, "charge-2")]
    assert types == [
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.payment_failed",
    ]
