"""Capacity units as DynamoDB's documentation reckons them, and exponents as one draws them."""

import pytest

from bench.growth import slope
from bench.units import attribute_bytes, index_units, item_bytes, kilobytes, written

KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}
TOUCHED = {**KEY, "touched_at": {"S": "2026"}}
WAITS = {**KEY, "due_at": {"S": "2026"}, "due_shard": {"S": "now#0"}}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "Größe"}, 7),
        ({"N": "7"}, 2),
        ({"N": "1795411731"}, 6),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
    ],
)
def test_the_size_of_a_value(value: dict[str, object], size: int) -> None:
    assert attribute_bytes(value) == size


def test_names_count_as_values_do() -> None:
    assert item_bytes(KEY) == len("pk") + len("a") + len("sk") + len("b")


@pytest.mark.parametrize(("size", "begun"), [(0, 1), (1, 1), (1024, 1), (1025, 2), (4097, 5)])
def test_each_begun_kilobyte_counts(size: int, begun: int) -> None:
    assert kilobytes(size) == begun


@pytest.mark.parametrize(
    ("before", "after", "units"),
    [
        (None, KEY, 0),
        (None, WAITS, 1),
        (WAITS, KEY, 1),
        (WAITS, None, 1),
        (WAITS, {**WAITS, "body": {"S": "other"}}, 0),
        (WAITS, {**WAITS, "due_at": {"S": "2027"}}, 2),
        (None, TOUCHED, 1),
        (TOUCHED, {**TOUCHED, "touched_at": {"S": "2027"}}, 2),
        (WAITS, {**WAITS, **TOUCHED}, 1),
    ],
)
def test_an_index_entry_is_put_and_removed(
    before: dict[str, dict[str, str]] | None,
    after: dict[str, dict[str, str]] | None,
    units: int,
) -> None:
    assert index_units(before, after) == units


def test_a_transaction_s_item_counts_twice_by_the_larger_of_before_and_after() -> None:
    large = {**KEY, "body": {"S": "x" * 1500}}
    assert written("Put", KEY, None, KEY).units == 2
    assert written("Put", KEY, large, KEY).units == 4
    assert written("Put", KEY, KEY, {**large, **WAITS}).units == 4 + 1


def test_the_exponent_of_a_power_is_its_power() -> None:
    assert slope((1, 10, 100), (5, 50, 500)) == pytest.approx(1)
    assert slope((1, 10, 100), (7, 7, 7)) == pytest.approx(0)
    assert slope((10, 1000), (4, 40)) == pytest.approx(0.5)
