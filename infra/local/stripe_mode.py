"""Test mode or live mode of the Stripe stand-in's account: two worlds that share nothing."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from infra.local.sandbox import ChargeSeen
from infra.local.stripe_afterwards import Afterwards
from infra.local.stripe_api import Api
from infra.local.stripe_books import Books, Kind, Object
from infra.local.stripe_keys import IdempotencyKeys
from infra.local.stripe_pages import Pages
from infra.local.stripe_payments import Payments


@dataclass(frozen=True)
class Mode:
    """One of the two worlds of an account."""

    books: Books
    payments: Payments
    afterwards: Afterwards
    api: Api
    pages: Pages
    keys: IdempotencyKeys

    def settle(self) -> None:
        """Let happen what was to happen until now."""
        self.payments.settle_what_is_due()
        self.afterwards.settle_what_is_due()
        wanted = self.payments.disputes_wanted
        while wanted:
            charge = self.books.get(Kind.CHARGE, wanted.pop())
            self.afterwards.dispute_as_the_card_does(charge)

    def seen(self) -> list[ChargeSeen]:
        """Every PaymentIntent, oldest first."""
        return [self._seen(one) for one in self.books.all(Kind.PAYMENT_INTENT)]

    def tries(self) -> list[ChargeSeen]:
        """Every time that a bank was asked, and what waits for its customer, oldest first."""
        found: list[ChargeSeen] = []
        for intent in self.books.all(Kind.PAYMENT_INTENT):
            made = self.books.all(Kind.CHARGE, payment_intent=intent["id"])
            seen = self._seen(intent)
            found += [self._try(one, seen) for one in made]
            if not made or seen.state == "requires_action":
                found.append(seen)
        return sorted(found, key=lambda one: one.created_at)

    def _try(self, charge: Object, seen: ChargeSeen) -> ChargeSeen:
        """`seen` as it is told of one of its Charges."""
        created_at = datetime.fromtimestamp(charge["created"], UTC)
        if charge["status"] != "failed":
            return replace(seen, created_at=created_at)
        return replace(
            seen,
            attempt_id=charge["metadata"].get("attempt_id"),
            card=charge["payment_method"],
            amount=charge["amount"],
            state="failed",
            decline_code=charge["outcome"]["reason"] or charge["failure_code"],
            refunds=(),
            reversed=0,
            created_at=created_at,
        )

    def _seen(self, intent: Object) -> ChargeSeen:
        """What a payment took is told by its Charge, which keeps the metadata that it was made
        with."""
        books, afterwards = self.books, self.afterwards
        made = books.all(Kind.CHARGE, payment_intent=intent["id"])
        last = made[-1] if made else None
        paying = last if last is not None and last["status"] != "failed" else None
        told = intent if paying is None else paying
        error = intent["last_payment_error"] or {}
        card = intent["payment_method"] or (None if last is None else last["payment_method"])
        refunds = [] if paying is None else afterwards.refunds_of(paying)
        return ChargeSeen(
            id=intent["id"],
            charge_ref=told["metadata"].get("charge_ref"),
            attempt_id=told["metadata"].get("attempt_id"),
            customer=intent["customer"] or "",
            card=card or error.get("payment_method", {}).get("id", ""),
            amount=intent["amount"],
            currency=intent["currency"].upper(),
            state=_state(intent),
            decline_code=error.get("decline_code") or error.get("code"),
            refunds=tuple(one["amount"] for one in refunds if one["status"] != "failed"),
            created_at=datetime.fromtimestamp(intent["created"], UTC),
            reversed=0 if paying is None else afterwards.reversed(paying),
        )


def _state(intent: Object) -> str:
    """The state of a payment in the words of `ChargeSeen`. One that waits for a payment method or
    for its confirmation has moved nothing: its last attempt has failed."""
    match intent["status"]:
        case "requires_payment_method" | "requires_confirmation":
            return "failed"
        case "canceled":
            return "cancelled"
        case status:
            return str(status)
