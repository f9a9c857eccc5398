"""What a bank took back, looked at by whoever it concerns, and paid again ([REVERSE], [A11Y])."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from shared.store import catalogue as catalogues
from tests.billing.reversed_payments import (
    OPENING,
    THIRD,
    only_invoice,
    only_pack,
    ten_with_two_in_use,
)
from tests.browser.served import Served
from tests.browser.tour import Tour
from tests.console.office import customer, staff
from tests.scenario.person import Person
from tests.shop_floor import catalogue_of, moment

pytestmark = pytest.mark.xdist_group("browser")

PAYMENTS = "/_local/sandbox/payments"


@pytest.fixture
def studio() -> Iterator[Served]:
    """Where Ada has bought ten classes, of which two are in use."""
    with Served(moment(OPENING)) as served:
        catalogues.publish(catalogue_of())
        yield served
        assert served.world.errors == []
        assert served.world.dead_letters == []


def person(served: Served, cookies: dict[str, str]) -> Person:
    found = Person(served.world, "somebody@example.com")
    found.cookies.update(cookies)
    return found


def test_from_the_bank_s_button_to_paying_again(studio: Served, browser: Browser) -> None:
    world = studio.world
    ada, _ = ten_with_two_in_use(world)
    invoice = only_invoice(ada)
    with Tour(browser, studio.address) as tour:
        tour.see_all({"sandbox-payments": PAYMENTS})
        tour.visitor.press("button", "Take it back")
        world.run_due()
        tour.see_all({"sandbox-payments-taken-back": PAYMENTS})
    with Tour(browser, studio.address, person(studio, staff(world).cookies)) as tour:
        tour.see_all(
            {"console-taken-back": "/console", "console-frozen": f"/console/customers/{ada}"}
        )
        assert "First class" in tour.visitor.words
    buyer = person(studio, customer(world, ada).cookies)
    with Tour(browser, studio.address, buyer) as tour:
        tour.see_all(
            {
                "frozen-packs": "/packs?status=frozen",
                "frozen-pack": f"/packs/{only_pack(ada).id}",
                "class-on-hold": f"/schedule/{THIRD.id}",
                "payments-taken-back": "/payments",
                "invoices-taken-back": "/invoices?state=open",
                "invoice-taken-back": f"/invoices/{invoice.id}",
            }
        )
        tour.visitor.press("button", "Pay $270.63")
        world.run_due()
        tour.look("invoice-paid-again")
    assert only_pack(ada).frozen_at is None
