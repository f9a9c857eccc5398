"""One seed: two months of a town in which everything goes wrong, looked at after every step."""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from infra.local import lambdas
from infra.local.aws import Engine
from infra.local.happened import NeverQuiet
from infra.local.world import LocalWorld
from shared.domain.charge import By, Charge
from shared.domain.due import utc_text
from shared.domain.invariants import CustomerBooks, Rule, breaches
from shared.domain.subscription import Subscription, SubscriptionState
from shared.store import catalogue as catalogues
from shared.store import engine as store
from tests.shop_floor import FAILS_LATER, PUBLIC_URL, WORKS, customer_with_card, head, template
from tests.simulation import calendar_oracle
from tests.simulation.holding import queued, read_books, violations
from tests.simulation.town import Town, merchant_by
from tests.simulation.watched import Watched
from tests.simulation.weather import Weather

DAYS = 60
CALM_DAYS = 9
"""The last days: until every slot has passed and every unknown outcome is known."""

AT_FIRST = 4
RESIDENTS = 8
MAX_CALLS = 800
"""Calls to the database, spread over the days: people rest while more are used up than that."""

PATIENCE = 3
SPREE_CALLS = 120
"""What may be used up before its time: everybody shops on the first day."""

MAX_STEPS = 2000
MAX_LATE = timedelta(days=1)
"""How far after its moment a period may first be asked for, whatever went wrong."""

MINUTE = timedelta(minutes=1)
DISTANT = datetime.max.replace(tzinfo=UTC) - MAX_LATE
SETTLING = timedelta(minutes=3)
HISTORY = 120

AWKWARD = ((1, 29), (1, 30), (1, 31), (3, 31), (5, 31), (8, 31), (10, 31))
"""Months and days after which a month lacks the day of an anchor; half of all seeds begin there."""

FIRST_YEAR = 2033
"""Far ahead: DynamoDB Local lets items expire by this machine's clock."""


@dataclass
class Lived:
    """What came of a seed."""

    seed: int
    days: int = 0
    operations: int = 0
    calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    collected: int = 0
    violations: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)


class Violated(Exception):
    """Something that always holds does not."""


class Life:
    def __init__(self, seed: int, engine: Engine, *, days: int = DAYS) -> None:
        self.lived = Lived(seed)
        self._days = days
        self._engine = engine
        self._rng = random.Random(f"life {seed}")
        self._checked: set[str] = set()

    def live(self) -> Lived:
        """Never raises for what it finds: that is in `violations`, with the history."""
        with self._opened() as (world, watched, weather):
            self.world, self.watched, self.weather = world, watched, weather
            try:
                self._live()
            except Violated as violated:
                self.lived.violations += str(violated).splitlines()
            except NeverQuiet as restless:
                self.lived.violations.append(f"it never came to rest: {restless}")
            self.lived.operations = world.runs
            self.lived.calls = watched.calls
            self.lived.faults = Counter({str(f): n for f, n in weather.struck.items()})
            self.lived.collected = sum(one.state == "succeeded" for one in world.sandbox.charges())
        return self.lived

    @contextmanager
    def _opened(self) -> Iterator[tuple[LocalWorld, Watched, Weather]]:
        rng = self._rng
        month, day = rng.randrange(1, 13), rng.randrange(1, 29)
        if rng.random() < 0.5:
            month, day = rng.choice(AWKWARD)
        start = datetime(FIRST_YEAR + rng.randrange(4), month, day, 15, tzinfo=UTC)
        start += timedelta(minutes=rng.randrange(480))
        weather = Weather(rng)
        watched = Watched(self._engine, "punchcard-accounts")
        waited = store.waits
        store.waits = lambda _: None
        world = LocalWorld(
            engine=watched,
            start=start,
            public_url=PUBLIC_URL,
            template=template(),
            line=weather,
            seed=rng.getrandbits(32),
        )
        watched.table = world.wiring.environment.accounts_table
        weather.noted = self._note
        try:
            with world:
                yield world, watched, weather
        finally:
            store.waits = waited

    def _note(self, what: str) -> None:
        self.lived.history.append(what)
        del self.lived.history[:-HISTORY]

    # --- time ---

    def _live(self) -> None:
        rng, world = self._rng, self.world
        catalogues.publish(merchant_by(rng))
        self.watched.now = world.now
        self.town = Town(world, self.watched, rng, self._note)
        self.town.places.open_classes(self._days - CALM_DAYS)
        for n in range(AT_FIRST):
            email = f"first{n}@example.com"
            customer_id = customer_with_card(world, WORKS if n else FAILS_LATER, email)
            resident = self.town.settle_in(email, head(customer_id).value)
            self.town.shop(resident, *(("month",) if n == 1 else ()))
        self.weather.now = world.now
        self.weather.meanwhile = self._meanwhile
        self.weather.later = self._later
        self._began = began = world.now()
        calm_from = began + timedelta(days=self._days - CALM_DAYS)
        looked_at = began
        for _ in range(MAX_STEPS):
            if world.now() >= calm_from:
                break
            self._people()
            self._go_on(min(self._next(), calm_from))
            self._check_touched()
            if world.now() - looked_at >= timedelta(days=1):
                looked_at = world.now()
                self._look_at_all()
        self._calm_down(began + timedelta(days=self._days))
        self.lived.days = (world.now() - began).days

    def _next(self) -> datetime:
        """The next moment at which the clock does something, or some hours later."""
        now = self.world.now()
        upcoming = [at for at in (self.world.next_moment(), self._next_late()) if at is not None]
        soon = min(upcoming, default=now + timedelta(days=1))
        return max(now, min(soon, now + timedelta(hours=self._rng.randrange(6, 30))))

    def _next_late(self) -> datetime | None:
        return min((at for at, _ in self.town.later), default=None)

    def _go_on(self, target: datetime) -> None:
        self._note(f"{utc_text(target)}")
        self._advance(target)
        ready = [one for one in self.town.later if one[0] <= self.world.now()]
        self.town.later = [one for one in self.town.later if one[0] > self.world.now()]
        for _, carry_out in ready:
            carry_out()
            self.world.settle_if_free()

    def _advance(self, target: datetime) -> None:
        """In the roughest weather a dozen ticks in a row may fail; then it is waited once more."""
        for tries_left in reversed(range(PATIENCE)):
            try:
                self.world.advance_to(target)
            except NeverQuiet as restless:
                if not tries_left:
                    raise
                self._note(f"    {restless}")
            else:
                return

    def _people(self) -> None:
        passed = (self.world.now() - self._began) / timedelta(days=self._days - CALM_DAYS)
        if self.watched.calls > SPREE_CALLS + MAX_CALLS * passed:
            return
        town, rng = self.town, self._rng
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
            one = town.anybody()
            doings: list[tuple[int, str, Callable[[], None]]] = [
                (3, "shops", lambda one=one: town.shop(one)),  # type: ignore[misc]
                (12, "books", lambda one=one: town.places.book(one)),  # type: ignore[misc]
                (7, "'s places", lambda one=one: town.places.take_back(one)),  # type: ignore[misc]
                (5, "buys a place", lambda one=one: town.places.buy(one)),  # type: ignore[misc]
                (3, "pays for places", lambda one=one: town.places.pay(one)),  # type: ignore[misc]
                (3, "is at the desk", lambda one=one: town.places.staff_see_to(one)),  # type: ignore[misc]
                (2, "cancels", lambda one=one: town.cancel(one)),  # type: ignore[misc]
                (1, "undoes", lambda one=one: town.undo(one)),  # type: ignore[misc]
                (2, "adds a card", lambda one=one: town.new_card(one)),  # type: ignore[misc]
                (1, "changes cards", lambda one=one: town.change_default(one)),  # type: ignore[misc]
                (3, "pays", lambda one=one: town.pay(one)),  # type: ignore[misc]
                (2, "confirms", lambda one=one: town.confirm(one)),  # type: ignore[misc]
                (4, "'s card turns", lambda one=one: town.card_turns(one)),  # type: ignore[misc]
                (2, "'s credits", lambda one=one: town.staff_change_credits(one)),  # type: ignore[misc]
                (1, "is cancelled by staff", lambda one=one: town.staff_cancel(one)),  # type: ignore[misc]
                (5, "and the provider", town.provider_misbehaves),
                (3, "and webhooks", town.webhooks_misbehave),
                (2, "and a stranger", town.stranger_forges),
                (2, "and an event", town.event_comes_again),
                (1, "and a deployment", self._deploy),
                (
                    2 if len(town.residents) < RESIDENTS else 0,
                    "and a newcomer",
                    town.somebody_comes,
                ),
            ]
            _, what, do = rng.choices(doings, weights=[weight for weight, _, _ in doings])[0]
            self._note(f" {one.email} {what}")
            do()

    def _deploy(self) -> None:
        """The next handlers die in the middle, warm ones are gone, and the queue may be wider."""
        self.weather.deaths_ahead = 2
        catalogues.forget()
        if self._rng.random() < 0.5:
            self.town.more_shards(os.environ)  # type: ignore[arg-type]

    def _meanwhile(self) -> Callable[[], None] | None:
        """What somebody else does in the middle of a handler's work."""
        town, one = self.town, self.town.anybody()
        return self._rng.choice(
            (
                self._sweep,
                self._sweep,
                lambda: town.pay(one),
                lambda: town.cancel(one),
                lambda: town.new_card(one),
                lambda: town.change_default(one),
                lambda: town.places.book(one),
                lambda: town.places.take_back(one),
                lambda: town.places.pay(one),
                lambda: town.places.staff_see_to(one),
                lambda: town.confirm(one),
                lambda: town.event_comes_again(among=2),
                lambda: town.event_comes_again(among=2),
                self._release_webhooks,
            )
        )

    def _release_webhooks(self) -> None:
        self.world.sandbox.release_webhooks()

    def _sweep(self) -> None:
        """Another sweep begins before this one has come to its end."""
        self._note("    another sweep")
        tick = self.world.tick
        try:
            self.world.invoke(tick, lambdas.schedule_event(utc_text(self.world.now())))
        except (Exception, lambdas.Died) as failed:  # noqa: BLE001 - as Lambda
            self._note(f"    the other sweep failed: {type(failed).__name__}")

    def _later(self, minutes: int, carry_out: Callable[[], Any]) -> None:
        self.town.later.append((self.world.now() + timedelta(minutes=minutes), carry_out))

    def _calm_down(self, until: datetime) -> None:
        """The weather clears; everything that is open comes to its end."""
        with self.weather.calm():
            self.weather.deaths_ahead = 0
            self.world.sandbox.behave()
            catalogues.forget()
            for _, carry_out in self.town.later:
                carry_out()
            self.town.later = []
            while self.world.now() < until:
                self._go_on(min(until, self.world.now() + timedelta(days=1)))
                self._check_touched()
            self._look_at_all(to_the_end=True)

    # --- looking ---

    def _check_touched(self) -> None:
        """The books of everybody that anything was written of since the last look."""
        wrong = [*self.watched.wrong, *self.town.wrong, *self._mails_twice()]
        touched, self.watched.touched = sorted(self.watched.touched), set()
        for pk in touched:
            if not pk.startswith("customer#"):
                continue
            for books in read_books(self.watched.of(pk)).values():
                found = breaches(books, self.world.now())
                wrong += [str(one) for one in found if one.rule is not Rule.NOT_OVERDUE]
                wrong += list(self._off_the_calendar(books))
                wrong += list(self.town.broken_promises(books))
        self._raise(wrong)

    def _look_at_all(self, *, to_the_end: bool = False) -> None:
        """Everything that is stored, after a few calm minutes; what is behind, caught up."""
        with self.weather.calm():
            self._go_on(self.world.now() + SETTLING)
            self._check_touched()
            wrong = violations(self.world)
            for key, item in self.watched.items.items():
                if queued(item).parked:
                    wrong.append(f"{key} is parked")
            if to_the_end:
                wrong += self._left_open()
            self._raise(wrong)

    def _raise(self, wrong: list[str]) -> None:
        if wrong:
            raise Violated("\n".join([f"{utc_text(self.world.now())}:", *wrong]))

    def _mails_twice(self) -> Iterator[str]:
        """One email is handed over twice only where a fault lay between its acceptance and the
        end of the handler that sent it."""
        runs: dict[str, list[int]] = {}
        for key, run in self.weather.mails:
            runs.setdefault(key, []).append(run)
        for key, of_key in runs.items():
            clean = [run for run in of_key if run not in self.weather.struck_runs]
            if len(clean) > 1 or (len(of_key) > 1 and len(of_key) - len(clean) == 0):
                yield f"email {key} was sent {len(of_key)} times"

    def _off_the_calendar(self, books: CustomerBooks) -> Iterator[str]:
        """Periods that are charged at another time than an independent calculation says."""
        agreements = {one.id: one for one in books.subscriptions}
        for charge in books.charges:
            agreement = agreements.get(charge.subscription_id or "")
            if agreement is None or charge.period is None or not charge.attempts:
                continue
            due, first = _due(agreement, charge.period), charge.attempts[0]
            # A renewal waits until the charge before it is settled, however many periods that
            # takes ([RETRY]), and an order whose payment was not known until late begins late.
            before = [
                one.settled_at or DISTANT
                for one in books.charges
                if one.subscription_id == agreement.id and (one.period or 0) < charge.period
            ]
            latest = max(due, agreement.created_at, *before) + MAX_LATE
            if first.by is By.CLOCK and not due <= first.started_at <= latest:
                yield f"period {charge.period} of {agreement.id}: {first.started_at}, not {due}"
            yield from _slots_too_early(agreement, charge, due)

    def _left_open(self) -> Iterator[str]:
        """What should have come to its end by now and has not."""
        for books in read_books(list(self.watched.items.values())).values():
            charged: dict[str, int] = {}
            for charge in books.charges:
                if charge.settled_at is None and charge.outcome in ("unknown", "attempting"):
                    yield f"{charge.ref} is still {charge.outcome}"
                if charge.subscription_id:
                    charged[charge.subscription_id] = max(
                        charged.get(charge.subscription_id, -1), charge.period or 0
                    )
            for one in books.subscriptions:
                open_ended = one.over or one.collection or one.state is SubscriptionState.PAUSED
                if not open_ended and _due(one, one.next_period) <= self.world.now():
                    yield f"{one.id} was not charged for period {one.next_period}"


def _slots_too_early(agreement: Subscription, charge: Charge, due: datetime) -> Iterator[str]:
    """[RETRY]: the clock's try k is not before 23:59 of the k-th day after the first."""
    first_day = due.astimezone(ZoneInfo(agreement.zone)).date()
    tries = [one for one in charge.attempts if one.by is By.CLOCK]
    for k, one in enumerate(tries[1:], start=1):
        slot = calendar_oracle.begins(first_day + timedelta(days=k + 1), agreement.zone) - MINUTE
        if one.started_at < slot:
            yield f"try {k} of {charge.ref} came at {one.started_at}, not at {slot}"


def _due(one: Subscription, period: int) -> datetime:
    """When a period is to be charged: a later start when its day begins, all else at 23:59."""
    if period == 0 and one.trial_days is None:
        return calendar_oracle.begins(one.anchor, one.zone)
    assert one.frequency is not None, "in the simulation a calendar drives everything"
    return calendar_oracle.charged(one.anchor, one.frequency.value, period, one.zone)
