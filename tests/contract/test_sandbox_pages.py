"""The hosted pages, as a customer without script meets them ([SANDBOX] [A11Y])."""

from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.domain.outcome import Outcome
from shared.providers.port import CardSetup
from tests.contract.bench import RETURN_URL, CardKind, events, request_for, save
from tests.contract.sandbox_bench import PUBLIC_URL, SandboxBench

GOOD = {"number": "4242 4242 4242 4242", "expiry": "12/30", "cvc": "123"}


@pytest.fixture
def bench() -> SandboxBench:
    return SandboxBench()


@pytest.fixture
def setup(bench: SandboxBench) -> CardSetup:
    return bench.provider.start_card_setup(
        reference="customer-1",
        email="ada@example.com",
        provider_customer=None,
        return_url=RETURN_URL,
        idempotency_key="setup",
    )


class Page(HTMLParser):
    """The elements of a page by tag, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def field(self, name: str) -> dict[str, str | None]:
        (found,) = (a for a in self.all("input") if a["name"] == name)
        return found


def url_of(setup: CardSetup) -> str:
    assert setup.url is not None
    return setup.url


def fetched(bench: SandboxBench, setup: CardSetup) -> CardSetup:
    found = bench.provider.fetch_card_setup(setup.setup_id)
    assert found is not None
    return found


def test_the_card_page_says_that_it_is_a_sandbox_and_names_every_field(
    bench: SandboxBench, setup: CardSetup
) -> None:
    status, headers, html = bench.get(url_of(setup))
    page = Page(html)
    assert status == 200
    assert "no real money moves" in page.words
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("title")) == 1
    assert any(meta.get("name") == "viewport" for meta in page.all("meta"))
    assert [page.field(n)["autocomplete"] for n in ("number", "expiry", "cvc")] == [
        "cc-number",
        "cc-exp",
        "cc-csc",
    ]
    labelled = {label["for"] for label in page.all("label")}
    assert labelled == {field["id"] for field in page.all("input")}
    assert page.all("script") == []
    assert page.all("form")[0]["action"] == urlsplit(url_of(setup)).path
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_pages_carry_strict_headers_and_let_the_form_lead_back_to_the_shop(
    bench: SandboxBench, setup: CardSetup
) -> None:
    _, headers, html = bench.get(url_of(setup))
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://shop.example" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert " style=" not in html
    (sheet,) = Page(html).all("link")
    assert sheet["href"] is not None
    status, headers, style = bench.get(PUBLIC_URL + sheet["href"])
    assert (status, headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert "min-height: 3rem" in style


def test_saving_a_card_leads_back_with_the_setup_in_the_query(
    bench: SandboxBench, setup: CardSetup
) -> None:
    status, headers, _ = bench.submit(url_of(setup), **GOOD)
    assert status == 303
    back = urlsplit(headers["Location"])
    assert (back.netloc, back.path) == ("shop.example", "/checkout")
    assert parse_qs(back.query) == {"cart": ["7"], "setup": [setup.setup_id]}
    saved = fetched(bench, setup)
    assert saved.complete
    assert saved.card is not None
    assert (saved.card.last4, saved.card.exp_month, saved.card.exp_year) == ("4242", 12, 2030)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"number": ""}, "Enter your card number."),
        ({"number": "4242 4242 4242 4241"}, "This card number is not valid. Check the digits."),
        ({"number": "4242"}, "This card number is not valid. Check the digits."),
        ({"number": "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"}, "This card number is not valid. Check the digits."),
        ({"number": "4111 1111 1111 1111"}, "only test numbers work: 4242 4242 4242 4242"),
        ({"expiry": ""}, "Enter the expiry date."),
        ({"expiry": "soon"}, "Enter the expiry date as month and year, like 08/29."),
        ({"expiry": "13/30"}, "The month of the expiry date is a number from 01 to 12."),
        ({"expiry": "00/30"}, "The month of the expiry date is a number from 01 to 12."),
        ({"expiry": "12/25"}, "This card has expired."),
        ({"expiry": "12/2099"}, "The year of the expiry date is too far ahead."),
        ({"cvc": ""}, "Enter the security code from the back of your card."),
        ({"cvc": "12"}, "The security code is the 3 digits on the back of your card."),
        ({"cvc": "12a"}, "The security code is the 3 digits on the back of your card."),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_saved(
    bench: SandboxBench, setup: CardSetup, wrong: dict[str, str], sentence: str
) -> None:
    status, _, html = bench.submit(url_of(setup), **{**GOOD, **wrong})
    page = Page(html)
    (name,) = wrong
    assert status == 422
    assert page.words.count(sentence) == 2  # in the summary and at the field
    assert page.field(name)["aria-invalid"] == "true"
    described_by = (page.field(name)["aria-describedby"] or "").split()
    ids = {attributes.get("id") for _, attributes in page.elements}
    assert set(described_by) <= ids
    assert f"{name}-error" in described_by
    assert {a["href"] for a in page.all("a")} == {f"#{name}"}
    assert not fetched(bench, setup).complete


def test_all_wrong_fields_are_named_at_once(bench: SandboxBench, setup: CardSetup) -> None:
    status, _, html = bench.submit(url_of(setup))
    assert status == 422
    wrong = [field["name"] for field in Page(html).all("input") if "aria-invalid" in field]
    assert wrong == ["number", "expiry", "cvc"]


@pytest.mark.parametrize("expiry", ["01/26", "1/26", "0126", "01-2026", " 01 / 26 ", "12/2076"])
def test_a_card_is_good_through_the_last_month_however_it_is_written(
    bench: SandboxBench, setup: CardSetup, expiry: str
) -> None:
    assert bench.submit(url_of(setup), **{**GOOD, "expiry": expiry})[0] == 303


@pytest.mark.parametrize(
    ("number", "word", "failure"),
    [
        ("4000000000000002", "Your card was declined. Please use", "generic_decline"),
        ("4000000000009995", "insufficient funds", "insufficient_funds"),
        ("4000000000009987", "reported lost", "lost_card"),
    ],
)
def test_a_card_declined_at_saving_says_so_and_another_can_be_entered(
    bench: SandboxBench, setup: CardSetup, number: str, word: str, failure: str
) -> None:
    status, _, html = bench.submit(url_of(setup), **{**GOOD, "number": number})
    assert status == 402
    assert word in Page(html).words.split("Test numbers")[0]
    declined = fetched(bench, setup)
    assert not declined.complete
    assert declined.card is None
    assert declined.failure == failure
    assert bench.submit(url_of(setup), **GOOD)[0] == 303
    assert fetched(bench, setup).failure is None


def test_the_security_code_is_never_sent_back(bench: SandboxBench, setup: CardSetup) -> None:
    _, _, html = bench.submit(url_of(setup), number="4242", expiry="12/30", cvc="987")
    assert "987" not in Page(html).words.split("Test numbers")[0]
    assert Page(html).field("cvc")["value"] == ""
    assert Page(html).field("expiry")["value"] == "12/30"


def test_what_was_entered_is_escaped(bench: SandboxBench, setup: CardSetup) -> None:
    _, _, html = bench.submit(url_of(setup), number='"><script>alert(1)</script>')
    assert Page(html).all("script") == []


def test_the_page_works_once_and_a_second_press_saves_nothing_more(
    bench: SandboxBench, setup: CardSetup
) -> None:
    first = bench.submit(url_of(setup), **GOOD)
    again = bench.submit(url_of(setup), **{**GOOD, "number": "4000 0000 0000 0341"})
    assert (again[0], again[1]["Location"]) == (303, first[1]["Location"])
    card = fetched(bench, setup).card
    assert card is not None
    assert card.last4 == "4242"
    assert len(bench.deliveries()) == 1
    status, _, html = bench.get(url_of(setup))
    assert status == 410
    assert Page(html).all("a")[0]["href"] == first[1]["Location"]


def test_cancelling_leads_back_without_a_card(bench: SandboxBench, setup: CardSetup) -> None:
    status, headers, _ = bench.submit(url_of(setup) + "/cancel")
    assert status == 303
    assert f"setup={setup.setup_id}" in headers["Location"]
    assert fetched(bench, setup).failure == "cancelled"
    assert bench.submit(url_of(setup), **GOOD)[0] == 410
    assert not fetched(bench, setup).complete


def test_the_page_expires_after_an_hour(bench: SandboxBench, setup: CardSetup) -> None:
    bench.advance(3_599)
    assert bench.get(url_of(setup))[0] == 200
    bench.advance(1)
    assert bench.get(url_of(setup))[0] == 410
    assert bench.submit(url_of(setup), **GOOD)[0] == 410
    expired = fetched(bench, setup)
    assert not expired.complete
    assert expired.failure == "expired"


def test_an_unknown_page_is_not_found_in_plain_words(bench: SandboxBench) -> None:
    for path in ("/", "/card-setups/cs_unknown", "/confirm/ch_unknown", "/nowhere", "/confirm"):
        status, headers, html = bench.get(path)
        assert status == 404
        assert headers["Content-Type"].startswith("text/html")
        assert len(Page(html).all("h1")) == 1


def test_a_form_that_cannot_be_read_is_refused(bench: SandboxBench, setup: CardSetup) -> None:
    path = urlsplit(url_of(setup)).path.removeprefix("/_local/sandbox")
    for body, status in ((b"number=\xff\xfe", 422), (b"a&" * 60, 422), (b"x" * 70_000, 413)):
        assert bench.sandbox.handle("POST", path, {}, body)[0] == status
    assert bench.sandbox.handle("PUT", path, {}, b"")[0] == 405


def test_head_of_a_page_has_no_body_and_changes_nothing(
    bench: SandboxBench, setup: CardSetup
) -> None:
    path = urlsplit(url_of(setup)).path.removeprefix("/_local/sandbox")
    assert bench.sandbox.handle("HEAD", path, {}, b"")[::2] == (200, b"")
    assert not fetched(bench, setup).complete


def test_the_confirm_page_shows_the_amount_and_two_answers(bench: SandboxBench) -> None:
    waiting = bench.provider.charge(request_for(save(bench, CardKind.NEEDS_AUTHENTICATION)))
    assert waiting.confirm_url
    status, _, html = bench.get(waiting.confirm_url)
    page = Page(html)
    assert status == 200
    assert "$49.00" in page.words
    assert "Ten classes" in page.words
    answers = [b["value"] for b in page.all("button") if b.get("name") == "answer"]
    assert answers == ["confirm", "decline"]
    assert bench.succeeded("charge-1") == 0


def test_confirming_leads_back_and_a_second_press_changes_nothing(bench: SandboxBench) -> None:
    waiting = bench.provider.charge(request_for(save(bench, CardKind.NEEDS_AUTHENTICATION)))
    assert waiting.confirm_url
    for answer in ("confirm", "confirm", "decline"):
        status, headers, _ = bench.submit(waiting.confirm_url, answer=answer)
        assert (status, headers["Location"]) == (303, RETURN_URL)
    assert bench.succeeded("charge-1") == 1
    assert bench.get(waiting.confirm_url)[0] == 410


def test_an_answer_that_is_neither_asks_again(bench: SandboxBench) -> None:
    waiting = bench.provider.charge(request_for(save(bench, CardKind.NEEDS_AUTHENTICATION)))
    assert waiting.confirm_url
    assert bench.submit(waiting.confirm_url, answer="perhaps")[0] == 200
    assert bench.submit(waiting.confirm_url)[0] == 200
    assert bench.succeeded("charge-1") == 0


def test_a_charge_that_was_given_up_can_no_longer_be_confirmed(bench: SandboxBench) -> None:
    waiting = bench.provider.charge(request_for(save(bench, CardKind.NEEDS_AUTHENTICATION)))
    assert waiting.confirm_url
    assert waiting.provider_charge_id
    given_up = bench.provider.cancel_charge(
        provider_charge_id=waiting.provider_charge_id, idempotency_key="cancel-1"
    )
    assert given_up.outcome is Outcome.CANCELLED
    status, _, html = bench.submit(waiting.confirm_url, answer="confirm")
    assert status == 410
    assert "No money moved" in Page(html).words


def test_payments_are_taken_back_and_given_again_by_a_button(bench: SandboxBench) -> None:
    assert "Nothing was paid yet" in Page(bench.get("/payments")[2]).words
    setup = save(bench)
    paid = bench.provider.charge(request_for(setup))
    bench.provider.charge(request_for(save(bench, CardKind.DECLINES)))
    told = []
    for press, reversed_ in (("reverse", 4_900), ("reverse", 4_900), ("reinstate", 0)):
        page = Page(bench.get("/payments")[2])
        told += [button["value"] for button in page.all("button")]
        status, headers, _ = bench.submit(f"/payments/{paid.provider_charge_id}", answer=press)
        assert (status, headers["Location"]) == (303, "/_local/sandbox/payments")
        assert [one.reversed for one in bench.sandbox.charges()] == [reversed_, 0]
    assert told == ["reverse", "reinstate", "reinstate"]
    assert "$49.00" in page.words
    assert "taken back" in page.words
    types = [event.type for event in events(bench)]
    assert types == ["charge.succeeded", "charge.failed", "charge.reversed", "charge.reinstated"]


def test_a_button_that_is_none_takes_nothing_back(bench: SandboxBench) -> None:
    paid = bench.provider.charge(request_for(save(bench)))
    for answer in ("", "confirm"):
        bench.submit(f"/payments/{paid.provider_charge_id}", answer=answer)
    assert bench.submit("/payments/ch_unknown", answer="reverse")[0] == 404
    assert [one.reversed for one in bench.sandbox.charges()] == [0]
