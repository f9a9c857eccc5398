"""What a settled payment brings: packs with their first ledger entry, and subscriptions.

Pure: everything is made from the order or the subscription's terms, with ids derived from the
charge, so that settling twice would make the very same things.
"""

from datetime import date, datetime, timedelta

from pydantic import BaseModel, ConfigDict

from shared.domain.calendar import (
    expiry_of,
    first_day_of_period_pack,
    local_date,
    minute_before_midnight,
    start_of_day,
    trial_anchor,
)
from shared.domain.dunning import FirstSlot
from shared.domain.order import Due, OrderLine
from shared.domain.pack import Entry, EntryKind, Pack, next_turn
from shared.domain.product import Location, ProductKind, ValidFrom
from shared.domain.recurring import NextPack, Recurring
from shared.domain.subscription import (
    PACKS_REMEMBERED,
    Subscription,
    SubscriptionState,
    Terms,
)
from shared.domain.weekly import place_of_week


class Granted(BaseModel):
    """A pack and the ledger entry that explains it."""

    model_config = ConfigDict(frozen=True)

    pack: Pack
    entry: Entry


class Fulfilment(BaseModel):
    """All that an order brings."""

    model_config = ConfigDict(frozen=True)

    granted: tuple[Granted, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    next_packs: tuple[Pack, ...] = ()
    """Those of `granted` that go on with a subscription which was there before ([RECUR])."""
    access: tuple[str, ...] = ()


def expiry_by_terms(terms: Terms, first_day: date, zone: str) -> datetime | None:
    """When a pack whose first counted day is `first_day` expires, by its own validity."""
    return expiry_of(first_day, zone, days=terms.validity_days, months=terms.validity_months)


def _grant(pack: Pack, entry_id: str, now: datetime, reason: str) -> Granted:
    return Granted(
        pack=pack,
        entry=Entry(
            id=entry_id,
            pack_id=pack.id,
            customer_id=pack.customer_id,
            kind=EntryKind.GRANT,
            delta=pack.granted or 0,
            left=pack.granted,
            at=now,
            reason=reason,
            invoice_id=pack.invoice_id,
        ),
    )


def _pack(
    *,
    pack_id: str,
    terms: Terms,
    customer_id: str,
    location: Location,
    now: datetime,
    usable_from: datetime,
    expires_at: datetime | None,
    invoice_id: str | None,
) -> Pack:
    return Pack(
        id=pack_id,
        customer_id=customer_id,
        location_id=location.id,
        zone=location.zone,
        product_id=terms.product_id,
        name=terms.name,
        service_id=terms.service_id,
        granted=terms.credits,
        left=terms.credits,
        bought_at=now,
        usable_from=usable_from,
        expires_at=expires_at,
        invoice_id=invoice_id,
        valid_from=terms.valid_from,
        validity_days=terms.validity_days,
        validity_months=terms.validity_months,
        hourly=terms.hourly,
        use_pricing_rules=terms.use_pricing_rules,
        staff_members=terms.staff_members,
        email_days_before_expiry=terms.email_days_before_expiry,
        email_credits_left=terms.email_credits_left,
    )


def grant_bought_pack(
    *,
    pack_id: str,
    entry_id: str,
    terms: Terms,
    customer_id: str,
    location: Location,
    invoice_id: str,
    now: datetime,
) -> Granted:
    """A package that was paid at `now`: its first day is the day of payment, or follows from what
    is booked with it ([PACK])."""
    today = local_date(now, location.zone)
    by_payment = terms.valid_from is ValidFrom.PAYMENT
    pack = _pack(
        pack_id=pack_id,
        terms=terms,
        customer_id=customer_id,
        location=location,
        now=now,
        usable_from=start_of_day(today, location.zone),
        expires_at=expiry_by_terms(terms, today, location.zone) if by_payment else None,
        invoice_id=invoice_id,
    )
    return _grant(pack, entry_id, now, "Bought")


def grant_period_pack(
    *,
    pack_id: str,
    entry_id: str,
    subscription: Subscription,
    period: int,
    location: Location,
    invoice_id: str,
    now: datetime,
) -> Granted:
    """The pack of a period whose charge was settled at `now` ([GRANT]).

    Day 1 is the later of the period's start and the day of settlement, the 23:59 minute counting
    as the next day. A pack without validity lasts until the next period's pack begins.
    """
    terms = subscription.terms
    starts_on = subscription.starts(period)
    if subscription.recurring is not None:
        return grant_next_pack(
            pack_id=pack_id,
            entry_id=entry_id,
            next_pack=NextPack(
                subscription_id=subscription.id,
                period=period,
                recurs_when=subscription.recurring.when,
                starts_on=starts_on,
            ),
            terms=terms,
            customer_id=subscription.customer_id,
            location=location,
            invoice_id=invoice_id,
            now=now,
        )
    assert starts_on is not None, "a calendar knows every day"
    first_day = first_day_of_period_pack(starts_on, now, location.zone)
    expires_at = expiry_by_terms(terms, first_day, location.zone)
    pack = _pack(
        pack_id=pack_id,
        terms=terms,
        customer_id=subscription.customer_id,
        location=location,
        now=now,
        usable_from=start_of_day(first_day, location.zone),
        expires_at=expires_at,
        invoice_id=invoice_id,
    ).model_copy(
        update={
            "subscription_id": subscription.id,
            "period": period,
            "expires_with_next": expires_at is None,
            "replaces": subscription.last_pack_id,
            "place": (
                place_of_week(terms.standing, starts_on, now)
                if terms.standing is not None
                else None
            ),
        }
    )
    return _grant(pack, entry_id, now, f"Period {period + 1} paid")


def grant_next_pack(
    *,
    pack_id: str,
    entry_id: str,
    next_pack: NextPack,
    terms: Terms,
    customer_id: str,
    location: Location,
    invoice_id: str,
    now: datetime,
) -> Granted:
    """A pack that recurs without a calendar and was paid at `now` ([RECUR]). Day 1 is the day after
    the former one's expiry, or the day of settlement if that is later, the 23:59 minute counting
    as the next day. After exhaustion, and for the first one, it is the day of payment."""
    starts_on = next_pack.starts_on
    first_day = (
        local_date(now, location.zone)
        if starts_on is None
        else first_day_of_period_pack(starts_on, now, location.zone)
    )
    pack = _pack(
        pack_id=pack_id,
        terms=terms,
        customer_id=customer_id,
        location=location,
        now=now,
        usable_from=start_of_day(first_day, location.zone),
        expires_at=expiry_by_terms(terms, first_day, location.zone),
        invoice_id=invoice_id,
    ).model_copy(
        update={
            "subscription_id": next_pack.subscription_id,
            "period": next_pack.period,
            "recurs_when": next_pack.recurs_when,
        }
    )
    return _grant(pack, entry_id, now, f"Pack {next_pack.period + 1} paid")


def grant_trial_pack(
    *,
    pack_id: str,
    entry_id: str,
    subscription: Subscription,
    starts_on: date,
    location: Location,
    now: datetime,
) -> Granted:
    """A trial's free pack, to 23:59 of the trial's last day ([TRIAL])."""
    pack = _pack(
        pack_id=pack_id,
        terms=subscription.terms,
        customer_id=subscription.customer_id,
        location=location,
        now=now,
        usable_from=start_of_day(starts_on, location.zone),
        expires_at=minute_before_midnight(subscription.anchor - timedelta(days=1), location.zone),
        invoice_id=None,
    ).model_copy(update={"subscription_id": subscription.id, "trial": True})
    return _grant(pack, entry_id, now, "Free trial")


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
        pack_id=f"{subscription_id}-p0",
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
    pack_id = f"{subscription.id}-p0"
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


def remember_pack(subscription: Subscription, pack: Pack) -> Subscription:
    """The subscription knows its last paid pack, which the next one brings to its end. A trial's
    pack and those with a validity of their own end by themselves. One that recurs by itself knows
    when the next one comes by the pack's expiry ([RECUR])."""
    recurring = subscription.recurring
    if recurring is not None:
        turn = next_turn(pack)
        fresh = {"expected_at": turn.at if turn else None, "turn": None}
        recurring = recurring.model_copy(update=fresh)
    return subscription.model_copy(
        update={
            "recurring": recurring,
            "last_pack_id": pack.id if pack.expires_with_next else None,
            "last_pack_period": pack.period,
            "packs": (*subscription.packs, pack.id)[-PACKS_REMEMBERED:],
        }
    )
