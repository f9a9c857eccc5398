"""Packs, by status and search. Pure."""

from collections.abc import Iterable
from datetime import datetime

from functions.portal.listing import ListQuery, Search, choices_of, fitting, paged
from functions.portal.pages.pack_models import PacksPage
from shared.domain.pack import Pack, PackStatus
from shared.domain.product import Catalogue
from shared.web.pages.packs import credits_left, pack_summary


class PacksQuery(ListQuery):
    status: PackStatus | None = None
    q: Search = ""


def packs_page(
    packs: Iterable[Pack],
    query: PacksQuery,
    ended_at: str | None,
    catalogue: Catalogue,
    now: datetime,
) -> PacksPage:
    held = sorted(packs, key=lambda pack: pack.bought_at, reverse=True)
    fits = fitting(query.q)
    shown = [pack_summary(pack, catalogue, now) for pack in held]
    found = [one for one in shown if fits(one.name, one.service, one.location)]
    wanted = query.status.value if query.status else ""
    narrowed = [one for one in found if wanted in ("", one.status.value)]
    listed, following = paged(narrowed, query, ended_at, "/packs", status=wanted, q=query.q)
    return PacksPage(
        status=wanted,
        statuses=choices_of((one.status.value for one in found), PackStatus, wanted),
        query=query.q,
        credits=credits_left(held, catalogue, now),
        packs=tuple(listed),
        next=following,
    )
