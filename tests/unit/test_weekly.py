"""When a standing weekly reservation is, week by week ([WEEKLY])."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as some

from shared.domain.activity import Activity
from shared.domain.activity_state import ActivityState
from shared.domain.calendar import at_local
from shared.domain.weekly import (
    Standing,
    WeekPlace,
    WhyNotSold,
    first_day,
    holds,
    look_again,
    matching,
    standing_of,
    start_in,
    why_not,
)

ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe")
SIX = time(18)


def at(weekday: int = 1, clock: time = SIX, zone: str = ZONES[0], **more: object) -> Standing:
    values = {"location_id": "ny", "service_id": "yoga", "name": "Evening yoga", **more}
    return Standing.model_validate({"zone": zone, "weekday": weekday, "clock": clock, **values})


def activity(day: date, clock: time = SIX, zone: str = ZONES[0], **more: object) -> Activity:
    starts_at = at_local(day, clock, zone)
    values: dict[str, object] = {
        "id": f"ny.{starts_at:%Y%m%dT%H%M}.{more.get('name', 'a')}",
        "location_id": "ny",
        "zone": zone,
        "service_id": "yoga",
        "name": "Evening yoga",
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),
        "places": 2,
        **more,
    }
    return Activity.model_validate(values)


DAYS = some.dates(date(2020, 1, 1), date(2040, 1, 1))


@given(DAYS, some.integers(0, 6), some.times().map(lambda t: t.replace(second=0, microsecond=0)),
       some.sampled_from(ZONES))  # fmt: skip
def test_each_week_has_it_once_on_its_weekday_within_its_seven_days(
    begins: date, weekday: int, clock: time, zone: str
) -> None:
    found = start_in(at(weekday, clock, zone), begins)
    day = found.astimezone(ZoneInfo(zone)).date()
    assert begins <= day < begins + timedelta(days=7)
    assert day.weekday() == weekday
    assert found == at_local(day, clock, zone)


@given(DAYS, some.integers(0, 6), some.integers(0, 24 * 60 - 1))
def test_the_first_week_has_its_place_still_ahead(today: date, weekday: int, minute: int) -> None:
    now = at_local(today, time(minute // 60, minute % 60), ZONES[0])
    standing = at(weekday)
    begins = first_day(standing, today, now)
    assert begins in (today, today + timedelta(days=1))
    assert start_in(standing, begins) > now
    assert start_in(standing, begins) - now <= timedelta(days=7, hours=1), "the next one"


def test_it_is_at_the_same_local_time_on_both_sides_of_the_change_of_clocks() -> None:
    winter, summer = (start_in(at(), day) for day in (date(2026, 3, 2), date(2026, 3, 9)))
    assert winter == datetime(2026, 3, 3, 23, 0, tzinfo=UTC)
    assert summer == datetime(2026, 3, 10, 22, 0, tzinfo=UTC)


def test_it_is_chosen_by_an_activity_with_or_without_who_leads_it() -> None:
    one = activity(date(2026, 3, 3), staff_member="mira")
    assert standing_of(one, 2, same_staff=False) == at(participants=2)
    assert standing_of(one, 1, same_staff=True).staff_member == "mira"
    later = activity(date(2026, 3, 17), staff_member="jo")
    assert holds(standing_of(one, 1, same_staff=False), later)
    assert not holds(standing_of(one, 1, same_staff=True), later)


def test_of_several_the_one_with_places_and_then_of_its_name_comes_first() -> None:
    day = date(2026, 3, 3)
    full, other, own = (
        activity(day, name="Evening yoga", id="ny.1.full", taken=2),
        activity(day, name="Another", id="ny.1.other"),
        activity(day, name="Evening yoga", id="ny.1.own"),
    )
    called_off = activity(day, id="ny.1.off", state=ActivityState.CANCELLED)
    bath = activity(day, id="ny.1.bath", service_id="bath")
    found = matching([full, other, own, called_off, bath], at(), own.starts_at)
    assert found == (own, other, full)


def test_what_is_full_or_not_there_is_not_sold() -> None:
    one = activity(date(2026, 3, 3), staff_member="mira", taken=1)
    starts = one.starts_at
    assert why_not([one], at(), starts, None) is None
    assert why_not([one], at(participants=2), starts, None) is WhyNotSold.FULL
    assert why_not([], at(), starts, None) is WhyNotSold.NOT_SCHEDULED
    assert why_not([one], at(), starts, ("jo",)) is WhyNotSold.NOT_SCHEDULED


def test_it_is_looked_for_daily_and_for_the_last_time_when_it_would_begin() -> None:
    starts_at = datetime(2026, 3, 10, 22, 0, tzinfo=UTC)
    place = WeekPlace(standing=at(), starts_at=starts_at, look_at=starts_at - timedelta(days=2))
    again = look_again(place, starts_at - timedelta(hours=30))
    assert again.look_at == starts_at - timedelta(hours=6)
    assert look_again(again, starts_at - timedelta(hours=6)).look_at == starts_at
