"""Standing weekly places of the simulated town: a class is booked week after week ([WEEKLY])."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from shared.domain.activity import Activity
from shared.domain.activity import new_id as new_activity_id
from shared.domain.business import Location
from shared.domain.invariants import CustomerBooks
from shared.domain.pack import EntryKind, Pack
from shared.domain.product import Catalogue
from shared.store import bookings, snapshot
from shared.store.items import document
from tests.simulation import calendar_oracle
from tests.simulation.town_places import Resident

if TYPE_CHECKING:
    from tests.simulation.town import Town

CLOCK = time(18)
ENOUGH = 40
"""Places: these classes are never full."""

IN_TIME = timedelta(days=1)
"""How long before its class a week has to be paid, so that it is surely booked."""


class Weekly:
    """One class a week at each location, always at six."""

    def __init__(self, town: "Town") -> None:
        self._town = town
        self._starts: dict[str, list[datetime]] = {}

    def open_classes(self, days: int) -> None:
        for location in snapshot.load(Catalogue, self._town.world.now()).locations:
            today = self._town.world.now().astimezone(ZoneInfo(location.zone)).date()
            first = today + timedelta(days=self._town.rng.randrange(2, 7))
            weeks = [first + timedelta(days=ahead) for ahead in range(0, days, 7)]
            self._starts[location.id] = [_at_six(day, location.zone) for day in weeks]
            classes = [self._class(location, at) for at in self._starts[location.id]]
            bookings.create_activities(classes)

    def _class(self, location: Location, at: datetime) -> Activity:
        return Activity(
            id=new_activity_id(location.id, at, self._town.world.wiring.new_id()),
            location_id=location.id,
            zone=location.zone,
            service_id="yoga",
            name="Yoga at six",
            starts_at=at,
            ends_at=at + timedelta(hours=1),
            places=ENOUGH,
            cutoff_minutes=720,
        )

    def buy(self, one: Resident) -> None:
        """The next one, and then every week."""
        soon = self._town.world.now() + timedelta(days=8)
        found = [
            Activity.model_validate_json(document(item))
            for item in self._town.watched.items.values()
            if item["kind"]["S"] == "activity"
        ]
        coming = [
            each
            for each in found
            if each.places == ENOUGH and self._town.world.now() < each.starts_at < soon
        ]
        if coming:
            line = {"product": "standing", "activity": self._town.rng.choice(coming).id}
            added = self._town.ask(one.cookies, "POST", "/cart/lines", line)
            self._town.note(f"  a weekly place: {added.status}")
            self._town.pay_cart(one)

    # --- what has to be ---

    def not_booked(self, books: CustomerBooks, now: datetime) -> Iterator[str]:
        """Weeks that were paid in time, and of whose class nobody ever held a place."""
        reversed_ = {one.id for one in books.invoices if one.reversed}
        by_staff = {one.pack_id for one in books.entries if "@" in one.by}
        agreements = {one.id: one for one in books.subscriptions}
        held = {(one.customer_id, one.starts_at) for one in books.reservations}
        held |= {
            (one.customer_id, one.activity_at)
            for one in books.entries
            if one.kind is EntryKind.HOLD and one.activity_at is not None
        }
        for pack in books.packs:
            agreement = agreements.get(pack.subscription_id or "")
            if agreement is None or agreement.terms.standing is None or pack.period is None:
                continue
            if pack.invoice_id in reversed_ or pack.frozen_at or pack.id in by_staff:
                continue
            week = calendar_oracle.starts(agreement.anchor, "weekly", pack.period)
            at = self._in_week(pack, week)
            if at is None or now < at or pack.bought_at + IN_TIME > at:
                continue
            if (pack.customer_id, at) not in held:
                yield f"the week of {pack.id} is paid, and its class at {at} was not booked"

    def _in_week(self, pack: Pack, first_day: date) -> datetime | None:
        """When the class of the week is; None after the last one."""
        days = [first_day + timedelta(days=ahead) for ahead in range(7)]
        moments = [_at_six(day, pack.zone) for day in days]
        return next((at for at in moments if at in self._starts[pack.location_id]), None)


def _at_six(day: date, zone: str) -> datetime:
    return datetime.combine(day, CLOCK, tzinfo=ZoneInfo(zone)).astimezone(UTC)
