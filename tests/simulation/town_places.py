"""What people and staff of the simulated town do about places, and what they were told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from infra.local.http_api import Response
from shared.domain.activity import Activity
from shared.domain.activity import new_id as new_activity_id
from shared.domain.invariants import CustomerBooks
from shared.domain.invoice import Invoice, InvoiceState
from shared.domain.pack import Pack
from shared.domain.product import Catalogue
from shared.domain.reservation import Reservation, ReservationState
from shared.store import bookings, snapshot
from shared.store.items import document

if TYPE_CHECKING:
    from tests.simulation.town import Town


@dataclass
class Resident:
    """Somebody with a phone."""

    email: str
    cookies: dict[str, str] = field(default_factory=dict)
    customer_id: str = ""


class Places:
    """Books and gives back, pays and does not; the desk asks for it, takes cash, lets it go."""

    def __init__(self, town: "Town") -> None:
        self._town = town
        self._booked: set[str] = set()
        """Reservations that were answered as made, or as waiting."""
        self._owner: dict[str, str] = {}
        self._given_back: set[str] = set()
        """Those that were answered as cancelled."""
        self._let_go: set[str] = set()
        """Those of which staff were told that nobody is asked for them any more."""

    def open_classes(self, days: int) -> None:
        """Some small classes a week at every place, until the end."""
        locations = snapshot.load(Catalogue, self._town.world.now()).locations
        for location in locations:
            for day in range(1, days, 7):
                starts_at = self._town.world.now() + timedelta(
                    days=day, hours=self._town.rng.randrange(10)
                )
                starts_at = starts_at.replace(minute=0, second=0, microsecond=0)
                activity = Activity(
                    id=new_activity_id(location.id, starts_at, self._town.world.wiring.new_id()),
                    location_id=location.id,
                    zone=location.zone,
                    service_id="yoga",
                    name="Yoga",
                    starts_at=starts_at,
                    ends_at=starts_at + timedelta(hours=1),
                    places=self._town.rng.choice((1, 1, 2)),
                    cutoff_minutes=720,
                    prepay_online=self._town.rng.random() < 0.3,
                )
                bookings.create_activities([activity])

    def _some_class(self) -> Activity | None:
        """One of the next days."""
        now = self._town.world.now()
        found = [
            Activity.model_validate_json(document(item))
            for item in self._town.watched.items.values()
            if item["kind"]["S"] == "activity"
        ]
        soon = [one for one in found if now < one.starts_at < now + timedelta(days=7)]
        return self._town.rng.choice(soon) if soon else None

    def _their_reservation(self, one: Resident) -> Reservation | None:
        held = self._town.stored(one, "reservation", Reservation)
        live = [each for each in held if each.live]
        return self._town.rng.choice(live) if live else None

    def book(self, one: Resident) -> None:
        activity = self._some_class()
        if activity is None:
            return
        content = {
            "activity": activity.id,
            "participants": self._town.rng.choice((1, 1, 2)),
            "wait": self._town.rng.random() < 0.8,
            "pay_later": self._town.rng.random() < 0.7,
        }
        answer = self._town.press(one.cookies, "/reservations", content)
        self._answered(one, answer)

    def take_back(self, one: Resident) -> None:
        """They cancel, accept what is offered, or move."""
        reservation = self._their_reservation(one)
        if reservation is None:
            return
        path = f"/reservations/{reservation.id}"
        if reservation.state is ReservationState.OFFERED and self._town.rng.random() < 0.7:
            self._town.press(one.cookies, f"{path}/accept", {"pay_later": True})
        elif self._town.rng.random() < 0.4:
            activity = self._some_class()
            if activity is not None:
                self._town.press(one.cookies, f"{path}/move", {"activity": activity.id})
        elif self._town.press(one.cookies, f"{path}/cancel", {}).status < 400:
            self._given_back.add(reservation.id)

    def buy(self, one: Resident) -> None:
        """A place, or a pack with it, now or later, for what the page says it costs."""
        activity = self._some_class()
        if activity is None:
            return
        participants = self._town.rng.choice((1, 1, 2))
        path = f"/schedule/{activity.id}?participants={participants}"
        page = self._town.ask(one.cookies, "GET", path)
        choices = page.json()["choices"] if page.status == 200 else []
        if not choices:
            return
        choice = self._town.rng.choice(choices)
        content: dict[str, Any] = {
            "activity": activity.id,
            "participants": participants,
            "pay": self._town.rng.choice(("now", "now", "later")),
            "expected_total_minor": choice["total"]["minor"],
        }
        if choice["product_id"]:
            content["buy"] = choice["product_id"]
        self._answered(one, self._town.press(one.cookies, "/reservations", content))

    def _answered(self, one: Resident, answer: Response) -> None:
        if answer.status in (201, 202):
            made = answer.json()["reservation"]["id"]
            self._booked.add(made)
            self._owner[made] = one.customer_id

    def pay(self, one: Resident) -> None:
        """What is asked for by an open invoice that no subscription collects."""
        invoice = self._open_invoice(one)
        if invoice is not None:
            self._town.press(one.cookies, f"/invoices/{invoice.id}/pay", {})

    def _open_invoice(self, one: Resident) -> Invoice | None:
        found = [
            invoice
            for invoice in self._town.stored(one, "invoice", Invoice)
            if invoice.state is InvoiceState.OPEN and invoice.subscription_id is None
        ]
        return self._town.rng.choice(found) if found else None

    # --- staff ---

    def staff_see_to(self, one: Resident) -> None:
        """The desk asks for what began unpaid, lets it go, takes cash, or releases a pack."""
        owed = [
            each for each in self._town.stored(one, "reservation", Reservation) if each.outstanding
        ]
        invoice = self._open_invoice(one)
        waiting = [each for each in self._town.stored(one, "pack", Pack) if each.unpaid]
        if owed and self._town.rng.random() < 0.6:
            self._ask_or_let_go(one, self._town.rng.choice(owed))
        elif invoice is not None and self._town.rng.random() < 0.6:
            path = f"/console/customers/{one.customer_id}/invoices/{invoice.id}/payments"
            part = self._town.rng.choice((1, 1, 2))
            amount = f"{invoice.owed.minor // part / 100:.2f}"
            self._town.press(self._town.desk, path, {"kind": "cash", "amount": amount})
        elif waiting:
            pack = self._town.rng.choice(waiting)
            path = f"/console/customers/{one.customer_id}/packs/{pack.id}/activate"
            self._town.press(self._town.desk, path, {"reason": "pays on Friday"})

    def _ask_or_let_go(self, one: Resident, reservation: Reservation) -> None:
        path = f"/console/outstanding/{one.customer_id}/{reservation.id}"
        if self._town.rng.random() < 0.6:
            self._town.press(self._town.desk, f"{path}/invoice", {})
        elif self._town.press(self._town.desk, f"{path}/waive", {"reason": "ill"}).status < 400:
            self._let_go.add(reservation.id)

    # --- what was promised ---

    def broken_promises(self, books: CustomerBooks) -> Iterator[str]:
        known = {one.id: one for one in books.reservations}
        for item in self._booked:
            if self._owner.get(item) == books.customer.id and item not in known:
                yield f"reservation {item} was answered as made and is not"
        for reservation in books.reservations:
            if reservation.id in self._given_back and reservation.live:
                yield f"{reservation.id} was answered as cancelled and is {reservation.state.value}"
            if reservation.id in self._let_go and (reservation.outstanding or reservation.owes):
                yield f"{reservation.id} was let go, and {reservation.owes} is owed"
