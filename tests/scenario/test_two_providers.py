"""The sandbox and Stripe side by side, over HTTP alone: the owner moves new cards, each card is
charged where it was saved, and a key that is revoked at the one troubles nobody at the other
([MANY])."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.world import LocalWorld
from shared.store import catalogue as catalogues
from shared.store.staff import Role, StaffMember, write_staff_member
from tests.scenario.person import Person, move_clock
from tests.scenario.test_fourteen_months import CATALOGUE, START, join

WORKS = "4242424242424242"
OWNER = "olga@happypaws.example"
PROVIDERS = "/console/providers"


@pytest.fixture
def world() -> Iterator[LocalWorld]:
    with LocalWorld(start=START) as opened:
        catalogues.publish(CATALOGUE)
        write_staff_member(StaffMember(email=OWNER, name="Olga", role=Role.OWNER))
        yield opened
        assert opened.errors == []
        assert opened.dead_letters == []


def olga(world: LocalWorld) -> Person:
    found = Person(world, OWNER)
    found.sign_in(at="/console/sign-in")
    return found


def check(staff: Person) -> dict[str, Any]:
    """What the button tells of each provider."""
    answer = staff.ask("POST", f"{PROVIDERS}/check", accept="application/json")
    assert answer.status == 200, answer.body
    return {one["name"]: one for one in json.loads(answer.body)["providers"]}


def prefer(staff: Person, name: str) -> None:
    """As the form of the page does it."""
    version = re.search(r'name="version" value="(\d+)"', staff.page(PROVIDERS))
    assert version is not None
    fields = {"provider": name, "version": version[1]}
    landed = staff.go("POST", f"{PROVIDERS}/preferred", fields)
    assert landed.status == 200
    assert "New cards go there from now on" in landed.body.decode()


def paid(bank: Any) -> list[str]:
    """When each provider took money, as UTC."""
    return [f"{one.created_at:%Y-%m-%d %H:%M}" for one in bank.charges() if one.kept]


def test_new_cards_move_with_the_setting_and_each_is_charged_where_it_was_saved(
    world: LocalWorld,
) -> None:
    ada = join(world, "ada@example.com", "ny", WORKS)
    staff = olga(world)
    told = check(staff)
    assert [(told[name]["checked"], told[name]["wrong"]) for name in ("sandbox", "stripe")] == [
        (True, []),
        (True, []),
    ]
    assert (told["stripe"]["live"], told["sandbox"]["preferred"]) == (False, True)
    prefer(staff, "stripe")
    # Ben is new: his card is entered at Stripe. Ada's stays where it is.
    ben = join(world, "ben@example.com", "ny", WORKS)
    assert (len(paid(world.banks.sandbox)), len(paid(world.banks.stripe))) == (1, 1)
    move_clock(world, "2026-03-01T05:00:00Z")
    assert paid(world.banks.sandbox) == ["2026-01-31 15:00", "2026-02-28 04:59"]
    assert paid(world.banks.stripe) == ["2026-01-31 15:00", "2026-02-28 04:59"]

    # Ada adds a second card: it goes to Stripe, and each of hers pays where it was saved.
    ada.sign_in()
    ada.save_card(WORKS)
    first, second = ada.data("/cards")["cards"]
    for one in (first, second):
        ada.add("mat", quantity=1)
        assert ada.pay(card=one["card"]["id"]).status == 200
    assert (len(paid(world.banks.sandbox)), len(paid(world.banks.stripe))) == (3, 3)

    # The merchant's key at Stripe is revoked: Ben's renewal is refused, Ada's is not troubled.
    key = world.banks.settings["stripe"]["key"]
    world.banks.stripe.revoke(key)
    move_clock(world, "2026-03-31T12:00:00Z")
    ben.sign_in()
    ada.sign_in()
    assert ada.data("/account")["past_due"] == []
    (late,) = ben.data("/account")["past_due"]
    assert late["needs"] == "merchant"
    assert "Your card is not to blame" in ben.page("/account")
    mail = next(one for one in ben.mails() if "go through" in one["subject"])
    told_ben = " ".join(mail["text"].split())
    assert "Your card is not to blame" in told_ben
    assert "declined" not in told_ben
    staff = olga(world)
    refusals = [
        one for one in staff.data("/console")["notices"] if one["kind"] == "provider_refuses"
    ]
    assert len(refusals) == 1
    assert "stripe" in refusals[0]["title"]
    told = check(staff)
    assert [one["kind"] for one in told["stripe"]["wrong"]] == ["key_refused"]
    assert told["sandbox"]["wrong"] == []

    # It is put right: the next slot collects, and nobody was charged twice.
    world.banks.stripe.revoke(key, revoked=False)
    move_clock(world, "2026-04-01T12:00:00Z")
    ben.sign_in()
    assert ben.data("/account")["past_due"] == []
    assert paid(world.banks.stripe)[-1] == "2026-04-01 03:59", "one of six slots has passed"
