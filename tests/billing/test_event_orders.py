"""The events of a charge's life in every order, each three times: one final state ([VERIFY]).

A life of six events is lived once at the provider, whose webhooks are all held back. Our books are
then put back to the moment of the last try, of which nobody knows yet what became, and the events
come in: every order of every selection of them, none at all included. What they don't tell, the
check of unknown charges finds out some minutes later. Whatever came, in whatever order, everything
that is stored and sent is the same in the end, but for ids and the minute in which it was.

Orders that begin alike share their beginning, and what happens after the last event is lived once
for each state that the events leave behind: the clock and the workers see nothing else.
"""

import json
import random
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

import pytest

from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.by import By
from shared.domain.charge import RefundState
from shared.domain.outcome import Outcome
from shared.domain.subscription import SubscriptionState
from shared.operations import cancel
from shared.store import snapshot
from shared.store.items import document
from tests.billing.conftest import Shop
from tests.billing.test_webhooks import post
from tests.shop_floor import (
    FAILS_LATER,
    NEEDS_AUTHENTICATION,
    WORKS,
    asked_of,
    card_of,
    charge_of_period,
    context_of,
    go_to,
    packs_of,
    subscribed,
    subscription_of,
)

SLOTS = ("2026-02-28 04:59", "2026-03-01 04:59", "2026-03-02 04:59", "2026-03-03 04:59")
CALM_AFTERWARDS = timedelta(minutes=30)
"""Long enough for the check of unknown charges to have found out everything."""

COPIES = 3
MIXED_ORDERS = 40
BATCH = 25
SEED = 20_260_228
COUNTS = frozenset({"checks", "refund_tries"})
"""How often somebody looked, which depends on who came and when."""

_ID = re.compile(r"\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z")

Event = tuple[str, bytes]
"""What it says, and its bytes as the provider made them."""
End = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]
"""What is stored in the end, and to whom was sent what."""
Check = Callable[[], None]

# --- two lives -----------------------------------------------------------------------------------


def card_behaves_as(world: LocalWorld, customer_id: str, number: str) -> None:
    world.sandbox.let_card_behave_as(card_of(customer_id).token, number)


def answer_last(world: LocalWorld, customer_id: str, answer: bytes) -> None:
    """The customer answers their bank about the last try."""
    waiting = asked_of(world, customer_id)[-1]
    assert waiting.state == "requires_action"
    world.sandbox.handle("POST", f"/confirm/{waiting.id}", {}, b"answer=" + answer)


def three_tries_in_vain(world: LocalWorld) -> str:
    """A renewal that was declined, then refused by the customer's bank, then declined again."""
    ada = subscribed(world, "month", number=FAILS_LATER)
    world.sandbox.webhooks(hold=True)
    go_to(world, SLOTS[0])
    card_behaves_as(world, ada, NEEDS_AUTHENTICATION)
    go_to(world, SLOTS[1])
    answer_last(world, ada, b"decline")
    card_behaves_as(world, ada, FAILS_LATER)
    go_to(world, SLOTS[2])
    return ada


def the_last_answer_is_lost(world: LocalWorld, customer_id: str) -> None:
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    go_to(world, SLOTS[3])
    assert charge_of_period(customer_id, 1).outcome is Outcome.UNKNOWN


class Life(Protocol):
    """A charge's life: `begin` up to where our books stand, `end` what then happens elsewhere."""

    events: tuple[str, ...]

    def begin(self, world: LocalWorld) -> str: ...
    def end(self, world: LocalWorld, customer_id: str) -> None: ...
    def check(self, world: LocalWorld, customer_id: str) -> None: ...


class PaidBack:
    """The fourth try succeeds, unknown to us, and the customer has cancelled: it is paid back."""

    events = ("failed", "requires_action", "failed", "failed", "succeeded", "refunded")

    def begin(self, world: LocalWorld) -> str:
        ada = three_tries_in_vain(world)
        card_behaves_as(world, ada, WORKS)
        the_last_answer_is_lost(world, ada)
        what = subscription_of(ada).id
        cancel.cancel(context_of(world), ada, what, cancel.When.NOW, by=By.CUSTOMER)
        return ada

    def end(self, world: LocalWorld, customer_id: str) -> None:
        """The money goes back by a worker whose books are then lost."""
        world.advance(CALM_AFTERWARDS)
        assert asked_of(world, customer_id)[-1].refunds

    def check(self, world: LocalWorld, customer_id: str) -> None:
        assert charge_of_period(customer_id, 1).refund is RefundState.DONE
        assert len(asked_of(world, customer_id)[-1].refunds) == 1
        assert subscription_of(customer_id).state is SubscriptionState.CANCELLED
        assert len(packs_of(customer_id)) == 1


class PaidAfterAll:
    """The fourth try waits for the customer, unknown to us, and they confirm it at their bank."""

    events = ("failed", "requires_action", "failed", "failed", "requires_action", "succeeded")

    def begin(self, world: LocalWorld) -> str:
        ada = three_tries_in_vain(world)
        card_behaves_as(world, ada, NEEDS_AUTHENTICATION)
        the_last_answer_is_lost(world, ada)
        return ada

    def end(self, world: LocalWorld, customer_id: str) -> None:
        answer_last(world, customer_id, b"confirm")

    def check(self, world: LocalWorld, customer_id: str) -> None:
        assert charge_of_period(customer_id, 1).settled_at is not None
        assert asked_of(world, customer_id)[-1].refunds == ()
        assert subscription_of(customer_id).state is SubscriptionState.ACTIVE
        assert len(packs_of(customer_id)) == 2


# --- a world that can be put back ----------------------------------------------------------------


Items = dict[tuple[str, str], dict[str, Any]]


class Rewind:
    """The books, the clock and the sent emails of a moment. The provider's are left as they are:
    what happened there has happened."""

    def __init__(self, world: LocalWorld) -> None:
        self.world = world
        self.table = world.wiring.environment.accounts_table
        self.at = world.now()
        self.items = self.stored()
        self.known = json.dumps(list(self.items.values()))
        self.mails = len(world.mailbox)
        self.waiting = len(world.agenda)

    def _ask(self, operation: str, **asked: Any) -> Any:
        answer = self.world.engine.call(operation, json.dumps(asked).encode())
        assert answer.status == 200, answer.body
        return answer.content

    def stored(self) -> Items:
        """All that is stored now."""
        answer = self._ask("Scan", TableName=self.table)
        assert "LastEvaluatedKey" not in answer
        return {(item["pk"]["S"], item["sk"]["S"]): item for item in answer["Items"]}

    def back(self, now: Items, items: Items) -> None:
        """Everything as it was at that moment, but for what is stored: that is `now`, and becomes
        `items`."""
        assert len(self.world.agenda) == self.waiting, "nothing is under way"
        changes: list[dict[str, Any]] = [
            {"DeleteRequest": {"Key": {"pk": now[key]["pk"], "sk": now[key]["sk"]}}}
            for key in now.keys() - items.keys()
        ]
        changes += [
            {"PutRequest": {"Item": item}} for key, item in items.items() if item != now.get(key)
        ]
        for at in range(0, len(changes), BATCH):
            self._ask("BatchWriteItem", RequestItems={self.table: changes[at : at + BATCH]})
        if self.world.now() != self.at:
            self.world.clock._moment = self.world._sweep_not_before = self.at
            snapshot.forget()
        del self.world.mailbox._mails[self.mails :]

    def written_since(self, now: Items, *left_out: str) -> tuple[str, ...]:
        """Everything that is stored `now` and was not then, but for the events themselves: without
        ids that are new and times since then, and without the fields that are left out."""
        return tuple(
            sorted(
                self._plain(item, left_out)
                for key, item in now.items()
                if item != self.items.get(key) and not key[0].startswith("webhook#")
            )
        )

    def end(self) -> End:
        """Let the clock go on until all is quiet: what is stored and what was sent then."""
        self.world.advance(CALM_AFTERWARDS)
        sent = self.world.mailbox._mails[self.mails :]
        mails = sorted((mail.to[0], mail.subject) for mail in sent)
        return self.written_since(self.stored(), "version", *COUNTS), tuple(mails)

    def _plain(self, item: dict[str, Any], left_out: Sequence[str]) -> str:
        fields = {**item, "body": json.loads(document(item))}
        for one in left_out:
            fields.pop(one, None)
            fields["body"].pop(one, None)
        text = _ID.sub(self._id, json.dumps(fields, sort_keys=True))
        return _TIME.sub(self._time, text)

    def _id(self, found: "re.Match[str]") -> str:
        return found[0] if found[0] in self.known else "(new)"

    def _time(self, found: "re.Match[str]") -> str:
        first = f"{self.at:%Y-%m-%dT%H:%M:%S}"
        last = f"{self.at + CALM_AFTERWARDS:%Y-%m-%dT%H:%M:%S}"
        return "(lately)" if first <= found[1] <= last else found[0]


# --- every order ---------------------------------------------------------------------------------


class EveryOrder:
    """Delivers events in every order of every selection, from the same beginning each time."""

    def __init__(self, before: Rewind) -> None:
        self.before = before
        self.orders = 0
        self.left_behind: dict[tuple[str, ...], End] = {}
        """What comes of each state that events left behind."""

    def deliver(self, came: tuple[Event, ...], coming: tuple[Event, ...], check: Check) -> Items:
        """`came` has been delivered; so is each of `coming` in turn, three times, and then each
        order of the others. Answers what was and is stored now."""
        self.orders += 1
        here = self.before.stored()
        state = self.before.written_since(here)
        if state not in self.left_behind:
            self.left_behind[state] = self.before.end()
            check()
            assert len(set(self.left_behind.values())) == 1, [name for name, _ in came]
            self.before.back(self.before.stored(), here)
        for event in coming:
            for _ in range(COPIES):
                assert post(self.before.world, event[1]).status == 200
            others = tuple(one for one in coming if one != event)
            self.before.back(self.deliver((*came, event), others, check), here)
        return here


def three_times(order: Sequence[Event], rng: random.Random) -> list[Event]:
    """The whole order three times over, or the second and third of each anywhere behind the
    first."""
    if rng.random() < 0.5:
        return [*order] * COPIES
    mixed = [*order]
    for event in order:
        for _ in range(COPIES - 1):
            mixed.insert(rng.randint(mixed.index(event) + 1, len(mixed)), event)
    return mixed


@pytest.mark.parametrize("life", [PaidBack(), PaidAfterAll()], ids=lambda life: type(life).__name__)
def test_every_order_of_a_lifes_events_ends_in_one_state(shop: Shop, life: Life) -> None:
    world = shop("2026-01-31 15:00")
    ada = life.begin(world)
    before = Rewind(world)
    life.end(world, ada)
    bodies = [event.body for event in world.sandbox.hooks._held]
    events = tuple((json.loads(body)["type"].removeprefix("charge."), body) for body in bodies)
    assert tuple(name for name, _ in events) == life.events
    world.sandbox.discard_webhooks()
    provider = world.sandbox.charges()
    before.back(before.stored(), before.items)
    every = EveryOrder(before)
    every.deliver((), events, lambda: life.check(world, ada))
    assert every.orders == 1 + 6 + 30 + 120 + 360 + 720 + 720
    assert len(every.left_behind) > 1, "events do tell something"
    # Running on, and not from a state that was met before, where the copies come later too.
    rng = random.Random(SEED)
    (end,) = set(every.left_behind.values())
    for _ in range(MIXED_ORDERS):
        before.back(before.stored(), before.items)
        for _, body in three_times(rng.sample(events, len(events)), rng):
            assert post(world, body).status == 200
        assert before.end() == end
        life.check(world, ada)
    assert world.sandbox.charges() == provider, "nobody asked for money again"
    assert world.sandbox.hooks.held == 0


def test_events_of_earlier_tries_do_not_put_off_the_check_of_the_last(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = PaidBack().begin(world)
    before = charge_of_period(ada, 1)
    held = [event.body for event in world.sandbox.hooks._held]
    world.sandbox.discard_webhooks()
    last = asked_of(world, ada)[-1].id.encode()
    earlier = [body for body in held if last not in body]
    assert len(earlier) == 4
    for body in earlier:
        assert post(world, body).status == 200
    after = charge_of_period(ada, 1)
    assert (after.checks, after.next_check_at) == (before.checks, before.next_check_at)
    world.advance(timedelta(minutes=2))
    assert charge_of_period(ada, 1).refund is RefundState.DONE
