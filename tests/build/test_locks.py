"""The locks hold together, and name nobody's package index."""

import json
import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
LOCKS = sorted((CHECKOUT / "requirements").glob("*.lock"))


def packages(name: str) -> set[str]:
    lock = (CHECKOUT / "requirements" / f"{name}.lock").read_text()
    return set(re.findall(r"^[a-z0-9-]+==\S+", lock, flags=re.MULTILINE))


@pytest.mark.parametrize(("inner", "outer"), [("deployed", "local"), ("local", "test")])
def test_what_is_deployed_is_what_runs_here_and_what_is_tested(inner: str, outer: str) -> None:
    assert packages(inner)
    assert packages(inner) < packages(outer)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_locked_package_has_one_exact_version_and_hashes(lock: Path) -> None:
    lines = lock.read_text().splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith(" "):
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line)
        else:
            assert re.fullmatch(r"[a-z0-9-]+==[^\s;]+( ; .+)? \\", line)
            assert following.startswith("    --hash=")


@pytest.mark.parametrize(
    "path",
    [*LOCKS, CHECKOUT / "package-lock.json", CHECKOUT / ".npmrc"],
    ids=lambda path: path.name,
)
def test_no_lock_says_where_packages_come_from(path: Path) -> None:
    assert "://" not in path.read_text()
    assert "index-url" not in path.read_text()


def test_the_tools_of_the_tests_are_locked_to_one_content() -> None:
    lock = json.loads((CHECKOUT / "package-lock.json").read_text())
    wanted = json.loads((CHECKOUT / "package.json").read_text())["devDependencies"]
    for name, version in wanted.items():
        locked = lock["packages"][f"node_modules/{name}"]
        assert locked["version"] == version
        assert locked["integrity"].startswith("sha512-")
