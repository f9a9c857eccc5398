"""The sandbox payment provider: a service that stands outside our system ([SANDBOX]).

It behaves as real providers do: a JSON API with a bearer key and idempotency keys, hosted pages,
signed webhooks. It keeps everything in memory, and can be told to misbehave (`POST /control`, or
the methods of the same names).
"""

import hmac
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from threading import RLock
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from infra.local.hosted_page import Answer, read_form
from infra.local.sandbox_api import Api, Call
from infra.local.sandbox_books import Books, Refused
from infra.local.sandbox_cards import read_card
from infra.local.sandbox_faults import INSIDE, ON_THE_WAY, Fault, Faults, Misbehaviour, Operation
from infra.local.sandbox_pages import Pages
from infra.local.sandbox_webhooks import Webhooks
from infra.local.webhook_queue import Deliver
from shared.providers.transport import Transport, TransportTimeout

KEY_LIFETIME = timedelta(hours=24)
MAX_BODY_BYTES = 64_000
MAX_KEY_CHARACTERS = 255
TIMED_OUT_HEADER = "Sandbox-Timed-Out"
DEFAULT_MOUNT = "/_local/sandbox"


@dataclass(frozen=True)
class ChargeSeen:
    """A charge in the provider's books, for tests and invariants. Amounts are minor units."""

    id: str
    charge_ref: str | None
    attempt_id: str | None
    customer: str
    card: str
    amount: int
    currency: str
    state: str
    decline_code: str | None
    refunds: tuple[int, ...]
    created_at: datetime
    reversed: int = 0

    @property
    def kept(self) -> bool:
        """Whether any of the money is still the merchant's."""
        return self.state == "succeeded" and sum(self.refunds) + self.reversed < self.amount


@dataclass(frozen=True)
class _Kept:
    """What an idempotency key stands for: the request, and the answer that it got."""

    request: str
    answer: Answer
    at: datetime


class Sandbox:
    """The provider. Safe for threads; webhooks are handed to `deliver` outside its lock.

    `path` of `handle` is what follows `mount`, with the query. Links begin with `public_url` and
    `mount`. `seed` makes ids and shuffling repeatable.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        deliver: Deliver,
        key: str,
        webhook_secrets: Sequence[str],
        public_url: str = "",
        mount: str = DEFAULT_MOUNT,
        seed: int | None = None,
    ) -> None:
        rng = random.SystemRandom() if seed is None else random.Random(seed)
        self._now = now
        self._key = key
        self._lock = RLock()
        self._faults = Faults()
        self._kept: dict[str, _Kept] = {}
        self.hooks = Webhooks(now, deliver, webhook_secrets, rng)
        self._books = Books(now, self.hooks.send, public_url.rstrip("/") + mount, rng)
        self._pages = Pages(self._books, now, mount)
        self._api = Api(self._books)

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Answer one HTTP request. A time-out is a 504 that carries `Sandbox-Timed-Out`."""
        lower = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            answer = self._answer(method.upper(), path, lower, body)
            hand_on = self.hooks.flush()
        hand_on()
        return answer

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
        decline_code: str = "generic_decline",
    ) -> None:
        """Let the next `times` calls of `operation` go wrong. Raises `ValueError` for an
        operation or a fault that does not exist, or a pair that makes no sense."""
        told = Misbehaviour(
            Operation(operation), Fault(fault), times, customer, card, seconds, decline_code
        )
        with self._lock:
            self._faults.add(told)

    def webhooks(
        self, *, hold: bool | None = None, repeat: int | None = None, shuffle: bool | None = None
    ) -> None:
        """Hold events back, deliver each `repeat` times, or out of order, from now on."""
        with self._lock:
            self.hooks.configure(hold=hold, repeat=repeat, shuffle=shuffle)

    def release_webhooks(self) -> int:
        """Deliver what was held and stop holding; answers how many events that were."""
        with self._lock:
            released = self.hooks.release()
            hand_on = self.hooks.flush()
        hand_on()
        return released

    def discard_webhooks(self) -> int:
        """Lose what was held; answers how many events that were."""
        with self._lock:
            return self.hooks.discard()

    def let_card_behave_as(self, card: str, number: str) -> None:
        """A saved card goes bad, or good: charges of it now do what the test number does."""
        with self._lock:
            self._books.let_behave_as(card, number)

    def renew_card(self, card: str, last4: str, exp_month: int, exp_year: int) -> None:
        """The card network renews a saved card: it has another number and expiry from now on."""
        with self._lock:
            self._books.renew_card(card, last4, exp_month, exp_year)
            hand_on = self.hooks.flush()
        hand_on()

    def reverse_charge(self, charge_id: str, amount: int | None = None) -> None:
        """The bank takes a payment back: a debit is returned, or the customer disputes it. All of
        it, or `amount` minor units. Raises `Refused` for what has not that much left."""
        with self._lock:
            self._books.reverse(charge_id, amount)
            hand_on = self.hooks.flush()
        hand_on()

    def reinstate_charge(self, charge_id: str) -> None:
        """The bank gives it back: the merchant has won. Raises `Refused` if nothing was taken."""
        with self._lock:
            self._books.reinstate(charge_id)
            hand_on = self.hooks.flush()
        hand_on()

    def save_card(
        self, number: str, email: str, customer: str | None = None, reference: str = ""
    ) -> tuple[str, str]:
        """Save a card past the hosted page, also one that the page would decline; answers the
        customer and the card. For tests and demo data."""
        with self._lock:
            today = self._now().date()
            fields = {"number": number, "expiry": f"12/{today.year + 4}", "cvc": "123"}
            read = read_card(fields, today)
            if isinstance(read, dict):
                raise ValueError(read)
            owner = customer or self._books.add_customer(email)
            saved = self._books.save_card(owner, read)
            saved.reference = reference
            return owner, saved.id

    def behave(self) -> None:
        """End all misbehaviour; events that were held are delivered."""
        with self._lock:
            self._behave()
            hand_on = self.hooks.flush()
        hand_on()

    def _behave(self) -> None:
        self._faults.clear()
        self.hooks.configure(repeat=1, shuffle=False)
        self.hooks.release()

    def charges(self) -> list[ChargeSeen]:
        """Every charge that there ever was, oldest first."""
        with self._lock:
            return [
                ChargeSeen(
                    id=charge.id,
                    charge_ref=charge.metadata.get("charge_ref"),
                    attempt_id=charge.metadata.get("attempt_id"),
                    customer=charge.customer,
                    card=charge.card,
                    amount=charge.amount,
                    currency=charge.currency,
                    state=charge.state.value,
                    decline_code=charge.decline_code,
                    refunds=tuple(refund.amount for refund in charge.refunds),
                    created_at=charge.created_at,
                    reversed=charge.reversed,
                )
                for charge in self._books.charges()
            ]

    # Over HTTP

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        split = urlsplit(path)
        is_api = split.path.startswith("/v1/") or split.path == "/control"
        try:
            if len(body) > MAX_BODY_BYTES:
                raise Refused(413, "too_large", f"A body has at most {MAX_BODY_BYTES} bytes.")
            if not is_api:
                return self._page(method, split.path, body)
            self._check_key(headers)
            content = _content(body)
            if split.path == "/control":
                return _json(200, self._control(method, content))
            query = dict(parse_qsl(split.query))
            call = self._api.route(method, split.path, query, content)
            return self._carry_out(call, headers.get("idempotency-key"))
        except Refused as refused:
            if not is_api:
                return self._pages.problem(refused.status, str(refused))
            return _json(refused.status, self._refusal(refused))

    def _check_key(self, headers: Mapping[str, str]) -> None:
        given = headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self._key}".encode()):
            raise _wrong_key()

    def _refusal(self, refused: Refused) -> dict[str, Any]:
        content: dict[str, Any] = {"error": {"code": refused.code, "message": str(refused)}}
        if refused.charge is not None:
            content["charge"] = self._books.charge_json(refused.charge)
        return content

    def _carry_out(self, call: Call, key: str | None) -> Answer:
        """What happens on the way there, the call itself, what happens on the way back."""
        on_the_way = self._faults.take(call.operation, ON_THE_WAY, call.subject)
        fault = None if on_the_way is None else on_the_way.fault
        if fault is Fault.RATE_LIMIT:
            raise Refused(429, "rate_limit", "Too many requests; try again.")
        if fault is Fault.KEY_REFUSED:
            raise _wrong_key()
        if fault is Fault.TIMEOUT_BEFORE:
            return _timed_out()
        answer = self._once(call, key)
        return _timed_out() if fault is Fault.TIMEOUT_AFTER else answer

    def _once(self, call: Call, key: str | None) -> Answer:
        """Carry out the call, or answer what its key answered before. A request that is refused
        leaves nothing behind, so its key stays free; every other answer is kept, a 500 too."""
        if not call.takes_key:
            return self._execute(call)
        if not key or len(key) > MAX_KEY_CHARACTERS:
            raise Refused(400, "idempotency_key_missing", "This call needs an Idempotency-Key.")
        self._forget_old_keys()
        kept = self._kept.get(key)
        if kept is not None:
            if kept.request != call.fingerprint:
                message = "The key was used before with another content."
                raise Refused(409, "idempotency_key_reused", message)
            return kept.answer
        answer = self._execute(call)
        self._kept[key] = _Kept(call.fingerprint, answer, self._now())
        return answer

    def _execute(self, call: Call) -> Answer:
        inside = self._faults.take(call.operation, INSIDE, call.subject)
        fault = None if inside is None else inside.fault
        if fault is Fault.ERROR_BEFORE:
            return _broken()
        status, content = call.carry_out(
            inside.seconds if inside and fault is Fault.LATE else None,
            inside.decline_code if inside and fault is Fault.DECLINE else None,
        )
        return _broken() if fault is Fault.ERROR_AFTER else _json(status, content)

    def _forget_old_keys(self) -> None:
        for key in list(self._kept):
            if self._now() - self._kept[key].at < KEY_LIFETIME:
                break
            del self._kept[key]

    def _page(self, method: str, path: str, body: bytes) -> Answer:
        reads = method in ("GET", "HEAD")
        if not reads and method != "POST":
            status, headers, page = self._pages.problem(405, "This page can only be read or sent.")
            return status, {**headers, "Allow": "GET, HEAD, POST"}, page
        try:
            form = {} if reads else read_form(body)
        except ValueError:
            raise Refused(422, "invalid_request", "The form could not be read.") from None
        answer = self._find_page(path.strip("/").split("/"), form, reads=reads)
        return (*answer[:2], b"") if method == "HEAD" else answer

    def _find_page(self, steps: list[str], form: Mapping[str, str], *, reads: bool) -> Answer:
        books, pages = self._books, self._pages
        match steps:
            case ["style.css"] if reads:
                return pages.style()
            case ["card-setups", setup_id]:
                setup = books.setup(setup_id)
                return pages.show_setup(setup) if reads else pages.save_card(setup, form)
            case ["card-setups", setup_id, "cancel"] if not reads:
                return pages.cancel_setup(books.setup(setup_id))
            case ["confirm", charge_id]:
                charge = books.charge(charge_id)
                return pages.show_charge(charge) if reads else pages.answer_charge(charge, form)
            case ["payments"] if reads:
                return pages.show_payments()
            case ["payments", charge_id] if not reads:
                return pages.answer_payment(books.charge(charge_id), form)
            case _:
                raise Refused(404, "not_found", "There is no such page.")

    def _control(self, method: str, told: dict[str, Any]) -> dict[str, Any]:
        """`GET` shows how things stand; `POST` takes `action` and what that method takes. What
        is to be delivered then goes out with the answer, when the lock is free."""
        if method == "POST":
            arguments = dict(told)
            action = arguments.pop("action", None)
            methods: dict[Any, Callable[..., Any]] = {
                "misbehave": self.misbehave,
                "webhooks": self.webhooks,
                "release_webhooks": self.hooks.release,
                "discard_webhooks": self.discard_webhooks,
                "let_card_behave_as": self.let_card_behave_as,
                "renew_card": self._books.renew_card,
                "reverse_charge": self._books.reverse,
                "reinstate_charge": self._books.reinstate,
                "save_card": self.save_card,
                "behave": self._behave,
            }
            try:
                outcome = methods[action](**arguments)
            except (KeyError, TypeError, ValueError) as error:
                message = f"The control API does not understand this: {error}"
                raise Refused(400, "invalid_request", message) from error
            return {"done": action, "result": outcome}
        return {
            "misbehaviour": [asdict(waiting) for waiting in self._faults.waiting()],
            "webhooks": {
                "hold": self.hooks.hold,
                "repeat": self.hooks.repeat,
                "shuffle": self.hooks.shuffle,
                "held": self.hooks.held,
            },
            "charges": [
                {**asdict(charge), "created_at": charge.created_at.isoformat()}
                for charge in self.charges()
            ],
        }


def in_process(sandbox: Sandbox) -> Transport:
    """A transport that calls `sandbox` directly. A time-out is raised at once, without waiting."""

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        status, answered, content = sandbox.handle(method, path, headers, body)
        if TIMED_OUT_HEADER in answered:
            raise TransportTimeout(f"{method} {path}")
        return status, content

    return send


def _wrong_key() -> Refused:
    return Refused(401, "wrong_key", "The API key is missing or wrong.")


def _content(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise Refused(400, "invalid_request", "The body is not a JSON object.")
    return content


def _json(status: int, content: dict[str, Any]) -> Answer:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return status, headers, json.dumps(content).encode()


def _broken() -> Answer:
    return _json(500, {"error": {"code": "internal_error", "message": "Something went wrong."}})


def _timed_out() -> Answer:
    status, headers, body = _json(504, {"error": {"code": "timeout", "message": "No answer."}})
    return status, {**headers, TIMED_OUT_HEADER: "1"}, body
