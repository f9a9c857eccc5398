"""Staff move the day on which a pack expires ([PACK], [PACKMAIL], [KEY])."""

import json
from typing import Any

import pytest

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.message import MessageKind
from shared.domain.pack import Pack
from shared.store import accounts
from shared.store.reading import read
from shared.store.staff import Role
from shared.store.writing import commit, replace
from tests import shop_floor as shop
from tests.console.office import (
    Desk,
    activity_at,
    book,
    code_of,
    customer,
    events_of,
    staff,
    told,
)


def ten(world: LocalWorld, **changes: Any) -> Pack:
    """A pack of ten classes that was just bought, for 90 days."""
    ada = shop.customer_with_card(world)
    shop.buy(world, ada, "ten")
    (pack,) = shop.packs_of(ada)
    if changes:
        ref = accounts.pack(ada, pack.id)
        row = read(ref).get(ref)
        assert row is not None
        commit([replace(row, row.value.model_copy(update=changes))])
    return pack


def move(
    world: LocalWorld,
    pack: Pack,
    to: str,
    desk: Desk | None = None,
    *,
    key: str = "",
    reason: str = "She was ill",
) -> Response:
    path = f"/console/customers/{pack.customer_id}/packs/{pack.id}/expiry"
    sent = {"expires_on": to, "reason": reason, "idempotency_key": key or f"to-the-day-{to}"}
    return (desk or staff(world)).post(path, **sent)


def now_of(pack: Pack) -> Pack:
    (found,) = shop.packs_of(pack.customer_id)
    return found


def test_it_expires_at_2359_of_the_new_day_and_not_before(world: LocalWorld) -> None:
    pack = ten(world)
    assert shop.text(pack.expires_at) == "2026-05-01 03:59", "90 days from 31 January"
    answer = move(world, pack, "2026-06-30")
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["expires_at"] == "2026-07-01T03:59:00Z"
    shown = customer(world, pack.customer_id).data(f"/packs/{pack.id}")
    assert shown["pack"]["expires_at"] == "2026-07-01T03:59:00Z"
    shop.go_to(world, "2026-07-01 03:58")
    assert now_of(pack).left == 10
    shop.go_to(world, "2026-07-01 03:59")
    assert now_of(pack).left == 0
    assert now_of(pack).ended_at is not None


def test_it_is_written_down_with_who_why_before_and_after(world: LocalWorld) -> None:
    pack = ten(world)
    move(world, pack, "2026-03-15", staff(world, Role.MANAGER))
    (event,) = events_of(pack.customer_id, "expiry")
    assert (event.by, event.about) == ("manager@happypaws.example", "She was ill")
    assert (event.before, event.after) == ("2026-04-30", "2026-03-15")
    lines = {one["what"]: one for one in told(staff(world), pack.customer_id)}
    line = lines["The expiry of Ten was moved from April 30, 2026 to March 15, 2026"]
    assert (line["detail"], line["by"]) == ("She was ill.", "manager@happypaws.example")


def test_moved_later_it_is_announced_again(world: LocalWorld) -> None:
    pack = ten(world, email_days_before_expiry=7)
    shop.go_to(world, "2026-04-25 12:00")
    assert shop.told_at(pack.customer_id, MessageKind.PACK_EXPIRING) == ["2026-04-24 03:59"]
    for day in ("2026-05-31", "2026-05-30", "2026-05-31"):
        assert (
            move(world, pack, day, key=f"a-press-{day}-{now_of(pack).expiry_moves}").status == 200
        )
    shop.go_to(world, "2026-06-02 12:00")
    assert shop.told_at(pack.customer_id, MessageKind.PACK_EXPIRING) == [
        "2026-04-24 03:59",
        "2026-05-25 03:59",
    ]
    assert now_of(pack).left == 0


def test_what_has_expired_stays_so(world: LocalWorld) -> None:
    pack = ten(world)
    shop.go_to(world, "2026-05-01 03:59")
    refused = move(world, pack, "2026-06-30")
    assert (refused.status, code_of(refused)) == (409, "pack_expired")
    assert now_of(pack).ended_at is not None


@pytest.mark.parametrize(
    ("to", "reason", "field"),
    [
        ("2026-01-30", "Late", "expires_on"),
        ("2036-12-31", "Far", "expires_on"),
        ("2026-02-30", "No day", "expires_on"),
        ("9999-12-31", "Very far", "expires_on"),
        ("soon", "Words", "expires_on"),
        ("2026-06-30", "", "reason"),
        ("2026-06-30", "   ", "reason"),
        ("2026-06-30", "x" * 201, "reason"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_changes(
    world: LocalWorld, to: str, reason: str, field: str
) -> None:
    pack = ten(world)
    answer = move(world, pack, to, key="one-press-of-it", reason=reason)
    assert answer.status == 422, answer.body
    assert set(json.loads(answer.body)["fields"]) == {field}
    assert now_of(pack) == pack


def test_today_until_2359_is_not_past(world: LocalWorld) -> None:
    pack = ten(world)
    assert move(world, pack, "2026-01-31").status == 200
    shop.go_to(world, "2026-02-01 04:59")
    assert now_of(pack).left == 0


def test_not_before_something_that_is_booked_with_it(world: LocalWorld) -> None:
    pack = ten(world)
    book(world, pack.customer_id, activity_at(world))  # three days from now
    refused = move(world, pack, "2026-02-02")
    assert (refused.status, code_of(refused)) == (409, "would_strand")
    assert now_of(pack).expires_at == pack.expires_at
    assert move(world, pack, "2026-02-03").status == 200


def test_a_pack_without_an_expiry_has_none_to_move(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "month")
    (pack,) = shop.packs_of(ada)
    refused = move(world, pack, "2026-06-30")
    assert (refused.status, code_of(refused)) == (409, "pack_without_expiry")


def test_the_same_press_moves_it_once(world: LocalWorld) -> None:
    pack = ten(world)
    first = move(world, pack, "2026-06-30", key="one-press-of-it")
    again = move(world, pack, "2026-06-30", key="one-press-of-it")
    assert (first.status, again.status) == (200, 200)
    assert len(events_of(pack.customer_id, "expiry")) == 1
    other = move(world, pack, "2026-07-30", key="one-press-of-it")
    assert (other.status, code_of(other)) == (409, "idempotency_key_reused")


def test_clerks_may_not_and_other_locations_see_nothing(world: LocalWorld) -> None:
    pack = ten(world)
    refused = move(world, pack, "2026-06-30", staff(world, Role.CLERK))
    assert (refused.status, code_of(refused)) == (403, "role_not_allowed")
    berlin = staff(world, Role.MANAGER, locations=("be",))
    assert move(world, pack, "2026-06-30", berlin).status == 404
    ben = shop.newcomer(world, "ben@example.com")
    foreign = pack.model_copy(update={"customer_id": ben})
    assert move(world, foreign, "2026-06-30").status == 404
    assert now_of(pack) == pack
