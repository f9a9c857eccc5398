"""Staff sign in by link too, below `/console`, and apart from customers ([LINK] [ACCESS])."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from infra.local.world import LocalWorld
from shared.store import catalogue as catalogues
from shared.store import snapshot
from shared.store.staff import Role, StaffMember, write_staff_member
from shared.web.answer import Answer, View
from shared.web.app import App
from shared.web.request import Who
from shared.wiring import current
from tests.portal.people import Person, emails_to, template
from tests.portal.test_sign_in import CATALOGUE

START = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
OLGA = "olga@example.com"


def is_in(person: Person) -> bool:
    """Whether the console takes this browser for a staff member."""
    program = Person(person.world, html=False, cookies=dict(person.cookies))
    return program.get("/console").status == 200


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    snapshot.forget()
    with LocalWorld(start=START, template=template()) as opened:
        catalogues.publish(CATALOGUE)
        write_staff_member(StaffMember(email=OLGA, name="Olga", role=Role.OWNER))
        yield opened
    snapshot.forget()


@pytest.fixture
def olga(world: LocalWorld) -> Person:
    return Person(world)


def test_a_staff_member_signs_in_by_link(world: LocalWorld, olga: Person) -> None:
    assert olga.post("/console/sign-in", email=OLGA).status == 303
    email = emails_to(world, OLGA)[0]
    assert email.path.startswith("/console/sign-in/")
    page = olga.get(email.path)
    assert (page.status, OLGA in page.text) == (200, True)
    answer = olga.post(email.path)
    assert answer.header("location") == "/console?done=signed_in"
    assert is_in(olga)


def test_a_staff_member_signs_in_by_code(world: LocalWorld, olga: Person) -> None:
    olga.post("/console/sign-in", email=OLGA)
    assert olga.get("/console/sign-in/code").status == 200
    olga.post("/console/sign-in/code", code=emails_to(world, OLGA)[0].code)
    assert is_in(olga)


def test_who_does_not_work_here_gets_the_same_email_and_no_session(
    world: LocalWorld, olga: Person
) -> None:
    assert olga.post("/console/sign-in", email="eve@example.com").status == 303
    email = emails_to(world, "eve@example.com")[0]
    answer = Person(world, html=False).post(email.path)
    assert (answer.status, answer.json()["code"]) == (403, "not_staff")
    assert not is_in(olga)


def test_who_is_let_go_is_out_at_once(world: LocalWorld, olga: Person) -> None:
    olga.post("/console/sign-in", email=OLGA)
    olga.post(emails_to(world, OLGA)[0].path)
    assert is_in(olga)
    world.client("dynamodb").delete_item(
        TableName=world.template.table("CATALOGUE_TABLE").name,
        Key={"pk": {"S": "staff"}, "sk": {"S": OLGA}},
    )
    assert not is_in(olga)


def test_a_staff_link_is_no_customers_and_the_other_way_round(
    world: LocalWorld, olga: Person
) -> None:
    olga.post("/console/sign-in", email=OLGA)
    staff_link = emails_to(world, OLGA)[0].path
    customer = Person(world)
    customer.post(staff_link.removeprefix("/console"))
    assert not customer.is_signed_in
    customer_link = customer.ask_for_link(OLGA).path
    olga.post(f"/console{customer_link}")
    assert not is_in(olga)
    # Asking for one does not kill the other.
    olga.post(staff_link)
    assert is_in(olga)


def test_a_customers_session_is_none_in_the_console(world: LocalWorld, olga: Person) -> None:
    customer = Person(world)
    customer.post(customer.ask_for_link(OLGA).path)
    session = customer.cookies["__Host-session"]
    secret = session.rpartition(".")[2]
    for value in (session, f"b2xnYUBleGFtcGxlLmNvbQ.{secret}"):
        olga.cookies = {"__Host-staff": value, "__Host-session": session}
        assert not is_in(olga)


def test_nobody_is_led_to_the_consoles_own_sign_in(olga: Person) -> None:
    answer = olga.get("/console?tab=open")
    assert answer.header("location") == "/console/sign-in?next=/console%3Ftab%3Dopen"
    assert Person(olga.world, html=False).get("/console").status == 401


def test_a_staff_session_ends_and_can_be_ended(world: LocalWorld, olga: Person) -> None:
    olga.post("/console/sign-in", email=OLGA)
    olga.post(emails_to(world, OLGA)[0].path)
    cookies = dict(olga.cookies)
    world.advance_to(START + timedelta(minutes=29))
    assert is_in(olga)
    assert olga.post("/console/sign-out").header("location") == ("/console/sign-in?done=signed_out")
    assert not is_in(Person(world, cookies=cookies))


def test_an_app_for_customers_takes_no_route_for_staff() -> None:
    portal = App(pages="functions.portal.pages", wiring=current)
    with pytest.raises(TypeError, match="staff"):
        portal.get("/secret", who=Who.STAFF, summary="No.")(lambda _: Answer(View()))
