"""One customer's whole story in order of time, newest first: "why was I charged?" ([CONSOLE])."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from functions.console import words
from functions.console.books import Books
from functions.console.charge_lines import charge_lines
from functions.console.pages.models import TimelineEntry, TimelineKind, TimelineLink
from functions.console.reservation_lines import reservation_lines
from functions.console.telling import Line, Rank, Telling, invoice_name
from shared.domain.charge import By
from shared.domain.due import utc_text
from shared.domain.invoice import Invoice, InvoiceState, Payment, PaymentKind
from shared.domain.message import Message, MessageState
from shared.domain.pack import Entry, EntryKind
from shared.domain.product import Catalogue
from shared.domain.shopping import recurs
from shared.domain.subscription import EndReason, Subscription
from shared.store.accounts import TimelineEvent
from shared.web.format import FREQUENCY_WORDS

TIMELINE_PAGE = 100


def timeline(
    books: Books, catalogue: Catalogue, *, locale: str, now: datetime, before: str = ""
) -> tuple[tuple[TimelineEntry, ...], str | None]:
    """At most `TIMELINE_PAGE` lines, newest first, and the cursor of the older ones. `before` is a
    former page's cursor; an unknown one begins anew."""
    telling = Telling(books, catalogue, locale, now)
    lines = sorted(_lines(telling), key=lambda line: line.key, reverse=True)
    cursors = [_cursor(line) for line in lines]
    start = cursors.index(before) + 1 if before in cursors else 0
    end = start + TIMELINE_PAGE
    shown = tuple(line.entry for line in lines[start:end])
    return shown, cursors[end - 1] if end < len(lines) else None


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
        yield from _invoice(telling, invoice)
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


# --- invoices --------------------------------------------------------------------------------


def _invoice(telling: Telling, invoice: Invoice) -> Iterator[Line]:
    """That it was opened, when that was not the moment it was paid, and what became of it."""
    zone = telling.zone(invoice.location_id)
    name, total = invoice_name(invoice), telling.money(invoice.total)
    links = (*telling.to_invoice(invoice.id), *telling.to_subscription(invoice.subscription_id))
    detail = _bill(telling, invoice)
    if invoice.subscription_id is not None or invoice.state is InvoiceState.OPEN:
        yield telling.line(
            Rank.OPENED,
            TimelineKind.INVOICE,
            f"{invoice.id}-opened",
            invoice.created_at,
            zone,
            f"{name} opened: {total} to pay",
            detail=detail,
            links=links,
        )
    if invoice.state is InvoiceState.VOID:
        subscription = telling.subscriptions.get(invoice.subscription_id or "")
        at = subscription.ended_at if subscription and subscription.ended_at else None
        yield telling.line(
            Rank.INVOICE,
            TimelineKind.INVOICE,
            f"{invoice.id}-void",
            at or invoice.created_at,
            zone,
            f"{name} is void: {total} is not owed any more",
            links=links,
        )
    for number, payment in enumerate(invoice.payments):
        back = payment.kind in WENT_BACK
        yield telling.line(
            Rank.INVOICE,
            TimelineKind.REFUND if back else TimelineKind.PAYMENT,
            f"{invoice.id}-payment-{number}",
            payment.at,
            zone,
            f"{name} {_paid(telling, payment)}",
            detail=_bank(telling, invoice, payment)
            or " ".join(filter(None, [payment.note, detail])),
            by=words.person(payment.by) if payment.by else "",
            amount=payment.amount if back else None,
            failed=payment.kind is PaymentKind.REVERSAL,
            links=links,
        )


WENT_BACK = frozenset({PaymentKind.REFUND, PaymentKind.REVERSAL})


def _paid(telling: Telling, payment: Payment) -> str:
    """What is said of a payment of an invoice, after its name."""
    card = words.card(payment.brand, payment.last4) if payment.last4 else ""
    by_card = f" by {card}" if card else ""
    of_card = f" of {card}" if card else ""
    amount = telling.money(payment.amount)
    match payment.kind:
        case PaymentKind.NOTHING_DUE:
            return "closed: nothing was to be paid"
        case PaymentKind.CARD:
            return f"paid{by_card}: {amount}"
        case PaymentKind.CASH:
            return f"paid in cash: {amount}"
        case PaymentKind.TRANSFER:
            return f"paid by transfer: {amount}"
        case PaymentKind.REFUND:
            return f"refunded{by_card}: {telling.money(-payment.amount)}"
        case PaymentKind.REVERSAL:
            return f"is unpaid again: the bank took back {telling.money(-payment.amount)}{of_card}"
        case PaymentKind.REINSTATED:
            return f"is paid again: the bank gave again {amount}{of_card}"


def _bank(telling: Telling, invoice: Invoice, payment: Payment) -> str:
    """What followed from a bank's taking a payment back, or giving it again ([REVERSE])."""
    names = [one.name for one in telling.books.packs if one.invoice_id == invoice.id]
    packs = words.joined(list(dict.fromkeys(names)))
    if not packs:
        return ""
    if payment.kind is PaymentKind.REVERSAL:
        return f"The unused credits of {packs} are on hold until it is paid."
    if payment.kind is PaymentKind.REINSTATED:
        return f"The credits of {packs} can be used again."
    return ""


def _bill(telling: Telling, invoice: Invoice) -> str:
    """Lines, tax and total in one sentence."""
    parts = [
        f"{words.times(one.quantity, one.name)} {telling.money(one.amount)}"
        for one in invoice.lines
    ]
    if invoice.tax:
        parts.append(f"{invoice.tax_name} {telling.money(invoice.tax)}")
    return f"{', '.join(parts)}. Total {telling.money(invoice.total)}."


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
        by=words.person(By.CUSTOMER.value),
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
        entry.id,
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
    "card:default": (
        TimelineKind.CARD,
        "{after_card} is the default card now, not {before_card}",
    ),
    "card:removed": (TimelineKind.CARD, "Removed the card {before_card}"),
    "notice:done": (TimelineKind.NOTICE, "The notice “{about}” was marked done"),
    "notice:released": (TimelineKind.NOTICE, "Tried again after the notice “{about}”"),
    "email:sign_in": (TimelineKind.MESSAGE, "A sign-in email was sent to {after}"),
    "email:card_update": (TimelineKind.MESSAGE, "A card-update link was sent to {after}"),
}
"""What is said of each kind of event; one that is not here is told by its own name."""


def _event(telling: Telling, event: TimelineEvent) -> Iterator[Line]:
    if event.what in DONE_BY_THE_LINE_ITSELF:
        return
    subscription = telling.subscriptions.get(event.subscription_id or "")
    kind, said = HAPPENED.get(
        event.what, (TimelineKind.CUSTOMER, event.what.replace("_", " ").replace(":", ", "))
    )
    what = said.format(
        name=subscription.terms.name if subscription else "a subscription",
        about=event.about,
        after=event.after,
        after_payment=words.PAYMENTS.get(event.after, event.after),
        before_card=words.kept_card(event.before),
        after_card=words.kept_card(event.after),
    )
    yield telling.line(
        Rank.CARD if kind is TimelineKind.CARD else Rank.ASKED,
        kind,
        event.id,
        event.at,
        subscription.zone if subscription else telling.own_zone,
        what,
        by=words.person(event.by),
        links=telling.to_subscription(event.subscription_id),
    )
