"""The sandbox's own books: customers, cards, card setups, charges and refunds.

It knows nothing of HTTP. Whatever happens to a charge or a card setup is reported to `report`.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from infra.local.sandbox_cards import KNOWN_CARDS, KnownCard, ReadCard

SETUP_LIFETIME = timedelta(hours=1)

Report = Callable[[str, dict[str, Any], int], None]
"""`(event type, object, seconds from now)`."""


class Refused(Exception):
    """The books do not allow it; nothing was changed. `status` is that of the API."""

    def __init__(
        self, status: int, code: str, message: str, charge: "Charge | None" = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.charge = charge


class SetupState(StrEnum):
    OPEN = "open"
    COMPLETE = "complete"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class ChargeState(StrEnum):
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass
class SavedCard:
    id: str
    customer: str
    behaves_as: KnownCard
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    reference: str = ""
    """What its setup was started with."""
    removed: bool = False


@dataclass
class Setup:
    """A visit to the hosted card page. `failure` says why there is no card, while there is none."""

    id: str
    customer: str
    reference: str
    return_url: str
    expires_at: datetime
    state: SetupState = SetupState.OPEN
    card: str | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Refund:
    id: str
    charge: str
    amount: int
    created_at: datetime


@dataclass
class Charge:
    """One attempt. A `PROCESSING` one is decided at `settles_at`: `settles_as` and its code."""

    id: str
    customer: str
    card: str
    amount: int
    currency: str
    description: str
    return_url: str
    metadata: dict[str, str]
    created_at: datetime
    state: ChargeState
    decline_code: str | None = None
    settles_at: datetime | None = None
    settles_as: ChargeState = ChargeState.SUCCEEDED
    settles_code: str | None = None
    refunds: list[Refund] = field(default_factory=list)
    reversed: int = 0
    """What the bank has taken back, and not given again."""

    @property
    def refunded(self) -> int:
        return sum(refund.amount for refund in self.refunds)

    @property
    def kept(self) -> int:
        """What the merchant still has of it, once it succeeded."""
        return self.amount - self.refunded - self.reversed


class Books:
    """Everything the provider remembers. Not safe for threads: its owner holds a lock."""

    def __init__(
        self, now: Callable[[], datetime], report: Report, root: str, rng: random.Random
    ) -> None:
        self._now = now
        self._report = report
        self._root = root
        self._rng = rng
        self._customers: dict[str, str] = {}
        self._cards: dict[str, SavedCard] = {}
        self._setups: dict[str, Setup] = {}
        self._charges: dict[str, Charge] = {}
        self._charges_of: dict[str, list[str]] = {}

    def _new_id(self, prefix: str) -> str:
        return f"{prefix}_{self._rng.getrandbits(128):032x}"

    # Customers and cards

    def add_customer(self, email: str) -> str:
        customer = self._new_id("cus")
        self._customers[customer] = email
        self._charges_of[customer] = []
        return customer

    def known_customer(self, customer: str) -> str:
        if customer not in self._customers:
            raise Refused(404, "not_found", "There is no such customer.")
        return customer

    def cards_of(self, customer: str) -> list[SavedCard]:
        return [c for c in self._cards.values() if c.customer == customer and not c.removed]

    def card(self, customer: str, card: str) -> SavedCard:
        found = self._cards.get(card)
        if found is None or found.removed or found.customer != customer:
            raise Refused(404, "card_missing", "The customer has no such card.")
        return found

    def card_of_anyone(self, card: str) -> SavedCard:
        if card not in self._cards:
            raise Refused(404, "card_missing", "There is no such card.")
        return self._cards[card]

    def save_card(self, customer: str, read: ReadCard) -> SavedCard:
        saved = SavedCard(
            id=self._new_id("card"),
            customer=self.known_customer(customer),
            behaves_as=read.known,
            brand=read.known.brand,
            last4=read.known.number[-4:],
            exp_month=read.exp_month,
            exp_year=read.exp_year,
        )
        self._cards[saved.id] = saved
        return saved

    def renew_card(self, card: str, last4: str, exp_month: int, exp_year: int) -> None:
        """The network gives the card another number and expiry."""
        renewed = self.card_of_anyone(card)
        renewed.last4, renewed.exp_month, renewed.exp_year = last4, exp_month, exp_year
        self._report("card.renewed", self.card_json(renewed), 0)

    def remove_card(self, customer: str, card: str) -> None:
        self.card(customer, card).removed = True

    def let_behave_as(self, card: str, number: str) -> None:
        """From now on a charge of `card` does what the test number `number` does."""
        if number not in KNOWN_CARDS:
            raise Refused(400, "invalid_request", "behave_as is one of the test numbers.")
        self.card_of_anyone(card).behaves_as = KNOWN_CARDS[number]

    # Card setups

    def open_setup(self, customer: str | None, email: str, reference: str, back: str) -> Setup:
        setup = Setup(
            id=self._new_id("cs"),
            customer=self.known_customer(customer) if customer else self.add_customer(email),
            reference=reference,
            return_url=back,
            expires_at=self._now() + SETUP_LIFETIME,
        )
        self._setups[setup.id] = setup
        return setup

    def setup(self, setup_id: str) -> Setup:
        setup = self._setups.get(setup_id)
        if setup is None:
            raise Refused(404, "not_found", "There is no such card setup.")
        if setup.state is SetupState.OPEN and self._now() >= setup.expires_at:
            setup.state, setup.failure = SetupState.EXPIRED, "expired"
        return setup

    def complete_setup(self, setup: Setup, read: ReadCard) -> None:
        """Save the card, unless the bank declines: then `failure` says why and the setup stays
        open for another card."""
        if read.known.declined_when_saved is not None:
            setup.failure = read.known.declined_when_saved
            return
        saved = self.save_card(setup.customer, read)
        saved.reference = setup.reference
        setup.card = saved.id
        setup.state, setup.failure = SetupState.COMPLETE, None
        self._report("card_setup.completed", self.setup_json(setup), 0)

    def cancel_setup(self, setup: Setup) -> None:
        if setup.state is SetupState.OPEN:
            setup.state, setup.failure = SetupState.CANCELLED, "cancelled"

    # Charges and refunds

    def create_charge(
        self,
        *,
        customer: str,
        card: str,
        amount: int,
        currency: str,
        description: str,
        return_url: str,
        metadata: dict[str, str],
        late_seconds: int | None = None,
        forced_decline: str | None = None,
    ) -> Charge:
        """Create and confirm in one step. `late_seconds` puts the decision off; what waits for
        the customer waits all the same."""
        behaves_as = self.card(self.known_customer(customer), card).behaves_as
        code = forced_decline or behaves_as.declined_when_charged
        charge = Charge(
            id=self._new_id("ch"),
            customer=customer,
            card=card,
            amount=amount,
            currency=currency,
            description=description,
            return_url=return_url,
            metadata=metadata,
            created_at=self._now(),
            state=ChargeState.REQUIRES_ACTION,
        )
        self._charges[charge.id] = charge
        self._charges_of[customer].append(charge.id)
        decided = ChargeState.FAILED if code else ChargeState.SUCCEEDED
        if behaves_as.needs_authentication and not code:
            self._report("charge.requires_action", self.charge_json(charge), 0)
        elif late_seconds is None:
            self._decide(charge, decided, code)
        else:
            charge.state = ChargeState.PROCESSING
            charge.settles_at = self._now() + timedelta(seconds=late_seconds)
            charge.settles_as, charge.settles_code = decided, code
            outcome = replace(charge, state=decided, decline_code=code)
            self._report(f"charge.{decided.value}", self.charge_json(outcome), late_seconds)
        return charge

    def _decide(self, charge: Charge, state: ChargeState, code: str | None) -> None:
        charge.state, charge.decline_code = state, code
        self._report(f"charge.{state.value}", self.charge_json(charge), 0)

    def charge(self, charge_id: str) -> Charge:
        if charge_id not in self._charges:
            raise Refused(404, "not_found", "There is no such charge.")
        charge = self._charges[charge_id]
        if charge.state is ChargeState.PROCESSING:
            assert charge.settles_at is not None
            if self._now() >= charge.settles_at:
                charge.state, charge.decline_code = charge.settles_as, charge.settles_code
        return charge

    def charges(self, customer: str | None = None) -> list[Charge]:
        """Oldest first; all, or those of one customer."""
        ids = self._charges if customer is None else self._charges_of[customer]
        return [self.charge(charge_id) for charge_id in ids]

    def answer_authentication(self, charge: Charge, *, confirmed: bool) -> None:
        assert charge.state is ChargeState.REQUIRES_ACTION
        if confirmed:
            self._decide(charge, ChargeState.SUCCEEDED, None)
        else:
            self._decide(charge, ChargeState.FAILED, "authentication_failed")

    def cancel_charge(self, charge_id: str) -> Charge:
        """Give up a charge that waits for the customer; one that is cancelled stays so."""
        charge = self.charge(charge_id)
        if charge.state not in (ChargeState.REQUIRES_ACTION, ChargeState.CANCELLED):
            message = f"The charge is {charge.state.value} and can't be cancelled."
            raise Refused(400, "charge_not_cancellable", message, charge)
        charge.state = ChargeState.CANCELLED
        return charge

    def refund(self, charge_id: str, amount: int, currency: str) -> Refund:
        charge = self.charge(charge_id)
        if charge.state is not ChargeState.SUCCEEDED or charge.currency != currency:
            raise Refused(400, "charge_not_refundable", "No money moved in that currency.")
        if amount > charge.kept:
            raise Refused(400, "refund_exceeds_charge", "That is more than is left to refund.")
        refund = Refund(self._new_id("re"), charge.id, amount, self._now())
        charge.refunds.append(refund)
        self._report("charge.refunded", self.charge_json(charge), 0)
        return refund

    def reverse(self, charge_id: str, amount: int | None = None) -> None:
        """The bank takes a payment back, days or months later: a debit that is returned, or a
        customer who disputes it. Without `amount`, all that the merchant still has of it."""
        charge = self.charge(charge_id)
        taken = charge.kept if amount is None else amount
        if charge.state is not ChargeState.SUCCEEDED or not 0 < taken <= charge.kept:
            raise Refused(400, "charge_not_reversible", "There is not that much to take back.")
        charge.reversed += taken
        self._report("charge.reversed", self.charge_json(charge), 0)

    def reinstate(self, charge_id: str) -> None:
        """The bank gives back what it took: the merchant has won."""
        charge = self.charge(charge_id)
        if not charge.reversed:
            raise Refused(400, "charge_not_reversed", "Nothing of it was taken back.")
        charge.reversed = 0
        self._report("charge.reinstated", self.charge_json(charge), 0)

    # What the API says of each

    def setup_url(self, setup: Setup) -> str:
        return f"{self._root}/card-setups/{setup.id}"

    def confirm_url(self, charge: Charge) -> str:
        return f"{self._root}/confirm/{charge.id}"

    def card_json(self, card: SavedCard) -> dict[str, Any]:
        return {
            "id": card.id,
            "object": "card",
            "customer": card.customer,
            "brand": card.brand,
            "last4": card.last4,
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
        }

    def setup_json(self, setup: Setup) -> dict[str, Any]:
        return {
            "id": setup.id,
            "object": "card_setup",
            "status": setup.state.value,
            "url": self.setup_url(setup) if setup.state is SetupState.OPEN else None,
            "reference": setup.reference,
            "customer": setup.customer,
            "card": self.card_json(self._cards[setup.card]) if setup.card else None,
            "failure": setup.failure,
            "expires_at": int(setup.expires_at.timestamp()),
        }

    def charge_json(self, charge: Charge) -> dict[str, Any]:
        waits = charge.state is ChargeState.REQUIRES_ACTION
        return {
            "id": charge.id,
            "object": "charge",
            "status": charge.state.value,
            "amount": charge.amount,
            "currency": charge.currency,
            "customer": charge.customer,
            "card": charge.card,
            "description": charge.description,
            "decline_code": charge.decline_code,
            "confirm_url": self.confirm_url(charge) if waits else None,
            "refunded": charge.refunded,
            "refunds": [self.refund_json(refund) for refund in charge.refunds],
            "reversed": charge.reversed,
            "metadata": charge.metadata,
            "created": int(charge.created_at.timestamp()),
        }

    def refund_json(self, refund: Refund) -> dict[str, Any]:
        return {
            "id": refund.id,
            "object": "refund",
            "status": "succeeded",
            "charge": refund.charge,
            "amount": refund.amount,
            "created": int(refund.created_at.timestamp()),
        }
