"""Packs with their first ledger entry, as a payment grants them ([GRANT], [PACK], [RECUR]).

Pure, with ids that the caller derives, so that settling twice would make the very same things.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from shared.domain.calendar import (
    expiry_of,
    first_day_of_period_pack,
    local_date,
    minute_before_midnight,
    start_of_day,
)
from shared.domain.pack import Entry, EntryKind, Pack
from shared.domain.recurring import NextPack
from shared.domain.valid_from import ValidFrom
from shared.domain.weekly import place_of_week

if TYPE_CHECKING:
    from shared.domain.business import Location
    from shared.domain.subscription import Subscription
    from shared.domain.terms import Terms


class Granted(NamedTuple):
    """A pack and the ledger entry that explains it."""

    pack: Pack
    entry: Entry


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
