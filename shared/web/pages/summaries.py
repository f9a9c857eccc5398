"""From what is stored to the parts of the answers (`parts.py`): the same for every page."""

from collections.abc import Collection, Iterable
from datetime import datetime

from shared.domain.card import Card
from shared.domain.charge import Attempt, By, Charge
from shared.domain.customer import Customer
from shared.domain.invoice import Invoice, InvoiceLine, LineKind, PaymentKind
from shared.domain.money import Money
from shared.domain.pack import Entry, Pack, PackStatus
from shared.domain.product import Catalogue
from shared.domain.subscription import Subscription, begins_at, paid_until
from shared.domain.weekly import Standing
from shared.operations.forecast import Ahead, next_ahead
from shared.web.pages.parts import (
    AttemptView,
    CardView,
    ChargeAhead,
    ChargeView,
    CreditsLeft,
    EntryView,
    InvoiceSummary,
    LineView,
    PackSummary,
    PastDueView,
    PaymentRow,
    PaymentView,
    SubscriptionSummary,
    Totals,
    UpcomingCharge,
    WeeklyTime,
)

UNTIL_PERIODS_MAX = 600
"""How many periods ahead the end by `until` is looked for: more than ten years of weeks."""


def place_name(catalogue: Catalogue, location_id: str) -> str:
    location = catalogue.location(location_id)
    return location.name if location else location_id


def zone_of(catalogue: Catalogue, location_id: str) -> str:
    location = catalogue.location(location_id)
    return location.zone if location else "UTC"


def _service(catalogue: Catalogue, service_id: str | None) -> tuple[str, str]:
    """Its name, and what one credit of it is called."""
    service = catalogue.service(service_id)
    return (service.name, service.unit) if service else ("", "credit")


def staff_name(catalogue: Catalogue, person_id: str | None) -> str:
    """The name of who leads something; empty for nobody."""
    person = catalogue.staff_person(person_id)
    return person.name if person else ""


def weekly_time(standing: Standing, catalogue: Catalogue) -> WeeklyTime:
    """When a standing weekly reservation is ([WEEKLY])."""
    return WeeklyTime(
        weekday=standing.weekday,
        clock=standing.clock,
        name=standing.name,
        staff_member=staff_name(catalogue, standing.staff_member),
        participants=standing.participants,
    )


# --- cards -----------------------------------------------------------------------------------


def card_view(
    card: Card, customer: Customer, now: datetime, set_up: Collection[str] | None = None
) -> CardView:
    """A card is good through the last day of its month. `set_up` are the providers that there are;
    None: nobody can say now, or it does not matter."""
    return CardView(
        id=card.id,
        brand=card.brand,
        last4=card.last4,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        default=card.id == customer.default_card,
        expired=card.expired(now),
        chargeable=set_up is None or card.provider in set_up,
    )


def card_views(
    customer: Customer, now: datetime, set_up: Collection[str] | None = None
) -> tuple[CardView, ...]:
    return tuple(card_view(card, customer, now, set_up) for card in customer.cards)


# --- packs -----------------------------------------------------------------------------------


def pack_summary(pack: Pack, catalogue: Catalogue, now: datetime) -> PackSummary:
    service, unit = _service(catalogue, pack.service_id)
    return PackSummary(
        id=pack.id,
        name=pack.name,
        status=pack.status(now),
        unlimited=pack.unlimited,
        granted=pack.granted,
        left=pack.left,
        service=service,
        unit=unit,
        location_id=pack.location_id,
        location=place_name(catalogue, pack.location_id),
        zone=pack.zone,
        bought_at=pack.bought_at,
        usable_from=pack.usable_from,
        expires_at=pack.expires_at,
        expires_with_next=pack.expires_with_next,
        frozen_at=pack.frozen_at,
        trial=pack.trial,
        to_come=pack.granted - pack.advanced if pack.unpaid and pack.granted is not None else None,
        holds_place_at=(
            min((one.starts_at for one in pack.booked), default=None) if pack.unpaid else None
        ),
        subscription_id=pack.subscription_id,
        invoice_id=pack.invoice_id,
    )


def entry_view(entry: Entry) -> EntryView:
    return EntryView(
        id=entry.id,
        kind=entry.kind,
        delta=entry.delta,
        left=entry.left,
        at=entry.at,
        reason=entry.reason,
        by=entry.by,
        invoice_id=entry.invoice_id,
        reservation_id=entry.reservation_id,
        activity_id=entry.activity_id,
        activity_name=entry.activity_name,
        activity_at=entry.activity_at,
        activity_zone=entry.activity_zone,
    )


def without_names(entry: EntryView) -> EntryView:
    """Without the address of the staff member behind it, which is for the console."""
    known = entry.by in ("", By.CUSTOMER.value, By.CLOCK.value)
    return entry if known else entry.model_copy(update={"by": By.STAFF.value})


def credits_left(
    packs: Iterable[Pack], catalogue: Catalogue, now: datetime
) -> tuple[CreditsLeft, ...]:
    """What is left over the packs that can be used now, by service; packs of 0 credits aside."""
    by_service: dict[str, list[Pack]] = {}
    for pack in packs:
        if pack.status(now) is PackStatus.ACTIVE and pack.left != 0:
            by_service.setdefault(pack.service_id or "", []).append(pack)
    found = []
    for service_id, usable in by_service.items():
        name, unit = _service(catalogue, service_id)
        unlimited = any(pack.unlimited for pack in usable)
        ends = [(pack.expires_at, pack.zone) for pack in usable if pack.expires_at is not None]
        first, zone = min(ends, default=(None, usable[0].zone))
        found.append(
            CreditsLeft(
                service=name,
                unit=unit,
                left=None if unlimited else sum(pack.left or 0 for pack in usable),
                unlimited=unlimited,
                packs=len(usable),
                next_expiry_at=first,
                zone=zone,
            )
        )
    return tuple(sorted(found, key=lambda one: one.service))


# --- subscriptions ---------------------------------------------------------------------------


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
    sums: dict[str, Money] = {}
    for line in lines:
        total = line.expected.total
        sums[total.currency] = sums.get(total.currency, Money.zero(total.currency)) + total
    return tuple(sums[currency] for currency in sorted(sums))


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
    subscription: Subscription, catalogue: Catalogue, customer: Customer, now: datetime
) -> SubscriptionSummary:
    """A subscription with its next charge as the clock will make it."""
    service, unit = _service(catalogue, subscription.terms.service_id)
    line = next_ahead(catalogue, customer, subscription, now)
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
        location=place_name(catalogue, subscription.location_id),
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
            weekly_time(subscription.terms.standing, catalogue)
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


# --- money -----------------------------------------------------------------------------------


def line_view(line: InvoiceLine) -> LineView:
    return LineView(
        kind=line.kind,
        name=line.name,
        detail=line.detail,
        quantity=line.quantity,
        unit=line.unit,
        amount=line.amount,
        tax=line.tax,
    )


def totals_of(lines: Iterable[InvoiceLine], currency: str, tax_name: str) -> Totals:
    """The sums of `lines`; zeros of `currency` when there are none."""
    subtotal = tax = Money.zero(currency)
    for line in lines:
        subtotal, tax = subtotal + line.amount, tax + line.tax
    return Totals(subtotal=subtotal, tax_name=tax_name, tax=tax, total=subtotal + tax)


def described(invoice: Invoice) -> str:
    """What an invoice is for, in one line."""
    sold = (line.name for line in invoice.lines if line.kind is not LineKind.CREDIT)
    return ", ".join(dict.fromkeys(sold))


def invoice_summary(invoice: Invoice, catalogue: Catalogue) -> InvoiceSummary:
    return InvoiceSummary(
        id=invoice.id,
        order_id=invoice.order_id,
        number=invoice.number,
        state=invoice.state,
        status=invoice.status,
        created_at=invoice.created_at,
        zone=zone_of(catalogue, invoice.location_id),
        location=place_name(catalogue, invoice.location_id),
        description=described(invoice),
        total=invoice.total,
        owed=invoice.owed,
        subscription_id=invoice.subscription_id,
    )


def payment_views(invoice: Invoice) -> tuple[PaymentView, ...]:
    return tuple(
        PaymentView(kind=one.kind, at=one.at, amount=one.amount, brand=one.brand, last4=one.last4)
        for one in invoice.payments
    )


_WENT_BACK = frozenset({PaymentKind.REFUND, PaymentKind.REVERSAL})


def payment_row(invoice: Invoice, catalogue: Catalogue) -> PaymentRow:
    """An invoice as a row of the payment history: when it was paid, or made while it is not."""
    paid = [one for one in invoice.payments if one.kind not in _WENT_BACK]
    last = paid[-1] if paid else None
    return PaymentRow(
        at=last.at if last else invoice.created_at,
        amount=invoice.total,
        order_id=invoice.order_id,
        status=invoice.status,
        description=described(invoice),
        invoice_id=invoice.id,
        brand=last.brand if last else "",
        last4=last.last4 if last else "",
        zone=zone_of(catalogue, invoice.location_id),
    )


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
