"""Ids tell when an item was made, and by that whether something happened to it late."""

from datetime import UTC, datetime, timedelta

import pytest
from ulid import ULID

from shared.store.made import ON_TIME, first_id_at, is_late, made_at

AT = datetime(2026, 3, 10, 15, 0, 0, 250_000, tzinfo=UTC)
ID = str(ULID.from_bytes(int(AT.timestamp() * 1000).to_bytes(6) + bytes(range(10))))
"""Without chance, so that tests have the same names in every process."""


@pytest.mark.parametrize("rest", [ID, f"{ID}-p00001", f"{ID}.00002", f"{ID}#{ID}", f"{ID}:invoice"])
def test_a_sort_key_tells_the_time_of_the_id_that_it_begins_with(rest: str) -> None:
    assert made_at(f"pack#{rest}") == AT


@pytest.mark.parametrize(
    "sk", ["head", "pack#", "pack#one", "message#invoice:one", f"pack#{ID[:20]}"]
)
def test_another_id_tells_none(sk: str) -> None:
    assert made_at(sk) is None


def test_late_is_what_happens_an_hour_after_the_making_or_later() -> None:
    assert not is_late(AT + ON_TIME - timedelta(milliseconds=1), AT)
    assert is_late(AT + ON_TIME, AT)
    assert is_late(AT, None), "nothing leads to what no time is known of"


def test_the_first_id_of_a_moment_comes_before_all_of_that_moment_and_after_all_before() -> None:
    assert first_id_at(AT) <= ID
    assert first_id_at(AT + timedelta(milliseconds=1)) > ID
    assert str(ULID.from_datetime(AT - timedelta(milliseconds=1))) < first_id_at(AT)
    assert made_at(f"pack#{first_id_at(AT)}") == AT
