"""Every page as it is for people in every state: the accessibility rules, two colour schemes, three
widths, large enough targets, and nothing that the browser complains about ([A11Y])."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser

from infra.local import demo
from shared.domain.activity import Activity
from shared.domain.message import Notice, NoticeKind, Parked
from shared.operations.sweep import FAILED
from shared.store import bookings, transactions
from tests.browser.served import Served
from tests.browser.tour import Tour
from tests.browser.visitor import Visitor
from tests.scenario.person import Person

pytestmark = pytest.mark.xdist_group("browser")

NOW = datetime(2026, 5, 20, 16, 0, tzinfo=UTC)

PAGES: dict[str, dict[str, str]] = {
    "nobody": {
        "packages": "/shop",
        "subscriptions-shop": "/shop?tab=subscriptions",
        "retail": "/shop?tab=retail",
        "found-nothing": "/shop?q=zebra",
        "pack-product": "/shop/daycare-10",
        "free-choice-product": "/shop/community-class",
        "frequencies-product": "/shop/daycare-two-days",
        "trial-product": "/shop/yoga-unlimited",
        "committed-product": "/shop/puppy-year",
        "weekly-product": "/shop/yoga-standing",
        "recurring-product": "/shop/daycare-thirty",
        "retail-product": "/shop/cork-mat",
        "empty-cart": "/cart",
        "contact": "/contact",
        "sign-in": "/sign-in?next=/cart",
        "link-used": "/sign-in?reason=link_used",
        "console-sign-in": "/console/sign-in",
        "schedule-nobody": "/schedule",
        "class-nobody": "/schedule/{activity}",
        "machine": "/_local/",
        "machine-mail": "/_local/mail?to=ben@example.com",
        "machine-no-mail": "/_local/mail?to=nobody@example.com",
        "machine-clock": "/_local/clock",
    },
    "ada": {
        "account": "/account",
        "packs": "/packs",
        "packs-expired": "/packs?status=expired",
        "pack": "/packs/{pack}",
        "statement": "/packs/statement",
        "statement-of-one-pack": "/packs/statement?pack={pack}&order=newest",
        "statement-of-no-day": "/packs/statement?until=2020-01-01",
        "subscriptions": "/subscriptions",
        "subscription": "/subscriptions/{subscription}",
        "cancel": "/subscriptions/{subscription}/cancel",
        "invoices": "/invoices",
        "invoices-none": "/invoices?state=void",
        "invoice": "/invoices/{invoice}",
        "payments": "/payments",
        "payments-by-price": "/payments?sort=price&descending=false",
        "cards": "/cards",
        "card-field": "/cards/enter?provider=cardpointe",
        "bought-product": "/shop/morning-flow",
        "schedule": "/schedule",
        "schedule-day": "/schedule?view=day&from=2026-05-21&service=yoga",
        "schedule-past": "/schedule?from=2026-05-14",
        "class": "/schedule/{activity}",
        "reservations": "/reservations",
        "reservation": "/reservations/{reservation}",
        "move": "/reservations/{reservation}/move",
    },
    "dora": {
        "new-account": "/account",
        "new-packs": "/packs",
        "new-subscriptions": "/subscriptions",
        "new-invoices": "/invoices",
        "new-payments": "/payments",
        "new-cards": "/cards",
        "new-reservations": "/reservations",
        "class-without-credits": "/schedule/{activity}",
    },
    "ben": {
        "past-due-account": "/account",
        "past-due-subscription": "/subscriptions/{subscription}",
        "past-due-invoice": "/invoices/{invoice}",
        "past-due-cancel": "/subscriptions/{subscription}/cancel",
        "past-due-shop": "/shop?tab=retail",
    },
    "uma": {"to-confirm-subscription": "/subscriptions/{subscription}"},
    "lea": {
        "committed-subscription": "/subscriptions/{subscription}",
        "committed-cancel": "/subscriptions/{subscription}/cancel",
    },
    "rosa": {
        "weekly-subscription": "/subscriptions/{subscription}",
        "weekly-schedule": "/schedule",
        "weekly-class": "/schedule/{activity}",
        "weekly-reservation": "/reservations/{reservation}",
    },
    "kim": {"ending-subscription": "/subscriptions/{subscription}"},
    "wes": {
        "next-pack-cart": "/cart",
        "next-pack-checkout": "/checkout",
        "next-pack-subscription": "/subscriptions/{subscription}",
        "next-pack-cancel": "/subscriptions/{subscription}/cancel",
    },
    "amir": {"recurring-subscription": "/subscriptions/{subscription}"},
    "cleo": {
        "cancelled-subscription": "/subscriptions/{subscription}",
        "cancelled-packs": "/packs",
    },
    "finn": {"later-subscription": "/subscriptions/{subscription}"},
    "ida": {"cart": "/cart", "checkout-without-card": "/checkout"},
    "nia": {"two-cards": "/cards", "own-card-subscription": "/subscriptions/{subscription}"},
    "owner": {
        "console": "/console",
        "console-customers": "/console/customers",
        "console-nobody-found": "/console/customers?email=zebra",
        "console-customer-past-due": "/console/customers/demo-ben",
        "console-customer": "/console/customers/demo-ada",
        "console-statement": "/console/customers/demo-ada/statement",
        "console-start": "/console/customers/demo-ada/subscriptions",
        "console-customer-new": "/console/customers/demo-dora",
        "console-customer-unpaid": "/console/customers/demo-kim",
        "console-schedule": "/console/schedule",
        "console-activity": "/console/activities/{activity}",
        "console-outstanding": "/console/outstanding",
        "console-providers": "/console/providers",
        "console-retry-policy": "/console/retry-policy",
        "console-retry-policy-tried": "/console/retry-policy?frequency=monthly&pattern=d,d,f",
    },
}
"""By who looks at them. Parameters are filled in with what is theirs."""

CLASSES = tuple(
    Activity(
        id=f"riverside.202605{day}T2230.{name.split()[0].lower()}",
        location_id="riverside",
        zone="America/New_York",
        service_id=service_id,
        name=name,
        starts_at=datetime(2026, 5, day, 22, 30, tzinfo=UTC),
        ends_at=datetime(2026, 5, day, 23, 45, tzinfo=UTC),
        staff_member="mira" if service_id == "yoga" else None,
        places=places,
        cutoff_minutes=720,
    )
    for day, service_id, name, places in (
        (21, "yoga", "Slow flow by candlelight", 8),
        (22, "daycare", "Puppy social for small and shy ones", 12),
        (21, "yoga", "Full as can be", 0),
        (23, "yoga", "Weekend flow", 8),
        (16, "yoga", "Last week", 8),
    )
)

AFTER_SOMETHING = {
    "/sign-in/code",
    "/sign-in/{token}",
    "/console/sign-in/code",
    "/console/sign-in/{token}",
    "/card-update/{token}",
    "/card-update/{token}/return",
    "/card-update/{token}/enter",
    "/orders/{order}",
}
"""Pages that other tests here come to by doing something."""

NEVER_SEEN = {"/cards/return"}
"""It leads on at once."""


@dataclass
class Town:
    served: Served
    people: dict[str, Person]

    def person(self, name: str) -> Person | None:
        """Signed in, once; None for nobody."""
        if name == "nobody":
            return None
        if name not in self.people:
            person = Person(self.served.world, f"{name}@example.com")
            person.sign_in(at="/console/sign-in" if name == "owner" else "/sign-in")
            self.people[name] = person
        return self.people[name]

    def path(self, person: Person | None, template: str) -> str:
        filled = template.replace("{activity}", CLASSES[0].id)
        if person is None or "{" not in filled:
            return filled
        for name in ("pack", "subscription", "invoice", "reservation"):
            if f"{{{name}}}" in filled:
                filled = filled.replace(
                    f"{{{name}}}", person.data(f"/{name}s")[f"{name}s"][0]["id"]
                )
        return filled


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with Served(demo.begins(NOW)) as served:
        demo.load(served.world, NOW)
        bookings.create_activities(CLASSES)
        town = Town(served, {})
        ada = town.person("ada")
        assert ada is not None
        for one in (CLASSES[0], CLASSES[1]):
            form = {"activity": one.id, "pay_later": "true", "idempotency_key": f"key-{one.id}"}
            assert ada.go("POST", "/reservations", form).status == 200
        _buys_and_pays_later(town, "kim", CLASSES[3])
        yield town
        assert served.world.errors == []


def _buys_and_pays_later(town: Town, who: str, activity: Activity) -> None:
    """Somebody holds a place by a pack that waits to be paid."""
    person = town.person(who)
    assert person is not None
    choices = person.data(f"/schedule/{activity.id}")["choices"]
    choice = next(one for one in choices if one["product_id"])
    form = {
        "activity": activity.id,
        "buy": choice["product_id"],
        "pay": "later",
        "expected_total_minor": choice["total"]["minor"],
        "idempotency_key": f"key-of-buying-{who}",
    }
    answer = person.go("POST", "/reservations", form)
    assert answer.status == 200, answer.body[-600:]


@pytest.mark.parametrize("who", PAGES)
def test_every_page_is_for_everybody(town: Town, browser: Browser, who: str) -> None:
    person = town.person(who)
    with Tour(browser, town.served.address, person) as tour:
        tour.see_all({name: town.path(person, path) for name, path in PAGES[who].items()})


def test_no_page_of_the_document_is_left_out(town: Town) -> None:
    answer = town.served.world.request("GET", "/openapi.json", {"accept": "application/json"})
    paths: dict[str, Any] = json.loads(answer.body)["paths"]
    pages = {
        path
        for path, methods in paths.items()
        if "text/html"
        in methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
    }
    looked_at = {
        path.partition("?")[0].replace("daycare-10", "{product}").replace("demo-ada", "{customer}")
        for paths_of_one in PAGES.values()
        for path in paths_of_one.values()
    }
    assert pages - looked_at - AFTER_SOMETHING - NEVER_SEEN == set()


def test_what_is_not_there_is_a_page_too(town: Town, browser: Browser) -> None:
    for who in ("nobody", "ada", "owner"):
        person = town.person(who)
        path = "/console/customers/nothing" if who == "owner" else "/shop/nothing"
        with Tour(browser, town.served.address, person) as tour, tour.visitor.expecting(404):
            tour.see_all({f"missing-{who}": path}, status=404)


@pytest.mark.parametrize(
    ("at", "email"), [("/sign-in", "zoe@example.com"), ("/console/sign-in", "manager@example.com")]
)
def test_the_way_in(town: Town, browser: Browser, at: str, email: str) -> None:
    name = at.strip("/").replace("/", "-")
    with Tour(browser, town.served.address) as tour:
        visitor = tour.visitor
        visitor.open(at)
        visitor.page.locator("form").evaluate("form => form.noValidate = true")
        with visitor.expecting(422):
            visitor.ask_for_link("not an address")
        tour.look(f"{name}-wrong")
        visitor.ask_for_link(email)
        tour.look(f"{name}-sent")
        asking = visitor.page
        with visitor.expecting(422):
            visitor.fill("Six-digit code", "000000")
            visitor.press("button", "Sign in")
        tour.look(f"{name}-wrong-code")
        visitor.open_mailed_link(email, f"{at}/")
        tour.look(f"{name}-link")
        visitor.press("button", "Sign in")
        visitor.page.close()
        visitor.page = asking


def set_aside(town: Town, *, parked: bool) -> None:
    """A notice that a subscription of Ada's was set aside, and, if `parked`, that it is."""
    world = town.served.world
    ada = town.person("ada")
    assert ada is not None
    keys = (
        "customer#demo-ada",
        "subscription#" + ada.data("/subscriptions")["subscriptions"][0]["id"],
    )
    if parked:
        world.client("dynamodb").update_item(
            TableName=world.wiring.environment.accounts_table,
            Key={"pk": {"S": keys[0]}, "sk": {"S": keys[1]}},
            UpdateExpression="SET due_for = :due_for REMOVE due_at, due_shard",
            ExpressionAttributeValues={":due_for": {"S": "2026-05-20T15:00:00Z#renewals#x"}},
        )
    one = Notice(
        id=world.wiring.new_id(),
        kind=NoticeKind.PARKED,
        customer_id="demo-ada",
        title="A renewal was set aside",
        detail=FAILED,
        created_at=NOW,
        parked=Parked(pk=keys[0], sk=keys[1], worker="renewals"),
    )
    transactions.notify([one])


def test_what_was_set_aside_is_tried_again(town: Town, browser: Browser) -> None:
    with Tour(browser, town.served.address, town.person("owner")) as tour:
        visitor = tour.visitor
        for parked, said in ((True, "It is tried again"), (False, "not set aside any more")):
            set_aside(town, parked=parked)
            visitor.open("/console")
            tour.look(f"console-set-aside-{said.split()[0].lower()}")
            visitor.press("button", "Try again")
            assert said in visitor.words
            tour.look(f"console-tried-again-{said.split()[0].lower()}")
            assert visitor.find("button", "Try again").count() == 0


def test_a_form_that_was_filled_in_wrongly(town: Town, browser: Browser) -> None:
    with Tour(browser, town.served.address) as tour, tour.visitor.expecting(422):
        visitor = tour.visitor
        visitor.open("/shop/shelter-fund")
        visitor.fill("Your price", "1")
        visitor.press("button", "Add to cart")
        assert visitor.page.get_by_role("alert").is_visible()
        tour.look("price-too-low")
        visitor.fill("Your price", "40")
        visitor.press("button", "Add to cart")
        tour.look("added")


def test_the_pages_of_paying(town: Town, browser: Browser) -> None:
    """From a full cart over the provider's pages, a decline and the bank's page to the order."""
    jon = town.person("jon")
    assert jon is not None
    for product in ("daycare-10", "cork-mat", "puppy-year", "yoga-unlimited", "morning-flow"):
        jon.add(product)
    jon.add("yoga-standing", activity=CLASSES[0].id, same_staff="true")
    jon.add("daycare-weekdays", frequency="weekly", starts_on="2026-06-08", until="2026-12-31")
    with Tour(browser, town.served.address, jon) as tour:
        visitor = tour.visitor
        tour.see_all({"full-cart": "/cart", "checkout": "/checkout"})
        visitor.press("button", "Add another card")
        tour.look("hosted-card")
        hosted = visitor.path
        with visitor.expecting(422):
            visitor.save_card("1234")
        tour.look("hosted-card-wrong")
        visitor.save_card("4000 0000 0000 0341")
        with visitor.expecting(402):
            visitor.press("button", "Pay")
        tour.look("declined")
        with visitor.expecting(410):
            tour.see_all({"hosted-card-closed": hosted}, status=410)
        visitor.press("link", "Back to the shop")
        visitor.press("button", "Add another card")
        visitor.save_card("4000 0025 0000 3155")
        visitor.press("button", "Pay")
        bank = visitor.path
        tour.look("hosted-confirm")
        order = visitor.context.new_page()
        visitor.page, confirming = order, visitor.page
        visitor.open("/checkout")
        tour.look("order-to-confirm")
        visitor.page = confirming
        visitor.press("button", "Confirm")
        tour.look("order-paid")
        with visitor.expecting(410):
            tour.see_all({"hosted-confirm-closed": bank}, status=410)


def test_the_link_that_leads_only_to_updating_a_card(town: Town, browser: Browser) -> None:
    with Visitor(browser, town.served.address) as staff:
        owner = town.person("owner")
        assert owner is not None
        staff.be(owner)
        staff.open("/console/customers/demo-tom")
        staff.press("button", "Send card-update link")
    town.served.world.run_due()
    with Tour(browser, town.served.address) as tour:
        visitor = tour.visitor
        visitor.open_mailed_link("tom@example.com", "/card-update/")
        tour.look("card-update")
        visitor.press("button", "Add a new card")
        visitor.save_card("4242 4242 4242 4242")
        assert visitor.find("heading", "All paid").is_visible()
        tour.look("card-updated")
        with visitor.expecting(404):
            tour.see_all({"card-update-unknown": "/card-update/nothing"}, status=404)
