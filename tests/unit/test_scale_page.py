"""docs/scale.md says what bench/scale.py reckons, and that follows from what is named there."""

import pytest

from bench import scale
from bench.scale import Night
from shared.domain.admission import parts
from shared.domain.due import Lane


def test_the_page_has_the_tables_that_the_numbers_make() -> None:
    page = scale.PAGE.read_text()
    assert scale.written(page) == page, "python -m bench.scale --write"


def test_a_page_without_room_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="nights"):
        scale.written("# Nothing")


@pytest.mark.parametrize("night", scale.NIGHTS)
def test_a_night_is_reckoned_with_what_the_sweep_admits(night: Night) -> None:
    whole = parts(shards=night.shards, limit=200, charges_a_minute=night.charges_a_minute)
    admitted = sum(one.most for one in whole if one.lane is Lane.MONEY)
    assert admitted == night.charges_a_minute
    assert night.minutes == pytest.approx(night.due / admitted)
    # What one shard leases of charges in a tick is done before the function must stop.
    assert max(one.most for one in whole if one.lane is Lane.MONEY) <= (
        scale.SWEEP_SECONDS * scale.LEASES_A_SECOND
    )
    assert night.charges_a_minute <= night.per_second * 60 + 1, "worked off before the next tick"


def test_ten_thousand_take_ten_minutes_and_one_shard() -> None:
    night = scale.NIGHTS[0]
    assert (night.due, night.minutes, night.shards) == (10_000, 10.0, 1)
    assert night.writes < scale.NEW_TABLE_WRITES


def test_what_gives_way_is_told_in_its_order() -> None:
    rates = [one.per_second for one in scale.limits()]
    assert rates == sorted(rates)
    assert len({one.what for one in scale.limits()}) == len(rates)
