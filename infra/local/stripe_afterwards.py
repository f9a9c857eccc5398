"""What happens to a Charge of the Stripe stand-in after it succeeded: refunds and disputes.

- docs.stripe.com/api/refunds: never more than is left; nothing while it is disputed. A refund of a
  card is made at once, but for the test cards whose refunds take time; that of a debit takes days.
- docs.stripe.com/disputes/how-disputes-work: a dispute takes the money at once; it comes back when
  it is won. An inquiry (`warning_…`) takes nothing. The disputes of debits are final: `lost`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.local.stripe_books import Books, Kind, Object, merged
from infra.local.stripe_cards import REFUNDS_FAIL, REFUNDS_LATE
from infra.local.stripe_errors import StripeRefusal, invalid
from infra.local.stripe_params import Params

LATE_REFUND_TAKES = timedelta(minutes=3)
DEBIT_REFUND_TAKES = timedelta(days=5)

MONEY_GONE = frozenset({"needs_response", "under_review", "lost"})
"""The states of a dispute in which the merchant is without the money."""

OPEN_OR_LOST = MONEY_GONE | {"warning_under_review"}


@dataclass(frozen=True)
class _Coming:
    """A refund that is still `pending`."""

    settles_at: datetime
    fails: bool


class Afterwards:
    """Refunds and disputes in `books`."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._coming: dict[str, _Coming] = {}

    def charge_of(self, id_: str) -> Object:
        """The successful Charge of a PaymentIntent, or the Charge with that id. Raises
        `StripeRefusal`."""
        if id_.startswith("ch_"):
            return self._books.get(Kind.CHARGE, id_, "charge")
        self._books.get(Kind.PAYMENT_INTENT, id_, "payment_intent")
        for charge in self._books.all(Kind.CHARGE, payment_intent=id_):
            if charge["status"] == "succeeded":
                return charge
        message = f"This PaymentIntent ({id_}) does not have a successful charge to refund."
        raise invalid(message, param="payment_intent")

    # Refunds

    def refund(self, params: Params) -> Object:
        given = [name for name in ("charge", "payment_intent") if name in params]
        if len(given) != 1:
            raise invalid("One of `charge` and `payment_intent` must be given.")
        charge = self.charge_of(params[given[0]])
        amount = self._amount(charge, params)
        known = self._books.behaviours[charge["payment_method"]]
        takes = None if known.settles_after is None else DEBIT_REFUND_TAKES
        if known.number in (REFUNDS_LATE, REFUNDS_FAIL):
            takes = LATE_REFUND_TAKES
        refund = self._books.add(
            Kind.REFUND,
            amount=amount,
            balance_transaction=None,
            charge=charge["id"],
            currency=charge["currency"],
            customer=charge["customer"],
            destination_details={"type": known.type},
            metadata=merged({}, params.get("metadata")),
            payment_intent=charge["payment_intent"],
            reason=params.get("reason"),
            receipt_number=None,
            status="succeeded" if takes is None else "pending",
        )
        self._count(charge, amount)
        self._books.report("refund.created", refund)
        self._books.report("charge.refunded", charge)
        if takes is not None:
            fails = known.number == REFUNDS_FAIL
            self._coming[refund["id"]] = _Coming(self._books.now() + takes, fails)
            later = {**refund, **_settled(fails)}
            type_ = "refund.failed" if fails else "refund.updated"
            self._books.report(type_, later, int(takes.total_seconds()))
        return refund

    def _amount(self, charge: Object, params: Params) -> int:
        """What is to be refunded. Raises `StripeRefusal` for more than is left."""
        if charge["status"] != "succeeded":
            message = f"Charge {charge['id']} has not succeeded and cannot be refunded."
            raise invalid(message, code="charge_not_refundable")
        if any(one["status"] in OPEN_OR_LOST for one in self.disputes_of(charge)):
            message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
            raise invalid(message, code="charge_disputed")
        left = charge["amount"] - charge["amount_refunded"]
        if not left:
            message = f"Charge {charge['id']} has already been refunded."
            raise invalid(message, code="charge_already_refunded")
        amount = int(params.get("amount", left))
        if amount < 1:
            message = "This value must be greater than or equal to 1."
            raise invalid(message, param="amount", code="parameter_invalid_integer")
        if amount > left:
            message = f"Refund amount ({amount}) is greater than unrefunded amount ({left})."
            raise invalid(message, param="amount")
        return amount

    def _count(self, charge: Object, amount: int) -> None:
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]

    def refunds_of(self, charge: Object) -> list[Object]:
        return self._books.all(Kind.REFUND, charge=charge["id"])

    def settle_what_is_due(self) -> None:
        """Refunds that were pending until now. A failed one is owed again
        (docs.stripe.com/refunds#failed-refunds)."""
        now = self._books.now()
        for id_ in [id_ for id_, one in self._coming.items() if one.settles_at <= now]:
            refund = self._books.get(Kind.REFUND, id_)
            fails = self._coming.pop(id_).fails
            refund.update(_settled(fails))
            if fails:
                charge = self._books.get(Kind.CHARGE, refund["charge"])
                self._count(charge, -refund["amount"])

    # Disputes

    def disputes_of(self, charge: Object) -> list[Object]:
        return self._books.all(Kind.DISPUTE, charge=charge["id"])

    def reversed(self, charge: Object) -> int:
        """What banks have taken back of it and not given again, in minor units."""
        return sum(one["amount"] for one in self.disputes_of(charge) if _takes_money(one))

    def dispute(
        self,
        charge: Object,
        amount: int | None = None,
        *,
        reason: str = "fraudulent",
        inquiry: bool = False,
    ) -> Object:
        """The bank takes a payment back, all that is left of it or `amount`; an inquiry only asks.
        Raises `StripeRefusal` for what has not that much left."""
        left = charge["amount"] - charge["amount_refunded"] - self.reversed(charge)
        taken = left if amount is None else amount
        if charge["status"] != "succeeded" or not 0 < taken <= left:
            raise StripeRefusal(400, f"Charge {charge['id']} has not that much to take back.")
        debit = charge["payment_method_details"]["type"] != "card"
        status = "lost" if debit else "warning_needs_response" if inquiry else "needs_response"
        dispute = self._books.add(
            Kind.DISPUTE,
            amount=taken,
            balance_transactions=[],
            charge=charge["id"],
            currency=charge["currency"],
            evidence={},
            evidence_details={"due_by": None, "has_evidence": False, "submission_count": 0},
            is_charge_refundable=inquiry and not debit,
            metadata={},
            payment_intent=charge["payment_intent"],
            reason=reason,
            status=status,
        )
        charge["disputed"] = True
        self._books.report("charge.dispute.created", dispute)
        if _takes_money(dispute):
            self._books.report("charge.dispute.funds_withdrawn", dispute)
        if status == "lost":
            self._books.report("charge.dispute.closed", dispute)
        return dispute

    def dispute_as_the_card_does(self, charge: Object) -> None:
        known = self._books.behaviours[charge["payment_method"]]
        assert known.dispute is not None
        self.dispute(charge, reason=known.dispute, inquiry=known.inquiry)

    def close(self, charge: Object, status: str) -> None:
        """All disputes of it that are open (with `won`: or lost by appeal) end as `won`, `lost` or
        `warning_closed`. Raises `StripeRefusal` when there is none."""
        ended = [one for one in self.disputes_of(charge) if _can_end_as(one, status)]
        if not ended:
            raise StripeRefusal(400, f"Charge {charge['id']} has no dispute that could end so.")
        for dispute in ended:
            gone = _takes_money(dispute)
            dispute["status"] = status
            if gone and status == "won":
                self._books.report("charge.dispute.funds_reinstated", dispute)
            self._books.report("charge.dispute.closed", dispute)


def _settled(fails: bool) -> Object:
    if fails:
        return {"status": "failed", "failure_reason": "unknown"}
    return {"status": "succeeded"}


def _takes_money(dispute: Object) -> bool:
    return dispute["status"] in MONEY_GONE


def _can_end_as(dispute: Object, status: str) -> bool:
    match status:
        case "won":
            return dispute["status"] in MONEY_GONE
        case "lost":
            return dispute["status"] in MONEY_GONE - {"lost"}
        case _:
            return str(dispute["status"]).startswith("warning_") and dispute["status"] != status
