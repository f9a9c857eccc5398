"""What was set aside is tried again from its notice, and nothing else happens ([NOTICE])."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.due import Worker
from shared.domain.message import Notice, NoticeKind, Parked
from shared.operations.sweep import WORK
from shared.store import transactions
from shared.store.staff import Role
from tests import shop_floor as shop
from tests.billing.test_poison import put_due, spoil
from tests.console.office import Desk, code_of, events_of, staff


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    """Workers are meant to fail here; the books have to hold in the end."""
    with shop.open_shop("2026-01-31 15:00") as opened:
        yield opened
        opened.run_due()
        shop.books_hold(opened, errors=True)


class SetAside:
    """Ada's renewal, which could not be read five times and is whole again since."""

    def __init__(self, world: LocalWorld) -> None:
        self.world = world
        self.ada = shop.subscribed(world, "month")
        self.keys = f"customer#{self.ada}", f"subscription#{shop.subscription_of(self.ada).id}"
        shop.go_to(world, "2026-02-28 04:58")
        self.whole = spoil(world, *self.keys)
        shop.go_to(world, "2026-03-05 12:00")
        spoil(world, *self.keys, body=self.whole)
        (self.notice,) = shop.notices(NoticeKind.PARKED)

    @property
    def path(self) -> str:
        return f"/console/notices/{self.notice.id}/release"

    def charged(self) -> list[str]:
        return shop.charged_at(self.world, self.ada)[1:]


def item(world: LocalWorld, pk: str, sk: str) -> dict[str, Any]:
    found: dict[str, Any] = world.client("dynamodb").get_item(
        TableName=world.wiring.environment.accounts_table, Key={"pk": {"S": pk}, "sk": {"S": sk}}
    )
    stored: dict[str, Any] = found.get("Item", {})
    return stored


def remove(world: LocalWorld, pk: str, sk: str) -> None:
    world.client("dynamodb").delete_item(
        TableName=world.wiring.environment.accounts_table, Key={"pk": {"S": pk}, "sk": {"S": sk}}
    )


def outcome(answer: Response) -> str:
    assert answer.status == 200, (answer.status, answer.body)
    told: str = json.loads(answer.body)["outcome"]
    return told


def open_titles(desk: Desk) -> list[str]:
    return [one["title"] for one in desk.data("/console")["notices"]]


def tell(world: LocalWorld, parked: Parked | None) -> str:
    """A notice as the sweep writes it."""
    one = Notice(
        id=world.wiring.new_id(),
        kind=NoticeKind.PARKED,
        title="Some work was set aside",
        detail="",
        created_at=world.now(),
        parked=parked,
    )
    transactions.notify([one])
    return one.id


# --- going again -----------------------------------------------------------------------------


def test_a_renewal_goes_on_where_it_was_from_a_button_on_its_notice(world: LocalWorld) -> None:
    renewal = SetAside(world)
    manager = staff(world, Role.MANAGER)
    page = manager.page("/console")
    assert "A renewal was set aside" in page
    assert f'action="{renewal.path}"' in page
    assert "Try again" in page
    pressed = manager.ask("POST", renewal.path, accept="text/html")
    assert pressed.status == 303
    headers = {name.lower(): value for name, value in pressed.headers}
    assert headers["location"] == "/console?done=work_set_going"
    assert "It is tried again within two minutes." in manager.page(headers["location"])
    assert renewal.charged() == [], "the press itself does no work"
    world.run_due()
    assert renewal.charged() == ["2026-03-05 12:00"]
    assert open_titles(manager) == []
    (event,) = events_of(renewal.ada, "notice:released")
    assert (event.by, event.before, event.after) == ("manager@happypaws.example", "parked", "due")
    told = manager.data(f"/console/customers/{renewal.ada}")["timeline"]
    assert "Tried again after the notice “A renewal was set aside”" in [one["what"] for one in told]


def test_it_keeps_its_true_moment_and_counts_its_tries_from_zero(world: LocalWorld) -> None:
    renewal = SetAside(world)
    before = item(world, *renewal.keys)
    assert "due_at" not in before
    assert staff(world).post(renewal.path).status == 200
    after = item(world, *renewal.keys)
    assert after["due_at"]["S"].startswith("2026-03-05T12:00:00Z#renewals#")
    assert after["due_for"] == before["due_for"]
    assert after["due_for"]["S"].startswith("2026-02-28T04:59:00Z#renewals#")
    assert after["due_tries"] == {"N": "0"}


def test_what_fails_five_times_again_is_set_aside_again_with_a_notice_of_its_own(
    world: LocalWorld,
) -> None:
    renewal = SetAside(world)
    spoil(world, *renewal.keys)
    assert outcome(staff(world).post(renewal.path)) == "set_going"
    world.advance(timedelta(minutes=70))
    assert shop.notices(NoticeKind.PARKED) == [], "four failures are not five"
    world.advance(timedelta(days=3))
    (again,) = shop.notices(NoticeKind.PARKED)
    assert again.id != renewal.notice.id
    spoil(world, *renewal.keys, body=renewal.whole)
    # The first notice's button, on a page that is days old, does nothing any more.
    assert outcome(staff(world).post(renewal.path)) == "set_going"
    assert "due_at" not in item(world, *renewal.keys)
    assert outcome(staff(world).post(f"/console/notices/{again.id}/release")) == "set_going"
    world.run_due()
    assert len(renewal.charged()) == 1


def test_pressed_twice_or_by_two_it_happens_once(world: LocalWorld) -> None:
    renewal = SetAside(world)
    olga, manager = staff(world), staff(world, Role.MANAGER)
    first = json.loads(olga.post(renewal.path).body)
    assert first["notice"]["done_by"] == "owner@happypaws.example"
    assert json.loads(olga.post(renewal.path).body) == first
    assert json.loads(manager.post(renewal.path).body) == first
    world.run_due()
    assert json.loads(manager.post(renewal.path).body) == first
    world.run_due()
    assert len(renewal.charged()) == 1
    assert len(events_of(renewal.ada, "notice:released")) == 1


def test_marked_done_by_mistake_it_can_still_be_tried_again(world: LocalWorld) -> None:
    renewal = SetAside(world)
    olga = staff(world)
    assert olga.post(f"/console/notices/{renewal.notice.id}/done").status == 200
    world.run_due()
    assert renewal.charged() == [], "marked done without trying again, it stays undone"
    assert outcome(olga.post(renewal.path)) == "set_going"
    world.run_due()
    assert len(renewal.charged()) == 1


# --- nothing to do ---------------------------------------------------------------------------


def test_a_parked_charge_that_a_webhook_settles_is_left_alone(world: LocalWorld) -> None:
    ada = shop.customer_with_card(world)
    world.sandbox.webhooks(hold=True)
    world.sandbox.misbehave(Operation.CHARGE, Fault.TIMEOUT_AFTER)
    shop.buy(world, ada, "ten")
    (charge,) = shop.charges_of(ada)
    keys = f"customer#{ada}", f"charge#{charge.source}"
    whole = spoil(world, *keys)
    world.advance(timedelta(days=1))
    (notice,) = shop.notices(NoticeKind.PARKED)
    assert notice.title == "The check of a payment was set aside"
    spoil(world, *keys, body=whole)
    world.sandbox.release_webhooks()
    world.run_due()
    settled = item(world, *keys)
    assert len(shop.packs_of(ada)) == 1
    olga = staff(world)
    assert outcome(olga.post(f"/console/notices/{notice.id}/release")) == "not_parked"
    assert item(world, *keys) == settled
    assert open_titles(olga) == []
    assert len(events_of(ada, "notice:done")) == 1
    assert events_of(ada, "notice:released") == []
    world.run_due()
    assert len(shop.asked_of(world, ada)) == 1
    assert len(shop.packs_of(ada)) == 1
    again = olga.ask("POST", f"/console/notices/{notice.id}/release", accept="text/html")
    headers = {name.lower(): value for name, value in again.headers}
    assert "This is not set aside any more" in olga.page(headers["location"])


def test_what_moved_on_and_waits_for_its_next_moment_is_left_alone(world: LocalWorld) -> None:
    renewal = SetAside(world)
    olga = staff(world)
    path = f"/console/customers/{renewal.ada}/subscriptions/{renewal.keys[1].partition('#')[2]}"
    assert olga.post(f"{path}/cancel", when="now").status == 200
    before = item(world, *renewal.keys)
    assert outcome(olga.post(renewal.path)) == "not_parked"
    assert item(world, *renewal.keys) == before
    world.advance(timedelta(days=40))
    assert renewal.charged() == []


def test_what_is_gone_is_not_made_anew(world: LocalWorld) -> None:
    put_due(world, "address#x", "message#y", "2026-01-01T00:00:00Z#deliver#address#x/message#y")
    spoil(world, "address#x", "message#y")
    world.advance(timedelta(days=1))
    (notice,) = shop.notices(NoticeKind.PARKED)
    assert (notice.title, notice.customer_id) == ("An email was set aside", None)
    remove(world, "address#x", "message#y")
    assert outcome(staff(world).post(f"/console/notices/{notice.id}/release")) == "not_parked"
    assert item(world, "address#x", "message#y") == {}
    assert shop.notices(NoticeKind.PARKED) == []


def test_a_notice_of_earlier_does_not_set_other_work_going(world: LocalWorld) -> None:
    renewal = SetAside(world)
    pk, sk = renewal.keys
    earlier = tell(world, Parked(pk=pk, sk=sk, worker="reminders"))
    before = item(world, *renewal.keys)
    assert outcome(staff(world).post(f"/console/notices/{earlier}/release")) == "not_parked"
    assert item(world, *renewal.keys) == before
    assert [one.id for one in shop.notices(NoticeKind.PARKED)] == [renewal.notice.id]


def test_what_a_worker_has_on_its_lease_is_left_alone(world: LocalWorld) -> None:
    renewal = SetAside(world)
    pk, sk = renewal.keys
    second = tell(world, Parked(pk=pk, sk=sk, worker="renewals"))
    spoil(world, *renewal.keys)
    olga = staff(world)
    assert outcome(olga.post(renewal.path)) == "set_going"
    world.run_due()
    leased = item(world, *renewal.keys)
    assert leased["due_at"]["S"].startswith("2026-03-05T12:05:00Z#renewals#")
    assert outcome(olga.post(f"/console/notices/{second}/release")) == "not_parked"
    assert item(world, *renewal.keys) == leased
    spoil(world, *renewal.keys, body=renewal.whole)
    world.advance(timedelta(minutes=10))
    assert len(renewal.charged()) == 1


@pytest.mark.parametrize("rest", ["#teleports#a/b", "#renewals", ""])
def test_what_this_version_does_not_know_stays_where_it_is(world: LocalWorld, rest: str) -> None:
    put_due(world, "a", "b", f"2026-01-01T00:00:00Z{rest}")
    world.advance(timedelta(minutes=2))
    (notice,) = shop.notices(NoticeKind.PARKED)
    assert notice.title == "Some work was set aside"
    olga = staff(world)
    path = f"/console/notices/{notice.id}/release"
    assert path not in olga.page("/console")
    before = item(world, "a", "b")
    assert outcome(olga.post(path)) == "not_known"
    assert item(world, "a", "b") == before
    assert open_titles(olga) == ["Some work was set aside"]
    assert "does not know how to do it" in olga.page("/console?done=work_not_known")
    assert olga.post(f"/console/notices/{notice.id}/done").status == 200


def test_after_an_update_that_knows_the_worker_it_goes_again(world: LocalWorld) -> None:
    renewal = SetAside(world)
    remove(world, "notices", f"open#{renewal.notice.id}")
    # As an older version would have left it: parked at first sight, for a worker known since.
    pk, sk = renewal.keys
    late = tell(world, Parked(pk=pk, sk=sk, worker="renewals"))
    assert outcome(staff(world).post(f"/console/notices/{late}/release")) == "set_going"
    world.run_due()
    assert len(renewal.charged()) == 1


def test_a_notice_without_anything_parked_has_no_button_and_says_so(world: LocalWorld) -> None:
    stored = '{"id": "1", "kind": "parked", "title": "t", "detail": "d", "created_at": %s}'
    old = Notice.model_validate_json(stored % json.dumps(world.now().isoformat()))
    assert old.parked is None
    transactions.notify([old])
    olga = staff(world)
    assert open_titles(olga) == ["t"]
    path = "/console/notices/1/release"
    assert path not in olga.page("/console")
    refused = olga.post(path)
    assert (refused.status, code_of(refused)) == (409, "nothing_parked")
    assert open_titles(olga) == ["t"]
    assert olga.post("/console/notices/none/release").status == 404


# --- who -------------------------------------------------------------------------------------


def test_a_clerk_sees_it_without_the_button_and_may_not(world: LocalWorld) -> None:
    renewal = SetAside(world)
    clerk = staff(world, Role.CLERK)
    page = clerk.page("/console")
    assert "A renewal was set aside" in page
    assert renewal.path not in page
    refused = clerk.post(renewal.path)
    assert (refused.status, code_of(refused)) == (403, "role_not_allowed")
    assert "due_at" not in item(world, *renewal.keys)


def test_what_is_set_aside_of_another_locations_customer_is_not_there(world: LocalWorld) -> None:
    renewal = SetAside(world)
    bert = staff(world, Role.MANAGER, email="bert@happypaws.example", locations=("be",))
    nora = staff(world, Role.MANAGER, email="nora@happypaws.example", locations=("ny",))
    assert open_titles(bert) == []
    assert bert.post(renewal.path).status == 404
    assert bert.post(f"/console/notices/{renewal.notice.id}/done").status == 404
    assert "due_at" not in item(world, *renewal.keys)
    assert open_titles(nora) == ["A renewal was set aside"]
    assert outcome(nora.post(renewal.path)) == "set_going"


def test_of_many_customers_notices_every_page_names_them_all(world: LocalWorld) -> None:
    ada = shop.newcomer(world)
    for number in range(95):
        one = Notice(
            id=f"notice-{number:03}",
            kind=NoticeKind.PARKED,
            customer_id=f"gone-{number}" if number else ada,
            title=f"{number}",
            detail="",
            created_at=world.now(),
        )
        transactions.notify([one])
    olga = staff(world)
    seen: list[dict[str, Any]] = []
    query: str | None = ""
    while query is not None:
        page = olga.data(f"/console{query}")
        seen += page["notices"]
        query = f"?after=open%23{page['next'][5:]}" if page["next"] else None
    assert [one["title"] for one in seen] == [str(number) for number in reversed(range(95))]
    assert seen[-1]["customer_name"] == "Ada"


def test_every_worker_has_words_for_staff() -> None:
    assert set(WORK) == set(Worker)
