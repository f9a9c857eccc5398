"""The sandbox provider, as our system sees it: an HTTP API like those of real providers.

The provider itself stands outside our system; this module only speaks to it ([SANDBOX]). Each
attempt is a charge of its own there, which carries `charge_ref` and `attempt_id` as metadata.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from shared.domain.card import Card
from shared.domain.charge import SAME_KEY_FOR
from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.domain.provider_charge import ProviderCharge
from shared.providers import sandbox_events
from shared.providers.errors import ProviderUnavailable, RequestRefused
from shared.providers.events import WebhookEvent
from shared.providers.hosted import origin_of
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
from shared.providers.transport import Transport, TransportTimeout, over_http

PAGE_SIZE = 100
MAX_PAGES = 20
"""How many pages of a customer's charges a look-up reads before it gives up."""

FINAL_DECLINES = frozenset(
    {"lost_card", "stolen_card", "card_closed", "authorization_revoked", "card_missing"}
)
"""Declines after which this card is not tried again ([HARD]). A code that we do not know may be
tried again: giving a card up by mistake costs a customer, a wasted try does not."""

REFUSED = frozenset({400, 404, 413, 422})
"""Statuses by which the provider refuses a request before anything happens."""

KEY_REFUSED = frozenset({401, 403})

REFUND_REFUSALS = frozenset({"refund_exceeds_charge", "charge_not_refundable", "not_found"})

Answer = tuple[int, dict[str, Any]]


class SandboxProvider:
    """`PaymentProvider` for the sandbox at `base_url`.

    What an answer means for `charge`:

    - 200 and 402 carry a charge, whose status decides; a status that we do not know is `UNKNOWN`.
    - No answer, 429, 5xx, an answer that cannot be read and one that is not the provider's own
      (a proxy's, a wrong address's) are `UNKNOWN`.
    - 401 and 403 are `REFUSED`: no money moved, and a wrong key is the merchant's trouble.
    - 409 (the key was used with another content) is `UNKNOWN`: what the first use came to counts.
    - 404 `card_missing` (the card was removed) is a final decline.
    - Any other refusal of the request is a bug of ours that moved no money: `REFUSED` as well.
    """

    name = "sandbox"
    card_frame: CardFrame | None = None
    keys_hold_for = SAME_KEY_FOR
    one_object_per_charge = False

    def __init__(
        self,
        base_url: str,
        key: str,
        webhook_secrets: Sequence[str],
        now: Callable[[], datetime],
        transport: Transport | None = None,
        pace: Pace = no_pace,
    ) -> None:
        if not webhook_secrets or not all(webhook_secrets):
            raise ValueError("a provider needs webhook secrets, and none of them may be empty")
        self._key = key
        self._webhook_secrets = tuple(webhook_secrets)
        self._now = now
        self._transport = transport or over_http(base_url)
        self._pace = pace
        self.hosted_origins: tuple[str, ...] = origin_of(base_url)

    def start_card_setup(
        self,
        *,
        reference: str,
        email: str,
        provider_customer: str | None,
        return_url: str,
        idempotency_key: str,
    ) -> CardSetup:
        answer = self._ask(
            "POST",
            "/v1/card_setups",
            {
                "reference": reference,
                "email": email,
                "customer": provider_customer,
                "return_url": return_url,
            },
            idempotency_key,
        )
        return _card_setup(_usable(answer))

    def fetch_card_setup(self, setup_id: str) -> CardSetup | None:
        status, found = self._ask("GET", f"/v1/card_setups/{quote(setup_id, safe='')}")
        if _is_missing(status, found):
            return None
        return _card_setup(_usable((status, found)))

    def fetch_card(self, card_token: str) -> CardSeen | None:
        status, found = self._ask("GET", f"/v1/cards/{quote(card_token, safe='')}")
        if _is_missing(status, found):
            return None
        card = _usable((status, found))
        try:
            return CardSeen(reference=card["reference"], card=_card(card))
        except (KeyError, TypeError, ValueError) as error:
            raise ProviderUnavailable("a card that cannot be read") from error

    def check_setup(self, _currencies: Sequence[str], /) -> SetupReport:
        """The sandbox takes every currency, and is never live."""
        status, found = self._ask("GET", "/v1/account")
        if status in KEY_REFUSED and _error_code(found):
            problem = SetupProblem.KEY_REFUSED, "The sandbox does not know this key."
            return SetupReport(live=False, problems=(problem,))
        _usable((status, found))
        return SetupReport(live=False, account="sandbox")

    def remove_card(self, *, provider_customer: str, card_token: str) -> None:
        customer, card = quote(provider_customer, safe=""), quote(card_token, safe="")
        status, found = self._ask("DELETE", f"/v1/customers/{customer}/cards/{card}")
        if not _is_missing(status, found):
            _usable((status, found))

    def charge(self, request: ChargeRequest) -> ChargeResult:
        try:
            status, found = self._ask(
                "POST",
                "/v1/charges",
                {
                    "amount": request.amount.minor,
                    "currency": request.amount.currency,
                    "customer": request.provider_customer,
                    "card": request.card_token,
                    "description": request.description,
                    "return_url": request.return_url,
                    "metadata": {
                        "charge_ref": request.charge_ref,
                        "attempt_id": request.attempt_id,
                    },
                },
                request.attempt_id,
            )
        except ProviderUnavailable:
            return ChargeResult(outcome=Outcome.UNKNOWN, repeatable=True)
        if status in (200, 402):
            return _charge_result(found.get("charge") if status == 402 else found)
        if status == 404 and _error_code(found) == "card_missing":
            return ChargeResult(outcome=Outcome.DECLINED_FINAL, decline_code="card_missing")
        if status in KEY_REFUSED and _error_code(found):
            return ChargeResult(outcome=Outcome.REFUSED, decline_code=_error_code(found))
        if _leaves_open(status, found):
            return ChargeResult(outcome=Outcome.UNKNOWN, repeatable=status == 429)
        return ChargeResult(outcome=Outcome.REFUSED, decline_code=_error_code(found))

    def look_up(
        self,
        *,
        charge_ref: str,
        attempt_id: str,
        provider_charge_id: str | None,
        provider_customer: str,
    ) -> ChargeResult | None:
        """As the port promises. A success of any attempt for `charge_ref` is what is answered,
        whichever attempt was asked for: money that moved matters more than the one that did not.
        An id stored for an earlier attempt therefore never passes for this attempt's outcome.
        """
        if provider_charge_id is not None:
            status, found = self._ask("GET", f"/v1/charges/{quote(provider_charge_id, safe='')}")
            known = not _is_missing(status, found)
            if known and _answers(_usable((status, found)), charge_ref, attempt_id):
                return _charge_result(found)
        own: ChargeResult | None = None
        for charge in self._charges_of(provider_customer):
            if not _answers(charge, charge_ref, attempt_id):
                continue
            result = _charge_result(charge)
            if result.outcome is Outcome.SUCCEEDED:
                return result
            own = own or result
        return own

    def find_charge_ref(self, provider_charge_id: str) -> str | None:
        status, found = self._ask("GET", f"/v1/charges/{quote(provider_charge_id, safe='')}")
        if _is_missing(status, found):
            return None
        metadata = _usable((status, found)).get("metadata")
        return _text(metadata.get("charge_ref")) if isinstance(metadata, dict) else None

    def cancel_charge(self, *, provider_charge_id: str, idempotency_key: str) -> ChargeResult:
        status, found = self._ask(
            "POST",
            f"/v1/charges/{quote(provider_charge_id, safe='')}/cancel",
            {},
            idempotency_key,
        )
        if status == 400 and isinstance(found.get("charge"), dict):
            return _charge_result(found["charge"])
        return _charge_result(_usable((status, found)))

    def refund(
        self, *, provider_charge_id: str, amount: Money, idempotency_key: str
    ) -> RefundOutcome:
        """As the port promises. `REFUSED` when the charge has not that much left to give back."""
        content = {
            "charge": provider_charge_id,
            "amount": amount.minor,
            "currency": amount.currency,
        }
        try:
            status, found = self._ask("POST", "/v1/refunds", content, idempotency_key)
        except ProviderUnavailable:
            return RefundOutcome.UNKNOWN
        if status == 200:
            succeeded = found.get("status") == "succeeded"
            return RefundOutcome.SUCCEEDED if succeeded else RefundOutcome.UNKNOWN
        if status in REFUSED and _error_code(found) in REFUND_REFUSALS:
            return RefundOutcome.REFUSED
        if _leaves_open(status, found):
            return RefundOutcome.UNKNOWN
        raise RequestRefused(_refusal(status, found))

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        return sandbox_events.read(headers, body, self._webhook_secrets, self._now())

    def list_charges(
        self, *, provider_customer: str, since: datetime | None
    ) -> Sequence[ProviderCharge]:
        """As the port promises. A charge without our `charge_ref` was not asked for by us."""
        listed = self._charges_of(provider_customer, since)
        wanted = [one for one in listed if _created_at(one) >= (since or _NEVER)]
        return [one for one in map(_provider_charge, wanted) if one.charge_ref]

    def _charges_of(self, customer: str, since: datetime | None = None) -> "list[dict[str, Any]]":
        """All charges of a customer, newest first, at least those since `since`. Raises
        `ProviderUnavailable` rather than leave some out: a short list would pass for "not
        found"."""
        charges: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            query = urlencode({"customer": customer, "limit": PAGE_SIZE, **after})
            status, page = self._ask("GET", f"/v1/charges?{query}")
            if _is_missing(status, page):
                return charges
            found = _usable((status, page))
            data = found.get("data")
            if not isinstance(data, list) or not all(isinstance(charge, dict) for charge in data):
                raise ProviderUnavailable("a list of charges that cannot be read")
            charges += data
            if not found.get("has_more"):
                return charges
            if not data:
                raise ProviderUnavailable("a list of charges that goes on and holds nothing")
            if since is not None and _created_at(data[-1]) < since:
                return charges
            after = {"starting_after": str(data[-1].get("id"))}
        raise ProviderUnavailable(f"more than {MAX_PAGES} pages of charges for one customer")

    def _ask(
        self,
        method: str,
        path: str,
        content: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """One call; raises `ProviderUnavailable` when no answer came or it cannot be read, or when
        there was no room for it in time."""
        self._pace(f"{method} /{path.split('/')[2].partition('?')[0]}")
        headers = {"authorization": f"Bearer {self._key}", "accept": "application/json"}
        if idempotency_key is not None:
            headers["idempotency-key"] = idempotency_key
        body = b""
        if content is not None:
            headers["content-type"] = "application/json"
            body = json.dumps(content, separators=(",", ":"), sort_keys=True).encode()
        try:
            status, answer = self._transport(method, path, headers, body)
        except TransportTimeout as error:
            raise ProviderUnavailable("no answer from the sandbox provider") from error
        found = _json_object(answer)
        if found is None:
            raise ProviderUnavailable(f"an unreadable answer {status} from the sandbox provider")
        return status, found


def _json_object(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _leaves_open(status: int, found: dict[str, Any]) -> bool:
    """Whether this is anything else than the provider's own word that it refused the request."""
    return status not in REFUSED or _error_code(found) == ""


def _is_missing(status: int, found: dict[str, Any]) -> bool:
    """The provider's own 404: any other must not pass for "not found"."""
    return status == 404 and _error_code(found) in ("not_found", "card_missing")


def _usable(answer: Answer) -> dict[str, Any]:
    """The content of a 200; the errors of calls that move no money otherwise."""
    status, found = answer
    if status == 200:
        return found
    if _leaves_open(status, found):
        raise ProviderUnavailable(_refusal(status, found))
    raise RequestRefused(_refusal(status, found))


def _error_code(found: dict[str, Any]) -> str:
    error = found.get("error")
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def _refusal(status: int, found: dict[str, Any]) -> str:
    return f"the sandbox provider answered {status} {_error_code(found)}".rstrip()


def _answers(charge: dict[str, Any], charge_ref: str, attempt_id: str) -> bool:
    """Whether this charge tells what became of the attempt, or that the money moved anyway."""
    metadata = charge.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("charge_ref") != charge_ref:
        return False
    return metadata.get("attempt_id") == attempt_id or charge.get("status") == "succeeded"


def _charge_result(charge: Any) -> ChargeResult:
    if not isinstance(charge, dict) or not isinstance(charge.get("id"), str):
        return ChargeResult(outcome=Outcome.UNKNOWN)
    decline_code = _text(charge.get("decline_code"))
    return ChargeResult(
        outcome=_outcome(charge.get("status"), decline_code),
        provider_charge_id=charge["id"],
        attempt_id=_attempt_id(charge),
        decline_code=decline_code,
        confirm_url=_text(charge.get("confirm_url")),
        refunded=_wholly_refunded(charge),
        reversed=_reversed(charge),
    )


def _attempt_id(charge: dict[str, Any]) -> str | None:
    metadata = charge.get("metadata")
    return _text(metadata.get("attempt_id")) if isinstance(metadata, dict) else None


_NEVER = datetime.min.replace(tzinfo=UTC)


def _created_at(charge: dict[str, Any]) -> datetime:
    try:
        return datetime.fromtimestamp(charge["created"], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise ProviderUnavailable("a charge that cannot be read") from error


def _provider_charge(charge: dict[str, Any]) -> ProviderCharge:
    metadata = charge.get("metadata")
    ref = metadata.get("charge_ref") if isinstance(metadata, dict) else None
    try:
        return ProviderCharge(
            id=charge["id"],
            charge_ref=str(ref or ""),
            amount=Money(minor=charge["amount"], currency=charge["currency"]),
            succeeded=charge["status"] == "succeeded",
            refunded_minor=int(charge["refunded"]),
            reversed_minor=int(charge.get("reversed", 0)),
            created_at=_created_at(charge),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProviderUnavailable("a charge that cannot be read") from error


def _wholly_refunded(charge: dict[str, Any]) -> bool:
    amount, refunded = charge.get("amount"), charge.get("refunded")
    return isinstance(amount, int) and isinstance(refunded, int) and 0 < amount <= refunded


def _reversed(charge: dict[str, Any]) -> Money | None:
    taken, currency = charge.get("reversed"), charge.get("currency")
    if not isinstance(taken, int) or taken <= 0 or not isinstance(currency, str):
        return None
    return Money(minor=taken, currency=currency)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _outcome(status: Any, decline_code: str | None) -> Outcome:
    match status:
        case "succeeded":
            return Outcome.SUCCEEDED
        case "processing":
            return Outcome.PROCESSING
        case "requires_action":
            return Outcome.AUTHENTICATION_REQUIRED
        case "cancelled":
            return Outcome.CANCELLED
        case "failed":
            final = decline_code in FINAL_DECLINES
            return Outcome.DECLINED_FINAL if final else Outcome.DECLINED
        case _:
            return Outcome.UNKNOWN


def _card_setup(found: dict[str, Any]) -> CardSetup:
    card = found.get("card")
    try:
        return CardSetup(
            setup_id=found["id"],
            url=found.get("url"),
            reference=found["reference"],
            complete=found["status"] == "complete",
            provider_customer=found.get("customer"),
            card=None if card is None else _card(card),
            failure=found.get("failure"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProviderUnavailable("a card setup that cannot be read") from error


def _card(found: dict[str, Any]) -> Card:
    """The provider's id doubles as ours, so a setup that is read twice is one card."""
    return Card(
        id=found["id"],
        provider=SandboxProvider.name,
        token=found["id"],
        brand=found["brand"],
        last4=found["last4"],
        exp_month=found["exp_month"],
        exp_year=found["exp_year"],
    )
