"""The timeline answers "why was I charged?" line by line ([CONSOLE], [RETRY], [HARD])."""

from datetime import timedelta
from typing import Any

from functions.console.books import Books
from functions.console.timeline import timeline
from infra.local.world import LocalWorld
from shared.domain.customer import Customer
from shared.domain.message import MessageKind, MessageState
from shared.store import accounts
from shared.store.reading import read
from shared.store.timeline import TimelineEvent
from shared.store.writing import commit, replace
from tests import shop_floor as shop
from tests.console.office import Desk, staff, told
from tests.round_trips import waiting

DASH = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"
PERIOD = f"Month, period of Feb 28 {DASH} Mar 30"


def of_kind(lines: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["kind"] == kind]


def names(line: dict[str, Any]) -> list[str]:
    return [link["name"] for link in line["links"]]


def sentences(lines: list[dict[str, Any]]) -> list[str]:
    return [line["what"] for line in lines]


def test_a_renewal_that_fails_six_times_is_explained_line_by_line(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "month", number=shop.FAILS_LATER)
    shop.go_to(world, "2026-03-20 12:00")
    lines = told(staff(world), ada)

    tries = of_kind(lines, "attempt")[1:]
    assert [line["at"] for line in tries] == [
        "2026-02-28T04:59:00Z",
        "2026-03-01T04:59:00Z",
        "2026-03-02T04:59:00Z",
        "2026-03-03T04:59:00Z",
        "2026-03-04T04:59:00Z",
        "2026-03-05T04:59:00Z",
    ]
    for slot, line in enumerate(tries, start=1):
        assert line["what"] == (
            f"Tried to charge $53.04 to Visa 4242 for {PERIOD}; "
            "declined: the bank said no (generic_decline)"
        )
        assert line["detail"].startswith(f"Started by the clock in slot {slot} of 6. ")
        assert "The provider calls it ch_" in line["detail"]
        assert line["by"] == "the clock"
        assert line["failed"] is True
        assert line["amount"] is None, "nothing moved"
        assert line["zone"] == "America/New_York"
        assert names(line)[1] == "Month"

    last_day = [line for line in lines if line["at"] == "2026-03-05T04:59:00Z"]
    assert sentences(last_day)[1:] == [
        f"{names(tries[0])[0]} is void: $53.04 is not owed any more",
        "Month cancelled, because every try to collect had failed",
        "Emailed “Subscription cancelled after failed payments”",
    ]
    assert sentences(lines).count("Month became past due: $53.04 owed") == 1
    assert sentences(lines).count("Emailed “Charge failed”") == 5


def test_what_was_paid_is_told_from_the_charge_to_the_credits(world: LocalWorld) -> None:
    ada = shop.customer_with_card(world)
    shop.buy(world, ada, shop.Wanted("ten", 2), "month")
    lines = told(staff(world), ada)
    (paid,) = of_kind(lines, "attempt")
    assert paid["what"] == f"Charged $594.29 to Visa 4242 for 2 {TIMES} Ten and Month; succeeded"
    assert paid["amount"] == {"minor": 59_429, "currency": "USD"}
    assert paid["by"] == "the customer"
    assert "at checkout, order " in paid["detail"]
    (invoice,) = of_kind(lines, "payment")
    assert invoice["what"].endswith(" paid by Visa 4242: $594.29")
    assert invoice["detail"] == (
        f"2 {TIMES} Ten $500.00, Month $49.00, Sales tax $45.29. Total $594.29."
    )
    assert sorted(sentences(of_kind(lines, "pack"))) == [
        "10 classes granted on Ten; 10 left",
        "10 classes granted on Ten; 10 left",
        "8 classes granted on Month; 8 left",
    ]
    assert "Subscribed to Month: $49.00 every month, from January 31, 2026" in sentences(lines)
    order = ["attempt", "payment", "subscription", "pack", "pack", "pack"]
    assert [line["kind"] for line in lines][1:] == [*order, "message", "message", "message"]


def test_money_and_days_are_those_of_the_location(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "month", location="be")
    shop.go_to(world, "2026-03-01 12:00")
    renewal = of_kind(told(staff(world), ada), "attempt")[-1]
    # 23:59 of the day before in Berlin, by the anchor that February lacks.
    assert renewal["at"] == "2026-02-27T22:59:00Z"
    assert renewal["zone"] == "Europe/Berlin"
    assert renewal["what"].startswith(f"Charged €58.31 to Visa 4242 for {PERIOD}; succeeded")


def test_slots_that_pass_without_a_try_are_told_with_their_reason(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "month", number=shop.LOST_CARD)
    shop.go_to(world, "2026-03-02 12:00")
    lines = told(staff(world), ada)
    refused = of_kind(lines, "attempt")[-1]
    assert refused["what"].endswith("; declined for good: the card is reported lost (lost_card)")
    passed = of_kind(lines, "charge")
    assert [line["at"] for line in passed] == ["2026-03-01T04:59:00Z", "2026-03-02T04:59:00Z"]
    assert [line["detail"][:11] for line in passed] == ["Slot 2 of 6", "Slot 3 of 6"]
    assert passed[0]["what"] == (f"Not tried for {PERIOD}: the bank had refused Visa 4242 for good")


def test_a_rescue_is_told_by_the_card_and_who_started_it(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "month", number=shop.FAILS_LATER)
    shop.go_to(world, "2026-03-01 12:00")
    shop.new_card(world, ada, shop.ALSO_WORKS)
    world.run_due()
    lines = told(staff(world), ada)
    added = [line for line in lines if line["kind"] == "card"]
    assert sentences(added) == ["Added the card Mastercard 4444"]
    assert added[0]["by"] == "the customer"
    rescue = of_kind(lines, "attempt")[-1]
    assert rescue["what"] == f"Charged $53.04 to Mastercard 4444 for {PERIOD}; succeeded"
    assert rescue["by"] == "the customer"
    assert "slot" not in rescue["detail"], "what a customer starts uses up no slot"
    assert "Month is paid up again, and past due no more" in sentences(lines)


def test_without_a_card_the_timeline_says_so(world: LocalWorld) -> None:
    ada = shop.customer_with_card(world)
    shop.buy(world, ada, "trial")
    row = shop.head(ada)
    commit([replace(row, row.value.model_copy(update={"cards": (), "default_card": None}))])
    shop.go_to(world, "2026-02-15 12:00")
    lines = told(staff(world), ada)
    free, unpaid, passed = of_kind(lines, "charge")
    assert free["what"] == "Nothing to pay for Trial; no card was charged"
    assert unpaid["what"] == (
        f"Could not charge $64.95 for Trial, period of Feb 14 {DASH} Mar 13: "
        "there was no card on file"
    )
    assert unpaid["failed"] is True
    assert passed["what"].endswith(": there was no card on file")


def test_a_message_that_was_not_sent_says_why(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "month")
    (message,) = shop.messages_of(ada, MessageKind.SUBSCRIPTION_PURCHASED)
    ref = accounts.message(ada, message.to, message.key)
    row = read(ref).get(ref)
    assert row is not None
    changes = {
        "state": MessageState.SUPPRESSED,
        "sent_at": None,
        "why_not": "the address is blocked",
    }
    commit([replace(row, row.value.model_copy(update=changes))])
    lines = of_kind(told(staff(world), ada), "message")
    assert "The email “Subscription purchased” was not sent: the address is blocked" in sentences(
        lines
    )


def test_a_long_history_comes_in_pages_that_miss_and_repeat_nothing() -> None:
    began = shop.moment("2026-01-01 12:00")
    happened = tuple(
        TimelineEvent(
            id=f"event-{number:03d}",
            # Several at each instant: a page may end between two of them.
            at=began + timedelta(hours=number // 7),
            by="clock",
            what="card:added",
            after="visa 4242",
        )
        for number in range(250)
    )
    books = Books(
        customer=Customer(id="ada", email="ada@example.com", created_at=began),
        subscriptions=(),
        packs=(),
        entries=(),
        invoices=(),
        charges=(),
        messages=(),
        events=happened,
    )
    pages = []
    before: str | None = ""
    while before is not None:
        page, before = timeline(
            books, shop.catalogue_of(), locale="en-US", now=began, before=before
        )
        pages.append([line.id for line in page])
    assert [len(page) for page in pages] == [100, 100, 51]
    listed = [one for page in pages for one in page]
    assert listed == [event.id for event in reversed(happened)] + ["ada"]


def test_every_line_leads_to_something_on_the_page(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "month", number=shop.FAILS_LATER)
    shop.go_to(world, "2026-03-20 12:00")
    desk = staff(world)
    page = desk.page(f"/console/customers/{ada}")
    lines = told(desk, ada)
    linked = {(link["kind"], link["id"]) for line in lines for link in line["links"]}
    assert linked
    for kind, name in linked:
        assert f'id="{kind}-{name}"' in page
    money = ("attempt", "charge", "payment", "pack", "invoice")
    paid = [line for line in lines if line["kind"] in money]
    assert all(line["links"] for line in paid)


def test_a_page_costs_two_round_trips(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "month")
    desk = staff(world)
    for path in ("/console", "/console/customers?email=ada", f"/console/customers/{ada}"):
        assert round_trips(desk, path) <= 2, path


def round_trips(desk: Desk, path: str) -> int:
    """What one page waits for, its function warm."""
    desk.page(path)
    with waiting() as clock:
        desk.page(path)
    return clock.waited
