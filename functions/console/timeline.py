"""One customer's whole story in order of time, newest first: "why was I charged?" ([CONSOLE])."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime

from functions.console import words
from functions.console.books import Books
from functions.console.charge_lines import charge_lines
from functions.console.invoice_lines import invoice_lines
from functions.console.pages.models import TimelineEntry, TimelineKind, TimelineLink
from functions.console.reservation_lines import reservation_lines
from functions.console.telling import Line, Rank, Telling
from shared.domain.by import By
from shared.domain.due import utc_text
from shared.domain.ending import EndReason
from shared.domain.message import Message, MessageState
from shared.domain.pack import Entry, EntryKind, Pack
from shared.domain.product import Catalogue
from shared.domain.shopping import recurs
from shared.domain.subscription import Subscription
from shared.store.timeline import TimelineEvent
from shared.web.format import FREQUENCY_WORDS

TIMELINE_PAGE = 100


def timeline(
    books: Books, catalogue: Catalogue, *, locale: str, now: datetime, before: str = ""
) -> tuple[tuple[TimelineEntry, ...], str | None]:
    """At most `TIMELINE_PAGE` lines, newest first, and the cursor of the older ones. `before` is a
    former page's cursor; an unknown one begins anew."""
    telling = Telling(books, catalogue, locale, now)
    told = (line for line in _lines(telling) if books.since is None or line.entry.at > books.since)
    lines = sorted(told, key=lambda line: line.key, reverse=True)
    cursors = [_cursor(line) for line in lines]
    start = cursors.index(before) + 1 if before in cursors else 0
    end = start + TIMELINE_PAGE
    shown = tuple(line.entry for line in lines[start:end])
    if end < len(lines):
        return shown, cursors[end - 1]
    # Those before `since` are told of from everything.
    return shown, cursors[-1] if books.since is not None and cursors else None


def _cursor(line: Line) -> str:
    return f"{utc_text(line.entry.at)}.{line.rank}.{line.entry.id}"


def _lines(telling: Telling) -> Iterator[Line]:
    books = telling.books
    yield telling.line(
        Rank.CUSTOMER,
        TimelineKind.CUSTOMER,
        books.customer.id,
        books.customer.created_at,
        telling.own_zone,
        f"{books.customer.email} became a customer",
    )
    for charge in books.charges:
        yield from charge_lines(telling, charge)
    for invoice in books.invoices:
        yield from invoice_lines(telling, invoice)
    for subscription in books.subscriptions:
        yield from _subscription(telling, subscription)
    for reservation in books.reservations:
        yield from reservation_lines(telling, reservation)
    for entry in books.entries:
        yield _entry(telling, entry)
    for message in books.messages:
        yield _message(telling, message)
    for event in books.events:
        yield from _event(telling, event)


# --- subscriptions ---------------------------------------------------------------------------


def _subscription(telling: Telling, one: Subscription) -> Iterator[Line]:
    name, zone = one.terms.name, one.zone
    links = (*telling.to_subscription(one.id), *telling.to_invoice(one.first_invoice_id))
    every = f"{telling.money(one.terms.price)} {_often(one)}"
    until = f", until {telling.day(one.until, zone)}" if one.until else ""
    if one.trial_days is not None:
        agreed = f"{one.trial_days} days free, then {every} from {telling.day(one.anchor, zone)}"
    else:
        agreed = f"{every}, from {telling.day(one.anchor, zone)}"
    yield telling.line(
        Rank.SUBSCRIPTION,
        TimelineKind.SUBSCRIPTION,
        f"{one.id}-began",
        one.created_at,
        zone,
        f"Subscribed to {name}: {agreed}{until}",
        by=words.person(_who_started(telling, one)),
        links=links,
    )
    if one.ended_at is not None and one.end_reason is not None:
        yield telling.line(
            Rank.SUBSCRIPTION,
            TimelineKind.SUBSCRIPTION,
            f"{one.id}-ended",
            one.ended_at,
            zone,
            f"{name} {words.ENDED[one.end_reason]}",
            detail="Nothing more is charged.",
            by=_who_ended(telling, one),
            failed=one.end_reason is EndReason.PAYMENT_FAILED,
            links=telling.to_subscription(one.id),
        )


def _often(one: Subscription) -> str:
    if one.recurring is None:
        return FREQUENCY_WORDS[one.frequency] if one.frequency else ""
    how = "paid by hand" if one.recurring.by_hand else "debited"
    return f"for each pack, the next one {recurs(one.recurring.when)}, {how}"


def _who_started(telling: Telling, one: Subscription) -> str:
    """The staff member who started it for the customer, where one did."""
    began = (
        event.by
        for event in telling.books.events
        if event.subscription_id == one.id and event.what == "start"
    )
    return next(began, By.CUSTOMER.value)


def _who_ended(telling: Telling, one: Subscription) -> str:
    """Who pressed the button, when a person did; the clock otherwise."""
    if one.end_reason not in (EndReason.BY_CUSTOMER, EndReason.BY_STAFF):
        return words.person(By.CLOCK.value)
    asked = [
        event
        for event in telling.books.events
        if event.subscription_id == one.id
        and event.what in ("cancel:now", "cancel:period_end", "cancel:request")
    ]
    last = max(asked, key=lambda event: event.at, default=None)
    return words.person(last.by) if last else ""


# --- packs -----------------------------------------------------------------------------------


def _entry(telling: Telling, entry: Entry) -> Line:
    pack = telling.packs.get(entry.pack_id)
    name = pack.name if pack else "a pack"
    unit = telling.unit(pack.service_id if pack else None)
    count = (
        f"Unlimited {words.many(unit)}"
        if entry.left is None
        else words.counted(abs(entry.delta), unit)
    )
    left = "" if entry.left is None else f"; {entry.left} left"
    detail = f"{entry.reason}." if entry.reason else ""
    match entry.kind:
        case EntryKind.GRANT:
            what = f"{count} granted on {name}{left}"
            if pack is not None and pack.granted == (None if entry.left is None else entry.delta):
                detail = f"{detail} {_validity(telling, entry)}".strip()
        case EntryKind.EXPIRE:
            lost = "" if not entry.delta else f"; {count} had been left"
            what = f"{name} expired{lost}"
        case EntryKind.DEDUCT:
            what = f"{count} taken off {name}{left}"
        case EntryKind.HOLD:
            what = f"{count} held on {name}{left}"
        case EntryKind.RELEASE | EntryKind.RESTORE:
            what = f"{count} given back on {name}{left}"
        case EntryKind.REDEEM:
            what = f"{count} used of {name}{left}"
        case EntryKind.REVOKE:
            what = f"{count} taken back from {name}{left}"
    return telling.line(
        Rank.PACK,
        TimelineKind.PACK,
        # The packs of one order begin with an entry of the same id.
        f"{entry.id}.{entry.pack_id}",
        entry.at,
        pack.zone if pack else telling.own_zone,
        what,
        detail=detail,
        by=words.person(entry.by) if entry.by else "",
        links=(
            *telling.to_pack(entry.pack_id),
            *telling.to_invoice(entry.invoice_id),
            *telling.to_subscription(pack.subscription_id if pack else None),
        ),
    )


def _validity(telling: Telling, entry: Entry) -> str:
    pack = telling.packs[entry.pack_id]
    begins = f"Usable from {telling.day(pack.usable_from, pack.zone)}"
    if pack.expires_at is not None:
        return f"{begins} until {telling.moment(pack.expires_at, pack.zone)}."
    if pack.expires_with_next:
        return f"{begins} until the next period's credits."
    return f"{begins}, without an end."


# --- messages and what people did ------------------------------------------------------------


def _message(telling: Telling, message: Message) -> Line:
    name = words.EMAILS[message.kind]
    match message.state:
        case MessageState.SENT:
            what = f"Emailed “{name}”"
        case MessageState.PENDING:
            what = f"The email “{name}” waits to be sent"
        case MessageState.SUPPRESSED:
            what = f"The email “{name}” was not sent: {message.why_not or 'no reason is known'}"
    return telling.line(
        Rank.MESSAGE,
        TimelineKind.MESSAGE,
        message.key,
        message.sent_at or message.created_at,
        telling.own_zone,
        what,
        detail=f"To {message.to}.",
        failed=message.state is MessageState.SUPPRESSED,
        links=_told_of(telling, message),
    )


def _told_of(telling: Telling, message: Message) -> tuple[TimelineLink, ...]:
    """What a message is about: its key names it, or the charge of one of its tries."""
    told = message.key.partition(":")[2].partition(":")[0]
    direct = (
        *telling.to_invoice(told),
        *telling.to_subscription(message.only_while or told),
        *telling.to_pack(told),
    )
    charge = telling.charges.get(told) or telling.charges.get(told.rpartition("-")[0])
    if direct or charge is None:
        return direct
    return (
        *telling.to_invoice(charge.invoice_id),
        *telling.to_subscription(charge.subscription_id),
    )


DONE_BY_THE_LINE_ITSELF = frozenset(
    {
        "cancel:now",
        "credits",
        "payment:cash",
        "payment:transfer",
        "seat:cancelled",
        "seat:checked_in",
        "start",
    }
)
"""Told by the subscription's end, the ledger's entry, the invoice's payment and the reservation,
with who did it."""


HAPPENED: Mapping[str, tuple[TimelineKind, str]] = {
    "cancel:request": (TimelineKind.SUBSCRIPTION, "Asked to end {name}"),
    "cancel:period_end": (
        TimelineKind.SUBSCRIPTION,
        "{name} is to end with its period; nothing more is charged",
    ),
    "cancel:undo": (TimelineKind.SUBSCRIPTION, "The end of {name} was taken back; it goes on"),
    "next_payment": (TimelineKind.SUBSCRIPTION, "The next packs of {name}: {after_payment}"),
    "expiry": (
        TimelineKind.PACK,
        "The expiry of {pack} was moved from {before_day} to {after_day}",
    ),
    "pause": (
        TimelineKind.SUBSCRIPTION,
        "{name} was paused; nothing is charged until it is resumed",
    ),
    "resume": (
        TimelineKind.SUBSCRIPTION,
        "{name} was resumed; what the pause passed over is not charged",
    ),
    "card": (TimelineKind.CARD, "{name} charges {after_card} from now on, not {before_card}"),
    "card:added": (TimelineKind.CARD, "Added the card {after_card}"),
    "card:renewed": (
        TimelineKind.CARD,
        "The card network renewed {before_card}: it is {after_card} now",
    ),
    "card:default": (
        TimelineKind.CARD,
        "{after_card} is the default card now, not {before_card}",
    ),
    "card:removed": (TimelineKind.CARD, "Removed the card {before_card}"),
    "notice:done": (TimelineKind.NOTICE, "The notice “{about}” was marked done"),
    "notice:released": (TimelineKind.NOTICE, "Tried again after the notice “{about}”"),
    "place:invoiced": (
        TimelineKind.INVOICE,
        "What was owed for {about} was asked for: order {after}",
    ),
    "place:waived": (TimelineKind.INVOICE, "What was owed for {about} was let go"),
    "pack:activated": (TimelineKind.PACK, "{pack} was activated before it was paid"),
    "email:sign_in": (TimelineKind.MESSAGE, "A sign-in email was sent to {after}"),
    "email:card_update": (TimelineKind.MESSAGE, "A card-update link was sent to {after}"),
}
"""What is said of each kind of event; one that is not here is told by its own name."""

WHY: Mapping[str, str] = {
    "place:waived": "{after}.",
    "pack:activated": "{about}.",
    "expiry": "{about}.",
}
"""The reason that somebody gave, where one was asked for."""


def _day(telling: Telling, text: str, pack: Pack | None) -> str:
    """A local day as an event keeps it, 2026-04-30; empty for anything else."""
    zone = pack.zone if pack else telling.own_zone
    return telling.day(date.fromisoformat(text), zone) if IS_DAY.fullmatch(text) else ""


IS_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _event(telling: Telling, event: TimelineEvent) -> Iterator[Line]:
    if event.what in DONE_BY_THE_LINE_ITSELF:
        return
    subscription = telling.subscriptions.get(event.subscription_id or "")
    kind, said = HAPPENED.get(
        event.what, (TimelineKind.CUSTOMER, event.what.replace("_", " ").replace(":", ", "))
    )
    pack = telling.packs.get(event.pack_id or "")
    facts = {
        "name": subscription.terms.name if subscription else "a subscription",
        "pack": pack.name if pack else "A pack",
        "about": event.about,
        "after": event.after,
        "before_day": _day(telling, event.before, pack),
        "after_day": _day(telling, event.after, pack),
        "after_payment": words.PAYMENTS.get(event.after, event.after),
        "before_card": words.kept_card(event.before),
        "after_card": words.kept_card(event.after),
    }
    yield telling.line(
        Rank.CARD if kind is TimelineKind.CARD else Rank.ASKED,
        kind,
        event.id,
        event.at,
        subscription.zone if subscription else telling.own_zone,
        said.format(**facts),
        detail=WHY.get(event.what, "").format(**facts),
        by=words.person(event.by),
        links=(*telling.to_subscription(event.subscription_id), *telling.to_pack(event.pack_id)),
    )
