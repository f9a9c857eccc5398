"""One seed: two months of a town in which everything goes wrong, looked at after every step."""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from functions.console.recent import Limits
from infra.local import lambdas
from infra.local.aws import Engine
from infra.local.banks import SANDBOX
from infra.local.happened import NeverQuiet
from infra.local.world import LocalWorld
from shared.domain.due import utc_text
from shared.domain.invariants import Rule, breaches
from shared.domain.product import Catalogue
from shared.store import catalogue as catalogues
from shared.store import snapshot, tries
from tests import banking
from tests.banking import Skill, providers_of
from tests.shop_floor import FAILS_LATER, PUBLIC_URL, WORKS, customer_with_card, head, template
from tests.simulation.charged_when import left_open, left_out, off_the_calendar
from tests.simulation.holding import queued, read_books, violations
from tests.simulation.one_by_one import one_by_one
from tests.simulation.town import Town, merchant_by
from tests.simulation.watched import Watched
from tests.simulation.weather import Weather
from tests.told_lately import compared

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

LOOKS_AT_PAGES_EVERY = timedelta(days=15)
LITTLE = (
    Limits(newest=2, touched=6, since_then=15),
    Limits(newest=4, touched=12, since_then=40),
    Limits(newest=6, touched=30, since_then=80),
)
"""How much of a customer's books staff's page reads here, where nobody grows old."""

MAX_STEPS = 2000
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
    compared: int = 0
    """Lines of staff's pages, as a part of the books tells them and as all of them do."""
    violations: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)


class Violated(Exception):
    """Something that always holds does not."""


class Life:
    """`paid_at` is a provider, or `MIXED`: customers who have cards at any of them."""

    def __init__(
        self, seed: int, engine: Engine, *, days: int = DAYS, paid_at: str = SANDBOX
    ) -> None:
        self.lived = Lived(seed)
        self._paid_at = providers_of(paid_at)
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
            paid = [one for one in banking.charges(world) if one.state == "succeeded"]
            self.lived.collected = len(paid)
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
        waited = tries.waits
        tries.waits = lambda _: None
        world = LocalWorld(
            engine=watched,
            start=start,
            public_url=PUBLIC_URL,
            template=template(self._paid_at[0]),
            line=weather,
            seed=rng.getrandbits(32),
        )
        watched.table = world.wiring.environment.accounts_table
        weather.noted = self._note
        try:
            with world, one_by_one():
                yield world, watched, weather
        finally:
            tries.waits = waited

    def _note(self, what: str) -> None:
        self.lived.history.append(what)
        del self.lived.history[:-HISTORY]

    # --- time ---

    def _live(self) -> None:
        rng, world = self._rng, self.world
        merchant = merchant_by(rng)
        self._then = merchant.settings.retry.then
        catalogues.publish(merchant)
        self.watched.now = world.now
        self.town = Town(world, self.watched, rng, self._note, self._paid_at)
        self.town.places.open_classes(self._days - CALM_DAYS)
        self.town.weekly.open_classes(self._days - CALM_DAYS)
        for n in range(AT_FIRST):
            email = f"first{n}@example.com"
            number, name = WORKS if n else FAILS_LATER, self._paid_at[n % len(self._paid_at)]
            customer_id = customer_with_card(world, number, email, provider=name)
            resident = self.town.settle_in(email, head(customer_id).value)
            self.town.shop(resident, *(("month",) if n == 1 else ()))
            if n == 2:
                self.town.recurring.buy(resident)
            if n == 3:
                self.town.weekly.buy(resident)
        self.weather.now = world.now
        self.weather.meanwhile = self._meanwhile
        self.weather.later = self._later
        self._began = self._paged_at = began = world.now()
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
                (3, "shops", partial(town.shop, one)),
                (12, "books", partial(town.places.book, one)),
                (7, "'s places", partial(town.places.take_back, one)),
                (5, "buys a place", partial(town.places.buy, one)),
                (3, "pays for places", partial(town.places.pay, one)),
                (3, "is at the desk", partial(town.places.staff_see_to, one)),
                (2, "cancels", partial(town.cancel, one)),
                (1, "undoes", partial(town.undo, one)),
                (2, "adds a card", partial(town.new_card, one)),
                (1, "changes cards", partial(town.change_default, one)),
                (3, "pays", partial(town.pay, one)),
                (2, "confirms", partial(town.confirm, one)),
                (4, "'s card turns", partial(town.card_turns, one)),
                (2, "'s credits", partial(town.staff_change_credits, one)),
                (1, "is cancelled by staff", partial(town.staff_cancel, one)),
                (3, "is paused", partial(town.staff.pause, one)),
                (3, "buys what recurs", partial(town.recurring.buy, one)),
                (4, "'s next pack", partial(town.recurring.see_to, one)),
                (1, "is resumed", partial(town.staff.resume, one)),
                (4, "pays in cash", partial(town.staff.take_cash, one)),
                (5, "and the provider", town.provider_misbehaves),
                (2, "buys a weekly place", partial(town.weekly.buy, one)),
                (3 if town.providers_that(Skill.REVERSALS) else 0, "and a bank", town.bank.acts),
                (
                    3 if town.providers_that(Skill.WEBHOOKS) else 0,
                    "and webhooks",
                    town.webhooks_misbehave,
                ),
                (
                    2 if town.providers_that(Skill.GIVING_UP) else 0,
                    "and what is given up",
                    town.payments_are_given_up,
                ),
                (
                    2 if len(town.providers) > 1 else 0,
                    "and new cards go elsewhere",
                    town.another_is_preferred,
                ),
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
        snapshot.forget()
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
                lambda: town.staff.pause(one),
                lambda: town.recurring.see_to(one),
                lambda: town.staff.take_cash(one),
                lambda: town.confirm(one),
                lambda: town.event_comes_again(among=2),
                lambda: town.event_comes_again(among=2),
                self._release_webhooks,
            )
        )

    def _release_webhooks(self) -> None:
        for name in self.town.providers_that(Skill.WEBHOOKS):
            banking.stand_in(self.world, name).release_webhooks()

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
            banking.behave(self.world)
            snapshot.forget()
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
                wrong += list(off_the_calendar(books, self.town.staff.pauses))
                wrong += list(self.town.broken_promises(books))
        self._raise(wrong)

    def _look_at_all(self, *, to_the_end: bool = False) -> None:
        """Everything that is stored, after a few calm minutes; what is behind, caught up."""
        with self.weather.calm():
            self._go_on(self.world.now() + SETTLING)
            self._check_touched()
            self.town.bank.looked_at(read_books(list(self.watched.items.values())))
            wrong = violations(self.world)
            for key, item in self.watched.items.items():
                if queued(item).parked:
                    wrong.append(f"{key} is parked")
            now, then = self.world.now(), self._then
            whole = read_books(list(self.watched.items.values()))
            wrong += self.town.bank.not_recorded(whole)
            for books in whole.values():
                wrong += self.town.weekly.not_booked(books, now)
                wrong += left_out(books, self.town.staff.pauses, then, now)
                wrong += left_open(books, now) if to_the_end else ()
            if to_the_end or now - self._paged_at >= LOOKS_AT_PAGES_EVERY:
                self._paged_at = now
                wrong += [one for customer_id in whole for one in self._told_otherwise(customer_id)]
            self._raise(wrong)

    def _told_otherwise(self, customer_id: str) -> Iterator[str]:
        """What staff's page of somebody says from a part of the books, and not from all of them,
        or the other way round."""
        calls = self.watched.calls
        catalogue = snapshot.load(Catalogue, self.world.now())
        for limits in LITTLE:
            told = compared(customer_id, catalogue, self.world.now(), limits)
            self.lived.compared += len(told.lines)
            yield from (f"{customer_id}, {limits}: {one}" for one in told.wrong)
        self.watched.calls = calls

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
