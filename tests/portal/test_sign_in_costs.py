"""What signing in costs, and that one link signs in once whoever presses at the same moment."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from functions.portal.sign_in import handler
from infra.local.dynamodb_local import DynamoDBLocal
from infra.local.http_api import Match, Response, event_of, response_of
from infra.local.http_api import Request as HttpRequest
from infra.local.template import Function, Route
from infra.local.world import LocalWorld
from shared.domain.product import Catalogue
from shared.store import access, accounts, snapshot
from shared.store import catalogue as catalogues
from shared.store.reading import read
from shared.store.sessions import Audience
from tests.portal.people import FORM, CountingEngine, Person, template
from tests.portal.test_sign_in import ADA, CATALOGUE

START = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
FUTURE = datetime(2090, 3, 10, 15, 0, tzinfo=UTC)
"""Amazon's engine deletes by this machine's clock what is past its TTL."""

AT_ONCE = 8
FUNCTION = Function("SignIn", "functions.portal.sign_in.handler", 25, 1024, {})


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    snapshot.forget()
    with LocalWorld(engine=CountingEngine(), start=START, template=template()) as opened:
        catalogues.publish(CATALOGUE)
        snapshot.load(Catalogue, START)
        yield opened
    snapshot.forget()


def alone(
    world: LocalWorld, method: str, target: str, body: str = "", cookie: str = ""
) -> Response:
    """The function's own answer, without what it set going elsewhere."""
    headers = [("accept", "text/html"), ("content-type", FORM), ("cookie", cookie)]
    request = HttpRequest(method, target, headers, body.encode())
    match = Match(Route("ANY", "/sign-in", FUNCTION))
    return response_of(handler(event_of(request, match, world.now(), "1"), None))


def calls(world: LocalWorld, method: str, target: str, body: str = "", cookie: str = "") -> int:
    engine = world.engine
    assert isinstance(engine, CountingEngine)
    engine.counts.clear()
    assert alone(world, method, target, body, cookie).status in (200, 303)
    return sum(engine.counts.values())


def test_asking_for_a_link_is_one_round_trip(world: LocalWorld) -> None:
    assert calls(world, "POST", "/sign-in", "email=ada%40example.com") == 1


def test_asking_needs_no_catalogue_however_old_the_kept_one_is(world: LocalWorld) -> None:
    world.advance_to(START + timedelta(hours=1))
    assert calls(world, "POST", "/sign-in", "email=ada%40example.com") == 1


def test_every_page_of_signing_in_is_at_most_one_round_trip(world: LocalWorld) -> None:
    ada = Person(world)
    email = ada.ask_for_link(ADA)
    cookie = f"__Host-sign-in={ada.cookies['__Host-sign-in']}"
    assert calls(world, "GET", "/sign-in") <= 1
    assert calls(world, "GET", "/sign-in/code", cookie=cookie) <= 1
    assert calls(world, "GET", email.path) == 1


def test_using_a_link_is_three_round_trips(world: LocalWorld) -> None:
    first = Person(world).ask_for_link(ADA)
    assert calls(world, "POST", first.path) <= 3
    second = Person(world).ask_for_link(ADA)
    assert calls(world, "POST", second.path) <= 3


def test_a_link_pressed_many_times_at_once_signs_in_once(dynamodb_local: DynamoDBLocal) -> None:
    snapshot.forget()
    with LocalWorld(engine=dynamodb_local.share(), start=FUTURE, template=template()) as world:
        catalogues.publish(CATALOGUE)
        email = Person(world).ask_for_link(ADA)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            pressed = [pool.submit(alone, world, "POST", email.path) for _ in range(AT_ONCE)]
            answers = [one.result().header("location") or "" for one in pressed]
        assert sorted(set(answers)) == ["/account?done=signed_in", "/sign-in?reason=link_used"]
        assert answers.count("/account?done=signed_in") == 1
    snapshot.forget()


def test_codes_tried_at_once_are_all_counted(dynamodb_local: DynamoDBLocal) -> None:
    snapshot.forget()
    with LocalWorld(engine=dynamodb_local.share(), start=FUTURE, template=template()) as world:
        catalogues.publish(CATALOGUE)
        ada = Person(world)
        email = ada.ask_for_link(ADA)
        cookie = f"__Host-sign-in={ada.cookies['__Host-sign-in']}"
        wrong = f"code={(int(email.code) + 1) % 1_000_000:06d}"
        with ThreadPoolExecutor(AT_ONCE) as pool:
            tried = [
                pool.submit(alone, world, "POST", "/sign-in/code", wrong, cookie)
                for _ in range(AT_ONCE)
            ]
            statuses = [one.result().status for one in tried]
        # Four are told what is left; the fifth and all after it find the code dead.
        assert statuses.count(422) <= 4
        ref = access.link(Audience.CUSTOMER, access.address_key(ADA))
        row = read(ref).get(ref)
        assert row is not None
        assert row.value.tries_left == 0
        assert read(accounts.address(ADA)).get(accounts.address(ADA)) is None
    snapshot.forget()
