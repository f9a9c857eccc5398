"""What staff of the simulated town do about subscriptions, and what they were told: they pause and
resume, take cash for what is due, and cash for what is to come."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from infra.local.http_api import Response
from shared.domain.invariants import CustomerBooks
from shared.domain.invoice import Invoice, InvoiceState, PaymentKind
from shared.domain.product import Catalogue
from shared.domain.subscription import Subscription, SubscriptionState
from shared.store import snapshot
from shared.store.items import document
from tests.simulation.town_places import Resident

if TYPE_CHECKING:
    from tests.simulation.town import Town

MAX_DAYS_PAUSED = 40


@dataclass
class Paused:
    """A pause by staff: from when to when; still on while `until` is None."""

    since: datetime
    until: datetime | None = None


class Desk:
    """`pauses` are those of each subscription, as they were pressed: when a button was pressed is
    known here, and whether it came to anything is looked up in what is stored."""

    def __init__(self, town: "Town") -> None:
        self._town = town
        self.pauses: dict[str, list[Paused]] = {}
        self._told: dict[str, bool] = {}
        """Subscriptions of which staff were told that they are paused, or go on."""
        self._presses: dict[str, int] = {}
        """How often somebody pressed to pause or resume each subscription."""
        self._taken: dict[str, tuple[str, list[int]]] = {}
        """Invoices that were answered as paid at the desk: whose, and how much was taken."""

    # --- pausing ---

    def pause(self, one: Resident) -> None:
        """For some weeks, or for good."""
        what = self._town.agreement(one)
        if what is None:
            return
        self._change(what, "pause")
        if self._town.rng.random() < 0.85:
            days = self._town.rng.choice((0, 1, 2, 3, 5, 8, 15, MAX_DAYS_PAUSED))
            back = timedelta(days=days, minutes=self._town.rng.randrange(1, 1440))
            at = self._town.world.now() + back
            self._town.later.append((at, lambda: self._change(what, "resume")))

    def resume(self, one: Resident) -> None:
        what = self._town.agreement(one)
        if what is not None and what.state is SubscriptionState.PAUSED:
            self._change(what, "resume")

    def _change(self, what: Subscription, action: str) -> None:
        press = self._presses[what.id] = self._presses.get(what.id, 0) + 1
        path = f"/console/customers/{what.customer_id}/subscriptions/{what.id}/{action}"
        answer = self._town.press(self._town.desk, path, {})
        self._look(what.customer_id, what.id)
        # Whoever pressed in the middle of this may have been answered before, and come after.
        if answer.status < 400 and press == self._presses[what.id]:
            self._told[what.id] = action == "pause"
        elif answer.status >= 500:
            # It may have been done: whoever never got an answer was promised nothing.
            self._told.pop(what.id, None)

    def _look(self, customer_id: str, subscription_id: str) -> None:
        key = f"customer#{customer_id}", f"subscription#{subscription_id}"
        item = self._town.watched.items[key]
        stands = Subscription.model_validate_json(document(item))
        spans = self.pauses.setdefault(subscription_id, [])
        running = bool(spans) and spans[-1].until is None
        if stands.paused_by_staff and not running:
            spans.append(Paused(self._town.world.now()))
        elif running and not stands.paused_by_staff:
            spans[-1].until = self._town.world.now()

    # --- cash ---

    def take_cash(self, one: Resident) -> None:
        """For a period that is due, or for the next one, ahead of its moment."""
        due = [
            invoice
            for invoice in self._town.stored(one, "invoice", Invoice)
            if invoice.state is InvoiceState.OPEN and invoice.period is not None
        ]
        kind = self._town.rng.choice(("cash", "cash", "transfer"))
        if due:
            invoice = self._town.rng.choice(due)
            path = f"/console/customers/{one.customer_id}/invoices/{invoice.id}/payments"
            self._take(one, path, kind, invoice.owed.minor)
            return
        what = self._town.agreement(one)
        if what is not None:
            path = f"/console/customers/{one.customer_id}/subscriptions/{what.id}/payments"
            self._take(one, path, kind, self._with_tax(what))

    def _take(self, one: Resident, path: str, kind: str, minor: int) -> None:
        content = {"kind": kind, "amount": f"{minor / 100:.2f}", "note": "in the drawer"}
        answer = self._town.press(self._town.desk, path, content)
        if answer.status == 201:
            taken = self._taken.setdefault(_invoice_in(answer), (one.customer_id, []))
            taken[1].append(minor)

    def _with_tax(self, what: Subscription) -> int:
        """What a period costs, reckoned as on paper."""
        locations = snapshot.load(Catalogue, self._town.world.now()).locations
        rate = next(each.tax_rate for each in locations if each.id == what.location_id)
        tax = Decimal(what.terms.price.minor) * (rate if what.terms.taxed else 0)
        return what.terms.price.minor + int(tax.quantize(Decimal(1), ROUND_HALF_UP))

    # --- what was promised ---

    def broken_promises(self, books: CustomerBooks) -> Iterator[str]:
        for one in books.subscriptions:
            paused = self._told.get(one.id)
            if paused is not None and not one.over and one.paused_by_staff != paused:
                yield f"{one.id} was {'paused' if paused else 'resumed'}, is {one.state.value}"
        invoices = {one.id: one for one in books.invoices}
        packs = {one.invoice_id for one in books.packs}
        for invoice_id, (customer_id, told) in self._taken.items():
            if customer_id != books.customer.id:
                continue
            invoice = invoices.get(invoice_id)
            taken = [] if invoice is None else _taken_in(invoice)
            if taken != told:
                yield f"{told} were taken for invoice {invoice_id}, and it says {taken}"
            if invoice_id not in packs:
                yield f"{told} were taken for invoice {invoice_id}, and nothing was granted"


def _invoice_in(answer: Response) -> str:
    found: str = answer.json()["invoice"]["id"]
    return found


def _taken_in(invoice: Invoice) -> list[int]:
    by_hand = (PaymentKind.CASH, PaymentKind.TRANSFER)
    return [one.amount.minor for one in invoice.payments if one.kind in by_hand]
