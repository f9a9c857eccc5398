"""Weeks in which everything goes wrong by seed: database, provider, webhooks, workers, cards and
people. Whatever happens, nobody is charged twice, nothing is lost, and the books agree.

`HARD_TIMES_SEEDS=100 pytest tests/simulation` looks further.
"""

import os
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.calendar import Frequency
from shared.domain.charge import By
from shared.domain.errors import PunchcardError
from shared.domain.message import NoticeKind
from shared.operations import cancel, cards
from shared.store import accounts
from shared.store import catalogue as catalogues
from shared.store.engine import Lost, StoreUnavailable, read
from tests.shop_floor import (
    ALSO_WORKS,
    FAILS_LATER,
    LOST_CARD,
    NEEDS_AUTHENTICATION,
    WORKS,
    Wanted,
    asked_of,
    books_hold,
    card_of,
    context_of,
    customer_with_card,
    fill_cart,
    head,
    new_card,
    notices,
    open_shop,
    press_pay,
)
from tests.simulation.unkind import Unkind

SEEDS = range(int(os.environ.get("HARD_TIMES_SEEDS", "3")))
STEPS = 120
PEOPLE = 5
CALM_AFTERWARDS = timedelta(days=9)
"""Until every slot has passed and every unknown outcome is known."""

PRODUCTS = ("month", "five_days", "open", "gift", "trial", "ten", "mat", "support")
CARDS = (WORKS, ALSO_WORKS, FAILS_LATER, LOST_CARD, NEEDS_AUTHENTICATION)
FAULTS = tuple(fault for fault in Fault if fault is not Fault.DECLINE)
CALLS = (Operation.CHARGE, Operation.LOOK_UP, Operation.REFUND, Operation.CANCEL_CHARGE)


class Died(BaseException):
    """A worker is gone, in the middle of everything."""


BAD_LUCK = (PunchcardError, StoreUnavailable, Lost, BotoCoreError, ClientError, Died)
"""What a person may run into: they are told to try again, and mostly do."""


class HardTimes:
    """One run: what happens on each day is drawn from `rng`."""

    def __init__(self, world: LocalWorld, engine: Unkind, rng: random.Random) -> None:
        self.world, self.engine, self.rng = world, engine, rng
        with engine.kind():
            self.people = [
                customer_with_card(world, email=f"{n}@example.com") for n in range(PEOPLE)
            ]
            for one in self.people:
                self._shop(one)

    def live(self) -> None:
        for _ in range(STEPS):
            for _ in range(self.rng.randrange(4)):
                self.rng.choice(self._doings())()
            self._advance(self._some_time_later())

    def _some_time_later(self) -> datetime:
        """Some hours, or just after the next thing that the clock does: then its outcome may be
        open still, and people are quick."""
        upcoming = self.world.next_moment()
        if upcoming is None or self.rng.random() < 0.4:
            return self.world.now() + timedelta(hours=self.rng.randrange(12, 36))
        return max(upcoming, self.world.now()) + timedelta(seconds=self.rng.randrange(1, 90))

    def _doings(self) -> list[Callable[[], None]]:
        one = self.rng.choice(self.people)
        return [
            partial_of(self._shop, one),
            partial_of(self._cancel, one),
            partial_of(self._undo, one),
            partial_of(self._another_card, one),
            partial_of(self._card_turns, one),
            partial_of(self._card_turns, one),
            partial_of(self._pay, one),
            partial_of(self._confirm, one),
            self._provider_misbehaves,
            self._provider_misbehaves,
            self._provider_misbehaves,
            self._webhooks_misbehave,
            self._worker_dies,
        ]

    def _advance(self, target: Any) -> None:
        """On the way workers may die: the clock goes on."""
        while self.world.now() < target:
            with suppress(Died):
                self.world.advance_to(target)

    def _shop(self, one: str) -> None:
        wanted = [
            Wanted(name, frequency=self._frequency(name))
            for name in self.rng.sample(PRODUCTS, self.rng.randrange(1, 3))
        ]
        place = self.rng.choice(("ny", "be"))
        with self.engine.kind():
            held = accounts.cart(accounts.customer_pk(one), place)
            if self._resting(held):
                return
            press = press_pay(self.world, one, fill_cart(self.world, one, *wanted, location=place))
        # Whoever gets no answer presses again: the same form with the same key.
        for _ in range(self.rng.randrange(1, 4)):
            with suppress(*BAD_LUCK):
                press.carry_out(context_of(self.world))

    def _frequency(self, name: str) -> Frequency | None:
        """Weeks are over sooner than months, so more of them happen."""
        return None if name in ("ten", "mat") else self.rng.choice((Frequency.WEEKLY, None))

    def _resting(self, held: Any) -> bool:
        row = read(held).get(held)
        return row is not None and row.value.claimed_by is not None

    def _agreement(self, one: str) -> str | None:
        with self.engine.kind():
            held = [row.value for row in accounts.subscriptions_of(one).rows if not row.value.over]
        return self.rng.choice(held).id if held else None

    def _cancel(self, one: str) -> None:
        what = self._agreement(one)
        when = self.rng.choice((cancel.When.NOW, cancel.When.PERIOD_END, cancel.When.PERIOD_END))
        if what is not None:
            with suppress(*BAD_LUCK):
                cancel.cancel(context_of(self.world), one, what, when, by=By.CUSTOMER)

    def _undo(self, one: str) -> None:
        what = self._agreement(one)
        if what is not None:
            with suppress(*BAD_LUCK):
                cancel.undo(context_of(self.world), one, what, by=By.CUSTOMER)

    def _another_card(self, one: str) -> None:
        with suppress(*BAD_LUCK):
            new_card(self.world, one, self.rng.choice((WORKS, ALSO_WORKS, FAILS_LATER)))

    def _card_turns(self, one: str) -> None:
        with self.engine.kind():
            card = card_of(one)
        self.world.sandbox.let_card_behave_as(card.token, self.rng.choice(CARDS))

    def _pay(self, one: str) -> None:
        with self.engine.kind():
            owed = head(one).value.past_due
        for entry in owed:
            with suppress(*BAD_LUCK):
                cards.pay_subscription(
                    context_of(self.world), one, entry.subscription_id, card_id=None
                )

    def _confirm(self, one: str) -> None:
        for seen in asked_of(self.world, one):
            if seen.state == "requires_action":
                answer = self.rng.choice((b"answer=confirm", b"answer=decline"))
                self.world.sandbox.handle("POST", f"/confirm/{seen.id}", {}, answer)

    def _provider_misbehaves(self) -> None:
        fault, call = self.rng.choice(FAULTS), self.rng.choice(CALLS)
        if fault is Fault.LATE:
            call = Operation.CHARGE
        self.world.sandbox.misbehave(
            call,
            fault,
            times=self.rng.randrange(1, 6),
            seconds=self.rng.randrange(60, 4 * 86_400),
        )

    def _webhooks_misbehave(self) -> None:
        self.world.sandbox.webhooks(
            repeat=self.rng.randrange(1, 4), shuffle=self.rng.random() < 0.5
        )
        match self.rng.randrange(3):
            case 0:
                self.world.sandbox.webhooks(hold=True)
            case 1:
                self.world.sandbox.release_webhooks()
            case _:
                self.world.sandbox.discard_webhooks()

    def _worker_dies(self) -> None:
        provider = self.world.wiring.provider("sandbox")
        after, whole = self.rng.random() < 0.5, type(provider).charge

        def dies(request: Any) -> Any:
            provider.__dict__.pop("charge", None)
            if after:
                whole(provider, request)
            raise Died

        provider.__dict__["charge"] = dies


def partial_of(call: Callable[[str], None], one: str) -> Callable[[], None]:
    return lambda: call(one)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_goes_wrong_the_books_agree_in_the_end(seed: int) -> None:
    rng = random.Random(seed)
    engine = Unkind(rng)
    with engine.kind():
        world = open_shop("2026-01-31 15:00", engine=engine)
    with world:
        times = HardTimes(world, engine, rng)
        times.live()
        with engine.kind():
            world.wiring.provider("sandbox").__dict__.pop("charge", None)
            world.sandbox.behave()
            catalogues.forget()
            world.advance(CALM_AFTERWARDS)
            assert notices(NoticeKind.PARKED) == []
            books_hold(world, errors=True, mail_repeats=True)
            assert engine.struck, "the line was bad indeed"
            assert world.sandbox.charges(), "something was bought"
