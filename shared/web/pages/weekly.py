"""When a weekly place is, for people and programs ([WEEKLY])."""

from datetime import time
from typing import TYPE_CHECKING

from shared.domain.business import Business
from shared.web.answer import View
from shared.web.pages.names import staff_name

if TYPE_CHECKING:
    from shared.domain.weekly import Standing


class WeeklyTime(View):
    """When a standing weekly reservation is ([WEEKLY]): `weekday` 0 is Monday, `clock` the
    local time. `staff_member` is empty when whoever leads it will do."""

    weekday: int
    clock: time
    name: str
    staff_member: str = ""
    participants: int = 1


def weekly_time(standing: "Standing", business: Business) -> WeeklyTime:
    """When a standing weekly reservation is ([WEEKLY])."""
    return WeeklyTime(
        weekday=standing.weekday,
        clock=standing.clock,
        name=standing.name,
        staff_member=staff_name(business, standing.staff_member),
        participants=standing.participants,
    )
