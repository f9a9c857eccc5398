"""Pages: templates, and the frame that every one of them gets."""

from collections.abc import Hashable, Mapping, MutableMapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import BaseLoader, Environment, StrictUndefined
from jinja2.runtime import Macro
from pydantic import BaseModel

from shared import templates
from shared.domain.business import Location
from shared.domain.customer import PastDue
from shared.operations.visit import Audience
from shared.web import accept, words
from shared.web.filters import FILTERS
from shared.web.notices import NOTICES
from shared.web.request import Request

ROOT = Path(__file__).resolve().parents[2]
SHARED_PAGES = ROOT / "shared" / "web" / "pages"
REMEMBERED = 1000
"""Pieces of pages that a warm function remembers: some hundred KB."""


BELONGS_TO: Mapping[str, str] = {
    "": "/shop",
    "cards": "/account",
    "invoices": "/account",
    "payments": "/account",
    "reservations": "/schedule",
}
"""Sections of the pages whose own address is outside their section's."""


class Frame(NamedTuple):
    """What every page shows around its own content.

    `path` is where we are, `here` the same with its query; `zone` is the chosen location's;
    `notice` the sentence about what was just done, if any. For staff `name` and `email` are theirs
    and `role` is set. `saves_data`: the browser is asked to load nothing that may not be wanted.
    """

    merchant: str = "Punchcard"
    support_email: str = ""
    support_phone: str = ""
    headline: str = ""
    tagline: str = ""
    signed_in: bool = False
    audience: Audience = Audience.CUSTOMER
    name: str = ""
    email: str = ""
    role: str = ""
    cart_count: int = 0
    past_due: tuple[PastDue, ...] = ()
    locations: tuple[Location, ...] = ()
    location: Location | None = None
    path: str = "/"
    here: str = "/"
    locale: str = "en-US"
    zone: str = "UTC"
    notice: str = ""
    saves_data: bool = False

    @property
    def language(self) -> str:
        """Of the words on the page, for `<html lang>`."""
        return "en"

    @property
    def section(self) -> str:
        """Which part of the site the page belongs to, as the header leads there."""
        first = self.path.split("/", 2)[1]
        return BELONGS_TO.get(first, f"/{first}")


def frame_of(request: Request) -> Frame:
    """The frame for who is here. Loads the visit when that was not done yet."""
    visit = request.visit
    settings = visit.business.settings
    customer = visit.customer.value if visit.customer else None
    if customer is not None:
        cart_count = customer.cart_counts.get(visit.location.id, 0)
    else:
        cart_count = visit.visitor_cart.value.count if visit.visitor_cart else 0
    person = customer or visit.staff
    wished = customer.locale if customer else ""
    return Frame(
        merchant=settings.merchant_name,
        support_email=settings.support_email,
        support_phone=settings.support_phone,
        headline=settings.headline,
        tagline=settings.tagline,
        signed_in=visit.session is not None,
        audience=request.audience,
        name=person.name if person else "",
        email=person.email if person else "",
        role=visit.staff.role.value if visit.staff else "",
        cart_count=cart_count,
        past_due=customer.past_due if customer else (),
        locations=visit.business.locations,
        location=visit.location,
        path=request.path,
        here=request.here,
        locale=wished
        or accept.best_locale(request.headers.get("accept-language"), otherwise=settings.locale),
        zone=visit.location.zone,
        notice=_notice(request),
        saves_data=request.headers.get("save-data", "").strip().lower() == "on",
    )


def _notice(request: Request) -> str:
    """What was just done; for the cart it names what was added, as the catalogue calls it."""
    added = request.catalogue.product(request.item) if request.done == "added" else None
    if added is not None:
        return f"{added.name} is in your cart."
    return NOTICES.get(request.done, "")


def plain_frame(request: Request) -> Frame:
    """The frame when nothing can be read: nobody is here, and nothing is known."""
    return Frame(audience=request.audience, path=request.path, here=request.here)


@cache
def _environment(folder: Path) -> Environment:
    return environment(templates.loader([folder, SHARED_PAGES]))


class _Pages(Environment):
    """What templates can name is the same in all of them, and known when they are loaded: one dict
    for each, and no chain of them that every page copies."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}


@lru_cache(maxsize=REMEMBERED)
def remembered(piece: Macro, *shown: Hashable) -> str:
    """What `piece` makes of `shown`, made once for everybody: for pieces that most visitors see
    alike. It is a macro of a template that is imported without context, so that it knows nothing
    of the page but what it is given: `{{ remembered(parts.card, product, frame.locale) }}`."""
    return piece(*shown)


def environment(loader: BaseLoader) -> Environment:
    """What pages are compiled and rendered with."""
    made = _Pages(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(FILTERS)
    made.globals["w"] = words
    made.globals["remembered"] = remembered
    return made


def render(
    folder: Path,
    page: str,
    model: BaseModel,
    *,
    frame: Frame,
    typed: Mapping[str, Any],
    problems: Mapping[str, str],
) -> str:
    """The page called `page`, from `folder` or the shared pages, showing `model`.

    The template sees `page` (the model), `frame`, `typed` (what was entered, to show again) and
    `problems` (a sentence for each wrong field), the filters of `filters.py`, `w`: `words.py`,
    and `remembered`.
    """
    template = _environment(folder).get_template(f"{page}.html")
    return template.render(page=model, frame=frame, typed=typed, problems=problems)
