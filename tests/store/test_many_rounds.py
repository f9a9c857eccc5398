"""Each race many times over, on Amazon's own engine, with threads that really run at once and a
line that conflicts and holds calls up by seed. `RACE_ROUNDS=1000` runs more of them.

Two staff refunds and the last place of an activity are left out: neither exists yet.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

import pytest

from infra.local.aws import switchboard
from infra.local.dynamodb_local import DynamoDBLocal
from infra.local.sandbox import ChargeSeen
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.by import By
from shared.domain.charge import RefundState
from shared.domain.errors import Conflict, Unavailable
from shared.domain.message import MessageKind
from shared.domain.subscription import SubscriptionState
from shared.operations import cancel, cards, past_due, staff
from shared.operations.answered import Answered, Checked
from shared.operations.checkout import check_out, refs
from shared.operations.collect import Renewed, renew, retry
from shared.operations.context import Context
from shared.operations.receiving import Stored, receive
from shared.operations.reconcile import Reconciled, reconcile
from shared.operations.submissions import Press as Submitting
from shared.operations.webhooks import apply
from shared.store import accounts
from shared.store.items import Lost
from shared.store.reading import Found, read
from shared.store.staff import Role, StaffMember
from tests.shop_floor import (
    ALSO_WORKS,
    FAILS_LATER,
    WORKS,
    Press,
    books_hold,
    buy,
    card_of,
    card_on_file,
    charge_of_period,
    charges_of,
    context_of,
    customer_with_card,
    entries_of,
    fill_cart,
    go_to,
    head,
    invoices_of,
    messages_of,
    moment,
    open_shop,
    packs_of,
    press_pay,
    subscribed,
    subscription_of,
)
from tests.store.crowd import crowd
from tests.store.rough_line import RoughLine

pytestmark = pytest.mark.xdist_group("dynamodb-local-rounds")

ROUNDS = int(os.environ.get("RACE_ROUNDS", "200"))
ENOUGH_ROUNDS = 50
"""With fewer one cannot expect to see every order of events."""

AT_ONCE = 50
STAMPEDES = 8
"""In every eighth round of fifty all have read the same before the first one writes. In the others
they read for themselves and begin within a moment: then each try has rivals too, but fewer are in
vain, which is what the time goes into."""
CHECKOUTS_WITHIN_SECONDS = 0.1
DEBITS_WITHIN_SECONDS = 0.4
LATE_SECONDS = 0.012
"""Within which time the few of a small race begin."""

START_SECONDS = 30
PRESSES = 20
"""How often somebody who is told to try again does so."""

BEFORE_RENEWAL = "2026-02-28 04:58"
RENEWAL = "2026-02-28 04:59"
OWNER = StaffMember(email="owner@example.com", name="Olga", role=Role.OWNER)

Call = Callable[[], Any]


@dataclass
class Races:
    """A shop, its line, and the threads that are kept for all rounds."""

    world: LocalWorld
    line: RoughLine
    rng: random.Random
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(AT_ONCE))

    def at_once(self, calls: Sequence[Call], *, within: float = 0.0) -> list[Any]:
        """What each call answers, in their order; what one raises is raised after all ended.
        They begin in the same moment, or by seed within some seconds of each other."""
        gate = Barrier(len(calls))
        late = [self.rng.uniform(0, within) for _ in calls]

        def wait_and(call: Call, seconds: float) -> Any:
            gate.wait(START_SECONDS)
            if seconds:
                time.sleep(seconds)
            return call()

        with self.line.rough():
            running = [
                self.pool.submit(wait_and, call, seconds)
                for call, seconds in zip(calls, late, strict=True)
            ]
            for one in running:
                one.exception()
        return [one.result() for one in running]


@pytest.fixture
def races(dynamodb_local: DynamoDBLocal, request: pytest.FixtureRequest) -> Iterator[Races]:
    """A shop on 31 January 2026 that hears nothing by webhook; at the end its books have to hold,
    and the line has to have been rough."""
    rng = random.Random(request.node.name)
    line = RoughLine(dynamodb_local, rng.getrandbits(32))
    world = open_shop("2026-01-31 15:00", engine=line)
    # Signing each request is most of a call's time and no part of a race.
    switchboard.connect(switchboard._services, direct=switchboard._services)
    world.sandbox.webhooks(hold=True)
    running = Races(world, line, rng)
    try:
        yield running
        world.sandbox.discard_webhooks()
        world.run_due()
        books_hold(world)
        assert line.conflicts > ROUNDS // 10
    finally:
        running.pool.shutdown()
        world.close()


def stand_at(world: LocalWorld, when: str) -> None:
    """Move the clock without running anything: what is due is left to the race."""
    world.clock.move_to(moment(when))


def asked_by_customer(world: LocalWorld) -> dict[str, list[ChargeSeen]]:
    """What the provider has of each customer, oldest first."""
    found: dict[str, list[ChargeSeen]] = {}
    for seen in world.sandbox.charges():
        found.setdefault((seen.charge_ref or "").partition("/")[0], []).append(seen)
    return found


# --- fifty checkouts of one cart -----------------------------------------------------------------


def after_reading(presses: Sequence[Press], context: Context) -> list[Call]:
    """Each press, carried out on what was read before the race: all of them saw a free cart."""
    first = presses[0]
    wanted = (refs(one.customer_id, one.location.id, one.submitted) for one in presses)
    customer = head(first.customer_id)
    found = read(*(ref for of_press in wanted for ref in of_press))
    return [
        partial(
            check_out,
            context,
            customer=customer,
            location=one.location,
            submitted=one.submitted,
            found=found,
        )
        for one in presses
    ]


def test_fifty_checkouts_of_one_cart_make_one_charge_and_one_order(races: Races) -> None:
    world = races.world
    people: list[str] = []
    for at in range(ROUNDS):
        one = customer_with_card(world, email=f"{at}@example.com")
        people.append(one)
        press = press_pay(world, one, fill_cart(world, one, "mat"))
        # Half of them are one form, pressed again and again; the others are other windows.
        keys = ["one-form" if n % 2 else f"window-{n}" for n in range(AT_ONCE)]
        presses = [replace(press, submitted=press.submitted._replace(key=key)) for key in keys]
        context = context_of(world)
        if at % STAMPEDES == 0:
            answers: list[Answered] = races.at_once(after_reading(presses, context))
        else:
            calls = [partial(press.carry_out, context) for press in presses]
            answers = races.at_once(calls, within=CHECKOUTS_WITHIN_SECONDS)
        assert {answer.state for answer in answers} <= {Checked.PAID, Checked.PROCESSING}
        assert len({answer.charge.id for answer in answers}) == 1
    world.run_due()
    asked = asked_by_customer(world)
    for one in people:
        assert [seen.state for seen in asked[one]] == ["succeeded"]
        assert len(invoices_of(one)) == len(charges_of(one)) == 1
        assert len(messages_of(one, MessageKind.ORDER_RECEIPT)) == 1


# --- fifty debits on ten credits -----------------------------------------------------------------


@dataclass
class Debit:
    """One credit off, by a form of its own; whoever is told to try again presses it again."""

    context: Context
    change: staff.CreditChange
    press: Submitting
    found: Found | None = None
    """What was read before the race, if it was."""

    def __call__(self) -> str:
        for _ in range(PRESSES):
            found = self.found or read(*self.change.refs(self.press))
            self.found = None
            try:
                staff.change_credits(self.context, OWNER, self.change, self.press, found)
            except Lost:
                continue
            except Conflict as refused:
                return refused.code
            return "done"
        return "lost"


def debits(context: Context, customer_id: str, pack_id: str, forms: int) -> list[Debit]:
    """Fifty presses of so many forms."""
    change = staff.CreditChange(customer_id, pack_id, -1, "Came to class")
    keys = [f"form-{at % forms}" for at in range(AT_ONCE)]
    return [
        Debit(context, change, change.press(OWNER.email, key, context.new_id())) for key in keys
    ]


def test_fifty_debits_on_ten_credits_take_exactly_ten(races: Races) -> None:
    world = races.world
    first = customer_with_card(world)
    buy(world, first, "ten")
    people = crowd(world, first, ROUNDS)
    context = context_of(world)
    for at, one in enumerate(people):
        (pack,) = packs_of(one)
        # In every second round each form is pressed twice: both presses answer the same.
        twice = at % 2
        calls = debits(context, one, pack.id, AT_ONCE // 2 if twice else AT_ONCE)
        stampede = at % STAMPEDES == 0
        if stampede:
            found = read(*(ref for call in calls for ref in call.change.refs(call.press)))
            for call in calls:
                call.found = found
        answers = races.at_once(calls, within=0.0 if stampede else DEBITS_WITHIN_SECONDS)
        done = 20 if twice else 10
        assert Counter(answers) == {"done": done, "not_enough_credits": AT_ONCE - done}
        by_form = {(call.press.key, told) for call, told in zip(calls, answers, strict=True)}
        assert len(by_form) == len({call.press.key for call in calls})
        (pack,) = packs_of(one)
        entries = entries_of(pack)
        assert pack.left == sum(entry.delta for entry in entries) == 0
        assert {entry.left for entry in entries} == set(range(11))
        assert len(entries) == 11


# --- a cancellation against the renewal ----------------------------------------------------------


def late(seconds: float, call: Call) -> Any:
    time.sleep(seconds)
    return call()


def test_a_cancellation_against_the_renewal_charges_nothing_that_is_lost(races: Races) -> None:
    world = races.world
    first = subscribed(world, "month")
    go_to(world, BEFORE_RENEWAL)
    people = crowd(world, first, ROUNDS)
    stand_at(world, RENEWAL)
    context = context_of(world)
    for one in people:
        what = subscription_of(one).id
        ending = partial(cancel.cancel, context, one, what, cancel.When.NOW, by=By.CUSTOMER)
        # It has less to do: behind the renewal's start it meets each of its steps.
        behind = partial(late, races.rng.uniform(0, 2 * LATE_SECONDS), ending)
        races.at_once([partial(renew, context, one, what), behind], within=LATE_SECONDS)
    world.advance(timedelta(minutes=10))
    asked = asked_by_customer(world)
    kinds: Counter[str] = Counter()
    for one in people:
        assert subscription_of(one).state is SubscriptionState.CANCELLED
        renewals = asked[one][1:]
        kept = [seen for seen in renewals if not seen.refunds]
        assert len(renewals) <= 1
        assert len(packs_of(one)) == 1 + len(kept), "what was kept was granted"
        assert len(messages_of(one, MessageKind.REFUND)) == len(renewals) - len(kept)
        kinds["kept" if kept else "paid back" if renewals else "never asked"] += 1
    if ROUNDS >= ENOUGH_ROUNDS:
        assert set(kinds) == {"kept", "paid back", "never asked"}, "each of them came first"


# --- another card against the slot ---------------------------------------------------------------


def saved_on_the_page(world: LocalWorld, customer_id: str) -> str:
    """The customer has saved a working card on the provider's page, and is on the way back."""
    setup = cards.start(context_of(world), head(customer_id).value, return_path="/cards")
    assert setup.url is not None
    path = setup.url.removeprefix(world.public_url).removeprefix("/_local/sandbox")
    form = {"number": WORKS, "expiry": f"12/{world.now().year + 4}", "cvc": "123"}
    status, _, _ = world.sandbox.handle("POST", path, {}, urlencode(form).encode())
    assert status == 303
    return setup.setup_id


def pay_by_hand(context: Context, customer_id: str, subscription_id: str) -> None:
    with suppress(Conflict):  # it may be paid already
        past_due.pay_subscription(context, customer_id, subscription_id, card_id=None)


def test_another_card_against_the_slot_pays_once(races: Races) -> None:
    world = races.world
    first = subscribed(world, "month", number=FAILS_LATER)
    other = card_on_file(world, first, ALSO_WORKS, default=False)
    assert other.last4 == ALSO_WORKS[-4:]
    go_to(world, "2026-02-28 12:00")
    people = crowd(world, first, ROUNDS)
    stand_at(world, "2026-03-01 04:59")
    slots: Counter[Renewed] = Counter()
    for at, one in enumerate(people):
        what = subscription_of(one).id
        if at % 3 == 0:
            world.sandbox.let_card_behave_as(card_of(one).token, WORKS)
        if at % 2:
            setup = saved_on_the_page(world, one)
            context = context_of(world)
            returning = partial(cards.finish, context, "sandbox", setup, customer_id=one)
            reported = partial(cards.finish, context, "sandbox", setup, customer_id=None)
            by_card: list[Call] = [returning, reported]
        else:
            context = context_of(world)
            (spare,) = [card.id for card in head(one).value.cards if card.last4 == other.last4]
            named = partial(cards.make_default, context, one, spare)
            by_card = [named, partial(pay_by_hand, context, one, what)]
        slot, *_ = races.at_once(
            [partial(retry, context, one, what), *by_card], within=LATE_SECONDS
        )
        slots[slot] += 1
    # A try that was declined in the way of the card leaves it to the next slot.
    go_to(world, "2026-03-02 05:10")
    asked = asked_by_customer(world)
    for one in people:
        paid = [seen for seen in asked[one] if seen.state == "succeeded"]
        assert len(paid) == 2, "period 0 and period 1, each once"
        assert subscription_of(one).state is SubscriptionState.ACTIVE
        assert len(packs_of(one)) == 2
        assert head(one).value.past_due == ()
    if ROUNDS >= ENOUGH_ROUNDS:
        assert slots[Renewed.COLLECTED], "sometimes the slot pays"
        assert slots[Renewed.NOTHING_DUE] + slots[Renewed.LOST], "sometimes it comes second"


# --- webhook against direct answer against check -------------------------------------------------


class Heard:
    """The provider's webhook comes in, twice, while its direct answer is still on the way back;
    and the check of unknown charges has its turn at the same moment."""

    def __init__(self, races: Races, customer_id: str, source: str) -> None:
        self.races = races
        self.customer_id = customer_id
        self.source = source
        self.running: list[Future[Any]] = []
        self.stored: Counter[Stored] = Counter()

    def delivered(self, _: int, __: str, headers: dict[str, str], body: bytes) -> None:
        """What the sandbox calls to post an event: in the thread that asked for the charge."""
        races = self.races
        context = context_of(races.world)
        turns: list[Call] = [
            partial(self._webhook, context, headers, body),
            partial(self._webhook, context, headers, body),
            partial(self._check, context),
        ]
        for turn in turns:
            self.running.append(self.races.pool.submit(self._late, turn))
        time.sleep(races.rng.uniform(0, LATE_SECONDS))

    def _late(self, turn: Call) -> None:
        time.sleep(self.races.rng.uniform(0, LATE_SECONDS))
        turn()

    def _webhook(self, context: Context, headers: dict[str, str], body: bytes) -> None:
        provider = self.races.world.wiring.provider("sandbox")
        receipt = receive(context.now(), provider, headers, body)
        self.stored[receipt.stored] += 1
        with suppress(Unavailable):  # it stays due, and the sweep has it
            apply(context, receipt.ref)

    def _check(self, context: Context) -> None:
        reconcile(context, self.customer_id, self.source, asked_by_webhook=True)

    def wait(self) -> None:
        for one in self.running:
            one.result()


def test_webhook_direct_answer_and_check_settle_once(races: Races) -> None:
    world = races.world
    people: list[str] = []
    states: Counter[Checked] = Counter()
    for at in range(ROUNDS):
        one = customer_with_card(world, email=f"{at}@example.com")
        people.append(one)
        if at % 4 == 0:
            world.sandbox.let_card_behave_as(card_of(one).token, FAILS_LATER)
        if at % 3 == 0:
            # The direct answer is that there was none.
            world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
        press = press_pay(world, one, fill_cart(world, one, "ten", "month"))
        heard = Heard(races, one, press.submitted.cart)
        world.sandbox.discard_webhooks()
        world.sandbox.webhooks(hold=False)
        world.sandbox.hooks._deliver = heard.delivered
        with races.line.rough():
            answer = press.carry_out(context_of(world))
            heard.wait()
        world.sandbox.webhooks(hold=True)
        states[answer.state] += 1
        assert heard.stored == {Stored.NEW: 1, Stored.DUPLICATE: 1}
    world.advance(timedelta(minutes=10))
    asked = asked_by_customer(world)
    for at, one in enumerate(people):
        (charge,) = charges_of(one)
        (seen,) = asked[one]
        assert charge.refund is RefundState.NONE
        paid = int(at % 4 != 0)
        assert (seen.state == "succeeded") == bool(paid)
        assert len(packs_of(one)) == 2 * paid
        assert len(invoices_of(one)) == paid
        assert len(messages_of(one, MessageKind.ORDER_RECEIPT)) == paid
        cart = accounts.cart(accounts.customer_pk(one), "ny")
        row = read(cart).get(cart)
        assert row is not None and row.value.claimed_by is None
        assert bool(row.value.lines) != bool(paid), "a decline keeps the cart"
    if ROUNDS >= ENOUGH_ROUNDS:
        assert set(states) == {Checked.PAID, Checked.DECLINED, Checked.PROCESSING}


# --- two who pay back ----------------------------------------------------------------------------


def test_a_late_success_is_paid_back_once_by_however_many(races: Races) -> None:
    world = races.world
    first = subscribed(world, "month")
    go_to(world, BEFORE_RENEWAL)
    people = crowd(world, first, ROUNDS)
    stand_at(world, RENEWAL)
    context = context_of(world)
    told: Counter[Reconciled] = Counter()
    for one in people:
        what = subscription_of(one).id
        world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
        assert renew(context, one, what) is Renewed.OPEN
        cancel.cancel(context, one, what, cancel.When.NOW, by=By.CUSTOMER)
        source = charge_of_period(one, 1).source
        check = partial(reconcile, context, one, source, asked_by_webhook=True)
        races.at_once([check, check], within=LATE_SECONDS)
        told.update(races.at_once([check, check, check]))
    world.advance(timedelta(minutes=10))
    asked = asked_by_customer(world)
    for one in people:
        late = asked[one][-1]
        assert late.refunds == (late.amount,)
        assert charge_of_period(one, 1).refund is RefundState.DONE
        assert len(messages_of(one, MessageKind.REFUND)) == 1
        assert len(packs_of(one)) == 1
    assert told[Reconciled.REFUNDED] <= ROUNDS
