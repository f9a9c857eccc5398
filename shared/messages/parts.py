"""Parts of facts, computed from entities: what several emails tell alike."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from shared.domain.card import Card
from shared.domain.charge import NOT_SET_UP
from shared.domain.customer import Customer
from shared.domain.dunning import slot_moment
from shared.domain.invoice import Invoice
from shared.domain.money import Money
from shared.domain.pack import Pack
from shared.domain.product import Catalogue, Location
from shared.domain.subscription import (
    CollectedBy,
    Collection,
    Subscription,
    SubscriptionState,
)
from shared.messages.facts import Agreement, Bill, CardShown, Line, NextCharge, PackShown, Paid

_REASONS: Mapping[str, str] = {
    "insufficient_funds": "The bank says there wasn't enough money available.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The card's security code didn't match.",
    "processing_error": "The bank had a problem while processing it.",
    NOT_SET_UP: "This card can't be charged any more.",
}
"""What a customer is told. Everything else, a lost or stolen card too, is the bank's "no": the
mailbox may be read by somebody who should not learn more."""

DECLINED = "The bank declined it."


def place_of(catalogue: Catalogue, location_id: str) -> Location:
    """The location, or the first one when the catalogue no longer has it."""
    return catalogue.location(location_id) or catalogue.locations[0]


def reason_in_words(decline_code: str | None) -> str:
    return _REASONS.get(decline_code or "", DECLINED)


def shown(card: Card | None) -> CardShown | None:
    return None if card is None else CardShown(brand=card.brand, last4=card.last4)


def calendar_days(subscription: Subscription, period: int) -> tuple[date, date]:
    """The first and the last day of `period`. `ValueError` where no calendar drives it."""
    first, last = subscription.starts(period), subscription.ends(period)
    if first is None or last is None:
        raise ValueError(f"{subscription.id} has no calendar")
    return first, last


def last_slot(subscription: Subscription, collection: Collection) -> datetime:
    """When the last try of the period that is being collected comes ([RETRY])."""
    return slot_moment(
        collection.first_day,
        collection.policy.tries - 1,
        collection.policy,
        subscription.zone,
        first=collection.first,
    )


def next_charge_of(
    subscription: Subscription, customer: Customer, total_with_tax: Money
) -> NextCharge | None:
    """The charge of `subscription.next_period`; None when there will be none, and while it is
    paused."""
    period = subscription.next_period
    if subscription.over or subscription.ends_next:
        return None
    if subscription.state is SubscriptionState.PAUSED:
        return None
    if not subscription.within_until(period):
        return None
    return planned_charge(subscription, customer, total_with_tax)


def planned_charge(
    subscription: Subscription, customer: Customer, total_with_tax: Money
) -> NextCharge | None:
    """The charge of `subscription.next_period`, whatever may still come between; None while nobody
    knows when it comes."""
    at = subscription.charged_at(subscription.next_period)
    if at is None:
        return None
    by_card = subscription.collected_by is CollectedBy.CARD
    return NextCharge(
        at=at.astimezone(UTC),
        amount=total_with_tax,
        tax=total_with_tax - subscription.terms.price,
        card=shown(customer.card_for(subscription.card_id)) if by_card else None,
    )


def agreement_of(subscription: Subscription, catalogue: Catalogue) -> Agreement:
    terms = subscription.terms
    service = catalogue.service(terms.service_id)
    recurring = subscription.recurring
    name = f"{terms.name}, {terms.standing.words}" if terms.standing else terms.name
    return Agreement(
        id=subscription.id,
        name=name,
        frequency=subscription.frequency,
        recurs=recurring.when if recurring else None,
        by_hand=recurring is not None and recurring.by_hand,
        expected_at=recurring.expected_at if recurring else None,
        goes_on=not subscription.over and not subscription.ends_next,
        price=terms.price,
        credits=terms.credits,
        service="" if service is None else service.name,
        until=subscription.until,
        minimum_payments=terms.minimum_payments,
        payments_remaining=subscription.payments_remaining,
        paused=subscription.state is SubscriptionState.PAUSED,
        by_recording=subscription.collected_by is CollectedBy.RECORDING,
    )


def bill_of(invoice: Invoice, place: Location) -> Bill:
    return Bill(
        invoice_id=invoice.id,
        order_id=invoice.order_id,
        number=invoice.number,
        created_at=invoice.created_at,
        location=place.name,
        lines=tuple(
            Line(
                name=line.name,
                detail=line.detail,
                quantity=line.quantity,
                unit=line.unit,
                amount=line.amount,
            )
            for line in invoice.lines
        ),
        subtotal=invoice.subtotal,
        tax_name=invoice.tax_name,
        tax=invoice.tax,
        total=invoice.total,
        owed=invoice.owed,
        payments=tuple(
            Paid(
                kind=payment.kind,
                at=payment.at,
                amount=payment.amount,
                brand=payment.brand,
                last4=payment.last4,
            )
            for payment in invoice.payments
        ),
    )


def pack_shown(pack: Pack, catalogue: Catalogue) -> PackShown:
    service = catalogue.service(pack.service_id)
    return PackShown(
        id=pack.id,
        name=pack.name,
        service="" if service is None else service.name,
        granted=pack.granted,
        left=pack.left,
        expires_at=pack.expires_at,
    )
