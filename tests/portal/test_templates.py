"""What templates are made of: what is worked out when they are compiled, and words for data."""

from collections.abc import Callable, Iterable

import pytest
from jinja2 import DictLoader, FileSystemLoader

from functions.portal.pages.shop_models import ShopPage
from shared.domain.by import By
from shared.domain.calendar import Frequency
from shared.domain.ending import EndReason
from shared.domain.invoice import InvoiceState, PaymentKind, PaymentStatus
from shared.domain.money import Money
from shared.domain.outcome import Outcome
from shared.domain.pack import EntryKind, PackStatus
from shared.domain.recurs_when import RecursWhen
from shared.domain.reservation import ReservationState
from shared.domain.statement import Whereabouts
from shared.domain.subscription import SubscriptionState
from shared.web import assets, icons, render, words
from tests.portal.page_samples import FRAME, FULL, PORTAL


def _compiled(template: str) -> str:
    loader = FileSystemLoader([PORTAL, render.SHARED_PAGES])
    made = render.environment(loader)
    source, _, _ = loader.get_source(made, template)
    return str(made.compile(source, template, raw=True))


@pytest.mark.parametrize("name", ["portal.css", "icon.svg"])
def test_the_addresses_of_files_are_part_of_the_compiled_page(name: str) -> None:
    assert assets.url(name) in _compiled("base.html")


def test_the_drawings_of_icons_are_part_of_the_compiled_page() -> None:
    compiled = _compiled("product_card.html")
    assert icons.PATHS["packs"] in compiled
    assert icons.PATHS["trash"] not in compiled


def test_a_remembered_piece_is_escaped_and_made_once_for_what_it_shows() -> None:
    text = "{% macro bold(x, y) %}<b>{{ x }}{{ y }}</b>{% endmacro %}"
    bold = render.environment(DictLoader({"parts": text})).get_template("parts").module.bold  # type: ignore[attr-defined]
    made = render.remembered(bold, "<1>", 2)
    assert str(made) == "<b>&lt;1&gt;2</b>"
    assert render.remembered(bold, "<1>", 2) is made
    assert str(render.remembered(bold, "<1>", 3)) == "<b>&lt;1&gt;3</b>"


def test_a_remembered_product_is_shown_in_each_locale_and_at_each_price() -> None:
    page = FULL["shop"]
    assert isinstance(page, ShopPage)
    dearer = tuple(
        one.model_copy(update={"price": Money(minor=one.price.minor + 1, currency="USD")})
        for one in page.products
    )
    models = (page, page.model_copy(update={"products": dearer}))
    frames = (FRAME, FRAME._replace(locale="de-DE"))
    shown = {
        render.render(PORTAL, "shop", model, frame=frame, typed={}, problems={})
        for model in models
        for frame in frames
        for _ in range(2)
    }
    assert len(shown) == len(models) * len(frames)


def test_an_unknown_icon_is_an_error() -> None:
    with pytest.raises(KeyError):
        icons.icon("unicorn")


def test_a_count_has_the_plural_of_its_unit() -> None:
    units = ("class", "day", "party", "box", "lunch", "visit")
    assert [words.counted(2, unit) for unit in units] == [
        "2 classes",
        "2 days",
        "2 parties",
        "2 boxes",
        "2 lunches",
        "2 visits",
    ]
    assert words.counted(1, "class") == "1 class"


@pytest.mark.parametrize(
    ("word", "values"),
    [
        (words.subscription_state, SubscriptionState),
        (words.pack_status, PackStatus),
        (words.reservation_state, ReservationState),
        (words.payment_status, PaymentStatus),
        (words.payment_kind, PaymentKind),
        (words.invoice_state, InvoiceState),
        (words.outcome, Outcome),
        (words.started_by, By),
        (words.entry_kind, EntryKind),
        (words.whereabouts, Whereabouts),
        (words.end_reason, EndReason),
        (words.often, Frequency),
        (words.recurs, RecursWhen),
    ],
)
def test_whatever_a_page_may_tell_has_its_words(
    word: Callable[[str], str], values: Iterable[str]
) -> None:
    assert all(word(value) for value in values)
