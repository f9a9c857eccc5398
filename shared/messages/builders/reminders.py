"""The emails ahead of a charge ([REMIND])."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.message import Message, MessageKind
from shared.messages.builders.agreement import agreement_of
from shared.messages.builders.charge import planned_charge
from shared.messages.builders.parts import calendar_days
from shared.messages.builders.telling import Telling
from shared.messages.facts.reminders import ReminderFacts

if TYPE_CHECKING:
    from shared.domain.money import Money
    from shared.domain.subscription import Subscription


def renewal_reminder(
    telling: Telling, *, subscription: Subscription, total_with_tax: Money
) -> Message:
    """Sent at 23:59 seven days before the charge of `subscription.next_period`, with how to
    cancel ([REMIND]). Dropped at sending unless that charge is still to come. Once per period."""
    return _reminder(MessageKind.RENEWAL_REMINDER, telling, subscription, total_with_tax)


def trial_ending(telling: Telling, *, subscription: Subscription, total_with_tax: Money) -> Message:
    """Sent at 23:59 seven days before the first charge after a trial, or at its start when it is
    shorter ([REMIND]). Dropped at sending unless that charge is still to come. Once per trial."""
    return _reminder(MessageKind.TRIAL_ENDING, telling, subscription, total_with_tax)


def _reminder(
    kind: MessageKind, telling: Telling, subscription: Subscription, total_with_tax: Money
) -> Message:
    period = subscription.next_period
    first_day, last_day = calendar_days(subscription, period)
    charge = planned_charge(subscription, telling.customer, total_with_tax)
    assert charge is not None, "what a calendar drives has a moment"
    facts = ReminderFacts(
        greeting=telling.customer.name,
        zone=subscription.zone,
        agreement=agreement_of(subscription, telling.business),
        charge=charge,
        first_day=first_day,
        last_day=last_day,
    )
    return telling.message(
        kind, f"{subscription.id}:{period}", facts, only_while=subscription.id, period=period
    )
