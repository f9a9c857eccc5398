"""The daily audit, as production runs it: what it reads, what it says, and what it leaves alone."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import pytest
from pydantic import BaseModel

from infra.local.aws import Answer
from infra.local.engine import Embedded
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld, outside
from shared.domain.charge import Charge
from shared.domain.due import Moment, Worker, due_text
from shared.domain.message import MessageKind, NoticeKind, message_key
from shared.domain.provider_charge import ProviderCharge
from shared.operations.audit import MAX_CUSTOMERS, MAX_UNANSWERED
from shared.providers.port import ChargeRequest, PaymentProvider
from shared.store import accounts
from shared.store.items import Ref
from shared.store.listed import DirectoryEntry
from shared.store.reading import read
from shared.store.writing import commit, create, overwrite, remove
from tests.shop_floor import (
    FAILS_LATER,
    Wanted,
    buy,
    charge_of_period,
    charges_of,
    customer_with_card,
    go_to,
    head,
    invoices_of,
    moment,
    notices,
    open_shop,
    packs_of,
    subscribed,
    subscription_of,
)

BREACHED = NoticeKind.INVARIANT_BREACHED
LEDGER = "ledger_adds_up"
MINUTE = timedelta(minutes=1)

E = TypeVar("E", bound=BaseModel)
Opens = Callable[..., LocalWorld]


@pytest.fixture
def shop() -> Iterator[Opens]:
    """Opens a shop whose books these tests spoil, so nobody looks at them at the end."""
    opened: list[LocalWorld] = []

    def open_one(start: str, **other: Any) -> LocalWorld:
        opened.append(open_shop(start, **other))
        return opened[-1]

    yield open_one
    for world in opened:
        world.close()


def audit(world: LocalWorld) -> dict[str, Any]:
    """What the function answers, with the permissions that the template gives it."""
    (function,) = [
        one for one in world.template.functions if one.handler == "functions.billing.audit.handler"
    ]
    answer: dict[str, Any] = world.invoke(function, {})
    assert world.errors == [], "its policy grants all that it asks for"
    return answer


def breached(world: LocalWorld) -> list[str]:
    found: list[str] = audit(world)["breaches"]
    return found


def rules(world: LocalWorld) -> list[str]:
    return [one.partition(":")[0] for one in breached(world)]


def alter(ref: Ref[E], **update: object) -> None:
    """A stored item changes past all operations; its moment in the index with it."""
    row = read(ref).get(ref)
    assert row is not None
    commit([overwrite(ref, row.value.model_copy(update=update))])


def lose(ref: Ref[Any]) -> None:
    row = read(ref).get(ref)
    assert row is not None
    commit([remove(row)])


def steal_a_credit(customer_id: str) -> None:
    (pack, *_) = packs_of(customer_id)
    assert pack.left is not None
    alter(accounts.pack(customer_id, pack.id), left=pack.left - 1)


def give_it_back(customer_id: str) -> None:
    (pack, *_) = packs_of(customer_id)
    alter(accounts.pack(customer_id, pack.id), left=pack.granted)


def set_raw(world: LocalWorld, pk: str, sk: str, attribute: str, value: str | None) -> None:
    """Write one attribute of an item as DynamoDB has it; None takes it off."""
    change = (
        {"UpdateExpression": "REMOVE #it"}
        if value is None
        else {
            "UpdateExpression": "SET #it = :it",
            "ExpressionAttributeValues": {":it": {"S": value}},
        }
    )
    world.client("dynamodb").update_item(
        TableName=world.wiring.environment.accounts_table,
        Key={"pk": {"S": pk}, "sk": {"S": sk}},
        ExpressionAttributeNames={"#it": attribute},
        **change,
    )


def take_again(world: LocalWorld, charge: Charge) -> None:
    """The provider takes a charge's money once more, and never reports it."""
    attempt = charge.attempts[-1]
    world.sandbox.webhooks(hold=True)
    world.wiring.provider("sandbox").charge(
        ChargeRequest(
            charge_ref=charge.ref,
            attempt_id="stray",
            amount=charge.amount,
            provider_customer=attempt.provider_customer,
            card_token=attempt.card.token,
            description="",
            return_url="https://shop.example/",
        )
    )
    assert world.sandbox.discard_webhooks() == 1
    world.sandbox.behave()


class Watched:
    """The world's provider, which keeps what it was asked to list, and lets something happen
    whenever it is asked."""

    def __init__(self, world: LocalWorld, meanwhile: Callable[[], None] = lambda: None) -> None:
        self._provider = world.wiring.provider("sandbox")
        self._meanwhile = meanwhile
        self.asked: list[tuple[str, datetime | None]] = []
        world.wiring.provider_overrides["sandbox"] = cast(PaymentProvider, self)

    def list_charges(
        self, *, provider_customer: str, since: datetime | None
    ) -> Sequence[ProviderCharge] | None:
        self.asked.append((provider_customer, since))
        with outside():
            self._meanwhile()
        return self._provider.list_charges(provider_customer=provider_customer, since=since)


# Good books


def test_half_a_year_of_a_small_shop_is_clean_whenever_it_is_looked_at(shop: Opens) -> None:
    world = shop("2026-01-05 15:00")
    ada = subscribed(world, "month")
    buy(world, ada, "ten", Wanted("mat", quantity=2))
    subscribed(world, "five_days", number=FAILS_LATER, email="bob@example.com")
    subscribed(world, "gift", email="cyd@example.com")
    subscribed(world, "trial", email="dan@example.com")
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    customer_with_card(world, email="eve@example.com")
    for day in ("2026-01-13", "2026-02-05", "2026-03-05", "2026-04-05", "2026-07-05"):
        # In the minute of a renewal, when all is under way, and when nothing is.
        go_to(world, f"{day} 04:59")
        assert audit(world) == {"customers": 5, "unanswered": 0, "breaches": []}
        go_to(world, f"{day} 12:00")
        assert audit(world) == {"customers": 5, "unanswered": 0, "breaches": []}
    assert notices(BREACHED) == []
    assert len(charges_of(ada)) == 8


def test_while_a_charge_is_unknown_or_is_being_paid_back_nothing_is_wrong(shop: Opens) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    world.sandbox.misbehave(Operation.LOOK_UP, Fault.TIMEOUT_BEFORE, times=3)
    go_to(world, "2026-02-28 05:00")
    assert charge_of_period(ada, 1).settled_at is None
    world.sandbox.behave()
    assert audit(world) == {"customers": 1, "unanswered": 0, "breaches": []}


# Broken books


def test_a_breach_is_answered_counted_and_told_in_one_notice(
    shop: Opens, capsys: pytest.CaptureFixture[str]
) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    bob = subscribed(world, "month", email="bob@example.com")
    subscribed(world, "month", email="cyd@example.com")
    capsys.readouterr()
    assert breached(world) == []
    assert metric(capsys.readouterr().out) == [0]
    steal_a_credit(ada)
    steal_a_credit(bob)
    wrong = [f"{LEDGER}: {packs_of(one)[0].id} 8 in entries, 7 left" for one in (ada, bob)]
    assert audit(world) == {"customers": 3, "unanswered": 0, "breaches": wrong}
    assert metric(capsys.readouterr().out) == [2]
    (notice,) = notices(BREACHED)
    assert notice.title == "The books do not add up in 2 place(s)"
    assert notice.detail == "; ".join(wrong)
    # The next day it is still so, and is said again.
    world.advance(timedelta(days=1))
    assert len(breached(world)) == 2
    assert len(notices(BREACHED)) == 2


def metric(printed: str) -> list[float]:
    """The values of `BreachedInvariants` as CloudWatch reads them from the log."""
    read_lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    found = [one["BreachedInvariants"] for one in read_lines if "BreachedInvariants" in one]
    return [value for values in found for value in values]


def test_each_lost_or_altered_item_is_named_by_its_rule(shop: Opens) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    (bought,) = invoices_of(ada)
    (charge,) = charges_of(ada)
    mine = subscription_of(ada)
    refs: dict[str, Ref[Any]] = {
        "settled_has_invoice": accounts.invoice(ada, bought.id),
        "told": accounts.message(ada, "", message_key(MessageKind.SUBSCRIPTION_PURCHASED, mine.id)),
        LEDGER: accounts.entry(ada, packs_of(ada)[0].id, charge.id),
    }
    for rule, ref in refs.items():
        row = read(ref).get(ref)
        assert row is not None
        lose(ref)
        assert set(rules(world)) == {rule}
        commit([create(ref, row.value)])
        assert breached(world) == []


def test_an_item_that_waits_for_another_moment_than_it_should_is_named(shop: Opens) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    keys = f"customer#{ada}", f"subscription#{subscription_of(ada).id}"
    for other in ("2026-03-30T03:59:00Z#renewals#x", "2026-02-28T04:59:00Z#unheard_of#x", None):
        set_raw(world, *keys, "due_at", other)
        (wrong,) = breached(world)
        assert wrong.startswith(f"due_is_next_moment: {'/'.join(keys)} ")


def test_money_that_the_provider_took_twice_is_found(shop: Opens) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-02-28 05:00")
    charge = charge_of_period(ada, 1)
    take_again(world, charge)
    assert breached(world) == [f"provider_agrees: {charge.ref} 2 payments were kept"]


def test_money_that_the_provider_took_and_nobody_settled_is_found_after_ten_minutes(
    shop: Opens,
) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, "2026-02-28 05:00")
    charge = charge_of_period(ada, 1)
    world.sandbox.let_card_behave_as(charge.attempts[0].card.token, "4242424242424242")
    take_again(world, charge)
    world.advance(10 * MINUTE)
    assert breached(world) == []
    world.advance(MINUTE)
    assert rules(world) == ["provider_agrees"]


def test_what_we_settled_and_the_provider_never_took_is_found(shop: Opens) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    (charge,) = charges_of(ada)
    named = [one.model_copy(update={"provider_charge_id": "ch_no"}) for one in charge.attempts]
    alter(accounts.charge(ada, charge.source), attempts=tuple(named))
    world.advance(11 * MINUTE)
    assert sorted(one.partition(" ch_")[0] for one in breached(world)) == [
        f"provider_agrees: {charge.ref}",
        f"provider_agrees: {charge.ref} settled, but never taken",
    ]


def test_a_breach_that_heals_between_the_two_readings_was_none(shop: Opens) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    steal_a_credit(ada)
    # The provider is asked after the books were read for the first time.
    watched = Watched(world, lambda: give_it_back(ada))
    assert breached(world) == []
    assert len(watched.asked) == 2
    assert notices(BREACHED) == []


def test_books_that_cant_be_read_are_a_breach_and_hold_up_no_other(shop: Opens) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    bob = subscribed(world, "month", email="bob@example.com")
    set_raw(world, f"customer#{ada}", f"pack#{packs_of(ada)[0].id}", "body", "{")
    steal_a_credit(bob)
    assert breached(world) == [
        f"readable: customer#{ada} Pack can't be read",
        f"{LEDGER}: {packs_of(bob)[0].id} 8 in entries, 7 left",
    ]
    assert len(notices(BREACHED)) == 1


# The due index


def test_what_nobody_swept_for_more_than_two_ticks_is_overdue_and_named_once(shop: Opens) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    keys = f"customer#{ada}/subscription#{subscription_of(ada).id}"
    go_to(world, "2026-02-28 04:58")
    world.clock.move_to(moment("2026-02-28 05:01"))
    assert breached(world) == []
    world.clock.move_to(moment("2026-02-28 05:02"))
    (wrong,) = breached(world)
    assert wrong.startswith(f"not_overdue: {keys} 2026-02-28T04:59:00Z#renewals#")
    # The sweep comes back, and so does order.
    world.run_due()
    assert breached(world) == []


def test_what_belongs_to_no_customer_is_overdue_too(shop: Opens) -> None:
    world = shop("2026-01-31 15:00")
    world.client("dynamodb").put_item(
        TableName=world.wiring.environment.accounts_table,
        Item={
            "pk": {"S": "webhook#sandbox#evt_1"},
            "sk": {"S": "event"},
            "kind": {"S": "unheard_of"},
            "version": {"N": "1"},
            "body": {"S": "{"},
            "due_at": {"S": due_text(Moment(at=world.now(), worker=Worker.APPLY), "x")},
            "due_shard": {"S": "now#0"},
        },
    )
    world.clock.move_to(world.now() + 3 * MINUTE)
    (wrong,) = breached(world)
    assert wrong.startswith("not_overdue: webhook#sandbox#evt_1/event ")


class Haunted(Embedded):
    """An engine whose due index, for so many more queries, still has an entry of what is gone."""

    def __init__(self, due_at: str) -> None:
        super().__init__()
        self.ghost = {
            "pk": {"S": "customer#gone"},
            "sk": {"S": "subscription#gone"},
            "due_at": {"S": due_at},
            "due_shard": {"S": "money#0"},
        }
        self.appearances = 0

    def call(self, operation: str, body: bytes) -> Answer:
        answer = super().call(operation, body)
        if operation != "Query" or not self.appearances:
            return answer
        asked = json.loads(body)
        if asked.get("IndexName") != "due":
            return answer
        values = asked["ExpressionAttributeValues"]
        if values[":shard"] != self.ghost["due_shard"] or (
            values[":bound"]["S"] <= self.ghost["due_at"]["S"]
        ):
            return answer
        self.appearances -= 1
        return Answer(200, content={**answer.content, "Items": [self.ghost]})


def test_an_entry_of_the_index_without_its_item_is_named_when_it_stays(shop: Opens) -> None:
    due_at = "2026-01-31T14:00:00Z#renewals#x"
    engine = Haunted(due_at)
    world = shop("2026-01-31 15:00", engine=engine)
    # The index follows its items a moment later.
    engine.appearances = 1
    assert breached(world) == []
    assert engine.appearances == 0
    engine.appearances = 2
    assert breached(world) == [f"index_has_item: customer#gone/subscription#gone {due_at}"]
    assert len(notices(BREACHED)) == 1


# A provider that does not answer


def test_a_provider_that_does_not_answer_leaves_the_rest_of_the_audit_standing(
    shop: Opens,
) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    subscribed(world, "month", email="bob@example.com")
    steal_a_credit(ada)
    world.sandbox.misbehave(Operation.LOOK_UP, Fault.TIMEOUT_BEFORE, times=100)
    found = audit(world)
    assert (found["customers"], found["unanswered"]) == (2, 2)
    assert [one.partition(":")[0] for one in found["breaches"]] == [LEDGER]
    assert len(notices(BREACHED)) == 1


def test_a_provider_that_this_deployment_has_no_more_is_one_that_does_not_answer(
    shop: Opens,
) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    customers = {**head(ada).value.provider_customers, "former": "cus_1"}
    alter(accounts.head(ada), provider_customers=customers)
    assert audit(world) == {"customers": 1, "unanswered": 1, "breaches": []}


def test_a_provider_that_is_gone_keeps_no_other_from_being_asked(shop: Opens) -> None:
    world = shop("2026-01-31 15:00")
    everyone = [
        subscribed(world, "month", email=f"{at:02d}@example.com")
        for at in range(MAX_UNANSWERED + 2)
    ]
    for one in everyone:
        customers = {"former": "cus_1", **head(one).value.provider_customers}
        alter(accounts.head(one), provider_customers=customers)
    take_again(world, charges_of(everyone[-1])[-1])
    found = audit(world)
    assert found["unanswered"] == MAX_UNANSWERED, "a former one is asked no more that day"
    assert {one.partition(":")[0] for one in found["breaches"]} == {"provider_agrees"}


def test_a_provider_that_does_not_answer_is_asked_no_more_that_day(shop: Opens) -> None:
    world = shop("2026-01-31 15:00")
    for at in range(MAX_UNANSWERED + 2):
        customer_with_card(world, email=f"{at:02d}@example.com")
    zoe = subscribed(world, "month", email="zoe@example.com")
    steal_a_credit(zoe)
    world.sandbox.misbehave(Operation.LOOK_UP, Fault.TIMEOUT_BEFORE, times=1_000)
    watched = Watched(world)
    found = audit(world)
    assert found["customers"] == MAX_UNANSWERED + 3
    assert found["unanswered"] == MAX_UNANSWERED == len(watched.asked)
    # The last one's own books are looked at all the same.
    assert [one.partition(":")[0] for one in found["breaches"]] == [LEDGER]
    world.sandbox.behave()
    world.advance(timedelta(days=1))
    assert audit(world)["unanswered"] == 0


# Rounds


def test_a_round_reads_the_provider_s_books_from_180_days_before_the_last_one_began(
    shop: Opens,
) -> None:
    world = shop("2026-01-31 15:00")
    customer_with_card(world)
    watched = Watched(world)
    for days in (0, 1, 3):
        world.advance(timedelta(days=days))
        assert breached(world) == []
    assert [since for _, since in watched.asked] == [
        None,
        moment("2025-08-04 15:00"),
        moment("2025-08-05 15:00"),
    ]


def test_what_is_older_than_the_list_is_neither_missed_nor_looked_for(shop: Opens) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-09-10 12:00")
    assert breached(world) == []
    go_to(world, "2026-09-20 12:00")
    assert breached(world) == [], "February's charge is on no list any more"
    # A second payment of this round is found although the charge's own is not on the list.
    charge = charge_of_period(ada, 1)
    take_again(world, charge)
    world.advance(11 * MINUTE)
    (wrong,) = breached(world)
    assert wrong.startswith(f"provider_agrees: {charge.ref} ")


def test_a_round_of_many_customers_goes_on_the_next_day_where_it_stopped(shop: Opens) -> None:
    world = shop("2026-01-31 15:00")
    first = customer_with_card(world, email="0000@example.com")
    last = customer_with_card(world, email="zoe@example.com")
    # Names in the directory, of whom nothing else is stored.
    names = [
        DirectoryEntry(customer_id=f"c{at}", email=f"m{at:04d}@example.com", name="")
        for at in range(MAX_CUSTOMERS - 1)
    ]
    for at in range(0, len(names), 50):
        commit([create(_directory(one), one) for one in names[at : at + 50]])
    watched = Watched(world)
    owners = [head(one).value.provider_customers["sandbox"] for one in (first, last)]
    days = []
    for _ in range(4):
        days.append(audit(world)["customers"])
        world.advance(timedelta(days=1))
    assert days == [MAX_CUSTOMERS, 1, MAX_CUSTOMERS, 1]
    second_round = moment("2025-08-04 15:00")
    assert watched.asked == [
        (owners[0], None),
        (owners[1], None),
        (owners[0], second_round),
        (owners[1], second_round),
    ]


def _directory(entry: DirectoryEntry) -> Ref[DirectoryEntry]:
    mine = accounts.address(entry.email)
    return Ref(mine.table, "directory", f"customer#{entry.email}", DirectoryEntry)
