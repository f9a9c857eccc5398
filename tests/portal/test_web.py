"""The web layer by itself: one route for people and programs ([ROUTES] [ERRORS] [KEY] [OWN])."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from infra.local.aws import switchboard
from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.business import Location
from shared.domain.customer import Customer
from shared.domain.product import Catalogue
from shared.domain.settings import Settings
from shared.store import accounts, sessions, snapshot
from shared.store import catalogue as catalogues
from shared.store.sessions import Audience, Session
from shared.store.writing import commit, create, overwrite
from shared.web import assets
from shared.web.answer import Input, View
from shared.web.app import App
from shared.wiring import current
from tests.portal import web_app
from tests.portal.web_app import Web, WriteNote

START = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
CATALOGUE = Catalogue(
    settings=Settings(merchant_name="Tails & Tadasana", support_email="help@example.com"),
    locations=(
        Location(id="ny", name="Brooklyn", zone="America/New_York", currency="USD"),
        Location(id="be", name="Berlin", zone="Europe/Berlin", currency="EUR"),
    ),
)
ADA = Customer(id="ada", email="ada@example.com", created_at=START)
BEN = Customer(id="ben", email="ben@example.com", created_at=START)
CLEO = Customer(id="cleo", email="cleo@example.com", created_at=START, location="be")


def open_world(public_url: str = "http://127.0.0.1:8000") -> Iterator[LocalWorld]:
    snapshot.forget()
    with LocalWorld(start=START, public_url=public_url) as opened:
        catalogues.publish(CATALOGUE)
        commit([create(accounts.head(one.id), one) for one in (ADA, BEN, CLEO)])
        yield opened
    snapshot.forget()


@pytest.fixture(scope="module")
def shared_world() -> Iterator[LocalWorld]:
    """One for all tests that leave nothing behind but sessions."""
    yield from open_world()


@pytest.fixture
def web(shared_world: LocalWorld) -> Web:
    web_app.seen.clear()
    return Web(shared_world)


def sign_in(web: Web, customer: Customer, *, audience: Audience = Audience.CUSTOMER) -> None:
    session = Session(
        audience=audience,
        customer_id=customer.id,
        email=customer.email,
        signed_in_at=web.world.now(),
        ends_at=web.world.now() + timedelta(minutes=30),
    )
    commit([overwrite(sessions.session(f"secret-of-{customer.id}"), session)])
    web.cookies["__Host-session"] = f"{customer.id}.secret-of-{customer.id}"


def problem(response: Response) -> Any:
    assert response.header("content-type") == "application/problem+json"
    told = json.loads(response.body)
    assert told["status"] == response.status
    return told


def kind(response: Response) -> str:
    return (response.header("content-type") or "").partition(";")[0]


# --- people and programs ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("text/html", "text/html"),
        ("application/json, text/html;q=0.5", "application/json"),
        ("application/json;q=0.5, text/html", "text/html"),
        ("application/json, text/html", "application/json"),
        ("image/png", "application/json"),
        ("text/html;q=nonsense", "application/json"),
    ],
)
def test_the_accept_header_decides_between_page_and_json(
    web: Web, accept: str, expected: str
) -> None:
    assert kind(web.ask("GET", "/notes", headers={"accept": accept})) == expected


def test_no_accept_header_at_all_means_json(web: Web) -> None:
    assert kind(web.ask("GET", "/notes", headers={"accept": ""})) == "application/json"


def test_a_form_and_a_json_body_become_the_same_model(web: Web) -> None:
    web.ask("POST", "/notes", form={"title": " Hi ", "count": "2", "day": "2026-01-31"})
    web.ask("POST", "/notes", content={"title": "Hi", "count": 2, "day": "2026-01-31"})
    expected = WriteNote(title="Hi", count=2, day=date(2026, 1, 31))
    assert web_app.seen == [expected, expected]


def test_an_empty_field_of_a_form_is_absent_and_a_repeated_one_a_list(web: Web) -> None:
    web.ask("POST", "/notes", form={"title": "Hi", "day": "", "tags": ["a", "b"]})
    assert web_app.seen == [WriteNote(title="Hi", tags=("a", "b"))]


def test_an_empty_needed_field_is_named(web: Web) -> None:
    told = problem(web.ask("POST", "/notes", form={"title": "  "}))
    assert (told["status"], list(told["fields"])) == (422, ["title"])


def test_after_a_change_people_are_led_on_and_programs_get_the_model(web: Web) -> None:
    person = web.ask("POST", "/notes", form={"title": "Hi"}, html=True)
    assert (person.status, person.header("location")) == (303, "/notes?page=2&done=saved")
    program = web.ask("POST", "/notes", content={"title": "Hi"})
    assert (program.status, program.header("location")) == (201, "/notes?page=2")
    assert json.loads(program.body)["said"]["title"] == "Hi"


def test_a_place_to_go_can_not_break_out_of_its_header(web: Web) -> None:
    answer = web.ask("POST", "/go", form={"to": "/shop?q=caf\u00e9 \r\nset-cookie: x=1"}, html=True)
    assert answer.header("location") == "/shop?q=caf%C3%A9%20%0D%0Aset-cookie:%20x=1"
    assert answer.cookies == []


def test_a_page_with_hundreds_of_parameters_is_still_a_page(web: Web) -> None:
    assert web.ask("GET", "/away?" + "&".join(["a=1"] * 300), html=True).status == 200


def test_head_answers_as_get_does_without_a_body(web: Web) -> None:
    got, head = web.ask("GET", "/notes"), web.ask("HEAD", "/notes")
    assert (head.status, head.header("content-type")) == (got.status, got.header("content-type"))
    assert (bool(got.body), head.body) == (True, b"")


def test_pages_show_money_and_instants_as_the_reader_writes_them(web: Web) -> None:
    american = web.ask("GET", "/notes", html=True).text
    assert "$1,234.50" in american
    # 04:59 UTC on 1 February is 23:59 on 31 January in New York.
    assert "January 31, 2026, 11:59" in american.replace("\u202f", " ")
    german = web.ask("GET", "/notes", html=True, headers={"accept-language": "fr;q=0.2, de"}).text
    assert "1.234,50" in german
    assert "31. Januar 2026" in german


def test_the_page_shows_a_sentence_for_known_codes_only(web: Web) -> None:
    assert "Your changes are saved." in web.ask("GET", "/notes?done=saved", html=True).text
    assert "hacked" not in web.ask("GET", "/notes?done=You+are+hacked", html=True).text


# --- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize("as_form", [True, False])
def test_an_unknown_field_is_refused_by_name(web: Web, as_form: bool) -> None:
    fields = {"title": "Hi", "price": "1"}
    sent = web.ask("POST", "/notes", **({"form": fields} if as_form else {"content": fields}))  # type: ignore[arg-type]
    told = problem(sent)
    assert (told["status"], told["code"], list(told["fields"])) == (422, "invalid", ["price"])
    assert web_app.seen == []


def test_each_wrong_field_is_named_with_a_sentence(web: Web) -> None:
    told = problem(web.ask("POST", "/notes", content={"count": 10, "day": "soon"}))
    assert set(told["fields"]) == {"title", "count", "day"}
    assert told["fields"]["title"] == "This is needed."


@pytest.mark.parametrize(
    "body",
    [b'{"title":', b"[]", b"null", b'"x"', b'{"count": NaN}', b"\xff\xfe", b"[" * 20_000],
)
def test_what_is_not_a_json_object_is_400(web: Web, body: bytes) -> None:
    told = problem(web.ask("POST", "/notes", body=body, kind="application/json"))
    assert (told["status"], told["code"]) == (400, "malformed")


def test_a_form_that_is_not_utf8_or_has_too_many_fields_is_400(web: Web) -> None:
    form = "application/x-www-form-urlencoded"
    assert web.ask("POST", "/notes", body=b"title=%ff", kind=form).status == 400
    assert web.ask("POST", "/notes", body=b"&".join([b"a=1"] * 201), kind=form).status == 400


def test_64_kb_are_read_and_one_byte_more_is_413(web: Web) -> None:
    frame = len(b'{"title":""}')
    fits = b'{"title":"' + b"x" * (64 * 1024 - frame) + b'"}'
    assert web.ask("POST", "/notes", body=fits, kind="application/json").status == 201
    over = b'{"title":"' + b"x" * (64 * 1024 - frame + 1) + b'"}'
    told = problem(web.ask("POST", "/notes", body=over, kind="application/json"))
    assert (told["status"], told["code"]) == (413, "too_large")
    assert web.ask("POST", "/pay", body=over, kind="text/plain").status == 413
    assert len(web_app.seen) == 1


@pytest.mark.parametrize("kind", ["text/xml", "multipart/form-data; boundary=x", "text/plain", ""])
def test_a_body_that_is_neither_json_nor_a_form_is_415(web: Web, kind: str) -> None:
    told = problem(web.ask("POST", "/notes", body=b"<title>Hi</title>", kind=kind))
    assert (told["status"], told["code"]) == (415, "unsupported_type")


def test_a_wrong_method_is_405_and_says_which_are_right(web: Web) -> None:
    response = web.ask("PUT", "/notes", content={})
    assert problem(response)["status"] == 405
    assert response.header("allow") == "DELETE, GET, HEAD, POST"
    assert web.ask("GET", "/pay").header("allow") == "POST"


def test_a_wrong_query_is_422_and_an_unknown_parameter_is_nothing(web: Web) -> None:
    assert list(problem(web.ask("GET", "/notes?page=0"))["fields"]) == ["page"]
    assert web.ask("GET", "/notes?page=2&utm_source=x").status == 200


def test_an_address_that_nobody_has_is_404(web: Web) -> None:
    assert problem(web.ask("GET", "/nowhere"))["code"] == "not_found"
    page = web.ask("GET", "/nowhere", html=True)
    assert (page.status, kind(page)) == (404, "text/html")
    assert "Tails &amp; Tadasana" in page.text


def test_a_failed_form_is_shown_again_with_what_was_typed(web: Web) -> None:
    page = web.ask("POST", "/notes", form={"title": "<b>Hi</b>", "count": "0"}, html=True)
    assert page.status == 422
    assert "Try again" in page.text
    assert 'value="&lt;b&gt;Hi&lt;/b&gt;"' in page.text
    assert "count: " in page.text


def test_a_model_that_lets_unknown_fields_through_is_no_body() -> None:
    class Loose(View):
        title: str

    app = App(pages="tests.portal.web_pages", wiring=current)
    with pytest.raises(TypeError, match="unknown fields"):
        app.post("/loose", body=Loose, summary="Loose.")
    assert Input.model_config["extra"] == "forbid"


# --- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("invalid", 422, "invalid"),
        ("unauthenticated", 401, "sign_in_required"),
        ("forbidden", 403, "forbidden"),
        ("missing", 404, "not_found"),
        ("conflict", 409, "cart_changed"),
        ("toomany", 429, "too_many_requests"),
        ("unavailable", 503, "unavailable"),
        ("lost", 409, "changed_meanwhile"),
        ("store", 503, "unavailable"),
        ("bug", 500, "unexpected"),
    ],
)
def test_every_error_has_its_status_and_a_stable_code(
    web: Web, name: str, status: int, code: str
) -> None:
    told = problem(web.ask("GET", f"/errors/{name}"))
    assert (told["status"], told["code"]) == (status, code)
    assert told["detail"]
    assert told["title"]
    page = web.ask("GET", f"/errors/{name}", html=True)
    assert page.status == (303 if status == 401 else status)


def test_an_error_carries_its_facts(web: Web) -> None:
    assert problem(web.ask("GET", "/errors/conflict"))["facts"] == {"now": "12.00"}
    assert problem(web.ask("GET", "/errors/invalid"))["fields"] == {"a": "Not so."}


@pytest.mark.parametrize("html", [True, False])
def test_too_often_says_when_to_come_back(web: Web, html: bool) -> None:
    assert web.ask("GET", "/errors/toomany", html=html).header("retry-after") == "42"


@pytest.mark.parametrize("html", [True, False])
@pytest.mark.parametrize("name", ["bug", "store"])
def test_the_answer_never_says_what_broke(web: Web, name: str, html: bool) -> None:
    text = web.ask("GET", f"/errors/{name}", html=html).text
    assert "secret" not in text
    assert "RuntimeError" not in text
    assert "table" not in text


# --- security --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target", ["/notes", "/nowhere", "/errors/bug", "/mine", "/errors/missing"]
)
@pytest.mark.parametrize("html", [True, False])
def test_every_answer_carries_the_security_headers(web: Web, target: str, html: bool) -> None:
    response = web.ask("GET", target, html=html)
    policy = response.header("content-security-policy") or ""
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert response.header("x-content-type-options") == "nosniff"
    assert response.header("referrer-policy") == "same-origin"
    assert response.header("cache-control") == "no-store"
    assert response.header("cross-origin-opener-policy") == "same-origin"
    assert response.header("vary") == "Accept, Cookie"


def test_a_page_that_leads_to_a_provider_lets_its_form_go_there(web: Web) -> None:
    policy = web.ask("GET", "/away", html=True).header("content-security-policy") or ""
    assert "form-action 'self' https://pay.example" in policy


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8000"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8000.evil.example"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/notes"), ("POST", "/pay"), ("DELETE", "/notes")]
)
def test_a_change_from_another_site_is_refused(
    web: Web, headers: dict[str, str], method: str, path: str
) -> None:
    response = web.ask(
        method, path, form={"title": "Hi", "idempotency_key": "12345678"}, headers=headers
    )
    assert (problem(response)["status"], problem(response)["code"]) == (403, "cross_site")
    assert web_app.seen == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "http://localhost:9000", "host": "localhost:9000"},
    ],
)
def test_a_change_from_our_own_pages_or_a_program_is_let_through(
    web: Web, headers: dict[str, str]
) -> None:
    assert web.ask("POST", "/notes", form={"title": "Hi"}, headers=headers).status == 201


def test_reading_is_open_to_links_from_everywhere(web: Web) -> None:
    assert web.ask("GET", "/notes", headers={"sec-fetch-site": "cross-site"}).status == 200


# --- idempotency keys ------------------------------------------------------------------------


def test_a_route_that_moves_money_takes_its_key_from_header_or_form(web: Web) -> None:
    web.ask("POST", "/pay", headers={"idempotency-key": "from-header"})
    web.ask("POST", "/pay", form={"idempotency_key": "from-form"})
    web.ask("POST", "/pay", content={}, headers={"idempotency-key": "beside-json"})
    assert web_app.seen == ["from-header", "from-form", "beside-json"]


@pytest.mark.parametrize("key", ["", "short", "x" * 201, "with\ttab-in-it"])
def test_a_missing_or_odd_key_is_422_and_named(web: Web, key: str) -> None:
    told = problem(web.ask("POST", "/pay", form={"idempotency_key": key}))
    assert (told["status"], list(told["fields"])) == (422, ["Idempotency-Key"])
    assert web_app.seen == []


# --- who is here -----------------------------------------------------------------------------


def test_who_is_signed_in_sees_their_own(web: Web) -> None:
    sign_in(web, ADA)
    assert json.loads(web.ask("GET", "/mine").body)["said"] == "ada@example.com"


def test_nobody_gets_401_as_a_program(web: Web) -> None:
    assert problem(web.ask("GET", "/mine"))["code"] == "sign_in_required"
    assert web.ask("POST", "/mine", content={"title": "Hi"}).status == 401
    assert web_app.seen == []


def test_nobody_is_led_to_sign_in_and_back_to_the_page(web: Web) -> None:
    page = web.ask("GET", "/mine?tab=old&x=1", html=True)
    assert page.status == 303
    assert page.header("location") == "/sign-in?next=/mine%3Ftab%3Dold%26x%3D1"


def test_after_a_form_nobody_is_led_back_to_the_page_it_was_on(web: Web) -> None:
    def location(referer: str) -> str | None:
        headers = {"referer": referer} if referer else {}
        form = {"title": "Hi"}
        return web.ask("POST", "/mine", form=form, html=True, headers=headers).header("location")

    assert location("http://127.0.0.1:8000/notes?page=2") == "/sign-in?next=/notes%3Fpage%3D2"
    assert location("https://evil.example/notes") == "/sign-in?next=/account"
    assert location("") == "/sign-in?next=/account"
    assert web_app.seen == []


def test_nobody_is_not_told_what_is_wrong_with_a_form_that_is_not_theirs(web: Web) -> None:
    assert web.ask("POST", "/mine", content={"unknown": 1}).status == 401
    assert web.ask("POST", "/mine", body=b"{", kind="application/json").status == 401


def test_a_view_that_forgets_to_ask_is_still_closed_to_nobody(web: Web) -> None:
    response = web.ask("GET", "/forgetful")
    assert response.status == 401
    assert "private" not in response.text


@pytest.mark.parametrize(
    "cookie",
    [
        "ada.wrong",
        "ada.secret-of-ben",
        "ben.secret-of-ada",
        "ada",
        "ada.",
        ".secret-of-ada",
        "",
        "ada." + "x" * 5000,
    ],
)
def test_a_claim_that_does_not_hold_shows_nothing_of_what_it_claims(web: Web, cookie: str) -> None:
    sign_in(web, BEN)
    sign_in(web, ADA)
    web.cookies["__Host-session"] = cookie
    said = json.loads(web.ask("GET", "/anyone").body)["said"]
    assert (said["customer"], said["session"], any(said["found"])) == (None, False, False)
    assert web.ask("GET", "/mine").status == 401


def test_a_staff_session_is_worth_nothing_in_the_portal(web: Web) -> None:
    sign_in(web, ADA, audience=Audience.STAFF)
    assert web.ask("GET", "/mine").status == 401


def test_a_page_of_who_is_signed_in_takes_one_round_trip(web: Web) -> None:
    sign_in(web, ADA)
    before = switchboard.calls
    assert web.ask("GET", "/mine", html=False).status == 200
    assert switchboard.calls - before == 1


def test_the_location_is_the_cookies_then_the_customers_then_the_first(web: Web) -> None:
    def location() -> str:
        said = json.loads(web.ask("GET", "/anyone").body)["said"]
        return str(said["location"])

    assert location() == "ny"
    sign_in(web, CLEO)
    assert location() == "be"
    web.cookies["__Host-location"] = "ny"
    assert location() == "ny"
    web.cookies["__Host-location"] = "atlantis"
    assert location() == "be"


# --- files -----------------------------------------------------------------------------------


def test_a_file_is_kept_for_a_year_under_a_name_that_changes_with_it(web: Web) -> None:
    response = web.ask("GET", assets.url("icon.svg"))
    assert (response.status, response.header("content-type")) == (200, "image/svg+xml")
    assert response.header("cache-control") == "public, max-age=31536000, immutable"
    etag = response.header("etag") or ""
    again = web.ask("GET", assets.url("icon.svg"), headers={"if-none-match": etag})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "name", ["icon.svg", "..%2Fbase.html", "style.000000000000.css", ".hidden"]
)
def test_no_other_file_is_served(web: Web, name: str) -> None:
    assert web.ask("GET", f"/assets/{name}").status == 404
