"""A stand-in for CardPointe's gateway and its hosted card field, as their documents describe them.

It stands outside our system and keeps everything in memory. Basic authorization, no idempotency
keys (the same request twice is two payments), order ids of 19 characters at most, voids until the
day's batch is sent off and refunds once it is accepted, no webhooks, no list of payments, no
authentication. It can be told to misbehave, by the methods of `Sandbox` of the same names.
"""

import base64
import hmac
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from infra.local.cardpointe_api import Api, Call, NoSuchPath
from infra.local.cardpointe_books import Books, Kind, Txn, merged
from infra.local.cardpointe_cards import PROCESSOR_CODES
from infra.local.cardpointe_frame import FRAME_PATH, SCRIPT_PATH, frame, script
from infra.local.cardpointe_requests import BadRequest
from infra.local.sandbox import ChargeSeen
from infra.local.sandbox_faults import INSIDE, ON_THE_WAY, Fault, Faults, Misbehaviour, Operation
from shared.providers.transport import Transport, TransportTimeout

DEFAULT_MOUNT = "/_local/cardpointe"
REST = "/cardconnect/rest"
TOKENIZE = "/cardsecure/api/v1/ccn/tokenize"
TIMED_OUT_HEADER = "CardPointe-Timed-Out"
MAX_BODY_BYTES = 64_000
RETRY_AFTER_SECONDS = 3

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class _OnTheWay:
    """A request whose sender has given up, and which arrives later all the same."""

    arrives_at: datetime
    call: Call


class CardPointe:
    """The provider. Safe for threads.

    `path` of `handle` is what follows `mount`, with the query. `amount_driven` is the rule of the
    documented test environment by which amounts from 1,001.00 to 1,999.99 ask for a response code.
    `seed` makes ids and the order of an answer's fields repeatable.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        username: str,
        password: str,
        merchant_id: str,
        currency: str = "USD",
        mount: str = DEFAULT_MOUNT,
        seed: int | None = None,
        *,
        amount_driven: bool = False,
    ) -> None:
        self._rng = random.SystemRandom() if seed is None else random.Random(seed)
        self._now = now
        self._lock = RLock()
        self._faults = Faults()
        self._pending: list[_OnTheWay] = []
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._authorization = f"Basic {pair}"
        self._mount = mount
        self._books = Books(now, currency, self._rng)
        self._api = Api(self._books, merchant_id, "fts-uat", amount_driven=amount_driven)

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one HTTP request. A time-out is a 504 that carries `CardPointe-Timed-Out`."""
        lower = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            self._let_arrive()
            return self._answer(method.upper(), path, lower, body)

    # Told from Python

    def misbehave(
        self,
        operation: Operation | str,
        fault: Fault | str,
        *,
        times: int = 1,
        customer: str | None = None,
        card: str | None = None,
        seconds: int = 60,
        decline_code: str = "100",
    ) -> None:
        """Let the next `times` calls of `operation` go wrong, as at the sandbox, but for two:
        `LATE` is a payment that is on its way for so many seconds after its sender gave up, and
        there are no keys that a repeat could be answered from. `decline_code` is the processor's.
        Raises `ValueError` for what could never happen."""
        told = Misbehaviour(
            Operation(operation), Fault(fault), times, customer, card, seconds, decline_code
        )
        if told.decline_code not in PROCESSOR_CODES:
            raise ValueError("decline_code is one of the processor's codes")
        with self._lock:
            self._faults.add(told)

    def behave(self) -> None:
        """End all misbehaviour."""
        with self._lock:
            self._faults.clear()

    def disable_merchant(self, *, disabled: bool = True) -> None:
        """The merchant's account can't charge, or can again."""
        with self._lock:
            self._api.enabled = not disabled

    def change_password(self, username: str, password: str) -> None:
        """The credentials that were good until now are revoked."""
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        with self._lock:
            self._authorization = f"Basic {pair}"

    def let_card_behave_as(self, card: str, number: str) -> None:
        """A saved card (`profile/account`) goes bad, or good: charges of it now do what the test
        number does. Raises `ValueError` for a card that is not there."""
        profileid, _, acctid = card.partition("/")
        with self._lock:
            self._books.let_behave_as(profileid, acctid, number)

    def tokenize(self, number: str) -> str:
        """What the card field hands to its page for this number."""
        with self._lock:
            return self._books.tokenize(number).token

    def save_card(
        self, number: str, email: str, customer: str | None = None, reference: str = ""
    ) -> tuple[str, str]:
        """Save a card past the card field; answers the profile and the card. `reference` is its
        profile's company."""
        with self._lock:
            card = self._books.tokenize(number)
            expiry = f"12{(self._now().year + 4) % 100:02d}"
            details = {"email": email, "name": "", "company": reference}
            saved = self._books.save_account(card, expiry, details, customer)
            return saved.profileid, f"{saved.profileid}/{saved.acctid}"

    def charges(self) -> list[ChargeSeen]:
        """Every payment that there ever was, oldest first. What was voided has the state `voided`
        and counts as refunded whole."""
        with self._lock:
            self._let_arrive()
            return [self._seen(txn) for txn in self._books.txns() if txn.kind is Kind.SALE]

    def _seen(self, txn: Txn) -> ChargeSeen:
        fields = merged(txn.userfields)
        state = "voided" if txn.voided_at else "succeeded" if txn.said.approved else "failed"
        refunds = tuple(one.amount for one in self._books.refunds_of(txn.retref))
        return ChargeSeen(
            id=txn.retref,
            charge_ref=fields.get("charge_ref"),
            attempt_id=fields.get("attempt_id"),
            customer=txn.profileid,
            card=f"{txn.profileid}/{txn.acctid}",
            amount=txn.amount,
            currency=txn.currency,
            state=state,
            decline_code=None if txn.said.approved else f"{txn.said.proc}-{txn.said.code}",
            refunds=(txn.amount,) if txn.voided_at else refunds,
            created_at=txn.created_at,
        )

    # Over HTTP

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        split = urlsplit(path)
        if len(body) > MAX_BODY_BYTES:
            return _json(413, {"message": "Too long."})
        if split.path in (FRAME_PATH, SCRIPT_PATH) and method in ("GET", "HEAD"):
            options = dict(parse_qsl(split.query))
            year = self._now().year
            return frame(options, self._mount, year) if split.path == FRAME_PATH else script()
        if split.path == TOKENIZE:
            return self._tokenize(method, body)
        if not split.path.startswith(f"{REST}/"):
            return _no_such_path(split.path)
        given = headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._authorization.encode()):
            return 401, {"Content-Type": "text/html"}, b"<h1>401 Unauthorized</h1>"
        try:
            rest = unquote(split.path.removeprefix(REST))
            return self._carry_out(self._api.route(method, rest, _content(body)))
        except NoSuchPath:
            return _no_such_path(split.path)
        except BadRequest as error:
            return _json(400, {"message": str(error), "errorcode": 49})

    def _tokenize(self, method: str, body: bytes) -> Answer:
        if method != "POST":
            return _no_such_path(TOKENIZE)
        try:
            return _json(200, self._api.tokenize(_content(body)))
        except BadRequest as error:
            return _json(400, {"message": str(error), "errorcode": 76})

    def _carry_out(self, call: Call) -> Answer:
        """What happens on the way there, the call itself, what happens on the way back."""
        on_the_way = self._faults.take(call.operation, ON_THE_WAY, call.subject)
        fault = None if on_the_way is None else on_the_way.fault
        if fault is Fault.RATE_LIMIT:
            status, headers, content = _json(429, {"message": "Too Many Requests"})
            headers["X-Rate-Limit-Retry-After-Seconds"] = str(RETRY_AFTER_SECONDS)
            return status, headers, content
        if fault is Fault.TIMEOUT_BEFORE:
            return _timed_out()
        inside = self._faults.take(call.operation, INSIDE, call.subject)
        fault_inside = None if inside is None else inside.fault
        if fault_inside is Fault.ERROR_BEFORE:
            return _broken()
        if inside is not None and fault_inside is Fault.LATE:
            arrives_at = self._now() + timedelta(seconds=inside.seconds)
            self._pending.append(_OnTheWay(arrives_at, call))
            return _timed_out()
        forced = inside.decline_code if inside and fault_inside is Fault.DECLINE else None
        answer = _json(200, self._mixed(call.carry_out(forced)))
        if fault_inside is Fault.ERROR_AFTER:
            return _broken()
        return _timed_out() if fault is Fault.TIMEOUT_AFTER else answer

    def _let_arrive(self) -> None:
        now = self._now()
        for waiting in [one for one in self._pending if one.arrives_at <= now]:
            self._pending.remove(waiting)
            waiting.call.carry_out(None)

    def _mixed(self, content: Any) -> Any:
        """As the test environment answers: fields in no order, and some that mean nothing."""
        if isinstance(content, list):
            return [self._mixed(one) for one in content]
        fields = [*content.items(), (f"dummy{self._rng.randrange(100)}", "ignore me")]
        self._rng.shuffle(fields)
        return dict(fields)


def in_process(cardpointe: CardPointe) -> Transport:
    """A transport that calls `cardpointe` directly. A time-out is raised at once."""

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        status, answered, content = cardpointe.handle(method, path, headers, body)
        if TIMED_OUT_HEADER in answered:
            raise TransportTimeout(f"{method} {path}")
        return status, content

    return send


def _content(body: bytes) -> dict[str, Any]:
    """The service reads US-ASCII alone."""
    if not body:
        return {}
    try:
        content = json.loads(body.decode("ascii"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise BadRequest("The body is not a JSON object.")
    return content


def _json(status: int, content: Any) -> Answer:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return status, headers, json.dumps(content).encode()


def _no_such_path(path: str) -> Answer:
    return _json(404, {"status": 404, "error": "Not Found", "path": path})


def _broken() -> Answer:
    return 500, {"Content-Type": "text/html"}, b"<h1>500 Internal Server Error</h1>"


def _timed_out() -> Answer:
    return 504, {TIMED_OUT_HEADER: "1"}, b""
