"""Pages hint the browser to fetch the one that is likely asked for next, so that its function is
awake by then; nothing is changed by that, and nobody is sent in a circle."""

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.web.render import SHARED_PAGES, Frame, render
from tests.portal import page_samples as samples
from tests.portal.browser import Browser
from tests.portal.shop_samples import ada, add
from tests.portal.test_pages import Document

PORTAL = SHARED_PAGES.parents[2] / "functions" / "portal" / "pages"
MAX_REDIRECTS = 1

HINTS = {
    "account": "/schedule",
    "activity": "/reservations",
    "cart": "/checkout",
    "product": "/cart",
    "schedule": "/schedule/",
    "shop": "/cart",
}
"""What each page hints at when it is shown in full, or how that begins."""


def hints(page: str, frame: Frame, **changed: str) -> list[str | None]:
    """What the browser is asked to fetch beforehand by a page that is shown in full."""
    model = samples.FULL[page].model_copy(update=changed)
    html = render(PORTAL, page, model, frame=frame, typed={}, problems={})
    return [link["href"] for link in Document(html).all("link") if link["rel"] == "prefetch"]


def hinted(response: Response) -> list[str | None]:
    """The same of a page that was asked for."""
    links = Document(response.body.decode()).all("link")
    return [link["href"] for link in links if link["rel"] == "prefetch"]


def stored(world: LocalWorld) -> list[object]:
    """Every item of every table."""
    names = [name for key, name in world.template.environment.items() if key.endswith("_TABLE")]
    return [world.client("dynamodb").scan(TableName=name)["Items"] for name in sorted(names)]


@pytest.mark.parametrize("page", sorted(samples.FULL))
def test_a_page_hints_at_one_other_at_most(page: str) -> None:
    found = hints(page, samples.FRAME)
    assert len(found) <= 1
    if page in HINTS:
        assert str(found[0]).startswith(HINTS[page])


@pytest.mark.parametrize("page", ["sign_in_sent", "sign_in_confirm"])
def test_who_signs_in_is_hinted_to_where_they_go_on_unless_that_may_have_an_effect(
    page: str,
) -> None:
    assert hints(page, samples.NOBODY, next="") == ["/account"]
    assert hints(page, samples.NOBODY, next="/checkout") == ["/checkout"]
    assert hints(page, samples.NOBODY, next="/card-update/some-token/return") == []


@pytest.mark.parametrize("page", sorted(samples.FULL))
def test_whoever_saves_data_is_asked_to_fetch_nothing(page: str) -> None:
    assert hints(page, samples.FRAME._replace(saves_data=True)) == []


def test_save_data_is_read_from_the_request(world: LocalWorld) -> None:
    wants = ("accept", "text/html")
    assert hinted(world.request("GET", "/shop", [wants])) == ["/cart"]
    assert hinted(world.request("GET", "/shop", [wants, ("save-data", "on")])) == []


def test_a_stranger_with_a_cart_is_hinted_to_sign_in_and_a_customer_to_the_checkout(
    person: Browser,
) -> None:
    add(person, "mat")
    assert hinted(person.get("/cart")) == ["/sign-in"]
    person.sign_in_as(ada())
    add(person, "mat")
    assert hinted(person.get("/cart")) == ["/checkout"]


@pytest.mark.parametrize("path", ["/account", "/cart", "/cards", "/checkout", "/schedule", "/shop"])
@pytest.mark.parametrize("signed_in", [True, False], ids=["signed in", "signed out"])
def test_what_is_hinted_at_changes_nothing_and_leads_to_a_page(
    world: LocalWorld, person: Browser, path: str, *, signed_in: bool
) -> None:
    if signed_in:
        person.sign_in_as(ada())
    before = stored(world)
    answer = person.get(path)
    for _ in range(MAX_REDIRECTS):
        if answer.status == 303:
            answer = person.get(dict(answer.headers)["Location"])
    assert answer.status == 200
    assert stored(world) == before
