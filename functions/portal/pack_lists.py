"""Packs, by status and search. Pure."""

from collections.abc import Iterable
from datetime import datetime

from functions.portal.listing import Listed, ListQuery, Search, choices_of, fitting, page_of
from functions.portal.pages.pack_models import PacksPage
from shared.domain.pack import Pack, PackStatus
from shared.domain.product import Catalogue
from shared.web.pages.packs import credits_left, pack_summary


class PacksQuery(ListQuery):
    status: PackStatus | None = None
    q: Search = ""

    @property
    def narrows(self) -> bool:
        return bool(self.status or self.q)


def packs_page(
    listed: Listed[Pack],
    usable: Iterable[Pack],
    query: PacksQuery,
    catalogue: Catalogue,
    now: datetime,
) -> PacksPage:
    """`usable` are all the packs among which credits may be left."""
    fits = fitting(query.q)
    shown = [pack_summary(pack, catalogue, now) for pack in listed.items]
    found = [one for one in shown if fits(one.name, one.service, one.location)]
    wanted = query.status.value if query.status else ""
    narrowed = [one for one in found if wanted in ("", one.status.value)]
    packs, following = page_of(narrowed, listed.ended_at, "/packs", status=wanted, q=query.q)
    return PacksPage(
        status=wanted,
        statuses=choices_of(
            (one.status.value for one in found),
            PackStatus,
            wanted,
            whole=query.after is None and listed.ended_at is None,
        ),
        query=query.q,
        credits=credits_left(usable, catalogue, now),
        packs=tuple(packs),
        next=following,
    )
