"""The web layer where the world is not as usual: another clock, another address, nothing set up."""

from datetime import timedelta

from infra.local.world import LocalWorld
from shared.store import snapshot
from tests.portal.test_web import ADA, START, kind, open_world, problem, sign_in
from tests.portal.web_app import Web


def test_a_session_ends_30_minutes_after_signing_in() -> None:
    for world in open_world():
        web = Web(world)
        sign_in(web, ADA)
        world.clock.move_to(START + timedelta(minutes=29, seconds=59))
        assert web.ask("GET", "/mine").status == 200
        world.clock.move_to(START + timedelta(minutes=30))
        assert web.ask("GET", "/mine").status == 401


def test_tls_is_asked_for_where_there_is_tls() -> None:
    for world in open_world("https://shop.example"):
        told = Web(world).ask("GET", "/notes").header("strict-transport-security") or ""
        assert int(told.partition("=")[2].partition(";")[0]) >= 31_536_000


def test_before_anything_is_set_up_every_page_says_so() -> None:
    snapshot.forget()
    with LocalWorld(start=START) as world:
        web = Web(world)
        assert problem(web.ask("GET", "/anyone"))["code"] == "not_set_up"
        page = web.ask("GET", "/notes", html=True)
        assert (page.status, kind(page)) == (503, "text/html")
