"""What every line of a timeline needs: the books by id, and how to say money, days and links."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from functions.console.books import Books
from functions.console.pages.models import LinkKind, TimelineEntry, TimelineKind, TimelineLink
from shared.domain.calendar import Frequency
from shared.domain.charge import Charge
from shared.domain.invoice import Invoice
from shared.domain.money import Money
from shared.domain.pack import Pack
from shared.domain.product import Catalogue
from shared.domain.reservation import Reservation
from shared.domain.subscription import Subscription
from shared.web.format import day_text, moment_text, money_text, short_day_text


@dataclass(frozen=True)
class Line:
    """A line with its place among those of the same instant: causes before what follows."""

    entry: TimelineEntry
    rank: int

    @property
    def key(self) -> tuple[datetime, int, str]:
        return self.entry.at, self.rank, self.entry.id


class Rank:
    """What happens first at one instant, when all of it is written down with one moment."""

    CUSTOMER, CARD, ASKED, OPENED, ATTEMPT, PAST_DUE = range(6)
    INVOICE, SUBSCRIPTION, RESERVATION, PACK, MESSAGE = range(6, 11)


@dataclass(frozen=True)
class Telling:
    """One customer's books, and the language that they are told in."""

    books: Books
    catalogue: Catalogue
    locale: str
    now: datetime

    @cached_property
    def subscriptions(self) -> dict[str, Subscription]:
        return {one.id: one for one in self.books.subscriptions}

    @cached_property
    def packs(self) -> dict[str, Pack]:
        return {one.id: one for one in self.books.packs}

    @cached_property
    def reservations(self) -> dict[str, Reservation]:
        return {one.id: one for one in self.books.reservations}

    @cached_property
    def invoices(self) -> dict[str, Invoice]:
        return {one.id: one for one in self.books.invoices}

    @cached_property
    def charges(self) -> dict[str, Charge]:
        return {one.id: one for one in self.books.charges}

    @cached_property
    def own_zone(self) -> str:
        """Where things are told that belong to no location: at the customer's, else the first."""
        own = self.catalogue.location(self.books.customer.location)
        if own is not None:
            return own.zone
        placed = next(iter(self.books.subscriptions), None) or next(iter(self.books.packs), None)
        return placed.zone if placed else self.catalogue.locations[0].zone

    def zone(self, location_id: str) -> str:
        location = self.catalogue.location(location_id)
        return location.zone if location else self.own_zone

    # --- saying ---

    def money(self, amount: Money) -> str:
        return money_text(amount, self.locale)

    def day(self, day: date | datetime, zone: str) -> str:
        return day_text(day, self.locale, zone)

    def moment(self, at: datetime, zone: str) -> str:
        return moment_text(at, self.locale, zone)

    def period(self, subscription: Subscription, period: int) -> str:
        """`period of` its first and last day, with the years where it takes one; the number of its
        pack where no calendar drives it ([RECUR])."""
        first, last = subscription.starts(period), subscription.ends(period)
        if first is None or last is None:
            return f"pack {period + 1}"
        said = day_text if subscription.frequency is Frequency.ANNUAL else short_day_text
        zone = subscription.zone
        days = [said(day, self.locale, zone) for day in (first, last)]
        dash = " \N{EN DASH} "
        return f"period of {dash.join(days)}"

    def unit(self, service_id: str | None) -> str:
        service = self.catalogue.service(service_id)
        return service.unit if service else "credit"

    # --- linking ---

    def to_subscription(self, subscription_id: str | None) -> tuple[TimelineLink, ...]:
        one = self.subscriptions.get(subscription_id or "")
        if one is None:
            return ()
        return (TimelineLink(kind=LinkKind.SUBSCRIPTION, id=one.id, name=one.terms.name),)

    def to_invoice(self, invoice_id: str | None) -> tuple[TimelineLink, ...]:
        one = self.invoices.get(invoice_id or "")
        if one is None:
            return ()
        return (TimelineLink(kind=LinkKind.INVOICE, id=one.id, name=invoice_name(one)),)

    def to_pack(self, pack_id: str | None) -> tuple[TimelineLink, ...]:
        one = self.packs.get(pack_id or "")
        if one is None:
            return ()
        name = f"Pack of {one.name}" if one.subscription_id else one.name
        return (TimelineLink(kind=LinkKind.PACK, id=one.id, name=name),)

    def line(
        self,
        rank: int,
        kind: TimelineKind,
        id: str,  # noqa: A002 - as the model has it
        at: datetime,
        zone: str,
        what: str,
        *,
        detail: str = "",
        amount: Money | None = None,
        by: str = "",
        failed: bool = False,
        links: tuple[TimelineLink, ...] = (),
    ) -> Line:
        entry = TimelineEntry(
            id=id,
            at=at,
            zone=zone,
            kind=kind,
            what=what,
            detail=detail,
            amount=amount,
            by=by,
            failed=failed,
            links=links,
        )
        return Line(entry, rank)


def invoice_name(invoice: Invoice) -> str:
    """Its number, or the order's id until it has one ([NUMBER])."""
    return f"Invoice {invoice.number}" if invoice.number else f"Order {invoice.order_id}"
