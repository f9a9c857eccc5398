"""A subscription, its charge and its customer, for tests of the rules around them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from shared.domain.business import Location
from shared.domain.calendar import Frequency
from shared.domain.collecting import open_collection
from shared.domain.dunning import RetryPolicy
from shared.domain.money import Money
from shared.domain.pack import Pack
from shared.domain.subscription import Subscription, SubscriptionState
from shared.domain.terms import Terms

NEW_YORK = Location(
    id="ny", name="Brooklyn", zone="America/New_York", currency="USD", tax_rate=Decimal("0.0825")
)
POLICY = RetryPolicy()


def utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def terms_of(**other: Any) -> Terms:
    values: dict[str, Any] = {
        "product_id": "month",
        "name": "Month",
        "price": Money(minor=4900, currency="USD"),
        "credits": 8,
        "taxed": True,
        **other,
    }
    return Terms(**values)


def subscription_of(**other: Any) -> Subscription:
    """Monthly from 31 January 2026 in New York, its period 0 paid."""
    values: dict[str, Any] = {
        "id": "s",
        "customer_id": "ada",
        "location_id": "ny",
        "zone": NEW_YORK.zone,
        "state": SubscriptionState.ACTIVE,
        "terms": terms_of(),
        "frequency": Frequency.MONTHLY,
        "anchor": date(2026, 1, 31),
        "created_at": utc("2026-01-31 15:00"),
        "first_invoice_id": "i",
        "next_period": 1,
        "payments_made": 1,
        **other,
    }
    return Subscription(**values)


def collected(
    subscription: Subscription, now: datetime | None = None, policy: RetryPolicy = POLICY
) -> Subscription:
    """Its next period is being collected, at its own moment or at `now`."""
    due_at = subscription.charged_at(subscription.next_period)
    assert due_at is not None
    return open_collection(
        subscription,
        source="s.x",
        invoice_id="i",
        policy=policy,
        reminds=True,
        now=now or due_at,
    )


def pack_of(**other: Any) -> Pack:
    values: dict[str, Any] = {
        "id": "p",
        "customer_id": "ada",
        "location_id": "ny",
        "zone": NEW_YORK.zone,
        "product_id": "ten",
        "name": "Ten",
        "granted": 10,
        "left": 10,
        "bought_at": utc("2026-03-10 15:00"),
        "usable_from": utc("2026-03-10 15:00"),
        **other,
    }
    return Pack(**values)
