"""The access table: who may come in, for how long, and how often they may ask. Who is in already
lies apart (`sessions.py`), as that is all that most functions ask.

Everything secret is kept as a hash. TTL deletes late, so whoever reads compares the time as well.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pydantic import AwareDatetime
from pynamodb.attributes import NumberAttribute

from shared.domain.record import Record
from shared.store.items import AccessItem, AccountItem, Kind, Ref, register
from shared.store.people import Address, digest, normal_address
from shared.store.sessions import Audience
from shared.store.writing import Action, Write

CODE_TRIES = 5
REMEMBERED_FOR = timedelta(days=1)
"""How long a link and its tokens stay known, so that a dead one can say what became of it. No
link lives longer than this, whatever the setting."""


class Link(Record):
    """What an address last asked for: one per audience and address, so a new one kills the old.

    Its lifetimes count from `requested_at` (UTC). `browser` is the hash of the nonce in the asking
    browser's cookie, `visitor` that of the cart's cookie there. `codes` are hashes, one for each
    time its email was made.
    """

    request_id: str
    audience: Audience
    email: str
    requested_at: AwareDatetime
    browser: str
    visitor: str | None = None
    next: str | None = None
    codes: tuple[str, ...] = ()
    tries_left: int = CODE_TRIES
    used_at: AwareDatetime | None = None


class Token(Record):
    """What an emailed token was made for. It outlives the link, so that whoever holds a dead one
    is told why ([STALE])."""

    request_id: str
    audience: Audience
    email: str
    next: str | None = None
    made_at: AwareDatetime


class CounterItem(AccessItem):
    """How often something was asked for in one window of time."""

    class Meta(AccessItem.Meta):
        pass

    taken = NumberAttribute()


register(Link, Kind("link", expires_at=lambda link: link.requested_at + REMEMBERED_FOR))
register(Token, Kind("token", expires_at=lambda token: token.made_at + REMEMBERED_FOR))


def address_key(email: str) -> str:
    """The part of keys and tokens that stands for an address."""
    return digest(normal_address(email))


def link(audience: Audience, key: str) -> Ref[Link]:
    """`key` is an address's `address_key`."""
    return Ref(AccessItem, f"link#{audience.value}#{key}", "link", Link)


def token(secret: str) -> Ref[Token]:
    return Ref(AccessItem, f"token#{digest(secret)}", "token", Token)


def address_of(key: str) -> Ref[Address]:
    """Whose address it is, as `accounts.address` has it, by `address_key`."""
    return Ref(AccountItem, f"email#{key}", "address", Address)


def ask(value: Link) -> Write:
    """Put `value` in place of whatever the address asked for before, without reading it.

    The version goes on counting, so that a change made from an older reading is lost.
    """
    ref = link(value.audience, address_key(value.email))
    expires_at = value.requested_at + REMEMBERED_FOR
    return Write(
        Action.UPDATE,
        table=ref.table,
        key=(ref.pk, ref.sk),
        actions=(
            AccessItem.kind.set("link"),
            AccessItem.body.set(value.model_dump_json(exclude_defaults=True)),
            AccessItem.version.set((AccessItem.version | 0) + 1),
            AccessItem.expires_at.set(int(expires_at.timestamp())),
        ),
    )


class Limit(NamedTuple):
    """At most `most` in each window of `window`; windows begin at multiples of it since 1970."""

    name: str
    most: int
    window: timedelta

    def number(self, now: datetime) -> int:
        """Which window `now` is in."""
        return int(now.timestamp() // self.window.total_seconds())

    def ends_at(self, now: datetime) -> datetime:
        seconds = (self.number(now) + 1) * self.window.total_seconds()
        return datetime.fromtimestamp(seconds, UTC)

    def seconds_left(self, now: datetime) -> int:
        """Whole seconds until the window ends, at least 1."""
        return max(1, -int((now - self.ends_at(now)).total_seconds() // 1))


def count(limit: Limit, who: str, now: datetime) -> Write:
    """One more for `who` in this window, on the condition that there is room."""
    return Write(
        Action.UPDATE,
        table=CounterItem,
        key=(f"rate#{limit.name}#{digest(who)}", str(limit.number(now))),
        condition=CounterItem.taken.does_not_exist() | (CounterItem.taken < limit.most),
        actions=(
            CounterItem.taken.add(1),
            CounterItem.expires_at.set(int(limit.ends_at(now).timestamp())),
        ),
    )
