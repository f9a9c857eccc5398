"""Many things due at one minute: who waits for whom, and what one function does of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from infra.local import lambdas
from infra.local.world import LocalWorld
from shared.domain.admission import Part, parts
from shared.domain.due import Lane, Worker, utc_text
from shared.domain.message import UNHURRIED, Message, MessageKind, next_moment
from shared.operations.sweep import SWEEP, Sweep, Swept, parts_of
from shared.store import accounts
from shared.store.due import LEASE, due, on_lease
from shared.store.writing import commit, create
from tests.billing.conftest import Shop
from tests.pacing.renewals import DUE, due_subscription
from tests.shop_floor import buy, customer_with_card, go_to, moment, told_at


class Bus:
    """Keeps what is put on it."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - as boto3
        assert len(Entries) <= 10
        self.events += [
            {"detail-type": one["DetailType"], "detail": json.loads(one["Detail"])}
            for one in Entries
        ]
        return {"FailedEntryCount": 0, "Entries": Entries}

    def named(self, detail_type: str) -> list[dict[str, str]]:
        """Every item that an event of this type names, in order."""
        return [
            item
            for event in self.events
            if event["detail-type"] == detail_type
            for item in event["detail"]["due"]
        ]


@contextmanager
def night(renewals: int, shards: int = 1) -> Iterator[LocalWorld]:
    with LocalWorld(start=moment(DUE), parameters={"DueShards": str(shards)}) as world:
        for at in range(renewals):
            one = due_subscription(f"C{at:06d}")
            commit([create(accounts.subscription(one.customer_id, one.id), one)])
        yield world


def sweep_of(world: LocalWorld, bus: Bus, **others: Any) -> Sweep:
    return Sweep(now=world.now(), new_id=world.wiring.new_id, events=bus, bus="b", **others)


def write_mail(world: LocalWorld, kind: MessageKind, at: int, minutes_ago: int = 0) -> None:
    message = Message(
        key=f"{kind.value}:{at}",
        kind=kind,
        to="ada@example.com",
        customer_id="C",
        created_at=world.now() - timedelta(minutes=minutes_ago),
    )
    commit([create(accounts.message("C", message.to, message.key), message)])


def test_a_mail_behind_hundreds_of_renewals_goes_out_in_its_own_minute() -> None:
    with night(renewals=300) as world:
        write_mail(world, MessageKind.ORDER_RECEIPT, 1)
        bus = Bus()
        whole = parts(shards=1, limit=5, charges_a_minute=20)
        swept = sweep_of(world, bus).tick(whole)
        assert swept.leased == {Worker.DELIVER: 1, Worker.RENEWALS: 20}
        assert bus.events[0]["detail-type"] == "deliver", "before any renewal"
        assert len(list(due(Lane.MONEY, 0, world.now(), 1_000))) == 280


def test_a_mail_that_is_awaited_overtakes_the_hundreds_that_a_night_has_written() -> None:
    with night(renewals=0) as world:
        for at in range(200):
            write_mail(world, MessageKind.RENEWAL_RECEIPT, at, minutes_ago=30)
        write_mail(world, MessageKind.ORDER_RECEIPT, 1)
        bus = Bus()
        sweep_of(world, bus).tick(parts(shards=1, limit=10, charges_a_minute=20))
        sent = [one["sk"] for one in bus.named("deliver")]
        assert len(sent) == 1 + 10
        assert "order_receipt" in sent[0]


def test_what_a_customer_has_just_done_is_told_before_what_the_clock_did() -> None:
    waited_for = {
        MessageKind.SIGN_IN,
        MessageKind.STAFF_SIGN_IN,
        MessageKind.ORDER_RECEIPT,
        MessageKind.CARD_UPDATE,
        MessageKind.CONFIRM_PAYMENT,
        MessageKind.RESERVATION_CONFIRMED,
        MessageKind.PLACE_OFFERED,
    }
    for kind in MessageKind:
        one = Message(key="k", kind=kind, to="a@example.com", created_at=moment(DUE))
        found = next_moment(one)
        assert found is not None
        assert found.lane is (Lane.LATER if kind in UNHURRIED else Lane.NOW)
        assert not (kind in waited_for and found.lane is Lane.LATER), kind


@pytest.mark.parametrize("shards", [1, 7, 64])
def test_a_tick_does_bounded_work_and_hands_over_the_rest_each_item_once(shards: int) -> None:
    with night(renewals=150, shards=shards) as world:
        bus = Bus()
        whole = parts(shards=shards, limit=10, charges_a_minute=2_000)
        first = sweep_of(world, bus, most=40).tick(whole)
        biggest = max(one.most for one in whole)
        assert first.items < 40 + min(150, biggest)
        handed = [one for one in bus.events if one["detail-type"] == SWEEP]
        assert len(handed) == first.handed_over
        for event in handed:
            bounded = parts_of(event)
            assert len({one.lane for one in bounded}) == 1
            assert len(bounded) == 1 or sum(one.most for one in bounded) <= 40
            sweep_of(world, bus).some(bounded)
        renewals = [one["pk"] for one in bus.named("renewals")]
        assert len(renewals) == len(set(renewals)) == 150


def test_a_sweep_that_runs_out_of_time_hands_over_what_it_has_not_begun() -> None:
    with night(renewals=30, shards=4) as world:
        bus = Bus()
        whole = parts(shards=4, limit=10, charges_a_minute=1_000)
        swept = sweep_of(world, bus, in_time=lambda: False).tick(whole)
        assert swept.leased == {}
        assert [one for event in bus.events for one in parts_of(event)] == whole
        late = sweep_of(world, bus, in_time=lambda: False)
        assert late.some([Part(Lane.MONEY, 0, 10)]) == Swept()
        assert sweep_of(world, Bus()).some(whole).leased == {Worker.RENEWALS: 30}


def test_leases_are_counted_and_what_is_about_to_fall_due_is_none() -> None:
    with night(renewals=12) as world:
        now = world.now()
        assert on_lease(Lane.MONEY, 0, now - timedelta(minutes=3), 100) == 0
        sweep_of(world, Bus()).some([Part(Lane.MONEY, 0, 5)])
        assert on_lease(Lane.MONEY, 0, now, 100) == 5
        assert on_lease(Lane.NOW, 0, now, 100) == 0
        assert on_lease(Lane.MONEY, 0, now + LEASE, 100) == 0, "over: due again"


def test_workers_that_do_not_get_done_are_handed_little_more() -> None:
    with night(renewals=100) as world:
        bus = Bus()
        found = []
        for _ in range(4):
            swept = sweep_of(world, bus).tick(parts(shards=1, limit=5, charges_a_minute=20))
            found.append(swept.leased[Worker.RENEWALS])
            world.clock.move_to(world.now() + timedelta(minutes=1))
        assert found == [20, 20, 2, 2]


def test_the_deployed_sweep_takes_up_what_another_has_handed_over() -> None:
    with night(renewals=3) as world:
        bus = world.wiring.environment.event_bus
        entry = {
            "Source": "punchcard",
            "DetailType": SWEEP,
            "EventBusName": bus,
            "Detail": json.dumps({"parts": [["money", 0, 2]]}),
        }
        world.client("events").put_events(Entries=[entry])
        task = world.agenda.take(world.now())
        assert task is not None
        done = world.invoke(world.tick, task.event)  # type: ignore[union-attr]
        assert done["leased"] == {"renewals": 2}
        again = world.invoke(world.tick, lambdas.schedule_event(utc_text(world.now())))
        assert again["leased"] == {"renewals": 1}


@pytest.mark.parametrize("detail", [{}, {"parts": [["teleports", 0, 1]]}, {"parts": [[1]]}, None])
def test_an_event_that_names_no_parts_is_refused(detail: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever of it is wrong
        parts_of({"detail-type": SWEEP, "detail": detail})


def test_a_purchase_in_the_middle_of_a_night_is_told_at_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    ada = customer_with_card(world)
    go_to(world, DUE)
    buy(world, ada, "ten")
    world.run_due()
    assert told_at(ada, MessageKind.ORDER_RECEIPT) == [DUE]
