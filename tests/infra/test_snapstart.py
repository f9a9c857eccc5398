"""Snapshots as an option: only what people wait for gets them, each deployment anew, at the price
that is stated."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra import snapstart
from infra.local import template

ROOT = Path(__file__).resolve().parents[2]
TEXT = template.TEMPLATE.read_text()
SERVED = template.load({"PublicUrl": "https://a.example", "SenderAddress": "a@a.example"})
WAITED_FOR = {one.name for one in SERVED.functions if snapstart.is_waited_for(one.handler)}


def test_the_template_itself_has_no_snapshots_no_versions_and_no_aliases() -> None:
    assert "SnapStart" not in TEXT
    assert "AutoPublishAlias" not in TEXT


def test_the_functions_that_people_wait_for_get_them_and_nothing_else_changes() -> None:
    text, found = snapstart.with_snapshots(TEXT, "token")
    assert found
    assert set(found) == WAITED_FOR
    added = snapstart.LINES.format(alias="live", token="token")
    assert text.count(added) == len(found)
    assert text.replace(added, "") == TEXT


def test_every_file_has_a_token_of_its_own_so_that_every_deployment_publishes(
    tmp_path: Path,
) -> None:
    tokens = set()
    for name in ("first.yaml", "second.yaml"):
        assert snapstart.main(["--into", str(tmp_path / name)]) == 0
        written = (tmp_path / name).read_text()
        (token,) = set(re.findall(r'AutoPublishCodeSha256: "(\w{32})"', written))
        tokens.add(token)
    assert len(tokens) == 2


def test_the_stated_price_is_that_of_the_template_s_memory() -> None:
    page = (ROOT / "docs" / "deploying.md").read_text()
    section = page.split("## Snapshots (SnapStart)")[1].split("\n## ")[0]
    sizes = [one.memory_megabytes for one in SERVED.functions if one.name in WAITED_FOR]
    assert f"**{snapstart.monthly_usd(sizes):.2f} dollars a month**" in section
    thousand = snapstart.monthly_usd(sizes, 1000) - snapstart.monthly_usd(sizes)
    assert f"{thousand:.2f} dollars for each thousand cold starts" in section
    assert str(snapstart.RESTORE_USD_PER_GB) in section
    assert f"{snapstart.CACHE_USD_PER_GB_SECOND:.10f}" in section


def test_a_snapshot_of_one_gigabyte_costs_four_dollars_a_month() -> None:
    # 730 hours of 3,600 seconds at 0.0000015046 dollars, by hand.
    assert snapstart.monthly_usd([1024]) == pytest.approx(3.954, abs=0.001)
    assert snapstart.monthly_usd([1024], 1000) == pytest.approx(3.954 + 0.140, abs=0.001)


LOADS = """
import importlib, sys
reached = []
def hook(event, args):
    if event in ("socket.connect", "socket.getaddrinfo"):
        reached.append(event)
sys.addaudithook(hook)
importlib.import_module(sys.argv[1])
from shared import wiring
assert wiring._installed is None, "a wiring was made while loading"
print(",".join(reached))
"""


@pytest.mark.parametrize(
    "module",
    sorted(
        one.handler.rpartition(".")[0]
        for one in SERVED.functions
        if snapstart.is_waited_for(one.handler)
    ),
)
def test_loading_a_function_reaches_nobody_and_makes_nothing_that_copies_would_share(
    module: str,
) -> None:
    """A snapshot is taken after loading: no connection, no secret, no time is in it."""
    said = subprocess.run(
        [sys.executable, "-c", LOADS, module],
        cwd=ROOT,
        env={**SERVED.environment, "AWS_DEFAULT_REGION": "us-east-1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.strip() == ""
