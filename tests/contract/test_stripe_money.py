"""Refunds, disputes, debits and lists at Stripe: what of a payment is still with the merchant."""

import json
from typing import Any

import pytest
from babel.numbers import get_currency_precision

from infra.local.stripe_cards import (
    DISPUTED,
    INQUIRED,
    REFUNDS_FAIL,
    SEPA_DISPUTED,
    SEPA_FAILS,
    SEPA_WORKS,
)
from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.providers.events import EventKind
from shared.providers.port import ChargeRequest, RefundOutcome
from shared.providers.stripe import StripeProvider
from shared.providers.stripe_objects import money_of, stripe_amount
from tests.contract.bench import (
    PRICE,
    CardKind,
    Trouble,
    events,
    listed,
    look_up,
    request_for,
    save,
)
from tests.contract.stripe_bench import KEY, SECRETS, Clock, StripeBench

DAY_SECONDS = 86_400


@pytest.fixture
def bench() -> StripeBench:
    return StripeBench()


def paid(bench: StripeBench, **changes: Any) -> tuple[ChargeRequest, str]:
    request = request_for(save(bench), **changes)
    result = bench.provider.charge(request)
    assert result.outcome is Outcome.SUCCEEDED
    assert result.provider_charge_id
    return request, result.provider_charge_id


def saved(bench: StripeBench, number: str, currency: str = "USD") -> ChargeRequest:
    """A charge on a method that was saved past the page."""
    customer, method = bench.stripe.save_card(number, "ada@example.com", reference="customer-1")
    return ChargeRequest(
        charge_ref="charge-1",
        attempt_id="attempt-a",
        amount=Money(minor=4_900, currency=currency),
        provider_customer=customer,
        card_token=method,
        description="Ten classes",
        return_url="https://shop.example/orders/1",
    )


def refund(bench: StripeBench, charge_id: str, minor: int, key: str = "refund-1") -> RefundOutcome:
    return bench.provider.refund(
        provider_charge_id=charge_id,
        amount=Money(minor=minor, currency="USD"),
        idempotency_key=key,
    )


# Refunds


@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize("after", [0, 1])
def test_a_refund_whose_answer_was_lost_is_made_once_however_late_it_is_repeated(
    bench: StripeBench, trouble: Trouble, after: int
) -> None:
    """Stripe forgets keys after a day; the refund's metadata does not."""
    _, charge_id = paid(bench)
    bench.trouble(trouble, after=after)
    assert refund(bench, charge_id, 1_000) is RefundOutcome.UNKNOWN
    bench.advance(3 * DAY_SECONDS)
    assert refund(bench, charge_id, 1_000) is RefundOutcome.SUCCEEDED
    assert refund(bench, charge_id, 1_000) is RefundOutcome.SUCCEEDED
    assert bench.refunded("charge-1") == 1_000


def test_refunds_with_keys_of_their_own_add_up(bench: StripeBench) -> None:
    _, charge_id = paid(bench)
    for key in ("refund-1", "refund-2"):
        assert refund(bench, charge_id, 1_000, key) is RefundOutcome.SUCCEEDED
    assert bench.refunded("charge-1") == 2_000


def test_a_refund_of_what_is_not_there_is_refused(bench: StripeBench) -> None:
    assert refund(bench, "pi_unknown", 1_000) is RefundOutcome.REFUSED
    declined = bench.provider.charge(request_for(save(bench, CardKind.DECLINES)))
    assert declined.provider_charge_id
    assert refund(bench, declined.provider_charge_id, 1_000, "other") is RefundOutcome.REFUSED


def test_a_refund_under_a_revoked_key_is_open_until_the_key_is_right(bench: StripeBench) -> None:
    _, charge_id = paid(bench)
    bench.revoke_key()
    assert refund(bench, charge_id, 1_000) is RefundOutcome.UNKNOWN
    bench.restore_key()
    assert refund(bench, charge_id, 1_000) is RefundOutcome.SUCCEEDED


def test_a_disputed_payment_cant_be_refunded_at_all(bench: StripeBench) -> None:
    """Elsewhere the rest could be."""
    _, charge_id = paid(bench)
    bench.reverse(charge_id, 4_000)
    assert refund(bench, charge_id, 900) is RefundOutcome.REFUSED


def test_a_refund_of_a_debit_is_on_its_way(bench: StripeBench) -> None:
    request = saved(bench, SEPA_WORKS, "EUR")
    begun = bench.provider.charge(request)
    bench.advance(6 * DAY_SECONDS)
    assert begun.provider_charge_id
    outcome = bench.provider.refund(
        provider_charge_id=begun.provider_charge_id, amount=request.amount, idempotency_key="r"
    )
    assert outcome is RefundOutcome.SUCCEEDED
    found = look_up(bench, request)
    assert found is not None
    assert found.refunded


def test_a_refund_that_failed_later_is_refused_when_it_is_asked_for_again(
    bench: StripeBench,
) -> None:
    request = saved(bench, REFUNDS_FAIL)
    charge_id = bench.provider.charge(request).provider_charge_id
    assert charge_id
    assert refund(bench, charge_id, 1_000) is RefundOutcome.SUCCEEDED
    bench.advance(30 * DAY_SECONDS)
    assert refund(bench, charge_id, 1_000) is RefundOutcome.REFUSED


# Disputes


def test_an_inquiry_takes_nothing_and_a_dispute_does(bench: StripeBench) -> None:
    request, charge_id = paid(bench)
    bench.stripe.inquire_about(charge_id)
    found = look_up(bench, request)
    assert found is not None
    assert (found.outcome, found.reversed) == (Outcome.SUCCEEDED, None)
    bench.stripe.close_inquiry(charge_id)
    bench.reverse(charge_id)
    found = look_up(bench, request)
    assert found is not None
    assert found.reversed == PRICE
    bench.stripe.lose_dispute(charge_id)
    lost = look_up(bench, request)
    assert lost == found


@pytest.mark.parametrize(("number", "taken"), [(DISPUTED, PRICE), (INQUIRED, None)])
def test_cards_that_are_disputed_at_once(
    bench: StripeBench, number: str, taken: Money | None
) -> None:
    request = saved(bench, number)
    assert bench.provider.charge(request).outcome is Outcome.SUCCEEDED
    found = look_up(bench, request)
    assert found is not None
    assert (found.outcome, found.reversed) == (Outcome.SUCCEEDED, taken)


# Debits that settle days later


def test_a_debit_is_processing_for_days_and_then_succeeds(bench: StripeBench) -> None:
    request = saved(bench, SEPA_WORKS, "EUR")
    begun = bench.provider.charge(request)
    assert begun.outcome is Outcome.PROCESSING
    assert [event.kind for event in events(bench)] == [EventKind.CHARGE]
    bench.advance(2 * DAY_SECONDS)
    early = look_up(bench, request, begun.provider_charge_id)
    assert early == begun
    bench.advance(4 * DAY_SECONDS)
    late = look_up(bench, request, begun.provider_charge_id)
    assert late is not None
    assert (late.outcome, late.attempt_id) == (Outcome.SUCCEEDED, request.attempt_id)


def test_a_debit_that_fails_days_later_is_a_decline_after_which_a_card_can_pay(
    bench: StripeBench,
) -> None:
    request = saved(bench, SEPA_FAILS, "EUR")
    begun = bench.provider.charge(request)
    assert begun.outcome is Outcome.PROCESSING
    bench.advance(6 * DAY_SECONDS)
    late = look_up(bench, request, begun.provider_charge_id)
    assert late is not None
    assert late.outcome is Outcome.DECLINED
    assert late.decline_code
    card = save(bench, provider_customer=request.provider_customer)
    second = request_for(card, continues=begun.provider_charge_id)
    again = second._replace(amount=request.amount)
    assert bench.provider.charge(again).outcome is Outcome.SUCCEEDED
    assert bench.succeeded("charge-1") == 1


def test_a_debit_that_the_bank_returns_after_it_succeeded_is_taken_back(
    bench: StripeBench,
) -> None:
    request = saved(bench, SEPA_DISPUTED, "EUR")
    bench.provider.charge(request)
    bench.advance(60 * DAY_SECONDS)
    found = look_up(bench, request)
    assert found is not None
    assert (found.outcome, found.reversed) == (Outcome.SUCCEEDED, request.amount)


# Lists


def test_a_payment_with_several_tries_is_listed_once_and_as_the_one_that_paid(
    bench: StripeBench,
) -> None:
    bad = save(bench, CardKind.DECLINES)
    first = bench.provider.charge(request_for(bad))
    bench.advance(DAY_SECONDS)
    good = save(bench, provider_customer=bad.provider_customer)
    bench.provider.charge(request_for(good, continues=first.provider_charge_id))
    (one,) = listed(bench, good)
    assert (one.id, one.succeeded, one.kept) == (first.provider_charge_id, True, True)
    assert one.created_at == bench.now()


@pytest.mark.parametrize("paid_first", [True, False])
def test_of_two_tries_in_one_second_the_one_that_paid_counts(paid_first: bool) -> None:
    """Stripe does not say in which order it lists what was made in the same second."""
    tries = [
        {
            "id": f"ch_{status}",
            "amount": 4_900,
            "amount_refunded": 0,
            "currency": "usd",
            "created": 1_769_860_800,
            "status": status,
            "payment_intent": "pi_1",
            "metadata": {"charge_ref": "charge-1"},
        }
        for status in ("succeeded", "failed")
    ]
    page = {"object": "list", "data": tries if paid_first else tries[::-1], "has_more": False}
    provider = StripeProvider(
        KEY, SECRETS, Clock(), transport=lambda *_call: (200, json.dumps(page).encode())
    )
    (one,) = provider.list_charges(provider_customer="cus_1", since=None)
    assert (one.id, one.kept) == ("pi_1", True)


def test_what_was_not_asked_for_by_us_is_not_listed_nor_looked_at(bench: StripeBench) -> None:
    request, _ = paid(bench)
    form = (
        f"amount=4900&currency=usd&customer={request.provider_customer}"
        f"&payment_method={request.card_token}&confirm=true&off_session=true"
        "&metadata[order]=7"
    )
    headers = {"Authorization": f"Bearer {KEY}"}
    _, _, answer = bench.stripe.handle("POST", "/v1/payment_intents", headers, form.encode())
    foreign = json.loads(answer)["id"]
    found = bench.provider.list_charges(provider_customer=request.provider_customer, since=None)
    assert found is not None
    assert [one.charge_ref for one in found] == ["charge-1"]
    assert bench.provider.find_charge_ref(foreign) is None
    assert look_up(bench, request, foreign) == look_up(bench, request)


# Currencies

STRIPES_DECIMALS = {
    **dict.fromkeys(
        ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV"], 0
    ),
    **dict.fromkeys(["XAF", "XOF", "XPF"], 0),
    **dict.fromkeys(["BHD", "JOD", "KWD", "OMR", "TND"], 3),
}
"""docs.stripe.com/currencies: those without decimals, and with three. All others have two, ISK and
UGX too, for old times' sake."""

TWO_DECIMALS = """
    USD AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BWP BYN BZD CAD CDF
    CHF CNY COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF
    IDR ILS INR ISK JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK
    MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD
    SHP SOS SRD STD SZL THB TJS TOP TRY TTD TWD TZS UAH UGX UYU UZS WST XCD YER ZAR ZMW
"""


@pytest.mark.parametrize("currency", [*STRIPES_DECIMALS, *TWO_DECIMALS.split()])
def test_the_same_amount_is_meant_on_both_sides_in_every_currency(currency: str) -> None:
    ours, theirs = get_currency_precision(currency), STRIPES_DECIMALS.get(currency, 2)
    money = Money(minor=12_340, currency=currency)
    amount = stripe_amount(money)
    assert amount * 10**ours == money.minor * 10**theirs
    assert money_of(amount, currency.lower()) == money


def test_a_currency_that_stripe_counts_otherwise_is_charged_and_told_right(
    bench: StripeBench,
) -> None:
    amount = Money(minor=5_000, currency="ISK")
    request = request_for(save(bench))._replace(amount=amount)
    result = bench.provider.charge(request)
    assert result.provider_charge_id
    assert [one.amount for one in bench.stripe.charges()] == [500_000]
    bench.reverse(result.provider_charge_id, 200_000)
    found = look_up(bench, request)
    assert found is not None
    assert found.reversed == Money(minor=2_000, currency="ISK")
    rows = bench.provider.list_charges(provider_customer=request.provider_customer, since=None)
    assert rows is not None
    assert [(one.amount, one.reversed_minor) for one in rows] == [(amount, 2_000)]
