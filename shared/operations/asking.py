"""Asking the provider: the act between intent and settling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.by import By
from shared.domain.charge import Charge, Purpose
from shared.domain.outcome import NOT_SET_UP, Outcome
from shared.providers.errors import NoSuchProvider, ProviderUnavailable, RequestRefused
from shared.providers.port import ChargeRequest, ChargeResult

if TYPE_CHECKING:
    from shared.operations.context import Context


def ask(context: Context, charge: Charge) -> ChargeResult:
    """Call the provider for the last attempt. Never raises for what the provider does: an answer
    that did not come is `UNKNOWN`; a request that it won't take is `REFUSED`, and so is one to a
    provider that is not set up any more ([MANY])."""
    attempt = charge.last
    assert attempt is not None
    try:
        provider = context.provider(attempt.card.provider)
        return provider.charge(
            ChargeRequest(
                charge_ref=charge.ref,
                attempt_id=attempt.id,
                amount=attempt.amount,
                provider_customer=attempt.provider_customer,
                card_token=attempt.card.token,
                description=charge.description,
                return_url=return_url(context, charge),
                customer_present=attempt.by is By.CUSTOMER,
                continues=(
                    charge.continued_by(attempt) if provider.one_object_per_charge else None
                ),
                unanswered=charge.lost_before(attempt),
            )
        )
    except NoSuchProvider:
        return ChargeResult(outcome=Outcome.REFUSED, decline_code=NOT_SET_UP)
    except ProviderUnavailable:
        # Not even its settings could be read: nothing was sent.
        return ChargeResult(outcome=Outcome.UNKNOWN, repeatable=True)
    except RequestRefused as refused:
        return ChargeResult(outcome=Outcome.REFUSED, decline_code=f"request_refused: {refused}")


def return_url(context: Context, charge: Charge) -> str:
    """Where the provider sends a customer who has confirmed a payment."""
    match charge.purpose:
        case Purpose.CHECKOUT:
            return f"{context.public_url}/orders/{charge.source}"
        case Purpose.INVOICE:
            return f"{context.public_url}/invoices/{charge.invoice_id}"
        case Purpose.PERIOD:
            return f"{context.public_url}/subscriptions/{charge.subscription_id}"
