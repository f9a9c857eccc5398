"""Credits that staff add and take off ([LEDGER], [PACK], [PACKMAIL], [KEY])."""

import json
from typing import Any

from infra.local.http_api import Response
from infra.local.world import LocalWorld
from shared.domain.message import MessageKind
from shared.domain.pack import EntryKind, Pack
from shared.store import accounts
from shared.store.reading import read
from shared.store.writing import commit, replace
from tests import shop_floor as shop
from tests.console.office import Desk, code_of, events_of, mails_to, staff


def ten(world: LocalWorld, **changes: Any) -> Pack:
    """A pack of ten classes that was just bought."""
    ada = shop.customer_with_card(world)
    shop.buy(world, ada, "ten")
    (pack,) = shop.packs_of(ada)
    if changes:
        ref = accounts.pack(ada, pack.id)
        row = read(ref).get(ref)
        assert row is not None
        commit([replace(row, row.value.model_copy(update=changes))])
    return pack


def change(desk: Desk, pack: Pack, delta: Any, key: str = "", reason: str = "Missed") -> Response:
    return desk.post(
        f"/console/customers/{pack.customer_id}/packs/{pack.id}/credits",
        delta=delta,
        reason=reason,
        idempotency_key=key or f"key-of-{delta}-{reason}",
    )


def now_of(pack: Pack) -> Pack:
    (found,) = shop.packs_of(pack.customer_id)
    return found


def test_credits_are_taken_off_and_added_with_a_reason_in_the_ledger(world: LocalWorld) -> None:
    pack, olga = ten(world), staff(world)
    taken = json.loads(change(olga, pack, -3, reason="Came with two friends").body)["entry"]
    assert (taken["kind"], taken["delta"], taken["left"]) == ("deduct", -3, 7)
    given = json.loads(change(olga, pack, 2, reason="Class was cancelled").body)["entry"]
    assert (given["kind"], given["delta"], given["left"]) == ("grant", 2, 9)
    assert now_of(pack).left == 9
    ledger = shop.entries_of(pack)
    assert sum(entry.delta for entry in ledger) == 9, "balance = sum of entries"
    assert {entry.by for entry in ledger if entry.reason == "Class was cancelled"} == {
        "owner@happypaws.example"
    }
    events = events_of(pack.customer_id, "credits")
    assert sorted((event.before, event.after) for event in events) == [("10", "7"), ("7", "9")]
    page = olga.data(f"/console/customers/{pack.customer_id}")
    lines = {line["what"]: line for line in page["timeline"] if line["kind"] == "pack"}
    line = lines["3 classes taken off Ten; 7 left"]
    assert (line["detail"], line["by"]) == ("Came with two friends.", "owner@happypaws.example")


def test_credits_never_fall_below_zero(world: LocalWorld) -> None:
    pack, olga = ten(world), staff(world)
    refused = change(olga, pack, -11)
    assert (refused.status, code_of(refused)) == (409, "not_enough_credits")
    assert now_of(pack).left == 10
    assert len(shop.entries_of(pack)) == 1
    assert change(olga, pack, -10).status == 201
    assert change(olga, pack, -1).status == 409
    assert now_of(pack).left == 0


def test_the_same_press_answers_the_same_and_changes_credits_once(world: LocalWorld) -> None:
    pack, olga = ten(world), staff(world)
    first = change(olga, pack, -1, "one-press-of-it")
    again = change(olga, pack, -1, "one-press-of-it")
    assert first.status == again.status == 201
    assert json.loads(first.body) == json.loads(again.body)
    assert now_of(pack).left == 9
    other = change(olga, pack, -2, "one-press-of-it")
    assert (other.status, code_of(other)) == (409, "idempotency_key_reused")
    assert now_of(pack).left == 9
    kept = [entry for entry in shop.entries_of(pack) if entry.kind is EntryKind.DEDUCT]
    assert len(kept) == 1


def test_a_press_without_a_key_is_refused(world: LocalWorld) -> None:
    pack, olga = ten(world), staff(world)
    path = f"/console/customers/{pack.customer_id}/packs/{pack.id}/credits"
    answer = olga.post(path, delta=-1, reason="Missed")
    assert answer.status == 422
    assert set(json.loads(answer.body)["fields"]) == {"Idempotency-Key"}


def test_bad_input_names_its_field_and_changes_nothing(world: LocalWorld) -> None:
    pack, olga = ten(world), staff(world)
    for delta, reason, field in (
        (0, "Nothing", "delta"),
        ("many", "Words", "delta"),
        (10**9, "Huge", "delta"),
        (-1, "", "reason"),
        (-1, "  ", "reason"),
        (-1, "x" * 201, "reason"),
    ):
        answer = change(olga, pack, delta, "key-of-bad-input", reason)
        assert answer.status == 422, (delta, reason)
        assert set(json.loads(answer.body)["fields"]) == {field}
    assert now_of(pack).left == 10


def test_an_expired_pack_keeps_what_it_has(world: LocalWorld) -> None:
    pack = ten(world)
    shop.go_to(world, "2026-06-01 12:00")
    refused = change(staff(world), pack, 5)
    assert (refused.status, code_of(refused)) == (409, "pack_expired")
    assert now_of(pack).left == 0


def test_an_unlimited_pack_has_nothing_to_count(world: LocalWorld) -> None:
    ada = shop.subscribed(world, "open")
    (pack,) = shop.packs_of(ada)
    refused = change(staff(world), pack, -1)
    assert (refused.status, code_of(refused)) == (409, "pack_unlimited")


def low_mails(pack: Pack) -> int:
    return len(shop.messages_of(pack.customer_id, MessageKind.CREDITS_LOW))


def test_the_email_about_few_credits_goes_out_once(world: LocalWorld) -> None:
    pack, olga = ten(world, email_credits_left=3), staff(world)
    change(olga, pack, -6)
    assert low_mails(pack) == 0, "4 are left"
    change(olga, pack, -1)
    assert low_mails(pack) == 1, "they fell to 3"
    change(olga, pack, -2)
    change(olga, pack, 5)
    change(olga, pack, -4)
    assert now_of(pack).left == 2
    assert low_mails(pack) == 1
    world.run_due()
    about = [mail for mail in mails_to(world, "ada@example.com") if "has 3 credits" in mail.text]
    assert len(about) == 1


def test_without_a_number_at_the_product_no_email_is_sent(world: LocalWorld) -> None:
    pack, olga = ten(world), staff(world)
    change(olga, pack, -10)
    assert low_mails(pack) == 0
