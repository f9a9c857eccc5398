"""CardPointe (CardConnect): cards behind tokens of its hosted card field, payments by its gateway.

Each attempt is a payment of its own there, under an order id that follows from the attempt's id,
with our ids in its user fields. The gateway has no idempotency keys: a request that was perhaps
sent is never sent again, only asked about ([ONCE]). It sends no webhooks, lists no payments and
asks no customer to confirm one; a bank's chargebacks are reported outside this interface.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.domain.provider_charge import ProviderCharge
from shared.providers.cardpointe_cards import Frame, fetch_card, parts_of, remove_card
from shared.providers.cardpointe_client import (
    KEY_REFUSED,
    NOT_FOUND,
    Client,
    Record,
    order_id,
)
from shared.providers.cardpointe_codes import Said
from shared.providers.errors import NotSent, ProviderUnavailable, RequestRefused
from shared.providers.events import InvalidSignature, WebhookEvent
from shared.providers.limits import Pace, no_pace
from shared.providers.port import (
    CardFrame,
    CardSeen,
    CardSetup,
    ChargeRequest,
    ChargeResult,
    RefundOutcome,
    SetupProblem,
    SetupReport,
)
from shared.providers.transport import Transport, over_http

ANSWER_SECONDS = 18
"""How long an answer is waited for. The gateway may take 32 seconds, longer than a page of ours
may; what came of a payment that takes longer is asked for two minutes later."""

PARTIAL_APPROVAL = "partial_approval"
"""The decline code of a payment of which the bank approved a part, which was given back."""

EARLIER_TRY_OPEN = "earlier_try_open"
"""The code of an attempt that was not begun: what came of an earlier one could not be found out."""

NO_ROOM_IN_TIME = "no_room_in_time"
"""The code of an attempt that was not begun: the limit that the merchant set was used up."""

SITE_SUFFIX = ".cardconnect.com"
TEST_SITE = "-uat"

_log = logging.getLogger(__name__)


class CardPointeProvider:
    """`PaymentProvider` for a merchant at CardPointe.

    What an answer means for `charge`:

    - An approval is a success. One of less than was asked is given back, and is a decline.
    - A no is soft, final or a refusal by its response code, and by what the card's network adds.
    - No answer, 5xx, an answer that can't be read, and the gateway's word that the processor did
      not answer it are `UNKNOWN`: the gateway's own record decides, which `look_up` reads.
    - Other statuses from 400 on are `REFUSED`: nothing was done.
    - Earlier attempts that the gateway never spoke of are voided first. Where that can't be made
      sure of, or the pace leaves no room, this attempt is `REFUSED` before it is sent. It is not
      left open to be repeated: two that repeat it at the same time would charge twice.
    """

    name = "cardpointe"
    hosted_origins: tuple[str, ...] = ()
    keys_hold_for = timedelta(0)
    one_object_per_charge = False

    def __init__(
        self,
        site: str,
        username: str,
        password: str,
        merchant_id: str,
        currency: str = "USD",
        transport: Transport | None = None,
        pace: Pace = no_pace,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        root = site.rstrip("/") if "://" in site else f"https://{site}{SITE_SUFFIX}"
        self._host = urlsplit(root).hostname or ""
        sent_by = transport or over_http(root, answer_seconds=ANSWER_SECONDS)
        self._client = Client(sent_by, username, password, merchant_id, pace, pause)
        self._currency = currency
        self.card_frame: CardFrame | None = Frame(root, self._client, currency)

    # Cards

    def start_card_setup(
        self,
        *,
        reference: str,
        email: str,
        provider_customer: str | None,
        return_url: str,
        idempotency_key: str,
    ) -> CardSetup:
        """There is no hosted card page: cards are entered in `card_frame`."""
        raise RequestRefused("CardPointe has no card page of its own")

    def fetch_card_setup(self, setup_id: str) -> CardSetup | None:
        return None

    def fetch_card(self, card_token: str) -> CardSeen | None:
        return fetch_card(self._client, card_token)

    def remove_card(self, *, provider_customer: str, card_token: str) -> None:
        remove_card(self._client, card_token)

    # Payments

    def charge(self, request: ChargeRequest) -> ChargeResult:
        if parts_of(request.card_token) is None:
            return ChargeResult(outcome=Outcome.DECLINED_FINAL, decline_code="card_missing")
        if request.amount.minor <= 0:
            # For 0 the gateway would check the card, for less give money away, and approve.
            return ChargeResult(outcome=Outcome.REFUSED, decline_code="amount_too_small")
        try:
            earlier = self._what_is_left(request.unanswered)
        except (ProviderUnavailable, RequestRefused):
            return ChargeResult(outcome=Outcome.REFUSED, decline_code=EARLIER_TRY_OPEN)
        if earlier is not None:
            return earlier._replace(attempt_id=request.attempt_id)
        try:
            answer = self._client.put("auth", _auth(request))
        except NotSent:
            return ChargeResult(outcome=Outcome.REFUSED, decline_code=NO_ROOM_IN_TIME)
        except ProviderUnavailable:
            return ChargeResult(outcome=Outcome.UNKNOWN)
        if answer.refused:
            return ChargeResult(outcome=Outcome.REFUSED, decline_code=f"http_{answer.status}")
        if answer.status >= 500 or len(answer.rows) != 1:
            return ChargeResult(outcome=Outcome.UNKNOWN)
        record = Record(answer.rows[0])
        return self._answered(record, request.attempt_id, request.amount)

    def _what_is_left(self, attempt_ids: Sequence[str]) -> ChargeResult | None:
        """Void whatever may have come of attempts that the gateway never spoke of. None when
        nothing is left of them; a payment that can't be voided any more is the answer, since it
        pays for what is asked now. Raises when that could not be found out."""
        for attempt_id in attempt_ids:
            content = {"orderid": order_id(attempt_id)}
            voided = Record(self._client.put("voidByOrderId", content).first)
            if voided.text("respstat") == "A" or voided.is_missing:
                continue
            left = self._found_under(attempt_id)
            if left is None or left.outcome in _CLOSED:
                continue
            if left.outcome is Outcome.SUCCEEDED:
                return left
            raise ProviderUnavailable("an earlier try of which nothing certain is known")
        return None

    def look_up(
        self,
        *,
        charge_ref: str,
        attempt_id: str,
        provider_charge_id: str | None,
        provider_customer: str,
    ) -> ChargeResult | None:
        """As the port promises, by the reference, else by the attempt's order id. A reference that
        is another attempt's answers only when that one's money moved."""
        if provider_charge_id is not None:
            record = self._client.record(provider_charge_id)
            fields = {} if record is None else record.userfields
            whose = fields.get("attempt_id", attempt_id)
            if record is not None and fields.get("charge_ref", charge_ref) == charge_ref:
                found = self._on_record(record, whose)
                if whose == attempt_id or found.outcome is Outcome.SUCCEEDED:
                    return found
        return self._found_under(attempt_id)

    def _found_under(self, attempt_id: str) -> ChargeResult | None:
        """What the gateway has under the attempt's order id: money that moved before all else."""
        records = self._client.records_under(order_id(attempt_id))
        if len(records) > 1:
            _log.error("%d payments under the order id of %s", len(records), attempt_id)
        found = [self._on_record(one, attempt_id) for one in records]
        return min(found, key=lambda one: _TOLD_FIRST.index(one.outcome), default=None)

    def _answered(self, record: Record, attempt_id: str, asked: Money) -> ChargeResult:
        """What the gateway's direct answer to a payment means."""
        if record.said in (Said.APPROVED, Said.PARTIAL):
            return self._approved(record, attempt_id, asked)
        return _result(_ANSWERED[record.said], record, attempt_id)

    def _on_record(self, record: Record, attempt_id: str) -> ChargeResult:
        """What the gateway's own record of a payment means. Of what nobody answered at the time
        it says whether it is settled."""
        said = record.said
        if record.voided:
            given_back = _result(Outcome.CANCELLED, record, attempt_id)
            return given_back._replace(refunded=True)
        if said in (Said.APPROVED, Said.PARTIAL):
            if record.rejected:
                return _result(Outcome.UNKNOWN, record, attempt_id)
            return self._approved(record, attempt_id, _asked(record))
        if said is Said.UNANSWERED and record.recorded_as_declined:
            return _result(Outcome.DECLINED, record, attempt_id)
        return _result(_ANSWERED[said], record, attempt_id)

    def _approved(self, record: Record, attempt_id: str, asked: Money | None) -> ChargeResult:
        """A success, unless the bank approved only a part, which is then given back at once."""
        approved = record.amount(self._currency if asked is None else asked.currency)
        part = record.said is Said.PARTIAL and approved != asked
        if asked is not None and approved is not None:
            part = part or approved < asked
        if not part:
            return _result(Outcome.SUCCEEDED, record, attempt_id)
        undone = RefundOutcome.UNKNOWN
        if record.retref is not None and approved is not None:
            undone = self.refund(
                provider_charge_id=record.retref,
                amount=approved,
                idempotency_key=f"{attempt_id}-part",
            )
        outcome = Outcome.DECLINED if undone is RefundOutcome.SUCCEEDED else Outcome.UNKNOWN
        result = _result(outcome, record, attempt_id)
        return result._replace(decline_code=PARTIAL_APPROVAL)

    def find_charge_ref(self, provider_charge_id: str) -> str | None:
        """It reports nothing, so nobody asks."""
        return None

    def list_charges(
        self, *, provider_customer: str, since: datetime | None
    ) -> Sequence[ProviderCharge] | None:
        """CardPointe can't list the payments of a customer."""
        return None

    def cancel_charge(self, *, provider_charge_id: str, idempotency_key: str) -> ChargeResult:
        """Nothing waits for a customer here: the answer is what the payment came to."""
        record = self._client.record(provider_charge_id)
        if record is None:
            raise ProviderUnavailable("CardPointe knows no such payment")
        return self._on_record(record, record.userfields.get("attempt_id", ""))

    def refund(
        self, *, provider_charge_id: str, amount: Money, idempotency_key: str
    ) -> RefundOutcome:
        """Give money back: by a void of the whole while the day's batch has not been sent off, by a
        refund once it is accepted. In between, and for a part of what is not settled yet, the
        answer is `UNKNOWN`: ask again later. The refund has an order id of its own, so what came
        of an earlier try is looked up before another is made."""
        try:
            return self._refund(provider_charge_id, amount, order_id(idempotency_key))
        except (ProviderUnavailable, RequestRefused):
            return RefundOutcome.UNKNOWN

    def _refund(self, retref: str, amount: Money, orderid: str) -> RefundOutcome:
        made = [one for one in self._client.records_under(orderid) if not one.voided]
        if made:
            return _refunded(made[0])
        record = self._client.record(retref)
        if record is None:
            return RefundOutcome.REFUSED
        taken = record.amount(amount.currency)
        if record.voided:
            asked = _asked(record)
            whole = asked is None or amount == asked
            return RefundOutcome.SUCCEEDED if whole else RefundOutcome.REFUSED
        if record.said not in (Said.APPROVED, Said.PARTIAL) or taken is None or taken < amount:
            return RefundOutcome.REFUSED
        if record.voidable and amount == taken:
            return _refunded(Record(self._client.put("void", {"retref": retref}).first))
        if not record.refundable:
            return RefundOutcome.UNKNOWN
        content = {"retref": retref, "amount": str(amount.minor), "orderid": orderid}
        return _refunded(Record(self._client.put("refund", content).first))

    # The merchant's account

    def check_setup(self, currencies: Sequence[str], /) -> SetupReport:
        """Which currency the account takes is a setting: the gateway does not say."""
        answer = self._client.get("inquireMerchant")
        live = self._is_live()
        if answer.status in KEY_REFUSED:
            sentence = "CardPointe does not accept the user name and password."
            return SetupReport(live=live, problems=((SetupProblem.KEY_REFUSED, sentence),))
        problems: list[tuple[SetupProblem, str]] = []
        merchant = self._client.merchant_id
        if answer.refused:
            sentence = f"CardPointe knows no merchant {merchant} on this site."
            problems.append((SetupProblem.ACCOUNT_CANT_CHARGE, sentence))
        elif answer.first.get("enabled") is not True:
            sentence = f"The merchant account {merchant} is not enabled."
            problems.append((SetupProblem.ACCOUNT_CANT_CHARGE, sentence))
        for currency in currencies:
            if currency != self._currency:
                sentence = f"It is set up for {self._currency} and can't take {currency}."
                problems.append((SetupProblem.CURRENCY_NOT_TAKEN, sentence))
        return SetupReport(live=live, account=merchant, problems=tuple(problems))

    def _is_live(self) -> bool | None:
        if not self._host.endswith(SITE_SUFFIX):
            return None
        return not self._host.removesuffix(SITE_SUFFIX).endswith(TEST_SITE)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """CardPointe sends none."""
        raise InvalidSignature("CardPointe sends no webhooks.")


_ANSWERED: Mapping[Said, Outcome] = {
    Said.NO_PAYMENT: Outcome.UNKNOWN,
    Said.SOFT: Outcome.DECLINED,
    Said.FINAL: Outcome.DECLINED_FINAL,
    Said.REFUSED: Outcome.REFUSED,
    Said.UNANSWERED: Outcome.UNKNOWN,
}

_CLOSED = frozenset({Outcome.CANCELLED, Outcome.DECLINED, Outcome.DECLINED_FINAL, Outcome.REFUSED})
"""Outcomes after which no money moves any more."""

_TOLD_FIRST = (
    Outcome.SUCCEEDED,
    Outcome.UNKNOWN,
    Outcome.CANCELLED,
    Outcome.DECLINED_FINAL,
    Outcome.DECLINED,
    Outcome.REFUSED,
)


def _auth(request: ChargeRequest) -> dict[str, Any]:
    """The payment that is asked for: captured with the day's batch, on a card that the customer
    has agreed to be kept, by the customer now or by the clock as agreed."""
    present = request.customer_present
    return {
        "profile": request.card_token,
        "amount": str(request.amount.minor),
        "currency": request.amount.currency,
        "orderid": order_id(request.attempt_id),
        "capture": "Y",
        "ecomind": "E" if present else "R",
        "cof": "C" if present else "M",
        "cofscheduled": "N" if present else "Y",
        "userfields": [
            {"charge_ref": request.charge_ref},
            {"attempt_id": request.attempt_id},
            {"asked": f"{request.amount.minor} {request.amount.currency}"},
        ],
    }


def _asked(record: Record) -> Money | None:
    """What we asked for, as we wrote it beside the payment."""
    minor, _, currency = record.userfields.get("asked", "").partition(" ")
    try:
        return Money(minor=int(minor), currency=currency)
    except ValueError:
        return None


def _result(outcome: Outcome, record: Record, attempt_id: str) -> ChargeResult:
    no = outcome in (Outcome.DECLINED, Outcome.DECLINED_FINAL, Outcome.REFUSED)
    return ChargeResult(
        outcome=outcome,
        provider_charge_id=record.retref,
        attempt_id=attempt_id or None,
        decline_code=record.word if no else None,
    )


def _refunded(record: Record) -> RefundOutcome:
    """What an answer to a void or a refund means, or its record."""
    match record.said:
        case Said.APPROVED | Said.PARTIAL | Said.NO_PAYMENT:
            return RefundOutcome.SUCCEEDED
        case Said.UNANSWERED:
            return RefundOutcome.UNKNOWN
        case Said.SOFT | Said.FINAL | Said.REFUSED:
            not_now = record.code[0] == "PPS" and record.code[1] in _NOT_NOW
            again = not_now or record.text("respstat") == "B"
            return RefundOutcome.UNKNOWN if again else RefundOutcome.REFUSED


_NOT_NOW = frozenset({"24", "25", "27", "28", NOT_FOUND})
"""Codes of a void or a refund that came at the wrong moment of the day, or after another: what is
on record by then decides what is done next."""
