"""A pack: a package that a customer owns, and its ledger ([PACK], [LEDGER])."""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from shared.domain.due import Moment, Worker, earliest
from shared.domain.record import Record
from shared.domain.recurring import AFTER_LAST_USE, Turn, turn_by_expiry
from shared.domain.recurs_when import RecursWhen
from shared.domain.valid_from import ValidFrom
from shared.domain.weekly import WeekPlace


class EntryKind(StrEnum):
    GRANT = "grant"
    HOLD = "hold"
    RELEASE = "release"
    REDEEM = "redeem"
    RESTORE = "restore"
    DEDUCT = "deduct"
    EXPIRE = "expire"
    REVOKE = "revoke"


class Entry(Record):
    """One line of a pack's ledger; never changed, only added. `delta` is 0 for unlimited packs.

    Of what it was held for, given back from or used for it keeps the name, the start and the zone,
    so that a line goes on saying what it said when the reservation has moved on ([LEDGER])."""

    id: str
    pack_id: str
    customer_id: str
    kind: EntryKind
    delta: int
    left: int | None
    """Credits left after this entry; None for an unlimited pack."""
    at: AwareDatetime
    reason: str = ""
    reservation_id: str | None = None
    activity_id: str = ""
    activity_name: str = ""
    activity_at: AwareDatetime | None = None
    activity_zone: str = ""
    invoice_id: str | None = None
    by: str = ""
    """`customer`, `clock` or a staff member's address; empty for what a payment brought."""


class PackStatus(StrEnum):
    UNPAID = "unpaid"
    """Bought with a place, and neither paid nor activated yet ([BOOK])."""
    UPCOMING = "upcoming"
    ACTIVE = "active"
    USED_UP = "used_up"
    FROZEN = "frozen"
    EXPIRED = "expired"


class Booked(Record):
    """A reservation that credits of a pack hold; `credits` is 0 for an unlimited one."""

    reservation_id: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime | None = None
    credits: int


class Pack(Record):
    """`left` counts the credits still to spend; None is unlimited. `usable_from` and `expires_at`
    are UTC; no `expires_at` means that it does not expire by the calendar. `ended_at` is set when
    the expiry has been written into the ledger: it can't be undone.

    `replaces` is the pack that this one's start brings to its end ([GRANT])."""

    id: str
    customer_id: str
    location_id: str
    zone: str
    product_id: str
    name: str
    service_id: str | None = None
    granted: int | None
    left: int | None
    bought_at: AwareDatetime
    usable_from: AwareDatetime
    expires_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    invoice_id: str | None = None
    subscription_id: str | None = None
    period: int | None = None
    trial: bool = False
    replaces: str | None = None
    replaced: bool = False
    """Whether `replaces` has been brought to its end."""
    expires_with_next: bool = False
    valid_from: ValidFrom = ValidFrom.PAYMENT
    validity_days: int | None = None
    validity_months: int | None = None
    """Where its validity begins with a booking, how long it then is."""
    begun_with: AwareDatetime | None = None
    """The start of its first activity, once that has begun: from then on its expiry is fixed."""
    hourly: bool = False
    use_pricing_rules: bool = False
    staff_members: tuple[str, ...] | None = None
    booked: tuple[Booked, ...] = ()
    """The reservations that its credits hold."""
    unpaid: bool = False
    """Whether it waits to be paid or activated: only what holds its first place was granted, and
    nothing more of it can be used ([BOOK])."""
    advanced: int = 0
    """Credits that were granted before it was paid."""
    last_used_at: AwareDatetime | None = None
    """When the last of its activities that were redeemed ended, or a credit went otherwise."""
    recurs_when: RecursWhen | None = None
    """When a next pack follows it that no calendar brings ([RECUR])."""
    turned: bool = False
    """Whether the moment of the next pack has come, and its subscription knows."""
    frozen_at: AwareDatetime | None = None
    """When what paid for it was reversed: nothing of it can be used ([REVERSE])."""
    place: WeekPlace | None = None
    """The standing weekly place that its credits are for ([WEEKLY])."""
    email_days_before_expiry: int | None = None
    email_credits_left: int | None = None
    expiry_announced: bool = False
    expiry_moves: int = 0
    """How often staff have moved its expiry: then no booking moves it any more ([PACK])."""
    low_announced: bool = False

    @property
    def unlimited(self) -> bool:
        return self.granted is None

    def status(self, now: datetime) -> PackStatus:
        unpaid = self.unpaid and self.ended_at is None
        if self.ended_at is not None or (
            not unpaid and self.expires_at is not None and self.expires_at <= now
        ):
            return PackStatus.EXPIRED
        if self.frozen_at is not None:
            return PackStatus.FROZEN
        if self.unpaid:
            return PackStatus.UNPAID
        if self.left == 0 and self.granted != 0:
            return PackStatus.USED_UP
        return PackStatus.UPCOMING if now < self.usable_from else PackStatus.ACTIVE

    @property
    def expiry_email_at(self) -> datetime | None:
        """When to announce the expiry; None when its product asks for no email ([PACKMAIL])."""
        if self.email_days_before_expiry is None or self.expires_at is None:
            return None
        return self.expires_at - timedelta(days=self.email_days_before_expiry)

    @property
    def low(self) -> bool:
        """Whether the credits left have fallen to the number its product names ([PACKMAIL])."""
        return (
            self.email_credits_left is not None
            and not self.unpaid
            and self.left is not None
            and self.granted is not None
            and self.left <= self.email_credits_left < self.granted
        )


def next_moment(pack: Pack) -> Moment | None:
    """When a pack next needs attention: of `renewals` for the next one, or as `calendar_moment`."""
    turn = next_turn(pack)
    renewal = None if turn is None else Moment(at=turn.at, worker=Worker.RENEWALS)
    return earliest(renewal, calendar_moment(pack))


def period_pack_id(subscription_id: str, period: int) -> str:
    """The id of what a subscription's period brings: the same however often it is settled, and of
    fixed width, so that a subscription's packs sort by their periods."""
    return f"{subscription_id}-p{period:05d}"


def put_away(pack: Pack) -> bool:
    """Whether nothing more comes of it by itself: it has ended or is used up, holds no place and
    waits for no moment. A credit that comes back brings it back, but for one that has ended."""
    may_turn = pack.recurs_when is not None and not pack.turned
    if pack.booked or may_turn or next_moment(pack) is not None:
        return False
    used_up = pack.left == 0 and pack.granted != 0 and not pack.unpaid and pack.frozen_at is None
    return pack.ended_at is not None or used_up


def next_turn(pack: Pack) -> Turn | None:
    """When the pack after this one comes, as things stand; None when none does, nobody knows, or it
    has come ([RECUR]). A credit that comes back before then puts it off."""
    if pack.recurs_when is None or pack.turned:
        return None
    turns = []
    if pack.expires_at is not None:
        turns.append(turn_by_expiry(pack.expires_at, pack.zone))
    if pack.recurs_when is RecursWhen.NO_CREDITS_REMAIN and pack.left == 0 and not pack.ended_at:
        last_use = _last_use(pack)
        if last_use is not None:
            turns.append(Turn(at=last_use + AFTER_LAST_USE))
    return min(turns, key=lambda turn: turn.at, default=None)


def _last_use(pack: Pack) -> datetime | None:
    """When the last activity that its credits paid, or hold, is over."""
    ends = [one.ends_at or one.starts_at for one in pack.booked]
    return max([*ends, *([pack.last_used_at] if pack.last_used_at else [])], default=None)


def used(pack: Pack, at: datetime) -> Pack:
    """The pack when a credit of it was used up at `at` ([RECUR])."""
    latest = max(at, pack.last_used_at) if pack.last_used_at else at
    return pack.model_copy(update={"last_used_at": latest})


def calendar_moment(pack: Pack) -> Moment | None:
    """When a pack next needs the `expiries` worker, or the `places` worker to book its week.
    One that is not paid yet waits for nobody: its validity has not begun."""
    if pack.ended_at is not None or pack.unpaid:
        return None
    moments: list[Moment | None] = []
    if pack.expires_at is not None:
        moments.append(Moment(at=pack.expires_at, worker=Worker.EXPIRIES))
        announce_at = pack.expiry_email_at
        if announce_at is not None and not pack.expiry_announced:
            moments.append(Moment(at=max(announce_at, pack.bought_at), worker=Worker.EXPIRIES))
    if pack.replaces is not None and not pack.replaced:
        moments.append(Moment(at=pack.usable_from, worker=Worker.EXPIRIES))
    if pack.place is not None and pack.place.look_at is not None:
        moments.append(Moment(at=pack.place.look_at, worker=Worker.PLACES))
    return earliest(*moments)
