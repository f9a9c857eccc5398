"""Nothing that was not signed gets in ([VERIFY]), and events can come in any order and number."""

import json
import random
from datetime import UTC, datetime

import pytest

from shared.providers import signatures
from shared.providers.events import EventKind, InvalidSignature
from tests.contract.bench import PRICE, CardKind, request_for, save
from tests.contract.sandbox_bench import SEED, SandboxBench

MUTATIONS = 2_000


@pytest.fixture
def bench() -> SandboxBench:
    return SandboxBench()


def test_the_signature_is_the_documented_one() -> None:
    # printf '1769860800.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
    documented = "73b5e2f9f42f93796b9524c21a92ac972d369922882068c4006dedc327c92768"
    moment = datetime.fromtimestamp(1_769_860_800, UTC)
    header = f"t=1769860800,v1={documented}"
    body = b'{"id":"evt_1"}'
    assert signatures.verify(header, body, ["whsec_test"], moment) == moment


def _mutated(text: bytes, rng: random.Random) -> bytes:
    """`text` with one to three bytes changed, dropped, doubled, swapped or put in."""
    result = bytearray(text)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(result))
        match rng.randrange(5):
            case 0:
                result[at] ^= 1 << rng.randrange(8)
            case 1:
                del result[at]
            case 2:
                result.insert(at, result[at])
            case 3:
                other = rng.randrange(len(result))
                result[at], result[other] = result[other], result[at]
            case _:
                result.insert(at, rng.randrange(256))
    return bytes(result)


def test_no_mutated_header_or_body_is_ever_accepted(bench: SandboxBench) -> None:
    rng = random.Random(SEED)
    body = bench.event_body("charge.succeeded")
    header = bench.sign(body, bench.now())["sandbox-signature"]
    tried = 0
    while tried < MUTATIONS:
        candidate, content = header, body
        if rng.random() < 0.6:
            candidate = _mutated(header.encode(), rng).decode("latin-1")
        else:
            content = _mutated(body, rng)
        if (candidate, content) == (header, body):
            continue
        tried += 1
        with pytest.raises(InvalidSignature):
            bench.provider.read_webhook({"sandbox-signature": candidate}, content)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        "v1={good}",
        "t={moment}",
        "t={moment},v0={good}",
        "t={moment},v1={GOOD}",
        "t={moment},t={moment},v1={good}",
        "t={moment},v1={good},",
        "t={moment}, v1={good}",
        "t=+{moment},v1={good}",
        "t=0{moment},v1={good}",
        "t={moment}.0,v1={good}",
        "t=١٧٦٩٨٦٠٨٠٠,v1={good}",
        "t=99999999999999999999,v1={good}",
        "t={moment},v1=é" + "0" * 63,
        "t={moment}" + ",v1={good}" * 17,
    ],
)
def test_a_malformed_header_is_refused(bench: SandboxBench, header: str) -> None:
    body = bench.event_body("charge.succeeded")
    genuine = bench.sign(body, bench.now())["sandbox-signature"]
    moment, good = genuine.removeprefix("t=").split(",v1=")
    forged = header.format(moment=moment, good=good, GOOD=good.upper())
    with pytest.raises(InvalidSignature):
        bench.provider.read_webhook({"sandbox-signature": forged}, body)


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[]", b"{}", b'{"id": 7, "type": "charge.succeeded"}', b"\xff\xfe", b"1"],
)
def test_a_signed_body_that_cannot_be_read_is_an_event_of_its_own(
    bench: SandboxBench, body: bytes
) -> None:
    first, again = (
        bench.provider.read_webhook(bench.sign(body, bench.now()), body) for _ in range(2)
    )
    assert first.kind is EventKind.OTHER
    assert first.event_id == again.event_id


@pytest.mark.parametrize("about", [None, 7, [], {}, {"id": 7}, {"id": None, "metadata": "x"}])
def test_a_charge_event_without_an_object_is_other(bench: SandboxBench, about: object) -> None:
    event = {"id": "evt_9", "type": "charge.succeeded", "created": "x", "object": about}
    body = json.dumps(event).encode()
    read = bench.provider.read_webhook(bench.sign(body, bench.now()), body)
    assert (read.kind, read.event_id, read.object_id) == (EventKind.OTHER, "evt_9", None)


def test_events_can_be_held_back_and_released_with_fresh_signatures(bench: SandboxBench) -> None:
    bench.sandbox.webhooks(hold=True)
    bench.provider.charge(request_for(save(bench)))
    assert bench.deliveries() == []
    bench.advance(86_400)
    assert bench.sandbox.release_webhooks() == 2
    read = [bench.provider.read_webhook(*delivery) for delivery in bench.deliveries()]
    assert [event.type for event in read] == ["card_setup.completed", "charge.succeeded"]
    bench.provider.charge(request_for(save(bench), charge_ref="charge-2"))
    assert len(bench.deliveries()) == 2


def test_events_can_be_repeated_under_their_ids(bench: SandboxBench) -> None:
    bench.sandbox.webhooks(repeat=3)
    save(bench)
    read = [bench.provider.read_webhook(*delivery) for delivery in bench.deliveries()]
    assert len(read) == 3
    assert len({event.event_id for event in read}) == 1


def test_shuffled_events_arrive_in_another_order_each_verifiable(bench: SandboxBench) -> None:
    setup = save(bench)
    bench.deliveries()
    bench.sandbox.webhooks(hold=True, shuffle=True)
    sent = [f"charge-{n}" for n in range(10)]
    for charge_ref in sent:
        bench.provider.charge(request_for(setup, charge_ref=charge_ref))
    bench.sandbox.release_webhooks()
    bench.posted.sort(key=lambda delivery: delivery[0])
    bench.advance(30)
    read = [bench.provider.read_webhook(*delivery) for delivery in bench.deliveries()]
    arrived = [event.charge_ref for event in read]
    assert sorted(map(str, arrived)) == sorted(sent)
    assert arrived != sent


def test_every_turn_of_a_charge_is_reported(bench: SandboxBench) -> None:
    charged = bench.provider.charge(request_for(save(bench)))
    assert charged.provider_charge_id
    bench.provider.refund(
        provider_charge_id=charged.provider_charge_id, amount=PRICE, idempotency_key="refund-1"
    )
    bench.provider.charge(request_for(save(bench, CardKind.DECLINES)))
    waiting = bench.provider.charge(request_for(save(bench, CardKind.NEEDS_AUTHENTICATION)))
    assert waiting.confirm_url
    bench.refuse(waiting.confirm_url)
    types = [bench.provider.read_webhook(*delivery).type for delivery in bench.deliveries()]
    assert [type_ for type_ in types if type_ != "card_setup.completed"] == [
        "charge.succeeded",
        "charge.refunded",
        "charge.failed",
        "charge.requires_action",
        "charge.failed",
    ]
