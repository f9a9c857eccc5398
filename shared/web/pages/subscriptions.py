"""Subscriptions and their charges to come, for people and programs ([FORECAST])."""

from collections.abc import Iterable
from datetime import date, datetime

from pydantic import AwareDatetime

from shared.domain.business import Business
from shared.domain.calendar import Frequency
from shared.domain.collected_by import CollectedBy
from shared.domain.customer import Attention, Customer
from shared.domain.ending import EndReason
from shared.domain.money import Money, total
from shared.domain.next_payment import NextPayment
from shared.domain.recurs_when import RecursWhen
from shared.domain.subscription import (
    PausedBy,
    Subscription,
    SubscriptionState,
    begins_at,
    paid_until,
)
from shared.operations.forecast import Ahead, next_ahead
from shared.web.answer import View
from shared.web.pages.cards import CardView, card_view
from shared.web.pages.names import place_name, service_words
from shared.web.pages.weekly import WeeklyTime, weekly_time

UNTIL_PERIODS_MAX = 600
"""How many periods ahead the end by `until` is looked for: more than ten years of weeks."""


class ChargeAhead(View):
    """The next charge of a subscription: how much in all, tax included, when and on which card.
    `card` None: there is none on file, or no card is asked, since it is collected by recording."""

    period: int
    at: AwareDatetime
    starts_on: date | None = None
    amount: Money
    card: CardView | None = None
    collected_by: CollectedBy = CollectedBy.CARD


class UpcomingCharge(View):
    """A charge to come of one of a customer's subscriptions, by name."""

    subscription_id: str
    name: str
    zone: str
    charge: ChargeAhead


class SubscriptionSummary(View):
    """A subscription in one row. `price` is of one period, before tax. `ends_at` is set when it is
    to end, or has: at a period's end, by `until`, or cancelled. Without a `frequency` it recurs
    with its packs: `next_pack_at` is when the next one comes at the latest, if that is known;
    `in_cart`: it waits in the cart ([RECUR]). `paused_at`: since when staff, or the retry policy,
    have paused it."""

    id: str
    name: str
    state: SubscriptionState
    price: Money
    frequency: Frequency | None = None
    recurs_when: RecursWhen | None = None
    next_payment: NextPayment | None = None
    next_pack_at: AwareDatetime | None = None
    in_cart: bool = False
    service: str = ""
    unit: str = "credit"
    credits: int | None = None
    unlimited: bool = False
    location_id: str
    location: str
    zone: str
    anchor: date
    until: date | None = None
    collected_by: CollectedBy = CollectedBy.CARD
    next_charge: ChargeAhead | None = None
    cancel_at_period_end: bool = False
    cancel_requested_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    end_reason: EndReason | None = None
    weekly: WeeklyTime | None = None
    paused_at: AwareDatetime | None = None
    paused_by: PausedBy | None = None


class PastDueView(View):
    """A failing charge ([PASTDUE]). `next_try_at` None: no further automatic try. `paused`: none
    until its subscription is resumed. Collected by recording it is to be paid before `pay_by`."""

    subscription_id: str
    name: str
    owed: Money
    zone: str
    next_try_at: AwareDatetime | None = None
    paused: bool = False
    collected_by: CollectedBy = CollectedBy.CARD
    pay_by: AwareDatetime | None = None
    needs: Attention = Attention.CARD
    confirm_url: str | None = None


def charge_ahead(line: Ahead, customer: Customer, now: datetime) -> ChargeAhead:
    return ChargeAhead(
        period=line.expected.period,
        at=line.expected.at,
        starts_on=line.expected.starts_on,
        amount=line.expected.total,
        card=card_view(line.card, customer, now) if line.card else None,
        collected_by=line.subscription.collected_by,
    )


def upcoming_charge(line: Ahead, customer: Customer, now: datetime) -> UpcomingCharge:
    return UpcomingCharge(
        subscription_id=line.subscription.id,
        name=line.subscription.terms.name,
        zone=line.subscription.zone,
        charge=charge_ahead(line, customer, now),
    )


def sums_ahead(lines: Iterable[Ahead]) -> tuple[Money, ...]:
    """What `lines` come to per currency, tax included."""
    found: dict[str, list[Money]] = {}
    for line in lines:
        amount, tax = line.expected.amount, line.expected.tax
        found.setdefault(amount.currency, []).extend((amount, tax))
    return tuple(total(found[currency], currency) for currency in sorted(found))


def ends_at(subscription: Subscription) -> datetime | None:
    """When it ended, or is to end (UTC): with its period, after its commitment, or by `until`.
    None while it goes on."""
    if subscription.over:
        return subscription.ended_at
    if subscription.cancel_at_period_end:
        return paid_until(subscription)
    last = subscription.next_period
    if subscription.cancel_after_commitment:
        return begins_at(subscription, last + subscription.payments_remaining)
    if subscription.until is None:
        return None
    for period in range(last, last + UNTIL_PERIODS_MAX):
        if not subscription.within_until(period):
            return begins_at(subscription, period)
    return None


def subscription_summary(
    subscription: Subscription, business: Business, customer: Customer, now: datetime
) -> SubscriptionSummary:
    """A subscription with its next charge as the clock will make it."""
    service, unit = service_words(business, subscription.terms.service_id)
    line = next_ahead(business, customer, subscription, now)
    recurring = subscription.recurring
    return SubscriptionSummary(
        id=subscription.id,
        name=subscription.terms.name,
        state=subscription.state,
        price=subscription.terms.price,
        frequency=subscription.frequency,
        recurs_when=recurring.when if recurring else None,
        next_payment=recurring.next_payment if recurring else None,
        next_pack_at=None if recurring is None or subscription.over else recurring.expected_at,
        in_cart=subscription.in_cart,
        service=service,
        unit=unit,
        credits=subscription.terms.credits,
        unlimited=subscription.terms.credits is None,
        location_id=subscription.location_id,
        location=place_name(business, subscription.location_id),
        zone=subscription.zone,
        anchor=subscription.anchor,
        until=subscription.until,
        collected_by=subscription.collected_by,
        next_charge=charge_ahead(line, customer, now) if line else None,
        cancel_at_period_end=subscription.cancel_at_period_end,
        cancel_requested_at=subscription.cancel_requested_at,
        ends_at=ends_at(subscription),
        end_reason=subscription.end_reason,
        weekly=(
            weekly_time(subscription.terms.standing, business)
            if subscription.terms.standing
            else None
        ),
        paused_at=subscription.pause.at if subscription.pause else None,
        paused_by=subscription.pause.by if subscription.pause else None,
    )


def past_due_views(customer: Customer) -> tuple[PastDueView, ...]:
    """What fails, as the head of the customer knows it."""
    return tuple(
        PastDueView(
            subscription_id=one.subscription_id,
            name=one.name,
            owed=one.owed,
            zone=one.zone,
            next_try_at=one.next_try_at,
            paused=one.paused,
            collected_by=one.collected_by,
            pay_by=one.pay_by,
            needs=one.needs,
            confirm_url=one.confirm_url,
        )
        for one in customer.past_due
    )
