"""When the next pack of what recurs without a calendar came, and what it is, worked out another way
than the product does ([RECUR])."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.by import By
from shared.domain.invariants import CustomerBooks
from shared.domain.pack import Pack
from shared.domain.recurs_when import RecursWhen
from shared.domain.subscription import Subscription, SubscriptionState
from tests.simulation import calendar_oracle
from tests.simulation.calendar_oracle import MINUTE
from tests.simulation.town_desk import Paused

MAX_LATE = timedelta(days=1)
DAY = timedelta(days=1)


def off_their_turn(
    books: CustomerBooks, one: Subscription, spans: Sequence[Paused]
) -> Iterator[str]:
    """Next packs that were debited too early or too late, and those with other days than theirs."""
    packs = {pack.period: pack for pack in books.packs if pack.subscription_id == one.id}
    for charge in books.charges:
        if charge.subscription_id != one.id or charge.period is None or not charge.attempts:
            continue
        before, first = packs.get(charge.period - 1), charge.attempts[0]
        if before is None or first.by is not By.CLOCK:
            continue
        due = by_expiry(before)
        waited = any(span.since <= first.started_at for span in spans)
        early = due is None or first.started_at < due
        if early and not waited and not _used_up(books, before, first.started_at):
            yield f"period {charge.period} of {one.id}: {first.started_at}, not {due}"
        if due is not None and not waited and first.started_at > due + MAX_LATE:
            yield f"period {charge.period} of {one.id}: {first.started_at}, long after {due}"
    for period, pack in packs.items():
        before = packs.get((period or 0) - 1)
        if before is not None and one.recurring is not None:
            yield from _wrong_days(one, before, pack)


def by_expiry(pack: Pack) -> datetime | None:
    """23:59 two days before the expiry."""
    if pack.expires_at is None:
        return None
    return calendar_oracle.begins(_last_day(pack) - DAY, pack.zone) - MINUTE


def _last_day(pack: Pack) -> date:
    assert pack.expires_at is not None
    return pack.expires_at.astimezone(ZoneInfo(pack.zone)).date()


def _used_up(books: CustomerBooks, pack: Pack, at: datetime) -> bool:
    """Whether all credits were held or redeemed by then, and the last activity a day ago."""
    if pack.recurs_when is not RecursWhen.NO_CREDITS_REMAIN:
        return False
    entries = [one for one in books.entries if one.pack_id == pack.id and one.at <= at]
    return sum(one.delta for one in entries) == 0 and at - DAY >= min(one.at for one in entries)


def _wrong_days(one: Subscription, before: Pack, pack: Pack) -> Iterator[str]:
    """By expiry: it starts the day after the one before it, or when it is paid, if that is later,
    and lasts as long as was agreed."""
    assert one.recurring is not None
    first_day = pack.usable_from.astimezone(ZoneInfo(pack.zone)).date()
    if one.recurring.when is RecursWhen.PACK_EXPIRES:
        follows = _last_day(before) + DAY
        paid = pack.bought_at.astimezone(ZoneInfo(pack.zone)).date()
        if not follows <= first_day <= max(follows, paid + DAY):
            yield f"pack {pack.id} starts on {first_day}, not on {follows}"
    days = one.terms.validity_days
    if days is not None and _last_day(pack) != first_day + timedelta(days=days - 1):
        yield f"pack {pack.id} of {days} days runs from {first_day} to {_last_day(pack)}"


def never_came(
    books: CustomerBooks, one: Subscription, spans: Sequence[Paused], now: datetime
) -> Iterator[str]:
    """A subscription whose last pack is about to expire, and nothing follows: neither debited nor
    in the cart, though nothing else is waited for."""
    claimed = any(cart.claimed_by for cart in books.carts)
    waits = one.collection is not None or one.in_cart or claimed
    if one.over or waits or one.state is SubscriptionState.PAUSED:
        return
    packs = [pack for pack in books.packs if pack.subscription_id == one.id]
    latest = max(packs, key=lambda pack: pack.period or 0, default=None)
    due = by_expiry(latest) if latest else None
    if due is None:
        return
    resumed = [span.until for span in spans if span.until is not None]
    if max(due, one.created_at, *resumed) + MAX_LATE < now:
        yield f"the pack after {latest.id if latest else ''}, due at {due}, never came"
