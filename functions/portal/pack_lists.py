"""Packs, by status and search. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from functions.portal.listing import (
    PAGE_SIZE,
    Listed,
    Search,
    SkippingQuery,
    address,
    choices_of,
    fitting,
    page_of,
)
from functions.portal.pages.pack_models import PacksPage
from shared.domain.business import Business
from shared.domain.pack import Pack, PackStatus, put_away
from shared.web.pages.packs import PackSummary, credits_left, pack_summary


class PacksQuery(SkippingQuery):
    status: PackStatus | None = None
    q: Search = ""

    @property
    def narrows(self) -> bool:
        return bool(self.status or self.q)


def packs_page(
    living: Sequence[Pack],
    ended: Listed[Pack],
    query: PacksQuery,
    business: Business,
    now: datetime,
) -> PacksPage:
    """First the living, the newest first: what credits may be left of; `skip` of them were shown.
    Then those that ended, by the ids of what brought them; `after` is where the former page
    ended."""
    fits = fitting(query.q)

    def found_in(packs: Iterable[Pack]) -> list[PackSummary]:
        shown = (pack_summary(pack, business, now) for pack in packs)
        return [one for one in shown if fits(one.name, one.service, one.location)]

    # Of an earlier version some that ended lie there still.
    newest = sorted(living, key=lambda one: (not put_away(one), one.bought_at), reverse=True)
    first = found_in(newest if query.after is None else ())
    later = found_in(ended.items)
    wanted = query.status.value if query.status else ""
    live_of_status = [one for one in first if wanted in ("", one.status.value)][query.skip :]
    of_status = [one for one in later if wanted in ("", one.status.value)]
    shown = live_of_status[:PAGE_SIZE]
    room = PAGE_SIZE - len(shown)
    kept = {"status": wanted, "q": query.q}
    if len(live_of_status) > PAGE_SIZE or (not room and (of_status or ended.ended_at)):
        following: str | None = address("/packs", skip=str(query.skip + PAGE_SIZE), **kept)
    else:
        page, following = page_of(of_status, ended.ended_at, "/packs", size=room, **kept)
        shown += page
    return PacksPage(
        status=wanted,
        statuses=choices_of(
            (one.status.value for one in (*first, *later)),
            PackStatus,
            wanted,
            whole=query.after is None and ended.ended_at is None,
        ),
        query=query.q,
        credits=credits_left(living, business, now),
        packs=tuple(shown),
        next=following,
    )
