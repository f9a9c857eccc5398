"""Every page of portal and console: shown in full and empty, safe against hostile text, and with
what a screen reader and a browser without script need."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from pydantic import BaseModel

from shared.web import assets
from shared.web.render import SHARED_PAGES, Frame, render
from tests.portal import page_samples as samples

ONLY_ASKED = {"/console/retry-policy"}
"""Forms that are sent with GET, since nothing is changed by them."""

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'"
EMPTY_ELEMENTS = {"area", "br", "hr", "img", "input", "link", "meta", "path", "wbr"}

PAGES = [
    *((page, page, model, samples.FRAME) for page, model in samples.FULL.items()),
    *((f"{page}, empty", page, model, samples.NOBODY) for page, model in samples.EMPTY.items()),
    *((name, page, model, samples.FRAME) for name, (page, model) in samples.MORE.items()),
    *(
        (f"staff {page}", page, model, samples.STAFF_FRAME)
        for page, model in samples.CONSOLE_FULL.items()
    ),
    *(
        (name, page, model, samples.STAFF_FRAME)
        for name, (page, model) in samples.CONSOLE_MORE.items()
    ),
    *(
        (f"staff {page}, empty", page, model, samples.STAFF_FRAME)
        for page, model in samples.CONSOLE_EMPTY.items()
    ),
]
every_page = pytest.mark.parametrize(
    ("page", "model", "frame"),
    [case[1:] for case in PAGES],
    ids=[case[0] for case in PAGES],
)


class Document(HTMLParser):
    """What a page is made of: its elements in order, and text by element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.title = ""
        self.nested_forms = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "form" and "form" in self.open:
            self.nested_forms += 1
        if tag not in EMPTY_ELEMENTS:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "title":
            self.title += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def shown(
    page: str,
    model: BaseModel,
    frame: Frame,
    *,
    typed: Mapping[str, Any] | None = None,
    problems: Mapping[str, str] | None = None,
) -> str:
    staff = frame.audience is samples.STAFF_FRAME.audience
    return render(
        samples.CONSOLE if staff else samples.PORTAL,
        page,
        model,
        frame=frame._replace(path=samples.path_of(page)),
        typed=typed or {},
        problems=problems or {},
    )


def hostile(value: Any, name: str = "") -> Any:
    """The same answer with hostile text wherever free text is shown."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return value.model_copy(
            update={field: hostile(getattr(value, field), field) for field in fields}
        )
    if isinstance(value, tuple):
        return tuple(hostile(one) for one in value)
    return HOSTILE if type(value) is str and value and name in FREE_TEXT else value


FREE_TEXT = {
    *("added", "address", "brand", "by", "category", "customer_email", "customer_name"),
    *("decline_code", "description", "detail", "email", "location", "merchant", "name", "next"),
    *("phone", "query", "reason", "service", "support_email", "support_phone", "tax_name"),
    *("title", "unit", "what", "merchant_address", "number", "staff_member"),
    *("activity_name", "pack", "order_id"),
}


@every_page
def test_a_page_has_one_heading_a_language_and_a_title(
    page: str, model: BaseModel, frame: Frame
) -> None:
    document = Document(shown(page, model, frame))
    assert len(document.all("h1")) == 1
    assert document.all("html")[0]["lang"] == "en"
    assert document.title.endswith(" · Willow & Paws")
    assert document.title.split(" · ")[0].strip()


@every_page
def test_headings_never_skip_a_level(page: str, model: BaseModel, frame: Frame) -> None:
    document = Document(shown(page, model, frame))
    levels = [int(tag[1]) for tag, _ in document.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] in (1, 2)
    assert all(after <= before + 1 for before, after in pairwise(levels))


@every_page
def test_elements_are_closed_ids_are_unique_and_forms_are_not_nested(
    page: str, model: BaseModel, frame: Frame
) -> None:
    document = Document(shown(page, model, frame))
    ids = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert document.open == []
    assert document.unbalanced == []
    assert len(ids) == len(set(ids))
    assert document.nested_forms == 0


@every_page
def test_every_input_has_a_label_and_every_form_a_button(
    page: str, model: BaseModel, frame: Frame
) -> None:
    html = shown(page, model, frame)
    document = Document(html)
    labelled = {attributes.get("for") for attributes in document.all("label")}
    for field in [*document.all("input"), *document.all("select")]:
        if field.get("type") not in ("hidden", "radio"):
            assert field["id"] in labelled
    for form in re.findall(r"<form.*?</form>", html, flags=re.DOTALL):
        assert "<button" in form or 'id="add-card"' in form


SCRIPTS = {"card_enter": ["/assets/card-field.js"]}
"""The one page that needs a script, and says so without: a provider's card field is one itself."""


def scripts(document: Document) -> list[str]:
    """Where each script of a page is, without the hash of its content; "" for one in the page."""
    found = [one.get("src") or "" for one in document.all("script")]
    return [re.sub(r"\.[0-9a-f]{12}\.", ".", one) for one in found]


@every_page
def test_nothing_needs_script_or_inline_style(page: str, model: BaseModel, frame: Frame) -> None:
    document = Document(shown(page, model, frame))
    assert scripts(document) == SCRIPTS.get(page, [])
    assert document.all("style") == []
    for _, attributes in document.elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]


@every_page
def test_hostile_text_stays_text(page: str, model: BaseModel, frame: Frame) -> None:
    bad_frame = frame._replace(merchant=HOSTILE, name=HOSTILE, email=HOSTILE, notice=HOSTILE)
    problems = {"card": HOSTILE, "email": HOSTILE, "price": HOSTILE, "": HOSTILE}
    typed = {"email": HOSTILE, "price": HOSTILE, "quantity": HOSTILE, "starts_on": HOSTILE}
    html = shown(page, hostile(model), bad_frame, typed=typed, problems=problems)
    document = Document(html)
    assert scripts(document) == SCRIPTS.get(page, [])
    assert document.all("img") == []
    assert html.count("<script") == len(SCRIPTS.get(page, []))


@every_page
def test_a_form_that_changes_something_posts_to_a_path_of_ours(
    page: str, model: BaseModel, frame: Frame
) -> None:
    for form in Document(shown(page, model, frame)).all("form"):
        action = form.get("action")
        assert action is None or (action.startswith("/") and not action.startswith("//"))
        only_asks = form.get("role") == "search" or action in ONLY_ASKED
        only_asks = only_asks or str(action).startswith("/schedule/")
        assert form["method"] == "post" or only_asks


def test_what_is_owed_is_said_on_every_page_with_the_next_try_and_a_way_to_fix_it() -> None:
    frame = samples.FRAME._replace(past_due=(samples.PAST_DUE,))
    for page, model in samples.FULL.items():
        if page == "card_update":
            continue
        html = shown(page, model, frame)
        assert "We could not collect $96.34 for Yoga every month" in html
        assert "We try again on February 28, 2026, 11:59" in html
        assert 'href="/subscriptions/sub-1#pay"' in html


def test_a_payment_that_waits_for_the_bank_leads_to_its_confirmation() -> None:
    late = samples.PAST_DUE.model_copy(
        update={"needs": "authentication", "confirm_url": "https://pay.example/confirm"}
    )
    frame = samples.FRAME._replace(past_due=(late,))
    assert 'href="https://pay.example/confirm"' in shown("shop", samples.FULL["shop"], frame)


def test_what_the_provider_does_not_take_asks_for_no_other_card_on_any_page() -> None:
    late = samples.PAST_DUE.model_copy(update={"needs": "merchant"})
    frame = samples.FRAME._replace(past_due=(late,))
    html = shown("shop", samples.FULL["shop"], frame)
    assert "Your card is not to blame, and we have been told." in html
    assert "we try again on February 28, 2026, 11:59" in html
    assert "Pay or change card" not in html


def test_a_card_that_can_not_be_charged_is_not_offered_for_paying() -> None:
    page, model = samples.MORE["checkout, not taken by the provider"]
    document = Document(shown(page, model, samples.FRAME))
    radios = {one["value"]: "disabled" in one for one in document.all("input") if "value" in one}
    assert (radios["card-gone"], radios[samples.VISA.id]) == (True, False)


@pytest.mark.parametrize(
    ("page", "fields"),
    [
        ("checkout", {"cart", "card", "expected_total", "idempotency_key"}),
        ("cancel", {"when", "idempotency_key"}),
        ("sign_in", {"email", "next"}),
        ("sign_in_sent", {"code", "email", "next"}),
        ("cart", {"quantity", "location", "next"}),
        ("product", {"product", "quantity", "frequency", "starts_on", "until"}),
    ],
)
def test_a_pages_forms_send_the_fields_that_its_routes_read(page: str, fields: set[str]) -> None:
    document = Document(shown(page, samples.FULL[page], samples.FRAME))
    names = {
        attributes["name"]
        for tag, attributes in document.elements
        if tag in ("input", "select", "button") and "name" in attributes
    }
    assert fields <= names
    if page in ("sign_in", "sign_in_sent", "cancel"):
        assert names == fields


def test_a_past_due_subscription_can_be_paid_from_its_page() -> None:
    _, model = samples.MORE["subscription, failing"]
    html = shown("subscription", model, samples.FRAME)
    assert 'action="/subscriptions/sub-1/pay"' in html
    assert 'value="pay-key-1"' in html
    assert 'id="pay"' in html


def test_a_wrong_field_is_named_first_on_the_page_and_at_the_field() -> None:
    html = shown(
        "product",
        samples.FULL["product"],
        samples.FRAME,
        typed={"starts_on": "2020-01-01"},
        problems={"starts_on": "Choose a day from today on."},
    )
    document = Document(html)
    field = next(one for one in document.all("input") if one.get("name") == "starts_on")
    assert field["value"] == "2020-01-01"
    assert field["aria-invalid"] == "true"
    assert "error-starts_on" in (field["aria-describedby"] or "")
    assert '<a href="#starts_on">Choose a day from today on.</a>' in html


def test_what_was_done_is_told_to_screen_readers() -> None:
    frame = samples.FRAME._replace(notice="Your card is saved.")
    html = shown("cards", samples.FULL["cards"], frame)
    assert re.search(r'role="status">.*?Your card is saved\.', html, flags=re.DOTALL)


def test_money_and_days_follow_the_customers_locale() -> None:
    frame = samples.FRAME._replace(locale="de-DE")
    html = shown("shop", samples.FULL["shop"], frame)
    assert "250,00\xa0$" in html
    assert "$250.00" not in html


def test_the_stylesheet_and_icon_exist() -> None:
    html = shown("shop", samples.FULL["shop"], samples.FRAME)
    assert assets.url("portal.css") in html
    assert assets.url("icon.svg") in html


def test_every_template_is_tried() -> None:
    pieces = {"base", "components", "place", "cart_lines", "decline", "sign_in_forms", "totals"}
    pieces |= {"console_base", "booking_parts", "statement_parts", "weekly", "attempts"}
    pieces |= {"pack_rows", "product_card", "subscription_rows"}
    folders = (samples.PORTAL, samples.CONSOLE, SHARED_PAGES)
    names = {path.stem for folder in folders for path in folder.glob("*.html")} - pieces
    assert names == {case[1] for case in PAGES}
