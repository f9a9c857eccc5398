"""What templates are made of: what is worked out when they are compiled, and words for data."""

from collections.abc import Callable, Iterable

import pytest
from jinja2 import FileSystemLoader

from shared.domain.by import By
from shared.domain.calendar import Frequency
from shared.domain.ending import EndReason
from shared.domain.invoice import InvoiceState, PaymentKind, PaymentStatus
from shared.domain.outcome import Outcome
from shared.domain.pack import EntryKind, PackStatus
from shared.domain.recurs_when import RecursWhen
from shared.domain.reservation import ReservationState
from shared.domain.statement import Whereabouts
from shared.domain.subscription import SubscriptionState
from shared.web import assets, icons, render, words
from tests.portal.page_samples import PORTAL


def _compiled(template: str) -> str:
    loader = FileSystemLoader([PORTAL, render.SHARED_PAGES])
    made = render.environment(loader)
    source, _, _ = loader.get_source(made, template)
    return str(made.compile(source, template, raw=True))


@pytest.mark.parametrize("name", ["portal.css", "icon.svg"])
def test_the_addresses_of_files_are_part_of_the_compiled_page(name: str) -> None:
    assert assets.url(name) in _compiled("base.html")


def test_the_drawings_of_icons_are_part_of_the_compiled_page() -> None:
    compiled = _compiled("shop.html")
    assert icons.PATHS["packs"] in compiled
    assert icons.PATHS["trash"] not in compiled


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
