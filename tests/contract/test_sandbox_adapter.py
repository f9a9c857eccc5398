"""What our side makes of the provider's answers: never a failure of what may have happened."""

import json
from datetime import UTC, datetime

import pytest

from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.providers.errors import ProviderUnavailable
from shared.providers.port import RefundOutcome
from shared.providers.sandbox import SandboxProvider
from tests.contract.bench import PRICE, look_up, request_for, save
from tests.contract.sandbox_bench import KEY, SECRETS, SandboxBench


@pytest.fixture
def bench() -> SandboxBench:
    return SandboxBench()


def answering(status: int, body: bytes) -> SandboxProvider:
    """The adapter before a provider that always answers this."""
    return SandboxProvider(
        base_url="http://127.0.0.1",
        key=KEY,
        webhook_secrets=SECRETS,
        now=lambda: datetime(2026, 1, 31, tzinfo=UTC),
        transport=lambda *_request: (status, body),
    )


@pytest.mark.parametrize("status", [201, 302, 408, 409, 429, 500, 502, 503, 504])
def test_an_answer_that_leaves_it_open_is_unknown(bench: SandboxBench, status: int) -> None:
    request = request_for(save(bench))
    provider = answering(status, b'{"error": {"code": "x"}}')
    assert provider.charge(request).outcome is Outcome.UNKNOWN
    refunded = provider.refund(provider_charge_id="ch_1", amount=PRICE, idempotency_key="r")
    assert refunded is RefundOutcome.UNKNOWN
    with pytest.raises(ProviderUnavailable):
        provider.fetch_card_setup("cs_1")


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_moves_no_money_and_blames_no_card(
    bench: SandboxBench, status: int
) -> None:
    request = request_for(save(bench))
    charged = answering(status, b'{"error": {"code": "wrong_key"}}').charge(request)
    assert (charged.outcome, charged.decline_code) == (Outcome.REFUSED, "wrong_key")
    # A proxy's word, and not the provider's, says nothing of money.
    assert answering(status, b"{}").charge(request).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b"{}",
        b'{"id": 7}',
        b'{"id": "ch_1"}',
        b'{"id": "ch_1", "status": "something_new"}',
        b'{"charge": null}',
    ],
)
def test_an_answer_that_cannot_be_read_is_unknown(bench: SandboxBench, body: bytes) -> None:
    request = request_for(save(bench))
    for status in (200, 402):
        assert answering(status, body).charge(request).outcome is Outcome.UNKNOWN


def test_an_unknown_decline_code_may_be_tried_again(bench: SandboxBench) -> None:
    for code in ("something_new", None, 7, ["lost_card"]):
        charge = {"id": "ch_1", "status": "failed", "decline_code": code}
        provider = answering(402, json.dumps({"charge": charge}).encode())
        assert provider.charge(request_for(save(bench))).outcome is Outcome.DECLINED


@pytest.mark.parametrize(
    "code", ["lost_card", "stolen_card", "card_closed", "authorization_revoked"]
)
def test_lost_stolen_closed_and_revoked_are_final(bench: SandboxBench, code: str) -> None:
    charge = {"id": "ch_1", "status": "failed", "decline_code": code}
    provider = answering(402, json.dumps({"charge": charge}).encode())
    assert provider.charge(request_for(save(bench))).outcome is Outcome.DECLINED_FINAL


def test_a_request_that_is_wrong_in_itself_is_refused_and_nobodys_card_is_to_blame(
    bench: SandboxBench,
) -> None:
    request = request_for(save(bench))
    wrong = request._replace(amount=Money(minor=0, currency="USD"))
    assert bench.provider.charge(wrong).outcome is Outcome.REFUSED
    assert bench.sandbox.charges() == []


def test_a_success_of_another_attempt_is_not_overlooked(bench: SandboxBench) -> None:
    setup = save(bench)
    paid = bench.provider.charge(request_for(setup))
    later = request_for(setup)
    assert look_up(bench, later) == paid
    assert look_up(bench, later, paid.provider_charge_id) == paid


def test_another_charges_id_does_not_pass_for_this_one(bench: SandboxBench) -> None:
    setup = save(bench)
    other = bench.provider.charge(request_for(setup, charge_ref="charge-2"))
    assert look_up(bench, request_for(setup), other.provider_charge_id) is None


def test_a_look_up_reads_on_past_the_first_page(bench: SandboxBench) -> None:
    setup = save(bench)
    first = request_for(setup, charge_ref="first")
    paid = bench.provider.charge(first)
    for n in range(250):
        bench.provider.charge(request_for(setup, charge_ref=f"charge-{n}"))
    assert look_up(bench, first) == paid


def test_a_look_up_that_would_read_too_far_does_not_say_not_found() -> None:
    page = {"data": [{"id": "ch_1"}], "has_more": True}
    with pytest.raises(ProviderUnavailable):
        answering(200, json.dumps(page).encode()).look_up(
            charge_ref="c", attempt_id="a", provider_charge_id=None, provider_customer="cus_1"
        )


def listing(content: object) -> None:
    with pytest.raises(ProviderUnavailable):
        answering(200, json.dumps(content).encode()).list_charges(
            provider_customer="cus_1", since=datetime(2026, 1, 1, tzinfo=UTC)
        )


LISTED = {
    "id": "ch_1",
    "amount": 100,
    "currency": "USD",
    "status": "succeeded",
    "refunded": 0,
    "created": 1_767_225_600,
    "metadata": {"charge_ref": "ada/s.00001"},
}
"""From the first moment of 2026."""


def test_a_list_that_goes_on_for_ever_or_holds_nothing_is_no_list() -> None:
    listing({"data": [LISTED], "has_more": True})
    listing({"data": [], "has_more": True})


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": 7},
        {"amount": "100"},
        {"currency": "dollars"},
        {"status": None, "refunded": None},
        {"created": None},
        {"created": 10**20},
    ],
)
def test_a_charge_in_a_list_that_cannot_be_read_is_not_left_out(wrong: dict[str, object]) -> None:
    listing({"data": [LISTED, {**LISTED, **wrong}], "has_more": False})
    missing = {name: value for name, value in LISTED.items() if name not in wrong}
    listing({"data": [missing], "has_more": False})


def test_what_others_asked_the_provider_for_is_not_listed() -> None:
    for metadata in ({}, {"order": "7"}, None):
        page = {"data": [LISTED, {**LISTED, "id": "ch_2", "metadata": metadata}]}
        found = answering(200, json.dumps(page).encode()).list_charges(
            provider_customer="cus_1", since=None
        )
        assert [one.id for one in found] == ["ch_1"]


@pytest.mark.parametrize("secrets", [(), ("",), ("good", "")])
def test_an_empty_webhook_secret_is_refused(secrets: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="secrets"):
        SandboxProvider("http://127.0.0.1", KEY, secrets, lambda: datetime.now(UTC))


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_refusal_that_is_not_the_providers_own_settles_nothing(
    bench: SandboxBench, status: int
) -> None:
    request = request_for(save(bench))
    provider = answering(status, b'{"type": "about:blank", "code": "not_found"}')
    assert provider.charge(request).outcome is Outcome.UNKNOWN
    refunded = provider.refund(provider_charge_id="ch_1", amount=PRICE, idempotency_key="r")
    assert refunded is RefundOutcome.UNKNOWN
    for known_id in ("ch_1", None):
        with pytest.raises(ProviderUnavailable):
            provider.look_up(
                charge_ref="charge-1",
                attempt_id="attempt-a",
                provider_charge_id=known_id,
                provider_customer="cus_1",
            )


@pytest.mark.parametrize("body", [b"{}", b'{"data": {}}', b'{"data": ["ch_1"]}'])
def test_a_list_that_cannot_be_read_does_not_say_not_found(body: bytes) -> None:
    with pytest.raises(ProviderUnavailable):
        answering(200, body).look_up(
            charge_ref="c", attempt_id="a", provider_charge_id=None, provider_customer="cus_1"
        )


def test_what_a_bank_left_of_a_payment_can_still_be_given_back(bench: SandboxBench) -> None:
    """Not so everywhere: at Stripe a disputed payment can't be refunded at all."""
    charged = bench.provider.charge(request_for(save(bench)))
    assert charged.provider_charge_id
    bench.reverse(charged.provider_charge_id, 4_000)
    outcome = bench.provider.refund(
        provider_charge_id=charged.provider_charge_id,
        amount=Money(minor=900, currency="USD"),
        idempotency_key="refund-1",
    )
    assert outcome is RefundOutcome.SUCCEEDED
