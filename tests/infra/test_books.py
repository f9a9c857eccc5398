"""The books taken out of one deployment and put into another, and a restore rehearsed: nothing is
lost, and nobody pays twice."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra import books
from infra.local.aws import Engine
from infra.local.world import LocalWorld
from shared.store import snapshot
from tests.shop_floor import (
    FAILS_LATER,
    asked_of,
    books_hold,
    buy,
    card_of,
    charged_at,
    customer_with_card,
    go_to,
    invoices_of,
    let_card_behave_as,
    notices,
    open_shop,
    packs_of,
    subscribed,
    subscription_of,
)

Shop = Callable[..., LocalWorld]


@pytest.fixture
def shop() -> Iterator[Shop]:
    opened: list[LocalWorld] = []

    def open_one(start: str, engine: Engine | None = None) -> LocalWorld:
        opened.append(open_shop(start, engine=engine))
        return opened[-1]

    yield open_one
    for world in opened:
        world.close()


def tables_of(world: LocalWorld) -> dict[str, str]:
    environment = world.wiring.environment
    return {"accounts": environment.accounts_table, "catalogue": environment.catalogue_table}


def everything(world: LocalWorld) -> dict[str, list[Any]]:
    client = world.client("dynamodb")
    return {
        name: sorted(
            books.items_of(client, table), key=lambda one: (one["pk"]["S"], one["sk"]["S"])
        )
        for name, table in tables_of(world).items()
    }


def lose_all_tables(world: LocalWorld) -> None:
    """The worst night: nothing is left in any table."""
    client = world.client("dynamodb")
    for table in world.template.tables:
        for item in list(books.items_of(client, table.name)):
            client.delete_item(TableName=table.name, Key={"pk": item["pk"], "sk": item["sk"]})
    snapshot.forget()
    assert everything(world) == {"accounts": [], "catalogue": []}


def audited(world: LocalWorld) -> list[str]:
    (function,) = [
        one for one in world.template.functions if one.handler == "functions.billing.audit.handler"
    ]
    found: list[str] = world.invoke(function, {})["breaches"]
    return found


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def a_busy_month(world: LocalWorld) -> tuple[str, str, str]:
    """Ada's subscription renews, Bob's fails, Cyd has a pack."""
    ada = subscribed(world, "month")
    bob = subscribed(world, "month", email="bob@example.com")
    let_card_behave_as(world, card_of(bob), FAILS_LATER)
    cyd = customer_with_card(world, email="cyd@example.com")
    buy(world, cyd, "ten")
    go_to(world, "2026-03-01 15:00")
    return ada, bob, cyd


def test_what_was_taken_out_is_put_in_item_by_item_and_everything_goes_on_once(
    shop: Shop, dynamodb_local: Engine, tmp_path: Path
) -> None:
    """On Amazon's own engine."""
    world = shop("2026-01-31 15:00", dynamodb_local)
    ada, bob, cyd = a_busy_month(world)
    before = everything(world)
    client = world.client("dynamodb")
    exported = books.export(client, tables_of(world), tmp_path / "books")
    assert {name: one.items for name, one in exported.items()} == {
        name: len(items) for name, items in before.items()
    }

    lose_all_tables(world)
    put = books.load(client, tables_of(world), tmp_path / "books")
    assert put == {name: len(items) for name, items in before.items()}
    assert everything(world) == before
    assert audited(world) == []

    # February was charged before, March and April come, and Bob's failing charge ends as it would.
    go_to(world, "2026-05-01 15:00")
    assert charged_at(world, ada) == [
        "2026-01-31 15:00",
        "2026-02-28 04:59",
        "2026-03-31 03:59",
        "2026-04-30 03:59",
    ]
    assert len(asked_of(world, cyd)) == 1
    assert subscription_of(bob).state.value == "cancelled"
    books_hold(world)


def test_loading_may_be_repeated_and_never_replaces_anything(shop: Shop, tmp_path: Path) -> None:
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    client = world.client("dynamodb")
    books.export(client, tables_of(world), tmp_path / "books")
    assert books.load(client, tables_of(world), tmp_path / "books") == {
        "accounts": 0,
        "catalogue": 0,
    }
    go_to(world, "2026-03-01 15:00")
    later = everything(world)
    with pytest.raises(books.Refused, match=f"holds another customer#{ada}"):
        books.load(client, tables_of(world), tmp_path / "books")
    assert everything(world) == later


def test_files_that_are_not_whole_are_refused_before_anything_is_put(
    shop: Shop, tmp_path: Path
) -> None:
    world = shop("2026-01-31 15:00")
    subscribed(world, "month")
    client = world.client("dynamodb")
    books.export(client, tables_of(world), tmp_path / "books")
    path = tmp_path / "books" / "accounts.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    lose_all_tables(world)
    with pytest.raises(books.Refused, match="not what was exported"):
        books.load(client, tables_of(world), tmp_path / "books")
    assert everything(world) == {"accounts": [], "catalogue": []}


def test_the_books_for_people_say_what_the_items_say(shop: Shop, tmp_path: Path) -> None:
    world = shop("2026-01-31 15:00")
    ada, _, cyd = a_busy_month(world)
    books.export(world.client("dynamodb"), tables_of(world), tmp_path / "books")
    invoices = [one for one in rows(tmp_path / "books" / "invoices.csv") if one["customer"] == cyd]
    (bought,) = invoices_of(cyd)
    # A pack of ten for 250.00 plus 8.25% tax, as in the rules' own example: 270.63.
    assert [(one["number"], one["total"], one["tax"], one["paid"]) for one in invoices] == [
        (bought.number, "270.63", "20.63", "270.63")
    ]
    paid = [one for one in rows(tmp_path / "books" / "payments.csv") if one["customer"] == ada]
    assert [one["amount"] for one in paid] == ["53.04", "53.04"]
    (pack,) = packs_of(cyd)
    credits_ = [one for one in rows(tmp_path / "books" / "credits.csv") if one["pack"] == pack.id]
    assert [(one["entry"], one["credits"], one["left"]) for one in credits_] == [
        ("grant", "10", "10")
    ]


def test_a_directory_that_holds_something_is_not_written_into(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop("2026-01-31 15:00")
    (tmp_path / "mine.txt").write_text("kept")
    arguments = ["export", "--stack", "punchcard", "--into", str(tmp_path)]
    assert books.main(arguments) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_command_takes_the_stack_s_own_tables(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = shop("2026-01-31 15:00")
    subscribed(world, "month")
    into = tmp_path / "books"
    assert books.main(["export", "--stack", "punchcard", "--into", str(into)]) == 0
    counts = {name: len(items) for name, items in everything(world).items()}
    told = capsys.readouterr().out
    for name, count in counts.items():
        assert f"punchcard-{name}: {count} items in {into}/{name}.jsonl" in told
    lose_all_tables(world)
    assert books.main(["load", "--stack", "punchcard", "--from", str(into)]) == 0
    assert f"punchcard-accounts: {counts['accounts']} items put" in capsys.readouterr().out
    manifest = json.loads((into / "manifest.json").read_text())
    assert {name: one["items"] for name, one in manifest.items()} == counts


# --- a restore to an earlier second ------------------------------------------------------------


def restored_to(world: LocalWorld, backup: Path) -> None:
    lose_all_tables(world)
    books.load(world.client("dynamodb"), tables_of(world), backup)


def test_what_was_charged_after_the_restored_second_is_not_charged_again_that_day(
    shop: Shop, tmp_path: Path
) -> None:
    """The same try has the same idempotency key, for which the provider answers as before."""
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    go_to(world, "2026-02-28 00:00")
    books.export(world.client("dynamodb"), tables_of(world), tmp_path / "books")
    go_to(world, "2026-02-28 12:00")
    kept = charged_at(world, ada)
    assert kept == ["2026-01-31 15:00", "2026-02-28 04:59"]

    restored_to(world, tmp_path / "books")
    world.advance(timedelta(minutes=10))
    assert charged_at(world, ada) == kept, "the provider took nothing again"
    assert [one.total.minor for one in invoices_of(ada)] == [5_304, 5_304]
    assert len(packs_of(ada)) == 2
    assert audited(world) == []
    assert notices() == []
    go_to(world, "2026-04-15 12:00")
    assert len(charged_at(world, ada)) == 3
    books_hold(world, mail_repeats=True)


def test_the_audit_names_what_the_provider_took_in_the_gap_before_anything_is_charged_again(
    shop: Shop, tmp_path: Path
) -> None:
    """After more than a day the key protects no more: look first, with the sweep stopped."""
    world = shop("2026-01-31 15:00")
    ada = subscribed(world, "month")
    bob = subscribed(world, "month", email="bob@example.com")
    go_to(world, "2026-02-28 00:00")
    books.export(world.client("dynamodb"), tables_of(world), tmp_path / "books")
    go_to(world, "2026-03-03 12:00")
    restored_to(world, tmp_path / "books")
    breaches = [one for one in audited(world) if one.startswith("provider_agrees")]
    assert len(breaches) == 2
    assert {one for one in (ada, bob) if any(one in breach for breach in breaches)} == {ada, bob}
    assert len(asked_of(world, ada)) == 2
