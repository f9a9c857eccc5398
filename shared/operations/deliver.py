"""Send the emails that were written down ([OUTBOX], [REMIND]).

Before an email is handed over, its message is claimed: one more try is counted and the next one
planned, on the condition that the message is as it was read. So of two workers with the same
event one sends, and a message that crashes its worker is counted too. What remains is a crash, or
an answer that was lost, after the mail service accepted the email and before it was marked: the
next try then sends it again, with the same message id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain.message import Message, MessageKind, MessageState, Notice, NoticeKind
from shared.messages.render import Secrets, Unrenderable, render
from shared.messages.sender import Answer, Handover, Mailer
from shared.store import accounts
from shared.store.items import AccountItem, Lost, Ref, Row
from shared.store.reading import read
from shared.store.writing import commit, commit_alone, create, replace

if TYPE_CHECKING:
    from shared.domain.customer import Customer
    from shared.domain.settings import Settings
    from shared.domain.subscription import Subscription

WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
"""How long after each try the next one comes; the last repeats."""

MAX_TRIES = 8
MARK_TRIES = 3


class Delivered(StrEnum):
    """What became of a message. `NOTHING_DUE`: there is none, it was sent before, or its turn is
    later. `LOST`: another worker is at it."""

    SENT = "sent"
    SUPPRESSED = "suppressed"
    LATER = "later"
    PARKED = "parked"
    NOTHING_DUE = "nothing_due"
    LOST = "lost"


@dataclass(frozen=True)
class Post:
    """What delivering reaches outside itself. `said` hears what the mail service answered to
    which message (by its key) when it did not take it."""

    now: datetime
    mailer: Mailer
    settings: Settings
    public_url: str
    new_id: Callable[[], str]
    new_secret: Callable[[], str]
    new_code: Callable[[], str]
    said: Callable[[str, str], None] = lambda _key, _why: None


@dataclass(frozen=True)
class _Fate:
    """What became of one email: as it now stands, and what staff are told of it."""

    delivered: Delivered
    message: Message
    notice: Notice | None = None


def deliver(post: Post, pk: str, sk: str) -> Delivered:
    """Send the message under these keys if it is due, and mark it. Once for any number of events.

    Nothing that the mail service does raises; what is tried in vain is tried again later, and set
    aside with a notice to staff after `MAX_TRIES`.
    """
    ref = Ref(AccountItem, pk, sk, Message)
    owner = accounts.head(pk.removeprefix("customer#")) if pk.startswith("customer#") else None
    found = read(ref) if owner is None else read(ref, owner)
    row = found.get(ref)
    if row is None or not _due(row.value, post.now):
        return Delivered.NOTHING_DUE
    customer = None if owner is None else found.get(owner)
    why_not = _reason_gone(row.value, None if customer is None else customer.value, post.now)
    try:
        if why_not:
            return _mark(
                row, _all(row, lambda one: _Fate(Delivered.SUPPRESSED, _suppressed(one, why_not)))
            )
        tries = row.value.tries
        if tries >= MAX_TRIES:
            return _mark(row, _all(row, lambda one: _parked(post, one, tries, NOT_TAKEN)))
        claimed = _claim(row, post.now)
    except Lost:
        return Delivered.LOST
    return _send(post, claimed)


def _all(row: Row[Message], fate: Callable[[Message], _Fate]) -> list[_Fate]:
    """The same for every email of the item that was not sent yet."""
    return [
        fate(one) if one.state is MessageState.PENDING else _Fate(Delivered.NOTHING_DUE, one)
        for one in row.value.each
    ]


def _due(message: Message, now: datetime) -> bool:
    if not message.pending:
        return False
    return message.next_try_at is None or message.next_try_at <= now


def _claim(row: Row[Message], now: datetime) -> Row[Message]:
    """The message with one more try, its next one planned. `Lost` when somebody else was first."""
    tries = row.value.tries + 1
    wait = WAITS[min(tries, len(WAITS)) - 1]
    claimed = row.value.model_copy(update={"tries": tries, "next_try_at": now + wait})
    commit_alone(replace(row, claimed))
    return Row(ref=row.ref, value=claimed, version=row.version + 1)


def _send(post: Post, row: Row[Message]) -> Delivered:
    """Hand over what the item still has to send, and mark all of it at once."""
    tries = row.value.tries
    fates = [_fate(post, one, tries) for one in row.value.each]
    return _mark(row, fates)


def _fate(post: Post, message: Message, tries: int) -> _Fate:
    """Hand one email over, unless that was done before."""
    if message.state is not MessageState.PENDING:
        return _Fate(Delivered.NOTHING_DUE, message)
    try:
        secrets = _mint(post, message)
        if isinstance(secrets, str):
            return _not_sent(message, secrets)
        email = render(message, settings=post.settings, public_url=post.public_url, secrets=secrets)
    except Unrenderable as error:
        post.said(message.key, str(error))
        return _failed(post, message, tries, "It could not be made from its template.")
    answer = post.mailer.send(message, email, settings=post.settings, now=post.now)
    if answer.handover is not Handover.ACCEPTED:
        post.said(message.key, answer.why)
    match answer.handover:
        case Handover.ACCEPTED:
            return _Fate(Delivered.SENT, _sent(message, post.now))
        case Handover.TRY_LATER:
            return _failed(post, message, tries, NOT_TAKEN)
        case Handover.REJECTED:
            return _refused(post, message, answer)


def _failed(post: Post, message: Message, tries: int, why: str) -> _Fate:
    """The claim has planned the next try already; after the last one it is set aside."""
    if tries < MAX_TRIES:
        return _Fate(Delivered.LATER, message)
    return _parked(post, message, tries, why)


# --- is it still to be sent? -----------------------------------------------------------------


def _reason_gone(message: Message, customer: Customer | None, now: datetime) -> str:
    """Why a message is not sent any more; empty while it is ([REMIND], [OUTBOX])."""
    if message.customer_id is None:
        return ""
    if customer is None:
        return "the customer is gone"
    if customer.mail_blocked:
        return "the address is blocked"
    if message.only_while is None:
        return ""
    ref = accounts.subscription(customer.id, message.only_while)
    row = read(ref).get(ref)
    if row is None:
        return "the subscription is gone"
    return _no_charge_ahead(row.value, message.period, now)


def _no_charge_ahead(subscription: Subscription, period: int | None, now: datetime) -> str:
    """Why the charge that a reminder tells of will not come as it says; empty when it will."""
    from shared.domain.subscription import SubscriptionState

    if subscription.over:
        return "the subscription is over"
    if subscription.state is SubscriptionState.PAUSED:
        return "the subscription is paused"
    if subscription.state is SubscriptionState.PAST_DUE or subscription.collection is not None:
        return "the subscription is past due"
    if subscription.ends_next:
        return "the subscription ends with its period"
    if period is None:
        return ""
    charged_at = subscription.charged_at(period)
    if subscription.next_period != period or charged_at is None or now >= charged_at:
        return "the charge has come"
    return "" if subscription.within_until(period) else "the subscription ends before"


def _mint(post: Post, message: Message) -> Secrets | str | None:
    """The link that a message carries; a reason when there is nothing left to link to; None for
    a message without."""
    if message.kind in (MessageKind.SIGN_IN, MessageKind.STAFF_SIGN_IN):
        from shared.operations import sign_in

        minted = sign_in.mint_link(
            message,
            settings=post.settings,
            public_url=post.public_url,
            now=post.now,
            new_secret=post.new_secret,
            new_code=post.new_code,
        )
        if minted is None:
            return "the link was used, replaced or is over"
        return Secrets(
            link=minted.url,
            code=minted.code,
            link_minutes=minted.link_minutes,
            code_minutes=minted.code_minutes,
        )
    if message.kind is MessageKind.CARD_UPDATE and message.customer_id is not None:
        from shared.operations import card_link

        agreement = message.facts.get("agreement") or {}
        url = card_link.mint(
            customer_id=message.customer_id,
            subscription_id=agreement.get("id"),
            now=post.now,
            token=post.new_secret(),
            public_url=post.public_url,
        )
        return Secrets(link=url)
    return None


# --- marking ---------------------------------------------------------------------------------

NOT_TAKEN = "The mail service did not take it."


def _mark(row: Row[Message], fates: Sequence[_Fate]) -> Delivered:
    """Write down what became of each email. What was accepted is marked so whatever else was
    written to the item meanwhile; `Lost` when only others were decided."""
    notices = [one.notice for one in fates if one.notice is not None]
    for tries_left in reversed(range(MARK_TRIES)):
        marked = _as_item(row.value, [one.message for one in fates])
        if marked == row.value:
            break
        try:
            _write(row, marked, notices)
        except Lost:
            fresh = read(row.ref).get(row.ref)
            if fresh is None:
                break
            if not tries_left or not any(one.delivered is Delivered.SENT for one in fates):
                raise
            row = fresh
        else:
            break
    return next(one for one in MATTERS if any(fate.delivered is one for fate in fates))


MATTERS = (
    Delivered.LATER,
    Delivered.PARKED,
    Delivered.SENT,
    Delivered.SUPPRESSED,
    Delivered.NOTHING_DUE,
)
"""Of several emails, whose fate is told: the first of these."""


def _as_item(item: Message, emails: Sequence[Message]) -> Message:
    """The item with its emails as they now stand; with none pending it has no next try."""
    first, *others = emails
    states = {name: getattr(first, name) for name in ("state", "sent_at", "why_not")}
    changed = item.model_copy(update={**states, "also": tuple(others)})
    return changed if changed.pending else changed.model_copy(update={"next_try_at": None})


def _write(row: Row[Message], marked: Message, notices: Sequence[Notice]) -> None:
    if not notices:
        commit_alone(replace(row, marked))
        return
    commit([replace(row, marked), *(create(accounts.notice(one), one) for one in notices)])


def _sent(message: Message, now: datetime) -> Message:
    return message.model_copy(update={"state": MessageState.SENT, "sent_at": now})


def _suppressed(message: Message, why: str) -> Message:
    return message.model_copy(update={"state": MessageState.SUPPRESSED, "why_not": why})


def _not_sent(message: Message, why: str) -> _Fate:
    return _Fate(Delivered.SUPPRESSED, _suppressed(message, why))


def _parked(post: Post, message: Message, tries: int, why: str) -> _Fate:
    notice = _notice(
        post,
        message,
        title="An email could not be sent",
        detail=f"{_named(message)} was tried {tries} times. {why}",
    )
    return _Fate(Delivered.PARKED, _suppressed(message, f"parked: {why}"), notice)


def _refused(post: Post, message: Message, answer: Answer) -> _Fate:
    """An address that mail never reaches. Staff are told of a customer's; anybody may type a
    wrong one into the sign-in form, and that is no news."""
    gone = _suppressed(message, f"the address was rejected: {answer.why}")
    if message.customer_id is None:
        return _Fate(Delivered.SUPPRESSED, gone)
    notice = _notice(
        post,
        message,
        title="An email address does not work",
        detail=f"{_named(message)} was not sent: the mail service rejects the address.",
    )
    return _Fate(Delivered.SUPPRESSED, gone, notice)


def _named(message: Message) -> str:
    return f"The email {message.kind.value.replace('_', ' ')!r}"


def _notice(post: Post, message: Message, *, title: str, detail: str) -> Notice:
    return Notice(
        id=post.new_id(),
        kind=NoticeKind.PARKED,
        customer_id=message.customer_id,
        title=title,
        detail=detail,
        created_at=post.now,
    )
