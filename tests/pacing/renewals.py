"""A night on which many subscriptions renew at the same minute, at Stripe, in virtual time.

The real sweep and the real workers, each in as many threads as functions would run; Stripe's
stand-in behind a gate that keeps its limits; customers who buy meanwhile and wait for no turn.
"""

import json
import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from typing import Any, TypeVar

from infra.local import lambdas
from infra.local.banks import STRIPE
from infra.local.bus import Delivery, Task, Webhook
from infra.local.http_api import Request
from infra.local.line import Call
from infra.local.stripe_standin import Stripe, in_process
from infra.local.template import Function
from infra.local.world import LocalWorld
from shared.domain.calendar import Frequency
from shared.domain.card import Card
from shared.domain.customer import Customer
from shared.domain.due import utc_text
from shared.domain.invariants import Rule, breaches
from shared.domain.money import Money
from shared.domain.subscription import Subscription, SubscriptionState
from shared.domain.terms import Terms
from shared.operations.answered import Checked
from shared.operations.audit import books_of
from shared.store import accounts
from shared.store import catalogue as catalogues
from shared.store.items import Ref, item_of
from tests.pacing.busiest import busiest_second
from tests.pacing.gate import Gate
from tests.pacing.virtual_time import VirtualTime
from tests.shop_floor import (
    PUBLIC_URL,
    WORKS,
    catalogue_of,
    context_of,
    fill_cart,
    moment,
    press_pay,
    template,
)

DUE = "2026-02-28 04:59"
TICK_SECONDS = 60
IDLE_SECONDS = 0.1
MAX_MINUTES = 60
CHARGING = ("functions.billing.renewals.handler", "functions.billing.retries.handler")
CUSTOMERS = 6
"""Threads of customers who buy."""
EVENTS = ("payment_intent.succeeded", "payment_intent.payment_failed", "charge.dispute.created")
ITEMS_PER_CALL = 25

T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """`calls_per_second` and `calls_per_endpoint` are what the merchant's settings say (None: what
    is the default for the key); `limit` and `endpoint_limit` are what Stripe keeps. `purchases` is
    how many customers buy in a second meanwhile."""

    renewals: int
    live: bool = False
    workers: int = 32
    others: int = 12
    latency: float = 0.3
    purchases: float = 0.0
    calls_per_second: float | None = None
    calls_per_endpoint: float | None = None
    endpoint_limit: int = 25
    sweep_limit: int = 1_000
    charges_a_minute: int = 1_000
    webhook_delay: int = 1
    """Whole seconds until Stripe reports a payment; 0: at once, before it has answered the call."""
    seed: int = 1

    @property
    def limit(self) -> int:
        return 100 if self.live else 25

    @property
    def paced(self) -> bool:
        return self.calls_per_second != 0

    def but(self, **changes: Any) -> "Plan":
        """The same but for `changes`."""
        return replace(self, **changes)


@dataclass
class Told:
    """What came of a night."""

    plan: Plan
    collected: int = 0
    twice: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    """What the workers said of what they did."""
    calls: int = 0
    refused: int = 0
    """429s that Stripe answered."""
    not_collected_at_once: int = 0
    """Charges whose first answer was no answer: a 429 that was not caught, or no turn in time."""
    busiest: int = 0
    busiest_endpoint: int = 0
    seconds: float = 0.0
    """From the moment at which they were due until the last was collected."""
    turn_writes: int = 0
    bought: int = 0
    bought_not_paid: int = 0
    slowest_purchase: float = 0.0
    waiting: Counter[str] = field(default_factory=Counter)
    """What was overdue at the end, by worker, of the customers who were looked at."""
    breached: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether every renewal was collected once, at its first try, and the books are right."""
        return (
            self.collected == self.plan.renewals
            and not self.twice
            and not self.not_collected_at_once
            and not self.bought_not_paid
            and not self.breached
            and not self.errors
            and not {"renewals", "retries", "reconcile", "apply"} & set(self.waiting)
        )

    @property
    def least_seconds(self) -> float:
        """No run that keeps the limit the clock may use could be quicker."""
        plan = self.plan
        whole = plan.calls_per_second or 0.8 * plan.limit
        each = plan.calls_per_endpoint or 0.8 * 25
        return (plan.renewals - 1) / min(whole, each)


class _Slow:
    """The way to AWS: a call takes a few milliseconds."""

    def __init__(self, time: VirtualTime) -> None:
        self._time = time
        self.turn_writes = 0

    def carry(self, call: Call, forward: Callable[[], T]) -> T:
        self._time.pause(self._time.rng.uniform(0.002, 0.008))
        if call.operation == "UpdateItem" and b"rate#pace#" in call.body:
            self.turn_writes += 1
        return forward()


class Night:
    """Plays a plan, once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.told = Told(plan)
        self.time = VirtualTime(moment(DUE), seed=plan.seed)
        self._waiting: dict[bool, deque[Task]] = {True: deque(), False: deque()}
        self._over = False
        self._due: set[str] = set()
        self._line = _Slow(self.time)

    def play(self) -> Told:
        logging.disable(logging.CRITICAL)
        world = LocalWorld(
            start=moment(DUE) - timedelta(minutes=1),
            public_url=PUBLIC_URL,
            template=template(),
            line=self._line,
            seed=self.plan.seed,
        )
        try:
            with closing(world):
                self.world = world
                self._set_up()
                self._run()
                self._look_back()
        finally:
            logging.disable(logging.NOTSET)
        return self.told

    # Before

    def _set_up(self) -> None:
        plan, world = self.plan, self.world
        catalogues.publish(catalogue_of())
        self.time.moved = world.clock.move_to
        world.clock.move_to(self.time.now())
        settings: dict[str, Any] = {
            "key": f"sk_{'live' if plan.live else 'test'}_night",
            "webhook_secrets": ["whsec_night"],
            "base_url": "https://stripe.test",
        }
        if plan.calls_per_second is not None:
            settings["calls_per_second"] = plan.calls_per_second
        if plan.calls_per_endpoint is not None:
            settings["calls_per_endpoint_per_second"] = plan.calls_per_endpoint
        self.stripe = Stripe(
            now=world.now,
            deliver=self._deliver,
            key=settings["key"],
            webhook_secrets=settings["webhook_secrets"],
            public_url=PUBLIC_URL,
            seed=plan.seed,
            enabled_events=EVENTS,
        )
        self.gate = Gate(
            self.time,
            in_process(self.stripe),
            per_second=plan.limit,
            per_endpoint=plan.endpoint_limit,
            latency=plan.latency,
        )
        world.parameters.content = {STRIPE: settings}
        wiring = world.wiring
        wiring.provider_overrides.clear()
        wiring.transports[STRIPE] = self.gate
        wiring.pause = self.time.pause
        wiring.environment = wiring.environment._replace(
            sweep_limit=plan.sweep_limit,
            charges_a_minute=plan.charges_a_minute,
        )
        people = [self._customer(f"C{at:06d}") for at in range(plan.renewals)]
        self._store([(accounts.head(one.id), one) for one in people])
        due = [due_subscription(one.id) for one in people]
        self._store([(accounts.subscription(one.customer_id, one.id), one) for one in due])
        self._due = {accounts.period_source(one.id, 1) for one in due}
        buyers = [self._customer(f"B{at:06d}") for at in range(CUSTOMERS)]
        self._store([(accounts.head(one.id), one) for one in buyers])

    def _deliver(self, delay: int, path: str, headers: dict[str, str], body: bytes) -> None:
        self.world.deliver(delay + self.plan.webhook_delay, path, headers, body)

    def _customer(self, customer_id: str) -> Customer:
        email = f"{customer_id.lower()}@example.com"
        owner, token = self.stripe.save_card(WORKS, email)
        card = Card(
            id=token,
            provider=STRIPE,
            token=token,
            brand="visa",
            last4=WORKS[-4:],
            exp_month=12,
            exp_year=2030,
        )
        return Customer(
            id=customer_id,
            email=email,
            created_at=moment("2026-01-28 15:00"),
            cards=(card,),
            default_card=card.id,
            provider_customers={STRIPE: owner},
        )

    def _store(self, items: Sequence[tuple[Ref[Any], Any]]) -> None:
        table = self.world.wiring.environment.accounts_table
        puts = [{"PutRequest": {"Item": item_of(ref, one, 1)}} for ref, one in items]
        for at in range(0, len(puts), ITEMS_PER_CALL):
            asked = {"RequestItems": {table: puts[at : at + ITEMS_PER_CALL]}}
            answer = self.world.engine.call("BatchWriteItem", json.dumps(asked).encode())
            assert answer.status == 200, answer.body

    # The night

    def _run(self) -> None:
        workers = [partial(self._work, True)] * self.plan.workers
        workers += [partial(self._work, False)] * self.plan.others
        buyers = CUSTOMERS if self.plan.purchases else 0
        self.time.run(
            [self._tick, *workers, *(partial(self._buy, f"B{at:06d}") for at in range(buyers))]
        )

    def _tick(self) -> None:
        """The schedule, and what stands behind it: each event to those who work on it."""
        for minute in range(MAX_MINUTES):
            paid = self._paid() if self.told.not_collected_at_once else {}
            if all(source in paid for source in self._due):
                break
            self.world.invoke(self.world.tick, lambdas.schedule_event(utc_text(self.world.now())))
            while self.time.seconds() < TICK_SECONDS * (minute + 1):
                self._hand_out()
                if self.told.outcomes["collected"] >= len(self._due):
                    self._over = True
                    return
                self.time.pause(IDLE_SECONDS)
        self._over = True

    def _hand_out(self) -> None:
        while (task := self.world.agenda.take(self.world.now())) is not None:
            charging = isinstance(task, Delivery) and task.function.handler in CHARGING
            self._waiting[charging].append(task)

    def _paid(self) -> Counter[str]:
        """How often Stripe was paid for each source."""
        return Counter(
            (one.charge_ref or "").partition("/")[2]
            for one in self.stripe.charges()
            if one.state == "succeeded"
        )

    def _work(self, charging: bool) -> None:
        waiting = self._waiting[charging]
        while not self._over:
            if not waiting:
                self.time.pause(IDLE_SECONDS)
                continue
            self._carry_out(waiting.popleft())

    def _carry_out(self, task: Task) -> None:
        match task:
            case Delivery():
                self._invoke(task.function, task.event)
            case Webhook():
                headers = [*task.headers.items(), ("host", "127.0.0.1")]
                self.world._serve(Request("POST", task.path, headers, task.body))
            case _:
                raise AssertionError(f"{task} is not of this night")

    def _invoke(self, function: Function, event: Any) -> None:
        try:
            done = self.world.invoke(function, event)
        except Exception as error:  # noqa: BLE001 - as Lambda: whatever a handler raises
            self.told.errors.append(f"{function.handler}: {error!r}")
            return
        if function.handler in CHARGING:
            self.told.outcomes.update(done)
            self.told.not_collected_at_once += done.get("open", 0)

    def _buy(self, customer_id: str) -> None:
        """A customer who buys again and again, and waits for no turn."""
        gap = CUSTOMERS / self.plan.purchases
        while not self._over:
            self.time.pause(self.time.rng.expovariate(1 / gap))
            cart = fill_cart(self.world, customer_id, "mat")
            press = press_pay(self.world, customer_id, cart)
            began = self.time.seconds()
            answered = press.carry_out(context_of(self.world))
            took = self.time.seconds() - began
            self.told.slowest_purchase = max(self.told.slowest_purchase, took)
            self.told.bought += 1
            self.told.bought_not_paid += answered.state is not Checked.PAID

    # After

    def _look_back(self) -> None:
        told, gate = self.told, self.gate
        told.seconds = self.time.seconds()
        told.calls = len(gate.arrived)
        told.refused = sum(gate.refused.values())
        told.busiest = busiest_second(at for at, _ in gate.arrived)
        endpoints = {endpoint for _, endpoint in gate.arrived}
        told.busiest_endpoint = max(
            busiest_second(at for at, called in gate.arrived if called == one) for one in endpoints
        )
        told.turn_writes = self._line.turn_writes
        paid = self._paid()
        told.collected = sum(source in paid for source in self._due)
        told.twice = sum(paid[source] > 1 for source in self._due)
        for at in range(0, self.plan.renewals, max(1, self.plan.renewals // 500)):
            self._look_at(f"C{at:06d}")

    def _look_at(self, customer_id: str) -> None:
        books = books_of(customer_id)
        assert books is not None
        for one in breaches(books, self.world.now()):
            if one.rule is Rule.NOT_OVERDUE:
                # What follows a renewal (its number, its emails) is admitted tick by tick too.
                self.told.waiting[one.detail.split("#")[1]] += 1
            elif "subscription_purchased" not in str(one):
                # They lie in the table as if they had been bought, and nobody was told of that.
                self.told.breached.append(str(one))
        (charge,) = books.charges
        if charge.settled_at is None or len(charge.attempts) != 1:
            self.told.breached.append(f"{charge.ref}: {charge.outcome}")


def due_subscription(customer_id: str) -> Subscription:
    """One that renews at `DUE`."""
    return Subscription(
        id=f"S{customer_id}",
        customer_id=customer_id,
        location_id="ny",
        zone="America/New_York",
        state=SubscriptionState.ACTIVE,
        terms=Terms(
            product_id="five_days",
            name="Five days",
            price=Money(minor=2_000, currency="USD"),
            service_id="yoga",
            credits=5,
            validity_days=5,
        ),
        frequency=Frequency.MONTHLY,
        anchor=date(2026, 1, 28),
        created_at=moment("2026-01-28 15:00"),
        first_invoice_id=f"I{customer_id}",
        next_period=1,
        reminded_for=1,
    )
