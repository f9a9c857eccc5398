"""The demo data: a small business some months after it opened its doors ([RUN]).

It is played, not written: the clock starts months ago, everybody does what they did through the
operations that the pages use, and what fell due on the way was run by the workers. So whatever the
system promises holds for it too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

from infra.local import schedules
from infra.local.bus import Tick
from infra.local.demo_catalogue import CATALOGUE, RIVERSIDE
from infra.local.demo_people import LONGEST_DAYS_AGO, OPENING_HOUR, PEOPLE, Step, lives
from infra.local.demo_schedule import OPENED_DAYS_AGO, open_schedule
from infra.local.world import LocalWorld
from shared.domain.calendar import local_date, start_of_day
from shared.store import catalogue
from shared.store.staff import Role, StaffMember, write_staff_member

STAFF = (
    StaffMember(email="owner@example.com", name="Mira Castellan", role=Role.OWNER),
    StaffMember(
        email="manager@example.com",
        name="Jonas Vogt",
        role=Role.MANAGER,
        locations=("kreuzberg",),
    ),
    StaffMember(
        email="clerk@example.com", name="Priya Shah", role=Role.CLERK, locations=("riverside",)
    ),
)


def begins(now: datetime) -> datetime:
    """When the clock of a world has to start whose demo ends `now`."""
    return now - timedelta(days=LONGEST_DAYS_AGO)


def load(world: LocalWorld, now: datetime) -> None:
    """Play the demo in `world`, which stands at `begins(now)`, up to `now` (UTC).

    Two things are left out because they would take longest and change nothing: webhooks, since the
    provider's direct answer settles each charge, and the daily audits.
    """
    catalogue.publish(CATALOGUE)
    for member in STAFF:
        write_staff_member(member)
    ran = world.clock.stand_still()
    with _provider_in_this_process(world), _without_webhooks(world), _without_audits(world):
        steps_of_all = sorted([_schedule(world, now), *lives(world, now)], key=lambda one: one.at)
        for at, steps in groupby(steps_of_all, key=lambda step: step.at):
            world.advance_to(max(at, world.now()))
            for step in steps:
                step.do()
        world.advance_to(max(now, world.now()))
    world.sign_in_addresses = sign_in_addresses()
    if ran:
        world.clock.go_on()


def _schedule(world: LocalWorld, now: datetime) -> Step:
    """The owner opens the schedule of both houses."""
    today = local_date(now, RIVERSIDE.zone)
    opening = start_of_day(today - timedelta(days=OPENED_DAYS_AGO), RIVERSIDE.zone)
    at = opening + timedelta(hours=OPENING_HOUR)
    return Step(at, partial(open_schedule, world, STAFF[0], today))


@contextmanager
def _without_webhooks(world: LocalWorld) -> Iterator[None]:
    world.sandbox.webhooks(hold=True)
    try:
        yield
    finally:
        world.sandbox.discard_webhooks()
        world.sandbox.webhooks(hold=False)


@contextmanager
def _without_audits(world: LocalWorld) -> Iterator[None]:
    """The daily and hourly schedules rest, and go on afterwards."""
    resting: list[Tick] = []
    while (moment := world.agenda.next_moment()) is not None:
        task = world.agenda.take(moment)
        if isinstance(task, Tick):
            resting.append(task)
    try:
        yield
    finally:
        for tick in resting:
            world.agenda.add(schedules.next_after(tick.expression, world.now()), tick)


@contextmanager
def _provider_in_this_process(world: LocalWorld) -> Iterator[None]:
    """The provider is called directly while nobody serves its address yet."""
    overrides = world.wiring.provider_overrides
    before = dict(overrides)
    overrides.update(world.adapters())
    try:
        yield
    finally:
        overrides.clear()
        overrides.update(before)


def sign_in_addresses() -> tuple[str, ...]:
    """Who can sign in: staff first, then customers."""
    customers = (f"{name.split()[0].lower()}@example.com" for name, *_ in PEOPLE)
    return (*(member.email for member in STAFF), *customers)
