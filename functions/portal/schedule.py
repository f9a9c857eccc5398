"""The schedule: what can be booked, by day or week ([BOOK] [PLACES] [WEEKLY])."""

from functions.portal import schedule_view
from functions.portal.matched import reservations_matched
from functions.portal.pages.schedule_models import SchedulePage
from functions.portal.schedule_view import ScheduleQuery
from shared.domain.activity import Activity
from shared.domain.weekly import Standing
from shared.store import schedule as schedules
from shared.store.items import Row
from shared.store.schedule import SCHEDULE_LIMIT
from shared.web.answer import Answer
from shared.web.app import App
from shared.web.request import Request
from shared.web.side_by_side import side_by_side
from shared.wiring import current

app = App(pages="functions.portal.pages", wiring=current)


def _weekly(customer_id: str) -> tuple[Standing, ...]:
    """One round trip, for the few who have a weekly place."""
    from shared.store import holdings

    rows = holdings.subscriptions_of(customer_id).rows
    return schedule_view.standing_held([row.value for row in rows])


@app.get(
    "/schedule",
    page="schedule",
    answer=SchedulePage,
    query=ScheduleQuery,
    summary="What can be booked at the chosen location, by day or week.",
)
def schedule(request: Request) -> Answer:
    """Two round trips: who is here, and then, side by side, the days and the customer's own
    reservations and weekly places. Who never had any has none to be read."""
    query: ScheduleQuery = request.query
    location, now = request.location, request.now
    begins, ends = schedule_view.instants(schedule_view.window(query, location, now), location.zone)

    def days() -> tuple[Row[Activity], ...]:
        return schedules.schedule_of(location.id, begins, ends)

    customer = request.customer.value if request.customer else None
    standing: tuple[Standing, ...] = ()
    if customer is not None and customer.has_weekly:
        customer_id = customer.id
        rows, (mine, standing) = side_by_side(
            days,
            lambda: side_by_side(
                lambda: reservations_matched(customer_id), lambda: _weekly(customer_id)
            ),
        )
    elif customer is not None and customer.has_reservations:
        customer_id = customer.id
        rows, mine = side_by_side(days, lambda: reservations_matched(customer_id))
    else:
        rows, mine = days(), []
    return Answer(
        schedule_view.schedule_page(
            [row.value for row in rows],
            mine,
            query,
            request.business,
            location,
            now,
            cut=len(rows) >= SCHEDULE_LIMIT,
            standing=standing,
        )
    )


handler = app.handler
