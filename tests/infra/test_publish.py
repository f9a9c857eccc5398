"""Publishing a catalogue from a file: whole or not at all, and what is wrong is named."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.world import LocalWorld
from infra.publish import EXAMPLE, main
from shared.store import snapshot
from shared.store.reading import read
from shared.store.staff import staff_member


def written(tmp_path: Path, content: Any) -> str:
    file = tmp_path / "catalogue.json"
    file.write_text(json.dumps(content))
    return str(file)


def test_the_example_is_published_and_the_shop_sells_it(tmp_path: Path) -> None:
    with LocalWorld() as world:
        assert world.request("GET", "/shop").status == 503
        assert main([written(tmp_path, EXAMPLE)]) == 0
        snapshot.forget()
        shop = json.loads(world.request("GET", "/shop", {"accept": "application/json"}).body)
        assert [product["id"] for product in shop["products"]] == ["yoga-10"]
        owner = staff_member("you@example.com")
        assert read(owner).get(owner) is not None


def test_retries_that_reach_the_next_renewal_are_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(json.dumps(EXAMPLE))
    content["catalogue"]["settings"]["retry"] = {"tries": 7, "days_between": 1}
    content["catalogue"]["products"].append(
        {
            "id": "weekly",
            "name": "Weekly yoga",
            "kind": "subscription",
            "prices": {"USD": 2000},
            "frequency": "weekly",
            "credits": 1,
        }
    )
    with LocalWorld() as world:
        assert main([written(tmp_path, content)]) == 1
        assert "Weekly yoga" in capsys.readouterr().err
        assert world.request("GET", "/shop").status == 503


def test_a_wrong_field_is_named_by_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(json.dumps(EXAMPLE))
    content["catalogue"]["products"][0]["prices"] = {"USD": -1}
    with LocalWorld():
        assert main([written(tmp_path, content)]) == 1
    assert "catalogue.products.0.prices.USD" in capsys.readouterr().err


def test_without_the_tables_names_nothing_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CATALOGUE_TABLE", raising=False)
    assert main([written(tmp_path, EXAMPLE)]) == 2
    assert "CATALOGUE_TABLE" in capsys.readouterr().err
