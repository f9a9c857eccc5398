"""Charges and every try of them, for people and programs."""

from datetime import date

from pydantic import AwareDatetime

from shared.domain.by import By
from shared.domain.charge import Attempt, Charge
from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.domain.subscription import Subscription
from shared.web.answer import View


class AttemptView(View):
    """One try to collect: when, who started it, on which card, and what it came to."""

    id: str
    at: AwareDatetime
    by: By
    brand: str
    last4: str
    outcome: Outcome
    decided_at: AwareDatetime | None = None
    decline_code: str | None = None


class ChargeView(View):
    """A period's charge with every try. `outcome` None: not tried yet. `starts_on` is the first
    day of the period it pays for; None: its pack says it."""

    id: str
    period: int
    starts_on: date | None = None
    invoice_id: str
    amount: Money
    outcome: Outcome | None
    settled_at: AwareDatetime | None = None
    given_up: bool = False
    attempts: tuple[AttemptView, ...] = ()


def attempt_view(attempt: Attempt) -> AttemptView:
    """As its customer sees it: what troubles the merchant at the provider is for staff."""
    return AttemptView(
        id=attempt.id,
        at=attempt.started_at,
        by=attempt.by,
        brand=attempt.card.brand,
        last4=attempt.card.last4,
        outcome=attempt.outcome,
        decided_at=attempt.decided_at,
        decline_code=None if attempt.merchants_trouble else attempt.decline_code,
    )


def charge_view(charge: Charge, subscription: Subscription) -> ChargeView:
    """A period's charge with every try, oldest first."""
    period = charge.period or 0
    return ChargeView(
        id=charge.id,
        period=period,
        starts_on=subscription.starts(period),
        invoice_id=charge.invoice_id,
        amount=charge.amount,
        outcome=charge.outcome,
        settled_at=charge.settled_at,
        given_up=charge.given_up,
        attempts=tuple(attempt_view(one) for one in charge.attempts),
    )
