"""Packages that recur without a calendar: by their expiry, or when the credits are gone ([RECUR]).

What is known of the next pack, and how it will be paid. When its moment comes follows from the
pack that is in use (`pack.next_turn`); the subscription is told then (`next_pack.announce`).
"""

from datetime import date, datetime, timedelta

from pydantic import AwareDatetime

from shared.domain.calendar import local_date, minute_before_midnight
from shared.domain.next_payment import NextPayment
from shared.domain.record import Record
from shared.domain.recurs_when import DAYS_BEFORE_EXPIRY, RecursWhen

AFTER_LAST_USE = timedelta(days=1)
"""How long after the last activity the next pack comes, once no credits remain."""

CART_WAIT = timedelta(minutes=15)
"""How long the next pack waits for a cart that is being paid, or is full, before it looks again."""


class Turn(Record):
    """The moment of a next pack has come, at `at` (UTC). `starts_on` is the local day after the
    expiry of the pack before it; None: it starts when it is paid. `carted`: it waits in the cart.
    `looks_again_at`: the cart could not take it yet."""

    at: AwareDatetime
    starts_on: date | None = None
    carted: bool = False
    looks_again_at: AwareDatetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """When the clock has something to do for it; None while it waits in the cart."""
        if self.carted:
            return None
        return self.looks_again_at or self.at


class Recurring(Record):
    """How a subscription recurs that no calendar drives. `expected_at` is when the next pack comes
    by the expiry of the latest one; `turn` is there once its moment has come."""

    when: RecursWhen
    next_payment: NextPayment
    expected_at: AwareDatetime | None = None
    turn: Turn | None = None

    @property
    def by_hand(self) -> bool:
        return self.next_payment is NextPayment.BY_HAND


class NextPack(Record):
    """One period of a subscription that recurs, as a cart's line and an order carry it."""

    subscription_id: str
    period: int
    recurs_when: RecursWhen
    starts_on: date | None = None
    """As of its `Turn`."""


def turn_by_expiry(expires_at: datetime, zone: str) -> Turn:
    """The next pack of one that expires then (23:59 of its last day): it comes at 23:59 two days
    before, and starts the day after the expiry."""
    last_day = local_date(expires_at, zone)
    return Turn(
        at=minute_before_midnight(last_day - timedelta(days=DAYS_BEFORE_EXPIRY), zone),
        starts_on=last_day + timedelta(days=1),
    )


def turn_at(at: datetime, zone: str) -> Turn:
    """The turn that comes at `at` by an expiry."""
    days = timedelta(days=DAYS_BEFORE_EXPIRY + 1)
    return Turn(at=at, starts_on=local_date(at, zone) + days)
