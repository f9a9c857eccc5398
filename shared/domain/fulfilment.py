"""What a settled order brings: packs, subscriptions, and what subscriptions know of their packs.

Pure: everything is made from the order or the subscription's terms, with ids derived from the
charge, so that settling twice would make the very same things.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from shared.domain.calendar import (
    local_date,
    trial_anchor,
)
from shared.domain.dunning import FirstSlot
from shared.domain.granting import (
    Granted,
    grant_bought_pack,
    grant_next_pack,
    grant_period_pack,
    grant_trial_pack,
)
from shared.domain.last_pack import remember_pack
from shared.domain.order import Due, OrderLine
from shared.domain.pack import Pack, period_pack_id
from shared.domain.product_kind import ProductKind
from shared.domain.recurring import NextPack, Recurring
from shared.domain.subscription import (
    Subscription,
    SubscriptionState,
)

if TYPE_CHECKING:
    from shared.domain.business import Location


class Fulfilment(NamedTuple):
    """All that an order brings."""

    granted: tuple[Granted, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    next_packs: tuple[Pack, ...] = ()
    """Those of `granted` that go on with a subscription which was there before ([RECUR])."""
    access: tuple[str, ...] = ()


def begin_subscription(
    *,
    subscription_id: str,
    line: OrderLine,
    customer_id: str,
    location: Location,
    invoice_id: str,
    now: datetime,
) -> Subscription:
    """The subscription that an order's line agrees to, before any pack is granted."""
    assert line.terms is not None and line.frequency is not None and line.starts_on is not None
    trial = line.due is Due.AFTER_TRIAL
    anchor = (
        trial_anchor(line.starts_on, line.trial_days)
        if trial and line.trial_days
        else line.starts_on
    )
    state, first, next_period = {
        Due.NOW: (SubscriptionState.ACTIVE, None, 1),
        Due.LATER: (SubscriptionState.SCHEDULED, FirstSlot.AT_DAY_START, 0),
        Due.AFTER_TRIAL: (SubscriptionState.TRIALING, FirstSlot.AT_2359, 0),
    }[line.due]
    return Subscription(
        id=subscription_id,
        customer_id=customer_id,
        location_id=location.id,
        zone=location.zone,
        state=state,
        terms=line.terms,
        frequency=line.frequency,
        anchor=anchor,
        created_at=now,
        first_invoice_id=invoice_id,
        reminds=line.reminds,
        next_period=next_period,
        until=line.until,
        collected_by=line.collected_by,
        card_id=line.card_id,
        first=first,
        trial_days=line.trial_days if trial else None,
        trial_from=line.starts_on if trial else None,
        payments_made=1 if line.due is Due.NOW else 0,
    )


def _begin_recurring(
    line: OrderLine,
    *,
    subscription_id: str,
    entry_id: str,
    customer_id: str,
    location: Location,
    invoice_id: str,
    now: datetime,
) -> tuple[Subscription, Granted]:
    """The subscription that buying a package which recurs begins, with its first pack
    ([RECUR])."""
    assert line.terms is not None and line.recurs_when is not None
    assert line.next_payment is not None
    granted = grant_next_pack(
        pack_id=period_pack_id(subscription_id, 0),
        entry_id=entry_id,
        next_pack=NextPack(subscription_id=subscription_id, period=0, recurs_when=line.recurs_when),
        terms=line.terms,
        customer_id=customer_id,
        location=location,
        invoice_id=invoice_id,
        now=now,
    )
    begun = Subscription(
        id=subscription_id,
        customer_id=customer_id,
        location_id=location.id,
        zone=location.zone,
        state=SubscriptionState.ACTIVE,
        terms=line.terms,
        recurring=Recurring(when=line.recurs_when, next_payment=line.next_payment),
        anchor=local_date(now, location.zone),
        created_at=now,
        first_invoice_id=invoice_id,
        reminds=False,
        next_period=1,
        payments_made=1,
    )
    return remember_pack(begun, granted.pack), granted


def fulfil(
    order: tuple[OrderLine, ...],
    *,
    charge_id: str,
    customer_id: str,
    location: Location,
    invoice_id: str,
    now: datetime,
) -> Fulfilment:
    """Everything that a settled order brings, each line by its own rule ([CART])."""
    granted: list[Granted] = []
    begun: list[Subscription] = []
    next_packs: list[Pack] = []
    access: list[str] = []
    for at, line in enumerate(order):
        match line.kind:
            case ProductKind.RETAIL:
                pass
            case ProductKind.ACCESS:
                access.append(line.product_id)
            case ProductKind.PACKAGE if line.next_pack is not None:
                assert line.terms is not None
                following = grant_next_pack(
                    pack_id=f"{charge_id}-{at:02d}",
                    entry_id=charge_id,
                    next_pack=line.next_pack,
                    terms=line.terms,
                    customer_id=customer_id,
                    location=location,
                    invoice_id=invoice_id,
                    now=now,
                )
                granted.append(following)
                next_packs.append(following.pack)
            case ProductKind.PACKAGE if line.recurs_when is not None:
                recurring, first = _begin_recurring(
                    line,
                    subscription_id=f"{charge_id}-{at:02d}",
                    entry_id=charge_id,
                    customer_id=customer_id,
                    location=location,
                    invoice_id=invoice_id,
                    now=now,
                )
                granted.append(first)
                begun.append(recurring)
            case ProductKind.PACKAGE:
                assert line.terms is not None
                granted.extend(
                    grant_bought_pack(
                        pack_id=f"{charge_id}-{at:02d}-{copy:02d}",
                        entry_id=charge_id,
                        terms=line.terms,
                        customer_id=customer_id,
                        location=location,
                        invoice_id=invoice_id,
                        now=now,
                    )
                    for copy in range(line.quantity)
                )
            case ProductKind.SUBSCRIPTION:
                subscription = begin_subscription(
                    subscription_id=f"{charge_id}-{at:02d}",
                    line=line,
                    customer_id=customer_id,
                    location=location,
                    invoice_id=invoice_id,
                    now=now,
                )
                own = _first_pack(subscription, line, location, invoice_id, charge_id, now)
                if own is not None:
                    granted.append(own)
                    subscription = remember_pack(subscription, own.pack)
                begun.append(subscription)
    return Fulfilment(
        granted=tuple(granted),
        subscriptions=tuple(begun),
        next_packs=tuple(next_packs),
        access=tuple(access),
    )


def _first_pack(
    subscription: Subscription,
    line: OrderLine,
    location: Location,
    invoice_id: str,
    charge_id: str,
    now: datetime,
) -> Granted | None:
    pack_id = period_pack_id(subscription.id, 0)
    match line.due:
        case Due.NOW:
            return grant_period_pack(
                pack_id=pack_id,
                entry_id=charge_id,
                subscription=subscription,
                period=0,
                location=location,
                invoice_id=invoice_id,
                now=now,
            )
        case Due.AFTER_TRIAL:
            assert line.starts_on is not None
            return grant_trial_pack(
                pack_id=pack_id,
                entry_id=charge_id,
                subscription=subscription,
                starts_on=line.starts_on,
                location=location,
                now=now,
            )
        case Due.LATER:
            return None
