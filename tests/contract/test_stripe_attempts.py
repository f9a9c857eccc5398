"""Several attempts of one charge at Stripe are one payment, and whose outcome it tells is never in
doubt, whichever call or answer was lost ([ONCE])."""

from contextlib import suppress

import pytest

from infra.local.sandbox_faults import Fault, Operation
from infra.local.stripe_cards import AUTHENTICATE_THEN_DECLINED
from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.providers.errors import ProviderUnavailable, RequestRefused
from shared.providers.port import CardSetup, ChargeRequest
from tests.contract.bench import PRICE, CardKind, Trouble, look_up, request_for, save
from tests.contract.stripe_bench import StripeBench

CALLS_OF_A_LATER_ATTEMPT = 2


@pytest.fixture
def bench() -> StripeBench:
    return StripeBench()


def declined(bench: StripeBench) -> tuple[CardSetup, str]:
    """A customer with a good card, whose first attempt was declined: and the payment's id."""
    bad = save(bench, CardKind.DECLINES)
    first = bench.provider.charge(request_for(bad))
    assert first.outcome is Outcome.DECLINED
    assert first.provider_charge_id
    good = save(bench, provider_customer=bad.provider_customer)
    return good, first.provider_charge_id


def calls(bench: StripeBench) -> list[tuple[str, str]]:
    """The endings of the paths that were called, and the keys."""
    return [(path.split("/")[-1], headers["Idempotency-Key"]) for _, path, headers, _ in bench.sent]


def test_a_later_attempt_makes_the_payment_its_own_and_then_confirms_it(
    bench: StripeBench,
) -> None:
    setup, payment = declined(bench)
    bench.sent.clear()
    second = request_for(setup, continues=payment)
    paid = bench.provider.charge(second)
    assert (paid.outcome, paid.provider_charge_id) == (Outcome.SUCCEEDED, payment)
    assert calls(bench) == [
        (payment, f"{second.attempt_id}-prepare"),
        ("confirm", second.attempt_id),
    ]
    (seen,) = bench.stripe.charges()
    assert (seen.attempt_id, seen.card) == (second.attempt_id, second.card_token)


def test_repeating_a_later_attempt_answers_the_same_and_charges_once(bench: StripeBench) -> None:
    setup, payment = declined(bench)
    second = request_for(setup, continues=payment)
    paid = bench.provider.charge(second)
    bench.advance(22 * 3_600)
    assert bench.provider.charge(second) == paid
    assert bench.succeeded("charge-1") == 1


@pytest.mark.parametrize("after", range(CALLS_OF_A_LATER_ATTEMPT))
@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize("kind", [CardKind.WORKS, CardKind.DECLINES])
def test_whatever_is_lost_of_a_later_attempt_what_is_told_of_it_is_its_own(
    bench: StripeBench, trouble: Trouble, after: int, kind: CardKind
) -> None:
    setup, payment = declined(bench)
    card = save(bench, kind, provider_customer=setup.provider_customer)
    second = request_for(card, continues=payment)
    expected = Outcome.SUCCEEDED if kind is CardKind.WORKS else Outcome.DECLINED
    bench.trouble(trouble, after=after)
    result = bench.provider.charge(second)
    if result.outcome is not Outcome.UNKNOWN:
        # A change that failed inside Stripe was made again under another key.
        assert trouble in (Trouble.SERVER_ERROR, Trouble.SERVER_ERROR_AFTERWARDS)
        assert (after, result.outcome) == (0, expected)
    confirmed = expected is Outcome.SUCCEEDED and bench.succeeded("charge-1") == 1
    for known in (payment, None):
        found = look_up(bench, second, known)
        if found is None:
            assert not confirmed
        else:
            assert (found.outcome, found.attempt_id) == (expected, second.attempt_id)
    if result.repeatable:
        again = bench.provider.charge(second)
        assert (again.outcome, again.attempt_id) == (expected, second.attempt_id)
    assert bench.succeeded("charge-1") <= 1
    assert len(bench.stripe.charges()) == 1


def test_a_change_whose_answer_was_lost_leaves_the_last_decline_behind(
    bench: StripeBench,
) -> None:
    """The decline was the first attempt's: nobody may take it for the second's."""
    setup, payment = declined(bench)
    second = request_for(setup, continues=payment)
    bench.trouble(Trouble.LOST_ANSWER)
    assert bench.provider.charge(second).outcome is Outcome.UNKNOWN
    assert look_up(bench, second, payment) is None


@pytest.mark.parametrize("trouble", [Trouble.SERVER_ERROR, Trouble.SERVER_ERROR_AFTERWARDS])
def test_a_change_that_stripe_answers_with_500_is_made_under_a_second_key(
    bench: StripeBench, trouble: Trouble
) -> None:
    """The 500 stays with the first key for a day, and nothing was confirmed."""
    setup, payment = declined(bench)
    second = request_for(setup, continues=payment)
    bench.sent.clear()
    bench.trouble(trouble)
    paid = bench.provider.charge(second)
    assert (paid.outcome, paid.attempt_id) == (Outcome.SUCCEEDED, second.attempt_id)
    assert [key for _, key in calls(bench)] == [
        f"{second.attempt_id}-prepare",
        f"{second.attempt_id}-prepare-again",
        second.attempt_id,
    ]
    assert bench.provider.charge(second) == paid
    assert bench.succeeded("charge-1") == 1


def test_a_payment_that_was_given_up_is_begun_anew_once(bench: StripeBench) -> None:
    setup, payment = declined(bench)
    bench.provider.cancel_charge(provider_charge_id=payment, idempotency_key="cancel")
    second = request_for(setup, continues=payment)
    results = [bench.provider.charge(second) for _ in range(2)]
    assert results[0] == results[1]
    assert results[0].outcome is Outcome.SUCCEEDED
    assert results[0].provider_charge_id != payment
    assert bench.succeeded("charge-1") == 1
    for known in (payment, results[0].provider_charge_id, None):
        assert look_up(bench, second, known) == results[0]


def test_a_payment_that_stripe_does_not_have_is_begun_anew(bench: StripeBench) -> None:
    setup = save(bench)
    second = request_for(setup, continues="pi_unknown")
    assert bench.provider.charge(second).outcome is Outcome.SUCCEEDED
    assert bench.succeeded("charge-1") == 1


def test_a_payment_that_was_confirmed_too_often_is_begun_anew_by_the_next_attempt(
    bench: StripeBench,
) -> None:
    """Stripe gives it up, and it has the second attempt's id by then."""
    setup, payment = declined(bench)
    bench.stripe.limit_confirmations(1)
    second = request_for(setup, continues=payment)
    for _ in range(2):
        result = bench.provider.charge(second)
        assert (result.outcome, result.attempt_id) == (Outcome.DECLINED, second.attempt_id)
    third = request_for(setup, continues=result.provider_charge_id)
    paid = bench.provider.charge(third)
    assert paid.outcome is Outcome.SUCCEEDED
    assert paid.provider_charge_id != payment
    assert look_up(bench, third, payment) == paid
    assert bench.succeeded("charge-1") == 1


@pytest.mark.parametrize("call", range(3))
@pytest.mark.parametrize("trouble", [Trouble.LOST_ANSWER, Trouble.LOST_REQUEST])
@pytest.mark.parametrize("by", ["the merchant", "the limit"])
def test_of_a_payment_that_was_given_up_nobody_says_no_while_another_is_made(
    bench: StripeBench, call: int, trouble: Trouble, by: str
) -> None:
    """[ONCE]: a payment that was begun in its place would not be found."""
    setup, payment = declined(bench)
    if by == "the limit":
        bench.stripe.limit_confirmations(1)
    second = request_for(setup, continues=payment)
    bench.trouble(trouble, after=call)
    bench.provider.charge(second)
    if by == "the merchant":
        with suppress(ProviderUnavailable, RequestRefused):
            bench.provider.cancel_charge(provider_charge_id=payment, idempotency_key="cancel")
    bench.provider.charge(second)
    said = look_up(bench, second, payment)
    moved = bench.succeeded("charge-1")
    assert moved == (said is not None and said.outcome is Outcome.SUCCEEDED)


def test_a_payment_that_has_succeeded_meanwhile_says_so_and_whose_success_it_is(
    bench: StripeBench,
) -> None:
    setup = save(bench, CardKind.NEEDS_AUTHENTICATION)
    first = request_for(setup)
    waiting = bench.provider.charge(first)
    assert waiting.confirm_url
    bench.confirm(waiting.confirm_url)
    good = save(bench, provider_customer=setup.provider_customer)
    second = request_for(good, continues=waiting.provider_charge_id)
    result = bench.provider.charge(second)
    assert (result.outcome, result.attempt_id) == (Outcome.SUCCEEDED, first.attempt_id)
    assert bench.succeeded("charge-1") == 1
    assert look_up(bench, second, waiting.provider_charge_id) == result


def test_a_payment_that_still_settles_is_left_alone(bench: StripeBench) -> None:
    setup = save(bench)
    first = request_for(setup)
    bench.answer_late(3_600)
    begun = bench.provider.charge(first)
    second = request_for(setup, continues=begun.provider_charge_id)
    result = bench.provider.charge(second)
    assert (result.outcome, result.attempt_id) == (Outcome.PROCESSING, first.attempt_id)
    assert look_up(bench, second, begun.provider_charge_id) is None


def test_a_later_attempt_of_another_amount_takes_that_amount(bench: StripeBench) -> None:
    setup, payment = declined(bench)
    amount = Money(minor=5_300, currency="USD")
    second = request_for(setup, continues=payment)._replace(amount=amount)
    assert bench.provider.charge(second).outcome is Outcome.SUCCEEDED
    assert [one.amount for one in bench.stripe.charges()] == [5_300]


def test_what_was_lost_of_a_first_attempt_is_found_by_the_next_ones_look_up(
    bench: StripeBench,
) -> None:
    """A success of an earlier attempt outweighs a later one's silence."""
    setup = save(bench)
    first = request_for(setup)
    bench.trouble(Trouble.LOST_ANSWER)
    bench.provider.charge(first)
    later = request_for(setup)
    found = look_up(bench, later)
    assert found is not None
    assert (found.outcome, found.attempt_id) == (Outcome.SUCCEEDED, first.attempt_id)


# Authentication


def waiting_request(bench: StripeBench) -> ChargeRequest:
    return request_for(save(bench, CardKind.NEEDS_AUTHENTICATION))


@pytest.mark.parametrize("trouble", [Trouble.LOST_ANSWER, Trouble.LOST_REQUEST, Trouble.RATE_LIMIT])
def test_when_the_page_cant_be_made_at_once_a_look_up_makes_it(
    bench: StripeBench, trouble: Trouble
) -> None:
    request = waiting_request(bench)
    bench.trouble(trouble, after=1)
    waiting = bench.provider.charge(request)
    assert waiting.outcome is Outcome.AUTHENTICATION_REQUIRED
    assert waiting.confirm_url is None
    assert waiting.provider_charge_id
    found = look_up(bench, request, waiting.provider_charge_id)
    assert found is not None
    assert (found.outcome, found.attempt_id) == (waiting.outcome, request.attempt_id)
    assert found.confirm_url
    bench.confirm(found.confirm_url)
    assert bench.succeeded("charge-1") == 1


def test_a_page_that_stripe_could_not_make_leaves_the_attempt_waiting(bench: StripeBench) -> None:
    request = waiting_request(bench)
    bench.trouble(Trouble.SERVER_ERROR, after=1)
    waiting = bench.provider.charge(request)
    found = look_up(bench, request, waiting.provider_charge_id)
    assert found is not None
    assert found.outcome is Outcome.AUTHENTICATION_REQUIRED
    assert bench.succeeded("charge-1") == 0
    # The 500 stays with its key for a day.
    bench.advance(25 * 3_600)
    found = look_up(bench, request, waiting.provider_charge_id)
    assert found is not None
    assert found.confirm_url


def test_a_decline_that_was_to_be_confirmed_and_was_never_heard_of_waits_for_the_customer(
    bench: StripeBench,
) -> None:
    request = waiting_request(bench)
    bench.trouble(Trouble.LOST_ANSWER)
    assert bench.provider.charge(request).outcome is Outcome.UNKNOWN
    found = look_up(bench, request)
    assert found is not None
    assert found.outcome is Outcome.AUTHENTICATION_REQUIRED
    assert found.confirm_url
    assert bench.provider.charge(request) == found


def test_what_the_bank_declines_after_all_is_a_decline(bench: StripeBench) -> None:
    customer, card = bench.stripe.save_card(AUTHENTICATE_THEN_DECLINED, "ada@example.com")
    request = ChargeRequest(
        charge_ref="charge-1",
        attempt_id="attempt-a",
        amount=PRICE,
        provider_customer=customer,
        card_token=card,
        description="Ten classes",
        return_url="https://shop.example/orders/1",
        customer_present=True,
    )
    waiting = bench.provider.charge(request)
    assert waiting.confirm_url
    bench.confirm(waiting.confirm_url)
    found = look_up(bench, request, waiting.provider_charge_id)
    assert found is not None
    assert found.outcome is Outcome.DECLINED
    assert found.decline_code


def test_a_card_that_asks_only_when_its_owner_is_away_is_not_asked_for_ever(
    bench: StripeBench,
) -> None:
    """The bank wants the customer, and when they are said to be there declines again."""
    request = request_for(save(bench))
    for code in ("authentication_required", "authentication_required"):
        bench.stripe.misbehave(Operation.CHARGE, Fault.DECLINE, decline_code=code)
    result = bench.provider.charge(request)
    assert (result.outcome, result.decline_code) == (Outcome.DECLINED, "authentication_required")
    assert bench.succeeded("charge-1") == 0


def test_a_next_attempt_with_another_card_ends_the_waiting(bench: StripeBench) -> None:
    setup = save(bench, CardKind.NEEDS_AUTHENTICATION)
    waiting = bench.provider.charge(request_for(setup))
    assert waiting.confirm_url
    bench.refuse(waiting.confirm_url)
    good = save(bench, provider_customer=setup.provider_customer)
    second = request_for(good, continues=waiting.provider_charge_id)
    paid = bench.provider.charge(second)
    assert (paid.outcome, paid.provider_charge_id) == (
        Outcome.SUCCEEDED,
        waiting.provider_charge_id,
    )


def test_the_customer_comes_back_to_where_the_attempt_said(bench: StripeBench) -> None:
    request = waiting_request(bench)
    waiting = bench.provider.charge(request)
    assert waiting.confirm_url
    _, headers, _ = bench.submit(waiting.confirm_url, answer="confirm")
    assert headers["Location"].startswith(request.return_url)


# Whose fault it is


def test_a_card_that_was_removed_is_missing_and_final(bench: StripeBench) -> None:
    setup = save(bench)
    assert setup.card is not None
    assert setup.provider_customer is not None
    bench.provider.remove_card(
        provider_customer=setup.provider_customer, card_token=setup.card.token
    )
    for number, token in enumerate((setup.card.token, "pm_unknown")):
        request = request_for(setup, attempt_id=f"attempt-of-{number}")
        result = bench.provider.charge(request._replace(card_token=token))
        assert (result.outcome, result.decline_code) == (Outcome.DECLINED_FINAL, "card_missing")


def test_a_card_of_somebody_else_is_never_charged(bench: StripeBench) -> None:
    one = save(bench, reference="customer-1")
    other = save(bench, reference="customer-2")
    assert other.card is not None
    request = request_for(one)._replace(card_token=other.card.token)
    assert bench.provider.charge(request).outcome is Outcome.DECLINED_FINAL
    assert bench.succeeded("charge-1") == 0


def test_a_customer_whom_the_merchant_deleted_has_no_cards_left(bench: StripeBench) -> None:
    setup = save(bench)
    headers = {"Authorization": "Bearer sk_test_bench"}
    bench.stripe.handle("DELETE", f"/v1/customers/{setup.provider_customer}", headers, b"")
    result = bench.provider.charge(request_for(setup))
    assert (result.outcome, result.decline_code) == (Outcome.DECLINED_FINAL, "card_missing")


def test_an_account_that_does_not_know_the_customer_is_the_merchants_trouble(
    bench: StripeBench,
) -> None:
    """Another account's key, for instance: nobody's card may be given up for it."""
    request = request_for(save(bench))._replace(provider_customer="cus_unknown")
    result = bench.provider.charge(request)
    assert (result.outcome, result.decline_code) == (Outcome.REFUSED, "customer_missing")


def test_a_key_of_the_other_mode_is_the_merchants_trouble(bench: StripeBench) -> None:
    setup, payment = declined(bench)
    live = bench.adapter(key=bench.stripe.other_mode_key)
    for continues in (None, payment):
        request = request_for(setup, continues=continues)
        result = live.charge(request)
        assert (result.outcome, result.decline_code) == (Outcome.REFUSED, "livemode_mismatch")
        # And right again with the right key.
        assert bench.provider.charge(request).outcome is Outcome.SUCCEEDED


def test_an_account_that_cant_charge_is_the_merchants_trouble(bench: StripeBench) -> None:
    request = request_for(save(bench))
    bench.stripe.let_account_charge(False)
    result = bench.provider.charge(request)
    assert result.outcome is Outcome.REFUSED
    assert result.decline_code


def test_a_key_in_use_is_another_call_that_is_not_done(bench: StripeBench) -> None:
    request = request_for(save(bench))
    bench.stripe.hold_key(request.attempt_id)
    result = bench.provider.charge(request)
    assert (result.outcome, result.repeatable) == (Outcome.UNKNOWN, True)
    bench.stripe.hold_key(request.attempt_id, held=False)
    assert bench.provider.charge(request).outcome is Outcome.SUCCEEDED
