"""What CardPointe's adapter makes of the gateway's answers, beyond what every provider promises."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from infra.local.sandbox_faults import Fault, Operation
from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.providers.cardpointe import EARLIER_TRY_OPEN, PARTIAL_APPROVAL, CardPointeProvider
from shared.providers.cardpointe_client import ORDER_ID_LETTERS, order_id
from shared.providers.errors import NotSent, ProviderUnavailable, RequestRefused
from shared.providers.events import InvalidSignature
from shared.providers.limits import no_pace
from shared.providers.port import (
    CardSetup,
    ChargeRequest,
    ChargeResult,
    RefundOutcome,
    SetupProblem,
)
from shared.providers.transport import TransportTimeout
from tests.contract.bench import PRICE, Trouble
from tests.contract.cardpointe_bench import DECLINES, LOST, MERCHANT, WORKS, CardPointeBench

PARTIAL = "4387750101010101"
TIMES_OUT = "4999006200620062"


@pytest.fixture
def bench() -> CardPointeBench:
    return CardPointeBench()


def request_for(
    setup: CardSetup,
    attempt_id: str = "cart.1-1",
    *,
    amount: Money = PRICE,
    unanswered: tuple[str, ...] = (),
    customer_present: bool = False,
) -> ChargeRequest:
    assert setup.card is not None
    assert setup.provider_customer is not None
    return ChargeRequest(
        charge_ref="charge-1",
        attempt_id=attempt_id,
        amount=amount,
        provider_customer=setup.provider_customer,
        card_token=setup.card.token,
        description="Ten classes",
        return_url="https://shop.example/checkout",
        unanswered=unanswered,
        customer_present=customer_present,
    )


def look_up(
    bench: CardPointeBench, attempt_id: str = "cart.1-1", known: str | None = None
) -> ChargeResult | None:
    return bench.provider.look_up(
        charge_ref="charge-1",
        attempt_id=attempt_id,
        provider_charge_id=known,
        provider_customer="any",
    )


def refund(bench: CardPointeBench, charge: ChargeResult, minor: int, key: str) -> RefundOutcome:
    assert charge.provider_charge_id is not None
    return bench.provider.refund(
        provider_charge_id=charge.provider_charge_id,
        amount=Money(minor=minor, currency="USD"),
        idempotency_key=key,
    )


def answering(status: int, content: Any) -> CardPointeProvider:
    """The adapter over a gateway that answers everything the same."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return over(lambda *_: (status, body))


def over(transport: Callable[..., tuple[int, bytes]]) -> CardPointeProvider:
    return CardPointeProvider(
        "fts-uat", "user", "word", MERCHANT, transport=transport, pause=lambda _: None
    )


def said(stat: str, code: str, proc: str = "RPCT", **more: str) -> dict[str, str]:
    return {
        "respstat": stat,
        "respcode": code,
        "respproc": proc,
        "retref": "123456789012",
        "amount": "49.00",
        **more,
    }


REQUEST = ChargeRequest(
    charge_ref="charge-1",
    attempt_id="cart.1-1",
    amount=PRICE,
    provider_customer="12345678901234567890",
    card_token="12345678901234567890/1",
    description="",
    return_url="https://shop.example",
)


# Order ids


def test_order_ids_are_letters_that_no_one_takes_for_a_card_number() -> None:
    ids = {order_id(f"cart-{n}.{n}-1") for n in range(2_000)}
    assert len(ids) == 2_000
    assert {len(one) for one in ids} == {ORDER_ID_LETTERS} == {19}
    assert all(one.isascii() and one.isalpha() for one in ids)


def test_an_attempt_has_the_same_order_id_whenever_it_is_asked_about() -> None:
    assert order_id("subscription.7-2") == order_id("subscription.7-2")


# Payments


@pytest.mark.parametrize("present", [True, False])
def test_who_started_a_payment_is_told_as_the_card_networks_ask(
    bench: CardPointeBench, present: bool
) -> None:
    setup, sent = bench.save(), []

    def send(method: str, path: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        sent.append(json.loads(body))
        return bench._send(method, path, headers, body)

    over(send).charge(request_for(setup, customer_present=present))
    (asked,) = sent
    marks = {name: asked[name] for name in ("ecomind", "cof", "cofscheduled", "capture")}
    if present:
        assert marks == {"ecomind": "E", "cof": "C", "cofscheduled": "N", "capture": "Y"}
    else:
        assert marks == {"ecomind": "R", "cof": "M", "cofscheduled": "Y", "capture": "Y"}
    assert bench.succeeded("charge-1") == 1


def test_a_part_approval_is_given_back_and_is_a_decline(bench: CardPointeBench) -> None:
    setup = bench.save(PARTIAL)
    result = bench.provider.charge(request_for(setup))
    assert (result.outcome, result.decline_code) == (Outcome.DECLINED, PARTIAL_APPROVAL)
    (charge,) = bench.cardpointe.charges()
    assert (charge.amount, charge.kept) == (500, False)
    found = look_up(bench, known=result.provider_charge_id)
    assert found is not None
    assert found.outcome is Outcome.CANCELLED


def test_a_part_approval_whose_answer_was_lost_is_given_back_when_it_is_found(
    bench: CardPointeBench,
) -> None:
    setup = bench.save(PARTIAL)
    bench.trouble(Trouble.LOST_ANSWER)
    assert bench.provider.charge(request_for(setup)).outcome is Outcome.UNKNOWN
    assert [one.kept for one in bench.cardpointe.charges()] == [True]
    found = look_up(bench)
    assert found is not None
    assert (found.outcome, found.decline_code) == (Outcome.DECLINED, PARTIAL_APPROVAL)
    assert [one.kept for one in bench.cardpointe.charges()] == [False]


def test_a_part_approval_that_settled_meanwhile_is_refunded(bench: CardPointeBench) -> None:
    setup = bench.save(PARTIAL)
    bench.trouble(Trouble.LOST_ANSWER)
    bench.provider.charge(request_for(setup))
    bench.let_settle()
    found = look_up(bench)
    assert found is not None
    assert found.outcome is Outcome.DECLINED
    assert bench.refunded("charge-1") == 500


def test_while_a_part_approval_cannot_be_given_back_its_outcome_is_open(
    bench: CardPointeBench,
) -> None:
    setup = bench.save(PARTIAL)
    bench.trouble(Trouble.LOST_REQUEST, after=1)
    result = bench.provider.charge(request_for(setup))
    assert result.outcome is Outcome.UNKNOWN
    assert result.provider_charge_id is not None
    found = look_up(bench, known=result.provider_charge_id)
    assert found is not None
    assert found.outcome is Outcome.DECLINED
    assert not bench.cardpointe.charges()[0].kept


def test_what_the_processor_did_not_answer_is_open_until_the_record_says_declined(
    bench: CardPointeBench,
) -> None:
    setup = bench.save(WORKS)
    assert setup.card is not None
    bench.cardpointe.let_card_behave_as(setup.card.token, TIMES_OUT)
    result = bench.provider.charge(request_for(setup))
    assert (result.outcome, result.repeatable) == (Outcome.UNKNOWN, False)
    found = look_up(bench, known=result.provider_charge_id)
    assert found is not None
    assert found.outcome is Outcome.DECLINED
    assert bench.succeeded("charge-1") == 0


@pytest.mark.parametrize("stat", ["B", "C"])
def test_an_unknown_code_is_soft_and_written_to_the_log(
    stat: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        result = answering(200, said(stat, "998")).charge(REQUEST)
    assert (result.outcome, result.decline_code) == (Outcome.DECLINED, "RPCT-998")
    assert "998" in caplog.text


@pytest.mark.parametrize(
    ("answer", "outcome", "word"),
    [
        (said("C", "116"), Outcome.DECLINED, "insufficient_funds"),
        (said("C", "208"), Outcome.DECLINED_FINAL, "lost_card"),
        (said("C", "302"), Outcome.DECLINED_FINAL, "RPCT-302"),
        (said("C", "100", declineCategory="1", token="9411"), Outcome.DECLINED_FINAL, None),
        (said("C", "100", merchAdviceCode="03", token="9511"), Outcome.DECLINED_FINAL, None),
        (said("C", "97", "PPS"), Outcome.REFUSED, "PPS-97"),
        (said("C", "32", "PPS"), Outcome.REFUSED, "PPS-32"),
        (said("C", "41", "PPS"), Outcome.REFUSED, "PPS-41"),
        (said("C", "96", "PPS"), Outcome.DECLINED_FINAL, "card_missing"),
        (said("B", "505"), Outcome.DECLINED, "RPCT-505"),
        (said("B", "61", "PPS"), Outcome.UNKNOWN, None),
        (said("C", "65", "PPS"), Outcome.UNKNOWN, None),
        (said("C", "913"), Outcome.UNKNOWN, None),
        (said("A", "85", "FNOR"), Outcome.UNKNOWN, None),
        (said("", "000"), Outcome.UNKNOWN, None),
        ({}, Outcome.UNKNOWN, None),
        ([], Outcome.UNKNOWN, None),
        ([said("A", "000"), said("A", "000")], Outcome.UNKNOWN, None),
        (b"<html>", Outcome.UNKNOWN, None),
    ],
)
def test_what_an_answer_means(answer: Any, outcome: Outcome, word: str | None) -> None:
    result = answering(200, answer).charge(REQUEST)
    assert result.outcome is outcome
    assert not result.repeatable
    if word is not None:
        assert result.decline_code == word


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
def test_a_request_that_was_not_taken_is_refused_and_nobodys_card_is_to_blame(status: int) -> None:
    result = answering(status, {"message": "no"}).charge(REQUEST)
    assert (result.outcome, result.decline_code) == (Outcome.REFUSED, f"http_{status}")


def test_what_was_refused_for_coming_too_soon_is_sent_again() -> None:
    statuses = [429, 429, 200]
    waits: list[float] = []

    def send(*_: Any) -> tuple[int, bytes]:
        status = statuses.pop(0)
        return status, json.dumps(said("A", "000") if status == 200 else {}).encode()

    provider = CardPointeProvider(
        "fts-uat", "user", "word", MERCHANT, transport=send, pause=waits.append
    )
    assert provider.charge(REQUEST).outcome is Outcome.SUCCEEDED
    assert statuses == []
    assert len(waits) == 2


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_an_error_on_their_side_leaves_open_whether_money_moved(status: int) -> None:
    result = answering(status, b"<h1>Sorry</h1>").charge(REQUEST)
    assert (result.outcome, result.repeatable) == (Outcome.UNKNOWN, False)


def test_a_card_that_is_none_of_theirs_is_never_sent() -> None:
    def send(*_: Any) -> tuple[int, bytes]:
        raise AssertionError

    request = REQUEST._replace(card_token="card_7")
    assert over(send).charge(request).outcome is Outcome.DECLINED_FINAL


def test_an_attempt_for_which_the_pace_leaves_no_room_is_not_left_open() -> None:
    def no_room(_endpoint: str) -> None:
        raise NotSent

    def send(*_: Any) -> tuple[int, bytes]:
        raise AssertionError

    provider = CardPointeProvider("fts-uat", "user", "word", MERCHANT, transport=send, pace=no_room)
    assert provider.charge(REQUEST).outcome is Outcome.REFUSED


def test_every_call_keeps_to_the_pace_by_its_endpoint(bench: CardPointeBench) -> None:
    asked: list[str] = []
    provider = CardPointeProvider(
        "fts-uat", "user", "word", MERCHANT, transport=bench._send, pace=asked.append
    )
    provider.charge(request_for(bench.save()))
    provider.look_up(
        charge_ref="charge-1",
        attempt_id="cart.1-1",
        provider_charge_id=None,
        provider_customer="any",
    )
    assert asked == ["PUT /auth", "GET /inquireByOrderid"]
    assert no_pace("PUT /auth") is None  # type: ignore[func-returns-value]


# Never twice


def test_a_payment_that_was_lost_is_voided_before_the_next_is_begun(
    bench: CardPointeBench,
) -> None:
    setup = bench.save()
    bench.cardpointe.misbehave(Operation.CHARGE, Fault.LATE, seconds=60)
    assert bench.provider.charge(request_for(setup)).outcome is Outcome.UNKNOWN
    assert look_up(bench) is None
    bench.advance(60)
    result = bench.provider.charge(request_for(setup, "cart.1-2", unanswered=("cart.1-1",)))
    assert result.outcome is Outcome.SUCCEEDED
    states = [(one.attempt_id, one.kept) for one in bench.cardpointe.charges()]
    assert states == [("cart.1-1", False), ("cart.1-2", True)]


def test_what_never_arrived_needs_no_void(bench: CardPointeBench) -> None:
    setup = bench.save()
    bench.trouble(Trouble.LOST_REQUEST)
    bench.provider.charge(request_for(setup))
    result = bench.provider.charge(request_for(setup, "cart.1-2", unanswered=("cart.1-1",)))
    assert result.outcome is Outcome.SUCCEEDED
    assert bench.succeeded("charge-1") == 1


def test_a_lost_payment_that_has_settled_pays_for_the_next_attempt(
    bench: CardPointeBench,
) -> None:
    setup = bench.save()
    bench.trouble(Trouble.LOST_ANSWER)
    bench.provider.charge(request_for(setup))
    bench.let_settle()
    result = bench.provider.charge(request_for(setup, "cart.1-2", unanswered=("cart.1-1",)))
    assert (result.outcome, result.attempt_id) == (Outcome.SUCCEEDED, "cart.1-2")
    (only,) = bench.cardpointe.charges()
    assert result.provider_charge_id == only.id
    again = look_up(bench, "cart.1-2", known=result.provider_charge_id)
    assert again is not None
    assert again.outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("trouble", list(Trouble))
def test_without_word_of_an_earlier_try_no_other_is_begun(
    bench: CardPointeBench, trouble: Trouble
) -> None:
    setup = bench.save()
    bench.trouble(Trouble.LOST_ANSWER)
    bench.provider.charge(request_for(setup))
    bench.trouble(trouble)
    second = request_for(setup, "cart.1-2", unanswered=("cart.1-1",))
    result = bench.provider.charge(second)
    assert (result.outcome, result.decline_code) == (Outcome.REFUSED, EARLIER_TRY_OPEN)
    assert not result.repeatable
    assert bench.sent[-1] == ("PUT", "voidByOrderId")
    third = request_for(setup, "cart.1-3", unanswered=("cart.1-1",))
    assert bench.provider.charge(third).outcome is Outcome.SUCCEEDED
    assert bench.succeeded("charge-1") == 1


def test_a_declined_try_under_an_order_id_stands_in_nobodys_way(bench: CardPointeBench) -> None:
    bad = bench.save(DECLINES)
    bench.trouble(Trouble.LOST_ANSWER)
    bench.provider.charge(request_for(bad))
    good = bench.save(WORKS)
    result = bench.provider.charge(request_for(good, "cart.1-2", unanswered=("cart.1-1",)))
    assert result.outcome is Outcome.SUCCEEDED


def test_a_reference_of_another_attempt_answers_only_when_its_money_moved(
    bench: CardPointeBench,
) -> None:
    bad = bench.save(DECLINES)
    declined = bench.provider.charge(request_for(bad, "cart.1-1"))
    assert look_up(bench, "cart.1-2", known=declined.provider_charge_id) is None
    paid = bench.provider.charge(request_for(bench.save(WORKS), "cart.1-3"))
    found = look_up(bench, "cart.1-2", known=paid.provider_charge_id)
    assert found is not None
    assert (found.outcome, found.attempt_id) == (Outcome.SUCCEEDED, "cart.1-3")


def test_a_record_in_several_copies_tells_of_the_money_first() -> None:
    rows = [
        said("C", "100", setlstat="Declined"),
        said("A", "000", setlstat="Queued for Capture", retref="222222222222"),
    ]
    found = answering(200, rows).look_up(
        charge_ref="charge-1", attempt_id="a", provider_charge_id=None, provider_customer=""
    )
    assert found is not None
    assert (found.outcome, found.provider_charge_id) == (Outcome.SUCCEEDED, "222222222222")


@pytest.mark.parametrize(
    ("record", "outcome"),
    [
        (said("A", "000", setlstat="Accepted"), Outcome.SUCCEEDED),
        (said("A", "000", setlstat="Voided", amount="0.00"), Outcome.CANCELLED),
        (said("A", "000", setlstat="Rejected"), Outcome.UNKNOWN),
        (said("C", "913", setlstat="Declined"), Outcome.DECLINED),
        (said("B", "62", "PPS", setlstat="Declined"), Outcome.DECLINED),
        (said("B", "62", "PPS"), Outcome.UNKNOWN),
        (said("C", "208", setlstat="Declined"), Outcome.DECLINED_FINAL),
    ],
)
def test_what_a_record_means(record: dict[str, str], outcome: Outcome) -> None:
    found = answering(200, record).look_up(
        charge_ref="charge-1",
        attempt_id="a",
        provider_charge_id="123456789012",
        provider_customer="",
    )
    assert found is not None
    assert found.outcome is outcome


@pytest.mark.parametrize("content", [b"", b"<html>", {}, [], {"respstat": "C", "respcode": "34"}])
def test_an_answer_that_says_nothing_of_a_payment_is_not_taken_for_not_found(content: Any) -> None:
    with pytest.raises(ProviderUnavailable):
        answering(200, content).look_up(
            charge_ref="charge-1", attempt_id="a", provider_charge_id=None, provider_customer=""
        )


def test_wrong_credentials_are_not_taken_for_not_found() -> None:
    with pytest.raises(RequestRefused):
        answering(401, b"").look_up(
            charge_ref="charge-1", attempt_id="a", provider_charge_id=None, provider_customer=""
        )


# Giving back


def test_before_the_batch_a_whole_refund_is_a_void_and_after_it_a_refund(
    bench: CardPointeBench,
) -> None:
    setup = bench.save()
    first = bench.provider.charge(request_for(setup, "cart.1-1"))
    second = bench.provider.charge(request_for(setup, "cart.2-1"))
    assert refund(bench, first, PRICE.minor, "back-1") is RefundOutcome.SUCCEEDED
    assert bench.sent[-1] == ("PUT", "void")
    bench.let_settle()
    assert refund(bench, second, PRICE.minor, "back-2") is RefundOutcome.SUCCEEDED
    assert bench.sent[-1] == ("PUT", "refund")
    assert [one.kept for one in bench.cardpointe.charges()] == [False, False]


def test_a_part_of_a_payment_is_given_back_once_it_is_settled(bench: CardPointeBench) -> None:
    charge = bench.provider.charge(request_for(bench.save()))
    assert refund(bench, charge, 1_000, "back-1") is RefundOutcome.UNKNOWN
    assert bench.refunded("charge-1") == 0
    bench.let_settle()
    for _ in range(2):
        assert refund(bench, charge, 1_000, "back-1") is RefundOutcome.SUCCEEDED
    assert bench.refunded("charge-1") == 1_000


def test_while_the_batch_is_on_its_way_a_refund_waits(bench: CardPointeBench) -> None:
    charge = bench.provider.charge(request_for(bench.save()))
    bench.now.at = bench.now.at.replace(month=2, day=1, hour=2, minute=30)
    assert refund(bench, charge, PRICE.minor, "back-1") is RefundOutcome.UNKNOWN
    bench.let_settle()
    assert refund(bench, charge, PRICE.minor, "back-1") is RefundOutcome.SUCCEEDED
    assert bench.refunded("charge-1") == PRICE.minor


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("call", [0, 1, 2])
@pytest.mark.parametrize("trouble", list(Trouble))
def test_a_refund_is_made_once_whichever_answer_is_lost(
    bench: CardPointeBench, trouble: Trouble, call: int, settled: bool
) -> None:
    charge = bench.provider.charge(request_for(bench.save()))
    if settled:
        bench.let_settle()
    bench.trouble(trouble, after=call)
    outcomes = [refund(bench, charge, PRICE.minor, "back-1") for _ in range(2)]
    assert outcomes == [RefundOutcome.UNKNOWN, RefundOutcome.SUCCEEDED]
    assert bench.refunded("charge-1") == PRICE.minor


def test_a_refund_waits_for_credentials_that_are_right(bench: CardPointeBench) -> None:
    charge = bench.provider.charge(request_for(bench.save()))
    bench.cardpointe.change_password("user", "another word")
    assert refund(bench, charge, PRICE.minor, "back-1") is RefundOutcome.UNKNOWN
    bench.cardpointe.change_password("user", "word")
    assert refund(bench, charge, PRICE.minor, "back-1") is RefundOutcome.SUCCEEDED


def test_no_more_is_given_back_than_was_paid(bench: CardPointeBench) -> None:
    charge = bench.provider.charge(request_for(bench.save()))
    bench.let_settle()
    outcomes = [refund(bench, charge, minor, f"back-{minor}") for minor in (4_000, 901, 900, 4_901)]
    assert outcomes == [
        RefundOutcome.SUCCEEDED,
        RefundOutcome.REFUSED,
        RefundOutcome.SUCCEEDED,
        RefundOutcome.REFUSED,
    ]
    assert bench.refunded("charge-1") == PRICE.minor


def test_what_the_merchant_voided_by_hand_is_given_back_already(bench: CardPointeBench) -> None:
    charge = bench.provider.charge(request_for(bench.save()))
    assert refund(bench, charge, PRICE.minor, "by hand") is RefundOutcome.SUCCEEDED
    assert refund(bench, charge, PRICE.minor, "back-1") is RefundOutcome.SUCCEEDED
    assert refund(bench, charge, 1_000, "back-2") is RefundOutcome.REFUSED
    found = look_up(bench)
    assert found is not None
    assert found.refunded


# Cards


def test_a_card_is_kept_in_a_profile_with_who_it_is_of(bench: CardPointeBench) -> None:
    setup = bench.save()
    assert setup.complete
    assert setup.card is not None
    assert (setup.card.brand, setup.card.last4) == ("visa", "4242")
    assert (setup.card.exp_month, setup.card.exp_year) == (8, 2029)
    assert "/" not in setup.card.id
    assert WORKS not in str(setup)
    seen = bench.provider.fetch_card(setup.card.token)
    assert seen is not None
    assert (seen.reference, seen.card) == ("customer-1", setup.card)


def test_a_card_that_the_bank_does_not_take_is_not_kept(bench: CardPointeBench) -> None:
    setup = bench.save(LOST)
    assert (setup.complete, setup.failure, setup.card) == (False, "lost_card", None)
    assert ("PUT", "profile") not in bench.sent


def test_a_processor_that_checks_no_cards_keeps_them_unchecked(bench: CardPointeBench) -> None:
    bench.cardpointe.misbehave(Operation.CHARGE, Fault.DECLINE, decline_code="109")
    with pytest.raises(RequestRefused):
        bench.save()

    def send(method: str, path: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        if path.endswith("/auth"):
            return 200, json.dumps(said("C", "43", "PPS")).encode()
        return bench._send(method, path, headers, body)

    frame = over(send).card_frame
    assert frame is not None
    setup = frame.save(
        reference="customer-1",
        email="ada@example.com",
        provider_customer=None,
        token=bench.cardpointe.tokenize(WORKS),
        exp_month=8,
        exp_year=2029,
        idempotency_key="save-1",
    )
    assert setup.complete


def test_a_second_card_joins_the_first_ones_profile(bench: CardPointeBench) -> None:
    first = bench.save()
    second = bench.save("5454545454545454", provider_customer=first.provider_customer)
    assert second.provider_customer == first.provider_customer
    assert first.card is not None
    assert second.card is not None
    assert second.card.id != first.card.id
    assert second.card.brand == "mastercard"


def test_the_same_card_again_is_the_same_card_with_its_new_expiry(bench: CardPointeBench) -> None:
    first = bench.save()
    again = bench.save(provider_customer=first.provider_customer, exp_year=2033)
    assert first.card is not None
    assert again.card is not None
    assert again.card.id == first.card.id
    assert again.card.exp_year == 2033


def test_a_profile_that_is_gone_is_made_anew(bench: CardPointeBench) -> None:
    setup = bench.save(provider_customer="12345678901234567890")
    assert setup.complete
    assert setup.provider_customer != "12345678901234567890"


def test_a_card_that_another_customer_has_with_the_same_address_is_not_shared(
    bench: CardPointeBench,
) -> None:
    assert bench.save(reference="customer-1").complete
    other = bench.save(reference="customer-2")
    assert (other.complete, other.failure) == (False, "card_of_another")
    elsewhere = bench.save(reference="customer-3", email="bea@example.com")
    assert elsewhere.complete


@pytest.mark.parametrize("email", ["zoë@example.com", "a" * 60 + "@example.com"])
def test_an_address_that_the_gateway_cannot_read_is_left_out(
    bench: CardPointeBench, email: str
) -> None:
    assert bench.save(email=email).complete


@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize("call", [0, 1])
def test_saving_that_got_no_answer_is_repeated_safely(
    bench: CardPointeBench, trouble: Trouble, call: int
) -> None:
    bench.trouble(trouble, after=call)
    with pytest.raises((ProviderUnavailable, RequestRefused)):
        bench.save()
    first, again = bench.save(), bench.save()
    assert first.card is not None
    assert again.card == first.card


def test_a_removed_card_is_gone_for_good(bench: CardPointeBench) -> None:
    setup = bench.save()
    assert setup.card is not None
    for _ in range(2):
        bench.provider.remove_card(
            provider_customer=setup.provider_customer or "", card_token=setup.card.token
        )
    assert bench.provider.fetch_card(setup.card.token) is None
    result = bench.provider.charge(request_for(setup))
    assert (result.outcome, result.decline_code) == (Outcome.DECLINED_FINAL, "card_missing")


def test_the_card_field_asks_for_number_and_security_code_alone(bench: CardPointeBench) -> None:
    url = bench.frame.url
    assert url.startswith("https://fts-uat.cardconnect.com/itoke/ajax-tokenizer.html?")
    path = url.removeprefix("https://fts-uat.cardconnect.com")
    status, _, page = bench.cardpointe.handle("GET", path, {}, b"")
    assert status == 200
    assert b"cccvvfield" in page
    assert b"ccexpirymonth" not in page


# What it has nothing of, and how it is set up


def test_it_says_what_it_has_nothing_of(bench: CardPointeBench) -> None:
    provider = bench.provider
    assert provider.list_charges(provider_customer="any", since=None) is None
    assert provider.fetch_card_setup("any") is None
    assert not provider.keys_hold_for
    with pytest.raises(InvalidSignature):
        provider.read_webhook({}, b"{}")
    with pytest.raises(RequestRefused):
        provider.start_card_setup(
            reference="customer-1",
            email="ada@example.com",
            provider_customer=None,
            return_url="https://shop.example",
            idempotency_key="setup-1",
        )


def test_giving_up_a_payment_says_what_it_came_to(bench: CardPointeBench) -> None:
    charge = bench.provider.charge(request_for(bench.save()))
    assert charge.provider_charge_id is not None
    given_up = bench.provider.cancel_charge(
        provider_charge_id=charge.provider_charge_id, idempotency_key="cancel-1"
    )
    assert given_up.outcome is Outcome.SUCCEEDED


def test_the_account_is_reported_as_it_stands(bench: CardPointeBench) -> None:
    report = bench.provider.check_setup(["USD"])
    assert (report.live, report.account, report.problems) == (False, MERCHANT, ())
    kinds = [kind for kind, _ in bench.provider.check_setup(["USD", "EUR"]).problems]
    assert kinds == [SetupProblem.CURRENCY_NOT_TAKEN]
    bench.cardpointe.disable_merchant()
    kinds = [kind for kind, _ in bench.provider.check_setup(["USD"]).problems]
    assert kinds == [SetupProblem.ACCOUNT_CANT_CHARGE]
    bench.cardpointe.change_password("user", "another word")
    kinds = [kind for kind, _ in bench.provider.check_setup(["USD"]).problems]
    assert kinds == [SetupProblem.KEY_REFUSED]


def test_a_merchant_id_that_they_do_not_know_is_a_problem(bench: CardPointeBench) -> None:
    provider = CardPointeProvider("fts-uat", "user", "word", "1", transport=bench._send)
    kinds = [kind for kind, _ in provider.check_setup(["USD"]).problems]
    assert kinds == [SetupProblem.ACCOUNT_CANT_CHARGE]


@pytest.mark.parametrize(
    ("site", "live"), [("fts-uat", False), ("fts", True), ("http://127.0.0.1:8000/x", None)]
)
def test_the_site_tells_whether_it_is_live(
    bench: CardPointeBench, site: str, live: bool | None
) -> None:
    provider = CardPointeProvider(site, "user", "word", MERCHANT, transport=bench._send)
    assert provider.check_setup(["USD"]).live is live


def test_a_report_needs_an_answer() -> None:
    def send(*_: Any) -> tuple[int, bytes]:
        raise TransportTimeout

    with pytest.raises(ProviderUnavailable):
        over(send).check_setup(["USD"])
