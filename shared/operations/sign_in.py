"""Signing in by an emailed link or code, for customers and staff ([LINK] [SCAN] [ENUM] [STALE]
[SESSION] [WHO]).

Asking is one transaction and the same for every address: three counters, the link item, one
message. Link and code are made when the email is (`mint_link`), so they are stored nowhere but as
hashes, not even in the outbox. Their lifetimes count from the asking: an email that was held up
does not live longer. Who somebody is, is looked up when the link is used.

A token is 43 letters that stand for the address, so that its link is found in one read, and a
secret of 256 random bits.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from secrets import compare_digest
from typing import NamedTuple

from shared.domain.due import due_text
from shared.domain.errors import TooMany
from shared.domain.message import Message, next_moment
from shared.domain.settings import Settings
from shared.messages import opening
from shared.messages.opening import SignInFacts
from shared.store import access, outbox, people, sessions
from shared.store.access import Limit, Link, Token
from shared.store.items import Lost, Ref, Row
from shared.store.people import Address
from shared.store.reading import Found, read
from shared.store.sessions import Audience
from shared.store.writing import commit, create, replace

PER_MINUTE = Limit("address-minute", 6, timedelta(minutes=1))
PER_HOUR = Limit("address-hour", 12, timedelta(hours=1))
PER_SOURCE = Limit("source-hour", 30, timedelta(hours=1))
V6_PREFIX = 64
KEY_LETTERS = 43
MAX_TOKEN = 200
CODES_KEPT = 3
"""How many codes of one link are good at once: an email that had to be sent again has its own."""

MINT_TRIES = 3


class Asked(NamedTuple):
    """What `ask` wrote: the nonce for the asking browser's cookie, and what to put on the bus so
    that the email goes out at once (`Detail` of a `deliver` event)."""

    email: str
    nonce: str
    due: dict[str, str]


def source_of(ip: str) -> str:
    """Whom a source address is counted for: itself, or its /64 for IPv6."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((address, V6_PREFIX), strict=False))


def ask(
    *,
    audience: Audience,
    email: str,
    next_path: str | None,
    source_ip: str,
    visitor: str | None,
    locale: str,
    now: datetime,
    new_id: Callable[[], str],
    new_secret: Callable[[], str],
) -> Asked:
    """Ask for a link, known or unknown, in one transaction ([ENUM]). Any older link of the address
    is dead. Raises `TooMany` past a limit, and then nothing was written."""
    request_id, nonce = new_id(), new_secret()
    key = access.address_key(email)
    link = Link(
        request_id=request_id,
        audience=audience,
        email=email,
        requested_at=now,
        browser=people.digest(nonce),
        visitor=people.digest(visitor) if visitor else None,
        next=next_path,
    )
    message = opening.sign_in(
        email=email,
        request_id=request_id,
        request={"id": request_id, "audience": audience.value},
        locale=locale,
        now=now,
        staff=audience is Audience.STAFF,
    )
    ref = outbox.message(None, email, message.key)
    counted = (
        (PER_MINUTE, key),
        (PER_HOUR, key),
        (PER_SOURCE, source_of(source_ip)),
    )
    counters = [access.count(limit, who, now) for limit, who in counted]
    try:
        commit([*counters, access.ask(link), create(ref, message)])
    except Lost as lost:
        over = [counted[at][0] for at in lost.at if at < len(counted)]
        if not over:
            raise
        raise TooMany(
            "You have asked for many sign-in emails. Please wait a little, then try again.",
            retry_after_seconds=max(limit.seconds_left(now) for limit in over),
        ) from lost
    moment = next_moment(message)
    assert moment is not None, "a message that was just written is due"
    due_at = due_text(moment, f"{ref.pk}/{ref.sk}")
    return Asked(email, nonce, {"pk": ref.pk, "sk": ref.sk, "due_at": due_at})


# --- making the email ------------------------------------------------------------------------


class Minted(NamedTuple):
    """What the email says. Never stored, never logged. Lifetimes are those of the settings, from
    the asking at `requested_at`."""

    url: str
    code: str
    link_minutes: int
    code_minutes: int
    requested_at: datetime


def mint_link(
    message: Message,
    *,
    settings: Settings,
    public_url: str,
    now: datetime,
    new_secret: Callable[[], str],
    new_code: Callable[[], str],
) -> Minted | None:
    """Make the link and code for a sign-in message that is being sent, and keep their hashes.

    None when there is nothing left to send: a newer one was asked for, or it was used or expired
    meanwhile. Called again for a message that may have been sent already, it makes another pair;
    both are good until one is used.
    """
    asked = SignInFacts.model_validate(message.facts).request
    audience = Audience(asked["audience"])
    key = access.address_key(message.to)
    ref = access.link(audience, key)
    for _ in range(MINT_TRIES):
        row = read(ref).get(ref)
        if row is None or row.value.request_id != asked["id"]:
            return None
        link = row.value
        if link.used_at is not None or now >= link_ends_at(link, settings):
            return None
        secret, code = new_secret(), new_code()
        codes = (*link.codes, _code_hash(link, code))[-CODES_KEPT:]
        token = Token(
            request_id=link.request_id,
            audience=audience,
            email=link.email,
            next=link.next,
            made_at=now,
        )
        try:
            commit(
                [
                    replace(row, link.model_copy(update={"codes": codes})),
                    create(access.token(secret), token),
                ]
            )
        except Lost:
            continue
        return Minted(
            url=f"{public_url}{PATHS[audience]}/{_key_text(key)}{secret}",
            code=code,
            link_minutes=settings.link_minutes,
            code_minutes=settings.code_minutes,
            requested_at=link.requested_at,
        )
    return None


PATHS = {Audience.CUSTOMER: "/sign-in", Audience.STAFF: "/console/sign-in"}


def link_ends_at(link: Link, settings: Settings) -> datetime:
    """From this instant on the link is dead."""
    return link.requested_at + timedelta(minutes=settings.link_minutes)


def code_ends_at(link: Link, settings: Settings) -> datetime:
    """From this instant on the code is dead; never after the link."""
    minutes = min(settings.code_minutes, settings.link_minutes)
    return link.requested_at + timedelta(minutes=minutes)


def _code_hash(link: Link, code: str) -> str:
    return people.digest(f"{link.request_id}:{code}")


def _key_text(key: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(key)).decode().rstrip("=")


# --- opening it ------------------------------------------------------------------------------


class LinkState(StrEnum):
    """What a token, a nonce or a code comes to."""

    USABLE = "usable"
    USED = "used"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    """Never made, older than is remembered, or a newer one was asked for."""


class TokenRefs(NamedTuple):
    """What has to be read to judge a token."""

    link: Ref[Link]
    token: Ref[Token]
    address: Ref[Address]

    @property
    def all(self) -> tuple[Ref[Link], Ref[Token], Ref[Address]]:
        return self.link, self.token, self.address


def refs_of_token(audience: Audience, text: str) -> TokenRefs | None:
    """Where a token leads; None for what can't be one."""
    key, secret = text[:KEY_LETTERS], text[KEY_LETTERS:]
    if len(text) > MAX_TOKEN or len(key) != KEY_LETTERS or not secret:
        return None
    try:
        raw = base64.b64decode(key + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if _key_text(raw.hex()) != key:
        return None
    return TokenRefs(
        link=access.link(audience, raw.hex()),
        token=access.token(secret),
        address=access.address_of(raw.hex()),
    )


class Opened(NamedTuple):
    """A judged token. `email` and `next` are told only to whoever holds one that was made."""

    state: LinkState
    email: str = ""
    next: str | None = None
    link: Row[Link] | None = None


def opened(refs: TokenRefs | None, found: Found, settings: Settings, now: datetime) -> Opened:
    """What the token is good for. Reading it changes nothing ([SCAN])."""
    token = found.get(refs.token) if refs else None
    link = found.get(refs.link) if refs else None
    if token is None or refs is None or refs.link.pk != _link_pk(token.value):
        return Opened(LinkState.UNKNOWN)

    def told(state: LinkState, usable: Row[Link] | None = None) -> Opened:
        return Opened(state, email=token.value.email, next=token.value.next, link=usable)

    if link is None or link.value.request_id != token.value.request_id:
        is_old = now >= token.value.made_at + timedelta(minutes=settings.link_minutes)
        return told(LinkState.EXPIRED if is_old else LinkState.UNKNOWN)
    if link.value.used_at is not None:
        return told(LinkState.USED)
    if now >= link_ends_at(link.value, settings):
        return told(LinkState.EXPIRED)
    return told(LinkState.USABLE, link)


def _link_pk(token: Token) -> str:
    return access.link(token.audience, access.address_key(token.email)).pk


class CodeState(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    DEAD = "dead"
    """Expired, used, replaced, no tries left, or asked for in another browser."""


def judged(
    row: Row[Link] | None, nonce: str, code: str, settings: Settings, now: datetime
) -> CodeState:
    """What a typed code is worth in the browser that holds `nonce`. Changes nothing."""
    if row is None or row.value.used_at is not None or row.value.tries_left <= 0:
        return CodeState.DEAD
    link = row.value
    if not compare_digest(link.browser, people.digest(nonce)):
        return CodeState.DEAD
    if now >= code_ends_at(link, settings):
        return CodeState.DEAD
    typed = _code_hash(link, code)
    right = [compare_digest(typed, one) for one in link.codes]
    return CodeState.RIGHT if any(right) else CodeState.WRONG


def count_wrong_code(row: Row[Link]) -> int:
    """One try less; how many are left. `Lost` when somebody else tried or used it meanwhile: read
    again and judge anew, so that no try goes uncounted."""
    left = row.value.tries_left - 1
    commit([replace(row, row.value.model_copy(update={"tries_left": left}))])
    return left


def refs_of_address(audience: Audience, email: str) -> tuple[Ref[Link], Ref[Address]]:
    """Where an address's link is, and whose it is: what has to be read to judge a code."""
    key = access.address_key(email)
    return access.link(audience, key), access.address_of(key)


def sign_out(secret: str) -> None:
    """End the session that the cookie's secret belongs to, at once ([SESSION])."""
    commit([sessions.end_session(secret)])
