"""Packs, subscriptions, invoices and payments through HTTP ([LEDGER] [HISTORY] [CANCEL] [COMMIT]
[KEY] [OWN])."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.self_cancel import SelfCancel
from shared.domain.subscription import SubscriptionState
from shared.store import catalogue as catalogues
from tests.portal.customers import Customer, confirm, hidden_fields, pages_of
from tests.portal.people import CountingEngine
from tests.shop_floor import (
    FAILS_LATER,
    NEEDS_AUTHENTICATION,
    WORKS,
    asked_of,
    books_hold,
    buy,
    card_of,
    card_on_file,
    catalogue_of,
    charged_at,
    customer_with_card,
    go_to,
    invoices_of,
    notices,
    open_shop,
    packs_of,
    subscribed,
    subscription_of,
)

START = "2026-01-31 15:00"
FIRST_FAILURE = "2026-02-28 04:59"
"""The first renewal of a monthly subscription that was bought at `START`."""


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with open_shop(START, engine=CountingEngine()) as opened:
        yield opened
        opened.run_due()
        books_hold(opened)


@pytest.fixture
def failing(world: LocalWorld) -> Customer:
    """Her renewal has just been declined; the card keeps on failing."""
    ada = subscribed(world, "month", number=FAILS_LATER)
    go_to(world, FIRST_FAILURE)
    return Customer(world, ada)


def settings(world: LocalWorld, **changed: Any) -> None:
    """Publish the catalogue with other settings."""
    del world
    catalogues.publish(catalogue_of(**changed))


def path_of(customer: Customer, tail: str = "") -> str:
    return f"/subscriptions/{subscription_of(customer.id).id}{tail}"


# --- packs and their ledger ---------------------------------------------------------------------


def test_packs_can_be_narrowed_down_by_status_and_words(world: LocalWorld) -> None:
    ada = Customer(world, customer_with_card(world))
    buy(world, ada.id, "ten", "month")
    page = ada.read("/packs")
    assert sorted(pack["name"] for pack in page["packs"]) == ["Month", "Ten"]
    (left,) = page["credits"]
    assert (left["service"], left["left"], left["packs"]) == ("Yoga", 18, 2)
    assert [pack["name"] for pack in ada.read("/packs?q=te")["packs"]] == ["Ten"]
    assert ada.read("/packs?status=expired")["packs"] == []
    assert [one["count"] for one in ada.read("/packs")["statuses"]] == [2, 2]
    assert ada.get("/packs?status=broken").status == 422


def test_a_packs_page_shows_every_entry_of_its_ledger(world: LocalWorld) -> None:
    ada = Customer(world, customer_with_card(world))
    buy(world, ada.id, "ten")
    (pack,) = packs_of(ada.id)
    go_to(world, "2026-06-01 00:00")
    ada.sign_in()
    page = ada.read(f"/packs/{pack.id}")
    assert page["pack"]["status"] == "expired"
    assert [(one["kind"], one["delta"], one["left"]) for one in page["entries"]] == [
        ("expire", -10, 0),
        ("grant", 10, 10),
    ]
    assert page["entries"][1]["invoice_id"] == invoices_of(ada.id)[0].id


def test_a_long_list_goes_on_where_it_ended(world: LocalWorld) -> None:
    ada = Customer(world, customer_with_card(world))
    for _ in range(3):
        fill = ["ten"] * 18
        buy(world, ada.id, *fill)
    for path in ("/packs?q=ten&status=active", "/packs"):
        pages = pages_of(ada, path, "packs")
        assert [len(page) for page in pages] == [12, 12, 12, 12, 6]
        assert len({pack["id"] for page in pages for pack in page}) == 54


# --- subscriptions ------------------------------------------------------------------------------


def test_a_subscription_says_what_it_costs_and_when_next(world: LocalWorld) -> None:
    ada = Customer(world, subscribed(world, "month"))
    page = ada.read(path_of(ada))
    summary = page["subscription"]
    assert summary["state"] == "active"
    assert summary["next_charge"]["at"] == "2026-02-28T04:59:00Z"
    assert summary["next_charge"]["amount"] == {"minor": 5_304, "currency": "USD"}
    assert page["paid_until"] == "2026-02-28T05:00:00Z"
    assert [pack["left"] for pack in page["packs"]] == [8]
    assert [one["name"] for one in ada.read("/subscriptions?state=active")["subscriptions"]] == [
        "Month"
    ]
    assert ada.read("/subscriptions?q=nothing")["subscriptions"] == []


def test_the_tries_of_a_failing_charge_and_the_next_one_are_shown(failing: Customer) -> None:
    go_to(failing.world, "2026-03-01 04:59")
    failing.sign_in()
    page = failing.read(path_of(failing))
    assert page["failing"]["owed"] == {"minor": 5_304, "currency": "USD"}
    assert (page["failing"]["slots_used"], page["failing"]["slots"]) == (2, 6)
    assert page["failing"]["next_try_at"] == "2026-03-02T04:59:00Z"
    (charge,) = page["charges"]
    assert [one["outcome"] for one in charge["attempts"]] == ["declined", "declined"]
    assert "Pay $53.04 now" in failing.see(path_of(failing)).text


def test_paying_what_is_owed_with_another_card_pays_once(failing: Customer) -> None:
    good = card_on_file(failing.world, failing.id, WORKS, default=False)
    body = {"card": good.id}
    first = failing.post(path_of(failing, "/pay"), body, key="key-of-ada")
    again = failing.post(path_of(failing, "/pay"), body, key="key-of-ada")
    assert (first.status, again.status) == (200, 200)
    assert again.json()["subscription"] == first.json()["subscription"]
    assert first.json()["subscription"]["state"] == "active"
    assert len(charged_at(failing.world, failing.id)) == 2
    other = failing.post(path_of(failing, "/pay"), {}, key="key-of-ada")
    assert (other.status, other.json()["code"]) == (409, "idempotency_key_reused")
    nothing = failing.post(path_of(failing, "/pay"), body, key="new-key-of-ada")
    assert (nothing.status, nothing.json()["code"]) == (409, "nothing_owed")


def test_a_decline_of_what_is_owed_is_told_and_the_same_key_tries_no_more(
    failing: Customer,
) -> None:
    before = len(asked_of(failing.world, failing.id))
    first = failing.post(path_of(failing, "/pay"), {}, key="key-of-ada")
    again = failing.post(path_of(failing, "/pay"), {}, key="key-of-ada")
    assert (first.status, first.json()["code"]) == (402, "card_declined")
    assert (again.status, again.json()) == (402, first.json())
    assert len(asked_of(failing.world, failing.id)) == before + 1
    fields = hidden_fields(failing.see(path_of(failing)), path_of(failing, "/pay"))
    shown = failing.press(path_of(failing, "/pay"), **fields, card=card_of(failing.id).id)
    assert shown.status == 402
    assert "was declined" in shown.text


def test_changing_the_card_of_a_failing_subscription_tries_it_at_once(failing: Customer) -> None:
    good = card_on_file(failing.world, failing.id, WORKS, default=False)
    changed = failing.press(path_of(failing, "/card"), card=good.id)
    assert changed.header("location") == path_of(failing) + "?done=paid"
    assert subscription_of(failing.id).state is SubscriptionState.ACTIVE
    assert subscription_of(failing.id).card_id == good.id
    wrong = failing.post(path_of(failing, "/card"), {"card": "card_of_nobody"})
    assert (wrong.status, set(wrong.json()["fields"])) == (422, {"card"})


def test_who_comes_back_from_the_bank_sees_the_subscription_paid(world: LocalWorld) -> None:
    ada = Customer(world, subscribed(world, "month", number=NEEDS_AUTHENTICATION))
    go_to(world, FIRST_FAILURE)
    ada.sign_in()
    waiting = ada.read(path_of(ada))["failing"]
    assert waiting["needs"] == "authentication"
    world.sandbox.webhooks(hold=True)
    back = confirm(world, waiting["confirm_url"])
    assert back == path_of(ada)
    assert ada.read(back)["subscription"]["state"] == "active"
    world.sandbox.webhooks(hold=False)


# --- ending it ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "ways"),
    [
        (SelfCancel.OFF, ["request"]),
        (SelfCancel.IMMEDIATE, ["now"]),
        (SelfCancel.PERIOD_END, ["period_end"]),
        (SelfCancel.CHOICE, ["now", "period_end"]),
    ],
)
def test_the_setting_decides_how_a_subscription_can_be_ended(
    world: LocalWorld, policy: SelfCancel, ways: list[str]
) -> None:
    ada = Customer(world, subscribed(world, "month"))
    settings(world, self_cancel=policy)
    page = ada.read(path_of(ada, "/cancel"))
    assert [one["when"] for one in page["choices"]] == ways
    for way in {"now", "period_end", "request"} - set(ways):
        refused = ada.post(path_of(ada, "/cancel"), {"when": way}, key=f"key-for-{way}")
        assert (refused.status, refused.json()["code"]) == (403, "cancel_not_allowed")
    assert subscription_of(ada.id).state is SubscriptionState.ACTIVE


def test_the_page_names_the_consequences_and_changes_nothing(world: LocalWorld) -> None:
    ada = Customer(world, subscribed(world, "month"))
    now, later = ada.read(path_of(ada, "/cancel"))["choices"]
    assert (now["ends_at"], now["credits_kept"], now["credits_until"]) == (
        "2026-01-31T15:00:00Z",
        8,
        None,
    )
    assert (later["ends_at"], later["can_undo"]) == ("2026-02-28T05:00:00Z", True)
    assert subscription_of(ada.id).state is SubscriptionState.ACTIVE


def test_an_unlimited_pack_can_be_used_until_the_paid_period_ends(world: LocalWorld) -> None:
    ada = Customer(world, subscribed(world, "open"))
    now, _ = ada.read(path_of(ada, "/cancel"))["choices"]
    assert (now["unlimited"], now["credits_until"]) == (True, "2026-02-28T05:00:00Z")


def test_ended_at_once_nothing_more_is_ever_charged(world: LocalWorld) -> None:
    ada = Customer(world, subscribed(world, "month"))
    page = ada.see(path_of(ada, "/cancel"))
    fields = hidden_fields(page, path_of(ada, "/cancel"))
    ended = ada.press(path_of(ada, "/cancel"), **{**fields, "when": "now"})
    assert ended.header("location") == path_of(ada) + "?done=cancelled"
    go_to(world, "2026-12-31 00:00")
    assert len(charged_at(world, ada.id)) == 1


def test_an_end_with_the_period_can_be_undone_and_then_it_goes_on(world: LocalWorld) -> None:
    ada = Customer(world, subscribed(world, "month"))
    ended = ada.post(path_of(ada, "/cancel"), {"when": "period_end"}, key="cancel-key")
    assert ended.json()["subscription"]["ends_at"] == "2026-02-28T05:00:00Z"
    assert ended.json()["forecast"] == []
    assert ended.json()["cancel"]["can_undo"]
    undone = ada.post(path_of(ada, "/cancel/undo"), key="undo-key-1")
    assert not undone.json()["subscription"]["cancel_at_period_end"]
    repeated = ada.post(path_of(ada, "/cancel"), {"when": "period_end"}, key="cancel-key")
    assert repeated.status == 200
    assert not subscription_of(ada.id).cancel_at_period_end
    go_to(world, "2026-03-01 00:00")
    assert len(charged_at(world, ada.id)) == 2


def test_the_same_key_ends_it_once_and_refuses_other_content(world: LocalWorld) -> None:
    ada = Customer(world, subscribed(world, "month"))
    for _ in range(2):
        answer = ada.post(path_of(ada, "/cancel"), {"when": "period_end"}, key="cancel-key")
        assert answer.status == 200
    other = ada.post(path_of(ada, "/cancel"), {"when": "now"}, key="cancel-key")
    assert (other.status, other.json()["code"]) == (409, "idempotency_key_reused")
    assert ada.post(path_of(ada, "/cancel"), {"when": "now"}).status == 422
    assert subscription_of(ada.id).state is SubscriptionState.ACTIVE


def test_ending_a_failing_subscription_voids_what_it_owes(failing: Customer) -> None:
    now, _ = failing.read(path_of(failing, "/cancel"))["choices"]
    assert now["void"] == {"minor": 5_304, "currency": "USD"}
    failing.post(path_of(failing, "/cancel"), {"when": "now"}, key="cancel-key")
    assert [one["state"] for one in failing.read("/invoices")["invoices"]] == ["void", "closed"]
    assert failing.read("/account")["past_due"] == []


def test_with_self_cancel_off_staff_see_the_request(world: LocalWorld) -> None:
    ada = Customer(world, subscribed(world, "month"))
    settings(world, self_cancel=SelfCancel.OFF)
    asked = ada.post(path_of(ada, "/cancel"), {"when": "request"}, key="request-key")
    assert asked.json()["subscription"]["cancel_requested_at"] == "2026-01-31T15:00:00Z"
    assert asked.json()["subscription"]["state"] == "active"
    assert len(notices()) == 1


def test_a_commitment_is_shown_and_a_request_ends_it_after_the_last_payment(
    world: LocalWorld,
) -> None:
    committed = catalogue_of()
    products = tuple(
        one.model_copy(update={"minimum_payments": 3}) if one.id == "month" else one
        for one in committed.products
    )
    catalogues.publish(committed.model_copy(update={"products": products}))
    ada = Customer(world, subscribed(world, "month"))
    page = ada.read(path_of(ada, "/cancel"))
    assert page["why_not"] == "commitment"
    assert page["commitment"] == {"minimum_payments": 3, "made": 1, "remaining": 2}
    (request,) = page["choices"]
    assert (request["when"], request["ends_at"]) == ("request", "2026-04-30T04:00:00Z")
    asked = ada.post(path_of(ada, "/cancel"), {"when": "request"}, key="request-key").json()
    assert [line["at"] for line in asked["forecast"]] == [
        "2026-02-28T04:59:00Z",
        "2026-03-31T03:59:00Z",
    ]
    go_to(world, "2026-12-01 00:00")
    assert len(charged_at(world, ada.id)) == 3
    assert subscription_of(ada.id).state is SubscriptionState.CANCELLED


# --- invoices and payments ------------------------------------------------------------------------


def test_an_open_invoice_is_paid_from_its_page_once(failing: Customer) -> None:
    good = card_on_file(failing.world, failing.id, WORKS, default=False)
    listed = failing.read("/invoices?state=open")
    (invoice,) = listed["invoices"]
    assert listed["owed"] == [{"minor": 5_304, "currency": "USD"}]
    path = f"/invoices/{invoice['id']}"
    assert failing.read(path)["pay"]["amount"] == {"minor": 5_304, "currency": "USD"}
    fields = hidden_fields(failing.see(path), f"{path}/pay")
    for _ in range(2):
        paid = failing.press(f"{path}/pay", **fields, card=good.id)
        assert paid.header("location") == f"{path}?done=paid"
    assert len(charged_at(failing.world, failing.id)) == 2
    page = failing.read(path)
    assert (page["invoice"]["state"], page["pay"]) == ("closed", None)
    assert [one["amount"]["minor"] for one in page["payments"]] == [5_304]
    assert [one["outcome"] for one in page["attempts"][0]["attempts"]] == ["declined", "succeeded"]


def test_an_invoice_that_is_paid_or_void_takes_no_money(world: LocalWorld) -> None:
    ada = Customer(world, subscribed(world, "month"))
    (invoice,) = invoices_of(ada.id)
    refused = ada.post(f"/invoices/{invoice.id}/pay", {}, key="key-of-ada")
    assert (refused.status, refused.json()["code"]) == (409, "nothing_owed")
    assert len(asked_of(world, ada.id)) == 1


def test_payments_can_be_sorted_by_each_column(world: LocalWorld) -> None:
    ada = Customer(world, customer_with_card(world))
    for products in (["mat"], ["ten"], ["month"]):
        buy(world, ada.id, *products)
        world.advance_to(world.now().replace(minute=world.now().minute + 1))

    def prices(query: str) -> list[int]:
        rows = ada.read(f"/payments{query}")["payments"]
        return [row["amount"]["minor"] for row in rows]

    assert prices("") == [5_304, 27_063, 3_248]
    assert prices("?sort=date&descending=false") == [3_248, 27_063, 5_304]
    assert prices("?sort=price&descending=true") == [27_063, 5_304, 3_248]
    assert prices("?sort=price&descending=false") == [3_248, 5_304, 27_063]
    by_order = ada.read("/payments?sort=order_id&descending=false")["payments"]
    assert [row["order_id"] for row in by_order] == sorted(row["order_id"] for row in by_order)
    assert {row["status"] for row in ada.read("/payments?sort=status")["payments"]} == {"paid"}
    assert ada.get("/payments?sort=colour").status == 422
    assert ada.see("/payments?sort=price").status == 200


def test_a_failing_payment_and_its_end_are_in_the_history(failing: Customer) -> None:
    assert [row["status"] for row in failing.read("/payments")["payments"]] == ["failed", "paid"]
    go_to(failing.world, "2026-03-06 00:00")
    failing.sign_in()
    assert [row["status"] for row in failing.read("/payments")["payments"]] == ["void", "paid"]


# --- whose it is --------------------------------------------------------------------------------


def test_what_belongs_to_another_customer_is_not_there(failing: Customer) -> None:
    world = failing.world
    eve = Customer(world, customer_with_card(world, email="eve@example.com"))
    (pack,) = packs_of(failing.id)
    invoice = invoices_of(failing.id)[-1]
    subscription = subscription_of(failing.id)
    for path in (
        f"/packs/{pack.id}",
        f"/subscriptions/{subscription.id}",
        f"/subscriptions/{subscription.id}/cancel",
        f"/invoices/{invoice.id}",
    ):
        assert eve.get(path).status == 404, path
        assert eve.see(path).status == 404, path
    for path, body in (
        (f"/subscriptions/{subscription.id}/cancel", {"when": "now"}),
        (f"/subscriptions/{subscription.id}/cancel/undo", None),
        (f"/subscriptions/{subscription.id}/card", {}),
        (f"/subscriptions/{subscription.id}/pay", {}),
        (f"/invoices/{invoice.id}/pay", {}),
    ):
        refused = eve.post(path, body, key="key-of-eve")
        assert refused.status == 404, path
    assert subscription_of(failing.id) == subscription
    assert len(asked_of(world, eve.id)) == 0


@pytest.mark.parametrize("bad", ["a%23b", "x" * 300, "%00", "a%20b"])
def test_what_can_not_be_an_id_is_not_there(world: LocalWorld, bad: str) -> None:
    ada = Customer(world, customer_with_card(world))
    for path in ("/packs", "/subscriptions", "/invoices", "/orders"):
        assert ada.get(f"{path}/{bad}").status == 404
    assert ada.get(f"/packs?after={bad}").status == 422


# --- round trips ----------------------------------------------------------------------------------


def test_every_page_takes_at_most_two_round_trips(failing: Customer) -> None:
    (pack,) = packs_of(failing.id)
    invoice = invoices_of(failing.id)[-1]
    assert failing.see("/account").status == 200
    for path in (
        "/account",
        "/packs",
        f"/packs/{pack.id}",
        "/subscriptions",
        path_of(failing),
        path_of(failing, "/cancel"),
        "/invoices",
        f"/invoices/{invoice.id}",
        "/payments?sort=price",
        "/cards",
    ):
        response, calls = failing.calls("GET", path)
        assert response is not None
        assert response.status == 200, path
        # Lists that do not depend on each other are read side by side.
        lists = {"/packs": 2, "/invoices": 3, "/payments?sort=price": 2}.get(path, 1)
        assert calls.get("BatchGetItem", 0) + calls.get("Query", 0) / lists <= 2, (path, calls)
        assert set(calls) <= {"BatchGetItem", "Query"}
