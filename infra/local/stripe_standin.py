"""A small stand-in for Stripe, in memory, for tests and simulations.

It keeps what Stripe documents of the part of its API that saves cards and charges them, each rule
with its source where it is kept:

- requests (`stripe_params`): form-encoded, held against the official package's own description of
  their parameters; keys, idempotency and rate limits (`stripe_keys`); errors (`stripe_errors`).
- customers and payment methods (`stripe_books`), Checkout in `setup` mode with a hosted page
  (`stripe_checkout`, `stripe_pages`), PaymentIntents and Charges (`stripe_payments`), refunds and
  disputes (`stripe_afterwards`), lists, `expand[]` and events (`stripe_api`, `stripe_expand`),
  signed webhooks (`stripe_webhooks`), the documented test numbers (`stripe_cards`).

Test mode and live mode are two worlds: an object of one is `resource_missing` in the other. What
Stripe documents and the stand-in does not do (manual capture, Connect, subscriptions, mandates, …)
is refused, never ignored. It shares no code with our adapter, so that no mistake cancels itself
out; with the sandbox it shares the ways to go wrong, the queue of webhooks and the looks of a page.
"""

import hmac
import json
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from threading import RLock
from typing import Any
from urllib.parse import urlsplit

from infra.local.hosted_page import Answer, read_form
from infra.local.sandbox import ChargeSeen
from infra.local.sandbox_faults import INSIDE, ON_THE_WAY, Fault, Faults, Misbehaviour, Operation
from infra.local.stripe_afterwards import Afterwards
from infra.local.stripe_api import Account, Api, Call
from infra.local.stripe_books import API_VERSION, Books, Kind
from infra.local.stripe_cards import Entered, find
from infra.local.stripe_checkout import Checkout
from infra.local.stripe_errors import StripeRefusal, invalid, locked, rate_limited, server_error
from infra.local.stripe_keys import IdempotencyKeys, RateLimit, key_in, request_of
from infra.local.stripe_mode import Mode
from infra.local.stripe_pages import Pages
from infra.local.stripe_params import decode
from infra.local.stripe_payments import Forced, Payments
from infra.local.stripe_webhooks import EVERY_EVENT, StripeWebhooks
from infra.local.webhook_queue import Deliver
from shared.providers.transport import Transport, TransportTimeout

MAX_BODY_BYTES = 64_000
TIMED_OUT_HEADER = "Stand-In-Timed-Out"
DEFAULT_MOUNT = "/_local/stripe"
FORM = "application/x-www-form-urlencoded"


class Stripe:
    """The provider. Safe for threads; webhooks are handed to `deliver` outside its lock.

    `path` of `handle` is what follows `mount`, with the query. Links begin with `public_url` and
    `mount`. `key` is a secret key of either mode; `other_mode_key` is that of the other. `seed`
    makes ids and shuffling repeatable. `calls_per_second` is None for no rate limit.
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
        *,
        enabled_events: Collection[str] = EVERY_EVENT,
        calls_per_second: int | None = None,
        account: Account | None = None,
    ) -> None:
        if not key.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
            raise ValueError("a secret key begins with sk_test_ or sk_live_")
        self._rng = random.SystemRandom() if seed is None else random.Random(seed)
        self._now = now
        self._mount = mount
        self._root = public_url.rstrip("/") + mount
        self._account = account or Account()
        self._lock = RLock()
        self._faults = Faults()
        self.hooks = StripeWebhooks(now, deliver, webhook_secrets, self._rng, enabled_events)
        self.rate_limit = RateLimit(now, calls_per_second)
        self._live = "_live_" in key
        here, there = ("_live_", "_test_") if self._live else ("_test_", "_live_")
        self.other_mode_key = key.replace(here, there, 1)
        self._modes = {livemode: self._mode(livemode) for livemode in (False, True)}
        for livemode, mode in self._modes.items():
            mode.books.elsewhere = self._modes[not livemode].books
        self._keys = {key: self._live, self.other_mode_key: not self._live}
        self._revoked: set[str] = set()
        self._forbidden: frozenset[str] = frozenset()
        self._locked: set[str] = set()

    def _mode(self, livemode: bool) -> Mode:
        books = Books(self._now, self.hooks.send, self._rng, livemode=livemode)
        payments = Payments(books, self._root)
        afterwards = Afterwards(books)
        checkout = Checkout(books, self._root)
        api = Api(books, payments, afterwards, checkout, self._account)
        pages = Pages(checkout, payments, self._now, self._mount)
        return Mode(books, payments, afterwards, api, pages, IdempotencyKeys(self._now))

    @property
    def _main(self) -> Mode:
        return self._modes[self._live]

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Answer one HTTP request. A time-out is a 504 that carries `Stand-In-Timed-Out`."""
        lower = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            self._settle()
            answer = self._answer(method.upper(), path, lower, body)
            self._settle()
            hand_on = self.hooks.flush()
        hand_on()
        return answer

    def _settle(self) -> None:
        for mode in self._modes.values():
            mode.settle()

    # Told from Python: going wrong

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

    def behave(self) -> None:
        """End all misbehaviour; events that were held are delivered."""
        with self._lock:
            self._faults.clear()
            self._locked.clear()
            self._main.keys.in_use.clear()
            self.hooks.configure(repeat=1, shuffle=False)
            self.hooks.release()
            hand_on = self.hooks.flush()
        hand_on()

    def hold_key(self, idempotency_key: str, *, held: bool = True) -> None:
        """Behave as if the first request with this key had not ended: 409 until it is let go."""
        with self._lock:
            in_use = self._main.keys.in_use
            if held:
                in_use.add(idempotency_key)
            else:
                in_use.discard(idempotency_key)

    def hold_object(self, id_: str, *, held: bool = True) -> None:
        """Behave as if another request had this object: 429 `lock_timeout` until it is let go."""
        with self._lock:
            if held:
                self._locked.add(id_)
            else:
                self._locked.discard(id_)

    def revoke(self, key: str, *, revoked: bool = True) -> None:
        """The merchant has rolled the key in the dashboard: 401 `api_key_expired`."""
        with self._lock:
            if revoked:
                self._revoked.add(key)
            else:
                self._revoked.discard(key)

    def forbid(self, *resources: str) -> None:
        """The key is a restricted one without the permission for these: `charges`, `refunds`, …:
        403 (docs.stripe.com/keys/restricted-api-keys). Without any, the key may do all again."""
        with self._lock:
            self._forbidden = frozenset(resources)

    def let_account_charge(self, enabled: bool) -> None:
        """Whether the account may make charges: `charges_enabled`."""
        with self._lock:
            self._main.payments.charges_enabled = enabled

    def limit_confirmations(self, limit: int | None) -> None:
        """How often a PaymentIntent can be confirmed before it is canceled."""
        with self._lock:
            self._main.payments.confirmation_limit = limit

    def cancel_payment(self, id_: str) -> None:
        """The merchant gives a PaymentIntent up in the dashboard. Raises `StripeRefusal` for one
        that has ended or is under way."""
        with self._lock:
            self._settle()
            self._main.payments.cancel(id_, {"cancellation_reason": "abandoned"})
            hand_on = self.hooks.flush()
        hand_on()

    # Told from Python: webhooks

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

    # Told from Python: what banks and customers do

    def save_card(
        self,
        number: str,
        email: str,
        customer: str | None = None,
        reference: str = "",
    ) -> tuple[str, str]:
        """Save a card or an account past the hosted page, also one that the page would decline;
        answers the customer and the payment method. A new customer has `reference` in its
        metadata."""
        entered = self._entered(number)
        with self._lock:
            books = self._main.books
            owner = customer
            if owner is None:
                metadata = {"reference": reference} if reference else {}
                owner = str(books.add_customer({"email": email, "metadata": metadata})["id"])
            card = str(books.add_method(entered, owner, set_up=True)["id"])
            hand_on = self.hooks.flush()
        hand_on()
        return owner, card

    def _entered(self, number: str) -> Entered:
        known = find(number)
        return Entered(known, 12, self._now().year + 4) if known.type == "card" else Entered(known)

    def let_card_behave_as(self, card: str, number: str) -> None:
        """A saved card goes bad, or good: charges of it now do what the test number does."""
        known = find(number)
        with self._lock:
            books = self._main.books
            books.get(Kind.PAYMENT_METHOD, card)
            books.behaviours[card] = known

    def renew_card(self, card: str, last4: str, exp_month: int, exp_year: int) -> None:
        """The card network renews a saved card: it has another number and expiry from now on."""
        with self._lock:
            self._main.books.renew(card, last4, exp_month, exp_year)
            hand_on = self.hooks.flush()
        hand_on()

    def reverse_charge(self, charge_id: str, amount: int | None = None) -> None:
        """The bank takes a payment back: a dispute of all that is left of it, or of `amount` minor
        units. `charge_id` is that of the PaymentIntent or of the Charge. Raises `StripeRefusal`
        for what has not that much left."""
        with self._lock:
            self._settle()
            afterwards = self._main.afterwards
            afterwards.dispute(afterwards.charge_of(charge_id), amount)
            hand_on = self.hooks.flush()
        hand_on()

    def inquire_about(self, charge_id: str) -> None:
        """The bank asks about a payment and takes nothing: a dispute that is a warning."""
        with self._lock:
            self._settle()
            afterwards = self._main.afterwards
            afterwards.dispute(afterwards.charge_of(charge_id), inquiry=True)
            hand_on = self.hooks.flush()
        hand_on()

    def reinstate_charge(self, charge_id: str) -> None:
        """The bank gives back what it took: the dispute is won."""
        self._close_dispute(charge_id, "won")

    def lose_dispute(self, charge_id: str) -> None:
        """The dispute is lost: the money stays away."""
        self._close_dispute(charge_id, "lost")

    def close_inquiry(self, charge_id: str) -> None:
        self._close_dispute(charge_id, "warning_closed")

    def _close_dispute(self, charge_id: str, status: str) -> None:
        with self._lock:
            afterwards = self._main.afterwards
            afterwards.close(afterwards.charge_of(charge_id), status)
            hand_on = self.hooks.flush()
        hand_on()

    def charges(self) -> list[ChargeSeen]:
        """Every PaymentIntent that there ever was, oldest first. `id` is its id."""
        with self._lock:
            self._settle()
            return self._main.seen()

    def tries(self) -> list[ChargeSeen]:
        """Every try to collect, oldest first: a PaymentIntent may have had several."""
        with self._lock:
            self._settle()
            return self._main.tries()

    # Over HTTP

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        split = urlsplit(path)
        if not split.path.startswith("/v1/"):
            return self._page(method, split.path, body)
        try:
            mode = self._check_key(headers)
            self.rate_limit.count()
            if len(body) > MAX_BODY_BYTES:
                raise invalid("Request body too large.")
            self._check_headers(method, headers)
            params = decode(body.decode("utf-8", "replace") if method == "POST" else split.query)
            self._check_permission(split.path)
            call = mode.api.route(method, split.path, params)
            key = headers.get("idempotency-key") if method == "POST" else None
            return self._carry_out(mode, call, request_of(method, split.path, params), key)
        except StripeRefusal as refusal:
            return _refused(refusal)

    def _check_key(self, headers: Mapping[str, str]) -> Mode:
        """docs.stripe.com/api/authentication: as a bearer token, or as the user of HTTP basic."""
        given = key_in(headers.get("authorization", ""))
        if not given:
            raise StripeRefusal(401, "You did not provide an API key.")
        for known, livemode in self._keys.items():
            if hmac.compare_digest(known.encode(), given.encode()):
                if known in self._revoked:
                    raise StripeRefusal(401, "Expired API Key provided.", code="api_key_expired")
                return self._modes[livemode]
        raise StripeRefusal(401, "Invalid API Key provided.")

    def _check_permission(self, path: str) -> None:
        if any(path.startswith(f"/v1/{resource}") for resource in self._forbidden):
            message = "The provided key does not have the required permissions for this endpoint."
            raise StripeRefusal(403, message)

    def _check_headers(self, method: str, headers: Mapping[str, str]) -> None:
        version = headers.get("stripe-version", API_VERSION)
        if version != API_VERSION:
            message = f"Invalid Stripe API version: {version}. This stand-in has {API_VERSION}."
            raise invalid(message)
        kind = headers.get("content-type", FORM).split(";")[0].strip()
        if method == "POST" and kind != FORM:
            raise invalid(f"Invalid request: the content type must be {FORM}.")
        if "stripe-account" in headers:
            message = "The provided key does not have access to that account."
            raise StripeRefusal(403, message, code="account_invalid")

    def _carry_out(self, mode: Mode, call: Call, request: str, key: str | None) -> Answer:
        """What happens on the way there, the call itself, what happens on the way back."""
        on_the_way = self._faults.take(call.operation, ON_THE_WAY, call.subject)
        fault = None if on_the_way is None else on_the_way.fault
        if fault is Fault.RATE_LIMIT:
            raise rate_limited()
        if fault is Fault.TIMEOUT_BEFORE:
            return _timed_out()
        answer = self._once(mode, call, request, key)
        return _timed_out() if fault is Fault.TIMEOUT_AFTER else answer

    def _once(self, mode: Mode, call: Call, request: str, key: str | None) -> Answer:
        """Carry out the call, or answer what its key answered before. What is refused before the
        call begins is not kept."""
        kept = None if key is None else mode.keys.find(key, request)
        if kept is not None:
            return kept
        if call.locks in self._locked:
            raise locked()
        answer = self._execute(call)
        if key is not None:
            mode.keys.keep(key, request, answer)
        return answer

    def _execute(self, call: Call) -> Answer:
        inside = self._faults.take(call.operation, INSIDE, call.subject)
        fault = None if inside is None else inside.fault
        try:
            if fault is Fault.ERROR_BEFORE:
                raise server_error()
            forced = Forced(
                inside.seconds if inside and fault is Fault.LATE else None,
                inside.decline_code if inside and fault is Fault.DECLINE else None,
            )
            answer = _json(200, call.do(forced))
        except StripeRefusal as refusal:
            answer = _refused(refusal)
        return _refused(server_error()) if fault is Fault.ERROR_AFTER else answer

    def _page(self, method: str, path: str, body: bytes) -> Answer:
        """Pages are of the mode in which their object is."""
        mode = self._mode_of(path)
        reads = method in ("GET", "HEAD")
        if not reads and method != "POST":
            status, headers, page = mode.pages.problem(405, "This page is only read or sent.")
            return status, {**headers, "Allow": "GET, HEAD, POST"}, page
        try:
            answer = mode.pages.answer(path, None if reads else read_form(body[:MAX_BODY_BYTES]))
        except ValueError:
            return mode.pages.problem(422, "The form could not be read.")
        except StripeRefusal as refusal:
            return mode.pages.problem(refusal.status, str(refusal))
        return (*answer[:2], b"") if method == "HEAD" else answer

    def _mode_of(self, path: str) -> Mode:
        id_ = path.rstrip("/").rsplit("/", 1)[-1]
        for mode in self._modes.values():
            if mode.books.knows("checkout.session", id_) or mode.books.knows("payment_intent", id_):
                return mode
        return self._main


def in_process(stripe: Stripe) -> Transport:
    """A transport that calls `stripe` directly. A time-out is raised at once, without waiting."""

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        status, answered, content = stripe.handle(method, path, headers, body)
        if TIMED_OUT_HEADER in answered:
            raise TransportTimeout(f"{method} {path}")
        return status, content

    return send


def _json(status: int, content: dict[str, Any]) -> Answer:
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-cache, no-store",
        "Stripe-Version": API_VERSION,
    }
    return status, headers, json.dumps(content).encode()


def _refused(refusal: StripeRefusal) -> Answer:
    status, headers, body = _json(refusal.status, refusal.content)
    return status, {**headers, **refusal.headers}, body


def _timed_out() -> Answer:
    status, headers, body = _json(504, {"error": {"type": "api_error", "message": "No answer."}})
    return status, {**headers, TIMED_OUT_HEADER: "1"}, body
