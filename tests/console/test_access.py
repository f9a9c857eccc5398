"""Who may come in, see and change what ([ACCESS], [NOTICE], [OWN])."""

import json
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.domain.ending import EndReason
from shared.domain.message import Notice, NoticeKind, Parked
from shared.domain.subscription import SubscriptionState
from shared.store import catalogue as catalogues
from shared.store import transactions
from shared.store.staff import Role
from tests import shop_floor as shop
from tests.console.office import (
    Desk,
    activity_at,
    book,
    code_of,
    customer,
    events_of,
    mails_to,
    staff,
)

PAGES = (
    "/console",
    "/console/customers",
    "/console/customers/{customer}",
    "/console/customers/{customer}/statement",
    "/console/retry-policy",
    "/console/schedule",
    "/console/activities/{activity}",
    "/console/outstanding",
)
CHANGES = (
    "/console/notices/{notice}/done",
    "/console/customers/{customer}/sign-in-email",
    "/console/customers/{customer}/card-update-email",
    "/console/customers/{customer}/subscriptions/{subscription}/cancel",
    "/console/customers/{customer}/subscriptions/{subscription}/cancel/undo",
    "/console/customers/{customer}/packs/{pack}/credits",
    "/console/notices/{parked}/release",
    "/console/activities",
    "/console/activities/{activity}/cancel",
    "/console/activities/{activity}/seats/{seat}/cancel",
)
FIELDS: dict[str, dict[str, Any]] = {
    "/cancel": {"when": "now"},
    "/credits": {"delta": -1, "reason": "A class missed"},
    "/console/activities": {
        "location": "ny",
        "service": "yoga",
        "date": "2026-02-03",
        "time": "18:30",
        "minutes": 60,
        "places": 5,
    },
}
KEYED = ("/credits", "/console/activities")


class Brooklyn:
    """A customer of one location, with a subscription, a pack and a notice."""

    def __init__(self, world: LocalWorld) -> None:
        self.world = world
        self.customer = shop.subscribed(world, "month")
        self.subscription = shop.subscription_of(self.customer).id
        self.pack = shop.packs_of(self.customer)[0].id
        self.notice = notice(world, NoticeKind.REFUND_FAILED, "ny")
        self.parked = notice(world, NoticeKind.PARKED, None, customer_id=self.customer)
        self.activity = activity_at(world)
        self.seat = book(world, self.customer, self.activity).id
        world.run_due()

    def path(self, pattern: str) -> str:
        return pattern.format(**vars(self))

    def change(self, desk: Desk, pattern: str, **headers: str) -> Any:
        fields: dict[str, Any] = {"idempotency_key": f"key-of-{pattern.rpartition('/')[2]}"}
        for end, more in FIELDS.items():
            if pattern.endswith(end):
                fields.update(more)
        if not pattern.endswith(KEYED):
            del fields["idempotency_key"]
        return desk.ask("POST", self.path(pattern), fields, **headers)

    def stored(self) -> str:
        """Everything of every customer, for "nothing was changed"."""
        dynamodb = self.world.client("dynamodb")
        tables = [one for one in dynamodb.list_tables()["TableNames"] if one.endswith("accounts")]
        assert tables
        items = [item for name in tables for item in dynamodb.scan(TableName=name)["Items"]]
        return json.dumps(items, sort_keys=True)


@pytest.fixture
def brooklyn(world: LocalWorld) -> Brooklyn:
    return Brooklyn(world)


def notice(
    world: LocalWorld, kind: NoticeKind, location: str | None, *, customer_id: str | None = None
) -> str:
    """A notice; one of a customer says that something of theirs was set aside."""
    parked = Parked(pk=f"customer#{customer_id}", sk="pack#none", worker="expiries")
    one = Notice(
        id=world.wiring.new_id(),
        kind=kind,
        location_id=location,
        customer_id=customer_id,
        parked=parked if customer_id else None,
        title=f"{kind.value} at {location}",
        detail="See to it.",
        created_at=world.now(),
    )
    transactions.notify([one])
    return one.id


def titles(desk: Desk) -> list[str]:
    return [one["title"] for one in desk.data("/console")["notices"]]


# --- coming in -------------------------------------------------------------------------------


def test_nobody_is_sent_to_sign_in(brooklyn: Brooklyn) -> None:
    nobody = Desk(brooklyn.world)
    before = brooklyn.stored()
    for pattern in PAGES:
        path = brooklyn.path(pattern)
        assert nobody.ask("GET", path).status == 401
        page = nobody.ask("GET", path, accept="text/html")
        assert page.status == 303
        headers = {name.lower(): value for name, value in page.headers}
        assert headers["location"] == f"/console/sign-in?next={path}"
    for pattern in CHANGES:
        assert brooklyn.change(nobody, pattern).status == 401, pattern
    assert brooklyn.stored() == before


def test_a_customers_cookie_opens_nothing_of_the_console_and_the_reverse(
    brooklyn: Brooklyn,
) -> None:
    ada = customer(brooklyn.world, brooklyn.customer)
    olga = staff(brooklyn.world)
    swapped = Desk(brooklyn.world, {"__Host-staff": next(iter(ada.cookies.values()))})
    before = brooklyn.stored()
    for visitor in (ada, swapped):
        for pattern in PAGES:
            assert visitor.ask("GET", brooklyn.path(pattern)).status == 401, pattern
        for pattern in CHANGES:
            assert brooklyn.change(visitor, pattern).status == 401, pattern
    pretending = Desk(brooklyn.world, {"__Host-session": next(iter(olga.cookies.values()))})
    for visitor in (olga, pretending):
        assert visitor.ask("GET", "/account").status == 401
    assert brooklyn.stored() == before


def test_staff_sign_in_by_an_emailed_link(world: LocalWorld) -> None:
    staff(world, email="olga@happypaws.example")
    browser = Desk(world)
    browser.post("/console/sign-in", email="olga@happypaws.example")
    (mail,) = mails_to(world, "olga@happypaws.example")
    assert f"{shop.PUBLIC_URL}/console/sign-in/" in mail.text


def test_changes_from_another_site_are_refused(brooklyn: Brooklyn) -> None:
    olga = staff(brooklyn.world)
    before = brooklyn.stored()
    for pattern in CHANGES:
        for accept in ("application/json", "text/html"):
            answer = brooklyn.change(olga, pattern, accept=accept, sec_fetch_site="cross-site")
            assert answer.status == 403, pattern
    assert brooklyn.stored() == before


# --- locations and roles ---------------------------------------------------------------------


def test_staff_of_another_location_neither_see_nor_change_anything(brooklyn: Brooklyn) -> None:
    bert = staff(brooklyn.world, locations=("be",))
    assert bert.data("/console/customers?email=ada")["customers"] == []
    assert titles(bert) == []
    assert bert.ask("GET", brooklyn.path(PAGES[2])).status == 404
    before = brooklyn.stored()
    for pattern in CHANGES:
        for accept in ("application/json", "text/html"):
            answer = brooklyn.change(bert, pattern, accept=accept)
            assert answer.status == 404, (pattern, answer.body)
    assert brooklyn.stored() == before
    assert brooklyn.subscription not in bert.page("/console")


def test_of_a_customer_of_two_locations_each_sees_its_own_part(brooklyn: Brooklyn) -> None:
    shop.buy(brooklyn.world, brooklyn.customer, "ten", location="be")
    path = brooklyn.path(PAGES[2])
    everything = staff(brooklyn.world).data(path)
    bert = staff(brooklyn.world, Role.MANAGER, locations=("be",))
    theirs = bert.data(path)
    assert [one["name"] for one in theirs["packs"]] == ["Ten"]
    assert [one["name"] for one in everything["packs"]] == ["Ten", "Month"]
    assert theirs["subscriptions"] == []
    told = json.dumps(theirs)
    assert "Month" not in told and "$" not in told and brooklyn.subscription not in told
    cancelling = brooklyn.change(bert, CHANGES[3])
    assert cancelling.status == 404
    assert bert.data("/console/customers?email=ada")["customers"][0]["id"] == brooklyn.customer


def test_a_clerk_looks_and_marks_done_but_neither_cancels_nor_changes_credits(
    brooklyn: Brooklyn,
) -> None:
    clerk = staff(brooklyn.world, Role.CLERK)
    page = clerk.page(brooklyn.path(PAGES[2]))
    assert "/cancel" not in page and "/credits" not in page
    before = brooklyn.stored()
    for pattern in CHANGES[3:]:
        refused = brooklyn.change(clerk, pattern)
        assert (refused.status, code_of(refused)) == (403, "role_not_allowed"), pattern
        shown = brooklyn.change(clerk, pattern, accept="text/html")
        assert shown.status == 403
        assert "Only an owner or a manager may do this." in shown.body.decode()
    assert brooklyn.stored() == before
    assert brooklyn.change(clerk, CHANGES[0]).status == 200
    assert brooklyn.change(clerk, CHANGES[1]).status == 200


# --- notices ---------------------------------------------------------------------------------


def test_each_person_sees_the_notices_of_their_kinds_and_locations(world: LocalWorld) -> None:
    notice(world, NoticeKind.REFUND_FAILED, "ny")
    notice(world, NoticeKind.REFUND_FAILED, "be")
    hidden = notice(world, NoticeKind.PARKED, "be")
    notice(world, NoticeKind.PARKED, None)
    assert len(titles(staff(world))) == 4
    of_berlin = staff(
        world, Role.CLERK, locations=("be",), notices=(NoticeKind.REFUND_FAILED.value,)
    )
    assert titles(of_berlin) == ["refund_failed at be"]
    of_brooklyn = staff(world, Role.MANAGER, locations=("ny",))
    assert titles(of_brooklyn) == ["parked at None", "refund_failed at ny"]
    for desk in (of_berlin, of_brooklyn):
        assert desk.post(f"/console/notices/{hidden}/done").status == 404


def test_a_notice_is_marked_done_once(world: LocalWorld) -> None:
    one = notice(world, NoticeKind.PARKED, None)
    olga, clerk = staff(world), staff(world, Role.CLERK)
    first = json.loads(olga.post(f"/console/notices/{one}/done").body)
    again = json.loads(clerk.post(f"/console/notices/{one}/done").body)
    assert first["done_by"] == "owner@happypaws.example"
    assert again == first, "the second press changes nothing"
    assert titles(olga) == []
    form = olga.ask("POST", f"/console/notices/{one}/done", accept="text/html")
    assert form.status == 303
    assert "The notice is marked as done." in olga.page("/console?done=notice_done")
    assert olga.post("/console/notices/01ARZ3NDEKTSV4RRFFQ69G5FAV/done").status == 404


def test_a_notice_of_a_customer_is_on_the_timeline_when_it_is_done(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "month", number=shop.FAILS_LATER)
    shop.go_to(world, "2026-03-20 12:00")
    olga = staff(world)
    (open_one,) = olga.data("/console")["notices"]
    assert open_one["kind"] == "subscription_failed_payment"
    assert open_one["customer_name"] == "Ada"
    olga.post(f"/console/notices/{open_one['id']}/done")
    (event,) = events_of(ada, "notice:done")
    assert (event.by, event.before, event.after) == ("owner@happypaws.example", "open", "done")
    assert event.at == world.now()
    newest = olga.data(f"/console/customers/{ada}")["timeline"][0]
    assert newest["what"] == "The notice “Subscription failed payment” was marked done"
    assert newest["by"] == "owner@happypaws.example"


def test_the_console_says_plainly_when_no_payment_provider_is_set_up(world: LocalWorld) -> None:
    olga = staff(world)
    sentence = "No payment provider is set up"
    assert sentence not in olga.page("/console")
    with LocalWorld(parameters={"Provider": ""}) as bare:
        catalogues.publish(shop.catalogue_of())
        desk = staff(bare)
        assert desk.data("/console")["provider_ready"] is False
        assert sentence in desk.page("/console")


# --- finding customers -----------------------------------------------------------------------


def test_customers_are_found_by_what_their_address_begins_with_and_by_name(
    world: LocalWorld,
) -> None:
    for email in ("ada@example.com", "adam@example.com", "berta@example.com"):
        shop.newcomer(world, email)
    olga = staff(world)

    def found(query: str) -> list[str]:
        return [one["email"] for one in olga.data(f"/console/customers?{query}")["customers"]]

    assert found("email=ADA") == ["ada@example.com", "adam@example.com"]
    assert found("email=berta@example.com") == ["berta@example.com"]
    assert found("email=da") == []
    assert found("name=ERT") == ["berta@example.com"]
    assert len(found("")) == 3
    wrong = olga.ask("GET", "/console/customers?email=a&after=customer%23zoe")
    assert wrong.status == 422
    assert olga.ask("GET", "/console?after=done%23x").status == 422


def test_a_customer_who_does_not_exist_is_404(world: LocalWorld) -> None:
    olga = staff(world)
    assert olga.ask("GET", "/console/customers/nobody").status == 404
    assert olga.post("/console/customers/nobody/sign-in-email").status == 404


# --- cancelling ------------------------------------------------------------------------------


def test_staff_cancel_now_and_it_is_written_down(brooklyn: Brooklyn) -> None:
    olga = staff(brooklyn.world)
    answer = brooklyn.change(olga, CHANGES[3])
    assert json.loads(answer.body)["state"] == "cancelled"
    value = shop.subscription_of(brooklyn.customer)
    assert (value.state, value.end_reason) == (SubscriptionState.CANCELLED, EndReason.BY_STAFF)
    (event,) = events_of(brooklyn.customer, "cancel:now")
    assert (event.by, event.before, event.after) == (
        "owner@happypaws.example",
        "active",
        "cancelled",
    )
    assert brooklyn.change(olga, CHANGES[3]).status == 200, "again changes nothing"
    assert len(events_of(brooklyn.customer, "cancel:now")) == 1
    ended = [
        line
        for line in olga.data(brooklyn.path(PAGES[2]))["timeline"]
        if line["what"] == "Month cancelled by staff"
    ]
    assert [line["by"] for line in ended] == ["owner@happypaws.example"]
    shop.go_to(brooklyn.world, "2026-06-01 12:00")
    assert len(brooklyn.world.sandbox.charges()) == 1, "nothing is ever charged again"


def test_staff_end_it_with_its_period_and_take_that_back(brooklyn: Brooklyn) -> None:
    world = brooklyn.world
    manager = staff(world, Role.MANAGER)
    path = brooklyn.path(CHANGES[3])
    ending = json.loads(manager.post(path, when="period_end").body)
    assert (ending["state"], ending["cancel_at_period_end"]) == ("active", True)
    assert ending["next_charge"] is None
    assert json.loads(manager.post(f"{path}/undo").body)["cancel_at_period_end"] is False
    shop.go_to(world, "2026-01-31 15:05")
    assert manager.post(path, when="period_end").status == 200
    shop.go_to(world, "2026-03-10 12:00")
    value = shop.subscription_of(brooklyn.customer)
    assert value.end_reason is EndReason.BY_STAFF
    assert len(world.sandbox.charges()) == 1
    what = [line["what"] for line in staff(world).data(brooklyn.path(PAGES[2]))["timeline"]]
    assert what.count("Month is to end with its period; nothing more is charged") == 2
    assert "The end of Month was taken back; it goes on" in what
    late = manager_again(world).post(f"{path}/undo")
    assert (late.status, code_of(late)) == (409, "already_ended")


def manager_again(world: LocalWorld) -> Desk:
    """Sessions end after half an hour."""
    return staff(world, Role.MANAGER)


def test_bad_cancellations_are_named(brooklyn: Brooklyn) -> None:
    olga = staff(brooklyn.world)
    path = brooklyn.path(CHANGES[3])
    for fields in ({}, {"when": "request"}, {"when": "never"}):
        answer = olga.post(path, **fields)
        assert answer.status == 422
        assert set(json.loads(answer.body)["fields"]) == {"when"}
    nowhere = "/console/customers/{customer}/subscriptions/none/cancel"
    assert olga.post(brooklyn.path(nowhere), when="now").status == 404


# --- emails ----------------------------------------------------------------------------------


def test_a_sign_in_email_reaches_the_customer_and_is_written_down(brooklyn: Brooklyn) -> None:
    olga = staff(brooklyn.world)
    answer = brooklyn.change(olga, CHANGES[1])
    assert json.loads(answer.body) == {"to": "ada@example.com"}
    brooklyn.world.run_due()
    newest = mails_to(brooklyn.world, "ada@example.com")[0]
    assert f"{shop.PUBLIC_URL}/sign-in/" in newest.text
    (event,) = events_of(brooklyn.customer, "email:sign_in")
    assert (event.by, event.after) == ("owner@happypaws.example", "ada@example.com")


def test_a_card_update_link_is_about_what_is_past_due(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "month", number=shop.FAILS_LATER)
    shop.go_to(world, "2026-03-01 12:00")
    olga = staff(world)
    assert olga.post(f"/console/customers/{ada}/card-update-email").status == 200
    world.run_due()
    newest = mails_to(world, "ada@example.com")[0]
    assert f"{shop.PUBLIC_URL}/card-update/" in newest.text
    assert "$53.04" in newest.text
    (event,) = events_of(ada, "email:card_update")
    assert event.by == "owner@happypaws.example"
