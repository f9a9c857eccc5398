"""Every code that Stripe publishes means one thing to us ([HARD])."""

import typing
from collections import Counter

import pytest
import stripe

from shared.providers.stripe_declines import GROUPS, VERDICTS, Verdict, verdict_of

CARD_DECLINE_CODES = frozenset(
    """
    authentication_required authentication_not_handled approve_with_id call_issuer
    card_not_supported card_velocity_exceeded currency_not_supported do_not_honor do_not_try_again
    duplicate_transaction expired_card fraudulent generic_decline incorrect_address incorrect_cvc
    incorrect_number incorrect_pin incorrect_zip insufficient_funds invalid_account invalid_amount
    invalid_cvc invalid_expiry_month invalid_expiry_year invalid_number invalid_pin
    issuer_not_available lost_card merchant_blacklist new_account_information_available
    no_action_taken not_permitted offline_pin_required online_or_offline_pin_required pickup_card
    pin_try_exceeded processing_error reenter_transaction restricted_card
    revocation_of_all_authorizations revocation_of_authorization security_violation
    service_not_allowed stolen_card stop_payment_order testmode_decline transaction_not_allowed
    try_again_later withdrawal_count_limit_exceeded mobile_device_authentication_required
    """.split()  # noqa: SIM905 (a list of words is easier to compare with the page)
)
"""The table "Card decline codes" of docs.stripe.com/declines/codes."""

OTHER_DECLINE_CODES = frozenset(
    """
    partner_generic_decline invalid_customer_account payment_limit_exceeded
    invalid_billing_agreement expired_card processing_error insufficient_funds
    currency_not_supported invalid_amount invalid_business_account partner_high_risk_customer
    compliance_violation payment_disputed invalid_authorization invalid_payment_information
    partner_payment_not_found expired_payment_information duplicate_transaction
    recurring_not_supported_by_bank partner_action_not_supported
    """.split()  # noqa: SIM905
)
"""The table "Local payment method decline codes" of the same page."""


def words_in(hint: typing.Any) -> set[str]:
    if typing.get_origin(hint) is typing.Literal:
        return set(typing.get_args(hint))
    return set().union(*(words_in(one) for one in typing.get_args(hint)))


def error_codes() -> set[str]:
    """Those of docs.stripe.com/error-codes, as the package of the pinned version has them."""
    return words_in(stripe.PaymentIntent.LastPaymentError.__annotations__["code"])


def test_every_published_code_is_classified_exactly_once() -> None:
    published = CARD_DECLINE_CODES | OTHER_DECLINE_CODES | error_codes()
    assert len(CARD_DECLINE_CODES) == 50
    assert len(error_codes()) > 200
    assert published - VERDICTS.keys() == set()
    counted = Counter(code for _, codes in GROUPS for code in codes)
    assert {code for code, times in counted.items() if times > 1} == set()


def test_nothing_is_classified_that_stripe_has_not_published() -> None:
    published = CARD_DECLINE_CODES | OTHER_DECLINE_CODES | error_codes()
    # Of card readers, and of the page's later versions.
    newer = {"card_already_activated", "invalid_track_data", "lost_or_stolen_card"}
    assert VERDICTS.keys() - published == newer


@pytest.mark.parametrize(
    "code",
    [
        "lost_card",
        "stolen_card",
        "pickup_card",
        "revocation_of_authorization",
        "revocation_of_all_authorizations",
        "stop_payment_order",
        "invalid_account",
        "account_closed",
        "debit_not_authorized",
        "fraudulent",
        "do_not_try_again",
    ],
)
def test_lost_stolen_closed_and_revoked_are_final(code: str) -> None:
    assert verdict_of("card_declined", code) is Verdict.FINAL
    assert verdict_of(code) is Verdict.FINAL


def test_what_stripe_itself_never_tries_again_is_final_or_the_customers_to_confirm() -> None:
    """The "hard decline codes" of docs.stripe.com/billing/revenue-recovery/smart-retries."""
    hard = {
        "incorrect_number",
        "lost_card",
        "pickup_card",
        "stolen_card",
        "revocation_of_authorization",
        "revocation_of_all_authorizations",
        "transaction_not_allowed",
    }
    assert {VERDICTS[code] for code in hard} == {Verdict.FINAL}
    assert VERDICTS["authentication_required"] is Verdict.AUTHENTICATE


@pytest.mark.parametrize(
    "code",
    ["insufficient_funds", "generic_decline", "do_not_honor", "expired_card", "processing_error"],
)
def test_what_time_or_a_renewed_card_may_mend_is_tried_again(code: str) -> None:
    assert verdict_of("card_declined", code) is Verdict.SOFT


@pytest.mark.parametrize(
    "code",
    ["api_key_expired", "amount_too_small", "livemode_mismatch", "testmode_charges_only"],
)
def test_what_is_the_merchants_trouble_is_nobodys_card(code: str) -> None:
    assert verdict_of(code) is Verdict.REFUSED


def test_the_banks_advice_outweighs_a_code_that_would_allow_another_try() -> None:
    soft = ("card_declined", "insufficient_funds")
    assert verdict_of(*soft) is Verdict.SOFT
    assert verdict_of(*soft, advice_code="do_not_try_again") is Verdict.FINAL
    assert verdict_of(*soft, advice_code="try_again_later") is Verdict.SOFT
    assert verdict_of(*soft, advice_code="confirm_card_data") is Verdict.SOFT
    for network, verdict in (("03", Verdict.FINAL), ("21", Verdict.FINAL), ("02", Verdict.SOFT)):
        assert verdict_of(*soft, network_advice_code=network) is verdict
    # It never opens what a code has closed, and never makes a decline of what is none.
    lost = verdict_of("card_declined", "lost_card", advice_code="try_again_later")
    assert lost is Verdict.FINAL
    confirm = verdict_of("authentication_required", advice_code="do_not_try_again")
    assert confirm is Verdict.AUTHENTICATE


def test_the_decline_code_says_more_than_the_error_code() -> None:
    assert verdict_of("card_declined", "stolen_card") is Verdict.FINAL
    assert verdict_of("card_declined", None) is Verdict.SOFT
    assert verdict_of("expired_card", "something_new") is Verdict.SOFT


def test_a_code_that_is_not_published_has_no_verdict() -> None:
    assert verdict_of("something_new") is None
    assert verdict_of("something_new", "another") is None
    assert verdict_of(None) is None
    # What the bank advises still counts.
    assert verdict_of("something_new", advice_code="do_not_try_again") is Verdict.FINAL
