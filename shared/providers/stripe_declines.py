"""What Stripe's codes mean for us: every code that Stripe publishes, in one place.

Three lists are covered: the decline codes of cards, those of other methods of payment
(docs.stripe.com/declines/codes), and the error codes (docs.stripe.com/error-codes). A code that is
on none of them may be tried again: giving a card up by mistake costs a customer, a wasted try does
not. Nothing here calls anybody.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Verdict(StrEnum):
    """What a code says of the attempt that it ended.

    - `SOFT`: a definite no, which may be tried again on the same card.
    - `FINAL`: a definite no for this card ([HARD]).
    - `AUTHENTICATE`: the customer has to confirm; not a decline.
    - `REFUSED`: Stripe would not take the request: the merchant's account, or what we asked. No
      card is to blame.
    - `OPEN`: it says nothing of what became of the money; the object has to be looked at.
    """

    SOFT = "soft"
    FINAL = "final"
    AUTHENTICATE = "authenticate"
    REFUSED = "refused"
    OPEN = "open"


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LOST_OR_REVOKED = _codes(
    """
    lost_card stolen_card pickup_card lost_or_stolen_card revocation_of_authorization
    revocation_of_all_authorizations stop_payment_order transaction_not_allowed incorrect_number
    invalid_number do_not_try_again
    """
)
"""Those after which Stripe itself asks no bank again before there is another card ("hard decline
codes" of docs.stripe.com/billing/revenue-recovery/smart-retries), and what says the same in other
words: the owner stopped the payments, there is no such number, not to be tried again."""

_CLOSED = _codes(
    """
    invalid_account account_closed account_invalid account_number_invalid no_account
    bank_account_unusable bank_account_bad_routing_numbers routing_number_invalid
    sepa_unsupported_account payment_method_bank_account_blocked
    """
)
"""There is no such account, or not one that can be debited."""

_WITHOUT_CONSENT = _codes(
    """
    debit_not_authorized invalid_authorization invalid_billing_agreement billing_invalid_mandate
    payment_intent_mandate_invalid india_recurring_payment_mandate_canceled
    recurring_not_supported_by_bank
    """
)
"""The owner's consent to be debited does not exist, or no more."""

_SUSPECTED = _codes("fraudulent merchant_blacklist partner_high_risk_customer compliance_violation")
"""Stripe's own risk rules, or the merchant's block list, stopped it before a bank was asked, and
would again ("highest risk" is one of Stripe's hard codes; it arrives as `fraudulent`)."""

_NEVER_FITS = _codes("currency_not_supported invalid_payment_information testmode_decline")
"""The documentation says that retries won't succeed, or that a genuine card is needed."""

_BANK_SAYS_NO = _codes(
    """
    approve_with_id call_issuer card_declined card_not_supported card_velocity_exceeded
    do_not_honor duplicate_transaction generic_decline insufficient_funds invalid_amount
    issuer_not_available new_account_information_available no_action_taken not_permitted
    processing_error reenter_transaction refer_to_customer restricted_card security_violation
    service_not_allowed try_again_later withdrawal_count_limit_exceeded
    card_decline_rate_limit_exceeded bank_account_declined bank_account_restricted
    """
)
"""The bank has no funds, no reason or no time. `restricted_card`, `not_permitted` and their like
lead to a talk with the bank, after which the card works; new account information is put into the
saved card by Stripe."""

_DETAILS = _codes(
    """
    expired_card expired_payment_method expired_payment_information incorrect_address incorrect_cvc
    incorrect_zip incorrect_postal_code postal_code_invalid invalid_cvc invalid_expiry_month
    invalid_expiry_year payment_method_billing_details_address_missing bank_account_unverified
    payment_method_microdeposit_failed payment_method_microdeposit_processing_error
    payment_method_microdeposit_verification_timeout bank_account_verification_failed
    payment_method_microdeposit_verification_attempts_exceeded
    payment_method_microdeposit_verification_amounts_mismatch
    payment_method_microdeposit_verification_amounts_invalid
    payment_method_microdeposit_verification_descriptor_code_mismatch
    """
)
"""Details that may be right the next time: banks renew saved cards in place, customers verify their
accounts. Stripe goes on trying an expired card too."""

_IN_PERSON = _codes(
    """
    incorrect_pin invalid_pin pin_try_exceeded offline_pin_required online_or_offline_pin_required
    mobile_device_authentication_required invalid_track_data card_already_activated
    """
)
"""Of cards in a reader, which say nothing of the same card online."""

_NOT_CONFIRMED = _codes(
    """
    authentication_failure payment_intent_authentication_failure
    payment_intent_payment_attempt_expired payment_intent_payment_attempt_failed
    payment_method_customer_decline three_d_secure_authentication_upstream_error
    payment_intent_konbini_rejected_confirmation_number
    """
)
"""The customer did not confirm, or not in time, or something failed while they did; a debit that
failed for a reason that Stripe does not tell."""

_PARTNERS = _codes(
    """
    partner_generic_decline invalid_customer_account payment_limit_exceeded payment_disputed
    partner_payment_not_found partner_action_not_supported payment_method_provider_decline
    payment_method_provider_timeout payment_method_not_available
    """
)
"""Another method's provider says no; the documentation calls none of them the end."""

_AUTHENTICATE = _codes(
    """
    authentication_required authentication_not_handled payment_intent_action_required
    invoice_payment_intent_requires_action
    """
)

_OF_THE_ACCOUNT = _codes(
    """
    account_country_invalid_address account_error_country_change_requires_additional_steps
    account_information_mismatch account_token_required_for_v2_account action_blocked
    alipay_upgrade_required anomalous_money_movement_request api_key_expired approval_required
    application_fees_not_allowed bitcoin_upgrade_required capability_not_active
    charge_exceeds_source_limit charge_exceeds_transaction_limit country_unsupported
    invalid_business_account livemode_mismatch not_allowed_on_standard_account
    ownership_declaration_not_allowed payment_method_configuration_failures
    payment_method_restricted payment_method_unactivated platform_account_required
    platform_api_key_expired progressive_onboarding_limit_exceeded request_blocked
    secret_key_required storer_capability_missing storer_capability_not_active
    testmode_charges_only three_d_secure_authentication_not_supported tls_version_unsupported
    """
)
"""The key, or what the merchant's account may do. `charge_exceeds_…` are the account's own limits
for bank debits."""

_OF_THE_REQUEST = _codes(
    """
    amount_too_large amount_too_small cardholder_phone_number_required charge_invalid_parameter
    customer_max_payment_methods email_invalid invalid_card_type invalid_characters
    invalid_charge_amount invalid_source_usage missing parameter_invalid_empty
    parameter_invalid_integer parameter_invalid_string_blank parameter_invalid_string_empty
    parameter_missing parameter_unknown parameters_exclusive
    payment_evaluation_on_api_version_not_supported payment_intent_incompatible_payment_method
    payment_intent_invalid_parameter payment_method_currency_mismatch
    payment_method_invalid_parameter payment_method_invalid_parameter_testmode
    payment_method_unsupported_type payment_method_unexpected_state resource_missing
    token_already_used token_card_network_invalid token_in_use url_invalid
    invalid_mandate_reference_prefix_format
    """
)
"""An amount, a currency or something else of what was asked."""

_OF_OTHER_CALLS = _codes(
    """
    acss_debit_session_incomplete balance_insufficient balance_invalid_parameter
    bank_account_exists capture_charge_authorization_expired capture_unauthorized_payment
    charge_already_refunded charge_disputed charge_expired_for_capture charge_not_refundable
    clearing_code_unsupported country_code_invalid coupon_expired customer_max_subscriptions
    customer_session_expired customer_tax_location_invalid dispute_evidence_page_limit_exceeded
    failed_tax_calculation financial_account_balance_does_not_support_currency
    financial_account_capability_not_enabled financial_account_capability_restricted
    financial_connections_account_inactive financial_connections_account_pending_account_numbers
    financial_connections_account_unavailable_account_numbers
    financial_connections_consent_locale_invalid financial_connections_consent_locale_unsupported
    financial_connections_no_successful_transaction_refresh forwarding_api_inactive
    forwarding_api_invalid_parameter forwarding_api_retryable_upstream_error
    forwarding_api_upstream_connection_error forwarding_api_upstream_connection_timeout
    forwarding_api_upstream_error instant_payouts_config_disabled
    instant_payouts_currency_disabled instant_payouts_limit_exceeded instant_payouts_unsupported
    intent_verification_method_missing invalid_canceled_subscription_fields invalid_tax_location
    invoice_no_customer_line_items invoice_no_payment_method_types
    invoice_no_subscription_line_items invoice_not_editable invoice_on_behalf_of_not_editable
    invoice_upcoming_none out_of_inventory payment_method_bank_account_already_verified
    payout_reconciliation_not_ready payouts_limit_exceeded payouts_not_allowed product_inactive
    refund_disputed_payment resource_already_exists return_intent_already_processed
    service_period_coupon_with_metered_tiered_item_unsupported setup_attempt_failed
    setup_intent_authentication_failure setup_intent_invalid_parameter
    setup_intent_mandate_invalid setup_intent_mobile_wallet_unsupported
    setup_intent_setup_attempt_expired setup_intent_unexpected_state shipping_address_invalid
    shipping_calculation_failed siret_invalid sku_inactive smart_disputes_not_available
    state_unsupported status_transition_invalid stripe_tax_inactive
    subscription_update_trial_after_billing_cycle_anchor tax_id_invalid tax_id_prohibited
    taxes_calculation_failed terminal_location_country_unsupported terminal_reader_busy
    terminal_reader_hardware_fault terminal_reader_invalid_location_for_activation
    terminal_reader_invalid_location_for_payment terminal_reader_offline terminal_reader_timeout
    transfer_source_balance_parameters_mismatch transfers_not_allowed
    """
)
"""Stripe has them for calls that we don't make when we charge. Should one come, our request was
not taken."""

_OPEN = _codes(
    """
    charge_already_captured idempotency_key_in_use intent_invalid_state lock_timeout
    payment_intent_rate_limit_exceeded payment_intent_unexpected_state rate_limit
    """
)

GROUPS: tuple[tuple[Verdict, frozenset[str]], ...] = (
    (Verdict.FINAL, _LOST_OR_REVOKED),
    (Verdict.FINAL, _CLOSED),
    (Verdict.FINAL, _WITHOUT_CONSENT),
    (Verdict.FINAL, _SUSPECTED),
    (Verdict.FINAL, _NEVER_FITS),
    (Verdict.SOFT, _BANK_SAYS_NO),
    (Verdict.SOFT, _DETAILS),
    (Verdict.SOFT, _IN_PERSON),
    (Verdict.SOFT, _NOT_CONFIRMED),
    (Verdict.SOFT, _PARTNERS),
    (Verdict.AUTHENTICATE, _AUTHENTICATE),
    (Verdict.REFUSED, _OF_THE_ACCOUNT),
    (Verdict.REFUSED, _OF_THE_REQUEST),
    (Verdict.REFUSED, _OF_OTHER_CALLS),
    (Verdict.OPEN, _OPEN),
)
"""Every published code, in exactly one group."""

VERDICTS: Mapping[str, Verdict] = MappingProxyType(
    {code: verdict for verdict, codes in GROUPS for code in codes}
)

FINAL_ADVICE = frozenset({"do_not_try_again"})
"""The bank's advice as Stripe words it (`advice_code`). `confirm_card_data` and `try_again_later`
leave the door open."""

FINAL_NETWORK_ADVICE = frozenset({"03", "21"})
"""The card network's own code (`network_advice_code`): do not try again; the cardholder has ended
the agreement."""


def verdict_of(
    code: str | None,
    decline_code: str | None = None,
    advice_code: str | None = None,
    network_advice_code: str | None = None,
) -> Verdict | None:
    """What the codes of one error say together, or None when neither the decline code nor the
    error code is published.

    The advice not to try again outweighs a code that would allow it: it is about this very
    payment. The decline code says more than the error code, which is `card_declined` for most.
    """
    known = (VERDICTS.get(one) for one in (decline_code, code) if one is not None)
    verdict = next((one for one in known if one is not None), None)
    if verdict in (Verdict.AUTHENTICATE, Verdict.REFUSED, Verdict.OPEN):
        return verdict
    if advice_code in FINAL_ADVICE or network_advice_code in FINAL_NETWORK_ADVICE:
        return Verdict.FINAL
    return verdict
