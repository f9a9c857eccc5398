"""What providers promise that send webhooks ([VERIFY]): a part of the one suite."""

import pytest

from shared.providers.events import EventKind, InvalidSignature
from tests.contract.bench import WebhookBench, events, request_for, save


def test_a_genuine_webhook_is_read(bench: WebhookBench) -> None:
    result = bench.provider.charge(request_for(save(bench)))
    (event,) = events(bench)
    assert event.kind is EventKind.CHARGE
    assert event.object_id == result.provider_charge_id
    assert event.created_at == bench.now()
    assert event.event_id


def test_every_event_has_an_id_of_its_own(bench: WebhookBench) -> None:
    setup = save(bench)
    for n in range(5):
        bench.provider.charge(request_for(setup, charge_ref=f"charge-{n}"))
    read = [bench.provider.read_webhook(*delivery) for delivery in bench.deliveries()]
    assert len({event.event_id for event in read}) == len(read) == 6


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_signature_may_be_300_seconds_away_either_way(bench: WebhookBench, seconds: int) -> None:
    body, signed_at = bench.event_body(bench.charge_event), bench.now()
    headers = bench.sign(body, signed_at)
    bench.advance(seconds)
    assert bench.provider.read_webhook(headers, body).kind is EventKind.CHARGE


@pytest.mark.parametrize("seconds", [-301, 301, 86_400, -86_400])
def test_an_old_or_future_signature_is_refused(bench: WebhookBench, seconds: int) -> None:
    body, signed_at = bench.event_body(bench.charge_event), bench.now()
    headers = bench.sign(body, signed_at)
    bench.advance(seconds)
    with pytest.raises(InvalidSignature):
        bench.provider.read_webhook(headers, body)


def test_a_signature_under_another_secret_is_refused(bench: WebhookBench) -> None:
    body = bench.event_body(bench.charge_event)
    headers = bench.sign(body, bench.now(), "not the secret")
    with pytest.raises(InvalidSignature):
        bench.provider.read_webhook(headers, body)


def test_one_good_signature_among_several_is_enough(bench: WebhookBench) -> None:
    body = bench.event_body(bench.charge_event)
    headers = bench.sign(body, bench.now(), "an older secret", "present", "another")
    assert bench.provider.read_webhook(headers, body).kind is EventKind.CHARGE


def test_while_secrets_rotate_each_of_them_is_good(bench: WebhookBench) -> None:
    body = bench.event_body(bench.charge_event)
    for secret in ("present", "next"):
        headers = bench.sign(body, bench.now(), secret)
        assert bench.provider.read_webhook(headers, body).kind is EventKind.CHARGE


def test_a_body_that_was_changed_is_refused(bench: WebhookBench) -> None:
    body = bench.event_body(bench.charge_event)
    headers = bench.sign(body, bench.now())
    with pytest.raises(InvalidSignature):
        bench.provider.read_webhook(headers, body.replace(b"charge-1", b"charge-2"))
    with pytest.raises(InvalidSignature):
        bench.provider.read_webhook(headers, body + b" ")


def test_a_webhook_without_a_signature_is_refused(bench: WebhookBench) -> None:
    with pytest.raises(InvalidSignature):
        bench.provider.read_webhook({}, bench.event_body(bench.charge_event))


def test_an_event_of_an_unknown_type_is_read_as_other(bench: WebhookBench) -> None:
    body = bench.event_body("payout.something_new")
    event = bench.provider.read_webhook(bench.sign(body, bench.now()), body)
    assert event.kind is EventKind.OTHER
    assert event.type == "payout.something_new"
    assert event.event_id
