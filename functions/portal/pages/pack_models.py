"""Answers about packs ([LEDGER])."""

from shared.web.answer import View
from shared.web.pages.choices import Choice
from shared.web.pages.entries import EntryView
from shared.web.pages.packs import CreditsLeft, PackSummary
from shared.web.pages.statement import LifeView


class PacksPage(View):
    """`GET /packs`. `status` "" is all; `next` is the address of further ones, None at the end."""

    status: str = ""
    statuses: tuple[Choice, ...] = ()
    query: str = ""
    credits: tuple[CreditsLeft, ...] = ()
    packs: tuple[PackSummary, ...] = ()
    next: str | None = None


class PackPage(View):
    """`GET /packs/{pack}` with every entry, newest first, and on the first page where each of its
    credits is ([LEDGER])."""

    pack: PackSummary
    lives: tuple[LifeView, ...] = ()
    entries: tuple[EntryView, ...] = ()
    next: str | None = None
