"""What the demo business puts on its schedule: a week of classes and daycare days in both houses,
repeated, and one small workshop that is full."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta

from infra.local.demo_catalogue import CATALOGUE, KREUZBERG, RIVERSIDE
from infra.local.world import LocalWorld
from shared.domain.business import Location
from shared.operations import activities
from shared.operations.activities import NewActivity
from shared.store.staff import StaffMember

OPENED_DAYS_AGO = 10
WEEKS_AHEAD = 8
WORKSHOP_DAYS_AHEAD = 5
WORKSHOP = "Handstands for beginners"


@dataclass(frozen=True)
class _Weekly:
    location: Location
    service: str
    name: str
    weekdays: tuple[int, ...]
    clock: time
    minutes: int
    places: int
    led_by: str | None = None


WEEKLY = (
    _Weekly(RIVERSIDE, "yoga", "Slow flow", (0, 2), time(18, 30), 75, 14, "mira"),
    _Weekly(RIVERSIDE, "yoga", "Saturday stretch", (5,), time(10), 60, 12, "jonas"),
    _Weekly(RIVERSIDE, "daycare", "Daycare", (0, 1, 2, 3, 4), time(7, 30), 690, 20),
    _Weekly(KREUZBERG, "yoga", "Feierabend yoga", (1, 3), time(19), 75, 12, "jonas"),
    _Weekly(KREUZBERG, "daycare", "Daycare", (0, 2, 4), time(7, 30), 690, 16),
)


def open_schedule(world: LocalWorld, owner: StaffMember, today: date) -> None:
    """The owner puts everything on the schedule, up to `WEEKS_AHEAD` after `today`."""
    context = world.wiring.context(CATALOGUE)
    for number, wanted in enumerate(_wanted(today)):
        activities.create(context, owner, wanted, f"demo-schedule-{number}")


def _wanted(today: date) -> Iterator[NewActivity]:
    first = today - timedelta(days=OPENED_DAYS_AGO - 1)
    for one in WEEKLY:
        yield NewActivity(
            location_id=one.location.id,
            service_id=one.service,
            name=one.name,
            day=first,
            clock=one.clock,
            minutes=one.minutes,
            places=one.places,
            staff_member=one.led_by,
            weekdays=one.weekdays,
            until=today + timedelta(weeks=WEEKS_AHEAD),
        )
    yield NewActivity(
        location_id=RIVERSIDE.id,
        service_id="yoga",
        name=WORKSHOP,
        day=today + timedelta(days=WORKSHOP_DAYS_AHEAD),
        clock=time(16),
        minutes=120,
        places=2,
        staff_member="mira",
        prepay_online=True,
    )
