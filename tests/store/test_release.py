"""Staff press "Try again" at once, and against what settles meanwhile, on Amazon's own engine."""

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.message import Notice, NoticeKind
from shared.operations import staff
from shared.operations.reconcile import reconcile
from shared.operations.staff import Released
from shared.operations.sweep import Swept, sweep
from shared.store import accounts
from shared.store.due import MAX_TRIES
from shared.store.reading import Found, read
from shared.store.staff import Role, StaffMember
from tests.shop_floor import (
    asked_of,
    buy,
    charged_at,
    charges_of,
    context_of,
    customer_with_card,
    go_to,
    notices,
    packs_of,
    subscribed,
)
from tests.store.at_once import at_once
from tests.store.conftest import Shop

pytestmark = pytest.mark.xdist_group("dynamodb-local")

OLGA = StaffMember(email="olga@example.com", name="Olga", role=Role.OWNER)
MAX = StaffMember(email="max@example.com", name="Max", role=Role.MANAGER)

RENEWED = "2026-02-28 16:59"
"""After six leases, two hours each."""


def release(world: LocalWorld, who: StaffMember, notice_id: str) -> tuple[Released, Notice]:
    found = read(*staff.notice_refs(notice_id))
    return staff.release_parked(context_of(world), who, notice_id, found, shards=1)


def mark_done(world: LocalWorld, who: StaffMember, notice_id: str) -> Notice:
    found = read(*staff.notice_refs(notice_id))
    return staff.mark_notice_done(context_of(world), who, notice_id, found)


def happened(customer_id: str) -> Counter[str]:
    return Counter(row.value.what for row in accounts.timeline_of(customer_id).rows)


class LostBus:
    """Takes every event, and loses it: what is leased is done by nobody."""

    def put_events(self, Entries: list[Any]) -> dict[str, Any]:  # noqa: N803 - as boto3 names it
        return {"FailedEntryCount": 0, "Entries": Entries}


def tick(world: LocalWorld, events: Any = None) -> Swept:
    return sweep(
        now=world.now(),
        new_id=world.wiring.new_id,
        events=events or world.wiring.events,
        bus=world.wiring.environment.event_bus,
        shards=1,
        limit=50,
    )


def park_what_is_due(world: LocalWorld) -> list[Notice]:
    """Leases that nobody uses, until everything that is due now is parked."""
    for _ in range(MAX_TRIES + 1):
        tick(world, LostBus())
        world.clock.move_to(world.now() + timedelta(hours=2))
    return notices(NoticeKind.PARKED)


def renewals_set_aside(world: LocalWorld, customers: int) -> list[Notice]:
    for number in range(customers):
        subscribed(world, "month", email=f"{number}@example.com")
    go_to(world, "2026-02-28 04:58")
    world.clock.move_to(world.now() + timedelta(minutes=1))
    found = park_what_is_due(world)
    assert len(found) == customers
    return found


def test_two_staff_press_at_once_and_it_is_charged_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    for notice in renewals_set_aside(world, 6):
        ada = notice.customer_id
        assert ada is not None
        press = [partial(release, world, who, notice.id) for who in (OLGA, MAX) * 4]
        answers = at_once(press)
        assert {outcome for outcome, _ in answers} == {Released.SET_GOING}
        assert len({done.done_by for _, done in answers}) == 1, "all are told who was first"
        assert happened(ada) == {"notice:released": 1}
        world.run_due()
        assert charged_at(world, ada)[1:] == [RENEWED]
    assert notices(NoticeKind.PARKED) == []


def test_a_notice_that_moves_while_it_is_read_is_found(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    (notice,) = renewals_set_aside(world, 1)
    between = Found({})
    assert mark_done(world, MAX, notice.id).done_by == MAX.email
    context = context_of(world)
    assert staff.mark_notice_done(context, OLGA, notice.id, between).done_by == MAX.email
    outcome, _ = staff.release_parked(context, OLGA, notice.id, between, shards=1)
    assert outcome is Released.SET_GOING


def test_one_tries_again_while_another_marks_it_done(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    for notice in renewals_set_aside(world, 6):
        ada = notice.customer_id
        assert ada is not None
        (outcome, _), _ = at_once(
            [partial(release, world, OLGA, notice.id), partial(mark_done, world, MAX, notice.id)]
        )
        assert outcome is Released.SET_GOING, "who wants it done gets it done"
        assert happened(ada)["notice:released"] == 1
        world.run_due()
        assert charged_at(world, ada)[1:] == [RENEWED]
    assert notices(NoticeKind.PARKED) == []


def test_presses_against_sweeps_lease_it_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    for notice in renewals_set_aside(world, 4):
        ada = notice.customer_id
        assert ada is not None
        once = partial(tick, world)
        _, *first = at_once([partial(release, world, OLGA, notice.id), once, once, once])
        second = at_once([once] * 4)
        assert sum(one.leased.get("renewals", 0) for one in (*first, *second)) == 1
        world.run_due()
        assert charged_at(world, ada)[1:] == [RENEWED]


def test_a_press_against_the_webhook_that_settles_it_grants_once(shop: Shop) -> None:
    world = shop("2026-01-31 15:00")
    for number in range(6):
        ada = customer_with_card(world, email=f"{number}@example.com")
        world.sandbox.webhooks(hold=True)
        world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
        buy(world, ada, "ten")
        (charge,) = charges_of(ada)
        world.clock.move_to(world.now() + timedelta(hours=1))
        (notice,) = park_what_is_due(world)
        assert notice.customer_id == ada
        settle = partial(reconcile, context_of(world), ada, charge.source, asked_by_webhook=True)
        (outcome, _), _ = at_once([partial(release, world, OLGA, notice.id), settle])
        assert outcome in {Released.SET_GOING, Released.NOT_PARKED}
        assert notices(NoticeKind.PARKED) == []
        world.sandbox.webhooks(hold=False)
        world.sandbox.release_webhooks()
        world.run_due()
        assert len(packs_of(ada)) == 1
        assert len(asked_of(world, ada)) == 1
