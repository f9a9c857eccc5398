"""Fourteen months of three customers, played over HTTP alone: the link from the mailbox, forms,
the provider's card page, the clock. Dates are those of [ANCHOR] and [2359], worked out by hand.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from infra.local.world import LocalWorld
from shared.domain.business import Location, Service
from shared.domain.calendar import Frequency
from shared.domain.product import Catalogue, Product
from shared.domain.product_kind import ProductKind
from shared.domain.self_cancel import SelfCancel
from shared.domain.settings import Settings
from shared.store import catalogue as catalogues
from shared.store.staff import Role, StaffMember, write_staff_member
from tests.scenario.person import Person, move_clock

START = datetime(2026, 1, 31, 15, 0, tzinfo=UTC)
END = "2027-03-31T12:00:00Z"

CATALOGUE = Catalogue(
    settings=Settings(
        merchant_name="Happy Paws",
        support_email="hello@happypaws.example",
        self_cancel=SelfCancel.CHOICE,
    ),
    locations=(
        Location(
            id="ny",
            name="New York",
            zone="America/New_York",
            currency="USD",
            tax_rate=Decimal("0.0825"),
        ),
        Location(
            id="berlin",
            name="Berlin",
            zone="Europe/Berlin",
            currency="EUR",
            tax_name="MwSt.",
            tax_rate=Decimal("0.19"),
        ),
    ),
    services=(Service(id="yoga", name="Yoga", unit="class"),),
    products=(
        Product(
            id="ten",
            name="Ten classes",
            kind=ProductKind.PACKAGE,
            prices={"USD": 25000, "EUR": 23000},
            service="yoga",
            credits=10,
            validity_days=90,
            taxed=True,
        ),
        Product(
            id="mat",
            name="Yoga mat",
            kind=ProductKind.RETAIL,
            prices={"USD": 3500, "EUR": 3500},
            taxed=True,
        ),
        Product(
            id="monthly",
            name="Monthly yoga",
            kind=ProductKind.SUBSCRIPTION,
            prices={"USD": 4900, "EUR": 4500},
            service="yoga",
            credits=8,
            frequency=Frequency.MONTHLY,
            taxed=True,
        ),
    ),
)

# Anchor 31 January: a day that the month lacks becomes its last day, and comes back. 23:59 of the
# day before; New York is UTC-5, from 8 March 2026 UTC-4, from 1 November UTC-5 again.
NEW_YORK_CHARGES = [
    "2026-02-28T04:59:00Z",
    "2026-03-31T03:59:00Z",
    "2026-04-30T03:59:00Z",
    "2026-05-31T03:59:00Z",
    "2026-06-30T03:59:00Z",
    "2026-07-31T03:59:00Z",
    "2026-08-31T03:59:00Z",
    "2026-09-30T03:59:00Z",
    "2026-10-31T03:59:00Z",
    "2026-11-30T04:59:00Z",
    "2026-12-31T04:59:00Z",
    "2027-01-31T04:59:00Z",
    "2027-02-28T04:59:00Z",
    "2027-03-31T03:59:00Z",
]
NEW_YORK_CREDITS = [text.replace(":59:00Z", ":00:00Z") for text in NEW_YORK_CHARGES]

# Berlin is UTC+1, from 29 March 2026 UTC+2, from 25 October UTC+1, from 28 March 2027 UTC+2.
BERLIN_CHARGES = [
    "2026-02-27T22:59:00Z",
    "2026-03-30T21:59:00Z",
    "2026-04-29T21:59:00Z",
    "2026-05-30T21:59:00Z",
    "2026-06-29T21:59:00Z",
    "2026-07-30T21:59:00Z",
    "2026-08-30T21:59:00Z",
    "2026-09-29T21:59:00Z",
    "2026-10-30T22:59:00Z",
    "2026-11-29T22:59:00Z",
    "2026-12-30T22:59:00Z",
    "2027-01-30T22:59:00Z",
    "2027-02-27T22:59:00Z",
    "2027-03-30T21:59:00Z",
]


def next_minute(text: str) -> str:
    """The start of the day that begins a minute after its eve's 23:59."""
    day = datetime.fromisoformat(text)
    return f"{datetime.fromtimestamp(day.timestamp() + 60, UTC):%Y-%m-%dT%H:%M:%SZ}"


def texts(moments: list[datetime]) -> list[str]:
    return [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in moments]


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with LocalWorld(start=START) as opened:
        catalogues.publish(CATALOGUE)
        write_staff_member(
            StaffMember(email="olga@happypaws.example", name="Olga", role=Role.OWNER)
        )
        # Every webhook comes three times, and not in order.
        opened.sandbox.webhooks(repeat=3, shuffle=True)
        yield opened
        assert opened.errors == []
        assert opened.dead_letters == []


def join(world: LocalWorld, email: str, location: str, number: str) -> Person:
    """Shop as a stranger, sign in, save a card, pay for a pack, a mat and a subscription."""
    person = Person(world, email)
    person.go("POST", "/cart/location", {"location": location, "next": "/shop"})
    person.add("ten", quantity=1)
    person.add("mat", quantity=2)
    person.add("monthly", frequency="monthly")
    person.sign_in()
    assert len(person.data("/cart")["lines"]) == 3
    person.save_card(number)
    paid = person.pay()
    assert paid.status == 200, paid.body[:500]
    return person


def charged_at(world: LocalWorld, person: Person, *states: str) -> list[datetime]:
    """When the provider was asked for this person's money, by what came of it."""
    person.sign_in()
    customer = person.data("/account")
    del customer
    ids = {card["card"]["id"] for card in person.data("/cards")["cards"]}
    owners = {charge.customer for charge in world.sandbox.charges() if charge.card in ids}
    return [
        charge.created_at
        for charge in world.sandbox.charges()
        if charge.customer in owners and charge.state in states
    ]


def renewal_packs(person: Person) -> list[dict[str, object]]:
    """The subscription's packs, oldest first."""
    packs: list[dict[str, object]] = []
    path = "/packs"
    while True:
        page = person.data(path)
        packs += page["packs"]
        if not page.get("next"):
            break
        path = page["next"]
    found = [pack for pack in packs if pack["name"] == "Monthly yoga"]
    listed = [str(pack["usable_from"]) for pack in found]
    assert listed == sorted(listed, reverse=True), "the newest come first, page by page"
    return found[::-1]


def assert_every_mail_once(person: Person) -> None:
    told = Counter((mail["subject"], mail["sent_at"], mail["text"]) for mail in person.mails())
    assert max(told.values()) == 1, [mail for mail, times in told.items() if times > 1]


def of_kind(person: Person, kind: str) -> list[str]:
    """When emails were sent whose subject holds `kind`, oldest first."""
    return sorted(
        mail["sent_at"][:19] + "Z"
        for mail in person.mails()
        if kind.casefold() in mail["subject"].casefold()
    )


def test_a_year_goes_by_in_two_time_zones_across_both_changes_of_clock(world: LocalWorld) -> None:
    ada = join(world, "ada@example.com", "ny", "4242424242424242")
    clara = join(world, "clara@example.com", "berlin", "4242424242424242")
    move_clock(world, END)

    assert texts(charged_at(world, ada, "succeeded")) == ["2026-01-31T15:00:00Z", *NEW_YORK_CHARGES]
    assert texts(charged_at(world, clara, "succeeded"))[1:] == BERLIN_CHARGES

    assert [pack["usable_from"] for pack in renewal_packs(ada)] == [
        "2026-01-31T05:00:00Z",
        *map(next_minute, NEW_YORK_CHARGES),
    ]
    assert [pack["usable_from"] for pack in renewal_packs(clara)] == [
        "2026-01-30T23:00:00Z",
        *map(next_minute, BERLIN_CHARGES),
    ]
    # 250.00 + 2 * 35.00 + 49.00 with 8.25%, rounded half-up per line; then 49.00 + 4.04.
    amounts = [charge.amount for charge in world.sandbox.charges() if charge.currency == "USD"]
    assert amounts == [27063 + 7578 + 5304, *[5304] * 14]
    assert_every_mail_once(ada)
    assert_every_mail_once(clara)


def test_reminders_come_exactly_seven_days_before_each_charge(world: LocalWorld) -> None:
    ada = join(world, "ada@example.com", "ny", "4242424242424242")
    move_clock(world, END)
    # 23:59 of the local day seven days before: across a change of clock that is not 168 hours.
    expected = [
        "2026-02-21T04:59:00Z",
        "2026-03-24T03:59:00Z",
        "2026-04-23T03:59:00Z",
        "2026-05-24T03:59:00Z",
        "2026-06-23T03:59:00Z",
        "2026-07-24T03:59:00Z",
        "2026-08-24T03:59:00Z",
        "2026-09-23T03:59:00Z",
        "2026-10-24T03:59:00Z",
        "2026-11-23T04:59:00Z",
        "2026-12-24T04:59:00Z",
        "2027-01-24T04:59:00Z",
        "2027-02-21T04:59:00Z",
        "2027-03-24T03:59:00Z",
    ]
    reminders = of_kind(ada, "renews")
    assert reminders == expected


def test_a_failing_card_is_tried_daily_and_a_new_one_pays_at_once(world: LocalWorld) -> None:
    ada = join(world, "ada@example.com", "ny", "4242424242424242")
    move_clock(world, "2026-02-10T12:00:00Z")
    ada.sign_in()
    ada.save_card("4000000000000341")
    cards = ada.data("/cards")["cards"]
    failing = next(one["card"]["id"] for one in cards if one["card"]["last4"] == "0341")
    assert ada.go("POST", f"/cards/{failing}/default").status == 200

    move_clock(world, "2026-03-02T12:00:00Z")
    ada.sign_in()
    assert texts(charged_at(world, ada, "failed")) == [
        "2026-02-28T04:59:00Z",
        "2026-03-01T04:59:00Z",
        "2026-03-02T04:59:00Z",
    ]
    for path in ("/shop", "/cart", "/packs", "/subscriptions", "/account"):
        page = ada.page(path)
        assert "$53.04" in page, f"{path} does not say what is owed"
        assert "March 2, 2026" in page, f"{path} does not say when the next try is"

    back = ada.save_card("4242424242424242")
    assert "what was owed is paid" in back.body.decode()
    succeeded = texts(charged_at(world, ada, "succeeded"))
    assert succeeded == ["2026-01-31T15:00:00Z", "2026-03-02T12:00:00Z"]
    assert "$53.04" not in ada.page("/account").split("<main")[0]

    # [GRANT]: without a validity of its own, its credits are there from the day of settlement;
    # and the anchor has not moved.
    assert [pack["usable_from"] for pack in renewal_packs(ada)][1] == "2026-03-02T05:00:00Z"
    move_clock(world, "2026-05-15T12:00:00Z")
    assert texts(charged_at(world, ada, "succeeded"))[2:] == NEW_YORK_CHARGES[1:3]
    assert_every_mail_once(ada)


def test_the_sixth_failure_cancels_and_nothing_is_ever_charged_again(world: LocalWorld) -> None:
    ben = join(world, "ben@example.com", "ny", "4242424242424242")
    ben.save_card("4000000000000341")
    cards = ben.data("/cards")["cards"]
    failing = next(one["card"]["id"] for one in cards if one["card"]["last4"] == "0341")
    ben.go("POST", f"/cards/{failing}/default")
    move_clock(world, END)

    tries = texts(charged_at(world, ben, "failed"))
    assert tries == [
        "2026-02-28T04:59:00Z",
        "2026-03-01T04:59:00Z",
        "2026-03-02T04:59:00Z",
        "2026-03-03T04:59:00Z",
        "2026-03-04T04:59:00Z",
        "2026-03-05T04:59:00Z",
    ]
    assert texts(charged_at(world, ben, "succeeded")) == ["2026-01-31T15:00:00Z"]
    subscription = ben.data("/subscriptions")["subscriptions"][0]
    assert subscription["state"] == "cancelled"
    open_invoices = [
        one
        for one in ben.data("/invoices")["invoices"]
        if one["status"] in ("failed", "processing")
    ]
    assert open_invoices == []

    # Before the first charge there was a reminder; none for what was cancelled.
    assert of_kind(ben, "renews") == ["2026-02-21T04:59:00Z"]
    assert_every_mail_once(ben)

    olga = Person(world, "olga@happypaws.example")
    olga.sign_in(at="/console/sign-in")
    assert "Subscription failed payment" in olga.page("/console")
