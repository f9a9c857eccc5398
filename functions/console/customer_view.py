"""A customer's page: who they are, what they have, and the timeline."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from functions.console.books import Books
from functions.console.pages.models import (
    CreditUse,
    CustomerPage,
    FrozenPack,
    LinkKind,
    TimelineEntry,
)
from functions.console.timeline import timeline
from shared.domain.money import Money
from shared.domain.pack import Entry, Pack, PackStatus
from shared.domain.reversal import uses_of
from shared.operations.context import Context
from shared.operations.forecast import merged
from shared.web.pages.cards import card_views
from shared.web.pages.invoices import invoice_summary
from shared.web.pages.packs import pack_summary
from shared.web.pages.subscriptions import (
    past_due_views,
    subscription_summary,
    sums_ahead,
    upcoming_charge,
)

SHOWN_MAX = 50
"""How many subscriptions, packs and invoices the side of the page lists, besides those that the
timeline beside them leads to."""

PAST = frozenset({PackStatus.EXPIRED, PackStatus.USED_UP})


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)


def customer_page(
    books: Books,
    context: Context,
    *,
    locale: str,
    before: str,
    may_change: bool,
    idempotency_key: str,
) -> CustomerPage:
    """The whole page for one staff member's `books`. `before` is the timeline's cursor."""
    customer, catalogue, now = books.customer, context.catalogue, context.now()
    told, older = timeline(books, catalogue, locale=locale, now=now, before=before)
    own = catalogue.location(customer.location)
    packs = sorted(
        books.packs, key=lambda one: (one.status(now) in PAST, -one.bought_at.timestamp())
    )
    subscriptions = sorted(
        books.subscriptions, key=lambda one: (one.over, -one.created_at.timestamp())
    )
    coming = merged(catalogue, customer, books.subscriptions, now)
    return CustomerPage(
        id=customer.id,
        name=customer.name,
        email=customer.email,
        locale=customer.locale,
        created_at=customer.created_at,
        mail_blocked=customer.mail_blocked,
        store_credit=tuple(
            Money(minor=minor, currency=currency)
            for currency, minor in sorted(customer.store_credit.items())
        ),
        past_due=past_due_views(customer),
        cards=card_views(customer, now),
        packs=tuple(
            pack_summary(one, catalogue, now) for one in _shown(packs, LinkKind.PACK, told)
        ),
        frozen=tuple(
            _frozen(one, books.entries, one.frozen_at) for one in packs if one.frozen_at is not None
        ),
        subscriptions=tuple(
            subscription_summary(one, catalogue, customer, now)
            for one in _shown(subscriptions, LinkKind.SUBSCRIPTION, told)
        ),
        invoices=tuple(
            invoice_summary(one, catalogue)
            for one in _shown(books.invoices, LinkKind.INVOICE, told)
        ),
        forecast=tuple(upcoming_charge(line, customer, now) for line in coming),
        forecast_totals=sums_ahead(coming),
        timeline=told,
        next=older,
        whole=books.whole,
        zone=(own or catalogue.locations[0]).zone,
        may_change=may_change,
        idempotency_key=idempotency_key,
    )


def _frozen(pack: Pack, entries: Iterable[Entry], at: datetime) -> FrozenPack:
    """Where the credits of a pack went that is on hold ([REVERSE])."""
    return FrozenPack(
        pack_id=pack.id,
        frozen_at=at,
        zone=pack.zone,
        uses=tuple(
            CreditUse(
                reservation_id=one.reservation_id,
                name=one.name,
                at=one.at,
                zone=one.zone,
                credits=one.credits,
                over=one.over,
            )
            for one in uses_of(pack, entries).uses
        ),
        unused=pack.left,
    )


def _shown(all_of_them: Iterable[N], kind: LinkKind, told: Iterable[TimelineEntry]) -> list[N]:
    linked = {link.id for entry in told for link in entry.links if link.kind is kind}
    return [one for at, one in enumerate(all_of_them) if at < SHOWN_MAX or one.id in linked]
