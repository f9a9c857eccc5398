"""Customers sign in by an emailed link or code ([LINK] [SCAN] [ENUM] [STALE] [SESSION] [WHO])."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.local.world import LocalWorld
from shared.domain.business import Location
from shared.domain.customer import Customer
from shared.domain.product import Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.settings import Settings
from shared.store import access, accounts, snapshot
from shared.store import catalogue as catalogues
from shared.store.people import Address
from shared.store.reading import read
from shared.store.sessions import Audience
from shared.store.writing import commit, create
from tests.portal.people import CountingEngine, Person, emails_to, template

START = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
ADA = "ada@example.com"
CATALOGUE = Catalogue(
    settings=Settings(merchant_name="Tails & Tadasana", support_email="help@example.com"),
    locations=(
        Location(id="ny", name="Brooklyn", zone="America/New_York", currency="USD"),
        Location(id="la", name="Venice", zone="America/Los_Angeles", currency="USD"),
    ),
    products=(
        Product(id="mat", name="Mat", kind=ProductKind.RETAIL, prices={"USD": 3000}),
        Product(id="toy", name="Toy", kind=ProductKind.RETAIL, prices={"USD": 900}),
    ),
)


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    snapshot.forget()
    with LocalWorld(engine=CountingEngine(), start=START, template=template()) as opened:
        catalogues.publish(CATALOGUE)
        yield opened
    snapshot.forget()


@pytest.fixture
def ada(world: LocalWorld) -> Person:
    return Person(world)


def later(world: LocalWorld, **span: float) -> None:
    world.advance_to(START + timedelta(**span))


def stored_text(world: LocalWorld) -> str:
    """Everything in the two tables that sign-in writes to."""
    client = world.client("dynamodb")
    tables = (world.template.table(name).name for name in ("ACCESS_TABLE", "ACCOUNTS_TABLE"))
    return json.dumps([client.scan(TableName=table)["Items"] for table in tables])


# --- the link --------------------------------------------------------------------------------


def test_the_link_from_the_email_signs_in(world: LocalWorld, ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    answer = ada.post(email.path)
    assert (answer.status, answer.header("location")) == (303, "/account?done=signed_in")
    assert ada.is_signed_in
    assert world.errors == []


def test_the_link_works_in_a_browser_that_never_asked(world: LocalWorld, ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    phone = Person(world)
    phone.post(email.path)
    assert (phone.is_signed_in, ada.is_signed_in) == (True, False)


def test_the_session_cookie_is_for_this_host_and_no_script(ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    cookies = ada.post(email.path).cookies
    session = next(one for one in cookies if one.startswith("__Host-session="))
    _, *attributes = session.split("; ")
    assert set(attributes) == {"Path=/", "Max-Age=1800", "HttpOnly", "Secure", "SameSite=Lax"}


def test_the_link_works_once(world: LocalWorld, ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    ada.post(email.path)
    second = Person(world)
    answer = second.post(email.path)
    assert (answer.status, answer.header("location")) == (303, "/sign-in?reason=link_used")
    assert not second.is_signed_in


def test_the_link_dies_when_the_code_was_used(world: LocalWorld, ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    assert ada.post("/sign-in/code", code=email.code).status == 303
    assert ada.is_signed_in
    second = Person(world)
    second.post(email.path)
    assert not second.is_signed_in


def test_the_code_dies_when_the_link_was_used(world: LocalWorld, ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    Person(world).post(email.path)
    answer = ada.post("/sign-in/code", code=email.code)
    assert answer.header("location") == "/sign-in?reason=code_dead"
    assert not ada.is_signed_in


def test_the_link_lives_one_hour_less_a_second(world: LocalWorld, ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    later(world, minutes=59, seconds=59)
    ada.post(email.path)
    assert ada.is_signed_in


def test_after_one_hour_the_link_is_dead(world: LocalWorld, ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    later(world, minutes=60)
    assert ada.get(email.path).header("location") == "/sign-in?reason=link_expired"
    assert ada.post(email.path).header("location") == "/sign-in?reason=link_expired"
    assert not ada.is_signed_in


def test_the_lifetimes_are_settings(world: LocalWorld, ada: Person) -> None:
    settings = CATALOGUE.settings.model_copy(update={"link_minutes": 15, "code_minutes": 2})
    catalogues.publish(CATALOGUE.model_copy(update={"settings": settings}))
    email = ada.ask_for_link(ADA)
    later(world, minutes=2)
    ada.post("/sign-in/code", code=email.code)
    assert not ada.is_signed_in
    later(world, minutes=15)
    ada.post(email.path)
    assert not ada.is_signed_in


def test_a_new_link_kills_the_old_link_and_code(world: LocalWorld, ada: Person) -> None:
    old = ada.ask_for_link(ADA)
    later(world, seconds=1)
    new = ada.ask_for_link(ADA)
    assert ada.post(old.path).header("location") == "/sign-in?reason=link_unknown"
    if old.code != new.code:
        assert ada.post("/sign-in/code", code=old.code).status == 422
    assert not ada.is_signed_in
    ada.post(new.path)
    assert ada.is_signed_in


def test_an_upper_case_address_is_the_same_address(ada: Person) -> None:
    old = ada.ask_for_link(ADA)
    ada.ask_for_link("ADA@Example.com")
    ada.post(old.path)
    assert not ada.is_signed_in


@pytest.mark.parametrize("bend", ["shorter", "longer", "other_key", "other_secret", "odd"])
def test_a_link_that_was_never_made_opens_nothing(ada: Person, bend: str) -> None:
    path = ada.ask_for_link(ADA).path
    start, token = path[: len("/sign-in/")], path[len("/sign-in/") :]
    bent = {
        "shorter": token[:-1],
        "longer": token + "A",
        "other_key": ("B" if token[0] == "A" else "A") + token[1:],
        "other_secret": token[:43] + ("B" if token[43] == "A" else "A") + token[44:],
        "odd": "~" * 86,
    }[bend]
    assert ada.get(start + bent).header("location") == "/sign-in?reason=link_unknown"
    assert ada.post(start + bent).header("location") == "/sign-in?reason=link_unknown"
    assert not ada.is_signed_in


# --- mail scanners ---------------------------------------------------------------------------


def test_looking_at_a_link_any_number_of_times_uses_nothing_up(
    world: LocalWorld, ada: Person
) -> None:
    email = ada.ask_for_link(ADA)
    before = stored_text(world)
    scanner = Person(world)
    for method in ("HEAD", "GET", "HEAD", "GET"):
        answer = scanner.ask(method, email.path)
        assert (answer.status, answer.cookies) == (200, [])
    assert stored_text(world) == before
    ada.post(email.path)
    assert ada.is_signed_in


def test_the_links_page_has_one_button_and_no_script(ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    page = ada.get(email.path).text
    main = page[page.index("<main") : page.index("</main>")]
    assert main.count("<form") == main.count("<button") == 1
    assert 'method="post"' in main
    assert "<script" not in page
    assert ADA in main


def test_the_links_address_goes_nowhere_with_a_referrer(ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    assert ada.get(email.path).header("referrer-policy") == "strict-origin"


def test_another_site_can_not_press_the_button(ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    answer = ada.ask("POST", email.path, headers={"sec-fetch-site": "cross-site"})
    assert answer.status == 403
    ada.post(email.path)
    assert ada.is_signed_in


# --- the code --------------------------------------------------------------------------------


def test_the_code_signs_in_where_it_was_asked_for(ada: Person) -> None:
    email = ada.ask_for_link(ADA, next="/cart")
    page = ada.get("/sign-in/code")
    assert (page.status, ADA in page.text) == (200, True)
    answer = ada.post("/sign-in/code", code=f"{email.code[:3]} {email.code[3:]}")
    assert answer.header("location") == "/cart?done=signed_in"
    assert ada.is_signed_in


def test_the_code_works_in_no_other_browser(world: LocalWorld, ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    thief = Person(world)
    assert thief.post("/sign-in/code", code=email.code).header("location") is not None
    assert not thief.is_signed_in
    # Nor in one that asked for the same address before.
    old = Person(world)
    old.ask_for_link(ADA)
    newest = ada.ask_for_link(ADA)
    assert old.post("/sign-in/code", code=newest.code).header("location") is not None
    assert not old.is_signed_in
    ada.post("/sign-in/code", code=newest.code)
    assert ada.is_signed_in


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_the_fifth_try_may_still_be_right(ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    for left in (4, 3, 2, 1):
        answer = ada.post("/sign-in/code", code=wrong(email.code))
        assert answer.status == 422
        assert f"{left} {'try' if left == 1 else 'tries'} left" in answer.text
    ada.post("/sign-in/code", code=email.code)
    assert ada.is_signed_in


def test_after_five_wrong_tries_the_right_code_is_dead(ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    for _ in range(5):
        ada.post("/sign-in/code", code=wrong(email.code))
    answer = ada.post("/sign-in/code", code=email.code)
    assert answer.header("location") == "/sign-in?reason=code_dead"
    assert not ada.is_signed_in
    # The link is another matter: it can't be guessed.
    ada.post(email.path)
    assert ada.is_signed_in


def test_the_code_lives_ten_minutes(world: LocalWorld, ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    later(world, minutes=10)
    answer = ada.post("/sign-in/code", code=email.code)
    assert answer.header("location") == "/sign-in?reason=code_dead"
    assert not ada.is_signed_in


def test_the_code_works_at_nine_minutes_59(world: LocalWorld, ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    later(world, minutes=9, seconds=59)
    ada.post("/sign-in/code", code=email.code)
    assert ada.is_signed_in


@pytest.mark.parametrize("typed", ["12345", "1234567", "abcdef", "١٢٣٤٥٦"])
def test_what_is_no_code_is_said_so_and_costs_no_try(ada: Person, typed: str) -> None:
    email = ada.ask_for_link(ADA)
    for _ in range(6):
        assert "six digits" in ada.post("/sign-in/code", code=typed).text
    ada.post("/sign-in/code", code=email.code)
    assert ada.is_signed_in


def test_a_forged_cookie_of_the_asking_browser_is_nobodys(ada: Person) -> None:
    for cookie in ("", "e30", "W10", "%00", "bnVsbA", "x" * 4000):
        ada.cookies = {"__Host-sign-in": cookie}
        assert ada.get("/sign-in/code").header("location") == "/sign-in"
        assert ada.post("/sign-in/code", code="123456").status == 303
    assert not ada.is_signed_in


# --- known and unknown are the same ----------------------------------------------------------


def test_known_and_unknown_addresses_get_the_same_answer_email_and_work(world: LocalWorld) -> None:
    known = Customer(id="ada", email=ADA, name="Ada", created_at=START)
    commit(
        [
            create(accounts.head(known.id), known),
            create(accounts.address(ADA), Address(customer_id=known.id, email=ADA)),
        ]
    )
    engine = world.engine
    assert isinstance(engine, CountingEngine)
    Person(world).post("/sign-in", email="somebody@example.com")
    seen = []
    for address in (ADA, "new@example.com"):
        engine.counts.clear()
        answer = Person(world, html=False).post("/sign-in", email=address)
        headers = [pair for pair in answer.headers if pair[0].lower() != "set-cookie"]
        email = emails_to(world, address)[0]
        text = email.text.replace(email.path, "").replace(email.code, "")
        body = answer.text.replace(address, "")
        seen.append((answer.status, headers, body, text, dict(engine.counts)))
    assert seen[0] == seen[1]
    assert seen[0][0] == 202


def test_past_six_a_minute_an_address_waits_for_the_next_minute(
    world: LocalWorld, ada: Person
) -> None:
    later(world, seconds=10)
    for _ in range(6):
        assert ada.post("/sign-in", email=ADA).status == 303
    program = Person(world, html=False)
    answer = program.post("/sign-in", email=ADA)
    assert (answer.status, answer.header("retry-after")) == (429, "50")
    assert answer.json()["code"] == "too_many_requests"
    assert ada.post("/sign-in", email=ADA).status == 429
    assert len(emails_to(world, ADA)) == 6
    # Another address is not held up, and a minute later this one is not either.
    assert ada.post("/sign-in", email="ben@example.com").status == 303
    later(world, minutes=1)
    assert ada.post("/sign-in", email=ADA).status == 303


def test_a_refused_asking_leaves_the_last_link_alive(ada: Person) -> None:
    for _ in range(6):
        email = ada.ask_for_link(ADA)
    assert ada.post("/sign-in", email=ADA).status == 429
    ada.post(email.path)
    assert ada.is_signed_in


def test_past_twelve_an_hour_an_address_waits_for_the_next_hour(
    world: LocalWorld, ada: Person
) -> None:
    for minute in range(12):
        later(world, minutes=minute)
        assert ada.post("/sign-in", email=ADA).status == 303
    later(world, minutes=12)
    answer = ada.post("/sign-in", email=ADA)
    assert (answer.status, answer.header("retry-after")) == (429, str(48 * 60))


@pytest.mark.parametrize(
    ("ips", "other"),
    [
        (["192.0.2.1"], "192.0.2.2"),
        (["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"], "2001:db8:1:3::1"),
        (["192.0.2.1", "::ffff:192.0.2.1"], "::ffff:192.0.2.9"),
    ],
)
def test_past_thirty_an_hour_a_source_waits(world: LocalWorld, ips: list[str], other: str) -> None:
    for number in range(30):
        person = Person(world, source_ip=ips[number % len(ips)])
        assert person.post("/sign-in", email=f"p{number}@example.com").status == 303
    for ip in ips:
        answer = Person(world, source_ip=ip).post("/sign-in", email="one-more@example.com")
        assert (answer.status, answer.header("retry-after")) == (429, "3600")
    assert emails_to(world, "one-more@example.com") == []
    assert Person(world, source_ip=other).post("/sign-in", email="x@example.com").status == 303


# --- dead links lead back --------------------------------------------------------------------


def test_a_dead_link_leads_back_with_a_sentence_the_address_and_the_page(
    world: LocalWorld, ada: Person
) -> None:
    email = ada.ask_for_link(ADA, next="/cart?x=1")
    ada.post(email.path)
    elsewhere = Person(world)
    answer = elsewhere.get(email.path)
    assert answer.header("location") == "/sign-in?reason=link_used&next=/cart%3Fx%3D1"
    page = elsewhere.get(answer.header("location") or "").text
    assert "used already" in page
    assert f'value="{ADA}"' in page
    assert 'value="/cart?x=1"' in page
    # Asking again there opens the page that was asked for first.
    again = elsewhere.ask_for_link(ADA, next="/cart?x=1")
    assert elsewhere.post(again.path).header("location") == "/cart?x=1&done=signed_in"


def test_an_unknown_link_tells_no_address(ada: Person) -> None:
    path = ada.ask_for_link(ADA).path
    stranger = Person(ada.world)
    answer = stranger.get(path[:-4] + "AAAA")
    assert answer.header("location") == "/sign-in?reason=link_unknown"
    page = stranger.get("/sign-in?reason=link_unknown").text
    assert "not valid any more" in page
    assert ADA not in page


@pytest.mark.parametrize("reason", ["link_used", "link_expired", "link_unknown"])
def test_a_program_is_told_what_became_of_a_link(
    world: LocalWorld, ada: Person, reason: str
) -> None:
    email = ada.ask_for_link(ADA)
    if reason == "link_used":
        ada.post(email.path)
    if reason == "link_expired":
        later(world, hours=1)
    path = email.path + ("x" if reason == "link_unknown" else "")
    program = Person(world, html=False)
    for answer in (program.get(path), program.post(path)):
        assert (answer.status, answer.json()["code"]) == (404, reason)


@pytest.mark.parametrize(
    "bad",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/" + "x" * 1000,
    ],
)
def test_next_never_leads_to_another_site(world: LocalWorld, bad: str) -> None:
    person = Person(world)
    answer = person.post("/sign-in", email=ADA, next=bad)
    if answer.status == 303:
        email = emails_to(world, ADA)[0]
        assert person.post(email.path).header("location") == "/account?done=signed_in"
        return
    assert answer.status == 422


def test_who_is_signed_in_is_led_on_but_never_elsewhere(ada: Person) -> None:
    ada.post(ada.ask_for_link(ADA).path)
    assert ada.get("/sign-in?next=/cart").header("location") == "/cart"
    assert ada.get("/sign-in?next=//evil.example").header("location") == "/account"


# --- sessions --------------------------------------------------------------------------------


def test_a_session_ends_after_30_minutes_even_when_used(world: LocalWorld, ada: Person) -> None:
    ada.post(ada.ask_for_link(ADA).path)
    for minute in (10, 20, 29):
        later(world, minutes=minute)
        assert ada.is_signed_in
    later(world, minutes=30)
    assert not ada.is_signed_in
    assert "session has ended" in ada.get("/sign-in?next=/cart").text


def test_signing_out_ends_the_session_at_once_everywhere_the_cookie_went(ada: Person) -> None:
    ada.post(ada.ask_for_link(ADA).path)
    stolen = Person(ada.world, cookies=dict(ada.cookies))
    answer = ada.post("/sign-out")
    assert (answer.status, answer.header("location")) == (303, "/sign-in?done=signed_out")
    assert "__Host-session" not in ada.cookies
    assert not stolen.is_signed_in


def test_signing_out_twice_or_as_nobody_is_fine(ada: Person) -> None:
    program = Person(ada.world, html=False)
    assert program.post("/sign-out").json() == {"signed_out": True}
    assert ada.post("/sign-out").status == 303


def test_signing_out_takes_a_post(ada: Person) -> None:
    ada.post(ada.ask_for_link(ADA).path)
    assert ada.get("/sign-out").status == 405
    assert ada.is_signed_in


def test_another_site_can_not_sign_anybody_out(ada: Person) -> None:
    ada.post(ada.ask_for_link(ADA).path)
    assert ada.ask("POST", "/sign-out", headers={"sec-fetch-site": "cross-site"}).status == 403
    assert ada.is_signed_in


def test_signing_in_gives_a_new_session_and_ends_this_browsers_old_one(ada: Person) -> None:
    ada.post(ada.ask_for_link(ADA).path)
    old = dict(ada.cookies)
    ada.post(ada.ask_for_link(ADA).path)
    assert ada.cookies["__Host-session"] != old["__Host-session"]
    assert not Person(ada.world, cookies=old).is_signed_in
    assert ada.is_signed_in


def test_a_session_in_another_browser_goes_on(ada: Person) -> None:
    ada.post(ada.ask_for_link(ADA).path)
    phone = Person(ada.world)
    phone.post(phone.ask_for_link(ADA).path)
    assert (ada.is_signed_in, phone.is_signed_in) == (True, True)


def test_no_secret_is_stored_but_as_a_hash(world: LocalWorld, ada: Person) -> None:
    email = ada.ask_for_link(ADA)
    asked = ada.cookies["__Host-sign-in"]
    unused = stored_text(world)
    ada.post(email.path)
    stored = unused + stored_text(world)
    token = email.path.removeprefix("/sign-in/")
    session = ada.cookies["__Host-session"].rpartition(".")[2]
    for secret in (token, token[43:], email.code, asked, session):
        assert secret not in stored
    # 128 random bits are 22 letters.
    assert min(len(token[43:]), len(session)) >= 22
    assert email.code not in stored


# --- who it is -------------------------------------------------------------------------------


def customer_of(email: str) -> Customer | None:
    address = read(accounts.address(email)).get(accounts.address(email))
    if address is None:
        return None
    head = accounts.head(address.value.customer_id)
    row = read(head).get(head)
    return row.value if row else None


def test_a_first_time_buyer_becomes_a_customer_by_confirming(
    world: LocalWorld, ada: Person
) -> None:
    email = ada.ask_for_link(ADA)
    ada.get(email.path)
    assert customer_of(ADA) is None
    program = Person(world, html=False)
    told = program.post(email.path).json()
    customer = customer_of(ADA)
    assert customer is not None
    assert told["customer"] == {"id": customer.id, "email": ADA, "name": ""}
    assert (told["is_new"], told["next"]) == (True, "/account")
    found = accounts.customers_by_address("ada@").rows
    assert [row.value.customer_id for row in found] == [customer.id]


def test_who_comes_back_is_the_same_customer(world: LocalWorld) -> None:
    program = Person(world, html=False)
    first = program.post(program.ask_for_link(ADA).path).json()
    later(world, days=3)
    second = program.post(program.ask_for_link("Ada@Example.COM").path).json()
    assert first["customer"]["id"] == second["customer"]["id"]
    assert (first["is_new"], second["is_new"]) == (True, False)


def test_programs_sign_in_with_json_alone(world: LocalWorld) -> None:
    program = Person(world, html=False)
    answer = program.post("/sign-in", email=ADA)
    assert (answer.status, answer.json()) == (202, {"sent_to": ADA})
    told = program.post("/sign-in/code", code=emails_to(world, ADA)[0].code)
    assert told.status == 200
    assert told.json()["ends_at"] == "2026-03-10T15:30:00Z"
    assert program.is_signed_in


def test_the_cart_comes_along(ada: Person) -> None:
    ada.post("/cart/lines", product="mat", quantity=2)
    ada.post(ada.ask_for_link(ADA).path)
    customer = customer_of(ADA)
    assert customer is not None
    assert customer.cart_counts == {"ny": 2}
    assert "__Host-visitor" not in ada.cookies


def test_the_cart_comes_along_when_the_link_is_opened_in_another_browser(
    world: LocalWorld, ada: Person
) -> None:
    ada.post("/cart/lines", product="mat", quantity=2)
    email = ada.ask_for_link(ADA)
    phone = Person(world)
    phone.post(email.path)
    phone.html = False
    assert [line["quantity"] for line in phone.get("/cart").json()["lines"]] == [2]


def test_the_carts_of_both_browsers_join_what_the_customers_held(
    world: LocalWorld, ada: Person
) -> None:
    ada.post(ada.ask_for_link(ADA).path)
    ada.post("/cart/lines", product="toy", quantity=1)
    ada.post("/sign-out")
    ada.post("/cart/lines", product="mat", quantity=2)
    email = ada.ask_for_link(ADA)
    phone = Person(world)
    phone.post("/cart/lines", product="toy", quantity=3)
    phone.post(email.path)
    phone.html = False
    cart = phone.get("/cart").json()
    assert sorted(line["quantity"] for line in cart["lines"]) == [2, 4]
    customer = customer_of(ADA)
    assert customer is not None
    assert customer.cart_counts == {"ny": 6}
    assert "__Host-visitor" not in phone.cookies
    assert world.errors == []


# --- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["", "ada", "ada@", "@example.com", "a b@example.com", "ada@example", "a@b@c@",
     "ada@exa mple.com", "ada@example.com\nbcc:x@example.com", "x" * 65 + "@example.com",
     "a@" + "x" * 260 + ".com", "ada..b@example.com", "ada@-example.com"],
)  # fmt: skip
def test_what_is_no_address_is_refused_by_name(world: LocalWorld, address: str) -> None:
    answer = Person(world, html=False).post("/sign-in", email=address)
    assert (answer.status, list(answer.json()["fields"])) == (422, ["email"])
    page = Person(world).post("/sign-in", email=address)
    assert page.status == 422
    assert "<form" in page.text


def test_an_international_domain_is_written_as_dns_has_it(world: LocalWorld) -> None:
    answer = Person(world, html=False).post("/sign-in", email="ada@bücher.example")
    assert answer.json() == {"sent_to": "ada@xn--bcher-kva.example"}


def test_an_unknown_field_is_refused(world: LocalWorld) -> None:
    answer = Person(world, html=False).post("/sign-in", email=ADA, admin="yes")
    assert (answer.status, list(answer.json()["fields"])) == (422, ["admin"])
    assert emails_to(world, ADA) == []


def test_another_site_can_not_have_emails_sent(world: LocalWorld, ada: Person) -> None:
    body, kind = "email=ada%40example.com", "application/x-www-form-urlencoded"
    answer = ada.ask("POST", "/sign-in", body, kind, {"origin": "https://evil.example"})
    assert answer.status == 403
    assert emails_to(world, ADA) == []


def test_the_address_of_a_button_in_an_email_fills_it_in(ada: Person) -> None:
    assert f'value="{ADA}"' in ada.get("/sign-in?email=ada%40example.com").text


def test_a_bus_that_is_down_delays_the_email_by_a_sweep_at_most(
    world: LocalWorld, ada: Person
) -> None:
    class Down:
        def put_events(self, **_: object) -> None:
            from botocore.exceptions import EndpointConnectionError  # noqa: PLC0415

            raise EndpointConnectionError(endpoint_url="bus")

    world.wiring.__dict__["events"] = Down()
    assert ada.post("/sign-in", email=ADA).status == 303
    del world.wiring.__dict__["events"]
    assert emails_to(world, ADA) == []
    later(world, minutes=1)
    assert len(emails_to(world, ADA)) == 1


def test_links_and_sessions_are_forgotten_by_the_table_itself(
    world: LocalWorld, ada: Person
) -> None:
    ada.post(ada.ask_for_link(ADA).path)
    table = world.template.table("ACCESS_TABLE").name
    items = world.client("dynamodb").scan(TableName=table)["Items"]
    assert {item["pk"]["S"].partition("#")[0] for item in items} == {
        "link",
        "rate",
        "session",
        "token",
    }
    assert all("expires_at" in item for item in items)


def test_a_customers_link_opens_nothing_for_staff(ada: Person) -> None:
    ada.ask_for_link(ADA)
    key = access.address_key(ADA)
    assert read(access.link(Audience.STAFF, key)).get(access.link(Audience.STAFF, key)) is None
