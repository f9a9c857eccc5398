"""What staff see of payment providers, and who may choose where new cards go ([MANY], [ACCESS])."""

import json
from typing import Any

import pytest

from functions.console import providers as pages
from functions.console.pages.provider_models import Wrong
from infra.local.sandbox import Sandbox
from infra.local.sandbox_faults import Fault, Operation
from infra.local.world import LocalWorld
from shared.domain.errors import Conflict
from shared.operations import providers
from shared.operations.providers import Trouble
from shared.providers.port import SetupProblem
from shared.store import catalogue as catalogues
from shared.store.catalogue import SNAPSHOT
from shared.store.reading import read
from shared.store.staff import Role, StaffMember
from tests import second_provider
from tests.console.office import Desk, code_of, customer, staff
from tests.second_provider import NAME as SECOND
from tests.shop_floor import catalogue_of, context_of, customer_with_card, head

PATH = "/console/providers"


@pytest.fixture(autouse=True)
def _few(world: LocalWorld) -> None:
    second_provider.only_the_sandbox(world)


@pytest.fixture
def second(world: LocalWorld) -> Sandbox:
    return second_provider.set_up(world)


def shown(desk: Desk) -> Any:
    return desk.data(PATH)


def checked(desk: Desk) -> dict[str, Any]:
    """What the button tells, by the provider's name."""
    answer = desk.post(f"{PATH}/check")
    assert answer.status == 200, answer.body
    return {one["name"]: one for one in json.loads(answer.body)["providers"]}


def prefer(desk: Desk, name: str, version: int | None = None) -> Any:
    return desk.post(f"{PATH}/preferred", provider=name, version=version or shown(desk)["version"])


def wrong(row: Any) -> list[str]:
    return [one["kind"] for one in row["wrong"]]


# --- looking ---------------------------------------------------------------------------------


def test_the_page_names_every_provider_and_where_new_cards_go_without_asking_any(
    world: LocalWorld, second: Sandbox
) -> None:
    for bank in (world.sandbox, second):
        bank.misbehave(Operation.ANY, Fault.ERROR_BEFORE)
    page = shown(staff(world))
    rows = {one["name"]: one for one in page["providers"]}
    assert set(rows) == {"sandbox", SECOND}
    assert (rows["sandbox"]["preferred"], rows[SECOND]["preferred"]) == (True, False)
    assert (page["preferred"], page["chosen"], page["checked_at"]) == ("sandbox", False, None)
    assert all(one["checked"] is False and one["wrong"] == [] for one in rows.values())
    told = world.sandbox.handle("GET", "/control", {"authorization": f"Bearer {key(world)}"}, b"")
    assert len(json.loads(told[2])["misbehaviour"]) == 1, "nobody was asked"


def key(world: LocalWorld) -> str:
    found: str = world.parameters.content["sandbox"]["key"]
    return found


def test_the_button_shows_what_each_provider_says_of_itself(
    world: LocalWorld, second: Sandbox
) -> None:
    second.misbehave(Operation.ANY, Fault.KEY_REFUSED)
    found = checked(staff(world))
    first, other = found["sandbox"], found[SECOND]
    assert (first["checked"], first["live"], first["account"]) == (True, False, "sandbox")
    assert wrong(first) == []
    assert wrong(other) == ["key_refused"]
    assert "key" in other["wrong"][0]["sentence"]


@pytest.mark.usefixtures("second")
def test_a_provider_that_does_not_answer_keeps_no_other_from_being_shown(world: LocalWorld) -> None:
    world.sandbox.misbehave(Operation.ANY, Fault.TIMEOUT_BEFORE)
    found = checked(staff(world))
    assert (wrong(found["sandbox"]), found["sandbox"]["checked"]) == (["no_answer"], False)
    assert (wrong(found[SECOND]), found[SECOND]["checked"]) == ([], True)


def test_a_setting_that_is_missing_is_named_and_never_shown(world: LocalWorld) -> None:
    world.wiring.provider_overrides.clear()
    whole = world.parameters.content["sandbox"]
    world.parameters.content = {"sandbox": {"url": whole["url"], "key": whole["key"]}}
    desk = staff(world)
    (row,) = shown(desk)["providers"]
    assert wrong(row) == ["settings_incomplete"]
    assert "webhook_secrets" in row["wrong"][0]["detail"]
    page = desk.page(PATH)
    assert "webhook_secrets" in page
    assert whole["key"] not in page
    assert wrong(checked(desk)["sandbox"]) == ["settings_incomplete"]


def test_settings_that_nobody_can_read_are_said_to_be_so(world: LocalWorld) -> None:
    world.wiring.provider_overrides.clear()
    world.parameters.gone = True
    desk = staff(world)
    page = shown(desk)
    assert (page["readable"], page["providers"][0]["name"]) == (False, "sandbox")
    assert wrong(page["providers"][0]) == ["not_set_up"]
    assert "settings of the providers can" in desk.page(PATH)
    answer = prefer(desk, "sandbox")
    assert (answer.status, code_of(answer)) == (503, "unavailable")


def test_a_preferred_provider_that_is_not_set_up_is_shown_as_what_is_wrong(
    world: LocalWorld,
) -> None:
    catalogues.publish(catalogue_of(preferred_provider="stripe"))
    rows = {one["name"]: one for one in shown(staff(world))["providers"]}
    assert wrong(rows["stripe"]) == ["not_set_up"]
    assert (rows["stripe"]["preferred"], rows["stripe"]["set_up"]) == (True, False)
    assert rows["sandbox"]["preferred"] is False


@pytest.mark.usefixtures("second")
def test_people_see_the_same_and_find_the_page_from_every_other(world: LocalWorld) -> None:
    desk = staff(world)
    assert PATH in desk.page("/console")
    page = desk.page(PATH)
    assert "Sandbox" in page and "Second" in page
    answer = desk.ask("POST", f"{PATH}/check", accept="text/html")
    assert answer.status == 200
    assert "nothing is wrong" in answer.body.decode()


# --- choosing --------------------------------------------------------------------------------


@pytest.mark.usefixtures("second")
def test_new_cards_go_where_the_owner_says_and_those_on_file_stay(world: LocalWorld) -> None:
    ada = customer_with_card(world)
    owner = staff(world)
    assert prefer(owner, SECOND).status == 200
    answer = customer(world, ada).post("/cards")
    assert f"/_local/{SECOND}/" in json.loads(answer.body)["url"]
    assert [one.provider for one in head(ada).value.cards] == ["sandbox"]


@pytest.mark.usefixtures("second")
def test_the_choice_is_written_down_with_who_when_before_and_after(world: LocalWorld) -> None:
    owner = staff(world)
    prefer(owner, SECOND)
    prefer(owner, "sandbox")
    back, there = shown(owner)["changes"]
    assert (there["before"], there["after"], there["by"]) == ("", SECOND, "owner@happypaws.example")
    assert (back["before"], back["after"]) == (SECOND, "sandbox")
    assert back["at"] == f"{world.now():%Y-%m-%dT%H:%M:%SZ}"
    assert "owner@happypaws.example" in owner.page(PATH)


@pytest.mark.usefixtures("second")
def test_people_come_back_to_the_page_which_says_what_was_done(world: LocalWorld) -> None:
    owner = staff(world)
    fields = {"provider": SECOND, "version": shown(owner)["version"]}
    answer = owner.ask("POST", f"{PATH}/preferred", fields, accept="text/html")
    location = next(value for name, value in answer.headers if name.lower() == "location")
    assert (answer.status, location) == (303, f"{PATH}?done=provider_preferred")
    assert "New cards go there from now on" in owner.page(location)


@pytest.mark.parametrize("name", ["stripe", "nobody", "sandbox " * 20, ""])
def test_one_that_is_not_set_up_is_refused_and_named(world: LocalWorld, name: str) -> None:
    owner = staff(world)
    before = read(SNAPSHOT).get(SNAPSHOT)
    answer = prefer(owner, name)
    assert answer.status == 422
    assert list(json.loads(answer.body)["fields"]) == ["provider"]
    assert read(SNAPSHOT).get(SNAPSHOT) == before
    assert shown(owner)["changes"] == []


def test_one_whose_settings_are_not_complete_is_refused(world: LocalWorld) -> None:
    world.wiring.provider_overrides.clear()
    world.parameters.content["cardpointe"] = {}
    answer = prefer(staff(world), "cardpointe")
    assert (answer.status, list(json.loads(answer.body)["fields"])) == (422, ["provider"])


@pytest.mark.usefixtures("second")
def test_a_change_of_the_catalogue_meanwhile_answers_409_and_changes_nothing(
    world: LocalWorld,
) -> None:
    owner = staff(world)
    seen = shown(owner)["version"]
    catalogues.publish(catalogue_of(merchant_name="Happier Paws"))
    answer = prefer(owner, SECOND, seen)
    assert (answer.status, code_of(answer)) == (409, "catalogue_changed")
    page = shown(owner)
    assert (page["preferred"], page["changes"]) == ("sandbox", [])
    fields = {"provider": SECOND, "version": seen}
    people = owner.ask("POST", f"{PATH}/preferred", fields, accept="text/html")
    assert people.status == 409
    assert "Look at them again" in people.body.decode()
    assert prefer(owner, SECOND).status == 200


@pytest.mark.usefixtures("second")
def test_of_two_choices_at_one_moment_one_is_told_so(world: LocalWorld) -> None:
    row = read(SNAPSHOT).get(SNAPSHOT)
    assert row is not None
    owner = StaffMember(email="olga@happypaws.example", name="Olga", role=Role.OWNER)
    names = ("sandbox", SECOND)
    context = context_of(world)
    providers.choose(context, owner, row, SECOND, version=row.version, names=names)
    with pytest.raises(Conflict):
        providers.choose(context, owner, row, "sandbox", version=row.version, names=names)
    assert shown(staff(world))["preferred"] == SECOND


@pytest.mark.usefixtures("second")
def test_choosing_what_is_chosen_changes_nothing(world: LocalWorld) -> None:
    owner = staff(world)
    first = shown(owner)["version"]
    assert prefer(owner, SECOND, first).status == 200
    assert prefer(owner, SECOND, first).status == 200, "a double click is no conflict"
    page = shown(owner)
    assert (page["version"], len(page["changes"])) == (first + 1, 1)


@pytest.mark.usefixtures("second")
def test_publishing_a_catalogue_that_names_no_provider_keeps_the_choice(world: LocalWorld) -> None:
    owner = staff(world)
    prefer(owner, SECOND)
    catalogues.publish(catalogue_of(merchant_name="Happier Paws"))
    assert shown(owner)["preferred"] == SECOND
    catalogues.publish(catalogue_of(preferred_provider="sandbox"))
    assert shown(owner)["preferred"] == "sandbox"


# --- who may ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("second")
def test_a_manager_sees_and_asks_but_does_not_choose(world: LocalWorld) -> None:
    manager = staff(world, Role.MANAGER)
    page = shown(manager)
    assert page["may_change"] is False
    assert "Only an owner of all locations" in manager.page(PATH)
    assert checked(manager)["sandbox"]["checked"] is True
    answer = prefer(manager, SECOND)
    assert (answer.status, code_of(answer)) == (403, "role_not_allowed")
    assert shown(manager)["preferred"] == "sandbox"


@pytest.mark.usefixtures("second")
def test_an_owner_of_one_location_does_not_choose_for_the_others(world: LocalWorld) -> None:
    owner = staff(world, locations=("ny",))
    assert shown(owner)["may_change"] is False
    assert prefer(owner, SECOND).status == 403
    assert shown(owner)["preferred"] == "sandbox"


@pytest.mark.usefixtures("second")
def test_a_clerk_sees_nothing_of_it(world: LocalWorld) -> None:
    clerk = staff(world, Role.CLERK)
    assert clerk.ask("GET", PATH).status == 403
    assert clerk.post(f"{PATH}/check").status == 403
    assert clerk.post(f"{PATH}/preferred", provider=SECOND, version=1).status == 403
    people = clerk.ask("POST", f"{PATH}/check", accept="text/html")
    assert people.status == 403
    assert "Sandbox" not in people.body.decode()
    assert PATH not in clerk.page("/console")


def test_nobody_else_gets_in(world: LocalWorld) -> None:
    ada = customer(world, customer_with_card(world))
    for desk in (Desk(world), ada):
        assert desk.ask("GET", PATH).status == 401
        assert desk.post(f"{PATH}/check").status == 401


def test_every_problem_that_a_provider_may_have_is_said_in_words() -> None:
    assert set(pages.PROBLEMS) == set(SetupProblem)
    assert set(pages.TROUBLES) == set(Trouble)
    assert {kind for kind, _ in (*pages.PROBLEMS.values(), *pages.TROUBLES.values())} == set(Wrong)
