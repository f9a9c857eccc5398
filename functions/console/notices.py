"""Notices to staff: the open ones, marking them done, and trying again what was set aside
([NOTICE], [ACCESS], [OWN])."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from functions.console.lists import HEADS_READ, check_cursor, heads_of, signed_in_at_all
from functions.console.pages.models import ConsoleHome, NoticeReleased, NoticeView
from shared.domain.customer import Customer
from shared.domain.message import Notice
from shared.log import logger
from shared.operations import staff
from shared.operations.context import Context
from shared.operations.staff import Released
from shared.operations.visit import Row
from shared.store import accounts
from shared.web.answer import Answer, Query
from shared.web.app import App
from shared.web.request import Request, Who

NOTICES_READ = 200
"""Open notices of one reading; a page names the customers of as many as are shown."""

NOTICES_SHOWN = 50

SAID: Mapping[Released, str] = {
    Released.SET_GOING: "work_set_going",
    Released.NOT_PARKED: "work_not_parked",
    Released.NOT_KNOWN: "work_not_known",
}
"""What the next page says, by its code in `shared.web.notices`."""


class NoticesQuery(Query):
    after: Annotated[str, Field(max_length=200)] | None = None


def mount_notices(app: App) -> None:
    """Adds the notices to the console's app."""
    app.get(
        "/console",
        page="console_home",
        answer=ConsoleHome,
        query=NoticesQuery,
        who=Who.STAFF,
        summary="Open notices that this person may see, and finding a customer.",
    )(home)
    app.post(
        "/console/notices/{notice}/done",
        answer=NoticeView,
        who=Who.STAFF,
        summary="Mark a notice done; again changes nothing.",
    )(notice_done)
    app.post(
        "/console/notices/{notice}/release",
        answer=NoticeReleased,
        who=Who.STAFF,
        summary="Try again the work that a notice says was set aside; again changes nothing.",
    )(notice_release)


def _context(request: Request) -> Context:
    context: Context = request.wiring.context(request.catalogue)
    return context


def home(request: Request) -> Answer:
    """The open notices, newest first. Nobody is shown one of a customer of other locations."""
    signed_in_at_all(request)
    query: NoticesQuery = request.query
    check_cursor(query.after, "open#")
    page = accounts.open_notices(limit=NOTICES_READ, after=query.after)
    rows = _whose_customers_can_be_read(page.rows)
    heads = heads_of([row.value.customer_id for row in rows])
    found = request.load(*heads.values())
    customers = {one: row.value for one, ref in heads.items() if (row := found.get(ref))}
    seen = [
        row
        for row in rows
        if staff.sees_notice(request.staff, row.value, customers.get(row.value.customer_id or ""))
    ]
    shown, rest = seen[:NOTICES_SHOWN], seen[NOTICES_SHOWN:]
    following = rows[-1].ref.sk if len(rows) < len(page.rows) else page.next
    return Answer(
        ConsoleHome(
            provider_ready=bool(_context(request).preferred_provider),
            notices=tuple(
                _view(request, row.value, customers.get(row.value.customer_id or ""))
                for row in shown
            ),
            next=shown[-1].ref.sk if rest else following,
        )
    )


def _whose_customers_can_be_read(rows: Sequence[Row[Notice]]) -> Sequence[Row[Notice]]:
    """As many of the first as one reading finds the customers of; the next page has the rest."""
    customers: set[str] = set()
    for at, row in enumerate(rows):
        customers.update([row.value.customer_id] if row.value.customer_id else [])
        if len(customers) > HEADS_READ:
            return rows[:at]
    return rows


def _view(request: Request, notice: Notice, customer: Customer | None = None) -> NoticeView:
    catalogue, parked = request.catalogue, notice.parked
    location = catalogue.location(notice.location_id)
    return NoticeView(
        id=notice.id,
        kind=notice.kind,
        title=notice.title,
        detail=notice.detail,
        created_at=notice.created_at,
        zone=(location or catalogue.locations[0]).zone,
        location=location.name if location else "",
        customer_id=notice.customer_id,
        customer_name=(customer.name or customer.email) if customer else "",
        done_at=notice.done_at,
        done_by=notice.done_by,
        work=f"{parked.worker or 'unknown'} of {parked.pk}/{parked.sk}" if parked else "",
        may_release=staff.may_change(request.staff) and staff.can_release(notice),
    )


def notice_done(request: Request) -> Answer:
    notice_id = request.params["notice"]
    found = request.load(*staff.notice_refs(notice_id))
    done = staff.mark_notice_done(_context(request), request.staff, notice_id, found)
    logger.info("notice done", extra={"notice": done.id, "kind": done.kind.value})
    return Answer(_view(request, done), location="/console", done="notice_done")


def notice_release(request: Request) -> Answer:
    notice_id = request.params["notice"]
    found = request.load(*staff.notice_refs(notice_id))
    outcome, notice = staff.release_parked(
        _context(request),
        request.staff,
        notice_id,
        found,
        shards=request.wiring.environment.due_shards,
    )
    logger.info("notice release", extra={"notice": notice.id, "outcome": outcome.value})
    return Answer(
        NoticeReleased(outcome=outcome, notice=_view(request, notice)),
        location="/console",
        done=SAID[outcome],
    )
